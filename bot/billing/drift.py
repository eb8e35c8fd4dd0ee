"""Whether the API bills what we count: each balance against the ledger, as arithmetic.

The balance is compared only while nothing is under way. The counter of the service lags a little,
so one difference tells nothing; the same side off at three balances running does.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

KEY = "drift"  # under which it is kept
RUNNING = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """A balance, and what the ledger had ever spent when nothing was under way."""

    balance: int
    spent: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Drift:
    """What the account was billed more than the ledger counted, since ``base``.

    ``size`` is in credits, negative where the ledger counted more; ``running`` is at how many
    balances in a row it was off to one side. ``total`` is all that was told of before.
    """

    base: Reading
    last: Reading
    size: int = 0
    running: int = 0
    total: int = 0

    def after_reading(self, reading: Reading) -> Self:
        """Return what another reading makes of it; a larger balance is a top-up: begin anew."""
        if reading.balance > self.base.balance:
            return replace(self, base=reading, last=reading, size=0, running=0)
        size = (self.base.balance - reading.balance) - (reading.spent - self.base.spent)
        if size == 0:
            return replace(self, base=reading, last=reading, size=0, running=0)
        is_same_side = self.size == 0 or (size > 0) == (self.size > 0)
        running = self.running + 1 if is_same_side else 1
        return replace(self, last=reading, size=size, running=running)

    @property
    def is_certain(self) -> bool:
        """Return whether it is no lag of the service's counter."""
        return self.running >= RUNNING

    def after_giving_back(self, credits: int) -> Self:  # noqa: A002 - the project's word
        """Take ``credits`` for never counted, of which the ledger has let go."""
        base = replace(self.base, spent=self.base.spent + credits)
        return replace(self, base=base, size=self.size + credits)

    def after_report(self) -> Self:
        """Begin anew after the owners were told."""
        return replace(self, base=self.last, size=0, running=0, total=self.total + self.size)

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "base": _reading_to_json(self.base),
            "last": _reading_to_json(self.last),
            "size": self.size,
            "running": self.running,
            "total": self.total,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Return what ``to_json`` gave."""
        base, last = _reading_from_json(value["base"]), _reading_from_json(value["last"])
        return cls(base, last, value["size"], value["running"], value["total"])


def _reading_to_json(reading: Reading) -> list[Any]:
    return [reading.balance, reading.spent, reading.at.isoformat()]


def _reading_from_json(value: list[Any]) -> Reading:
    balance, spent, at = value
    return Reading(balance, spent, datetime.fromisoformat(at))
