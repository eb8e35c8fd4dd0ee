"""What a chat decides: what it follows, with which options, and what it is told of that.

In: a chat and what a person asked for. Out: subscriptions, explanations, files to export.
"""
