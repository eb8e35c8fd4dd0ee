"""Decorators that register handlers and check the rights of the sender.

``@command``, ``@on_press`` and ``@on_message`` make a handler with a row in the table of rights. A
person without the right gets an error message after a command and a pop-up after a press. Commands
and buttons for the owner are treated as unknown if another person uses them; groups and channels
get no message about unknown commands.
"""

import re
from collections.abc import Callable, Coroutine, Hashable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import ModuleType
from typing import Any

import structlog
from telegram import CallbackQuery, Chat, Message, MessageOriginUser, Update
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError
from telegram.ext import (
    BaseHandler,
    CallbackQueryHandler,
    CommandHandler,
    MessageHandler,
    filters,
)

from bot.context import Context
from bot.domain.command_words import ends_as_list
from bot.domain.errors import (
    CHAT_SILENCED,
    CHAT_UNKNOWN,
    ONLY_CHANNEL_ADMINS,
    ONLY_GROUP_ADMINS,
    ONLY_IN_PRIVATE,
    UNKNOWN_COMMAND,
    AdminsUnknownError,
    AskAgainError,
    BlockedError,
    BotError,
    NotAdminError,
    RightsError,
    UnknownChannelError,
)
from bot.domain.foreign_text import typed_words
from bot.domain.sentences import N_
from bot.presentation.actions import Kind, split_chat
from bot.presentation.html import code
from bot.updates import unit_of_work
from handlers.commands import update_chat_menu
from handlers.rights import ANYBODY, OWNER, SHOW, TABLE, Right

log = structlog.get_logger()

Handler = BaseHandler[Any, Context, Any]
Run = Callable[[Context], Coroutine[Any, Any, None]]
Press = Callable[..., Coroutine[Any, Any, str | None]]

TWICE = timedelta(seconds=1)  # after the end of a press, repeated presses are ignored
ALBUM = timedelta(minutes=10)  # all photos of an album arrive within this time
REPEATED = timedelta(minutes=10)  # a group gets the same refusal at most once in this time
TOAST = 200  # maximum characters of a pop-up
_CHAT = re.compile(r"@.+|-\d{5,18}")
# Files of /export, and the lists of followed accounts in Instagram's own export.
_LISTING = re.compile(
    r".*\.json|.*following.*\.html|.*instagram.*\.zip", re.IGNORECASE | re.DOTALL
)
UNCHANGED = N_("Nothing has changed.")
UNKNOWN_BUTTON = N_("This button no longer works. /help shows what I can do.")


class _RepeatedMessages(filters.MessageFilter):
    """A filter for messages that repeat another message and need no answer."""

    def filter(self, message: Message) -> bool:
        """Return whether ``message`` needs no answer."""
        return repeats_message(message, message.get_bot().id)


class _Command(CommandHandler[Context, Any]):
    """The handler of a command. A comma may directly follow the command."""

    def check_update(
        self, update: object
    ) -> bool | tuple[list[str], bool | dict[str, list[Any]] | None] | None:
        """Return the words after the command, or the result of PTB for another update."""
        result = super().check_update(update)
        message = update.effective_message if isinstance(update, Update) else None
        if not isinstance(result, tuple) or message is None or message.text is None:
            return result
        return message.text[message.entities[0].length :].split(), result[1]


def repeats_message(message: Message, bot_id: int) -> bool:
    """Return whether a message only repeats another message, so that no answer is needed.

    Telegram copies the posts of a channel, including posts of the bot, into the discussion group
    (``is_automatic_forward``). People also forward messages of the bot with links. A forwarded
    file of subscriptions does not count, because people forward the file to import it.
    """
    origin = message.forward_origin
    if message.is_automatic_forward:
        return True
    is_own = isinstance(origin, MessageOriginUser) and origin.sender_user.id == bot_id
    return is_own and not is_listing(message)


def is_listing(message: Message) -> bool:
    """Return whether a message contains a file that may list subscriptions or accounts."""
    name = message.document.file_name if message.document else None
    return _LISTING.fullmatch(name or "") is not None


# Commands in channels are posts. Edits are excluded, so that no command runs a second time.
HEARD = (filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST) & ~_RepeatedMessages()

OBEYED: dict[str, "Guarded"] = {}
"""The handler of each command, by word; buttons use the handlers to run commands."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A handler with a check of its row in the table of rights."""

    name: str
    run: Run
    hear: Callable[["Guarded"], Handler]

    async def __call__(self, _: Update, context: Context) -> None:
        """Handle an update from python-telegram-bot."""
        await self.serve(context)

    async def serve(self, context: Context) -> None:
        """Run the handler if the person has the right; otherwise refuse as the module describes.

        Raises:
            RightsError: The person may not do this here, or Telegram does not return the rights.
            BotError: A person who is not an owner sent an owner command in a private chat, or the
                handler failed.
        """
        if await _is_allowed(context, TABLE[self.name]):
            await self.run(context)
        elif context.query or not context.is_private:
            await answer_press(context, context.t.plain(UNKNOWN_BUTTON))
        else:
            raise BotError(self.name, text=UNKNOWN_COMMAND, command=code(self.name))


def handlers_of(module: ModuleType) -> list[Handler]:
    """Return the handlers of a module, in the order of definition."""
    made = vars(module).values()
    return [
        one.hear(one) if isinstance(one, Guarded) else one
        for one in made
        if isinstance(one, Guarded | BaseHandler)
    ]


def on_event(hear: Callable[[Callable[..., Any]], Handler]) -> Callable[[Run], Handler]:
    """Make the handler of a Telegram event, such as a new topic. No right is checked."""
    return lambda run: hear(lambda _, context: run(context))


def command(
    word: str,
    *,
    channel_after: int | None = None,
    takes_names: bool = False,
    takes_list: bool = False,
    usage: str = "",
    only_in_private: bool = False,
) -> Callable[[Run], Guarded]:
    """Make the handler of ``/word``.

    - ``channel_after``: the number of words after which the ``@name`` or ID of a channel or group
      may follow. A command in a private chat then acts on the named chat. In a group or channel,
      a command that names a different chat is refused, except with ``takes_names``.
    - ``takes_names``: the command accepts other ``@name`` words, so the channel must follow
      directly after ``channel_after`` words.
    - ``takes_list``: the words are profile names if all begin with @, or if "and" or a comma joins
      the last two. The second of two words with an @ may still be a channel.
    - ``usage``: the message id of a text that is added to the error about an unknown channel.
    - ``only_in_private``: the command is refused in groups and channels, because other members
      must not read the answer.
    """

    def decorate(run: Run) -> Guarded:
        async def handle_command(context: Context) -> None:
            if only_in_private:
                _refuse_outside_private(context, word)
            context.channel_after = channel_after
            if channel_after is not None:
                end = channel_after + 1 if takes_names else len(context.words)
                places = range(channel_after, end)
                if takes_list and _is_list(context):
                    await _act_on_channel_word(context, usage)
                elif not takes_names or context.is_private:
                    await _act_on_named_chat(context, places, usage)
            await run(context)
            await update_chat_menu(context)

        OBEYED[word] = _make_guarded(
            f"/{word}", handle_command, lambda guarded: _Command(word, guarded, filters=HEARD)
        )
        return OBEYED[word]

    return decorate


def on_message(name: str, what: filters.BaseFilter) -> Callable[[Run], Guarded]:
    """Make the handler of messages that match the filter ``what``.

    Messages that only repeat another message (``repeats_message``) are ignored.
    """

    def decorate(run: Run) -> Guarded:
        async def hear(context: Context) -> None:
            await run(context)
            message = context.message
            if message and message.media_group_id:
                # Telegram sends each photo of an album as a separate message.
                key = (message.chat.id, "album", message.media_group_id)
                await cache_after_commit(context, key, age=ALBUM)

        return _make_guarded(
            name, hear, lambda guarded: MessageHandler(what & ~_RepeatedMessages(), guarded)
        )

    return decorate


def _refuse_outside_private(context: Context, word: str) -> None:
    """Refuse a command in a group or channel.

    Raises:
        RightsError: The chat is not private.
    """
    if not context.is_private:
        raise RightsError(text=ONLY_IN_PRIVATE, command=f"/{word}")


def on_press(kind: Kind, *, only_in_private: str = "") -> Callable[[Press], Guarded]:
    """Make the handler of buttons of a ``kind``.

    The handler gets the arguments of the button and returns the text of the pop-up, or None. If
    the same person presses the same button again within a second after the first press was
    handled without an error, the second press is ignored. If ``only_in_private`` names a command,
    the button works only in private chats, and the error message suggests that command.
    """

    def decorate(run: Press) -> Guarded:
        async def press(context: Context) -> None:
            query = context.query
            if query is None or query.data is None:
                raise RightsError(text=CHAT_UNKNOWN)
            if only_in_private:
                _refuse_outside_private(context, only_in_private)
            key = _press_key(query)
            if context.services.cache.get(key, now=context.now) == query.data:
                await answer_press(context)
                return
            args = kind.read(query.data)
            if args is None:  # PTB passes buttons without data to every handler
                await answer_press(context, context.t.plain(UNKNOWN_BUTTON))
                return
            await answer_press(context, await run(context, *args))
            # The press is recorded after the handler: a second press may wait for the first.
            await cache_after_commit(context, key, query.data, age=TWICE)

        return _make_guarded(
            kind.row, press, lambda guarded: CallbackQueryHandler(guarded, pattern=kind.matches)
        )

    return decorate


def _press_key(query: CallbackQuery) -> tuple[str, str, int, int]:
    shown = query.message
    return ("press", query.chat_instance, query.from_user.id, shown.message_id if shown else 0)


async def cache_after_commit(
    context: Context, key: Hashable, value: object = True, *, age: timedelta
) -> None:
    """Put ``value`` into the cache after the commit of the update.

    If the update fails, the entry is not written, so that the retry does not find the entry. The
    entry is written before the replies are sent, because the chat's next message may already be
    handled during the send. If the update has no database write and no reply until this call, the
    entry is written at once. The entry expires ``age`` after the write.
    """

    async def write() -> None:
        context.services.cache.put(key, value, until=context.now + age)

    await unit_of_work.call_after_commit(write)


def _make_guarded(name: str, run: Run, hear: Callable[[Guarded], Handler]) -> Guarded:
    if name not in TABLE:
        raise LookupError(f"{name} has no row in handlers/rights.py")
    return Guarded(name, run, hear)


async def answer_press(context: Context, text: str | None = None, *, alert: bool = False) -> None:
    """Answer the pressed button once, with a pop-up if ``text`` is given.

    Without a pressed button, do nothing. The answer is sent after the replies, or before the
    replies if an album is among them. Without ``text``, the pop-up says that nothing has changed
    if the edit of the message changed nothing. With ``alert``, the person must close the pop-up.

    The text is sent as a message if the button was answered before with a different text, if
    Telegram refuses the answer (for example because it is too late), or if the text has more than
    200 characters. A group or channel gets the same message at most once in ten minutes.
    """
    query = context.query
    unit = unit_of_work.current()
    if query is None:
        return
    # An album may take longer than the 15 s for which Telegram accepts an answer to a press.
    kinds = {one.payload["kind"] for one in unit.replies} if unit else set()
    when = unit_of_work.call_after_replies
    if "album" in kinds:
        when = unit_of_work.call_after_commit
    await when(partial(_answer_press_now, context, query, text, alert=alert, unit=unit))


async def _answer_press_now(
    context: Context,
    query: CallbackQuery,
    text: str | None,
    *,
    alert: bool,
    unit: unit_of_work.Unit | None,
) -> None:
    shown = text or ""
    if not shown and unit and unit.is_in_vain:
        shown = context.t.plain(UNCHANGED)
    is_long = len(shown) > TOAST
    # The error handler has a new context, so the answer is recorded in the cache.
    cache = context.services.cache
    key = ("answered", query.id)
    said = cache.get(key, now=context.now)
    if said is None:
        try:
            pop_up = None if is_long else shown or None
            await query.answer(pop_up, show_alert=alert and not is_long)
        except TelegramError as error:
            log.info("a button can't be answered", reason=str(error))
            if not isinstance(error, BadRequest | RetryAfter):
                return  # Telegram may have shown the pop-up
        else:
            cache.put(key, text or "", until=context.now + REPEATED)
            if not is_long:
                return
    if text and text != said:
        await _send_line(context, text)


async def _send_line(context: Context, text: str) -> None:
    """Send a message at once, outside the reply queue; log a failure.

    A group or channel gets the same text at most once in ten minutes.
    """
    target = context.reply_target
    cache = context.services.cache
    key = ("line", target, text)
    if not context.is_private and cache.get(key, now=context.now):
        return
    try:
        await context.bot.send_message(
            target.chat_id, text, message_thread_id=target.thread_id, disable_notification=True
        )
        cache.put(key, value=True, until=context.now + REPEATED)
    except TelegramError as error:
        log.info("a line can't be said", reason=str(error))


async def act_on_chat(context: Context, chat_id: int) -> None:
    """Let the person manage a channel or group from the private chat for the rest of the update.

    Raises:
        NotAdminError: The person may not manage the chat, the bot does not know the chat, or the
            update is not from the person's private chat.
        BlockedError: The owner of the bot has blocked the chat, or the person responsible for it.
        AdminsUnknownError: Telegram does not return the administrators.
        AskAgainError: Telegram does not answer.
    """
    user_id = context.user_id
    if not context.is_private or user_id != context.origin.id:
        raise NotAdminError("not in a private chat", text=ONLY_CHANNEL_ADMINS)
    # Links and buttons from before the migration of a group contain the old ID.
    judged, _, chat = await context.services.access.judge(user_id, chat_id)
    if chat is None or chat.kind == Chat.PRIVATE:
        raise NotAdminError("no channel or group of ours", text=ONLY_CHANNEL_ADMINS)
    if judged.verdict == "blocked":
        raise BlockedError(text=CHAT_SILENCED if judged.is_silent else "")
    if not await may_manage(context, chat.id, chat.kind, user_id):
        raise _not_admin_error(chat.kind)
    context.chat = chat
    context.about = chat.id


async def _act_on_named_chat(context: Context, places: Iterable[int], usage: str) -> None:
    """Act on the first channel or group named at ``places``, and remove the word.

    The name of the bot, and the name or ID of the current chat, are removed without effect.

    Raises:
        UnknownChannelError: The bot does not know the chat, the person may not manage the chat, or
            Telegram does not return the administrators.
        RightsError: The command names a different chat, and was not sent in a private chat.
        BlockedError: The owner of the bot has blocked the chat, or the person responsible for it.
        AskAgainError: Telegram does not answer.
    """
    words = context.words
    existing = [place for place in places if place < len(words)]
    at = next((place for place in existing if _CHAT.fullmatch(words[place])), None)
    if at is None:
        return
    name = typed_words(words[at])[0]
    origin = context.origin
    here = {f"@{context.bot.username}", f"@{origin.username}", str(origin.id)}
    if name.lower() not in map(str.lower, here):
        if not context.is_private:
            written = context.message.text if context.message else None
            raise RightsError(text=ONLY_IN_PRIVATE, command=code(written or " ".join(words)))
        try:
            await act_on_chat(context, await _id_of_named_chat(context, name))
        except (NotAdminError, AdminsUnknownError) as error:
            raise UnknownChannelError(str(error), name=name, usage=usage) from error
    context.args = words[:at] + words[at + 1 :]


def _is_list(context: Context) -> bool:
    words = context.words
    all_marked = len(words) > 1 and all(word.startswith("@") for word in words)
    return all_marked or ends_as_list(words, (), context.t.language)


async def _act_on_channel_word(context: Context, usage: str) -> None:
    """Act on the second of two words if the word names a channel that the person manages.

    Do nothing outside private chats.

    Raises:
        BlockedError: The owner of the bot has blocked the chat, or the person responsible for it.
        AskAgainError: Telegram does not answer.
    """
    if len(context.words) > 2 or not context.is_private:  # noqa: PLR2004 - a profile and a channel
        return
    with suppress(UnknownChannelError):
        await _act_on_named_chat(context, [1], usage)


async def _id_of_named_chat(context: Context, name: str) -> int:
    """Return the ID of the chat with an ``@name`` or ID.

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


async def _is_allowed(context: Context, right: Right) -> bool:
    query = context.query
    where = context.origin
    if right is OWNER:  # checked first, so that a channel's admins get no owner rights
        return context.is_owner
    channel = split_chat(query.data)[0] if query and query.data else None
    if channel is not None:
        await act_on_chat(context, channel)
    elif context.is_private:
        if context.user_id != where.id:
            raise NotAdminError("not their own chat", text=ONLY_GROUP_ADMINS)
    elif right is ANYBODY or (right is SHOW and not context.is_channel):
        pass
    elif not await _is_admin_here(context):
        raise _not_admin_error(where.type)
    return True


async def _is_admin_here(context: Context) -> bool:
    """Return whether the sender administers the group or channel; ask Telegram if necessary.

    Raises:
        AdminsUnknownError: Telegram does not return the administrators.
        AskAgainError: Telegram does not answer.
    """
    where = context.origin
    message = context.message
    if context.query is None:
        if context.is_channel:
            return True  # only admins can post in a channel
        if message and message.sender_chat:
            return message.sender_chat.id == where.id  # an anonymous admin of the group
    user_id = context.user_id
    return user_id is not None and await may_manage(context, where.id, where.type, user_id)


async def may_manage(context: Context, chat_id: int, kind: str, user_id: int) -> bool:
    """Return whether a person administers a group or may post in a channel.

    Raises:
        AdminsUnknownError: Telegram does not return the administrators.
        AskAgainError: Telegram does not answer.
    """
    admins = context.services.admins
    standing = await admins.rights(context.bot, chat_id, user_id, now=context.now)
    return standing.may_post if kind == Chat.CHANNEL else standing.is_admin


def _not_admin_error(kind: str) -> RightsError:
    return NotAdminError(text=ONLY_CHANNEL_ADMINS if kind == Chat.CHANNEL else ONLY_GROUP_ADMINS)
