"""Channels and groups that a person manages from the chat itself or from the private chat.

A command or button in a private chat may name another chat, and then applies to that chat
(``Context.chat``) if the person has the right.
"""

import re
from collections.abc import Iterable
from contextlib import suppress

from telegram import Chat
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.context import Context
from bot.domain.errors import (
    CHAT_SILENCED,
    ONLY_CHANNEL_ADMINS,
    ONLY_GROUP_ADMINS,
    ONLY_IN_PRIVATE,
    AdminsUnknownError,
    AskAgainError,
    BlockedError,
    NotAdminError,
    RightsError,
    UnknownChannelError,
)
from bot.domain.foreign_text import typed_words
from bot.presentation.html import code

_CHAT = re.compile(r"@.+|-\d{5,18}")


async def set_managed_chat(context: Context, chat_id: int) -> None:
    """Make the update apply to a channel or group that the person manages.

    ``Context.chat`` and ``Context.about`` have new values for the rest of the update.

    Raises:
        NotAdminError: The person has no right to manage the chat, the bot does not know the chat,
            or the update is not from the person's private chat.
        BlockedError: The access list blocks the chat or the responsible person.
        AdminsUnknownError: Telegram does not return the administrators.
        AskAgainError: Telegram does not answer.
    """
    user_id = context.user_id
    if not context.is_private or user_id != context.update_chat.id:
        raise NotAdminError("not in a private chat", text=ONLY_CHANNEL_ADMINS)
    # Links and buttons from before the migration of a group contain the old ID. ``judgement.chat``
    # has the new ID.
    judgement = await context.services.access.read_and_judge_access(user_id, chat_id)
    judged, chat = judgement.judged, judgement.chat
    if chat is None or chat.kind == Chat.PRIVATE:
        raise NotAdminError("no channel or group of ours", text=ONLY_CHANNEL_ADMINS)
    if judged.verdict == "blocked":
        raise BlockedError(text=CHAT_SILENCED if judged.is_silent else "")
    if not await fetch_if_person_may_manage(context, chat.id, chat.kind, user_id):
        raise not_admin_error(chat.kind)
    context.chat = chat
    context.about = chat.id


async def set_managed_chat_from_words(context: Context, places: Iterable[int], usage: str) -> None:
    """Apply the command to the chat that the arguments name, and remove the name.

    ``places`` are the indexes of the arguments that may name a chat. Only the first argument with
    the form of a chat's name or id counts.

    Raises:
        UnknownChannelError: The chat is unknown, or Telegram does not confirm that the person
            manages the chat.
        RightsError: The command names a different chat, and was not sent in a private chat.
        BlockedError: The access list blocks the chat or the responsible person.
        AskAgainError: Telegram does not answer.
    """
    words = context.words_after_command
    existing = [place for place in places if place < len(words)]
    at = next((place for place in existing if _CHAT.fullmatch(words[place])), None)
    if at is None:
        return
    name = typed_words(words[at])[0]
    origin = context.update_chat
    usernames = [context.bot.username, origin.username]
    names_here = {f"@{username.lower()}" for username in usernames if username}
    if name.lower() not in {*names_here, str(origin.id)}:
        if not context.is_private:
            written = context.message.text if context.message else None
            raise RightsError(text=ONLY_IN_PRIVATE, command=code(written or " ".join(words)))
        try:
            await set_managed_chat(context, await _fetch_chat_id(context, name))
        except (NotAdminError, AdminsUnknownError) as error:
            raise UnknownChannelError(str(error), name=name, usage=usage) from error
    context.args = words[:at] + words[at + 1 :]


async def set_managed_chat_from_second_word(context: Context, usage: str) -> None:
    """Apply the command to the chat that the second argument names, and remove the name.

    Do nothing after more than two arguments, outside of private chats, or if Telegram does not
    confirm that the person manages the chat.

    Raises:
        BlockedError: The access list blocks the chat or the responsible person.
        AskAgainError: Telegram does not answer.
    """
    if len(context.words_after_command) > 2 or not context.is_private:  # noqa: PLR2004 - a profile and a channel
        return
    with suppress(UnknownChannelError):
        await set_managed_chat_from_words(context, [1], usage)


async def _fetch_chat_id(context: Context, name: str) -> int:
    """Return the ID of a chat from its ``@name`` or ID. For a name, ask Telegram.

    Raises:
        NotAdminError: Telegram finds no chat with the name.
        AskAgainError: Telegram does not answer.
    """
    if not name.startswith("@"):
        return int(name)
    try:
        return (await context.bot.get_chat(name)).id
    except (BadRequest, Forbidden) as error:
        raise NotAdminError(str(error), text=ONLY_CHANNEL_ADMINS) from error
    except TelegramError as error:
        raise AskAgainError(str(error)) from error


async def fetch_if_sender_may_manage(context: Context) -> bool:
    """Return whether the sender is an admin of the group, or may post in the channel.

    The group or channel is the chat of the update. Telegram is asked only if the update itself
    does not show the rights of the sender.

    Raises:
        AdminsUnknownError: Telegram does not return the administrators.
        AskAgainError: Telegram does not answer.
    """
    where = context.update_chat
    message = context.message
    if context.query is None:
        if context.is_channel:
            return True  # only admins can post in a channel
        if message and message.sender_chat:
            return message.sender_chat.id == where.id  # an anonymous admin of the group
    user_id = context.user_id
    # If a group has become a supergroup, a late update still has the old ID. ``Context.chat`` has
    # the new ID.
    chat = context.chat
    return user_id is not None and await fetch_if_person_may_manage(
        context, chat.id, chat.kind, user_id
    )


async def fetch_if_person_may_manage(
    context: Context, chat_id: int, kind: str, user_id: int
) -> bool:
    """Return whether a person administers a group or may post in a channel.

    Raises:
        AdminsUnknownError: Telegram does not return the administrators.
        AskAgainError: Telegram does not answer.
    """
    admins = context.services.admins
    standing = await admins.get_or_fetch_rights(context.bot, chat_id, user_id, now=context.now)
    return standing.may_post if kind == Chat.CHANNEL else standing.is_admin


def not_admin_error(kind: str) -> RightsError:
    """Return the error for a person who does not administer a chat of a ``kind``."""
    return NotAdminError(text=ONLY_CHANNEL_ADMINS if kind == Chat.CHANNEL else ONLY_GROUP_ADMINS)
