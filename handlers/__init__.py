"""Handlers of Telegram updates: each reads an update, calls use cases and queues replies."""
