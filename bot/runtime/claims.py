"""The owner of claims, the lease of a claim, and the policy of retries.

``bot.store.claims`` has the protocol that writes claims into the rows of a table.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PROCESS = "process:"
"""The prefix of the key of each owner."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The owner of a claim, the time of the claim, and the end of its lease."""

    owner: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The pause between attempts of a piece of work, and the limits of attempts.

    The work is abandoned after ``failures`` failures, or after ``attempts`` attempts without an
    outcome (the process died, or a statement took too long). None means no limit.
    """

    pause: timedelta
    failures: int | None = None
    attempts: int | None = None

    def is_exhausted(self, *, failures: int, attempts: int) -> bool:
        """Return whether a limit is reached, so that the work must not be attempted again."""
        if self.failures is not None and failures >= self.failures:
            return True
        return self.attempts is not None and attempts >= self.attempts

    def next_at(self, attempts: int, *, now: datetime) -> datetime:
        """Return the time of the next attempt. The n-th pause is n times the first pause."""
        return now + self.pause * attempts


class Owner:
    """The identity with which a process claims rows.

    If several processes share a database, each process renews a lease on its identity. After the
    end of that lease, another process releases the claims of the identity.
    """

    def __init__(self) -> None:
        """Create an owner whose claims do not end before the first ``renew``."""
        self.key = f"{PROCESS}{uuid.uuid4().hex}"
        self._since = datetime.min.replace(tzinfo=UTC)
        # The end of the process's lease; None: no other process can release the claims.
        self._until: datetime | None = None

    def renew(self, until: datetime, *, done_at: datetime) -> None:
        """Record a renewal that ended ``done_at``: the lease of the process lasts ``until``.

        If the previous lease ended before ``done_at``, another process may have released all
        claims that are older than ``done_at``.
        """
        if self._until is None or not self.is_valid(done_at):
            self._since = done_at
        self._until = until

    def is_valid(self, now: datetime) -> bool:
        """Return whether the lease of the process is valid, so that work may begin."""
        return self._until is None or now < self._until

    def holds(self, claimed_at: datetime, *, now: datetime) -> bool:
        """Return whether no other process can have released a claim of that time."""
        return self._since <= claimed_at and self.is_valid(now)

    def valid_for(self, now: datetime) -> timedelta:
        """Return how long the lease of the process has lasted without a gap."""
        return now - self._since if self.is_valid(now) else timedelta(0)

    def lease(self, now: datetime, duration: timedelta) -> Lease:
        """Return the lease of a claim that is made now."""
        return Lease(self.key, now, now + duration)
