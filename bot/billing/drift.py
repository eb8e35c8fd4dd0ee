"""The comparison of each balance at the Stories API with the ledger.

The API updates its balance with a short delay, so only three differences in a row with the same
sign prove a lasting difference (drift).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

KEY = "drift"  # the key of the drift in the database's table of key-value pairs
RUNNING = 3  # the number of balances in a row that prove a drift
# The minimum time between two balances that count. The time is longer than the delay of the API.
_APART = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Reading:
    """A balance at the API, and the total spending in the ledger at the same time, in credits.

    No call is in flight at the time of a reading.
    """

    balance: int
    spent: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Drift:
    """The difference between the credits that the API billed and the credits in the ledger."""

    base: Reading
    """The reading from which the difference is counted."""
    last: Reading
    """The newest reading that counts."""
    size: int = 0
    """The difference in credits.
    A negative size means that the API billed less than the ledger counted.
    """
    running: int = 0
    """The number of balances in a row with a difference of the same sign."""
    total: int = 0
    """The sum of all differences that were reported to the owners, in credits."""

    def after_reading(self, reading: Reading) -> Self:
        """Return the drift after a new reading of the balance.

        A reading within 30 seconds after ``last`` changes nothing. After a purchase of credits, or
        without a difference, the new reading becomes ``base``.
        """
        if reading.at < self.last.at + _APART:
            return self
        if reading.balance > self.base.balance:
            return replace(self, base=reading, last=reading, size=0, running=0)
        size = (self.base.balance - reading.balance) - (reading.spent - self.base.spent)
        if size == 0:
            return replace(self, base=reading, last=reading, size=0, running=0)
        is_same_side = self.size == 0 or (size > 0) == (self.size > 0)
        running = self.running + 1 if is_same_side else 1
        return replace(self, last=reading, size=size, running=running)

    @property
    def is_confirmed(self) -> bool:
        """Return whether at least three balances in a row have a difference of the same sign.

        In that case the cause of the difference can't be the delay of the API.
        """
        return self.running >= RUNNING

    def after_refund(self, credits: int) -> Self:  # noqa: A002 - the field's term
        """Return the drift after the ledger has refunded ``credits`` that the API did not bill."""
        base = replace(self.base, spent=self.base.spent + credits)
        return replace(self, base=base, size=self.size + credits)

    def after_report(self) -> Self:
        """Return the drift after its size was reported to the owners.

        The size is added to ``total``. The next difference is counted from ``last``.
        """
        return replace(self, base=self.last, size=0, running=0, total=self.total + self.size)

    def to_json(self) -> dict[str, Any]:
        """Return the drift as a JSON object."""
        return {
            "base": _reading_to_json(self.base),
            "last": _reading_to_json(self.last),
            "size": self.size,
            "running": self.running,
            "total": self.total,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Return the drift from the result of ``to_json``."""
        base, last = _reading_from_json(value["base"]), _reading_from_json(value["last"])
        return cls(base, last, value["size"], value["running"], value["total"])


def _reading_to_json(reading: Reading) -> list[Any]:
    return [reading.balance, reading.spent, reading.at.isoformat()]


def _reading_from_json(value: list[Any]) -> Reading:
    balance, spent, at = value
    return Reading(balance, spent, datetime.fromisoformat(at))
