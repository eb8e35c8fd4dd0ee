"""How commands, buttons and messages are heard: each with its row of the table of rights.

``@command``, ``@pressed`` and ``@heard`` make handlers. What somebody may not do ends here: as a
sentence for a command, as a pop-up for a button, in silence for the operator's commands.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from telegram import CallbackQuery, Chat, Message, MessageOriginUser, Update
from telegram.error import TelegramError
from telegram.ext import (
    BaseHandler,
    CallbackQueryHandler,
    CommandHandler,
    MessageHandler,
    filters,
)

from bot.context import Context, asker_of, user_of
from bot.domain.errors import N_, NotAdminError, NotChannelAdminError, NowhereError
from bot.presentation.buttons import ABOUT, split_about
from bot.presentation.html import shorten
from bot.store import chats, unit_of_work
from handlers.rights import TABLE, Need, Place, Role, Row, allows

log = structlog.get_logger()

Handler = BaseHandler[Any, Context, Any]
Run = Callable[[Update, Context], Coroutine[Any, Any, None]]
Press = Callable[[Update, Context, str], Coroutine[Any, Any, str | None]]

TOAST = 200  # characters of a pop-up
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

    @property
    def handler(self) -> Handler:
        """Return it as python-telegram-bot wants it."""
        return self.hear(self)


def command(word: str) -> Callable[[Run], Guarded]:
    """Make the handler of ``/word``."""
    return _guarded(f"/{word}", lambda run: CommandHandler(word, run, filters=HEARD))


def heard(name: str, what: filters.BaseFilter) -> Callable[[Run], Guarded]:
    """Make the handler of messages that pass ``what``."""
    return _guarded(name, lambda run: MessageHandler(what & ~_Echo(), run))


def pressed(name: str, pattern: str) -> Callable[[Press], Guarded]:
    """Make the handler of buttons whose data match ``pattern`` from their beginning.

    It gets the data without the channel that they may name, and returns what the pop-up says, if
    anything. What takes long calls ``answer`` first.
    """

    def decorate(run: Press) -> Guarded:
        async def press(update: Update, context: Context) -> None:
            query = update.callback_query
            if query is None or query.data is None:
                raise NowhereError
            await answer(update, context, await run(update, context, split_about(query.data)[1]))

        return _guarded(
            name, lambda guarded: CallbackQueryHandler(guarded, pattern=f"^{ABOUT}{pattern}")
        )(press)

    return decorate


def _guarded(name: str, hear: Callable[[Run], Handler]) -> Callable[[Run], Guarded]:
    if name not in TABLE:
        msg = f"{name} has no row in handlers.rights.TABLE"
        raise LookupError(msg)
    return lambda run: Guarded(name, run, hear)


async def answer(
    update: Update, context: Context, text: str | None = None, *, alert: bool = False
) -> None:
    """Answer the pressed button, once; that it is too late for that stops nothing."""
    query = update.callback_query
    if query is None or context.answered:
        return
    context.answered = True
    await unit_of_work.later(partial(_answer, query, text, alert=alert))


async def _answer(query: CallbackQuery, text: str | None, *, alert: bool) -> None:
    try:
        await query.answer(shorten(text, TOAST) if text else None, show_alert=alert)
    except TelegramError as error:
        log.info("a button can't be answered", reason=str(error))


async def act_on(update: Update, context: Context, channel: int) -> None:
    """Let the person act on a channel of theirs from their private chat, from here on.

    Raises:
        NotChannelAdminError: They may not; or it is no channel that we know.
        AdminsUnknownError: Telegram doesn't tell who may.
        AskAgainError: Telegram doesn't answer.
    """
    where, user_id = update.effective_chat, user_of(update)
    async with context.services.db.read() as tx:
        chat = await chats.get(tx, channel)
    if where is None or where.type != Chat.PRIVATE or user_id != where.id:
        raise NotChannelAdminError("not in a private chat")
    if chat is None or chat.kind != Chat.CHANNEL:
        raise NotChannelAdminError("no channel of ours")
    admins = context.services.admins
    if not (await admins.standing(context.bot, channel, user_id, now=context.now)).may_post:
        raise NotChannelAdminError
    context.chat, context.about = chat, channel


async def _may(update: Update, context: Context, row: Row) -> bool:
    query, where = update.callback_query, update.effective_chat
    if where is None:
        raise NowhereError
    channel = split_about(query.data)[0] if query and query.data else None
    if channel is not None:
        await act_on(update, context, channel)
        return True
    need = row.need(place_of(where))
    if need is Need.OPERATOR:
        return asker_of(update, context).is_admin
    if where.type == Chat.PRIVATE and user_of(update) != where.id:
        raise NotAdminError("not their own chat")
    if need is Need.ADMIN and not allows(row, place_of(where), await role_of(update, context)):
        raise NotChannelAdminError if where.type == Chat.CHANNEL else NotAdminError
    return True


def place_of(where: Chat) -> Place:
    """Return what kind of place a chat is."""
    return {Chat.PRIVATE: Place.PRIVATE, Chat.CHANNEL: Place.CHANNEL}.get(where.type, Place.GROUP)


async def role_of(update: Update, context: Context) -> Role:
    """Return who acts; Telegram is asked in groups, and about buttons in channels.

    Raises:
        AdminsUnknownError: Telegram doesn't tell who administers the chat.
        AskAgainError: Telegram doesn't answer.
    """
    where, message = update.effective_chat, update.effective_message
    if where is None:
        raise NowhereError
    place = place_of(where)
    if place is Place.PRIVATE:
        return Role.PERSON
    if update.callback_query is None:
        if place is Place.CHANNEL:
            return Role.ADMIN  # nobody else can post
        if message and message.sender_chat:
            own = message.sender_chat.id == where.id
            return Role.ANONYMOUS_ADMIN if own else Role.AS_CHANNEL
    user_id = user_of(update)
    if user_id is None:
        return Role.AS_CHANNEL
    admins = context.services.admins
    standing = await admins.standing(context.bot, where.id, user_id, now=context.now)
    if place is Place.CHANNEL:
        return Role.ADMIN if standing.may_post else Role.SUBSCRIBER
    return Role.ADMIN if standing.is_admin else Role.MEMBER
