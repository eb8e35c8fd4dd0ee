"""Who counts as somebody: Telegram's own stand-ins for senders are nobody in particular."""

LINKED_CHANNEL = 777000
"""Telegram itself: in a group, who brings the posts of the linked channel."""

ANONYMOUS_ADMIN = 1087968824
"""@GroupAnonymousBot: who stands for an administrator that writes in the group's own name."""

WRITES_AS_CHANNEL = 136817688
"""@Channel_Bot: who stands for a person that writes in the name of a channel."""

NOBODIES = frozenset({LINKED_CHANNEL, ANONYMOUS_ADMIN, WRITES_AS_CHANNEL})
"""The same three ids in each chat (Bot API, ``Message.sender_chat``)."""


def is_nobody(user_id: int | None, sender_chat: int | None = None) -> bool:
    """Return whether nobody in particular acts, so that no person can be asked or charged.

    ``user_id`` is the update's sender, None where there is none (posts of channels);
    ``sender_chat`` the id of the chat in whose name a *message* was sent. For a pressed button it
    is None: its message is the bot's, and who pressed is always a person.
    """
    return user_id is None or user_id in NOBODIES or sender_chat is not None
