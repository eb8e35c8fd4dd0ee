"""A day on a jumping clock, with a sandbox, and bots on one database.

Importing modules must call ``sandbox.jumping.install`` first.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from aiohttp import ClientSession

from bot import app
from bot.domain.model import Profile
from bot.fetching import snapshots
from bot.store.deliveries import deliveries
from bot.store.engine.database import Database
from sandbox.app import running
from sandbox.clock import Clock
from sandbox.jumping import JumpingLoop
from tests.support.control import Control
from tests.support.followed import follow
from tests.support.postgres import hold_the_clock
from tests.support.sandbox import Box
from tests.support.storybell import NO_CHECKS, settings_for
from tests.support.telegram import story_of

START = datetime(2026, 3, 1, 6, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Day:
    """A running sandbox, and the database that the bots share."""

    box: Box
    folder: Path
    url: str
    loop: JumpingLoop

    @property
    def control(self) -> Control:
        return self.box.control

    async def post(self, name: str, people: list[int], media_type: int = 1) -> str:
        """Publish a story of a new profile that all persons follow, and record a check.

        Return the story's pk. The deliveries are then pending.
        """
        shown = await self.control.profile(name, posts_per_day=0)
        profile = Profile(str(shown["pk"]), shown["username"])
        story = story_of(await self.control.publish(name, media_type))
        since = self.loop.now() - timedelta(days=1)
        async with Database(self.url) as db, db.begin() as tx:
            for person in people:
                await follow(tx, person, profile, since=since, now=since)
            await snapshots.record_snapshot_and_enqueue_alerts(
                tx, snapshots.Snapshot(profile, (story,)), now=self.loop.now()
            )
        return story.pk

    async def states(self) -> Counter[str]:
        """Count the deliveries by state."""
        async with Database(self.url) as db, db.read() as tx:
            return Counter((await tx.execute(sa.select(deliveries.c.state))).scalars())

    @asynccontextmanager
    async def bots(self, count: int = 1, **changed: Any) -> AsyncIterator[None]:
        """Run ``count`` bots within the block."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                spool = self.folder / f"spool-{number}"
                # ``post()`` records the checks.
                values = NO_CHECKS | {"database_url": self.url, "spool_dir": spool} | changed
                settings = settings_for(self.box, self.folder, **values)
                group.create_task(app.run(settings, stop, now=self.loop.now))
            yield
            stop.set()


@asynccontextmanager
async def simulated(folder: Path, url: str = "", *, ahead_s: float = 0) -> AsyncIterator[Day]:
    """Run a sandbox in simulated time, ``ahead_s`` seconds ahead, with a migrated database."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    clock = Clock(start=START.timestamp() + ahead_s, move_on=loop.jump)
    url = url or f"sqlite:///{folder}/bot.db"
    async with running(clock=clock) as parts, ClientSession() as session:
        async with Database(url) as db:
            await db.migrate()
        yield Day(Box(parts, session), folder, url, loop)


def main(live: Callable[[], Coroutine[Any, Any, dict[str, Any]]]) -> int:
    """Run ``live`` on a jumping clock. Print the figures as one line of JSON. Return 0."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    hold_the_clock()
    with asyncio.Runner(loop_factory=lambda: JumpingLoop(START)) as runner:
        sys.stdout.write(json.dumps(runner.run(live())) + "\n")
    return 0
