"""What requests of the Stories API cost, and how many a second are let through."""

from collections import Counter
from dataclasses import dataclass, field

from sandbox.clock import Clock

BILLED = frozenset({200, 302, 307, 400, 403, 404, 422})  # 401, 402, 410, 429 and 5xx are free
PRICE = 0.001  # US dollars a request, on the standard plan
USUAL_RATE = 15  # requests a second on a paid plan


@dataclass
class Billing:
    """One account: its balance, what was billed where, and a bucket of tokens."""

    clock: Clock
    balance: int = 1_000_000
    rate: float | None = None  # requests a second; None lets all through
    also_billed: frozenset[int] = frozenset()  # statuses that are billed against the promise
    by_path: Counter[str] = field(default_factory=Counter)
    _tokens: float = 0.0
    _filled_at: float = 0.0

    @property
    def total(self) -> int:
        """Credits billed in all."""
        return self.by_path.total()

    def limit(self, rate: float | None) -> None:
        """Let so many requests a second through, with as many at once."""
        self.rate = rate
        self._tokens = rate or 0.0
        self._filled_at = self.clock.now()

    def admit(self) -> float:
        """Take a token; 0 if there was one, else the seconds until there is."""
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
        """Debit what a request with this answer costs; the credits billed."""
        if status not in BILLED | self.also_billed or cost == 0:
            return 0
        self.by_path[path] += cost
        self.balance -= cost
        return cost

    def statement(self) -> dict[str, object]:
        """The answer of `/sys/balance`."""
        return {
            "requests": self.balance,
            "rate": USUAL_RATE if self.rate is None else self.rate,
            "currency": "USD",
            "amount": round(self.balance * PRICE, 4),
        }
