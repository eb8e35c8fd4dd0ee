"""The words of the bot and its rules.

Pure: imports no other room, no database and no network; the time is an argument.
"""
