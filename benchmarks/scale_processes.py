"""The throughput of 1, 2 and 4 replicas of the bot, and the time until a process is ready."""

import asyncio
import os
import signal
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa

from benchmarks.telegram_fanout import follow
from bot.domain.model import Profile
from bot.store.deliveries import deliveries
from bot.store.engine.database import Database
from bot.store.profiles import profiles
from tests.support.control import wait_for
from tests.support.killing import Victim
from tests.support.postgres import postgres
from tests.support.sandbox import Box, sandbox_box

REPLICAS = (1, 2, 4)
PATIENCE_S = 600.0
AT_WORK_S = 2.0  # the seconds for which the bot works before it is killed
TICKS = os.sysconf("SC_CLK_TCK")
# These limits are high enough that only the processes limit the throughput.
SETTINGS = {
    "MESSAGES_PER_SECOND": "1000",
    "DAILY_BUDGET": "100000000",
    "CACHE_S": "0",
    "ADMIN_IDS": "1",
}


async def replicas(many: int) -> dict[str, dict[str, float]]:
    """Return the operations per second and the CPU time for each number of replicas.

    The replicas share a PostgreSQL database.
    """
    return {str(count): await _together(count, many) for count in REPLICAS}


async def _together(count: int, many: int) -> dict[str, float]:
    """Measure ``count`` replicas together: commands, alerts and checks.

    The replicas handle ``many`` /start commands, ``many`` alerts, and the checks of ``many``
    profiles.
    """
    with tempfile.TemporaryDirectory() as folder, postgres() as server:
        async with AsyncExitStack() as stack:
            box = await stack.enter_async_context(sandbox_box())
            db = await stack.enter_async_context(Database(server.url))
            victims = []
            for number in range(count):
                place = tempfile.mkdtemp(prefix=f"{number}", dir=folder)
                victim = Victim(box, Path(place), webhook=True, database_url=server.url)
                await victim.start(**SETTINGS)
                stack.push_async_callback(victim.end, signal.SIGKILL)
                victims.append(victim)
                await wait_for(partial(is_ready, victim), PATIENCE_S, "a replica")
            before = _cpu_s(victims)
            people = [await box.control.person(f"P{number}") for number in range(many)]
            found = {"updates_per_s": await _updates(box, people)}
            found["alerts_per_s"] = await _alerts(box, db, people)
            found["looks_per_s"] = await _looks(box, db, people)
            return found | {"cpu_s": round(_cpu_s(victims) - before, 1)}


async def _updates(box: Box, people: list[int]) -> float:
    began = time.perf_counter()
    for person in people:
        await box.control.say(person, "/start")
    for person in people:
        await box.control.wait_replies(person, 1, within=PATIENCE_S)
    return round(len(people) / (time.perf_counter() - began), 1)


async def _alerts(box: Box, db: Database, people: list[int]) -> float:
    shown = await box.control.profile("announcer", posts_per_day=0)
    await box.control.publish("announcer", 1)
    await follow(db, Profile(str(shown["pk"]), "announcer"), people)
    sent = sa.select(sa.func.count()).where(deliveries.c.state == "sent")
    return await _pace(db, sent, len(people))


async def _looks(box: Box, db: Database, people: list[int]) -> float:
    for number, person in enumerate(people):
        shown = await box.control.profile(f"quiet{number}", posts_per_day=0)
        await follow(db, Profile(str(shown["pk"]), shown["username"]), [person])
    seen = profiles.c.snapshot_at.is_not(None) & profiles.c.username.like("quiet%")
    return await _pace(db, sa.select(sa.func.count()).where(seen), len(people))


async def _pace(db: Database, counted: sa.Select[Any], many: int) -> float:
    """Return the number of completed rows per second, from the first to the last completed row."""
    first: tuple[float, int] | None = None

    async def is_done() -> bool:
        nonlocal first
        async with db.read() as tx:
            done = (await tx.execute(counted)).scalar_one()
        if done and first is None:
            first = time.perf_counter(), done
        return bool(done >= many)

    await wait_for(is_done, PATIENCE_S, "all of them")
    assert first is not None
    began, done = first
    return round((many - done) / max(time.perf_counter() - began, 0.001), 1)


async def ready(url: str) -> dict[str, float]:
    """Return the seconds until a bot is ready: after a start, and after a kill under load."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        async with sandbox_box() as box:
            victim = Victim(box, Path(folder), webhook=False, database_url=url)
            for name in ("start", "after_kill"):
                began = time.perf_counter()
                await victim.start(**SETTINGS)
                try:
                    await wait_for(partial(is_ready, victim), PATIENCE_S, "the bot")
                    found[name] = round(time.perf_counter() - began, 1)
                    await asyncio.sleep(AT_WORK_S)
                finally:
                    await victim.end(signal.SIGKILL)
    return found


async def is_ready(victim: Victim) -> bool:
    """Return whether the process reports that it is ready."""
    with suppress(aiohttp.ClientError):
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{victim.port}/readyz") as answer,
        ):
            return answer.status == 200
    return False


def _cpu_s(victims: list[Victim]) -> float:
    """Return the total CPU seconds of the processes."""
    total = 0
    for victim in victims:
        assert victim.process is not None
        stat = Path(f"/proc/{victim.process.pid}/stat").read_text(encoding="ascii")
        fields = stat.rpartition(")")[2].split()
        # The user time and the system time; see proc(5).
        total += int(fields[11]) + int(fields[12])
    return total / TICKS
