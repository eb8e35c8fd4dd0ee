"""In which queue an update stands, who asks something by it, and which are too many; pure.

One person's flood must not make the bot deaf: a chat's queue has a limit, and so has each person
within it. Of those above a limit one is answered for all. Only updates that ask for something
count against a person. Those that nobody waits for (chatter of a group) are dropped in silence
above the limit; those that tell of a membership or a migration are always kept.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.domain.identity import is_nobody

_Json = dict[str, Any]
Admission = Literal["take", "tell", "drop"]
Key = tuple[str, int | None]

MOST_OF_PERSON = 30  # open asks of one person in one chat
_MOST_OF_CHAT = 100  # open asks of all people in one chat; and as much chatter
NO_PERSON = 0  # who asks as a channel, or as an administrator without a name
BUSY = "busy:"  # the queue of the one answer to what is too much; it waits for no other

_MESSAGES = ("message", "edited_message", "channel_post", "edited_channel_post")
_LINK_ENTITIES = frozenset({"url", "text_link"})
_LINK_WORDS = ("instagram", "instagr.am")
_QUEUE_LENGTH = 40  # characters; a chat's id has 14 at most
_SERVICE = ("migrate_to_chat_id", "migrate_from_chat_id")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an update stands: its ``queue``, and who asks (None: nobody waits for an answer).

    ``is_kept`` is what must never be let go, however much there is.
    """

    queue: str
    person: int | None = None
    is_kept: bool = False

    @property
    def count_key(self) -> Key:
        """Return what it is counted with."""
        return self.queue, self.person

    @property
    def busy_reply_queue(self) -> str:
        """Return the queue of the answer to what is too much of this kind."""
        return f"{BUSY}{self.queue.partition(':')[2]}:{self.person}"


def standing_of(update: _Json) -> Standing:
    """Return where an update stands, as Telegram sent it."""
    queue = _queue_of(update)
    if isinstance(press := update.get("callback_query"), dict):
        return Standing(queue, _person_of(press))
    for kind in _MESSAGES:
        if isinstance(message := update.get(kind), dict):
            if any(name in message for name in _SERVICE):
                return Standing(queue, is_kept=True)
            return Standing(queue, _person_of(message) if _is_ask(message) else None)
    return Standing(queue, is_kept=True)


def subjects_of(standing: Standing) -> Iterator[tuple[Literal["person", "chat"], int]]:
    """Return who is seen with an update that asks: the person, and the chat."""
    if standing.person is None:
        return
    if standing.person != NO_PERSON:
        yield "person", standing.person
    kind, _, number = standing.queue.partition(":")
    if kind == "chat":
        yield "chat", int(number)


def _queue_of(update: _Json) -> str:
    """Return in which queue an update stands: its chat's, else its person's."""
    about = next((value for value in update.values() if isinstance(value, dict)), {})
    chat = about.get("chat") or _as_dict(about.get("message")).get("chat")
    if isinstance(chat, dict) and "id" in chat:
        return f"chat:{chat['id']}"[:_QUEUE_LENGTH]
    person = _as_dict(about.get("from") or about.get("user"))
    return f"user:{person.get('id', 0)}"[:_QUEUE_LENGTH]


def judge_arrivals(
    arrivals: Sequence[Standing],
    waiting: Mapping[Key, int],
    *,
    of_person: int = MOST_OF_PERSON,
    of_chat: int = _MOST_OF_CHAT,
) -> list[Admission]:
    """Return of each arrival whether it is taken, is the one to be told, or is let go.

    ``waiting`` counts what is open already. Each kind of "too much" is told once at most here;
    whether it was told a moment ago is for the caller to know.
    """
    counts = Counter(dict(waiting))
    asks: Counter[str] = Counter()
    for (queue, person), count in waiting.items():
        asks[queue] += count if person is not None else 0
    answered: set[Key] = set()
    verdicts: list[Admission] = []
    for one in arrivals:
        if one.is_kept:
            verdicts.append("take")
            continue
        is_ask = one.person is not None
        most = of_person if is_ask and one.person != NO_PERSON else of_chat
        if counts[one.count_key] < most and (not is_ask or asks[one.queue] < of_chat):
            counts[one.count_key] += 1
            asks[one.queue] += is_ask
            verdicts.append("take")
        elif is_ask and one.count_key not in answered:
            answered.add(one.count_key)
            verdicts.append("tell")
        else:
            verdicts.append("drop")
    return verdicts


def _person_of(about: _Json) -> int:
    """Return who asks; nobody in particular where Telegram names a stand-in."""
    sender, as_chat = about.get("from"), about.get("sender_chat")
    person = sender.get("id") if isinstance(sender, dict) else None
    as_chat_id = 0 if as_chat else None
    if not isinstance(person, int) or is_nobody(person, as_chat_id):
        return NO_PERSON
    return person


def _is_ask(message: _Json) -> bool:
    """Return whether somebody waits for an answer: alone with us, a command, a reply, a link."""
    if _as_dict(message.get("chat")).get("type") == "private" or "reply_to_message" in message:
        return True
    text = str(message.get("text") or message.get("caption") or "")
    entities = message.get("entities") or message.get("caption_entities")
    entities = entities if isinstance(entities, list) else []
    is_link = any(isinstance(e, dict) and e.get("type") in _LINK_ENTITIES for e in entities)
    return text.startswith("/") or is_link or any(word in text.lower() for word in _LINK_WORDS)


def _as_dict(value: object) -> _Json:
    return value if isinstance(value, dict) else {}
