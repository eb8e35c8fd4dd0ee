"""The estimation of a profile's posting rate by a mixture of experts.

The experts estimate the rate from sums of stories that decay with different half-lives. Learned
exponents let a single expert lower the mean of the estimates after a profile stops posting.
"""

from array import array
from collections.abc import Mapping, MutableSequence, Sequence
from dataclasses import dataclass, field
from math import exp, log
from operator import mul
from typing import Any

from bot.scheduling.waiting_time import DAY

HALF_LIVES = (0.5, 1.5, 6.0, 24.0)
"""The half-lives, in days, of the decaying sums of a profile's stories."""

_PRIORS = (0.5, 2.0, 8.0)
"""The priors of the experts, in days.

An expert adds this number of days, with the mean rate of all profiles, to the observed history of
a profile.
"""

EXPERTS = len(HALF_LIVES) * len(_PRIORS) + 1
"""The number of experts.

Each combination of a half-life and a prior has one expert. One more expert uses only the mean rate
of all profiles.
"""

DECAYS = tuple(log(2) / days for days in HALF_LIVES)  # the decay rates of the sums, per day
# The weights of the half-lives, and the weights of the priors.
_SPEEDS, _BONDS = (0.02, 0.13, 0.6, 0.25), (0.9, 0.08, 0.02)
WEIGHTS = (*(0.99 * speed * bond for speed in _SPEEDS for bond in _BONDS), 0.01)
"""The weights of the experts in the mixture.

The expert with a half-life of 6 days and a prior of half a day has the largest weight.
"""

POOLED = tuple(
    number for number in range(EXPERTS - 1) if number % len(_PRIORS) in {0, len(_PRIORS) - 1}
)
"""The indexes of the pooled experts, which are the experts whose exponent is learned.

For each half-life, the experts with the smallest and with the largest prior are pooled.
"""

EXPONENTS = (0.0,) * len(POOLED)
"""The exponents before the first regression. These exponents leave the mixture unchanged."""

_POOL_MEMORY = 20 * DAY
"""The half-life, in seconds, of the data from which the exponents are learned."""

_RIDGE = 30.0  # the strength, in stories, of the prior assumption that all exponents are zero
_STEEPEST = 2.0  # the maximum absolute value of an exponent
_FARTHEST = 2.0  # the maximum absolute value of the logarithm of ``mixture_factor``
_NEVER = 0.003  # the rate, in stories per day, of a profile that practically never posts


def empty_sums() -> MutableSequence[float]:
    """Return the sums for a profile without observed stories."""
    return array("d", [0.0] * len(HALF_LIVES))


def expert_rates(sums: Sequence[float], age: float, common: float) -> list[float]:
    """Return each expert's estimate of a profile's rate, in stories per day.

    ``sums`` has a decayed story count for each half-life. ``age`` is the number of observed days.
    ``common`` is the mean rate of all profiles per day.
    """
    rates = []
    for total, decay in zip(sums, DECAYS, strict=True):
        days = (1.0 - exp(-decay * age)) / decay
        rates += [(total + prior * common) / (days + prior) for prior in _PRIORS]
    rates.append(common)
    return rates


def mixed_rate(estimates: Sequence[float]) -> float:
    """Return the weighted mean of the experts' estimates, in stories per day."""
    mixture: float = sum(map(mul, WEIGHTS, estimates))
    return mixture


def log_ratios(estimates: Sequence[float], mixture: float) -> list[float]:
    """Return the logarithm of the ratio of each pooled expert's estimate to the mixture.

    The rates are in stories per day. ``_NEVER`` is added, so that a rate of 0 has a finite
    logarithm.
    """
    usual = log(mixture + _NEVER)
    return [log(estimates[number] + _NEVER) - usual for number in POOLED]


def mixture_factor(exponents: Sequence[float], ratios: Sequence[float]) -> float:
    """Return the factor by which the mixture is multiplied to get the expected rate.

    ``ratios`` are from ``log_ratios``.
    """
    return exp(min(max(sum(map(mul, exponents, ratios)), -_FARTHEST), _FARTHEST))


@dataclass(slots=True)
class Pool:
    """The learned exponents of the pooled experts, and the data of the regression.

    The regression is a Poisson regression with a ridge (Newton's method). Old data decay
    exponentially. ``curvature`` and ``pull`` are the normal equations.
    """

    exponents: tuple[float, ...] = EXPONENTS
    curvature: list[list[float]] = field(
        default_factory=lambda: [[0.0] * len(POOLED) for _ in POOLED]
    )
    pull: list[float] = field(default_factory=lambda: [0.0] * len(POOLED))
    at: float = 0.0

    def learn_stories(self, ratios: Sequence[float], stories: float) -> None:
        """Add ``stories`` observed stories to the data. ``ratios`` are from ``log_ratios``."""
        for number, value in enumerate(ratios):
            self.pull[number] += value * stories

    def learn_expected(self, ratios: Sequence[float], stories: float) -> None:
        """Add the number of stories that the mixture expected (``stories``) to the data.

        ``ratios`` are from ``log_ratios``.
        """
        stories *= mixture_factor(self.exponents, ratios)
        tilt = sum(map(mul, self.exponents, ratios)) - 1.0
        for number, value in enumerate(ratios):
            part = value * stories
            self.pull[number] += part * tilt
            row = self.curvature[number]
            for other, ratio in enumerate(ratios):
                row[other] += part * ratio

    def refit(self, at: float) -> None:
        """Compute new exponents at the time ``at``, in Unix seconds.

        The weight of the data is then reduced according to the time since the last call. The first
        call does not reduce the weight.
        """
        solution = _solve_normal_equations(self.curvature, self.pull)
        self.exponents = tuple(min(max(value, -_STEEPEST), _STEEPEST) for value in solution)
        decay = 0.5 ** (max(0.0, at - self.at) / _POOL_MEMORY) if self.at else 1.0
        self.pull = [value * decay for value in self.pull]
        self.curvature = [[value * decay for value in row] for row in self.curvature]
        self.at = at

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Pool":
        """Return the pool with the fields ``values``.

        ``values`` is a result of ``dataclasses.asdict``.
        """
        return cls(**{**values, "exponents": tuple(values["exponents"])})


def _solve_normal_equations(
    curvature: Sequence[Sequence[float]], pull: Sequence[float]
) -> list[float]:
    """Return the solution of the normal equations with the ridge, by Gaussian elimination.

    The ridge makes the matrix positive definite, so elimination needs no pivoting.
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
