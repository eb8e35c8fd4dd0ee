"""Storybell: everything but the conversation."""
