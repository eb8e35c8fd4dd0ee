"""How commands, buttons and messages are heard: each with its row of the table of rights.

``@command``, ``@on_press`` and ``@on_message`` make handlers. Who may not do something is told so
here: in a sentence after a command, in a pop-up after a press. What only the owner may do does not
exist for others: such a command, such a button is an unknown one, and in groups nobody is told of
unknown commands.
"""

import re
from collections.abc import Callable, Coroutine, Hashable, Iterable
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
from bot.domain.errors import (
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
from bot.domain.sentences import N_
from bot.presentation.actions import Kind, split_chat
from bot.presentation.html import code, shorten
from bot.updates import unit_of_work
from handlers.commands import update_chat_menu
from handlers.rights import ANYBODY, OWNER, SHOW, TABLE, Right

log = structlog.get_logger()

Handler = BaseHandler[Any, Context, Any]
Run = Callable[[Context], Coroutine[Any, Any, None]]
Press = Callable[..., Coroutine[Any, Any, str | None]]

TWICE = timedelta(seconds=1)  # after the first press is done, in which a second one is the same
ALBUM = timedelta(minutes=10)  # within which the photos of one album arrive
REPEATED = timedelta(minutes=10)  # in which a group is told the same refusal once
TOAST = 200  # characters of a pop-up
_CHAT = re.compile(r"@.+|-\d{5,18}")
UNCHANGED = N_("Nothing has changed.")
UNKNOWN_BUTTON = N_("This button no longer works. /help shows what I can do.")


class _Echo(filters.MessageFilter):
    """Messages by which nobody asks for anything: ``is_echo``."""

    def filter(self, message: Message) -> bool:
        """Return whether ``message`` is one."""
        return is_echo(message, message.get_bot().id)


def is_echo(message: Message, bot_id: int) -> bool:
    """Return whether a message only repeats another message, and so asks for nothing.

    Telegram copies the posts of a channel into its discussion group, the bot's posts too
    (``is_automatic_forward``); and people forward messages of the bot, links included. A file of
    subscriptions that somebody forwards is to be imported: it is no echo.
    """
    origin = message.forward_origin
    is_own = isinstance(origin, MessageOriginUser) and origin.sender_user.id == bot_id
    return bool(message.is_automatic_forward) or (is_own and not is_listing(message))


def is_listing(message: Message) -> bool:
    """Return whether a message brings a file that may list subscriptions."""
    name = message.document.file_name if message.document else None
    return bool(name) and str(name).lower().endswith(".json")


# In channels commands are posts; an edited command is not obeyed a second time.
HEARD = (filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST) & ~_Echo()

OBEYED: dict[str, "Guarded"] = {}
"""Every command by its word, for who presses a button that runs it."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A handler behind its row of the table of rights."""

    name: str
    run: Run
    hear: Callable[["Guarded"], Handler]

    async def __call__(self, _: Update, context: Context) -> None:
        """Handle an update, as python-telegram-bot calls it."""
        await self.serve(context)

    async def serve(self, context: Context) -> None:
        """Run for who may do this; the top of this module says what others get.

        Raises:
            RightsError: The person may not do this here.
            BotError: Only the owner may, and it was asked for in a private chat.
        """
        if await _is_allowed(context, TABLE[self.name]):
            await self.run(context)
        elif context.query or not context.is_private:
            await answer_press(context, context.t.plain(UNKNOWN_BUTTON))
        else:
            raise BotError(self.name, text=UNKNOWN_COMMAND, command=code(self.name))


def handlers_of(module: ModuleType) -> list[Handler]:
    """Return the handlers that a module defines, in their order in it."""
    made = vars(module).values()
    return [
        one.hear(one) if isinstance(one, Guarded) else one
        for one in made
        if isinstance(one, Guarded | BaseHandler)
    ]


def on_event(hear: Callable[[Callable[..., Any]], Handler]) -> Callable[[Run], Handler]:
    """Make the handler of what Telegram itself tells: nobody asks for it, so it has no row."""
    return lambda run: hear(lambda _, context: run(context))


def command(
    word: str,
    *,
    channel_after: int | None = None,
    takes_names: bool = False,
    usage: str = "",
    only_in_private: bool = False,
) -> Callable[[Run], Guarded]:
    """Make the handler of ``/word``.

    After ``channel_after`` words, or more, the ``@name`` or id of a channel or group may stand. A
    command in a private chat then acts on that chat. ``takes_names``: a later ``@name`` means
    something else to the command, so a channel stands directly after these words. ``usage``, a
    message id, is added to the refusal of an unknown channel. ``only_in_private``: other members
    of a group must not read the answer.
    """

    def decorate(run: Run) -> Guarded:
        async def obey(context: Context) -> None:
            if only_in_private:
                _refuse_outside_private(context, word)
            context.channel_after = channel_after
            if channel_after is not None:
                end = channel_after + 1 if takes_names else len(context.words)
                if not takes_names or context.is_private:
                    await _act_on_named_chat(context, range(channel_after, end), usage)
            await run(context)
            await update_chat_menu(context)

        OBEYED[word] = _make_guarded(
            f"/{word}", obey, lambda guarded: CommandHandler(word, guarded, filters=HEARD)
        )
        return OBEYED[word]

    return decorate


def on_message(name: str, what: filters.BaseFilter) -> Callable[[Run], Guarded]:
    """Make the handler of messages that pass ``what``."""

    def decorate(run: Run) -> Guarded:
        async def hear(context: Context) -> None:
            await run(context)
            message = context.message
            if message and message.media_group_id:
                # Each of its photos comes as a message of its own.
                key = (message.chat.id, "album", message.media_group_id)
                await record_later(context, key, age=ALBUM)

        return _make_guarded(name, hear, lambda guarded: MessageHandler(what & ~_Echo(), guarded))

    return decorate


def _refuse_outside_private(context: Context, word: str) -> None:
    """Refuse to answer in a group or channel.

    Raises:
        RightsError: The chat is not private.
    """
    if not context.is_private:
        raise RightsError(text=ONLY_IN_PRIVATE, command=f"/{word}")


def on_press(kind: Kind, *, only_in_private: str = "") -> Callable[[Press], Guarded]:
    """Make the handler of buttons of a ``kind``.

    It gets the arguments of the action, and returns what the pop-up says, if anything. A button
    that is pressed twice in a row does its work once. ``only_in_private`` is the command to send
    in private instead, if other members of a group must not read the answer.
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
            if args is None:  # PTB lets every handler have a button without data
                await answer_press(context, context.t.plain(UNKNOWN_BUTTON))
                return
            await answer_press(context, await run(context, *args))
            # Recorded at the end: the second press may have waited until the first one was done.
            await record_later(context, key, query.data, age=TWICE)

        return _make_guarded(
            kind.row, press, lambda guarded: CallbackQueryHandler(guarded, pattern=kind.matches)
        )

    return decorate


def _press_key(query: CallbackQuery) -> tuple[str, str, int, int]:
    shown = query.message
    return ("press", query.chat_instance, query.from_user.id, shown.message_id if shown else 0)


async def record_later(
    context: Context, key: Hashable, value: object = True, *, age: timedelta
) -> None:
    """Put ``value`` into the cache when the work of the update is committed.

    An update that failed is handled again, and must not find the entry. Replies may be sent for
    some time after the commit, while the next message of the chat is handled: the entry is
    written before the replies are sent.
    """

    async def write() -> None:
        context.services.cache.put(key, value, until=context.now + age)

    await unit_of_work.call_after_commit(write)


def _make_guarded(name: str, run: Run, hear: Callable[[Guarded], Handler]) -> Guarded:
    if name not in TABLE:
        raise LookupError(f"{name} has no row in handlers/rights.py")
    return Guarded(name, run, hear)


async def answer_press(context: Context, text: str | None = None, *, alert: bool = False) -> None:
    """Answer the pressed button, once, with a pop-up if there is a ``text``.

    Where it was answered before, or Telegram refuses that as too late, the text is a message.
    """
    query, unit = context.query, unit_of_work.current()
    if query is None:
        return
    # Albums may take long, and Telegram takes the answer for some 15 seconds only.
    takes_long = unit is not None and any(r.payload["kind"] == "album" for r in unit.replies)
    when = unit_of_work.call_after_commit if takes_long else unit_of_work.call_after_replies
    await when(partial(_answer_press_now, context, query, text, alert=alert, unit=unit))


async def _answer_press_now(
    context: Context,
    query: CallbackQuery,
    text: str | None,
    *,
    alert: bool,
    unit: unit_of_work.Unit | None,
) -> None:
    shown = text or (context.t.plain(UNCHANGED) if unit and unit.is_in_vain else "")
    # PTB gives the handler of errors another context, so it is not kept there.
    cache, key = context.services.cache, ("answered", query.id)
    said = cache.get(key, now=context.now)
    if said is None:
        try:
            await query.answer(shorten(shown, TOAST) or None, show_alert=alert)
        except TelegramError as error:
            log.info("a button can't be answered", reason=str(error))
            if not isinstance(error, BadRequest | RetryAfter):
                return  # what it says may have been shown
        else:
            cache.put(key, text or "", until=context.now + REPEATED)
            return
    if text and text != said:
        await _send_line(context, text)


async def _send_line(context: Context, text: str) -> None:
    """Send a line at once, besides the answers that are owed; a failure is only logged.

    Where others read it, too, the same line comes once in ten minutes, whoever pressed.
    """
    target, cache = context.reply_target, context.services.cache
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
    """Let the person act on a channel or group of theirs from their private chat, from here on.

    Raises:
        NotAdminError: The person may not manage the chat, or the bot does not know the chat.
        BlockedError: The bot's owner blocks it.
        AdminsUnknownError: Telegram doesn't tell who may.
        AskAgainError: Telegram doesn't answer.
    """
    user_id = context.user_id
    if not context.is_private or user_id != context.origin.id:
        raise NotAdminError("not in a private chat", text=ONLY_CHANNEL_ADMINS)
    # Links and buttons from before a group moved name its old id.
    judged, _, chat = await context.services.access.judge(user_id, chat_id)
    if chat is None or chat.kind == Chat.PRIVATE:
        raise NotAdminError("no channel or group of ours", text=ONLY_CHANNEL_ADMINS)
    if judged.verdict == "blocked":
        raise BlockedError
    if not await may_manage(context, chat.id, chat.kind, user_id):
        raise _not_admin_error(chat.kind)
    context.chat, context.about = chat, chat.id


async def _act_on_named_chat(context: Context, places: Iterable[int], usage: str) -> None:
    """Act on the channel or group that the first of these words names, and remove the word.

    The bot itself and the chat of the command are named to no effect.

    Raises:
        UnknownChannelError: The chat is not known, or not run by the person.
        RightsError: The command was not sent in a private chat.
        BlockedError: The bot's owner blocks the chat.
        AskAgainError: Telegram doesn't answer.
    """
    words = context.words
    at = next((n for n in places if n < len(words) and _CHAT.fullmatch(words[n])), None)
    if at is None:
        return
    name, where = words[at], context.origin
    here = {f"@{context.bot.username}".lower(), f"@{where.username}".lower(), str(where.id)}
    if name.lower() not in here:
        if not context.is_private:
            written = context.message.text if context.message else None
            raise RightsError(text=ONLY_IN_PRIVATE, command=code(written or " ".join(words)))
        try:
            await act_on_chat(context, await _id_of_named_chat(context, name))
        except (NotAdminError, AdminsUnknownError) as error:
            raise UnknownChannelError(str(error), name=name, usage=usage) from error
    context.args = words[:at] + words[at + 1 :]


async def _id_of_named_chat(context: Context, name: str) -> int:
    """Return the id of the chat with this ``@name`` or id.

    Raises:
        NotAdminError: Telegram does not show such a chat.
        AskAgainError: Telegram doesn't answer.
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
    query, where = context.query, context.origin
    if right is OWNER:  # before all else: no channel's admin gets there by its buttons
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
    """Return whether who acts runs the group or channel; Telegram is asked where it must be.

    Raises:
        AdminsUnknownError: Telegram doesn't tell who administers the chat.
        AskAgainError: Telegram doesn't answer.
    """
    where, message = context.origin, context.message
    if context.query is None:
        if context.is_channel:
            return True  # nobody else can post
        if message and message.sender_chat:
            return message.sender_chat.id == where.id  # an anonymous admin of the group
    user_id = context.user_id
    return user_id is not None and await may_manage(context, where.id, where.type, user_id)


async def may_manage(context: Context, chat_id: int, kind: str, user_id: int) -> bool:
    """Return whether somebody administers a group, or may post in a channel.

    Raises:
        AdminsUnknownError: Telegram doesn't tell.
        AskAgainError: Telegram doesn't answer.
    """
    admins = context.services.admins
    standing = await admins.rights(context.bot, chat_id, user_id, now=context.now)
    return standing.may_post if kind == Chat.CHANNEL else standing.is_admin


def _not_admin_error(kind: str) -> RightsError:
    return NotAdminError(text=ONLY_CHANNEL_ADMINS if kind == Chat.CHANNEL else ONLY_GROUP_ADMINS)
