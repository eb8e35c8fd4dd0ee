"""The chat page: what one sees of the sandbox."""
