"""Detection of a time in which all scheduled checks fail, for any cause."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LASTING = timedelta(minutes=30)
_ENOUGH = 3  # minimum number of failed checks before an owner is notified


@dataclass(slots=True)
class FailedChecks:
    """The failed checks since the last successful check."""

    count: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    why: str = ""

    def record_failure(self, why: str, now: datetime) -> None:
        """Record a failed check and its cause, which is shown to the owner."""
        self.count += 1
        self.first_at = self.first_at or now
        self.last_at, self.why = now, why

    def record_success(self) -> None:
        """Reset the state after a successful check.

        A private or deleted profile is also a success.
        """
        self.count, self.first_at, self.last_at, self.why = 0, None, None, ""

    @property
    def cause(self) -> str | None:
        """Return the cause of the last failure if all checks have failed for 30 minutes, or None.

        At least 3 checks must have failed.
        """
        if self.first_at is None or self.last_at is None or self.count < _ENOUGH:
            return None
        return self.why if self.last_at - self.first_at >= LASTING else None
