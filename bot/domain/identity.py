"""The accounts of Telegram that stand for a sender and identify no person."""

LINKED_CHANNEL = 777000
"""Telegram itself: the sender of the posts of the linked channel in a group."""

ANONYMOUS_ADMIN = 1087968824
"""@GroupAnonymousBot: the sender for an administrator who writes in the name of the group."""

WRITES_AS_CHANNEL = 136817688
"""@Channel_Bot: the sender for a person who writes in the name of a channel."""

NOBODIES = frozenset({LINKED_CHANNEL, ANONYMOUS_ADMIN, WRITES_AS_CHANNEL})
"""The stand-in accounts; the ids are the same in each chat (Bot API, ``Message.sender_chat``)."""


def names_no_person(user_id: int | None, sender_chat: int | None = None) -> bool:
    """Return whether the sender identifies no person, so that no person can be asked or charged.

    ``user_id`` is the sender of the update, or None for a channel post. ``sender_chat`` is the id
    of the chat in whose name a *message* was sent. For a pressed button, pass None, because a
    person has pressed the button.
    """
    return user_id is None or user_id in NOBODIES or sender_chat is not None
