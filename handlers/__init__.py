"""The conversation: an update in, use cases called, a reply out."""
