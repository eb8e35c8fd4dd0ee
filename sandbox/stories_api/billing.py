"""Prices of requests to the Stories API, and the rate limit."""

from collections import Counter
from dataclasses import dataclass, field

from sandbox.clock import Clock

# Responses with the statuses 401, 402, 410, 429 and 5xx are free.
BILLED = frozenset({200, 302, 307, 400, 403, 404, 422})
PRICE = 0.001  # US dollars per request, on the standard plan
USUAL_RATE = 15  # requests per second on a paid plan


@dataclass
class Billing:
    """An account: the balance, the charges by path, and a token bucket."""

    clock: Clock
    balance: int = 1_000_000
    rate: float | None = None  # requests per second; None means no limit
    # Statuses that are billed although they should be free.
    also_billed: frozenset[int] = frozenset()
    by_path: Counter[str] = field(default_factory=Counter)
    _tokens: float = 0.0
    _filled_at: float = 0.0

    @property
    def total(self) -> int:
        """Return the total of billed credits."""
        return self.by_path.total()

    def set_rate_limit(self, rate: float | None) -> None:
        """Set the rate limit in requests per second. A burst may have as many requests."""
        self.rate = rate
        self._tokens = rate or 0.0
        self._filled_at = self.clock.now()

    def acquire_token(self) -> float:
        """Take a token from the bucket. Return 0, or the seconds until a token is available.

        If the result is not 0, no token is taken.
        """
        if self.rate is None:
            return 0.0
        now = self.clock.now()
        grown = self._tokens + (now - self._filled_at) * self.rate
        self._tokens, self._filled_at = min(self.rate, grown), now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self.rate

    def charge(self, path: str, cost: int, status: int) -> int:
        """Charge a request by the status of the response. Return the billed credits."""
        if status not in BILLED | self.also_billed or cost == 0:
            return 0
        self.by_path[path] += cost
        self.balance -= cost
        return cost

    def statement(self) -> dict[str, object]:
        """Return the response of `/sys/balance`."""
        return {
            "requests": self.balance,
            "rate": USUAL_RATE if self.rate is None else self.rate,
            "currency": "USD",
            "amount": round(self.balance * PRICE, 4),
        }
