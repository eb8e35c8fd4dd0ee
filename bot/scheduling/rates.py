"""How fast a profile posts: experts who forget at different paces, weighed by their forecasts.

People change: who posted ten stories yesterday may be silent for weeks, and another keeps one pace
for years. So each profile keeps the sums of its stories under several half-lives, and the expected
rate is a mixture of what these say. The weights of the mixture are common to all profiles and are
learned by expectation maximisation (the classic one for a mixture of Poisson intensities): each
story that a check shows is credited to the experts in proportion to what they expected.
"""

from array import array
from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass, field
from math import exp, inf, log
from operator import mul
from typing import Any

from bot.scheduling.waiting_time import DAY

HALF_LIVES = (0.5, 1.5, 6.0, 24.0)
"""Days in which the sums of a profile's stories forget half."""

PRIORS = (0.5, 2.0, 8.0)
"""Days of the population's mean rate that are added to a profile's own past."""

EXPERTS = len(HALF_LIVES) * len(PRIORS) + 1
"""One for each half-life and prior, and last one who knows the population alone."""

MEMORY = 10 * DAY
"""In which what the weights are learned from forgets half."""

DECAYS = tuple(log(2) / days for days in HALF_LIVES)  # a day
_SPEEDS, _BONDS = (0.02, 0.13, 0.6, 0.25), (0.9, 0.08, 0.02)  # parts by half-life and by prior
WEIGHTS = (*(0.99 * speed * bond for speed in _SPEEDS for bond in _BONDS), 0.01)
"""Of the experts, before anything is learned: a memory of some days, a prior of half a day."""

_DOUBT = 150.0  # stories that speak for the weights as they are
_LEAST = 1e-3  # of a weight, so that an expert can come back


def no_sums() -> MutableSequence[float]:
    """Return the sums of a profile of which nothing is known."""
    return array("d", [0.0] * len(HALF_LIVES))


def steady_sums(rate: float, age: float) -> MutableSequence[float]:
    """Return the sums of a profile that posted ``rate`` stories a day for ``age`` days."""
    return array("d", [rate * (1.0 - exp(-decay * age)) / decay for decay in DECAYS])


def guesses(sums: Sequence[float], age: float, common: float) -> list[float]:
    """Return what each expert expects, stories a day, of a profile known for ``age`` days.

    ``common`` is the population's mean rate, stories a day.
    """
    rates = []
    for total, decay in zip(sums, DECAYS, strict=True):
        days = (1.0 - exp(-decay * age)) / decay
        rates += [(total + prior * common) / (days + prior) for prior in PRIORS]
    rates.append(common)
    return rates


def terms_of(weights: Sequence[float], age: float, common: float) -> list[float]:
    """Return what the mixture adds for each story of the sums, and last what it adds anyway.

    The mean of ``guesses`` under ``weights`` is linear in the sums: this is the line.
    """
    terms = []
    constant = weights[-1] * common
    place = 0
    for decay in DECAYS:
        days = (1.0 - exp(-decay * age)) / decay
        slope = 0.0
        for prior in PRIORS:
            part = weights[place] / (days + prior)
            slope += part
            constant += part * prior * common
            place += 1
        terms.append(slope)
    return [*terms, constant]


@dataclass(slots=True)
class Mixture:
    """The weights of the experts, and what they are learned from.

    ``credited`` are the stories by expert, divided by its weight; ``expected`` what it expected.
    """

    weights: tuple[float, ...] = WEIGHTS
    credited: list[float] = field(default_factory=lambda: [_DOUBT] * EXPERTS)
    expected: list[float] = field(default_factory=lambda: [_DOUBT] * EXPERTS)
    at: float = 0.0

    def observe(self, estimates: Sequence[float], days: float, stories: float) -> None:
        """Learn that ``stories`` came in ``days``, where the experts had said ``estimates``."""
        expected = self.expected
        for number, guess in enumerate(estimates):
            expected[number] += guess * days
        if stories:
            mean = sum(map(mul, self.weights, estimates))
            credited = self.credited
            for number, guess in enumerate(estimates):
                credited[number] += stories * guess / mean

    def update(self, at: float) -> None:
        """Weigh the experts anew, and forget by the time that has passed."""
        raw = [
            max(weight * credited / expected, _LEAST)
            for weight, credited, expected in zip(
                self.weights, self.credited, self.expected, strict=True
            )
        ]
        total = sum(raw)
        self.weights = tuple(value / total for value in raw)
        decay = 0.5 ** (max(0.0, at - self.at) / MEMORY) if self.at else 1.0
        new = _DOUBT * (1.0 - decay)
        self.credited = [value * decay + new for value in self.credited]
        self.expected = [value * decay + new for value in self.expected]
        self.at = at

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "half_lives": HALF_LIVES,
            "priors": PRIORS,
            "weights": self.weights,
            "credited": self.credited,
            "expected": self.expected,
            "at": self.at,
        }

    @classmethod
    def from_json(cls, values: object) -> "Mixture":
        """Return what ``to_json`` gave; a new one for that of other experts."""
        match values:
            case {
                "half_lives": [*half_lives],
                "priors": [*priors],
                "weights": [*weights],
                "credited": [*credited],
                "expected": [*expected],
                "at": int() | float() as at,
            } if tuple(half_lives) == HALF_LIVES and tuple(priors) == PRIORS:
                kept = (weights, credited, expected)
                if all(len(each) == EXPERTS and _are_above_zero(each) for each in kept):
                    return cls(tuple(weights), credited, expected, at)
        return cls()


def _are_above_zero(values: Sequence[object]) -> bool:
    return all(isinstance(value, int | float) and 0 < value < inf for value in values)
