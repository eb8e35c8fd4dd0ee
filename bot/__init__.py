"""Storybell: all code of the bot except the handlers of updates (package ``handlers``)."""
