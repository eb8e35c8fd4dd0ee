"""The cost of growth: the time of each statement at 10,000 and 1,000,000 subscriptions.

The statements are measured on SQLite and on PostgreSQL. The databases are measured before any
ANALYZE, like a database that has just grown. The longest write transaction is also measured. It is
the longest of all transactions for a story for every chat, a clean-up of a tenth of all
deliveries, and the hourly and minutely maintenance.
"""

import argparse
import asyncio
import gc
import json
import os
import resource
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.alert_cpu import alert_cpu
from benchmarks.scale_processes import ready, replicas
from benchmarks.scale_world import STAR, Size, fill
from bot.billing.ledger import SPLIT_AT_ONCE, Ledger
from bot.billing.reports import load_spending
from bot.domain.budget import Limits
from bot.domain.model import Profile, Story
from bot.fetching import schedule_state, snapshots
from bot.operations import cleanup
from bot.outbox.fan_out import FanOut
from bot.runtime.claims import Lease
from bot.store import (
    chat_queues,
    enqueue,
    fan_outs,
    moves,
    profiles,
    samples,
    spending,
    subscriptions,
    usage,
)
from bot.store.engine.database import Database, Tx
from tests.support.postgres import Postgres, postgres

SMALL, LARGE = 10_000, 1_000_000
TIMES = 7
LEASE = timedelta(seconds=60)
ENGINES = ("sqlite", "postgresql")
PARTS = ("statements", "ready", "writes", "cpu", "replicas")
OF_WORLDS = frozenset({"statements", "ready", "writes"})
Work = Callable[[Tx], Awaitable[object]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the benchmark."""
    parser.add_argument("--subscriptions", type=int, default=LARGE)
    parser.add_argument("--alerts", type=int, default=500)
    parser.add_argument("--people", type=int, default=200, help="for whom replicas work")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts of it")
    parser.add_argument("--engine", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument(
        "--kept",
        type=Path,
        help="a folder where the databases are made once; ready and writes change them",
    )
    parser.add_argument("--json", action="store_true")


def main(arguments: argparse.Namespace) -> int:
    """Measure and print the figures."""
    gc.collect()  # collect and freeze objects, because the bot does so at its start
    gc.freeze()
    found = asyncio.run(measure(arguments))
    if arguments.json:
        print(json.dumps(found))
        return 0
    for name, values in found.items():
        print(name)
        for key, value in values.items() if isinstance(values, dict) else [("", values)]:
            print(f"  {key:24} {value}")
    return 0


async def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return all figures.

    The time of a statement is the best of eight attempts, in milliseconds of CPU.
    """
    parts, engines = set(arguments.only), arguments.engine
    result = await _of_worlds(arguments, parts) if parts & OF_WORLDS else {}
    if "cpu" in parts:
        result["alert_cpu_ratio"] = {
            one: await _alert_cpu(one, arguments.alerts) for one in engines
        }
    if "replicas" in parts:
        result["replicas"] = await replicas(arguments.people)
    return result | {"load": os.getloadavg()[1]}


async def _of_worlds(arguments: argparse.Namespace, parts: set[str]) -> dict[str, Any]:
    """Return the figures that require databases of both sizes."""
    largest = arguments.subscriptions
    statements: dict[str, dict[str, dict[int, float]]] = {}
    result: dict[str, dict[str, Any]] = {part: {} for part in ("writes", "ready", "memory")}
    for engine in arguments.engine:
        for count in (SMALL, largest):
            async with _world(engine, count, arguments.kept) as (db, now):
                if "statements" in parts:
                    for name, took in (await _statements(db, now)).items():
                        statements.setdefault(name, {}).setdefault(engine, {})[count] = took
                    result["memory"]["10k" if count == SMALL else "1m"] = _rss_mb()
                if "ready" in parts and count != SMALL:
                    result["ready"][engine] = await ready(_url(db))
                if "writes" in parts and count != SMALL:
                    result["writes"][engine] = await _longest_write(_url(db), now)
    figures = {
        "statements_ms": {name: _row(took, largest) for name, took in statements.items()},
        "claim_100k_ms": {one: took[largest] for one, took in statements.get("claim", {}).items()},
        "longest_write_ms": result["writes"],
        "rss_mb": result["memory"],
        "ready_s": result["ready"],
    }
    return {name: values for name, values in figures.items() if values}


def _url(db: Database) -> str:
    return db.url.render_as_string(hide_password=False)


def _row(found: dict[str, dict[int, float]], largest: int) -> dict[str, float]:
    """Return the times on each database at the large size, and the maximum growth factor."""
    ratios = [times[largest] / max(times[SMALL], 0.01) for times in found.values()]
    return {engine: times[largest] for engine, times in found.items()} | {
        "ratio": round(max(ratios), 1)
    }


async def _alert_cpu(engine: str, alerts: int) -> float:
    async with _database(engine) as db:
        return await alert_cpu(_url(db), alerts)


@asynccontextmanager
async def _world(
    engine: str, count: int, kept: Path | None
) -> AsyncIterator[tuple[Database, datetime]]:
    """Yield a database with ``count`` subscriptions, and the creation time of the database.

    If the folder ``kept`` has a copy of the database, the copy is used.
    """
    if kept is None:
        async with _database(engine) as db:
            await fill(db, Size.of(count), now=(now := datetime.now(UTC)))
            yield db, now
        return
    folder = kept / f"{engine}-{count}"
    made = folder / "made_at"
    folder.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        url = f"sqlite:///{folder}/bot.db"
        if engine != "sqlite":
            server = Postgres(folder)
            if not made.exists():
                server.make()
            server.start()
            stack.callback(server.stop, signal.SIGINT)
            url = server.url
        db = await stack.enter_async_context(Database(url))
        await db.migrate()
        if not made.exists():
            await fill(db, Size.of(count), now=(now := datetime.now(UTC)))
            made.write_text(now.isoformat(), encoding="ascii")
        yield db, datetime.fromisoformat(made.read_text(encoding="ascii"))


@asynccontextmanager
async def _database(engine: str) -> AsyncIterator[Database]:
    if engine == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            async with Database(f"sqlite:///{folder}/bot.db") as db:
                await db.migrate()
                yield db
        return
    with postgres() as server:
        async with Database(server.url) as db:
            await db.migrate()
            yield db


async def _statements(db: Database, now: datetime) -> dict[str, float]:
    """Return the time of each statement in milliseconds of CPU. Roll back all changes."""
    limits = Limits()
    # The maintenance of the ledger does the same every 5 minutes.
    while await db.run(lambda tx: spending.add_next_hour_to_sums(tx, now=now)):
        pass
    works: dict[str, Work] = {
        "claim": lambda tx: chat_queues.claim_and_lock_due_deliveries(
            tx, Lease("benchmark", now, now + LEASE), limit=64
        ),
        "claim_due_next": chat_queues.next_due_at,
        "look_claim": lambda tx: profiles.claim_checks(
            tx, Lease("benchmark", now, now + LEASE), limit=8
        ),
        "look_due_next": lambda tx: profiles.next_check_due_and_last_snapshot(tx, now=now),
        "look_record": lambda tx: snapshots.record_snapshot_and_enqueue_alerts(
            tx, _look("1", now), now=now
        ),
        "look_record_star": lambda tx: snapshots.record_snapshot_and_enqueue_alerts(
            tx, _look(STAR, now), now=now
        ),
        "fan_out_slice": lambda tx: _slice(tx, now),
        "bill": lambda tx: profiles.add_unsplit_credits(tx, STAR, 2),
        "split_slice": lambda tx: _split(tx, now),
        "pause": lambda tx: _pause(tx, "1", now),
        "pause_star": lambda tx: _pause(tx, STAR, now),
        "count_subscribers": lambda tx: subscriptions.count_subscribers(tx, "1"),
        "count_subscribers_star": lambda tx: subscriptions.count_subscribers(tx, STAR),
        "close_chat": lambda tx: moves.close_left_chat(tx, 1, now=now),
        "sample": lambda tx: schedule_state.sample_states(tx, only_newcomers=False),
        "followed": profiles.estimate_profile_counts_by_followers,
        "stats_backlog": lambda tx: enqueue.count_backlog(tx, now=now),
        "stats_delay": lambda tx: profiles.estimate_mean_detection_delay(
            tx, profiles.ProfileCounts(1, 0)
        ),
        "usage": lambda tx: usage.received_stories_by_day(
            tx, 1, since=now.date() - timedelta(days=30)
        ),
        "hour": lambda tx: samples.measure_hour(tx, now - timedelta(hours=1)),
        "spending": lambda tx: load_spending(tx, limits, now=now),
        "watch": lambda tx: spending.spent_between(tx, now - timedelta(days=1), now),
    }
    return {name: await _time(db, work) for name, work in works.items()}


def _look(profile_id: str, now: datetime) -> snapshots.Snapshot:
    profile = Profile(profile_id, "star" if profile_id == STAR else f"u{profile_id}")
    return snapshots.Snapshot(profile, (Story(f"new{profile_id}", now, "photo", profile),))


async def _pause(tx: Tx, profile_id: str, now: datetime) -> None:
    """Pause one subscription to a profile."""
    table = subscriptions.subscriptions
    this = sa.select(table.c.id, table.c.chat_id).where(table.c.profile_id == profile_id).limit(1)
    row = (await tx.execute(this)).one()
    await subscriptions.change(tx, row.id, paused=True)
    await subscriptions.start_or_stop_checks(tx, profile_ids=[profile_id], now=now)


async def _split(tx: Tx, now: datetime) -> None:
    """Split the cost of the checks of the profile ``STAR`` between the chats that follow it."""
    each = usage.Use(millicredits=await profiles.pop_unsplit_millicredits_per_chat(tx, STAR))
    chat_ids = await subscriptions.waiting_chat_ids(tx, STAR, after=None, limit=SPLIT_AT_ONCE)
    await usage.add(tx, [(one, each) for one in chat_ids], day=now.date())


async def _slice(tx: Tx, now: datetime) -> None:
    await snapshots.record_snapshot_and_enqueue_alerts(tx, _look(STAR, now), now=now)
    await fan_outs.write_next_slice_if_due(tx, now=now, limit=200)


async def _time(db: Database, work: Work) -> float:
    """Return the best time of several attempts in milliseconds of CPU. Roll back each attempt."""
    times = []
    for _ in range(TIMES + 1):
        async with db.begin() as tx:
            stopwatch = await _stopwatch(tx)
            began = stopwatch()
            await work(tx)
            times.append(stopwatch() - began)
            await tx.rollback()
    return round(min(times) * 1000, 2)


async def _stopwatch(tx: Tx) -> Callable[[], float]:
    """Return a function that returns CPU seconds.

    The function returns the CPU seconds of this process. With PostgreSQL, it adds the CPU seconds
    of the database session of ``tx``. The statements do not wait for a disk, so the CPU time
    equals the duration on an idle machine.
    """
    if tx.dialect.name == "sqlite":
        return time.process_time
    await tx.exec_driver_sql("SET LOCAL max_parallel_workers_per_gather = 0")
    number = (await tx.execute(sa.select(sa.func.pg_backend_pid()))).scalar_one()
    file = Path(f"/proc/{number}/schedstat")  # the first field of the file is the CPU time in ns

    def cpu_s() -> float:
        return time.process_time() + int(file.read_text(encoding="ascii").split()[0]) / 1e9

    return cpu_s


class Watched(Database):
    """A database that records the duration of its longest write transaction, including commit."""

    longest_s = 0.0

    @asynccontextmanager
    async def begin(self, *, durable: bool = True) -> AsyncIterator[Tx]:
        """Yield a transaction, and record the time for which it blocked other writers."""
        async with super().begin(durable=durable) as tx:
            # The time begins here, so it excludes the connection and the wait for a lock.
            began = time.perf_counter()
            yield tx
        self.longest_s = max(self.longest_s, time.perf_counter() - began)


async def _longest_write(url: str, now: datetime) -> float:
    """Return the duration of the longest write transaction of all long operations, in ms.

    One-time costs of the first recorded check in a process are excluded.
    """
    async with Watched(url) as db:
        for one in ("1", STAR):
            db.longest_s = 0.0
            async with db.begin() as tx:
                await snapshots.record_snapshot_and_enqueue_alerts(tx, _look(one, now), now=now)
        await FanOut(db, lambda: None, now=lambda: now).write_due_fan_outs()
        await cleanup.delete_overdue_rows(db, now=now + timedelta(hours=8))
        await Ledger(db, Limits(), now=lambda: now).close_old_reservations_and_split_costs()
        return round(db.longest_s * 1000, 1)


def _rss_mb() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() // 2**20
