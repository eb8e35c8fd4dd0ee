"""Local replacements for Telegram and the Stories API, with a chat page for testing the bot."""
