"""What the bot remembers: one file of functions an entity; nobody outside sees a table.

Every function takes an open transaction (``tx``) first: its caller decides what is all or nothing.
"""
