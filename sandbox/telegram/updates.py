"""A bot's updates: numbered, filtered, expiring, in the queues that Telegram keeps."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.clock import Clock

NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
_DAY_S = 86400.0
LIFETIME_S = {  # sandbox seconds; tdlib/telegram-bot-api, Client.cpp
    "callback_query": 150.0,
    "inline_query": 30.0,
    "chosen_inline_result": 600.0,
}


@dataclass(slots=True)
class Update:
    """One update in waiting."""

    id: int
    kind: str
    payload: dict[str, Any]
    queue: str  # updates of one queue are delivered one after the other
    expires_at: float
    attempts: int = 0
    in_flight: bool = False

    def body(self) -> dict[str, Any]:
        """The Bot API's Update."""
        return {"update_id": self.id, self.kind: self.payload}


@dataclass(slots=True)
class Poll:
    """A getUpdates call that waits; a newer one ends it with a conflict."""

    conflict: bool = False
    taken_over_by_webhook: bool = False


@dataclass
class Inbox:
    """The pending updates of one bot."""

    clock: Clock
    pending: deque[Update] = field(default_factory=deque)
    allowed: frozenset[str] | None = None  # None: all but NOT_BY_DEFAULT
    last_id: int = 100_000_000
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    poll: Poll | None = None
    last_offset: int | None = None
    last_start: float = -10.0  # of getUpdates, on the loop's own clock

    def accepts(self, kind: str) -> bool:
        """Whether the bot asked for this kind of update."""
        if self.allowed is None:
            return kind not in NOT_BY_DEFAULT
        return kind in self.allowed

    def allow(self, kinds: Iterable[str]) -> None:
        """Set allowed_updates; an empty list is the default again."""
        wanted = frozenset(kinds)
        self.allowed = wanted or None

    def put(self, kind: str, payload: dict[str, Any], queue: str) -> int | None:
        """Add an update; its id, or None where the bot does not want this kind."""
        if not self.accepts(kind):
            return None
        self.last_id += 1
        expires_at = self.clock.now() + LIFETIME_S.get(kind, _DAY_S)
        self.pending.append(Update(self.last_id, kind, payload, queue, expires_at))
        self.wake()
        return self.last_id

    def wake(self) -> None:
        """Let those who wait look again."""
        arrived, self.arrived = self.arrived, asyncio.Event()
        arrived.set()

    def confirm(self, offset: int) -> None:
        """Forget what is below `offset`; a negative one keeps only so many of the latest."""
        if offset < 0:
            while len(self.pending) > -offset:
                self.pending.popleft()
            return
        while self.pending and self.pending[0].id < offset:
            self.pending.popleft()

    def drop_expired(self) -> None:
        """Forget what is too old to be delivered."""
        now = self.clock.now()
        if any(update.expires_at <= now for update in self.pending):
            self.pending = deque(u for u in self.pending if u.expires_at > now)

    def remove(self, update: Update) -> None:
        """Take one update out: it was delivered."""
        if update in self.pending:
            self.pending.remove(update)
