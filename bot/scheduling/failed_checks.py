"""The detection that all scheduled checks have failed for 30 minutes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LASTING = timedelta(minutes=30)
_ENOUGH = 3  # the minimum number of failed checks before the owners are notified


@dataclass(slots=True)
class FailedChecks:
    """The failed scheduled checks since the last successful check."""

    count: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    why: str = ""

    def record_failure(self, why: str, now: datetime) -> None:
        """Record a failed check and its cause ``why``. The cause can be shown to the owners."""
        self.count += 1
        self.first_at = self.first_at or now
        self.last_at, self.why = now, why

    def record_success(self) -> None:
        """Reset the state after a successful check.

        A check that finds a private or deleted profile is also successful.
        """
        self.count, self.first_at, self.last_at, self.why = 0, None, None, ""

    @property
    def cause_if_lasting(self) -> str | None:
        """Return the cause of the last failure if all checks have failed for 30 minutes.

        Return None otherwise, or if fewer than 3 checks have failed. The time counts from the
        first to the last failure.
        """
        if self.first_at is None or self.last_at is None or self.count < _ENOUGH:
            return None
        return self.why if self.last_at - self.first_at >= LASTING else None
