"""The chat page, the sandbox's user interface."""
