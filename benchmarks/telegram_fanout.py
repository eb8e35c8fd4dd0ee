"""Benchmark of one story that the complete bot sends to thousands of chats.

The measurement includes the check, the outbox and the calls to Telegram. One API call detects the
story. The first send uploads the file, and all other sends use the file_id of the uploaded file.
Each delivery is claimed, counted before the send, and recorded.
"""

import asyncio
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.telegram_world import World, settings_for, world
from bot.bootstrap import Parts, open_parts
from bot.domain.model import Profile, Target
from bot.domain.options import Preferences
from bot.fetching import snapshots
from bot.store import chat_queues, chats, fan_outs, subscriptions
from bot.store.engine.database import Database
from tests.support.control import wait_for

PATIENCE_S = 300.0


async def measure(people: int) -> dict[str, Any]:
    """Subscribe ``people`` persons to a profile, and send a story to all without flood limits."""
    async with world() as at:
        with tempfile.TemporaryDirectory() as folder:
            settings = settings_for(at, Path(folder))
            # The rate is above the maximum of the setting. This is possible because the flood
            # limits of the sandbox are off.
            unlimited = settings.model_copy(update={"messages_per_second": float("inf")})
            async with open_parts(unlimited) as parts, parts.bot:
                return await _measure(at, parts, await at.people(people))


async def _measure(at: World, parts: Parts, people: list[int]) -> dict[str, Any]:
    profile = await at.control.profile("announcer")
    await follow(parts.db, Profile(str(profile["pk"]), "announcer"), people)
    await at.control.publish("announcer", 1)
    before = (await at.control.state())["calls"]
    wall, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        group.create_task(parts.outbox.fan_out_and_send_until_stopped())
        await parts.scheduler.make_possible_checks_once()
        await wait_for(partial(is_done, parts.db), within=PATIENCE_S)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        parts.outbox.stop()
    after = (await at.control.state())["calls"]
    return {
        "chats": len(people),
        "sent": await _sent(at, people),
        "api_calls": after["stories"] - before["stories"],
        "uploads": after["cdn"] - before["cdn"],
        "per_s": round(len(people) / wall),
        "per_cpu_s": round(len(people) / cpu),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


async def follow(db: Database, profile: Profile, people: list[int]) -> None:
    """Subscribe persons to a profile."""
    now = datetime.now(UTC)
    since = now - timedelta(minutes=1)
    async with db.begin() as tx:
        await snapshots.record_name_notify_and_return_previous(tx, profile, now=now)
        for person in people:
            await chats.add_or_update(tx, person, kind="private", title="", now=now)
            await subscriptions.add(
                tx,
                Target(person),
                profile.profile_id,
                preferences=Preferences(),
                alerts_since=since,
                created_by=person,
                now=now,
            )
        await subscriptions.start_or_stop_checks(tx, profile_ids=[profile.profile_id], now=now)


async def is_done(db: Database) -> bool:
    """Return whether no delivery is pending."""
    async with db.read() as tx:
        due = await chat_queues.next_due_at(tx), await fan_outs.next_due_at(tx)
        return due == (None, None)


async def _sent(at: World, people: list[int]) -> int:
    """Return the number of chats with exactly one copy of the story."""
    shown = [len(await at.control.replies(person)) for person in people]
    return shown.count(1)
