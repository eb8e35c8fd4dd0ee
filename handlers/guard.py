"""How commands, buttons and messages are heard: each with its row of the table of rights.

``@command``, ``@pressed`` and ``@heard`` make handlers. What somebody may not do ends here: as a
sentence for a command, as a pop-up for a button. What is the operator's does not exist for them: a
command meets silence, a button is an unknown one.
"""

from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from telegram import CallbackQuery, Chat, Message, MessageOriginUser, Update
from telegram.error import BadRequest, Forbidden, TelegramError
from telegram.ext import (
    BaseHandler,
    CallbackQueryHandler,
    CommandHandler,
    MessageHandler,
    filters,
)

from bot.context import Context, target_of, user_of
from bot.domain.errors import (
    N_,
    AskAgainError,
    BlockedError,
    NotAdminError,
    NotChannelAdminError,
    NowhereError,
)
from bot.presentation.actions import Kind, split_about
from bot.presentation.html import shorten
from bot.updates import unit_of_work
from handlers.commands import show_menu
from handlers.rights import TABLE, ChatKind, Need, Role, Row, allows

log = structlog.get_logger()

Handler = BaseHandler[Any, Context, Any]
Run = Callable[[Update, Context], Coroutine[Any, Any, None]]
Press = Callable[..., Coroutine[Any, Any, str | None]]

TWICE = timedelta(seconds=1)  # after the first press is done, in which a second one is the same
TOAST = 200  # characters of a pop-up
UNCHANGED = N_("Nothing has changed.")
UNKNOWN_BUTTON = N_("This button doesn't work any more. Please ask me again.")


class _Echo(filters.MessageFilter):
    """What the bot itself wrote and comes back to it."""

    def filter(self, message: Message) -> bool:
        """Return whether ``message`` is one."""
        return is_echo(message, message.get_bot().id)


def is_echo(message: Message, bot_id: int) -> bool:
    """Return whether nobody asks for anything by this message.

    The posts of a channel come again in its discussion group, the bot's own too
    (``is_automatic_forward``); and somebody may forward what the bot wrote, links and all.
    """
    origin = message.forward_origin
    is_own = isinstance(origin, MessageOriginUser) and origin.sender_user.id == bot_id
    return bool(message.is_automatic_forward) or is_own


def replied_to(message: Message) -> Message | None:
    """Return what a message replies to; in a topic all reply to its first message, unasked."""
    asked = message.reply_to_message
    if asked and message.is_topic_message and asked.message_id == message.message_thread_id:
        return None
    return asked


# In channels commands are posts; an edited command is not obeyed a second time.
HEARD = (filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST) & ~_Echo()


@dataclass(frozen=True, slots=True)
class Guarded:
    """A handler behind its row of the table."""

    name: str
    run: Run
    hear: Callable[[Run], Handler]

    async def __call__(self, update: Update, context: Context) -> None:
        """Run for who may; what others get stands at the top of this module.

        Raises:
            RightsError: The person may not do this here.
        """
        if await _may(update, context, TABLE[self.name]):
            await self.run(update, context)
        else:
            await answer(update, context, context.t.plain(UNKNOWN_BUTTON))

    @property
    def handler(self) -> Handler:
        """Return it as python-telegram-bot wants it."""
        return self.hear(self)


def command(word: str, *, channel_after: int | None = None) -> Callable[[Run], Guarded]:
    """Make the handler of ``/word``.

    After so many words may stand a channel (``@name``), to act on from a private chat.
    """
    guarded = _guarded(f"/{word}", lambda run: CommandHandler(word, run, filters=HEARD))

    def decorate(run: Run) -> Guarded:
        async def obey(update: Update, context: Context) -> None:
            context.takes_channel = channel_after is not None
            if channel_after is not None and len(context.args or []) > channel_after:
                await _act_on_named(update, context)
            await run(update, context)
            await show_menu(context)

        return guarded(obey)

    return decorate


def heard(name: str, what: filters.BaseFilter) -> Callable[[Run], Guarded]:
    """Make the handler of messages that pass ``what``."""

    def decorate(run: Run) -> Guarded:
        async def hear(update: Update, context: Context) -> None:
            await run(update, context)
            message = update.effective_message
            if message and message.media_group_id:
                # Each of its photos comes as a message of its own.
                await record(context, (message.chat.id, "album", message.media_group_id))

        return _guarded(name, lambda guarded: MessageHandler(what & ~_Echo(), guarded))(hear)

    return decorate


def pressed(kind: Kind) -> Callable[[Press], Guarded]:
    """Make the handler of buttons of a ``kind``.

    It gets the arguments of the action, and returns what the pop-up says, if anything. A button
    that is pressed twice in a row does its work once.
    """

    def decorate(run: Press) -> Guarded:
        async def press(update: Update, context: Context) -> None:
            query = update.callback_query
            if query is None or query.data is None:
                raise NowhereError
            lately, key = context.services.lately, _press_key(query)
            if lately.get(key, within=TWICE, now=context.now) == query.data:
                await answer(update, context)
                return
            args = kind.read(query.data)
            if args is None:  # PTB lets every handler have a button without data
                await answer(update, context, context.t.plain(UNKNOWN_BUTTON))
                return
            await answer(update, context, await run(update, context, *args))
            # Noted at the end: the second press may have waited for the first one's work.
            await record(context, key, query.data)

        return _guarded(
            kind.row, lambda guarded: CallbackQueryHandler(guarded, pattern=kind.matches)
        )(press)

    return decorate


def _press_key(query: CallbackQuery) -> tuple[str, str, int, int]:
    shown = query.message
    return ("press", query.chat_instance, query.from_user.id, shown.message_id if shown else 0)


async def record(context: Context, key: Hashable, value: object = True) -> None:
    """Remember what was said or done lately, when it holds: what is undone is done again.

    Before it is said: the chat's next message may be handled while that takes its time.
    """

    async def write() -> None:
        context.services.lately.record(key, value, now=context.now)

    await unit_of_work.before_saying(write)


def _guarded(name: str, hear: Callable[[Run], Handler]) -> Callable[[Run], Guarded]:
    if name not in TABLE:
        raise LookupError(f"{name} has no row in handlers.rights.TABLE")
    return lambda run: Guarded(name, run, hear)


async def answer(
    update: Update, context: Context, text: str | None = None, *, alert: bool = False
) -> None:
    """Answer the pressed button, once.

    That it is too late for that, or that somebody was faster, stops nothing: the words then come
    as a line, which vanishes; in a channel, where a line is a post, they are left out.
    """
    query = update.callback_query
    if query is None or context.answered:
        return
    context.answered = True
    unit = unit_of_work.current()
    # Albums may take long, and Telegram takes the answer for some 15 seconds only.
    takes_long = unit is not None and any(r.payload["kind"] == "album" for r in unit.replies)
    when = unit_of_work.before_saying if takes_long else unit_of_work.later
    await when(partial(_answer, update, context, query, text, alert=alert, unit=unit))


async def _answer(
    update: Update,
    context: Context,
    query: CallbackQuery,
    text: str | None,
    *,
    alert: bool,
    unit: unit_of_work.Unit | None,
) -> None:
    if not text and unit and unit.is_in_vain:
        text = context.t.plain(UNCHANGED)
    try:
        await query.answer(shorten(text, TOAST) if text else None, show_alert=alert)
    except TelegramError as error:
        log.info("a button can't be answered", reason=str(error))
    else:
        return
    where = update.effective_chat
    if not text or where is None or where.type == Chat.CHANNEL:
        return
    try:
        target = target_of(update)
        line = await context.bot.send_message(
            target.chat_id, text, message_thread_id=target.thread_id, disable_notification=True
        )
    except TelegramError as error:
        log.info("a line can't be said", reason=str(error))
    else:
        context.services.vanishing.put(line.chat_id, line.message_id)


async def act_on(update: Update, context: Context, chat_id: int) -> None:
    """Let the person act on a channel or group of theirs from their private chat, from here on.

    Raises:
        NotChannelAdminError: They may not; or it is no channel or group that we know.
        NotAdminError: They don't administer the group.
        BlockedError: The bot's owner blocks it.
        AdminsUnknownError: Telegram doesn't tell who may.
        AskAgainError: Telegram doesn't answer.
    """
    where, user_id = update.effective_chat, user_of(update)
    # Links and buttons from before a group moved name its old id.
    chat = await context.services.chats.get(chat_id)
    if where is None or where.type != Chat.PRIVATE or user_id != where.id:
        raise NotChannelAdminError("not in a private chat")
    if chat is None or chat.kind == Chat.PRIVATE:
        raise NotChannelAdminError("no channel or group of ours")
    judged, _ = await context.services.access.judge(user_id, chat.id)
    if judged.verdict == "blocked":
        raise BlockedError
    admins = context.services.admins
    standing = await admins.standing(context.bot, chat.id, user_id, now=context.now)
    if chat.kind == Chat.CHANNEL:
        if not standing.may_post:
            raise NotChannelAdminError
    elif not standing.is_admin:
        raise NotAdminError
    context.chat, context.about = chat, chat.id


async def _act_on_named(update: Update, context: Context) -> None:
    """Act on the group or channel that the last word of a command names, if it is one of ours."""
    where, name = update.effective_chat, (context.args or [""])[-1]
    if where is None or where.type != Chat.PRIVATE or not name.startswith("@"):
        return
    try:
        named = await context.bot.get_chat(name)
    except (BadRequest, Forbidden):
        return  # a profile's name
    except TelegramError as error:
        raise AskAgainError(str(error)) from error
    if named.type != Chat.PRIVATE and await context.services.chats.get(named.id):
        await act_on(update, context, named.id)
        context.args = (context.args or [])[:-1]


async def _may(update: Update, context: Context, row: Row) -> bool:
    query, where = update.callback_query, update.effective_chat
    if where is None:
        raise NowhereError
    need = row.need(chat_kind(where))
    if need is Need.OPERATOR:  # before all else: no channel's admin gets there by its buttons
        return context.is_admin
    channel = split_about(query.data)[0] if query and query.data else None
    if channel is not None:
        await act_on(update, context, channel)
        return True
    if where.type == Chat.PRIVATE and user_of(update) != where.id:
        raise NotAdminError("not their own chat")
    if need is Need.ADMIN and not allows(row, chat_kind(where), await role_of(update, context)):
        raise NotChannelAdminError if where.type == Chat.CHANNEL else NotAdminError
    return True


def chat_kind(where: Chat) -> ChatKind:
    """Return what a chat is; a forum is a group."""
    return {Chat.PRIVATE: ChatKind.PRIVATE, Chat.CHANNEL: ChatKind.CHANNEL}.get(
        where.type, ChatKind.GROUP
    )


async def role_of(update: Update, context: Context) -> Role:
    """Return who acts; Telegram is asked in groups, and about buttons in channels.

    Raises:
        AdminsUnknownError: Telegram doesn't tell who administers the chat.
        AskAgainError: Telegram doesn't answer.
    """
    where, message = update.effective_chat, update.effective_message
    if where is None:
        raise NowhereError
    kind = chat_kind(where)
    if kind is ChatKind.PRIVATE:
        return Role.PERSON
    if update.callback_query is None:
        if kind is ChatKind.CHANNEL:
            return Role.ADMIN  # nobody else can post
        if message and message.sender_chat:
            own = message.sender_chat.id == where.id
            return Role.ANONYMOUS_ADMIN if own else Role.AS_CHANNEL
    user_id = user_of(update)
    if user_id is None:
        return Role.AS_CHANNEL
    admins = context.services.admins
    standing = await admins.standing(context.bot, where.id, user_id, now=context.now)
    if kind is ChatKind.CHANNEL:
        return Role.ADMIN if standing.may_post else Role.SUBSCRIBER
    return Role.ADMIN if standing.is_admin else Role.MEMBER
