"""The pause of a process whose database is a copy of another process's database.

If two processes poll with the same token, Telegram ends polls with a 409 response. Without a
pause, both processes would send every alert. With PostgreSQL, all processes share one database, so
no pause is needed.
"""

import hashlib
import re
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, TypeAlias

import structlog

from bot.store import key_values
from bot.store.engine.database import Database, Tx

FirstRun: TypeAlias = None
"""In the type of a stored place, no earlier run stored a place."""

log = structlog.get_logger()

LASTING = timedelta(minutes=3)
"""The minimum duration of a conflict that counts as lasting.

A shorter conflict is ignored, because two processes overlap for a short time while a new version
of the bot is installed.
"""
GAP = timedelta(seconds=90)
"""The time without a 409 response to a poll after which a conflict is over.

The time is longer than the pause between two polls. The pause is at most 30 seconds, unless
Telegram demands a longer pause.
"""
LONGEST_DOUBT = timedelta(minutes=10)
"""The maximum duration of a pause of a process whose role is "unknown".

See ``must_pause_checks_and_alerts``.
"""
SETTLED = timedelta(days=1)
"""The time without a conflict after which the new place of a moved database is stored."""
_FEWEST = 3  # minimum number of 409 responses that prove a lasting conflict
# To save memory, an answer is not recorded within this time after the last recorded answer.
_THINNED = timedelta(seconds=1)
_KEY = "origin"
_MACHINE_ID = Path("/etc/machine-id")
_CONTAINER_ID = re.compile(r"[0-9a-f]{12}")
_ID_LENGTH = 16  # the number of characters of a hashed host name

Role = Literal["alone", "original", "copy", "unknown"]


@dataclass(frozen=True, slots=True)
class Origin:
    """The host and the absolute path of a database file.

    The host is an empty string if the machine has no fixed name.
    """

    host: str
    path: str


@dataclass(frozen=True, slots=True)
class Polls:
    """The recent results of the polls."""

    conflicts: tuple[datetime, ...] = ()
    """The times of recent 409 responses."""
    answers: tuple[datetime, ...] = ()
    """The times of recent answers."""
    since: datetime | None = None
    """The start of the last conflict, or None if no conflict has happened."""
    answered_since: datetime | None = None
    """The start of the current period without a 409 response, or None."""
    was_first: bool = False
    """Whether a conflict has ever begun after three minutes of answered polls."""

    def with_conflict(self, at: datetime) -> "Polls":
        """Return the results with one more poll, which ended with 409 at the time ``at``."""
        is_new = not self.conflicts or at - self.conflicts[-1] > GAP
        return replace(
            self,
            conflicts=(*_recent(self.conflicts, at), at),
            since=at if is_new else self.since,
            answered_since=None,
            was_first=self.was_first or self.answered_for(at) >= LASTING,
        )

    def with_answer(self, at: datetime) -> "Polls":
        """Return the results with one more poll, which was answered at the time ``at``.

        An answer less than a second after the last recorded answer is omitted, unless a 409
        response came in between.
        """
        last = self.answers[-1] if self.answers else None
        if last is not None and self.answered_since and timedelta(0) <= at - last < _THINNED:
            return self
        is_silent = last is None or at - last > GAP
        since = at if is_silent or self.answered_since is None else self.answered_since
        return replace(self, answers=(*_recent(self.answers, at), at), answered_since=since)

    def answered_for(self, now: datetime) -> timedelta:
        """Return the duration of the current period in which Telegram answers polls without a 409.

        A pause of more than ``GAP`` ends the period. Without a current period, the result is 0.
        """
        if self.answered_since is None or now - self.answers[-1] > GAP:
            return timedelta(0)
        return now - self.answered_since

    def has_lasting_conflict(self, now: datetime) -> bool:
        """Return whether a conflict exists now and has lasted for three minutes (``LASTING``).

        In the last three minutes, at least 3 polls and most of the recorded polls must have failed
        with 409.
        """
        if self.since is None or now - self.conflicts[-1] > GAP:
            return False
        conflicts = len(_recent(self.conflicts, now))
        is_most = conflicts >= _FEWEST and len(_recent(self.answers, now)) < conflicts
        return is_most and self.conflicts[-1] - self.since >= LASTING


def role_in_token_conflict(
    polls: Polls, *, own: Origin, remembered: Origin | FirstRun, now: datetime
) -> Role:
    """Return the role of this process among two processes with the same token.

    ``own`` is the present place of the database. ``remembered`` is the stored place, or None in
    the first run. The first rule that applies decides:

    - Without a lasting conflict, the role is "alone".
    - If the two places differ, the role is "copy".
    - If three minutes of polls without a 409 preceded a conflict, the role is "original".
    - Otherwise, the role is "unknown".
    """
    if not polls.has_lasting_conflict(now):
        return "alone"
    if remembered is not None and remembered != own:
        return "copy"
    return "original" if polls.was_first else "unknown"


def must_pause_checks_and_alerts(
    polls: Polls, *, own: Origin, remembered: Origin | FirstRun, now: datetime
) -> bool:
    """Return whether this process must pause its checks and alerts now.

    A process with the role "copy" pauses until the end of the conflict. A process with the role
    "unknown" pauses for at most ten minutes (``LONGEST_DOUBT``).
    """
    role = role_in_token_conflict(polls, own=own, remembered=remembered, now=now)
    if role == "unknown" and polls.since is not None:
        return now < polls.since + LASTING + LONGEST_DOUBT
    return role == "copy"


class PollConflicts:
    """Records the results of polls, and decides whether to pause checks and alerts."""

    def __init__(
        self, own: Origin | None, remembered: Origin | None, *, now: Callable[[], datetime]
    ) -> None:
        """Create a record that contains no polls yet.

        ``own`` is the present place of the SQLite file. ``remembered`` is the place in an earlier
        run, or None in the first run. If the database has no SQLite file, ``own`` is None,
        and nothing is ever paused.
        """
        self._own = own
        self._remembered = remembered
        self._now = now
        self._polls = Polls()
        self._was_paused = False

    def add_conflict_to_recent_polls(self) -> None:
        """Record that Telegram ended a poll because another process polls."""
        self._polls = self._polls.with_conflict(self._now())

    def add_answer_to_recent_polls(self) -> None:
        """Record that Telegram answered a poll."""
        self._polls = self._polls.with_answer(self._now())

    def has_lasting_conflict(self) -> bool:
        """Return whether a conflict exists now and has lasted for three minutes (``LASTING``)."""
        return self._polls.has_lasting_conflict(self._now())

    def must_pause_and_log_changes(self) -> bool:
        """Return whether to pause checks and alerts now. Log each change of the result."""
        if self._own is None:
            return False
        is_paused = must_pause_checks_and_alerts(
            self._polls, own=self._own, remembered=self._remembered, now=self._now()
        )
        if is_paused != self._was_paused:
            self._was_paused = is_paused
            event = "checks and alerts pause" if is_paused else "checks and alerts go on"
            why = "another process polls with the same token" if is_paused else ""
            log.warning(event, why=why, here=self._own.path)
        return is_paused

    async def store_moved_origin_if_settled(self, tx: Tx) -> None:
        """Store the new place of a moved database after a day (``SETTLED``) without a conflict.

        Until then, a restart keeps the role "copy", because the stored place still differs.
        """
        is_moved = self._remembered is not None and self._remembered != self._own
        if is_moved and self._own and self._polls.answered_for(self._now()) >= SETTLED:
            await key_values.put(tx, _KEY, asdict(self._own))
            self._remembered = self._own


async def load_or_store_origin_of_database(
    db: Database, *, now: Callable[[], datetime]
) -> PollConflicts:
    """Return a ``PollConflicts`` with the present and the stored place of the SQLite file.

    In the first run, store the present place. If the database has no SQLite file, read and
    store nothing.
    """
    if db.file is None:
        return PollConflicts(None, None, now=now)
    own = Origin(fixed_machine_name(), str(db.file.absolute()))

    async def read_or_write(tx: Tx) -> Origin | None:
        if await key_values.add(tx, _KEY, asdict(own)):
            return None
        return Origin(**await key_values.get(tx, _KEY) or {})

    return PollConflicts(own, await db.run(read_or_write), now=now)


def fixed_machine_name(machine_id: Path = _MACHINE_ID) -> str:
    """Return a hash of the machine id. Without a machine id, return the host name.

    If the host name is the id of a Docker container, which is not fixed, return an empty string.
    """
    try:
        identity = machine_id.read_text().strip()
    except (OSError, UnicodeDecodeError):
        identity = ""
    if identity:  # machine-id(5) requires that only a hash of the id is shown to others
        return hashlib.sha256(f"storybell {identity}".encode()).hexdigest()[:_ID_LENGTH]
    name = socket.gethostname()
    return "" if _CONTAINER_ID.fullmatch(name) else name


def _recent(times: tuple[datetime, ...], now: datetime) -> tuple[datetime, ...]:
    """Return those of ``times`` that are less than ``LASTING`` before ``now``."""
    return tuple(at for at in times if now - at < LASTING)
