"""The access rules, which decide from the access list who may use the bot.

The access list contains persons, chats (groups and channels) and profiles. A block takes
precedence over a permission until the block ends.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Self

from bot.domain import links
from bot.domain.foreign_text import normalize_typed, typed_words
from bot.domain.model import Endless

Mode = Literal["invited", "open"]
_Kind = Literal["person", "chat", "profile"]
Via = Literal["", "before", "invitation", "link", "owner", "added"]

_SPAN = re.compile(r"([1-9]\d{0,3})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a row of the access list: a person, a group or channel, or a profile.

    ``id`` is the Telegram id as text. For a profile, ``id`` is the id or the username at
    Instagram.
    """

    kind: _Kind
    id: str

    @classmethod
    def of_chat(cls, chat_id: int) -> Self:
        """Return the subject for the Telegram id of a chat.

        The subject for a private chat is the person, because both have the same id.
        """
        return cls("person" if chat_id > 0 else "chat", str(chat_id))


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the access list.

    ``added_by`` is the person who allowed the subject, or who added the bot to the chat.
    ``allowance`` is in credits per day. ``language_code`` is stored for a person who was refused.
    """

    kind: _Kind
    subject: str
    name: str
    is_allowed: bool
    is_owner: bool
    via: Via
    added_by: str
    since: datetime
    blocked_since: datetime | None
    blocked_until: datetime | None
    reason: str
    refused_at: datetime | None
    allowance: int | None
    language_code: str = ""

    @property
    def is_allowed_without_adder(self) -> bool:
        """Return whether the subject is allowed independently of another person.

        The permission of a chat to which an allowed person has added the bot depends on this
        person.
        """
        return self.is_allowed and self.via != "added"

    def is_blocked(self, now: datetime) -> bool:
        """Return whether a block of the subject is active at the time ``now``."""
        if self.blocked_since is None:
            return False
        return self.blocked_until is None or self.blocked_until > now


@dataclass(frozen=True, slots=True)
class Judged:
    """The decision whether a person may use the bot in a chat."""

    verdict: Literal["let", "stranger", "blocked"]
    """The value is "let", "blocked", or "stranger" for a person without permission."""
    about: Subject
    """The blocked person or chat.
    Without a block: the group or channel of the request, or the person of a request outside of
    groups and channels.
    """
    entry: Entry | None = None
    """The row of ``about`` in the access list, or None without such a row.
    If ``verdict`` is "let", the value is None.
    """
    is_silent: bool = False
    """Whether the bot sends no message about the refusal."""


def find_entry(rows: Iterable[Entry], subject: Subject) -> Entry | None:
    """Return the row of ``subject`` among ``rows``, or None if the subject has no row."""
    return next((entry for entry in rows if Subject(entry.kind, entry.subject) == subject), None)


def judge_access(
    mode: Mode,
    chat_id: int | None,
    *,
    rows: Sequence[Entry],
    person_id: int | None,
    responsible: str = "",
    now: datetime,
) -> Judged:
    """Decide from rows of the access list whether a person may use the bot in a chat.

    A block of the person, the chat or the responsible person takes precedence. Otherwise the mode
    must be "open", or the person or chat must be allowed. ``responsible`` is an id as text, or
    empty. ``chat_id`` is None outside of chats.
    """
    # In a private chat, ``chat_id`` is the id of a person. A different person can send the
    # request, for example by the press of a button. Therefore the access of ``person_id`` decides.
    own_id = person_id if chat_id is None or chat_id > 0 else None
    own_subject = Subject.of_chat(own_id or chat_id or 0)
    person = find_entry(rows, Subject("person", str(person_id)))
    chat = find_entry(rows, Subject("chat", str(chat_id)))
    payer = find_entry(rows, Subject("person", responsible))
    if payer and payer.is_blocked(now) and own_subject.kind == "chat":
        return Judged("blocked", Subject("person", payer.subject), payer, is_silent=True)
    if person and person.is_blocked(now):
        return Judged("blocked", Subject("person", person.subject), person)
    if chat and chat.is_blocked(now):
        return Judged("blocked", own_subject, chat)
    is_allowed = any(entry.is_allowed for entry in (person, chat) if entry)
    if mode == "open" or is_allowed:
        return Judged("let", own_subject)
    return Judged("stranger", own_subject, person if own_subject.kind == "person" else chat)


def parse_telegram_id_or_profile(word: str) -> Subject | None:
    """Return the subject that a word names.

    The word must be a Telegram id, the name of a profile, or an Instagram URL that contains the
    name of a profile. Return None for any other word.
    """
    word = " ".join(typed_words(word))
    if re.fullmatch(r"-?\d{1,16}", word, re.ASCII):
        return Subject.of_chat(int(word)) if int(word) else None
    link = links.parse_username_or_link(word)
    return Subject("profile", link.username) if link and link.username else None


def parse_span(word: str) -> timedelta | None:
    """Return the time span that a text such as ``12h``, ``7d`` or ``2w`` names.

    The text is a number from 1 to 9,999 and a unit (hours, days or weeks). Return None for any
    other text.
    """
    result = _SPAN.fullmatch(normalize_typed(word))
    return int(result[1]) * _UNITS[result[2]] if result else None


def parse_block_end_and_reason(
    words: Sequence[str], now: datetime
) -> tuple[datetime | Endless, str]:
    """Return the end of a block and the reason of the block.

    The first word can be a time span such as ``7d``. Otherwise the end is None (endless). The
    reason is cut to 200 characters.
    """
    span = parse_span(words[0].lower()) if words else None
    reason = " ".join(words[1:] if span else words)
    return (now + span if span else None), reason[:200]
