"""A bot's updates. As at Telegram, updates have numbers, queues, filters and an expiry."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.clock import Clock

NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
_DAY_S = 86400.0
LIFETIME_S = {  # lifetime of an update in sandbox seconds; telegram-bot-api, Client.cpp
    "callback_query": 150.0,
    "inline_query": 30.0,
    "chosen_inline_result": 600.0,
}


@dataclass(slots=True)
class Update:
    """A pending update."""

    id: int
    kind: str
    payload: dict[str, Any]
    queue: str  # updates in a queue are delivered in order, one at a time
    expires_at: float
    attempts: int = 0
    in_flight: bool = False

    def body(self) -> dict[str, Any]:
        """Return the update as the Bot API's object Update."""
        return {"update_id": self.id, self.kind: self.payload}


@dataclass(slots=True)
class Poll:
    """A waiting getUpdates call. A newer call ends the waiting call with a conflict."""

    conflict: bool = False
    taken_over_by_webhook: bool = False


@dataclass
class Inbox:
    """The pending updates of a bot."""

    clock: Clock
    pending: deque[Update] = field(default_factory=deque)
    allowed: frozenset[str] | None = None  # None means all kinds except NOT_BY_DEFAULT
    last_id: int = 100_000_000
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    poll: Poll | None = None
    last_offset: int | None = None
    last_start: float = -10.0  # start of the last getUpdates call, on the event loop's clock

    def accepts(self, kind: str) -> bool:
        """Return whether the bot accepts a kind of update."""
        if self.allowed is None:
            return kind not in NOT_BY_DEFAULT
        return kind in self.allowed

    def allow(self, kinds: Iterable[str]) -> None:
        """Set allowed_updates. An empty list restores the default."""
        wanted = frozenset(kinds)
        self.allowed = wanted or None

    def put(self, kind: str, payload: dict[str, Any], queue: str) -> int | None:
        """Add an update. Return its id, or None if the bot does not accept this kind of update."""
        if not self.accepts(kind):
            return None
        self.last_id += 1
        expires_at = self.clock.now() + LIFETIME_S.get(kind, _DAY_S)
        self.pending.append(Update(self.last_id, kind, payload, queue, expires_at))
        self.wake()
        return self.last_id

    def wake(self) -> None:
        """Wake all tasks that wait for `arrived`, so that the tasks check for updates again."""
        arrived, self.arrived = self.arrived, asyncio.Event()
        arrived.set()

    def confirm(self, offset: int) -> None:
        """Remove the updates with ids below `offset`.

        An `offset` of -n keeps only the latest n updates.
        """
        if offset < 0:
            while len(self.pending) > -offset:
                self.pending.popleft()
            return
        while self.pending and self.pending[0].id < offset:
            self.pending.popleft()

    def drop_expired(self) -> None:
        """Remove the expired updates."""
        now = self.clock.now()
        if any(update.expires_at <= now for update in self.pending):
            self.pending = deque(u for u in self.pending if u.expires_at > now)

    def remove(self, update: Update) -> None:
        """Remove a delivered update."""
        if update in self.pending:
            self.pending.remove(update)
