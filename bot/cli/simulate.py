"""``python -m bot simulate``: what a budget buys, on a trace or on the bot's own past."""

import argparse
import csv
import gzip
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bot.scheduling.policies import EntryFrequency, Fixed, Policy
from bot.scheduling.simulation import InfeasibleError, Record, Result, Simulation
from bot.scheduling.waiting_time import DAY

POLICIES = ("learned", "fixed", "entry-frequency")

_POLLS = (2, 4, 6, 12, 24, 48)
"""Checks a profile and day at which ``--plot`` has its points."""


_STEPS = 4
"""Between the budgets of ``--budget`` and ``--budget-to``."""


class TraceError(ValueError):
    """The trace can't be read; the message says where and why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--trace", type=Path, metavar="FILE", help="JSON lines, one a profile")
    source.add_argument("--history", action="store_true", help="the bot's own past")
    parser.add_argument(
        "--budget", type=float, required=True, metavar="CREDITS_PER_DAY", help="for all profiles"
    )
    parser.add_argument(
        "--budget-to", type=float, metavar="CREDITS_PER_DAY", help="a table of budgets up to this"
    )
    parser.add_argument("--policy", choices=POLICIES, default="learned")
    parser.add_argument(
        "--cost", type=int, help="credits of a look: 1, or with --history as it is set"
    )
    parser.add_argument("--warmup-days", type=float, default=7, help="days that don't count")
    parser.add_argument("--polls", type=Path, metavar="OUT.csv", help="write each look")
    parser.add_argument(
        "--export-trace",
        type=Path,
        metavar="OUT.jsonl",
        help="write the past as a trace without names, to compare and to share",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.png", help="draw the delay against the budget"
    )


def main(args: argparse.Namespace) -> int:
    """Run the command over ``args.trace``; return the exit status."""
    try:
        return run(read_trace(args.trace), args)
    except (OSError, EOFError, TraceError) as error:
        Console(stderr=True).print(
            f"The trace can't be read: {error}", markup=False, soft_wrap=True
        )
        return 2


def run(
    records: Iterable[Record], args: argparse.Namespace, *, cost: int = 1, minimum: float = 60.0
) -> int:
    """Run the command over ``records``, wherever they come from; return the exit status.

    A check costs ``cost`` unless the command says more; the next is due after ``minimum`` seconds
    or later, and comes before its time only where credits are to spare.
    """
    stderr = Console(stderr=True)
    args.cost = cost if args.cost is None else args.cost
    known = list(records)
    if sentence := _objection(known, args):
        stderr.print(sentence, markup=False, soft_wrap=True)
        return 2
    budgets = _budgets(args)
    try:
        with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
            results = [_simulated(known, args, each, minimum, progress) for each in budgets]
    except InfeasibleError:
        stderr.print(_infeasible(known, args), markup=False, soft_wrap=True)
        return 2
    result = results[0]
    try:
        if args.export_trace:
            _write_trace(args.export_trace, known)
        if args.polls:
            _write_polls(args.polls, known, result)
        if args.plot:
            from bot.cli import simulate_plot  # noqa: PLC0415 - matplotlib is an extra

            warmup = args.warmup_days * DAY
            simulate_plot.draw(args.plot, _curves(known, args.cost, warmup, minimum))
    except (OSError, ImportError) as error:
        lacks = "--plot needs matplotlib: pip install 'storybell[charts]'."
        why = lacks if isinstance(error, ImportError) else f"Can't write: {error}."
        stderr.print(why, markup=False, soft_wrap=True)
        return 1
    summaries = [_summarise(known, each) for each in results]
    if args.json:
        for summary in summaries:
            print(json.dumps(asdict(summary)))  # noqa: T201 - the answer of the command
    elif args.budget_to is None:
        _show(summaries[0], args)
    else:
        _show_range(budgets, summaries)
    return 0


def _budgets(args: argparse.Namespace) -> list[float]:
    """Return the budgets to compare, each by the same factor above the last."""
    if args.budget_to is None:
        return [args.budget]
    factor = args.budget_to / args.budget
    return [args.budget * factor ** (step / _STEPS) for step in range(_STEPS + 1)]


def _simulated(
    records: Sequence[Record],
    args: argparse.Namespace,
    budget: float,
    minimum: float,
    progress: Progress,
) -> Result:
    task = progress.add_task(f"{args.policy}, {budget:g} credits", total=1.0)
    return Simulation(
        records,
        budget,
        args.cost,
        _rule_of(args.policy, records, budget, args.cost),
        warmup=args.warmup_days * DAY,
        record_polls=args.polls is not None,
        minimum=minimum,
        progress=lambda part: progress.update(task, completed=part),
    ).run()


def _curves(
    records: Sequence[Record], cost: int, warmup: float, minimum: float
) -> dict[str, list[tuple[float, float]]]:
    """Return for each policy the mean delay in minutes by checks a profile and day."""
    by_policy: dict[str, list[tuple[float, float]]] = {policy: [] for policy in POLICIES}
    for policy, points in by_policy.items():
        for polls in _POLLS:
            budget = polls * cost * len(records)
            rule = _rule_of(policy, records, budget, cost)
            result = Simulation(records, budget, cost, rule, warmup=warmup, minimum=minimum).run()
            minutes = _summarise(records, result).delay_mean_minutes
            if minutes is not None:
                points.append((polls, minutes))
    return by_policy


def _objection(records: Sequence[Record], args: argparse.Namespace) -> str:
    if not any(record.taken_at for record in records):
        return "There is no story in it, so there is nothing to simulate."
    if args.cost < 1:
        return "--cost must be 1 or more."
    if not math.isfinite(args.budget) or args.budget <= 0:
        return "--budget must be above 0."
    if args.budget_to is not None and (args.polls or not args.budget < args.budget_to < math.inf):
        return "--budget-to must be above --budget, and --polls writes the looks of one alone."
    if not math.isfinite(args.warmup_days) or args.warmup_days < 0:
        return "--warmup-days must be 0 or more."
    return ""


def _infeasible(records: Sequence[Record], args: argparse.Namespace) -> str:
    least = math.ceil(1.2 * args.cost * len(records))
    return (
        f"{args.budget:g} credits a day are too few for {len(records)} profiles at {args.cost} a "
        f"look: below 1.2 looks a profile and day stories are lost. It takes {least}."
    )


def _rule_of(policy: str, records: Sequence[Record], budget: float, cost: int) -> Policy | None:
    """Return the rule of a policy; None stands for the bot's own."""
    if policy == "fixed":
        return Fixed(24 * cost * len(records) / budget)
    return EntryFrequency() if policy == "entry-frequency" else None


def read_trace(path: Path) -> Iterator[Record]:
    """Read ``{"username", "subscribers", "taken_at": [unix seconds]}`` a line, plain or gzipped.

    Raises:
        TraceError: A line is not such an object.
    """
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
    with (
        gzip.open(path, "rt", encoding="utf-8") if zipped else path.open(encoding="utf-8") as file
    ):
        try:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _record(line, number)
        except UnicodeDecodeError:
            raise TraceError("it is no UTF-8 text") from None


def _record(line: str, number: int) -> Record:
    try:
        values: Any = json.loads(line)
        taken = sorted(float(moment) for moment in values["taken_at"])
        subscribers = float(values["subscribers"])
        username = str(values["username"])
    except (ValueError, KeyError, TypeError):
        raise TraceError(
            f"line {number} is no object with username, subscribers and taken_at"
        ) from None
    if not all(map(math.isfinite, [subscribers, *taken])) or subscribers < 0:
        raise TraceError(f"line {number} has a number that can't be")
    return Record(username, subscribers, taken)


def _write_trace(path: Path, records: Sequence[Record]) -> None:
    """Write a trace that ``read_trace`` reads, with numbers for names."""
    with path.open("w", encoding="utf-8") as file:
        for number, record in enumerate(records, 1):
            nameless = asdict(record) | {"username": f"profile{number}"}
            file.write(json.dumps(nameless) + "\n")


def _write_polls(path: Path, records: Sequence[Record], result: Result) -> None:
    """Write ``username,unix_time`` of each check, in order; times to the microsecond."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("username", "unix_time"))
        for at, key in result.polls:
            writer.writerow((records[key].username, f"{at:.6f}"))


@dataclass(frozen=True, slots=True)
class Summary:
    """What a simulation says; delays are in minutes, weighted by subscribers where not said."""

    profiles: int
    looks: int
    stories: int
    stories_lost: int
    delay_mean_minutes: float | None
    delay_median_minutes: float | None
    delay_p95_minutes: float | None
    single_subscriber_mean_minutes: float | None
    credits_by_day: dict[str, int]


def _summarise(records: Sequence[Record], result: Result) -> Summary:
    """Sum up delays and credits; None where no story counts."""
    weighted = sorted(
        (delay, record.subscribers)
        for record, delays in zip(records, result.delays, strict=True)
        for delay in delays
        if record.subscribers > 0
    )
    single = [
        delay
        for record, delays in zip(records, result.delays, strict=True)
        if record.subscribers == 1
        for delay in delays
    ]
    return Summary(
        profiles=len(records),
        looks=result.poll_count,
        stories=sum(map(len, result.delays)) + result.lost,
        stories_lost=result.lost,
        delay_mean_minutes=mean(weighted),
        delay_median_minutes=quantile(weighted, 0.5),
        delay_p95_minutes=quantile(weighted, 0.95),
        single_subscriber_mean_minutes=mean([(delay, 1.0) for delay in single]),
        credits_by_day={
            datetime.fromtimestamp(result.begin + day * DAY, UTC).date().isoformat(): spent
            for day, spent in enumerate(result.days)
        },
    )


def mean(weighted: Sequence[tuple[float, float]]) -> float | None:
    """Return the weighted mean in minutes, None of nothing."""
    total = sum(weight for _, weight in weighted)
    return sum(delay * weight for delay, weight in weighted) / total / 60 if total else None


def quantile(weighted: Sequence[tuple[float, float]], part: float) -> float | None:
    """Return the weighted quantile in minutes of sorted delays, None of nothing."""
    left = part * sum(weight for _, weight in weighted)
    for delay, weight in weighted:
        left -= weight
        if left <= 0:
            return delay / 60
    return weighted[-1][0] / 60 if weighted else None


def _show(summary: Summary, args: argparse.Namespace) -> None:
    console = Console()
    table = Table("", "", show_header=False, box=None)
    rows = {
        "policy": args.policy,
        "budget": f"{args.budget:g} credits a day, {args.cost} a look",
        "profiles": f"{summary.profiles:,}",
        "looks": f"{summary.looks:,}",
        "stories that count": f"{summary.stories:,}",
        "stories lost": f"{summary.stories_lost:,}",
        "delay, mean": _minutes(summary.delay_mean_minutes),
        "one credit a day more or less": _minutes(_of_one_credit(summary, args.budget)),
        "delay, median": _minutes(summary.delay_median_minutes),
        "delay, 95 %": _minutes(summary.delay_p95_minutes),
        "delay, mean over profiles with one subscriber": _minutes(
            summary.single_subscriber_mean_minutes
        ),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    console.print(table)
    days = Table("day", "credits", box=None)
    for day, spent in summary.credits_by_day.items():
        days.add_row(day, f"{spent:,}")
    console.print(days)


def _show_range(budgets: Sequence[float], summaries: Sequence[Summary]) -> None:
    table = Table(
        "credits a day",
        "looks",
        "delay, mean",
        "one credit a day more or less",
        "delay, 95 %",
        "stories lost",
        box=None,
    )
    for budget, summary in zip(budgets, summaries, strict=True):
        table.add_row(
            f"{budget:,.0f}",
            f"{summary.looks:,}",
            _minutes(summary.delay_mean_minutes),
            _minutes(_of_one_credit(summary, budget)),
            _minutes(summary.delay_p95_minutes),
            f"{summary.stories_lost:,}",
        )
    Console(width=120).print(table)


def _of_one_credit(summary: Summary, budget: float) -> float | None:
    """Return by how much one credit a day changes the mean delay, which goes as 1 / budget."""
    mean_minutes = summary.delay_mean_minutes
    return None if mean_minutes is None else mean_minutes / budget


def _minutes(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} min" if value >= 1 else f"{value:.4f} min"
