"""What the operator sets of the checks that the schedule makes."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class PollSettings:
    """Credits a UTC day that are sure for checks, and what a check costs; ``floor``: between two.

    ``credits_a_poll`` is None where the mean holds that the schedule has learned. ``blocked``
    are the names and ids of profiles that nobody may follow; they may change at any time.
    """

    credits_a_day: int = 500
    credits_a_poll: float | None = 2
    floor: timedelta = timedelta(minutes=1)
    blocked: AbstractSet[str] = frozenset()
