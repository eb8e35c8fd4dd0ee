"""The doctor's results for each assumption of the sandbox (``sandbox.beliefs``), without I/O."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.beliefs import BELIEFS, TELEGRAM


@dataclass(frozen=True, slots=True)
class Sight:
    """The result for an assumption.

    ``seen`` is None if there is no result. In that case, ``why`` is the reason.
    """

    name: str
    seen: str | None
    why: str = ""

    @property
    def believed(self) -> str:
        """Return the value that the sandbox assumes."""
        return BELIEFS[self.name][0]

    @property
    def agrees(self) -> bool | None:
        """Return whether the assumption is true. Return None if there is no result."""
        return None if self.seen is None else self.seen == self.believed


@dataclass(slots=True)
class Sights:
    """The results by the name of the assumption. Each assumption has one result."""

    by_name: dict[str, Sight] = field(default_factory=dict)

    def see(self, name: str, seen: str | None, why: str = "") -> None:
        """Record a result. Only the first result for an assumption counts."""
        self.by_name.setdefault(name, Sight(name, seen, why))

    def skip(self, names: Iterable[str], why: str) -> None:
        """Record that some assumptions could not be tested."""
        for name in names:
            self.see(name, None, why)

    def in_order(self) -> list[Sight]:
        """Return one result per assumption. The reason for a missing result is "not reached"."""
        return [self.by_name.get(name) or Sight(name, None, "not reached") for name in BELIEFS]

    def to_json(self) -> list[dict[str, Any]]:
        """Return the contents of the doctor's file: names and values, without secrets."""
        return [
            {
                "name": one.name,
                "service": "telegram" if one.name in TELEGRAM else "stories",
                "believed": one.believed,
                "seen": one.seen,
                "agrees": one.agrees,
                "why": one.why,
            }
            for one in self.in_order()
        ]
