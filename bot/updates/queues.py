"""The queue of an update, the person who sent the update, and the limits of unfinished updates.

The limits of each chat and of each person in a chat prevent one person from blocking the bot.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.domain.identity import identifies_no_person, is_bot_but_no_service_account

_Json = dict[str, Any]
Admission = Literal["handle", "refuse", "drop"]
Key = tuple[str, int | None]

MOST_OF_PERSON = 30  # maximum number of unfinished requests of a person in a chat
# The maximum number of unfinished requests in a chat. The maximum number of unfinished messages
# that need no reply is the same, but these messages are counted separately.
_MOST_OF_CHAT = 100
NO_PERSON = 0  # the person of a message that a channel or an anonymous administrator sent
# Prefix of the queue for replies about too many requests. These replies do not wait for the other
# updates of the chat.
BUSY = "busy:"

_MESSAGES = ("message", "edited_message", "channel_post", "edited_channel_post")
_LINK_ENTITIES = frozenset({"url", "text_link"})
_LINK_WORDS = ("instagram", "instagr.am")
_QUEUE_LENGTH = 40  # maximum characters of a queue's name; a chat id has at most 14
_SERVICE = ("migrate_to_chat_id", "migrate_from_chat_id")


@dataclass(frozen=True, slots=True)
class QueueAndPerson:
    """The queue of an update, and the person who sent the update."""

    queue: str
    person: int | None = None
    """None if the update needs no reply, and ``NO_PERSON`` if the sender is anonymous."""
    is_exempt: bool = False
    """Whether no limit applies to the update."""

    @property
    def count_key(self) -> Key:
        """Return the key under which the unfinished updates of the person are counted."""
        return self.queue, self.person

    @property
    def busy_reply_queue(self) -> str:
        """Return the queue of the reply that the person gets after too many requests."""
        return f"{BUSY}{self.queue.partition(':')[2]}:{self.person}"


def queue_and_person_of(update: _Json) -> QueueAndPerson:
    """Return the queue and the person of an update. ``update`` is the JSON from Telegram."""
    queue = _queue_name_of_update(update)
    if isinstance(press := update.get("callback_query"), dict):
        return QueueAndPerson(queue, _person_id_or_no_person(press))
    for kind in _MESSAGES:
        if isinstance(message := update.get(kind), dict):
            if any(name in message for name in _SERVICE):
                return QueueAndPerson(queue, is_exempt=True)
            return QueueAndPerson(
                queue,
                _person_id_or_no_person(message)
                if _is_private_command_reply_or_link(message)
                else None,
            )
    return QueueAndPerson(queue, is_exempt=True)


def _queue_name_of_update(update: _Json) -> str:
    """Return the name of the queue of an update.

    Each chat has a queue. An update without a chat is in the queue of the person.
    """
    about = next((value for value in update.values() if isinstance(value, dict)), {})
    chat = about.get("chat") or _as_dict(about.get("message")).get("chat")
    if isinstance(chat, dict) and "id" in chat:
        return f"chat:{chat['id']}"[:_QUEUE_LENGTH]
    person = _as_dict(about.get("from") or about.get("user"))
    return f"user:{person.get('id', 0)}"[:_QUEUE_LENGTH]


def decide_admission_of_arrivals(
    arrivals: Sequence[QueueAndPerson],
    waiting: Mapping[Key, int],
    *,
    of_person: int = MOST_OF_PERSON,
    of_chat: int = _MOST_OF_CHAT,
) -> list[Admission]:
    """Return for each new update the decision to handle, to refuse or to drop the update.

    ``waiting`` has the number of unfinished updates for each ``count_key``. Above a limit, the
    first request of a person in a chat is refused, and other updates are dropped. The caller must
    prevent repeated replies. All anonymous senders of a chat share the limit ``of_chat``.
    """
    counts = Counter(dict(waiting))
    asks: Counter[str] = Counter()
    for (queue, person), count in waiting.items():
        asks[queue] += count if person is not None else 0
    answered: set[Key] = set()
    verdicts: list[Admission] = []
    for arrival in arrivals:
        if arrival.is_exempt:
            verdicts.append("handle")
            continue
        is_ask = arrival.person is not None
        most = of_person if is_ask and arrival.person != NO_PERSON else of_chat
        if counts[arrival.count_key] < most and (not is_ask or asks[arrival.queue] < of_chat):
            counts[arrival.count_key] += 1
            asks[arrival.queue] += is_ask
            verdicts.append("handle")
        elif is_ask and arrival.count_key not in answered:
            answered.add(arrival.count_key)
            verdicts.append("refuse")
        else:
            verdicts.append("drop")
    return verdicts


def _person_id_or_no_person(about: _Json) -> int:
    """Return the id of the person who sent a message or pressed a button.

    For an anonymous sender, return ``NO_PERSON``.
    """
    sender, as_chat = about.get("from"), about.get("sender_chat")
    person = sender.get("id") if isinstance(sender, dict) else None
    sender_chat_id = 0 if as_chat else None
    if not isinstance(person, int) or identifies_no_person(person, sender_chat_id):
        return NO_PERSON
    return person


def _is_private_command_reply_or_link(message: _Json) -> bool:
    """Return whether a message needs a reply. A message of an ordinary bot needs no reply."""
    sender = _as_dict(message.get("from"))
    if is_bot_but_no_service_account(sender.get("id"), is_bot=sender.get("is_bot") is True):
        return False
    if _as_dict(message.get("chat")).get("type") == "private" or "reply_to_message" in message:
        return True
    text = str(message.get("text") or message.get("caption") or "")
    entities = message.get("entities") or message.get("caption_entities")
    entities = entities if isinstance(entities, list) else []
    is_link = any(isinstance(e, dict) and e.get("type") in _LINK_ENTITIES for e in entities)
    return text.startswith("/") or is_link or any(word in text.lower() for word in _LINK_WORDS)


def _as_dict(value: object) -> _Json:
    return value if isinstance(value, dict) else {}
