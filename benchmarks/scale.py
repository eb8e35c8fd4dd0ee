"""What growth costs: each statement at 10,000 and at 1,000,000 subscriptions, on both databases.

Before any ANALYZE: so is a database that has just grown. The longest write is that of a story for
every chat, of a clean-up of a tenth of all deliveries, and of a minute's upkeep.
"""

import argparse
import asyncio
import json
import resource
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.alert_cpu import alert_cpu
from benchmarks.scale_world import STAR, Size, fill
from bot.billing.reports import spending_of
from bot.domain.budget import Limits
from bot.domain.model import Profile, Story
from bot.fetching import schedule_state, snapshots
from bot.operations import cleanup
from bot.outbox.fan_out import FanOut
from bot.store import chat_queues, enqueue, fan_outs, profiles, retention, subscriptions
from bot.store.database import Database, Tx
from tests.support.postgres import postgres

SMALL, LARGE = 10_000, 1_000_000
TIMES = 7
LEASE = timedelta(seconds=60)
ENGINES = ("sqlite", "postgresql")
Work = Callable[[Tx], Awaitable[object]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what may be chosen."""
    parser.add_argument("--subscriptions", type=int, default=LARGE)
    parser.add_argument("--alerts", type=int, default=500)
    parser.add_argument("--json", action="store_true")


def main(arguments: argparse.Namespace) -> int:
    """Measure, and print."""
    found = asyncio.run(measure(arguments.subscriptions, arguments.alerts))
    if arguments.json:
        print(json.dumps(found))
        return 0
    for name, values in found.items():
        print(name)
        for key, value in values.items():
            print(f"  {key:24} {value}")
    return 0


async def measure(largest: int, alerts: int) -> dict[str, Any]:
    """Return all figures; times are milliseconds, medians of seven."""
    statements: dict[str, dict[str, dict[int, float]]] = {}
    longest: dict[str, float] = {}
    memory: dict[str, int] = {}
    for engine in ENGINES:
        for count in (SMALL, largest):
            async with _database(engine) as db:
                await fill(db, Size.of(count), now=(now := datetime.now(UTC)))
                for name, took in (await _statements(db, now)).items():
                    statements.setdefault(name, {}).setdefault(engine, {})[count] = took
                longest[engine] = await _longest_write(db, now)
            memory["10k" if count == SMALL else "1m"] = _rss_mb()
    return {
        "alert_cpu_ratio": {one: await _alert_cpu(one, alerts) for one in ENGINES},
        "statements_ms": {name: _row(found, largest) for name, found in statements.items()},
        "longest_write_ms": longest,
        "claim_100k_ms": {one: statements["claim"][one][largest] for one in ENGINES},
        "rss_mb": memory,
    }


def _row(found: dict[str, dict[int, float]], largest: int) -> dict[str, float]:
    """Return the times at the large size, and by how much they grew at most."""
    ratios = [times[largest] / max(times[SMALL], 0.01) for times in found.values()]
    return {engine: times[largest] for engine, times in found.items()} | {
        "ratio": round(max(ratios), 1)
    }


async def _alert_cpu(engine: str, alerts: int) -> float:
    async with _database(engine) as db:
        return await alert_cpu(db.url.render_as_string(hide_password=False), alerts)


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
    """Return how long each takes; what it does is undone."""
    limits = Limits()
    works: dict[str, Work] = {
        "claim": lambda tx: chat_queues.claim(tx, now=now, limit=64, lease=LEASE),
        "claim_due_next": chat_queues.due_next,
        "look_claim": lambda tx: profiles.claim(tx, now=now, limit=8, lease=LEASE),
        "look_due_next": lambda tx: profiles.due_next(tx, now=now),
        "look_record": lambda tx: snapshots.record(tx, _look("1", now), now=now),
        "look_record_star": lambda tx: snapshots.record(tx, _look(STAR, now), now=now),
        "fan_out_slice": lambda tx: _slice(tx, now),
        "reweigh": lambda tx: subscriptions.reweigh(tx, profile_id="1", now=now),
        "reweigh_star": lambda tx: subscriptions.reweigh(tx, profile_id=STAR, now=now),
        "stop_looking": retention.stop_polling,
        "sample": schedule_state.sample,
        "followed": profiles.followed,
        "grow_up": lambda tx: subscriptions.grow_up(tx, now.date()),
        "stats_backlog": lambda tx: enqueue.backlog(tx, now=now),
        "stats_delay": profiles.mean_delay,
    }
    found = {name: await _time(db, work) for name, work in works.items()}
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await spending_of(db, limits, now=now)
        times.append(time.perf_counter() - began)
    return found | {"spending": round(statistics.median(times) * 1000, 2)}


def _look(profile_id: str, now: datetime) -> snapshots.Snapshot:
    profile = Profile(profile_id, "star" if profile_id == STAR else f"u{profile_id}")
    return snapshots.Snapshot(profile, (Story(f"new{profile_id}", now, "photo", profile),))


async def _slice(tx: Tx, now: datetime) -> None:
    await snapshots.record(tx, _look(STAR, now), now=now)
    await fan_outs.advance(tx, now=now, limit=200)


async def _time(db: Database, work: Work) -> float:
    """Return the median of some tries, in milliseconds, none of which is kept."""
    times = []
    for _ in range(TIMES + 1):
        async with db.begin() as tx:
            began = time.perf_counter()
            await work(tx)
            times.append(time.perf_counter() - began)
            await tx.rollback()
    return round(statistics.median(times[1:]) * 1000, 2)


async def _longest_write(db: Database, now: datetime) -> float:
    """Return how long others had to wait at most while all that is long was written."""
    longest = 0.0
    is_over = False

    async def watch() -> None:
        nonlocal longest
        while not is_over:
            longest = max(longest, db.oldest_s)
            await asyncio.sleep(0.005)

    async with asyncio.TaskGroup() as group:
        group.create_task(watch())
        async with db.begin() as tx:
            await snapshots.record(tx, _look(STAR, now), now=now)
        await FanOut(db, lambda: None, now=lambda: now).finish()
        await cleanup.clean(db, now=now + timedelta(hours=8))
        await db.run(retention.stop_polling)
        await db.run(lambda tx: subscriptions.grow_up(tx, now.date()))
        is_over = True
    return round(longest * 1000, 1)


def _rss_mb() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() // 2**20
