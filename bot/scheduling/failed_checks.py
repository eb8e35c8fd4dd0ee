"""Whether every check of the schedule fails, whatever the cause: pure state."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LASTING = timedelta(minutes=30)
_ENOUGH = 3  # failed checks; one profile alone may be checked rarely


@dataclass(slots=True)
class FailedChecks:
    """The checks that failed since the last check that worked."""

    count: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    why: str = ""

    def record_failure(self, why: str, now: datetime) -> None:
        """Record a check that failed, with its cause for the owner."""
        self.count += 1
        self.first_at = self.first_at or now
        self.last_at, self.why = now, why

    def record_success(self) -> None:
        """Record a check that worked, or that proved a profile to be private or gone."""
        self.count, self.first_at, self.last_at, self.why = 0, None, None, ""

    @property
    def cause(self) -> str | None:
        """Return the cause of the last failure once every check of half an hour has failed."""
        if self.first_at is None or self.last_at is None or self.count < _ENOUGH:
            return None
        return self.why if self.last_at - self.first_at >= LASTING else None
