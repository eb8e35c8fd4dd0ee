"""What every handler has at hand: the services, and of each update the chat and its language."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from telegram import CallbackQuery, Message, Update
from telegram import Chat as TelegramChat
from telegram.ext import Application, CallbackContext, ExtBot

from bot.billing.ledger import Ledger
from bot.billing.reports import Reports
from bot.chats.access import Access
from bot.chats.past import Past
from bot.chats.presence import ChatPresence
from bot.chats.settings import Chats
from bot.chats.subscribing import Subscribing
from bot.chats.subscriptions import Subscriptions
from bot.domain.errors import CHAT_UNKNOWN, DatabaseUnavailableError, RightsError, TryAgainError
from bot.domain.foreign_text import typed
from bot.domain.identity import is_nobody
from bot.domain.links import Link
from bot.domain.model import Asker, Target
from bot.domain.records import Chat
from bot.domain.zones import zone_of
from bot.fetching.highlights import Highlights
from bot.fetching.on_demand import Viewer
from bot.operations import clock_keeper
from bot.operations.broadcast import Broadcasts
from bot.operations.overview import Overview
from bot.operations.visitors import EVERY as VISITORS_EVERY
from bot.operations.watch import FILE_EVERY
from bot.presentation.actions import Button, button
from bot.presentation.translation import Translator, translator_for
from bot.runtime.timed_cache import TimedCache
from bot.sending.replies import Replies
from bot.sending.topics import Topics
from bot.telegram.admins import Admins
from bot.telegram.flood_limits import ChatLimits
from bot.telegram.presence import AWAY
from bot.updates import inbox


@dataclass(frozen=True, slots=True)
class Timing:
    """What is waited for before people see something; tests wait for less, or for longer."""

    said_again: timedelta = inbox.SAID_AGAIN
    chat_limits: ChatLimits = field(default_factory=ChatLimits)
    """How far apart Telegram wants messages of one chat."""
    visitors: timedelta = VISITORS_EVERY
    """Between two looks for who is new, of whom the owners are told."""
    clock: timedelta = clock_keeper.EVERY
    """Between two looks whether the machine's clock was set."""
    database_file: timedelta = FILE_EVERY
    """Between two looks whether the SQLite file is still there."""


@dataclass(frozen=True, slots=True)
class Services:
    """The parts that handlers call, and the few settings that they speak of."""

    chats: Chats
    viewer: Viewer
    subscribing: Subscribing
    subscriptions: Subscriptions
    highlights: Highlights
    past: Past
    replies: Replies
    topics: Topics
    presence: ChatPresence
    ledger: Ledger
    reports: Reports
    overview: Overview
    broadcasts: Broadcasts
    admins: Admins
    access: Access
    now: Callable[[], datetime]
    credit_price: float
    cache: TimedCache[Hashable, object] = field(default_factory=TimedCache)
    """What was done or said a short time ago, so that handlers do not repeat it."""
    has_public_page: bool = False
    """Whether the admin page opens on other machines than ours."""
    timing: Timing = field(default_factory=Timing)


class Context(CallbackContext[ExtBot[None], dict[Any, Any], dict[Any, Any], dict[str, Services]]):
    """PTB's context with our words; ``prepare`` fills it before any handler runs."""

    event: Update
    """The update that is handled."""

    chat: Chat
    """What is acted on: where the update came from, or the channel ``about``."""

    about: int | None = None
    """The channel that is run from a private chat by this update."""

    channel_after: int | None = None
    """The number of words before the channel that the command may act on; None: it takes none."""

    t: Translator
    is_owner: bool = False
    """Whether who acts is one of those who run the bot."""

    known: Chat | None = None
    """The chat that the update came from, where who writes there was judged and it was known."""

    has_topics: bool = False
    """Whether a topic could be made where the update came from, which is acted on."""

    @classmethod
    def from_update(cls, update: object, application: "App") -> "Context":
        """Return the context of an update, which knows it."""
        context = super().from_update(update, application)
        if isinstance(update, Update):
            context.event = update
        return context

    @property
    def message(self) -> Message | None:
        """Return the message that came, or whose button was pressed, if it is still there."""
        return self.event.effective_message

    @property
    def query(self) -> CallbackQuery | None:
        """Return the press of a button, None for all else."""
        return self.event.callback_query

    @property
    def origin(self) -> TelegramChat:
        """Return the chat that the update comes from.

        Raises:
            RightsError: The bot does not know the chat of the update.
        """
        if self.event.effective_chat is None:
            raise RightsError(text=CHAT_UNKNOWN)
        return self.event.effective_chat

    @property
    def is_private(self) -> bool:
        """Return whether nobody else reads along."""
        return self._kind == TelegramChat.PRIVATE

    @property
    def is_channel(self) -> bool:
        """Return whether it comes from a channel, where all subscribers read along."""
        return self._kind == TelegramChat.CHANNEL

    @property
    def is_group(self) -> bool:
        """Return whether people talk with each other there."""
        return self._kind in {TelegramChat.GROUP, TelegramChat.SUPERGROUP}

    @property
    def _kind(self) -> str:
        where = self.event.effective_chat
        return where.type if where else ""  # inline queries belong to no chat

    links: Sequence[Link] = ()
    """The links of the message, set by the filter of the handler of links."""

    @property
    def words(self) -> list[str]:
        """Return the words after a command, without invisible marks and with ASCII digits."""
        return [word for one in self.args or [] for word in typed(one).split()]

    @property
    def replied_to(self) -> Message | None:
        """Return what a message replies to; in a topic all reply to its first one, unasked."""
        message = self.message
        asked = message.reply_to_message if message else None
        if message and asked and message.is_topic_message:
            return None if asked.message_id == message.message_thread_id else asked
        return asked

    @property
    def user_id(self) -> int | None:
        """Return the id of the person behind the update; None for nobody in particular."""
        person, message = self.event.effective_user, self.message
        if person is None:
            return None
        as_chat = message.sender_chat if message and self.query is None else None
        as_chat_id = as_chat.id if as_chat else None
        return None if is_nobody(person.id, as_chat_id) else person.id

    @property
    def asker(self) -> Asker:
        """Return who asks and pays: a person, or nobody in particular."""
        where = self.event.effective_chat
        return Asker(where.id if where else None, self.user_id, is_owner=self.is_owner)

    @property
    def reply_target(self) -> Target:
        """Return where the reply goes."""
        return reply_target_of(self.event)

    @property
    def acted_on(self) -> Target:
        """Return what is acted on: the chat ``about``, or where the update came from."""
        return self.reply_target if self.about is None else Target(self.about)

    @property
    def services(self) -> Services:
        """Return the parts that the composition root built."""
        return self.bot_data["services"]

    @property
    def now(self) -> datetime:
        """Return the time, aware and UTC."""
        return self.services.now()

    def button(self, text: str, data: str, style: str | None = None, **fields: object) -> Button:
        """Return a button that does what ``data`` say; ``text`` is a message id."""
        return button(self.t.plain(text, **fields), data, style)


App = Application[Any, Context, Any, Any, Any, Any]


async def prepare(update: Update, context: Context) -> None:
    """Know the chat of ``update`` and speak its language; runs before the handlers.

    A chat that is closed (the bot was blocked or kicked) is not opened by this.

    Raises:
        TryAgainError: The database can't work now.
    """
    person, where = update.effective_user, update.effective_chat
    code = person.language_code if person else None
    if where is None:  # an inline query belongs to no chat: it is answered as in the private one
        own = await context.services.chats.get(person.id) if person else None
        zone = zone_of(own.zone if own else "UTC")
        context.t = translator_for(own.effective_language if own else code).in_zone(zone)
        return
    is_private = where.type == TelegramChat.PRIVATE
    try:
        known = context.known or await context.services.chats.get(where.id)
        # A group or channel speaks the language of who added the bot, until /language changes it:
        # not that of whoever wrote or pressed last.
        speaks = is_private or known is None or _is_bot_added(update)
        context.chat = await context.services.chats.ensure(
            known,
            where.id,
            kind=where.type,
            title=where.effective_name or "",
            language_code=code if speaks else None,
        )
    except DatabaseUnavailableError as error:
        raise TryAgainError(str(error)) from error
    context.has_topics = bool(context.bot.bot.has_topics_enabled if is_private else where.is_forum)
    context.t = translator_for(context.chat.effective_language).in_zone(zone_of(context.chat.zone))


def _is_bot_added(update: Update) -> bool:
    """Return whether somebody has just added the bot to the chat."""
    change = update.my_chat_member
    return (
        change is not None
        and change.old_chat_member.status in AWAY
        and change.new_chat_member.status not in AWAY
    )


def reply_target_of(update: Update) -> Target:
    """Return where the reply goes: the chat, and in a forum the topic of the message."""
    message, where = update.effective_message, update.effective_chat
    if where is None:
        raise RightsError(text=CHAT_UNKNOWN)
    in_topic = message is not None and message.is_topic_message
    return Target(where.id, message.message_thread_id if message and in_topic else None)
