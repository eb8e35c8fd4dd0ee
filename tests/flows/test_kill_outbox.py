"""Killed at random moments while it rings: no alert is lost, and few come twice."""

import asyncio
import random
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from bot.domain.model import Profile
from bot.store.deliveries import deliveries
from bot.store.engine.database import Database
from tests.support.control import wait_for
from tests.support.followed import follow
from tests.support.sandbox import Box, sandbox_box
from tests.support.telegram import utc_now

CHATS, PROFILES = 8, 4
SEND_TAKES_S = 0.1  # so that some kills come in the middle of one


@dataclass
class Scene:
    """Eight people, each of whom follows two of four profiles."""

    box: Box
    chats: list[int] = field(default_factory=list)
    followers: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    posted: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    async def set_up(self, db: Database) -> None:
        control = self.box.control
        names = [f"star{number}" for number in range(PROFILES)]
        profiles = [await control.profile(name, posts_per_day=0) for name in names]
        for number in range(CHATS):
            chat = await control.person(f"P{number}")
            await control.say(chat, "/start")
            self.chats.append(chat)
            for shown in (profiles[number % PROFILES], profiles[(number + 1) % PROFILES]):
                profile = Profile(str(shown["pk"]), shown["username"])
                async with db.begin() as tx:
                    await follow(tx, chat, profile, now=utc_now())
                self.followers[profile.username].append(chat)
        await control.fault("telegram", {"delay_s": SEND_TAKES_S}, match="send", times=None)

    async def post(self, chance: random.Random) -> None:
        """Let two profiles post; two posts of one in the same moment would have no order."""
        for name in chance.sample(sorted(self.followers), 2):
            shown = await self.box.control.publish(name, 1)
            self.posted[name].append(str(shown["pk"]))

    async def shown(self, chat: int) -> list[str]:
        return [
            message["_story_pk"]
            for message in await self.box.control.replies(chat)
            if message.get("_story_pk")
        ]


async def _kill_while_posting(scene: Scene, urls: list[str], kills: int) -> int:
    ringer = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.flows.ringer",
        *urls,
        str(kills),
        "7",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert ringer.stdout
    assert ringer.stdin
    chance = random.Random(7)  # noqa: S311 - repeatable, not secret
    deaths = 0
    try:
        while deaths < kills:
            line = await asyncio.wait_for(ringer.stdout.readline(), 60)
            assert line, "the ringer died of itself"
            deaths += 1
            await scene.post(chance)
        yield_all = sum(
            len(pks) * len(scene.followers[name]) for name, pks in scene.posted.items()
        )
        await wait_for(lambda: _all_done(urls[0], yield_all), what="the last alert")
        ringer.stdin.write(b"enough\n")
        assert await asyncio.wait_for(ringer.wait(), 60) == 0
    finally:
        if ringer.returncode is None:
            ringer.kill()
            await ringer.wait()
    return deaths


async def _all_done(url: str, wanted: int) -> bool:
    table = deliveries
    async with Database(url) as db, db.read() as tx:
        rows = (await tx.execute(sa.select(table.c.state).where(table.c.story_pk != ""))).all()
    return len(rows) >= wanted and all(row.state != "open" for row in rows)


@pytest.mark.campaign
@pytest.mark.timeout(390)  # a copy that may have arrived is repeated after half a minute
async def test_no_kill_loses_an_alert_and_each_doubles_at_most_one_a_chat(db: Database) -> None:
    kills = 100 if db.is_sqlite else 25
    url = db.url.render_as_string(hide_password=False)
    async with sandbox_box() as box:
        scene = Scene(box)
        await scene.set_up(db)
        urls = [url, box.urls.telegram, box.urls.stories_api, box.urls.cdn]
        assert await _kill_while_posting(scene, urls, kills) == kills
        in_all = repeated = 0
        for chat in scene.chats:
            shown = await scene.shown(chat)
            for name, pks in scene.posted.items():
                if chat in scene.followers[name]:
                    firsts = [pk for pk in dict.fromkeys(shown) if pk in set(pks)]
                    assert firsts == pks, "lost, or out of order"
            assert max(Counter(shown).values()) <= 3
            assert _repeats(shown) <= kills
            in_all += len(set(shown))
            repeated += len(shown) - len(set(shown))
        assert in_all > kills
        # Of a hundred kills some meet a send that is under way; of PostgreSQL's few, perhaps none.
        assert repeated or not db.is_sqlite, "no send was under way: the test shows nothing"


def _repeats(shown: list[str]) -> int:
    """How many sends were repeats: runs of stories that stand in the chat already."""
    seen: set[str] = set()
    repeats, in_repeat = 0, False
    for pk in shown:
        if pk in seen and not in_repeat:
            repeats += 1
        in_repeat = pk in seen
        seen.add(pk)
    return repeats
