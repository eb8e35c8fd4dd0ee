"""A Bot API server in memory, with Telegram's refusals, error messages and order of checks."""
