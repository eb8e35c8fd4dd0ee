"""The owner of claims, the lease of a claim, and the retry policy.

``bot.store.claims`` writes claims into the rows of a table.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PROCESS = "process:"
"""The prefix of ``Owner.key``."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The owner of a claim, the time of the claim, and the time at which the claim expires."""

    owner: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The pause between two attempts of a task, and the maximum number of attempts.

    The task is abandoned after ``failures`` failures. The task is also abandoned after
    ``attempts`` attempts without an outcome, for example because the process died. None means no
    limit.
    """

    pause: timedelta
    failures: int | None = None
    attempts: int | None = None

    def is_exhausted(self, *, failures: int, attempts: int) -> bool:
        """Return whether a limit is reached, so that the task must not be attempted again."""
        if self.failures is not None and failures >= self.failures:
            return True
        return self.attempts is not None and attempts >= self.attempts

    def next_at(self, attempts: int, *, now: datetime) -> datetime:
        """Return the time of the next attempt. The pause after attempt n is n times ``pause``."""
        return now + self.pause * attempts


class Owner:
    """The identity with which a process claims rows.

    If several processes share a database, each process renews a lease on its identity. After the
    lease has expired, other processes release the claims of this identity.
    """

    def __init__(self) -> None:
        """Create an owner without a lease. Claims do not expire before the first ``renew``."""
        self.key = f"{PROCESS}{uuid.uuid4().hex}"
        self._since = datetime.min.replace(tzinfo=UTC)
        # The end of the process's lease. None means that no other process can release the claims.
        self._until: datetime | None = None

    def renew(self, until: datetime, *, done_at: datetime) -> None:
        """Record that the lease was renewed until ``until``. The renewal ended at ``done_at``.

        If the lease had expired before ``done_at``, another process may have released all claims
        that are older than ``done_at``.
        """
        if self._until is None or not self.is_valid(done_at):
            self._since = done_at
        self._until = until

    def is_valid(self, now: datetime) -> bool:
        """Return whether the process still has its lease, so that work may begin."""
        return self._until is None or now < self._until

    def holds(self, claimed_at: datetime, *, now: datetime) -> bool:
        """Return whether a claim made at ``claimed_at`` is still held by this process."""
        return self._since <= claimed_at and self.is_valid(now)

    def valid_for(self, now: datetime) -> timedelta:
        """Return how long the process has had its lease without an interruption.

        Before the first ``renew``, the result is practically unlimited.
        """
        return now - self._since if self.is_valid(now) else timedelta(0)

    def lease(self, now: datetime, duration: timedelta) -> Lease:
        """Return the lease of a claim that is made at ``now``."""
        return Lease(self.key, now, now + duration)
