"""How fast a profile posts: experts who forget at different paces, weighed by their forecasts.

People change: who posted ten stories yesterday may be silent for weeks, and another keeps one pace
for years. So each profile keeps the sums of its stories under several half-lives, and the expected
rate is a mixture of what these say.

A mixture never says less than a part of what each of its experts says: who posted much for weeks
and then stops goes on being expected. So the mixture is multiplied by powers of what the experts
say of it, which are learned, by Poisson regression: one silent expert can veto.
"""

from array import array
from collections.abc import Mapping, MutableSequence, Sequence
from dataclasses import dataclass, field
from math import exp, log
from operator import mul
from typing import Any

from bot.scheduling.waiting_time import DAY

HALF_LIVES = (0.5, 1.5, 6.0, 24.0)
"""Days in which the sums of a profile's stories forget half."""

_PRIORS = (0.5, 2.0, 8.0)
"""Days of the population's mean rate that are added to a profile's own past."""

EXPERTS = len(HALF_LIVES) * len(_PRIORS) + 1
"""One for each half-life and prior, and last one who knows the population alone."""

DECAYS = tuple(log(2) / days for days in HALF_LIVES)  # a day
_SPEEDS, _BONDS = (0.02, 0.13, 0.6, 0.25), (0.9, 0.08, 0.02)  # parts by half-life and by prior
WEIGHTS = (*(0.99 * speed * bond for speed in _SPEEDS for bond in _BONDS), 0.01)
"""Of the experts: a memory of some days, a prior of half a day."""

POOLED = tuple(
    number for number in range(EXPERTS - 1) if number % len(_PRIORS) in {0, len(_PRIORS) - 1}
)
"""The experts whose powers count: of each half-life those with the least and greatest prior."""

EXPONENTS = (0.0,) * len(POOLED)
"""Of their powers, before anything is learned: the mixture as it is."""

_POOL_MEMORY = 20 * DAY
"""In which what the exponents are learned from forgets half."""

_RIDGE = 30.0  # stories that speak for exponents of zero
_STEEPEST = 2.0  # exponent, either way
_FARTHEST = 2.0  # from the mixture, either way; a logarithm
_NEVER = 0.003  # stories a day that are as good as none


def empty_sums() -> MutableSequence[float]:
    """Return the sums of a profile of which nothing is known."""
    return array("d", [0.0] * len(HALF_LIVES))


def expert_rates(sums: Sequence[float], age: float, common: float) -> list[float]:
    """Return what each expert expects, stories a day, of a profile known for ``age`` days.

    ``common`` is the population's mean rate, stories a day.
    """
    rates = []
    for total, decay in zip(sums, DECAYS, strict=True):
        days = (1.0 - exp(-decay * age)) / decay
        rates += [(total + prior * common) / (days + prior) for prior in _PRIORS]
    rates.append(common)
    return rates


def mixed_rate(estimates: Sequence[float]) -> float:
    """Return what the experts expect together, stories a day."""
    mixture: float = sum(map(mul, WEIGHTS, estimates))
    return mixture


def log_ratios(estimates: Sequence[float], mixture: float) -> list[float]:
    """Return how far the pooled experts are from the mixture, as logarithms of their ratios."""
    usual = log(mixture + _NEVER)
    return [log(estimates[number] + _NEVER) - usual for number in POOLED]


def mixture_factor(exponents: Sequence[float], ratios: Sequence[float]) -> float:
    """Return by what the mixture is multiplied."""
    return exp(min(max(sum(map(mul, exponents, ratios)), -_FARTHEST), _FARTHEST))


@dataclass(slots=True)
class Pool:
    """The exponents of the pooled experts, and what they are learned from.

    Newton's method for Poisson regression with a ridge, of which the past is forgotten:
    ``curvature`` and ``pull`` are the normal equations.
    """

    exponents: tuple[float, ...] = EXPONENTS
    curvature: list[list[float]] = field(
        default_factory=lambda: [[0.0] * len(POOLED) for _ in POOLED]
    )
    pull: list[float] = field(default_factory=lambda: [0.0] * len(POOLED))
    at: float = 0.0

    def learn_stories(self, ratios: Sequence[float], stories: float) -> None:
        """Learn that so many ``stories`` came where the experts' ``log_ratios`` were these."""
        for number, value in enumerate(ratios):
            self.pull[number] += value * stories

    def learn_expected(self, ratios: Sequence[float], stories: float) -> None:
        """Learn that the mixture had expected so many stories, whatever came."""
        stories *= mixture_factor(self.exponents, ratios)
        tilt = sum(map(mul, self.exponents, ratios)) - 1.0
        for number, value in enumerate(ratios):
            part = value * stories
            self.pull[number] += part * tilt
            row = self.curvature[number]
            for other, ratio in enumerate(ratios):
                row[other] += part * ratio

    def refit(self, at: float) -> None:
        """Find the exponents anew, and forget by the time that has passed."""
        solution = _solved(self.curvature, self.pull)
        self.exponents = tuple(min(max(value, -_STEEPEST), _STEEPEST) for value in solution)
        decay = 0.5 ** (max(0.0, at - self.at) / _POOL_MEMORY) if self.at else 1.0
        self.pull = [value * decay for value in self.pull]
        self.curvature = [[value * decay for value in row] for row in self.curvature]
        self.at = at

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Pool":
        """Return what ``asdict`` gave."""
        return cls(**{**values, "exponents": tuple(values["exponents"])})


def _solved(curvature: Sequence[Sequence[float]], pull: Sequence[float]) -> list[float]:
    """Return the solution of the normal equations with the ridge: elimination by Gauss.

    The ridge makes them positive definite, so that no pivot has to be looked for.
    """
    rows = [[*row, right] for row, right in zip(curvature, pull, strict=True)]
    for number, row in enumerate(rows):
        row[number] += _RIDGE
    for number, row in enumerate(rows):
        for other in rows:
            if other is not row:
                factor = other[number] / row[number]
                for place in range(number, len(row)):
                    other[place] -= factor * row[place]
    return [row[-1] / row[number] for number, row in enumerate(rows)]
