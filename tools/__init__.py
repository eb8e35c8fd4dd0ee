"""Programs for the development of the bot."""
