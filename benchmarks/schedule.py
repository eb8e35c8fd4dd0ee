"""The delay of alerts by policy and budget, after an outage, and with a million profiles."""

import argparse
import os
import random
import resource
import time
from bisect import bisect_left
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from heapq import heapify, heapreplace
from pathlib import Path

from benchmarks import traces
from benchmarks.other_policies import (
    EntryFrequency,
    Fixed,
    HalveAndStep,
    KnownRate,
    SquareRoot,
    TrueIntensity,
)
from bot.cli.simulate import mean_minutes, quantile_minutes
from bot.scheduling.forecast import ProfileState
from bot.scheduling.policies import Learned
from bot.scheduling.schedule import Schedule
from bot.scheduling.simulation import Record, Result, Simulation
from bot.scheduling.waiting_time import DAY, HOUR

POLICIES = ("learned", "fixed", "entry-frequency", "AIMD", "√-rule", "true intensity")
BUDGETS = (6, 12, 24, 48)
MONTHS = (33, 100, 300, 1000)  # the credits per day in the README's table
MONTHS_PROFILES = 20
# The rule of thumb applies between these numbers of checks per profile and day.
CHECKS_OF_RULE = (2, 50)
# The number of runs per fixed interval; more than one, because a single run deviates by 4 %.
PHASES = 5
WORLDS = (*((kind, False) for kind in traces.KINDS), ("bursty", True))


@dataclass(frozen=True, slots=True)
class Job:
    """One simulation: a trace, the number of checks per profile and day, and the rule."""

    kind: str
    equal_weights: bool
    seed: int
    looks: float
    policy: str
    profiles: int
    days: int

    def run(self) -> "Figures | None":
        """Run the simulation. Return the figures.

        Return None if the policy needs the true law, but the law of the trace has no closed form.
        """
        trace = traces.make(
            self.kind,
            profiles=self.profiles,
            days=self.days,
            seed=self.seed,
            equal_weights=self.equal_weights,
        )
        if self.policy == "true intensity" and not trace.laws:
            return None
        budget = self.looks * self.profiles
        rule = _rule(self.policy, self.looks, trace)
        bind = rule.bind if isinstance(rule, TrueIntensity) else None
        result = Simulation(trace.records, budget, rule=rule, bind=bind).run()
        return Figures.of(trace.records, result, budget)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one simulation.

    ``weighted`` is the mean delay in minutes, weighted by the subscribers. ``single`` is the mean
    delay in minutes for profiles with a single subscriber. ``lost`` is the number of lost stories.
    ``spent`` and ``most_spent`` are the mean and the maximum spending of a day, as a part of the
    budget.
    """

    weighted: float
    single: float
    lost: int
    most_spent: float
    spent: float

    @classmethod
    def of(cls, records: list[Record], result: Result, budget: float) -> "Figures":
        """Return the figures of one simulation. ``budget`` is in credits per day."""
        pairs = list(zip(records, result.delays, strict=True))
        weighted = [(delay, r.subscribers) for r, delays in pairs for delay in delays]
        single = [(delay, 1.0) for r, delays in pairs if r.subscribers == 1 for delay in delays]
        return cls(
            mean_minutes(weighted) or 0.0,
            mean_minutes(single) or 0.0,
            result.lost,
            max(result.days) / budget,
            sum(result.days) / len(result.days) / budget,
        )


def _rule(policy: str, looks: float, trace: traces.Trace) -> Learned | None:
    match policy:
        case "fixed":
            return Fixed(24 / looks)
        case "entry-frequency":
            return EntryFrequency()
        case "AIMD":
            return HalveAndStep()
        case "√-rule":
            return SquareRoot()
        case "true intensity":
            return TrueIntensity(trace.laws)
        case _:
            return None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the benchmark."""
    parser.add_argument("--profiles", type=int, help="2000; with --months 20")
    parser.add_argument("--days", type=int, default=28, help="the first seven don't count")
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--quick", action="store_true", help="150 profiles, one seed")
    parser.add_argument("--months", action="store_true", help="only the README's table")
    parser.add_argument("--million", action="store_true", help="only the million profiles")
    parser.add_argument(
        "--traces", type=Path, metavar="DIR", help="only the traces there (.jsonl, .jsonl.gz)"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="only draw the bursty ones")
    parser.add_argument("--workers", type=int, default=os.cpu_count())


def main(args: argparse.Namespace) -> int:
    """Print the tables. Return the exit status."""
    if args.million:
        million()
        return 0
    if args.months:
        print_months(args.profiles or MONTHS_PROFILES, args.seeds)
        return 0
    args.profiles = args.profiles or 2000
    if args.traces:
        with ProcessPoolExecutor(args.workers) as pool:
            recorded(args.traces, pool)
        return 0
    if args.quick:
        args.profiles, args.days, args.seeds = 150, 14, args.seeds[:1]
    with ProcessPoolExecutor(args.workers) as pool:
        if args.plot:
            draw(args, pool)
            return 0
        table(args, pool)
        print()
        seeds = args.seeds
        print("6 hours without the API, bursty, 12 checks a profile and day:")
        for line in pool.map(outage, seeds, [args.profiles] * len(seeds)):
            print(f"- {line}")
    if not args.quick:
        print()
        million()
    return 0


def print_months(profiles: int, seeds: list[int]) -> None:
    """Print the minutes until an alert for each budget, and the factor of the rule of thumb."""
    least, most = CHECKS_OF_RULE
    print("| credits a day | mean (by seed) | median (by seed) | mean * credits / profiles |")
    print("|--:|--:|--:|--:|")
    factors: list[float] = []
    for budget in MONTHS:
        if not least <= budget / profiles <= most:
            continue
        means, medians = months(budget, seeds, profiles)
        factor = sum(means) / len(means) * budget / profiles
        factors.append(factor)
        cells = [f"{sum(by) / len(by):.1f} {_rounded(by)}" for by in (means, medians)]
        print(f"| {budget:,} | {' | '.join(cells)} | {factor:.0f} |")
    if factors:
        print(
            "\nRule of thumb: mean minutes = factor * profiles / credits a day; the factor is "
            f"{min(factors):.0f} to {max(factors):.0f}. It assumes one subscriber a profile, "
            f"1 credit a check, no replies, {least} to {most} checks a profile and day."
        )


def months(budget: float, seeds: list[int], profiles: int) -> tuple[list[float], list[float]]:
    """Return two lists by seed: the mean and the median minutes until an alert."""
    means, medians = [], []
    for seed in seeds:
        trace = traces.make("bursty", profiles=profiles, days=28, seed=seed, equal_weights=True)
        result = Simulation(trace.records, budget).run()
        delays = sorted((delay, 1.0) for of_one in result.delays for delay in of_one)
        means.append(mean_minutes(delays) or 0.0)
        medians.append(quantile_minutes(delays, 0.5) or 0.0)
    return means, medians


def _rounded(minutes: list[float]) -> str:
    return f"({', '.join(f'{one:.0f}' for one in minutes)})"


def table(args: argparse.Namespace, pool: Executor) -> None:
    """Print a table of the delays in minutes. Each delay is the mean over the seeds."""
    shares = traces.subscribers(args.profiles)
    print(
        f"{args.profiles} profiles, {args.days} days of which 7 are warm-up, seeds "
        f"{', '.join(map(str, args.seeds))}. Subscribers: Zipf-Mandelbrot, {shares[0]} at the "
        f"most, one at {shares.count(1) / len(shares):.0%} of the profiles; equal weights where "
        "said. Minutes from story to check, mean over subscribers; in brackets the mean over "
        "profiles with one subscriber.\n"
    )
    print(
        f"| traces | checks | {' | '.join(POLICIES)} | shorter than fixed | than √ | above true |"
    )
    print("|---|--:|" + "--:|" * (len(POLICIES) + 3))
    rows = [(kind, equal, looks) for kind, equal in WORLDS for looks in BUDGETS]
    found = [[_futures(pool, args, row, policy) for policy in POLICIES] for row in rows]
    learned: list[Figures] = []
    for (kind, equal, looks), futures in zip(rows, found, strict=True):
        figures = [[f for future in same if (f := future.result())] for same in futures]
        learned += figures[0]
        row = {policy: _mean(same) for policy, same in zip(POLICIES, figures, strict=True)}
        print(_line(f"{kind}, equal weights" if equal else kind, looks, row), flush=True)
    print(
        f"\nlearned, all runs: {sum(f.lost for f in learned)} stories lost, the dearest UTC day "
        f"{max(f.most_spent for f in learned):.4f} of the budget, unspent at most "
        f"{1 - min(f.spent for f in learned):.2%}."
    )


def draw(args: argparse.Namespace, pool: Executor) -> None:
    """Plot the delay in minutes against the checks per profile and day, for each policy."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import
    from matplotlib.ticker import ScalarFormatter  # noqa: PLC0415 - slow to import

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    worlds = ((False, "subscribers by Zipf's law"), (True, "one subscriber each"))
    for axes, (equal, title) in zip(figure.subplots(1, 2, sharey=True), worlds, strict=True):
        for policy in ("learned", "fixed", "entry-frequency"):
            rows = [_futures(pool, args, ("bursty", equal, checks), policy) for checks in BUDGETS]
            means = (_mean([f for one in same if (f := one.result())]) for same in rows)
            minutes = [pair[0] for pair in means if pair]
            axes.loglog(BUDGETS, minutes, marker="o", label=policy)
        axes.set_xticks(BUDGETS)
        axes.set_yticks([2, 5, 10, 20, 50, 100, 200])
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(ScalarFormatter())
        axes.minorticks_off()
        axes.set_xlabel("checks a profile and day that the budget pays for")
        axes.set_title(f"Made-up bursty profiles, {title}", loc="left")
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("minutes from story to alert (mean over subscribers)")
    figure.axes[0].legend(frameon=False)
    figure.savefig(args.plot, dpi=144)


def recorded(folder: Path, pool: Executor) -> None:
    """Print the table of recorded traces.

    The delays of the two rules with constant intervals are the means over five phases.
    """
    paths = sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")])
    rows = [(path, looks) for path in paths for looks in BUDGETS]
    print("| trace | checks | learned | known rate | fixed | learned/fixed | known/fixed | lost |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    jobs = [
        [_replays(pool, path, looks, policy) for policy in ("learned", "known rate", "fixed")]
        for path, looks in rows
    ]
    for (path, looks), of_policies in zip(rows, jobs, strict=True):
        results = [[future.result() for future in phases] for phases in of_policies]
        learned, known, fixed = (sum(pair[0] for pair in same) / len(same) for same in results)
        name = path.name.split(".")[0]
        minutes = f"{learned:.2f} | {known:.2f} | {fixed:.2f}"
        ratios = f"{learned / fixed:.3f} | {known / fixed:.3f}"
        print(f"| {name} | {looks} | {minutes} | {ratios} | {results[0][0][1]} |", flush=True)


def _replays(
    pool: Executor, path: Path, looks: float, policy: str
) -> list[Future[tuple[float, int]]]:
    phases = 1 if policy == "learned" else PHASES
    return [pool.submit(replayed, path, looks, policy, phase) for phase in range(phases)]


def replayed(path: Path, looks: float, policy: str, phase: int = 0) -> tuple[float, int]:
    """Return the mean delay in minutes, and the number of lost stories, of a recorded trace.

    ``policy`` is "learned", "known rate" or "fixed". ``phase`` changes the order of the first
    checks.
    """
    records = list(traces.read_trace(path))
    turn = phase * len(records) // PHASES
    records = records[turn:] + records[:turn]  # changes the order of the first checks
    budget = looks * len(records)
    simulation = Simulation(records, budget)
    if policy == "fixed":
        simulation.rule = Fixed(24 / looks)
    if policy == "known rate":
        rule = known_rate(records, looks)
        simulation.rule, simulation.bind = rule, rule.bind
    figures = Figures.of(records, simulation.run(), budget)
    return figures.weighted, figures.lost


def known_rate(records: list[Record], looks: float) -> KnownRate:
    """Return the rule that knows how many stories of each profile are counted.

    The stories of the first seven days are not counted.
    """
    first = min(record.taken_at[0] for record in records if record.taken_at)
    counted = first // DAY * DAY + 7 * DAY
    rates = [len(r.taken_at) - bisect_left(r.taken_at, counted) for r in records]
    return KnownRate(rates, [record.subscribers for record in records], looks)


def _futures(
    pool: Executor, args: argparse.Namespace, row: tuple[str, bool, int], policy: str
) -> list[Future[Figures | None]]:
    return [
        pool.submit(Job(row[0], row[1], seed, row[2], policy, args.profiles, args.days).run)
        for seed in args.seeds
    ]


def _mean(figures: list[Figures]) -> tuple[float, float] | None:
    if not figures:
        return None
    count = len(figures)
    return sum(f.weighted for f in figures) / count, sum(f.single for f in figures) / count


def _line(name: str, looks: float, row: dict[str, tuple[float, float] | None]) -> str:
    cells = [f"{pair[0]:.2f} ({pair[1]:.1f})" if pair else "-" for pair in row.values()]
    learned, fixed, root = (row[name] or (1.0, 1.0) for name in ("learned", "fixed", "√-rule"))
    true = row["true intensity"]
    above = f"{learned[0] / true[0] - 1:+.1%}" if true else "-"
    shorter = f"{fixed[0] / learned[0]:.2f} x | {root[0] / learned[0]:.2f} x"
    return f"| {name} | {looks} | {' | '.join(cells)} | {shorter} | {above} |"


def outage(seed: int, profiles: int) -> str:
    """Return a text about the effect of an outage of the API on the following day's stories.

    The outage lasts 6 hours.
    """
    records = traces.make("bursty", profiles=profiles, days=14, seed=seed).records
    budget = 12 * profiles
    begin = traces.START + 9 * DAY + 10 * HOUR
    parts = []
    for outages in ((), ((begin, begin + 6 * HOUR),)):
        result = Simulation(records, budget, outages=outages).run()
        pairs = zip(records, result.delays, strict=True)
        seen = [
            (delay, r.subscribers)
            for r, delays in pairs
            for story, delay in zip(_judged(r), delays, strict=False)
            if begin + 6 * HOUR <= story < begin + 30 * HOUR
        ]
        parts.append((result.lost, mean_minutes(seen) or 0.0, max(result.days) / budget))
    (_, before, _), (lost, after, most) = parts
    return (
        f"seed {seed}: {lost} lost; stories of the 24 h after it {after:.1f} minutes "
        f"({before:.1f} without the outage); dearest UTC day {most:.3f} of the budget"
    )


def _judged(record: Record) -> list[float]:
    return [story for story in record.taken_at if story >= traces.START + 7 * DAY]


def million(profiles: int = 1_000_000) -> None:
    """Print the memory and the time per decision for a million profiles in one process."""
    rng = random.Random(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    schedule = Schedule(6.0 * profiles)
    start = float(traces.START)
    states = []
    for _ in range(profiles):
        taken = sorted(start - rng.random() * DAY for _ in range(int(rng.expovariate(0.4))))
        state = ProfileState()
        schedule.rule.learn(state, schedule.demand, start - rng.random() * HOUR, taken)
        states.append(state)
    clock = time.perf_counter()
    schedule.recompute_demand((state, 1, 1) for state in states)
    surveyed = time.perf_counter() - clock
    queue = [(schedule.set_due_at(state, 1, 1), key) for key, state in enumerate(states)]
    heapify(queue)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    schedule.bucket.at = start
    looks = 50_000
    clock = time.perf_counter()
    for _ in range(looks):
        due, key = queue[0]
        now = max(due, start)
        schedule.next_check_at(due, states[key].seen_at, 1, now=now, spent_today=0)
        schedule.release_due_credits(now, spent_today=0)
        taken = [now - 60] if rng.random() < 0.1 else []
        due = schedule.charge_learn_and_set_due_at(states[key], 1, 1, at=now, taken=taken)
        heapreplace(queue, (due, key))
    decision = (time.perf_counter() - clock) / looks * 1e6
    print(
        f"{profiles:,} profiles in one process: {memory:,.0f} MB with every state and its rhythm "
        f"held ready, {decision:.0f} µs a decision, {surveyed:.1f} s to sum up all of them."
    )
