"""The accounts of Telegram that replace the sender of a message and identify no person."""

LINKED_CHANNEL = 777000
"""The id of Telegram's own account, which is the sender of a linked channel's posts in a group."""

ANONYMOUS_ADMIN = 1087968824
"""The id of @GroupAnonymousBot.

This account is the sender of the messages of administrators who write in the name of the group.
"""

WRITES_AS_CHANNEL = 136817688
"""The id of @Channel_Bot.

This account is the sender of the messages of persons who write in the name of a channel.
"""

NOBODIES = frozenset({LINKED_CHANNEL, ANONYMOUS_ADMIN, WRITES_AS_CHANNEL})
"""The ids of the accounts that identify no person.

The ids are the same in each chat (Bot API, ``Message.sender_chat``).
"""


def is_bot_but_no_service_account(user_id: int | None, *, is_bot: bool) -> bool:
    """Return whether the sender of a message is a bot that is not operated by Telegram itself.

    ``is_bot`` is the field of Telegram's object User. Telegram's own accounts are ``NOBODIES``.
    """
    return is_bot and user_id not in NOBODIES


def identifies_no_person(user_id: int | None, sender_chat: int | None = None) -> bool:
    """Return whether the sender of an update is not a person who can be asked or charged.

    ``sender_chat`` is the id of the chat in whose name the message was sent, and must be None for
    the press of a button.
    """
    return user_id is None or user_id in NOBODIES or sender_chat is not None
