"""Two days of incidents on a clock that jumps: the owner's alerts and their times.

``python -m tests.flows.incident_days FOLDER`` prints the results as a line of JSON.
"""

# ruff: noqa: E402 - the clock must be replaced before the other imports
from sandbox import jumping

jumping.install()

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from aiohttp import ClientSession

from bot import app
from bot.config import load
from bot.context import Timing
from sandbox.app import running
from sandbox.clock import Clock
from sandbox.jumping import JumpingLoop
from sandbox.state import Sandbox
from tests.support.control import Control

TIMING = Timing(database_file=timedelta(minutes=1))  # each check is a jump of the clock
START = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
MINUTE, HOUR = 60, 3600
ABSURD = {"status": 404, "body": "", "headers": {"x-hiker-info": "reqs=999999"}}
DOWN = {"status": 502, "body": "<html>Bad Gateway</html>"}
TOKEN = "7000000001:a-token-that-no-log-may-show-0123456789"


class Days:
    """The bot and the owner of the bot."""

    def __init__(self, folder: Path, sandbox: Sandbox, control: Control, boss: int) -> None:
        """Take the sandbox; no profile exists yet."""
        self._folder, self._sandbox, self.control, self.boss = folder, sandbox, control, boss
        self._profiles = 0

    @asynccontextmanager
    async def bot(self) -> AsyncIterator[None]:
        """Run the bot until the block ends."""
        loop, urls = asyncio.get_running_loop(), self._sandbox.urls
        assert isinstance(loop, JumpingLoop)
        settings = load(
            _env_file=None,
            telegram_token=TOKEN,
            stories_api_key="a-key",
            telegram_api_url=urls.telegram,
            stories_api_url=urls.stories_api,
            trusted_media_origin=urls.cdn,
            database_url=f"sqlite:///{self._folder}/bot.db",
            spool_dir=self._folder / "spool",
            admin_ids={self.boss},
            daily_budget=100,
            reply_share=1,
            port=0,
            host="127.0.0.1",
        )
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(app.run(settings, stop, now=loop.now, timing=TIMING))
            try:
                yield
            finally:
                stop.set()
                assert await task == 0

    async def ask(self, text: str) -> dict[str, Any]:
        """Send a message to the bot; return the first answer."""
        message = await self.control.say(self.boss, text)
        return (await self.control.wait_replies(self.boss, 1, after=message, within=HOUR))[0]

    async def ask_for(self, count: int) -> None:
        """Request the stories of ``count`` new profiles, for 3 credits each."""
        for _ in range(count):
            self._profiles += 1
            await self.control.profile(f"one{self._profiles}", posts_per_day=0)
            await self.ask(f"/stories one{self._profiles}")

    async def told(self) -> list[dict[str, Any]]:
        """Return the incident messages to the owner: text, time, and whether with notification."""
        sent = await self.control.requests("telegram", path="sendMessage")
        return [
            {
                "text": str(one["params"].get("text")),
                "at": datetime.fromtimestamp(one["at"], UTC).isoformat(),
                "rings": str(one["params"].get("disable_notification", "")).lower() != "true",
            }
            for one in sent
            if "(#" in str(one["params"].get("text")) and one["status"] == 200
        ]


async def live(folder: Path) -> dict[str, Any]:
    """Run the two days; return the incident messages and two answers to /health."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    clock = Clock(start=START.timestamp(), move_on=loop.jump)
    async with running(clock=clock) as sandbox, ClientSession() as session:
        control = Control(session, sandbox.urls.page)
        days = Days(folder, sandbox, control, await control.person("Boss"))
        await control.stories_api(balance=250)
        async with days.bot():
            await asyncio.sleep(2 * MINUTE)
            await days.ask_for(28)  # 84 credits: four fifths of the budget, three days of balance
            await asyncio.sleep(10 * MINUTE)
            await days.ask_for(5)  # 99 credits: the whole budget
            await asyncio.sleep(10 * MINUTE)
            health = await days.ask("/health")
        async with days.bot():  # a restart does not repeat messages
            await asyncio.sleep(15 * HOUR)
            await control.fault("stories", ABSURD, match="stories")
            await days.ask_for(1)
            await asyncio.sleep(5 * MINUTE)
            await control.fault("stories", DOWN, times=None)
            await days.ask_for(4)
            await asyncio.sleep(20 * MINUTE)
            await control.clear_faults()
            await days.ask_for(1)
            await asyncio.sleep(5 * MINUTE)
            await control.fault("telegram", DOWN, times=None, match="send")
            await control.fault("telegram", DOWN, times=None, match="getMe")
            for name in ("natgeo", "prada", "quiet", "busy"):
                await control.say(days.boss, f"/stories {name}")
            await asyncio.sleep(15 * MINUTE)
            await control.clear_faults()
            await asyncio.sleep(20 * HOUR)
            calm = await days.ask("/health")
        return {"told": await days.told(), "health": health["text"], "calm": calm["text"]}


def main(folder: Path) -> int:
    """Print the figures."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with asyncio.Runner(loop_factory=lambda: JumpingLoop(START)) as runner:
        sys.stdout.write(json.dumps(runner.run(live(folder))) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
