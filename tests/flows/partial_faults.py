"""Telegram takes some calls and not others, on a clock that jumps: what comes of what is owed.

``python -m tests.flows.partial_faults FOLDER NAME`` prints what came of it as one line of JSON.
"""

# ruff: noqa: E402 - the clock is taken before anybody else takes one
from sandbox import jumping

jumping.install()

import asyncio
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from aiohttp import ClientSession

from bot import app
from bot.config import load
from bot.domain.model import Profile
from bot.fetching import snapshots
from bot.store.database import Database
from sandbox.app import running
from sandbox.clock import Clock
from sandbox.jumping import JumpingLoop
from tests.support.control import Control, Json
from tests.support.followed import follow
from tests.support.telegram import story_of

START = datetime(2026, 3, 1, 6, 30, tzinfo=UTC)
DRAIN_S, LOOK_EVERY_S = 3000, 20
TOKEN = "7000000001:a-token-that-no-log-may-show-0123456789"
BAD_GATEWAY: Json = {"status": 502, "body": "<html>Bad Gateway</html>"}
JSON_500: Json = {
    "status": 500,
    "body": '{"ok": false, "error_code": 500, "description": "Internal Server Error"}',
}


@dataclass(frozen=True)
class Day:
    """So many chats are owed so many stories, while a fault lasts ``seconds``."""

    chats: int
    seconds: int
    fault: Json
    match: str = "send"
    every: int = 1
    stories: int = 1


DAYS = {
    "130 s of 502": Day(1, 130, BAD_GATEWAY),
    "one chat, 502": Day(1, 300, BAD_GATEWAY),
    "two chats, 502": Day(2, 300, BAD_GATEWAY),
    "two chats, resets": Day(2, 300, {"reset": "before"}),
    "one chat, lost answers": Day(1, 300, {"reset": "after"}),
    "two chats, 500": Day(2, 300, JSON_500),
    "hanging sends": Day(1, 360, {"hang": True}),
    "sendPhoto alone": Day(1, 360, BAD_GATEWAY, match="sendPhoto"),
    "every second": Day(100, 600, BAD_GATEWAY, every=2, stories=3),
    "every third": Day(100, 600, BAD_GATEWAY, every=3, stories=3),
    "every second 500": Day(30, 600, JSON_500, every=2, stories=3),
    "ten chats": Day(10, 600, BAD_GATEWAY, every=2, stories=3),
}


async def post(control: Control, url: str, name: str, people: list[int]) -> str:
    """Let a profile that all follow post; return the story's pk."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    shown = await control.profile(name, posts_per_day=0)
    profile = Profile(str(shown["pk"]), shown["username"])
    story = story_of(await control.publish(name))
    since = loop.now() - timedelta(days=1)
    async with Database(url) as db, db.begin() as tx:
        for person in people:
            await follow(tx, person, profile, since=since, now=since)
        await snapshots.record(tx, snapshots.Snapshot(profile, (story,)), now=loop.now())
    return story.pk


async def live(folder: Path, day: Day) -> dict[str, Any]:
    """Live through it; return the figures."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    url = f"sqlite:///{folder}/bot.db"
    clock = Clock(start=START.timestamp(), move_on=loop.jump)
    async with running(clock=clock) as sandbox, ClientSession() as session:
        control = Control(session, sandbox.urls.page)
        async with Database(url) as db:
            await db.migrate()
        people = [await control.person(f"P{number}") for number in range(day.chats)]
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
            for person in people:
                await control.say(person, "/start")
            await asyncio.sleep(60)
            fault = await control.fault(
                "telegram", day.fault, match=day.match, times=None, every=day.every
            )
            pks = [await post(control, url, f"star{n}", people) for n in range(day.stories)]
            asked = await control.say(people[0], "/unsubscribe")
            await asyncio.sleep(day.seconds)
            await control.clear_faults(fault)
            result: dict[str, Any] = {}
            for _ in range(DRAIN_S // LOOK_EVERY_S):
                await asyncio.sleep(LOOK_EVERY_S)
                result = await figures(control, people, pks, asked)
                if not result["lost"] and result["answered"]:
                    break
            stop.set()
            await task
        return result


async def figures(
    control: Control, people: list[int], pks: list[str], asked: int
) -> dict[str, Any]:
    """Compare what stands in the chats with what was owed."""
    lost = untold = most = 0
    for person in people:
        messages = await control.replies(person)
        shown = [m["_story_pk"] for m in messages if "_story_pk" in m]
        missing = set(pks) - set(shown)
        lost += len(missing)
        untold += bool(missing) and not any("confirm" in m.get("text", "") for m in messages)
        most = max([most, *(shown.count(pk) for pk in pks)])
    answered = any("text" in m for m in await control.replies(people[0], after=asked))
    return {"lost": lost, "untold": untold, "most_copies": most, "answered": answered}


def main(folder: Path, name: str) -> int:
    """Print the figures."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with asyncio.Runner(loop_factory=lambda: JumpingLoop(START)) as runner:
        sys.stdout.write(json.dumps(runner.run(live(folder, DAYS[name]))) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), sys.argv[2]))
