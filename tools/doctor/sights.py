"""What was seen of each belief that the stand-ins hold (``sandbox.beliefs``); pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.beliefs import BELIEFS, TELEGRAM


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of a belief; ``seen`` is None where it could not be tried, ``why`` says so."""

    name: str
    seen: str | None
    why: str = ""

    @property
    def believed(self) -> str:
        """Return the value that the stand-ins go by."""
        return BELIEFS[self.name][0]

    @property
    def agrees(self) -> bool | None:
        """Return whether we were right; None where nobody knows."""
        return None if self.seen is None else self.seen == self.believed


@dataclass(slots=True)
class Sights:
    """What was seen so far, by name; each belief is seen once."""

    by_name: dict[str, Sight] = field(default_factory=dict)

    def see(self, name: str, seen: str | None, why: str = "") -> None:
        """Note what was seen; the first sight of a belief counts."""
        self.by_name.setdefault(name, Sight(name, seen, why))

    def skip(self, names: Iterable[str], why: str) -> None:
        """Note that some beliefs could not be tried."""
        for name in names:
            self.see(name, None, why)

    def in_order(self) -> list[Sight]:
        """Return one sight a belief; what was forgotten, as untried."""
        return [self.by_name.get(name) or Sight(name, None, "not reached") for name in BELIEFS]

    def to_json(self) -> list[dict[str, Any]]:
        """Return what a file holds: names and values, and no secret."""
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
