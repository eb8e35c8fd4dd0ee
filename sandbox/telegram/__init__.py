"""A Bot API server in memory: it refuses what Telegram refuses, in Telegram's words and order."""
