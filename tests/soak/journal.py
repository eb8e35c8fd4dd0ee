"""The events of a run: actions of persons, requests to the sandbox, and the bot's tables."""

import hashlib
import json
import re
import sqlite3
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from handlers.rights import CHANGE, COMMANDS
from sandbox.instagram import Story
from sandbox.state import Sandbox
from sandbox.telegram.model import Message
from tests.soak.expected import Span, Terms
from tests.soak.rates import ORDINARY, Rates
from tests.soak.unknown import UnknownSend

HOUR = 3600.0
DAY = 24 * HOUR
MINUTE = 60.0
OK, REFUSED = 200, 400
NOTICE_KINDS = ("failed", "missed", "private", "gone", "blocked")
SUMMARY = "summary"
LISTED = re.compile(r"^• \u2068?([a-z0-9._]+)\u2069?\s?:", re.MULTILINE)
"""A line of a daily summary: the name of a profile and the number of stories."""
LOOKS_EVERY_S = 300.0  # interval between two reads of the tables
UNSETTLED_S = 2 * HOUR  # a change request may be delayed for this time by failures
CHANGING = (
    *("opt:", "undo:", "unsub:", "many:", "rules:", "erase", "defaults", "set:zone"),
    *("list:", "keep", "mute:", "follow:", "all:", "restore:"),
    *(word for word, one in COMMANDS.items() if one.right is CHANGE),
)
REFUSALS = (
    "bot was blocked",
    "bot was kicked",
    "bot is not a member",
    "not enough rights",
    "have no write access",
    "chat not found",
    "CHAT_WRITE_FORBIDDEN",
    "deactivated",
)


@dataclass
class Window:
    """A period in the loop's unix time. ``end`` is infinite while the period lasts."""

    begin: float
    end: float = float("inf")

    def overlaps(self, begin: float, end: float) -> bool:
        """Return whether the period overlaps another period."""
        return self.begin <= end and begin <= self.end


@dataclass
class Asked:
    """A message or press of a person that must be answered."""

    at: float
    chat: int
    text: str
    message: int
    token: str = ""
    query: str = ""
    user: int = 0


class Done(NamedTuple):
    """An action that no table shows. Chat 0 and profile "" mean all."""

    begin: float
    end: float
    chat: int
    profile: str
    what: str


@dataclass
class Imported:
    """An import of subscriptions, as a person sees it.

    ``wanted``, ``before`` and ``after`` have the form of a file of /export. ``before`` and
    ``after`` are None if /export was not answered.
    """

    begin: float
    chat: int
    kind: str
    """"file" for a file of /export, "followed" for the tapped accounts of Instagram's list."""
    wanted: dict[str, Any]
    pressed: set[str]
    before: dict[str, Any] | None
    said: str
    untapped: list[str] = field(default_factory=list)
    """The other accounts of Instagram's list."""
    after: dict[str, Any] | None = None
    end: float = 0.0


@dataclass
class Followed:
    """A period in which a subscription existed continuously, by the bot's tables."""

    sub: int
    chat: int
    thread: int
    profile: str
    since: float
    seen: Window


Place = tuple[int, int, str]
"""A chat, a topic or 0, and the followed profile."""


@dataclass
class Row:
    """A delivery in the bot's tables."""

    id: int
    chat: int
    sub: int | None
    pk: str | None
    notice: str | None
    fields: dict[str, Any]
    state: str
    reason: str
    message: int | None
    said: float  # creation time in the table
    created: float
    due: float
    done: float | None
    copies: int
    tries: int  # completed attempts among those observed
    reopened: float | None = None
    """The time at which the row, dropped before, was first seen again, e.g. after Undo."""

    @property
    def told(self) -> dict[str, int]:
        """Return the profiles whose missing stories a notice explains, with the numbers."""
        if self.notice == SUMMARY:
            return dict(self.fields["ended"])
        if self.notice not in NOTICE_KINDS:
            return {}
        return {str(self.fields.get("username")): int(self.fields.get("n", 1))}


@dataclass
class Journal:
    """All events that the invariants examine."""

    sandbox: Sandbox
    rates: Rates = ORDINARY
    lines: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    stories: dict[str, Story] = field(default_factory=dict)
    followed: dict[int, Followed] = field(default_factory=dict)  # by subscription
    segments: list[Followed] = field(default_factory=list)  # ended subscriptions
    threads: dict[tuple[int, str], set[int]] = field(default_factory=lambda: defaultdict(set))
    rows: dict[int, Row] = field(default_factory=dict)
    undropped: list[Row] = field(default_factory=list)  # dropped rows that were reopened later
    options: dict[int, list[tuple[float, dict[str, Any]]]] = field(
        default_factory=lambda: defaultdict(list)
    )  # of each subscription, with the time of the first observation
    terms: dict[Place, list[tuple[float, Terms | None]]] = field(
        default_factory=lambda: defaultdict(list)
    )  # with the time of the first observation; None: ended
    checked: dict[str, list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )  # times of successful story requests, by the profile's id
    looked_at: list[float] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    highlights: set[str] = field(default_factory=set)  # the stories in highlights
    imported: list[Imported] = field(default_factory=list)
    looked_up: Counter[str] = field(default_factory=Counter)  # requests, by username
    quiet: dict[int, list[tuple[float, str, int | None, int | None]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    unable: dict[int, list[Window]] = field(default_factory=lambda: defaultdict(list))
    closed_topics: dict[tuple[int, int], list[Window]] = field(
        default_factory=lambda: defaultdict(list)
    )  # by chat and topic
    hidden: dict[str, list[Window]] = field(default_factory=lambda: defaultdict(list))
    troubled: dict[str, list[Window]] = field(default_factory=lambda: defaultdict(list))
    outages: dict[str, list[Window]] = field(default_factory=lambda: defaultdict(list))
    crashes: list[float] = field(default_factory=list)
    open_at_crashes: int = 0  # credits reserved by open calls
    unrecorded: dict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))
    unknown_sends: list[UnknownSend] = field(default_factory=list)
    unanswered_calls: int = 0  # nominal credits of calls with a lost response
    bought: int = 0  # credits for downloads
    refusals: int = 0  # randomly refused sends
    refused: list[tuple[float, int, str]] = field(default_factory=list)
    silencing: set[int] = field(default_factory=set)  # ids of faults that prevent every answer
    silenced: list[float] = field(default_factory=list)  # times of their hits
    closed: list[tuple[float, int]] = field(default_factory=list)  # refusals by closed topics
    sought: Counter[str] = field(default_factory=Counter)  # searched buttons, by kind
    pressed: Counter[str] = field(default_factory=Counter)  # the found buttons among them
    tracebacks: list[str] = field(default_factory=list)
    looks: int = 0
    billed: Counter[int] = field(default_factory=Counter)  # credits by day
    bills: list[tuple[float, int]] = field(default_factory=list)  # time and credits of each bill
    ledger: int = 0  # total credits at the end
    replies: list[tuple[float, int]] = field(default_factory=list)  # time, credits for persons
    problems: list[str] = field(default_factory=list)  # found during the run
    watchers: list[Callable[[str], None]] = field(default_factory=list)  # event listeners
    _hash: Any = field(default_factory=hashlib.sha256)
    _raw: dict[Place, tuple[Any, ...]] = field(default_factory=dict)
    _ended: dict[Place, tuple[Any, ...]] = field(default_factory=dict)
    _read: int = 0
    _rows_read_at: float = 0.0
    _terms_read_at: float = 0.0

    def __post_init__(self) -> None:
        """Receive each request to the sandbox immediately."""
        log: Any = self.sandbox.log
        add = log.add

        def added(**entry: Any) -> Any:
            number = add(**entry)
            self._happened(str(entry["path"]))
            return number

        log.add = added

    def note_button(self, data: str, *, is_found: bool) -> None:
        """Count a button that a person wants to press, by its data without the numbers.

        For example, ``opt:7:pause`` and ``opt:8:pause`` are one kind of button.
        """
        kind = re.sub(r"\d+", "#", data)
        self.sought[kind] += 1
        self.pressed[kind] += is_found

    def ask(self, asked: Asked) -> None:
        """Record a message or press that must be answered."""
        self.asked.append(asked)
        self._happened("person")

    def _happened(self, what: str) -> None:
        for watcher in list(self.watchers):
            watcher(what)

    # -- the event log ------------------------------------------------------------------

    def note(self, *what: object) -> None:
        """Append a line to the event log."""
        line = f"{self.sandbox.clock.now():.3f} " + " ".join(str(word) for word in what)
        self._hash.update(line.encode() + b"\n")
        self.lines.append(line)

    @property
    def digest(self) -> str:
        """Return the hash of the event log."""
        return str(self._hash.hexdigest()[:16])

    def read_requests(self) -> None:
        """Read the sandbox's requests since the last call."""
        for entry in self.sandbox.log.since(self._read):
            self._read = int(str(entry["n"]))
            method = str(entry["path"]).rpartition("/")[2]
            if method == "getUpdates" and entry["status"] == 200:
                continue
            params: Any = entry["params"]
            chat = str(params.get("chat_id", ""))
            self.note(
                entry["service"],
                entry["path"],
                chat or sorted(f"{k}={v}" for k, v in params.items() if k != "access_key"),
                entry["status"],
                f"at={float(str(entry['at'])):.3f}",
            )
            if entry["service"] == "stories":
                self._looked(entry)
            at, bill = float(str(entry["at"])), int(str(entry.get("billed", 0)))
            self.bills.append((at, bill))
            self.billed[int(at // DAY)] += bill
            if "download" in str(entry["path"]):
                self.bought += bill
            if entry.get("fault"):
                self.refusals += int(entry["status"] == REFUSED)
                if entry["fault"] in self.silencing:
                    self.silenced.append(float(str(entry["at"])))
                continue
            said = str(entry.get("description", ""))
            if chat.startswith("@"):
                continue  # a name from a message, not a chat of the run
            if entry["service"] == "telegram" and any(word in said for word in REFUSALS):
                self.refused.append((float(str(entry["at"])), int(chat or 0), method))
            if "TOPIC_CLOSED" in said and method.startswith("send"):
                self.closed.append((float(str(entry["at"])), int(chat or 0)))

    def _looked(self, entry: dict[str, Any]) -> None:
        self.looked_up[str(entry["params"].get("username", ""))] += 1
        if "stories" not in str(entry["path"]):
            return
        self.looks += 1
        at, whose = float(str(entry["at"])), str(entry["params"].get("user_id", ""))
        if entry["status"] == OK and whose and not entry.get("fault"):
            self.checked[whose].append(at)
            self.looked_at.append(at)

    # -- the bot's tables ---------------------------------------------------------------

    def read_tables(self, database: Path) -> None:
        """Read the subscriptions and the states of deliveries."""
        now = self.sandbox.clock.now()
        with _reading(database) as tx:
            self._read_followed(tx, now)
            self._read_options(tx, now)
            for chat, zone, begin, end in tx.execute(
                "SELECT id, coalesce(zone, 'UTC'), quiet_from, quiet_to FROM chats"
            ):
                self.quiet[chat].append((now, zone, begin, end))
            self._read_rows(tx)

    def read_terms(self, database: Path) -> None:
        """Read the settings of each subscription.

        A chat that was closed and reopened since the last read counts as closed since then,
        because the alerts of the chat have restarted. The same applies to a chat that was closed
        and reopened between the end and the Undo of a subscription.
        """
        now = self.sandbox.clock.now()
        found: dict[Place, tuple[Any, ...]] = {}
        with _reading(database) as tx:
            for row in tx.execute(
                "SELECT chat_id, thread_id, profile_id, s.id, paused, options, rules,"
                " coalesce(zone, 'UTC'), quiet_from, quiet_to, digest_at, c.state, c.state_since"
                " FROM subscriptions s JOIN chats c ON c.id = chat_id"
            ):
                found[row[:3]] = row[3:]
        for place in self._raw.keys() - found.keys():
            self.terms[place].append((now, None))
            self._ended[place] = self._raw[place]
        for place, row in found.items():
            before = self._raw.get(place)
            if before == row:
                continue
            terms = _terms_of(*row)
            ended = self._ended.pop(place, None)
            was_closed = before is not None and _was_closed_between(before, row)
            if was_closed or (ended is not None and _was_reopened_since(ended, row)):
                self.terms[place].append((self._terms_read_at, replace(terms, is_open=False)))
            self.terms[place].append((now, terms))
        self._raw = found
        self._terms_read_at = now

    def _read_followed(self, tx: sqlite3.Connection, now: float) -> None:
        found: dict[int, tuple[Any, ...]] = {}
        for row in tx.execute(
            "SELECT s.id, s.chat_id, s.thread_id, s.profile_id, s.since FROM"
            " subscriptions s JOIN chats c ON c.id = s.chat_id"
            " WHERE NOT s.paused AND c.state = 'active'"
        ):
            found[row[0]] = row
        for sub, one in list(self.followed.items()):
            row = found.get(sub)
            if row is None or row[4] / 1000 != one.since or row[1:3] != (one.chat, one.thread):
                one.seen.end = now
                self.segments.append(self.followed.pop(sub))
        for sub, (_, chat, thread, profile, since) in found.items():
            self.followed.setdefault(
                sub, Followed(sub, chat, thread, profile, since / 1000, Window(now))
            )
            self.threads[chat, profile].add(sub)

    def _read_options(self, tx: sqlite3.Connection, now: float) -> None:
        for sub, text, rules, zone in tx.execute(
            "SELECT s.id, options, rules, coalesce(zone, 'UTC')"
            " FROM subscriptions s JOIN chats c ON c.id = chat_id"
        ):
            options = {**json.loads(text), "chat": json.loads(rules), "zone": zone}
            before = self.options[sub]
            if not before or before[-1][1] != options:
                before.append((now, options))

    def _read_rows(self, tx: sqlite3.Connection) -> None:
        now = self.sandbox.clock.now()
        last = self._rows_read_at + LOOKS_EVERY_S if self._rows_read_at else 0.0
        known = {row.id for row in self.rows.values() if row.state == "open"}
        oldest = min(known, default=max(self.rows, default=0) + 1)
        # Numbers of rows lost in a crash are reused. The creation time identifies a row.
        for r in tx.execute(
            "SELECT id, chat_id, subscription_id, story_pk, notice, fields, state, reason,"
            " message_id, created_at, done_at, copies, attempts - sending, due_at FROM deliveries"
            " WHERE id >= ? OR created_at >= ? OR done_at >= ? OR state = 'open'",
            (oldest, *[int(self._rows_read_at * 1000)] * 2),
        ):
            known.discard(r[0])
            before = self.rows.get(r[0])
            if before and (before.said, before.pk) != (r[9] / 1000, r[3]):
                before = None  # the earlier row was lost in a crash
            reopened = before.reopened if before else None
            if before and before.state == "dropped" and r[6] != "dropped":
                self.undropped.append(before)
                before, reopened = replace(before, done=None), now
            self.rows[r[0]] = Row(
                id=r[0],
                chat=r[1],
                # The end of a subscription removes its number from the rows.
                sub=before.sub if before and r[2] is None else r[2],
                pk=r[3],
                notice=r[4],
                fields=json.loads(r[5]) if r[5] else {},
                state=r[6],
                reason=r[7],
                message=r[8],
                said=r[9] / 1000,
                created=before.created if before else min(max(r[9] / 1000, last), now),
                due=r[13] / 1000,
                done=(before and before.done) or min(max(r[10] / 1000, last), now)
                if r[10]
                else None,
                copies=max(r[11], before.copies if before else 0),
                tries=max(r[12], before.tries if before else 0),
                reopened=reopened,
            )
        self._rows_read_at = now - LOOKS_EVERY_S
        for gone in known:  # deleted with the subscription or chat, or an answer that was sent
            self.rows[gone].state = "removed"

    def crashed(self, database: Path) -> None:
        """Record a crash: the reserved credits and unrecorded sends in the copied database."""
        now = self.sandbox.clock.now()
        self.crashes.append(now)
        with _reading(database) as tx:
            (reserved,) = tx.execute(
                "SELECT coalesce(sum(credits), 0) FROM ledger_entries WHERE state = 'reserved'"
            ).fetchone()
            self.open_at_crashes += reserved
            unsent = tx.execute(
                "SELECT chat_id, story_pk FROM deliveries"
                " WHERE state = 'open' AND story_pk IS NOT NULL AND copies > 0"
            ).fetchall()
        for chat, pk in unsent:
            self.unrecorded[chat, pk] += 1

    # -- the chats ----------------------------------------------------------------------

    def chat_now(self, chat: int) -> int:
        """Return the id of a chat after all migrations."""
        known = self.sandbox.telegram.world.chats
        while (found := known.get(chat)) is not None and found.migrated_to is not None:
            chat = found.migrated_to
        return chat

    def unrecorded_in(self, chat: int, pk: str) -> int:
        """Return the number of crashes after which a send to a chat was not recorded."""
        now = self.chat_now(chat)
        return sum(
            crashes
            for (earlier, story), crashes in self.unrecorded.items()
            if story == pk and self.chat_now(earlier) == now
        )

    def is_about(self, notice: Row, chat: int) -> bool:
        """Return whether a notice is about a chat.

        A notice about a channel is sent to the private chats of the channel's subscribers.
        """
        if self.chat_now(notice.chat) == chat:
            return True
        there = self.sandbox.telegram.world.chats.get(chat)
        if there is None or there.kind != "channel":
            return False
        return notice.fields.get("title") == there.title

    def messages(self) -> dict[int, list[Message]]:
        """Return the bot's messages by chat after all migrations, in order."""
        world = self.sandbox.telegram.world
        found: dict[int, list[Message]] = defaultdict(list)
        for chat in world.all_chats():
            found[self.chat_now(chat.id)] += [m for m in chat.messages.values() if m.bot]
        for messages in found.values():
            messages.sort(key=lambda m: (m.sent_at, m.id))
        return found

    def spans(self) -> dict[Place, list[Span]]:
        """Return the settings of each subscription from the start to now, by present chat id."""
        known: dict[Place, list[tuple[float, Terms | None]]] = defaultdict(list)
        for (chat, thread, profile), entries in self.terms.items():
            known[self.chat_now(chat), thread, profile] += entries
        now, found = self.sandbox.clock.now(), {}
        for place, entries in known.items():
            entries.sort(key=lambda entry: (entry[0], entry[1] is not None))
            ends = [at for at, _ in entries[1:]] + [now + DAY]
            found[place] = [
                Span(begin, end, terms, is_undone=self._is_undone(place, begin, end, terms))
                for (begin, terms), end in zip(entries, ends, strict=True)
                if end > begin
            ]
        return found

    def _is_undone(self, place: Place, begin: float, end: float, terms: Terms | None) -> bool:
        """Return whether Undo ended a period without a subscription or with a mute."""
        doubt = self.rates.terms_s
        for asked in self.asked:
            is_late = not asked.at - doubt <= end <= asked.at + 2 * doubt + MINUTE
            if is_late or self.chat_now(asked.chat) != place[0]:
                continue
            if terms is None and asked.text.startswith("undo:"):
                ended = float(asked.text.partition(":")[2]) / 1000  # the button has milliseconds
                if ended - MINUTE <= begin <= ended + doubt + MINUTE:
                    return True
            if terms and terms.paused and asked.text == f"opt:{terms.number}:pause:undone":
                return True
        return False

    def options_within(self, row: Row, begin: float, end: float) -> list[dict[str, Any]]:
        """Return the options that a row's subscription may have had in a period.

        Return an empty list if the options are unknown after a change request in the chat. The
        tables are read periodically, and failures may delay a change for hours.
        """
        chat, known = self.chat_now(row.chat), self.options.get(row.sub or 0, [])
        times = self._changes.get(chat, [])
        place = bisect_left(times, begin - UNSETTLED_S * self.rates.lasting)
        if place < len(times) and times[place] <= end + 0.001:  # tables have milliseconds
            return []
        before = [options for at, options in known if at <= begin][-1:]
        return before + [options for at, options in known if begin < at <= end + LOOKS_EVERY_S]

    @cached_property
    def _changes(self) -> dict[int, list[float]]:
        """Return the times of requests that may have changed subscriptions, by chat."""
        found: dict[int, list[float]] = defaultdict(list)
        for asked in self.asked:
            if any(word in asked.text for word in CHANGING):
                found[self.chat_now(asked.chat)].append(asked.at)
        return {chat: sorted(times) for chat, times in found.items()}

    @cached_property
    def listed(self) -> set[tuple[int, str]]:
        """Return the stories that a daily summary lists, by the final tables: chat and story."""
        return {
            (self.chat_now(row.chat), row.pk)
            for row in self.rows.values()
            if row.pk and "place" in row.fields
        }

    @cached_property
    def _rung(self) -> set[tuple[int, int, str]]:
        """Return the alert messages in the final tables: by chat, id and story."""
        return {
            (self.chat_now(row.chat), row.message, row.pk)
            for row in self.rows.values()
            if row.pk and row.message
        }

    def alerts(self, messages: list[Message]) -> list[Message]:
        """Return the messages that are alerts, identified by a bell in the caption.

        For alerts without captions, the bot's tables identify the messages.
        """
        groups: set[str] = set()
        found = []
        for message in messages:
            if message.media is None:
                continue
            # A group that became a supergroup counts its messages from 1 again.
            alone = f"single {message.chat.id} {message.id}"
            group = str(message.fields.get("media_group_id", alone))
            text = str(message.fields.get("caption") or "")
            if text.lstrip("\u200f").startswith("🔔"):  # Persian begins with a direction mark
                groups.add(group)
            is_bare = not text and (
                self.chat_now(message.chat.id), message.id, pk_of(message)
            ) in self._rung  # fmt: skip
            if group in groups or is_bare:
                found.append(message)
        return found

    def summaries(self, chat: int, thread: int) -> list[Message]:
        """Return the lists of daily summaries in a chat or topic, in order."""
        return [
            message
            for message in self.messages().get(chat, [])
            if message.thread == thread
            and message.media is None
            and str(message.fields.get("text", "")).lstrip("\u200f").startswith("📰")
            and LISTED.search(str(message.fields["text"]))
        ]

    def delays(self) -> list[float]:
        """Return the delays of all alerts from posting to arrival in seconds, sorted."""
        first: dict[tuple[int, str], float] = {}
        for chat, messages in self.messages().items():
            for message in self.alerts(messages):
                first.setdefault((chat, pk_of(message)), message.sent_at)
        return sorted(
            at - self.stories[pk].taken_at for (_, pk), at in first.items() if pk in self.stories
        )

    def unable_in(self, chat: int) -> list[Window]:
        """Return the periods in which the bot could not write to a chat, by all its ids."""
        now = self.chat_now(chat)
        return [
            window
            for earlier, windows in self.unable.items()
            if self.chat_now(earlier) == now
            for window in windows
        ]

    def is_unable(self, chat: int, begin: float, end: float) -> bool:
        """Return whether the bot could not write to a chat at some time in a period."""
        return any(window.overlaps(begin, end) for window in self.unable_in(chat))

    def may_have_come(self, chat: int, pk: str, before: float) -> bool:
        """Return whether a send with unknown outcome may have delivered a story before a time."""
        return any(
            one.pk == pk and one.at < before and self.chat_now(one.chat) == chat
            for one in self.unknown_sends
        )

    def is_outage(self, kind: str, begin: float, end: float) -> bool:
        """Return whether a kind of service failed at some time in a period."""
        return any(w.overlaps(begin, end) for w in self.outages[kind])


def _terms_of(number: int, paused: int, options: str, rules: str, zone: str, *hours: Any) -> Terms:
    """Return the settings in a row of the tables."""
    chosen = {**json.loads(options), "chat": json.loads(rules)}
    begin, end, summary, state, _ = hours
    return Terms(
        zone=zone,
        quiet=None if begin is None or end is None else (begin, end),
        summary=summary if chosen.get("digest") else None,
        silent=bool(chosen.get("silent")),
        paused=bool(paused),
        is_open=state == "active",
        options=chosen,
        number=number,
    )


def _was_closed_between(before: tuple[Any, ...], after: tuple[Any, ...]) -> bool:
    """Return whether a chat was closed and reopened between two reads of its settings.

    The last two columns of a row are the state of the chat and the time of the state's change.
    """
    is_open = before[-2] == after[-2] == "active"
    has_changed: bool = before[-1] != after[-1]
    return is_open and has_changed


def _was_reopened_since(before: tuple[Any, ...], after: tuple[Any, ...]) -> bool:
    """Return whether a chat was reopened between the end and the Undo of a subscription."""
    has_changed: bool = before[-1] != after[-1]
    return has_changed and after[-2] == "active"


def pk_of(message: Message) -> str:
    """Return the pk of the story whose media a message contains."""
    return str(message.media.content.story_pk) if message.media is not None else ""


class _reading:  # noqa: N801 - used as a function
    """A separate read-only connection, which sees committed data."""

    def __init__(self, database: Path) -> None:
        self._tx = sqlite3.connect(f"file:{database}?mode=ro", uri=True, isolation_level=None)

    def __enter__(self) -> sqlite3.Connection:
        return self._tx

    def __exit__(self, *_: object) -> None:
        self._tx.close()
