"""An hour without Telegram on a clock that jumps: 5,000 alerts due in 300 chats.

``python -m tests.flows.outage_hour FOLDER`` prints what came of it as one line of JSON.
"""

# ruff: noqa: E402 - the clock is taken before anybody else takes one
from sandbox import jumping

jumping.install()

import asyncio
import json
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from aiohttp import ClientSession

from bot import app
from bot.config import load
from bot.domain.model import Profile
from bot.fetching import snapshots
from bot.outbox.fan_out import FanOut
from bot.store.database import Database
from bot.store.deliveries import deliveries
from sandbox.app import running
from sandbox.clock import Clock
from sandbox.jumping import JumpingLoop
from sandbox.state import Sandbox
from tests.support.control import Control, wait_for
from tests.support.followed import follow
from tests.support.telegram import story_of

START = datetime(2026, 3, 1, 6, 30, tzinfo=UTC)
CHATS, PROFILES = 300, 17
OUTAGE_S, DRAIN_S, LOOK_EVERY_S = 3600, 3600, 20
DOWN = {"status": 502, "body": "<html>Bad Gateway</html>"}
TOKEN = "7000000001:a-token-that-no-log-may-show-0123456789"


async def owe(control: Control, url: str) -> tuple[list[int], list[str]]:
    """Let all people follow all profiles, and each profile post once; chats and pks in order."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    people = [await control.person(f"P{number}") for number in range(CHATS)]
    for person in people:
        await control.say(person, "/start")
    pks = []
    async with Database(url) as db:
        await db.migrate()
        for number in range(PROFILES):
            shown = await control.profile(f"star{number}", posts_per_day=0)
            profile = Profile(str(shown["pk"]), shown["username"])
            story = story_of(await control.publish(profile.username))
            pks.append(story.pk)
            async with db.begin() as tx:
                since = loop.now() - timedelta(days=1)
                for person in people:
                    await follow(tx, person, profile, since=since, now=since)
                await snapshots.record(tx, snapshots.Snapshot(profile, (story,)), now=loop.now())
            await FanOut(db, lambda: None, now=loop.now).finish()  # so that all are owed in order
    return people, pks


async def states(url: str) -> Counter[str]:
    """Count the deliveries by their state."""
    async with Database(url) as db, db.read() as tx:
        return Counter((await tx.execute(sa.select(deliveries.c.state))).scalars())


async def live(folder: Path) -> dict[str, Any]:
    """Live through it; return the figures."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    url = f"sqlite:///{folder}/bot.db"
    clock = Clock(start=START.timestamp(), move_on=loop.jump)
    async with running(clock=clock) as sandbox, ClientSession() as session:
        control = Control(session, sandbox.urls.page)
        people, pks = await owe(control, url)
        settings = load(
            _env_file=None,
            telegram_token=TOKEN,
            stories_api_key="a-key",
            telegram_api_url=sandbox.urls.telegram,
            stories_api_url=sandbox.urls.stories_api,
            trusted_media_origin=sandbox.urls.cdn,
            database_url=url,
            spool_dir=folder / "spool",
            port=0,
            host="127.0.0.1",
            access="open",
        )
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(app.run(settings, stop, now=loop.now))
            await wait_for(lambda: control.requests("telegram", path="sendPhoto"), 60)
            lost_half = {**DOWN, "effect": True}
            await control.fault("telegram", lost_half, times=None, every=2)
            await control.fault("telegram", DOWN, times=None)
            await asyncio.sleep(OUTAGE_S)
            during = await states(url)
            await control.clear_faults()
            for _ in range(DRAIN_S // LOOK_EVERY_S):
                await asyncio.sleep(LOOK_EVERY_S)
                if not (await states(url))["open"]:
                    break
            stop.set()
            await task
        return await figures(sandbox, control, people, pks) | {
            "during": during,
            "after": await states(url),
            "drained_s": round(loop.time() - OUTAGE_S),
        }


async def figures(
    sandbox: Sandbox, control: Control, people: list[int], pks: list[str]
) -> dict[str, Any]:
    """Compare what stands in the chats with what was owed."""
    lost = disordered = repeats = 0
    for person in people:
        shown = [m["_story_pk"] for m in await control.replies(person) if "_story_pk" in m]
        lost += len(set(pks) - set(shown))
        disordered += list(dict.fromkeys(shown)) != [pk for pk in pks if pk in shown]
        repeats += len(shown) - len(set(shown))
    return {
        "lost": lost,
        "disordered": disordered,
        "repeats": repeats,
        "answers_lost": sandbox.telegram.world.lost,
    }


def main(folder: Path) -> int:
    """Print the figures."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with asyncio.Runner(loop_factory=lambda: JumpingLoop(START)) as runner:
        sys.stdout.write(json.dumps(runner.run(live(folder))) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
