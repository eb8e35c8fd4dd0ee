"""The part of the control API that moves people, chats and messages."""
