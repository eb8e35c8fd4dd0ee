"""Where the limits of calls are kept: in memory for one process, in the database for several.

What is decided is pure (``limits``); here stands on what state it is decided, and by which clock.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import structlog

from bot.domain.errors import DatabaseUnavailableError
from bot.store import leases
from bot.store.database import Database, Tx
from bot.stories_api.limits import Breaker, CallRate, Refused

log = structlog.get_logger()

T = TypeVar("T")

_KEY = "stories api"
_REFUSED_KEY = "stories api refuses:"
_MOST_AHEAD_S = 300.0  # a clock that was set back must not close the API
_REMEMBERED = timedelta(
    seconds=Refused.LONGEST
)  # how often a subject failed, once it may be asked


@dataclass(slots=True)
class AccountState:
    """The even rate, the breaker, and the subjects that are refused."""

    call_rate: CallRate
    breaker: Breaker = field(default_factory=Breaker)
    refused: Refused = field(default_factory=Refused)


_Decide = Callable[[AccountState, float, str], T]
"""Takes the state, the seconds of its clock, and by which name it knows the subject."""


class LocalLimits:
    """The limits of the only process."""

    def __init__(self, state: AccountState, clock: Callable[[], float]) -> None:
        """Keep ``state``; ``clock`` is in seconds and never goes back."""
        self.state = state
        self.now = clock

    def is_quiet(self, subject: str) -> bool:  # noqa: ARG002 - as replicas need it
        """Return whether, as far as is known here, an answer about it would change nothing.

        To note it costs nothing here.
        """
        return False

    async def decide(self, subject: str, decide: _Decide[T]) -> T:
        """Return what ``decide``, which may run twice, makes of the state; keep its changes."""
        return decide(self.state, self.now(), subject)


class SharedLimits:
    """The limits of several processes: one row for all, and one for each refused subject.

    Who holds the first may change any of them. While the database can't work, a process goes on
    with what it knew last. All replicas' clocks should agree.
    """

    def __init__(self, db: Database, state: AccountState, now: Callable[[], datetime]) -> None:
        """Keep the rows in ``db``; ``state`` is the copy of this process."""
        self._db = db
        self.state = state
        self._time = now
        self._turn = asyncio.Lock()  # all wait for one row: one connection will do

    def now(self) -> float:
        """Return the seconds of the clock by which the state goes: Unix time."""
        return self._time().timestamp()

    def is_quiet(self, subject: str) -> bool:
        """See LocalLimits."""
        breaker, refused = self.state.breaker, self.state.refused
        return not (breaker.is_open or breaker.suspects or _name_of(subject) in refused.rows)

    async def decide(self, subject: str, decide: _Decide[T]) -> T:
        """See LocalLimits."""
        name = _name_of(subject)

        async def work(tx: Tx) -> T:
            kept = await leases.lock(tx, _KEY) or {}
            names = {name, *kept.get("suspects", {})}
            rows = await leases.peek_all(tx, [_REFUSED_KEY + one for one in names])
            now = self.now()
            self._load(kept, rows, names, now)
            result = decide(self.state, now, name)
            await self._save(tx, kept, rows, names, now)
            return result

        try:
            async with self._turn:
                return await self._db.run(work, durable=False)
        except DatabaseUnavailableError as error:
            log.warning("the limits of the Stories API can't be shared", why=str(error))
            return decide(self.state, self.now(), name)

    def _load(
        self, kept: dict[str, Any], rows: dict[str, Any], names: set[str], now: float
    ) -> None:
        call_rate, breaker, refused = self.state.call_rate, self.state.breaker, self.state.refused
        call_rate.next_at = min(kept.get("next_at", 0.0), now + _MOST_AHEAD_S)
        breaker.suspects = dict(kept.get("suspects", {}))
        breaker.probe_at = kept.get("probe_at")
        if breaker.probe_at is not None:
            breaker.probe_at = min(breaker.probe_at, now + breaker.PROBE_EVERY)
        breaker.asking_until = min(kept.get("asking_until", 0.0), now + breaker.PROBE_LASTS)
        breaker.answered_at = [min(at, now) for at in kept.get("answered_at", [])]
        refused.forgive(names)
        for name in names:
            if state := rows.get(_REFUSED_KEY + name):
                refused.rows[name] = (state["failures"], state["until"])

    async def _save(
        self, tx: Tx, kept: dict[str, Any], rows: dict[str, Any], names: set[str], now: float
    ) -> None:
        call_rate, breaker = self.state.call_rate, self.state.breaker
        state = {
            "next_at": call_rate.next_at,
            "suspects": breaker.suspects,
            "probe_at": breaker.probe_at,
            "asking_until": breaker.asking_until,
            "answered_at": breaker.answered_at,
        }
        if state != kept:
            await leases.write(tx, _KEY, state, until=_time(now + _MOST_AHEAD_S))
        for key in (_REFUSED_KEY + name for name in names):
            row = self.state.refused.rows.get(key.removeprefix(_REFUSED_KEY))
            refusal = {"failures": row[0], "until": row[1]} if row else None
            if refusal == rows.get(key):
                continue
            if refusal is None or row is None:
                await leases.remove(tx, key)
            else:
                await leases.put(tx, key, refusal, until=_time(row[1]) + _REMEMBERED)


AccountLimits = LocalLimits | SharedLimits
"""The state of the limits, shared by all who spend of one account."""


def _name_of(subject: str) -> str:
    """Return a short name of an id, a name or an address, which also tells nobody what it was."""
    return hashlib.sha256(subject.encode()).hexdigest()[:32]


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
