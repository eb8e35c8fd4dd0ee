"""Handlers of Telegram updates: a handler reads an update, calls use cases and queues replies."""
