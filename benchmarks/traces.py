"""Random traces of nine kinds, and the law from which each profile's stories were drawn.

A seed determines each trace. Rates are lognormal (median 1.2 stories per day, sigma 1.2,
correlation 0.3 with popularity). The subscribers follow a Zipf-Mandelbrot law.
"""

import argparse
import gzip
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from math import cos, exp, log, pi, sqrt
from pathlib import Path

from bot.scheduling.simulation import Record

DAY = 86400
HOUR = 3600
START = 1_767_225_600  # 2026-01-01, midnight UTC
KINDS = ("homogeneous", "daily", "bursty", "exciting", "equal")
# Kinds of traces in which the past rates mislead a scheduler.
CHANGING = ("patches", "jumps", "silences", "vacations")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--kind", choices=KINDS + CHANGING, default="bursty")
    parser.add_argument("--profiles", type=int, default=2000)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--equal-weights", action="store_true", help="one subscriber each")


def main(args: argparse.Namespace) -> int:
    """Write a trace as one line of JSON per profile. Return 0."""
    trace = make(
        args.kind,
        profiles=args.profiles,
        days=args.days,
        seed=args.seed,
        equal_weights=args.equal_weights,
    )
    for record in trace.records:
        sys.stdout.write(json.dumps(asdict(record)) + "\n")
    return 0


def read_trace(path: Path) -> Iterator[Record]:
    """Yield the records of a trace file. A file with the suffix .gz is gzipped.

    Each line is ``{"username", "subscribers", "taken_at": [unix seconds]}``.
    """
    data = path.read_bytes()
    for line in (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines():
        values = json.loads(line)
        taken = sorted(map(float, values["taken_at"]))
        yield Record(str(values["username"]), float(values["subscribers"]), taken)


@dataclass(slots=True)
class Law:
    """An intensity in closed form.

    The intensity consists of the rate in stories per hour for each day, a daily rhythm, and an
    echo after each story.
    """

    rates: list[float]
    shape: list[float] = field(default_factory=lambda: [1.0] * 24)
    share: float = 0.0
    decay: float = 3.0


@dataclass(frozen=True, slots=True)
class Trace:
    """Records with their laws. ``laws`` is empty if the laws have no closed form."""

    records: list[Record]
    laws: list[Law]


def make(kind: str, *, profiles: int, days: int, seed: int, equal_weights: bool = False) -> Trace:
    """Return a trace of the kind ``kind``. Equal arguments give equal traces.

    ``kind`` is one of ``KINDS`` or ``CHANGING``.
    """
    rng = random.Random(f"{kind} {seed}")
    alike = kind == "equal" or equal_weights
    weights = [1] * profiles if alike else subscribers(profiles)
    records, laws = [], []
    for number, weight in enumerate(weights):
        rank = (number + 0.5) / profiles
        taken, law = _profile(kind, rank, days, rng)
        records.append(Record(f"profile{number}", weight, taken))
        laws.append(law)
    return Trace(records, [] if kind in {"bursty", "patches"} else laws)


def subscribers(profiles: int) -> list[int]:
    """Return the number of subscribers of each profile, in descending order.

    Of 2,000 profiles, the first profile has 2.5 % of all subscribers, and 3/4 of the profiles have
    one subscriber each.

    If the rates are constant, the best rule has a delay that is smaller than with a fixed interval
    by the factor 1 + CV². CV is the coefficient of variation of √(subscribers x rate). The factor
    is 3.3 with this exponent, and 2.8 with the exponent 1.
    """
    bend = 0.0056 * profiles
    last = profiles / 4 + bend
    return [max(1, round(1.5 * (last / (rank + 1 + bend)) ** 1.25)) for rank in range(profiles)]


def _normal_of_rank(rank: float) -> float:
    # The logistic quantile approximates the normal quantile with an error of up to 0.02.
    return log((1 - rank) / rank) / 1.702


def _profile(kind: str, rank: float, days: int, rng: random.Random) -> tuple[list[float], Law]:
    if kind == "equal":
        law = Law([2.7 / 24] * days)
        return _thin(law, days, rng), law
    popular = _normal_of_rank(rank)
    level = 1.2 * exp(1.2 * (0.3 * popular + sqrt(1 - 0.09) * rng.gauss(0, 1)))
    level = min(level, 60.0)
    if kind == "patches":
        return _patches(days, rng), Law([])
    if kind in {"homogeneous", "jumps"}:
        law = Law(_jumps(level / 24, days, rng) if kind == "jumps" else [level / 24] * days)
        return _thin(law, days, rng), law
    law = Law(_drift(level / 24, days, rng), _rhythm(rng))
    if kind in {"silences", "vacations"}:
        away = _weeks_off(days, rng) if kind == "silences" else _vacation(days, rng)
        law.rates = [rate * (day not in away) for day, rate in enumerate(law.rates)]
    if kind in {"daily", *CHANGING}:
        return _thin(law, days, rng), law
    if kind == "exciting":
        law.share = rng.uniform(0.3, 0.8)
        law.decay = 3.0 * exp(0.5 * rng.gauss(0, 1))
        return _excite(law, days, rng), law
    return _sessions(law, days, rng), law


def _drift(rate: float, days: int, rng: random.Random) -> list[float]:
    """Return the rate of each day, with weekday factors, a slow random walk, and rare jumps."""
    weekday = [max(0.2, 1 + 0.25 * rng.gauss(0, 1)) for _ in range(7)]
    mean = sum(weekday) / 7
    keep = exp(-1 / 7)
    walk = 0.35 * rng.gauss(0, 1)
    jump = 0.0
    rates = []
    for day in range(days):
        walk = keep * walk + 0.35 * sqrt(1 - keep * keep) * rng.gauss(0, 1)
        if rng.random() < 0.01:
            jump += 0.7 * rng.gauss(0, 1)
        rates.append(rate * weekday[day % 7] / mean * exp(walk - 0.06 + jump))
    return rates


def _jumps(rate: float, days: int, rng: random.Random) -> list[float]:
    """Return the rate of each day. The rate jumps every five days on average.

    In a quarter of the jumps, the new rate is 0.
    """
    rates: list[float] = []
    while len(rates) < days:
        now = 0.0 if rng.random() < 1 / 4 else rate * exp(1.2 * rng.gauss(0, 1))
        rates += [now] * (1 + int(rng.expovariate(1 / 5)))
    return rates[:days]


def _weeks_off(days: int, rng: random.Random) -> set[int]:
    """Return the days of silent weeks. On average, every second week is silent."""
    shift = rng.randrange(7)
    off = [rng.random() < 1 / 2 for _ in range(days // 7 + 2)]
    return {day for day in range(days) if off[(day + shift) // 7]}


def _vacation(days: int, rng: random.Random) -> set[int]:
    """Return the days of one vacation of one to two weeks."""
    begin = rng.randrange(days)
    return set(range(begin, begin + rng.randint(7, 14)))


def _patches(days: int, rng: random.Random) -> list[float]:
    """Draw bursts of 100 stories in a minute, with an average pause of 2 to 8 days."""
    pause = rng.uniform(2, 8) * DAY
    time = rng.expovariate(1 / pause)
    taken: list[float] = []
    while time < days * DAY - 60:
        taken += sorted(START + time + rng.uniform(0, 60) for _ in range(100))
        time += 60 + rng.expovariate(1 / pause)
    return taken


def _rhythm(rng: random.Random) -> list[float]:
    """Return a profile's hourly rhythm in a random time zone: two peaks and a low night."""
    zone = rng.choices((-8, -5, -3, 0, 1, 3, 5.5, 8, 9), (2, 3, 2, 2, 3, 3, 3, 2, 1))[0]
    noon = 12.5 - zone + rng.gauss(0, 1.2)
    evening = 20.0 - zone + rng.gauss(0, 1.2)
    share = rng.uniform(0.2, 0.8)
    base = rng.uniform(0.05, 0.3)
    shape = [
        base
        + share * _peak(hour + 0.5 - noon, 2.0)
        + (1 - share) * _peak(hour + 0.5 - evening, 2.0)
        for hour in range(24)
    ]
    mean = sum(shape) / 24
    return [value / mean for value in shape]


def _peak(offset: float, width: float) -> float:
    # The result is a bell curve over the day. If the width is 2 h, the mean over 24 h is 1.
    return 4.8 * exp((cos(offset * pi / 12) - 1) * (12 / pi / width) ** 2)


def _at(law: Law, time: float) -> float:
    place = (time / HOUR - 0.5) % 24
    hour = int(place)
    part = place - hour
    shape = law.shape
    return law.rates[int(time // DAY)] * (shape[hour] + part * (shape[hour - 23] - shape[hour]))


def _thin(law: Law, days: int, rng: random.Random, factor: float = 1.0) -> list[float]:
    """Draw the times of stories from a law, without the echo of the law."""
    most = max(law.rates) * max(law.shape) * factor / HOUR
    time = 0.0
    taken: list[float] = []
    if most <= 0:
        return taken
    while (time := time + rng.expovariate(most)) < days * DAY:
        if rng.random() * most * HOUR < _at(law, time) * factor:
            taken.append(START + time)
    return taken


def _excite(law: Law, days: int, rng: random.Random) -> list[float]:
    """Draw the times of stories from a law, with echoes.

    The base stories follow the rhythm. Each story has a Poisson number of echoes.
    """
    waiting = _thin(law, days, rng, 1 - law.share)
    taken = []
    while waiting:
        story = waiting.pop()
        if story >= START + days * DAY:
            continue
        taken.append(story)
        # The number of echoes is a Poisson number. It is drawn by exponential gaps.
        room = law.share - rng.expovariate(1.0)
        while room > 0:
            waiting.append(story + rng.expovariate(law.decay / HOUR))
            room -= rng.expovariate(1.0)
    return sorted(taken)


def _sessions(law: Law, days: int, rng: random.Random) -> list[float]:
    """Draw the times of stories in sessions on active days.

    Each session has a geometric number of stories that are some minutes apart.
    """
    silent = rng.uniform(0, 0.5)
    size = rng.uniform(1.2, 8)
    gap = log(4 * 60) + 0.5 * rng.gauss(0, 1)
    awake = [rng.random() >= silent for _ in range(days)]
    taken = []
    for begin in _thin(law, days, rng, 1 / size / (1 - silent)):
        if not awake[int((begin - START) // DAY)]:
            continue
        story = begin
        while story < START + days * DAY:
            taken.append(story)
            if rng.random() < 1 / size:
                break
            story += exp(gap + 1.3 * rng.gauss(0, 1))
    return sorted(taken)
