"""The owner of claims, the lease of a claim, and the retry policy.

A process claims a database row before the process does the work that the row describes.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PROCESS = "process:"
"""The prefix of ``Owner.key``, which identifies the process that owns a claim."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The owner of a claim, the time of the claim, and the time at which the claim expires."""

    owner: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The pause between two attempts of a task, and the maximum number of attempts."""

    pause: timedelta
    """The pause after the first attempt."""
    failures: int | None = None
    """The number of failed attempts after which the task is abandoned. None means no limit."""
    attempts: int | None = None
    """The number of all attempts after which the task is abandoned. None means no limit."""

    def is_exhausted(self, *, failures: int, attempts: int) -> bool:
        """Return whether a limit is reached, so that the task must not be attempted again."""
        if self.failures is not None and failures >= self.failures:
            return True
        return self.attempts is not None and attempts >= self.attempts

    def next_at(self, attempts: int, *, now: datetime) -> datetime:
        """Return the time of the next attempt after ``attempts`` attempts.

        The pause after the attempt with the number n is n times ``pause``.
        """
        return now + self.pause * attempts


class Owner:
    """The identity with which a process claims rows.

    After the lease of an identity has expired, other processes release the claims of this
    identity.
    """

    def __init__(self) -> None:
        """Create an owner without a lease on its identity.

        Before the first call of ``record_renewal``, ``has_valid_lease`` returns True at any time.
        """
        self.key = f"{PROCESS}{uuid.uuid4().hex}"
        self._since = datetime.min.replace(tzinfo=UTC)
        # The end of the lease on the identity. None means that the process needs no lease, because
        # no other process releases its claims.
        self._until: datetime | None = None

    def record_renewal(self, until: datetime, *, done_at: datetime) -> None:
        """Record a renewal, finished at ``done_at``, of the lease on the identity until ``until``.

        At the first renewal, or if the lease had expired, all claims that were made before
        ``done_at`` count as lost.
        """
        if self._until is None or not self.has_valid_lease(done_at):
            self._since = done_at
        self._until = until

    def has_valid_lease(self, now: datetime) -> bool:
        """Return whether the lease on the identity is valid, so that new work may begin.

        Before the first call of ``record_renewal``, the result is True.
        """
        return self._until is None or now < self._until

    def still_owns_claim(self, claimed_at: datetime, *, now: datetime) -> bool:
        """Return whether a claim that was made at ``claimed_at`` still belongs to this process.

        If the lease on the identity of this process has expired since, the result is False. The
        lease of the claim is not checked.
        """
        return self._since <= claimed_at and self.has_valid_lease(now)

    def uninterrupted_for(self, now: datetime) -> timedelta:
        """Return for how long the process has had its lease without an interruption.

        If the lease has expired, the result is 0.
        """
        return now - self._since if self.has_valid_lease(now) else timedelta(0)

    def new_lease(self, now: datetime, duration: timedelta) -> Lease:
        """Return a lease for a claim that this owner makes at ``now``. Nothing is stored.

        The lease expires at ``now + duration``.
        """
        return Lease(self.key, now, now + duration)
