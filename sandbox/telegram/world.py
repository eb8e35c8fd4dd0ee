"""The complete Telegram of a sandbox: persons, bots, chats and messages."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.beliefs import Switches
from sandbox.clock import Clock
from sandbox.telegram.events import Events
from sandbox.telegram.files import Files, Media
from sandbox.telegram.model import GENERAL_TOPIC, ICON_COLOR, Chat, Member, Message, Topic
from sandbox.telegram.people import Bot, Person
from sandbox.telegram.updates import Inbox

_FIRST_BOT = 7_000_000_001  # the id in the token of the first call replaces this id
FIRST_PERSON = 100_000_001
_FIRST_GROUP = 4_000_000_001
_FIRST_CHANNEL = 1_000_002_000_000_001  # the Bot API shows the id with a minus sign
CLOUD_FILE, LOCAL_FILE = 50 * 2**20, 2000 * 2**20  # maximum bytes of an upload; Bot API, --local
CALLBACK_LIFE_S = 15.0  # shorter than an update's lifetime (150 s); clients report 15 to 30 s


@dataclass(slots=True)
class Callback:
    """A pressed button with the bot's answer."""

    bot: Bot
    at: float
    answered: bool = False
    answer: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class InlineQuery:
    """An inline query with the bot's answer."""

    bot: Bot
    person: Person
    at: float
    query: str
    offset: str = ""
    answer: dict[str, Any] | None = None
    media: dict[str, Media] = field(default_factory=dict)  # media of results, by the result's id


class World:
    """The complete state of the simulated Telegram."""

    def __init__(self, clock: Clock, switches: Switches | None = None) -> None:
        """Start without chats, and with one bot, whose token is set by the first call."""
        self.clock = clock
        self.switches = switches or Switches()
        self.events = Events()
        self.files = Files()
        self.people: dict[int, Person] = {}
        self.chats: dict[int, Chat] = {}
        # The key has the id of the bot and the id of the person.
        self.private: dict[tuple[int, int], Chat] = {}
        self.callbacks: dict[str, Callback] = {}
        self.inline: dict[str, InlineQuery] = {}
        # The end of Telegram's cache time for an answer to an inline query. The key has the bot,
        # the query, the offset and the person. The person is 0 if the answer is for all persons.
        self.cached: dict[tuple[int, str, str, int], tuple[float, str]] = {}
        self.lost = 0  # calls that took effect although their response was lost
        self.callback_life_s = CALLBACK_LIFE_S
        self.largest_file = CLOUD_FILE
        self.bot = Bot(_FIRST_BOT, Inbox(clock))
        self.bots: dict[int, Bot] = {self.bot.id: self.bot}
        self.media_group = itertools.count(14_000_000_000_000_001, 8)
        self.query_ids = itertools.count(430_000_000_000_000_001, 7)
        self._people_ids = itertools.count(FIRST_PERSON)
        self._group_ids = itertools.count(_FIRST_GROUP)
        self._channel_ids = itertools.count(_FIRST_CHANNEL)

    # -- bots ---------------------------------------------------------------------------

    def ensure_bot(self, bot_id: int) -> Bot:
        """Return the bot with a token's id. The id of the first token becomes the main bot's id.

        For any further id, a missing bot is created.
        """
        bot = self.bots.get(bot_id)
        if bot is not None:
            bot.claimed = True
            return bot
        if not self.bot.claimed:
            self._claim(bot_id)
            return self.bot
        bot = self.bots[bot_id] = Bot(bot_id, Inbox(self.clock), claimed=True)
        return bot

    def _claim(self, bot_id: int) -> None:
        bot, before = self.bot, self.bot.id
        bot.id, bot.claimed = bot_id, True
        self.bots = {bot_id: bot}
        for chat in self.chats.values():
            if before in chat.members:
                chat.members[bot_id] = chat.members.pop(before)
        self.private = {(bot_id, person): chat for (_, person), chat in self.private.items()}

    # -- people and chats ---------------------------------------------------------------

    def add_person(self, first_name: str, **details: Any) -> Person:  # noqa: ANN401 - fields of Person
        """Create a person. The person's private chat with the bot has the same id."""
        person = Person(next(self._people_ids), first_name, **details)
        self.people[person.id] = person
        self.ensure_private_chat(self.bot, person)
        return person

    def ensure_private_chat(self, bot: Bot, person: Person) -> Chat:
        """Return the private chat of a person with a bot. Create the chat if necessary."""
        chat = self.private.get((bot.id, person.id))
        if chat is None:
            chat = Chat(person.id, "private", person=person, bot=bot, started=False)
            self.private[bot.id, person.id] = chat
            self.events.emit("chat", chat_id=chat.id, chat=chat.brief())
        return chat

    def add_chat(self, kind: str, title: str, **details: Any) -> Chat:  # noqa: ANN401 - fields of Chat
        """Create a group, supergroup or channel."""
        number = next(self._group_ids if kind == "group" else self._channel_ids)
        chat = Chat(-number, kind, title=title, **details)
        self.chats[chat.id] = chat
        return chat

    def chat(self, chat_id: int, bot: Bot) -> Chat | None:
        """Return the chat with an id, or None. A person's id means the private chat with `bot`.

        A missing private chat is created.
        """
        if chat_id < 0:
            return self.chats.get(chat_id)
        person = self.people.get(chat_id)
        return self.ensure_private_chat(bot, person) if person else None

    def chat_by_username(self, username: str) -> Chat | None:
        """Return the public group or channel with a username, or None."""
        wanted = username.lower()
        for chat in self.chats.values():
            if chat.username and chat.username.lower() == wanted:
                return chat
        return None

    def user(self, user_id: int) -> dict[str, Any] | None:
        """Return the object User of the person or bot with an id, or None."""
        if (person := self.people.get(user_id)) is not None:
            return person.user()
        bot = self.bots.get(user_id)
        return bot.user() if bot else None

    def all_chats(self) -> list[Chat]:
        """Return every private chat of the main bot, and every group and channel."""
        private = [chat for (bot, _), chat in self.private.items() if bot == self.bot.id]
        return private + list(self.chats.values())

    def bots_in(self, chat: Chat) -> Iterator[Bot]:
        """Yield the bots that are in a chat."""
        if chat.bot is not None:
            yield chat.bot
            return
        for bot in self.bots.values():
            if chat.member(bot.id).present:
                yield bot

    # -- messages -----------------------------------------------------------------------

    def new_message_fields(self, chat: Chat, sender: dict[str, Any] | None) -> dict[str, Any]:
        """Assign an id to a new message. Return the id, sender, chat and date as fields."""
        fields: dict[str, Any] = {"message_id": chat.assign_message_id()}
        if sender is not None:
            fields["from"] = sender
        fields["chat"] = chat.brief()
        fields["date"] = int(self.clock.now())
        return fields

    def add(self, message: Message) -> Message:
        """Add a message to the message's chat, and send an event. Return the message."""
        message.chat.messages[message.id] = message
        if message.bot is not None:
            message.chat.last_bot = message.bot.id
        if self.events:
            shown = message.control_view(message.chat.bot or self.bot)
            self.events.emit("message", chat_id=message.chat.id, message=shown)
        return message

    def add_service_message(
        self,
        chat: Chat,
        sender: dict[str, Any] | None,
        thread: int = 0,
        **fields: Any,  # noqa: ANN401 - fields of Message
    ) -> Message:
        """Add a service message, for example about a new member or a migration."""
        body = self.new_message_fields(chat, sender) | fields
        if thread:
            body |= {"message_thread_id": thread, "is_topic_message": True}
        return self.add(Message(chat, body["message_id"], body, self.clock.now()))

    def add_topic(
        self, chat: Chat, sender: dict[str, Any], name: str, *, icon_color: int = ICON_COLOR
    ) -> tuple[Topic, Message]:
        """Create a topic with a service message. The id of the message is the id of the topic."""
        made = {"name": name, "icon_color": icon_color}
        if chat.bot is None:
            chat.last_message_id = max(chat.last_message_id, GENERAL_TOPIC)
        body = self.new_message_fields(chat, sender) | {
            "forum_topic_created": made,
            "is_topic_message": True,
        }
        body["message_thread_id"] = body["message_id"]
        message = self.add(Message(chat, body["message_id"], body, self.clock.now()))
        topic = Topic(message.id, name, icon_color=icon_color, made_by=sender["id"])
        chat.topics[topic.id] = topic
        return topic, message

    def emit_edit(self, message: Message) -> None:
        """Send an event for a changed message."""
        if self.events:
            shown = message.control_view(message.chat.bot or self.bot)
            self.events.emit("edit", chat_id=message.chat.id, message=shown)

    def delete(self, message: Message) -> None:
        """Delete a message from the message's chat and send an event."""
        message.deleted = True
        self.events.emit("delete", chat_id=message.chat.id, message_id=message.id)

    def set_member(self, chat: Chat, user_id: int, member: Member) -> None:
        """Change a membership without updates or service messages."""
        chat.members[user_id] = member
