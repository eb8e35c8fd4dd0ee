"""Local stand-ins for Telegram and the Stories API, with a chat page to talk to the bot."""
