"""The context of every handler: the services, the update, the chat and the chat's language."""

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
from bot.chats.payers import Payers
from bot.chats.presence import ChatPresence
from bot.chats.settings import Chats
from bot.chats.subscribing import Subscribing
from bot.chats.subscriptions import Subscriptions
from bot.domain.errors import CHAT_UNKNOWN, DatabaseUnavailableError, RightsError, TryAgainError
from bot.domain.foreign_text import normalize_typed
from bot.domain.identity import identifies_no_person
from bot.domain.links import Link
from bot.domain.model import Anonymous, Asker, Target
from bot.domain.records import Chat, Cleared, Question, Subscription
from bot.domain.zones import zone_or_utc
from bot.fetching.highlights import Highlights
from bot.fetching.on_demand import Viewer
from bot.operations import clock_keeper
from bot.operations.broadcast import Broadcasts
from bot.operations.overview import Overview
from bot.operations.visitors import EVERY as VISITORS_EVERY
from bot.operations.watch import FILE_EVERY
from bot.presentation.actions import Button, button
from bot.presentation.translation import Translator, translator_for
from bot.runtime.concurrency import FairSlots
from bot.runtime.timed_cache import TimedCache
from bot.sending.replies import Replies
from bot.sending.topics import Topics
from bot.telegram.admins import Admins
from bot.telegram.flood_limits import ChatLimits
from bot.telegram.presence import AWAY
from bot.updates import inbox

_LANGUAGE_LENGTH = 16  # the maximum characters of a language code in the tables


@dataclass(frozen=True, slots=True)
class Timing:
    """The intervals and delays that people notice. Tests use different values."""

    said_again: timedelta = inbox.SAID_AGAIN
    """The minimum interval between two replies to a sender in a chat about too many requests."""
    chat_limits: ChatLimits = field(default_factory=ChatLimits)
    """Telegram's limits of the rate of messages in a chat."""
    visitors: timedelta = VISITORS_EVERY
    """The interval between two searches for new persons.

    The owners get at most one report an hour.
    """
    clock: timedelta = clock_keeper.EVERY
    """The interval between two checks of the machine's clock."""
    database_file: timedelta = FILE_EVERY
    """The interval between two checks that the SQLite file was not moved or replaced."""


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases that handlers call, and the few settings that handlers need."""

    chats: Chats
    viewer: Viewer
    subscribing: Subscribing
    subscriptions: Subscriptions
    payers: Payers
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
    """A short-lived cache of the handlers, for example to prevent a repeated message."""
    file_slots: FairSlots = field(default_factory=lambda: FairSlots(2, each=1))
    """The slots for reading files that people have sent.

    The read of a file takes up to 40 MB of memory.
    """
    has_public_page: bool = False
    """Whether other machines can open the admin page."""
    timing: Timing = field(default_factory=Timing)


class Context(CallbackContext[ExtBot[None], dict[Any, Any], dict[Any, Any], dict[str, Services]]):
    """The context of python-telegram-bot (PTB) with additional attributes for the handlers.

    The check of the sender's access and ``ensure_chat_and_translator`` set most attributes before
    a handler runs.
    """

    event: Update
    """The current update."""

    chat: Chat
    """The chat that a command applies to: the chat ``about``, or else the chat of the update.

    If the chat of the update has become a supergroup, ``chat`` is the supergroup.
    """

    about: int | None = None
    """The id of the channel or group that the person manages from the private chat, or None."""

    channel_after: int | None = None
    """The number of words before the name of a channel or group in the command.

    The value is None if the command allows no such name.
    """

    t: Translator
    is_owner: bool = False
    """Whether the person who sent the update is an owner of the bot."""

    in_place: bool = False
    """Whether the next text of the bot replaces the message whose button was pressed."""

    known: Chat | None = None
    """The stored chat of the update, or None if the chat is not stored or not loaded yet."""

    is_muted: bool = False
    """Whether the chat of the update, or a topic of the chat, has a stored mute."""

    question: Question | None = None
    """The stored question that a plain message in the private chat answers, or None."""

    has_topics: bool = False
    """Whether the chat of the update supports topics."""

    @classmethod
    def from_update(cls, update: object, application: "App") -> "Context":
        """Return the context of an update. Set ``event`` if ``update`` is an ``Update``."""
        context = super().from_update(update, application)
        if isinstance(update, Update):
            context.event = update
        return context

    @property
    def message(self) -> Message | None:
        """Return the message of the update, or the message whose button was pressed.

        Return None if the update has no message, or if the message with the button is too old.
        """
        return self.event.effective_message

    @property
    def query(self) -> CallbackQuery | None:
        """Return the callback query of a pressed button, or None if no button was pressed."""
        return self.event.callback_query

    @property
    def update_chat(self) -> TelegramChat:
        """Return the chat of the update.

        Raises:
            RightsError: The update has no chat.
        """
        if self.event.effective_chat is None:
            raise RightsError(text=CHAT_UNKNOWN)
        return self.event.effective_chat

    @property
    def is_private(self) -> bool:
        """Return whether the update is from a private chat."""
        return self._chat_type == TelegramChat.PRIVATE

    @property
    def is_channel(self) -> bool:
        """Return whether the update is from a channel, where subscribers can read the reply."""
        return self._chat_type == TelegramChat.CHANNEL

    @property
    def is_group(self) -> bool:
        """Return whether the update is from a group."""
        return self._chat_type in {TelegramChat.GROUP, TelegramChat.SUPERGROUP}

    @property
    def _chat_type(self) -> str:
        where = self.event.effective_chat
        return where.type if where else ""  # inline queries have no chat

    links: Sequence[Link] = ()
    """The links in the message. The filter of the link handler sets this attribute."""

    @property
    def words_after_command(self) -> list[str]:
        """Return the words after a command.

        The words are normalized by ``normalize_typed``, so that all digits are ASCII digits.
        """
        return [word for argument in self.args or [] for word in normalize_typed(argument).split()]

    @property
    def replied_to(self) -> Message | None:
        """Return the message that ``message`` replies to, or None if ``message`` is not a reply.

        Telegram marks every message in a topic as a reply to the first message, so such a reply
        does not count.
        """
        message = self.message
        asked = message.reply_to_message if message else None
        if message and asked and message.is_topic_message:
            return None if asked.message_id == message.message_thread_id else asked
        return asked

    @property
    def user_id(self) -> int | Anonymous:
        """Return the id of the person who sent the update, or None for an anonymous sender."""
        person = self.event.effective_user
        number = person.id if person else None
        return None if identifies_no_person(number, self.sender_chat_id) else number

    @property
    def language_code(self) -> str | None:
        """Return the language that Telegram reports for the person, or None.

        The text is cut to 16 characters, because PostgreSQL refuses a text longer than the column.
        """
        person = self.event.effective_user
        code = person.language_code if person else None
        return code[:_LANGUAGE_LENGTH] if code else None

    @property
    def sender_chat_id(self) -> int | None:
        """Return the id of the channel or group in whose name the person writes, or None."""
        message = self.event.effective_message
        as_chat = message.sender_chat if message and self.query is None else None
        return as_chat.id if as_chat else None

    @property
    def asker(self) -> Asker:
        """Return the chat and the person of a request.

        If the person wrote in the name of a different chat, the result has the id of that chat.
        """
        where, sender_chat_id = self.event.effective_chat, self.sender_chat_id
        as_channel = sender_chat_id if where and sender_chat_id != where.id else None
        return Asker(where.id if where else None, self.user_id, self.is_owner, as_channel)

    async def set_question(
        self, question: Question | Cleared, *, valid_for: timedelta = timedelta(0)
    ) -> None:
        """Store the question that the next plain message in a private chat answers.

        The question expires after ``valid_for``. None removes the stored question. The database is
        written at the end of the update. In a group or channel, do nothing.
        """
        if self.is_private and (question or self.question):
            self.question = question
            until = self.now + valid_for
            await self.services.chats.set_question(self.update_chat.id, question, until=until)

    @property
    def reply_target(self) -> Target:
        """Return the chat and the topic that the reply is sent to.

        Raises:
            RightsError: The update has no chat.
        """
        return reply_target_of(self.event)

    @property
    def command_target(self) -> Target:
        """Return the chat that a command applies to, with the topic of the message.

        A chat other than the chat of the update has no topic.

        Raises:
            RightsError: The update has no chat.
        """
        return self.reply_target if self.chat.id == self.update_chat.id else Target(self.chat.id)

    async def read_subscriptions(self) -> list[Subscription]:
        """Return all subscriptions of the chat ``chat``."""
        return await self.services.subscriptions.all_of_chat(self.chat.id)

    @property
    def services(self) -> Services:
        """Return the services that the application was built with."""
        return self.bot_data["services"]

    @property
    def now(self) -> datetime:
        """Return the current time, aware and in UTC."""
        return self.services.now()

    def button(self, text: str, data: str, style: str | None = None, **fields: object) -> Button:
        """Return a button with the translated message ``text`` and the callback data ``data``.

        ``fields`` are the values of the placeholders in ``text``. ``style`` is a style of
        ``bot.presentation.actions.button``.
        """
        return button(self.t.plain(text, **fields), data, style)


App = Application[Any, Context, Any, Any, Any, Any]


async def ensure_chat_and_translator(update: Update, context: Context) -> None:
    """Store the chat of an update, and set ``chat``, ``t`` and ``has_topics`` of the context.

    The kind and title of a stored chat are updated. A closed chat stays closed. If the update has
    no chat, only ``t``, the translator, is set.

    Raises:
        TryAgainError: The database is unavailable, and the update has a chat.
        DatabaseUnavailableError: The database is unavailable, and the update has no chat.
    """
    person, where = update.effective_user, update.effective_chat
    code = context.language_code
    # An inline query has no chat, so the settings of the person's private chat apply.
    if where is None:
        own = await context.services.chats.get(person.id) if person else None
        zone = zone_or_utc(own.zone if own else "UTC")
        context.t = translator_for(own.effective_language if own else code).in_zone(zone)
        return
    is_private = where.type == TelegramChat.PRIVATE
    try:
        known = context.known or await context.services.chats.get(where.id)
        # The language of a group or channel is the language of the person who added the bot, until
        # /language changes it. The language of other members does not count.
        speaks = is_private or known is None or _is_bot_added(update)
        context.chat = await context.services.chats.insert_or_update_if_changed(
            known,
            where.id,
            kind=where.type,
            title=where.effective_name or "",
            language_code=code if speaks else None,
        )
    except DatabaseUnavailableError as error:
        raise TryAgainError(str(error)) from error
    context.has_topics = bool(context.bot.bot.has_topics_enabled if is_private else where.is_forum)
    context.t = translator_for(context.chat.effective_language).in_zone(
        zone_or_utc(context.chat.zone)
    )


def _is_bot_added(update: Update) -> bool:
    """Return whether the update reports that the bot was added to the chat."""
    change = update.my_chat_member
    return (
        change is not None
        and change.old_chat_member.status in AWAY
        and change.new_chat_member.status not in AWAY
    )


def reply_target_of(update: Update) -> Target:
    """Return the chat of an update, with the topic if the message is in a topic.

    Raises:
        RightsError: The update has no chat.
    """
    message, where = update.effective_message, update.effective_chat
    if where is None:
        raise RightsError(text=CHAT_UNKNOWN)
    in_topic = message is not None and message.is_topic_message
    return Target(where.id, message.message_thread_id if message and in_topic else None)
