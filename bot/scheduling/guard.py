"""How far the learned schedule is trusted: less where an even interval would have done better."""

from dataclasses import dataclass, fields
from typing import Any

from bot.scheduling.forecast import numbers_of
from bot.scheduling.waiting_time import DAY, HOUR

_MEMORY = 7 * DAY
"""In which the two sums forget half."""

_ENOUGH = 1.0
"""Part of the even interval's waiting below which what is learned has to stay."""

LOSES, WINS = 0.5, 0.15
"""How fast the trust falls, a day and unit of the ratio, and how fast it comes back, a day."""

KNOWN = 3.0
"""Days after which a profile is judged by: before, nobody could have learned it."""

_DOUBT = 100.0
"""Stories that speak for trust at the beginning."""


@dataclass(slots=True)
class Guard:
    """Two forgetting sums, and the one exponent between even and learned that follows.

    ``waited`` is the subscriber-hours that stories waited, ``even`` those that they would have
    waited under an even interval of the same spend: half of it each. ``trust`` is 1 for learned
    intervals as they are, 0 for even ones.
    """

    waited: float = 0.0
    even: float = 0.0
    trust: float = 1.0
    at: float = 0.0

    def observe(self, weight: float, delays: list[float], interval: float) -> None:
        """Count stories that a check found so many seconds old; ``interval`` is even, in hours."""
        if not self.even:
            self.even = _DOUBT * weight * interval / 2
            self.waited = 0.8 * self.even
        self.waited += weight * sum(delays) / HOUR
        self.even += weight * len(delays) * interval / 2

    def update(self, at: float) -> None:
        """Move the trust by what the sums say, and forget by the time that has passed."""
        passed = at - self.at if self.at else 0.0
        if self.even > 0:
            over = self.waited / self.even - _ENOUGH
            step = -LOSES * over if over > 0 else WINS
            self.trust = min(max(self.trust + step * passed / DAY, 0.0), 1.0)
        decay = 0.5 ** (passed / _MEMORY)
        self.waited *= decay
        self.even *= decay
        self.at = at

    def between(self, hours: float, interval: float) -> float:
        """Return the interval between the learned ``hours`` and the even one."""
        if self.trust >= 1.0 or hours <= 0:
            return hours
        return float(interval * (hours / interval) ** self.trust)

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"guard": [self.waited, self.even, self.trust, self.at]}

    @classmethod
    def from_json(cls, values: object) -> "Guard":
        """Return what ``to_json`` gave; a new one for anything else."""
        numbers = numbers_of(values.get("guard") if isinstance(values, dict) else None)
        return cls(*numbers) if len(numbers) == len(fields(cls)) else cls()
