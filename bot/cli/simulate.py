"""``storybell simulate``: simulates checks of the recorded stories with one or five budgets.

The output shows the delays of the alerts and the number of lost stories for each budget.
"""

import argparse
import math
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bot.config import Settings
from bot.scheduling.pricing import is_feasible
from bot.scheduling.simulation import Record, Result, Simulation
from bot.scheduling.waiting_time import DAY
from bot.store import stories
from bot.store.engine.database import Database

_STEPS = 4  # the number of steps from --budget to --budget-to; five budgets are simulated
# The results exclude the stories from the first seconds of the records, up to this number of
# seconds. If the records are short, only the stories from their first half are excluded.
_WARMUP = 7 * DAY
_COLUMNS = ("credits a day", "checks", "delay, mean", "one credit a day more or less",
            "delay, 95 %", "stories lost")  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--history", action="store_true", required=True, help="use the bot's own history"
    )
    parser.add_argument(
        "--budget",
        type=float,
        required=True,
        metavar="CREDITS_PER_DAY",
        help="credits a day for all profiles",
    )
    parser.add_argument(
        "--budget-to",
        type=float,
        metavar="CREDITS_PER_DAY",
        help="also compare higher budgets, up to this value",
    )


async def main(settings: Settings, arguments: argparse.Namespace, db: Database) -> int:
    """Print a table of simulations of the recorded stories. Return the exit status."""
    past = await db.fetch(stories.weights_and_posting_times_by_username)
    records = [
        Record(name, weight, [moment.timestamp() for moment in taken_at])
        for name, (weight, taken_at) in past.items()
    ]
    cost = 2 if settings.skip_privacy_check == "false" else 1
    return simulate_and_return_status(records, arguments, cost=cost, minimum=settings.poll_floor_s)


def simulate_and_return_status(
    records: Sequence[Record], args: argparse.Namespace, *, cost: int, minimum: float
) -> int:
    """Simulate each budget, and print a table with a row for each budget.

    ``cost`` is in credits per check, and ``minimum`` is the shortest pause between two checks in
    seconds. Return 0, or 2 if a simulation is not possible.
    """
    stderr = Console(stderr=True)
    if objection := _reason_not_to_simulate(records, args):
        stderr.print(objection, markup=False, soft_wrap=True)
        return 2
    times = [moment for record in records for moment in record.taken_at]
    warmup = min(_WARMUP, (max(times) - min(times)) / 2)
    table = Table(*_COLUMNS, box=None)
    if not is_feasible(min(_geometric_budgets(args)), cost * len(records)):
        least = math.ceil(1.2 * cost * len(records))
        text = (
            f"{args.budget:g} credits a day are too few for {len(records)} profiles at {cost} a "
            f"check: below 1.2 checks a profile and day stories are lost. It takes {least}."
        )
        stderr.print(text, markup=False, soft_wrap=True)
        return 2
    for budget in _geometric_budgets(args):
        plan = Simulation(records, budget, cost, warmup=warmup, minimum=minimum)
        table.add_row(*_table_row(records, budget, plan.run()))
    Console(width=120).print(table)
    return 0


def _geometric_budgets(args: argparse.Namespace) -> list[float]:
    """Return the budgets that are simulated, each in credits per day.

    If ``--budget-to`` is given, the budgets form a geometric series from ``--budget`` to
    ``--budget-to``.
    """
    if args.budget_to is None:
        return [args.budget]
    factor = args.budget_to / args.budget
    return [args.budget * factor ** (step / _STEPS) for step in range(_STEPS + 1)]


def _reason_not_to_simulate(records: Sequence[Record], args: argparse.Namespace) -> str:
    if not any(record.taken_at for record in records):
        return (
            "The database has no stories yet, so there is nothing to simulate. Let the bot run "
            "for some days with a subscription."
        )
    if not math.isfinite(args.budget) or args.budget <= 0:
        return "--budget must be above 0."
    if args.budget_to is not None and not args.budget < args.budget_to < math.inf:
        return "--budget-to must be above --budget."
    return ""


def _table_row(records: Sequence[Record], budget: float, result: Result) -> list[str]:
    """Return the cells of the table for one budget: its checks, delays of alerts and lost stories.

    The mean and the quantile of the delays are weighted by the number of subscribers.
    """
    weighted = sorted(
        (delay, record.subscribers)
        for record, delays in zip(records, result.delays, strict=True)
        for delay in delays
        if record.subscribers > 0
    )
    average = mean_minutes(weighted)
    return [
        f"{budget:,.0f}",
        f"{result.poll_count:,}",
        _minutes_text(average),
        # The mean delay is inversely proportional to the budget, so one credit changes the mean
        # delay by about this value.
        _minutes_text(None if average is None else average / budget),
        _minutes_text(quantile_minutes(weighted, 0.95)),
        f"{result.lost:,}",
    ]


def mean_minutes(weighted: Sequence[tuple[float, float]]) -> float | None:
    """Return the weighted mean in minutes, or None if the total weight is 0.

    ``weighted`` has pairs of a delay in seconds and its weight.
    """
    total = sum(weight for _, weight in weighted)
    return sum(delay * weight for delay, weight in weighted) / total / 60 if total else None


def quantile_minutes(weighted: Sequence[tuple[float, float]], part: float) -> float | None:
    """Return the weighted quantile ``part`` in minutes, or None if there are no delays.

    ``part`` is between 0 and 1. ``weighted`` has pairs of a delay in seconds and its weight,
    sorted by the delay.
    """
    left = part * sum(weight for _, weight in weighted)
    for delay, weight in weighted:
        left -= weight
        if left <= 0:
            return delay / 60
    return weighted[-1][0] / 60 if weighted else None


def _minutes_text(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f} min" if value >= 1 else f"{value:.4f} min"
