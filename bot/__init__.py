"""Storybell: all of the product except the handlers of messages."""
