"""Control API for persons, chats and messages."""
