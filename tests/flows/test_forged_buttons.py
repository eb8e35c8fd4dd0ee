"""Thousands of button data that no button has, sent by people who may not: nothing happens.

A modified client sends any data for any message of the bot that it can see.
"""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store.engine.database import Database, all_tables
from tests.support.control import Control, Json, wait_for
from tests.support.storybell import NO_CHECKS, Bell, storybell

pytestmark = pytest.mark.jumps

# What came in, what the process notes, and what it measures each hour.
TRANSIENT = {"inbox", "chat_queues", "key_values", "account", "samples"}
FORGERS = 8
TOGETHER = 4  # of one forger, so that no chat's queue is full
IDS = range(12)
REAL = (
    "language:es", "live:forged.one", "subs:0", "subs:9999", "undo:1",
    "unsub:x", "all", "all:silent:on:save", "all:only:x:save", "restore:1", "defaults",
    "defaults:silent", "defaults:media", "set:back",
    "set:zone:Asia/Tokyo", "set:quiet:1-5", "set:quiet:0-0", "set:digest:3", "erase",
    "erase:yes", "erase:no",
    *(f"{what}:{n}" for what in ("sub", "unsub") for n in IDS),
    *(f"opt:{n}:{what}:on" for n in IDS for what in ("pause", "silent", "fast", "media", "x")),
)  # fmt: skip
IN_CHANNELS = ("run:stories:natgeo", "run:stories:locked", "run:stories:nobody.has.this")
INVENTED = (
    "", ":", "::::", "@", "@0:", "opt:", "opt:1", "opt:-1:pause", "opt:1:pause:pause:x",
    "sub:99999999999999999999", "sub:1 OR 1=1", "unsub:", "set:", "set:zone:../../etc/passwd",
    "set:quiet:99-99", "language:", "language:xx", "erase:", "erase:yes:yes", "live:",
    "\u0000", "🔔" * 16, "x" * 64, "x" * 5000, "defaults:defaults", "@zzzzzzzzzzzzz:erase:yes",
)  # fmt: skip


def base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits


def forged(rng: random.Random, kind: str, chats: list[int]) -> Iterator[str]:
    """Data for ever: real ones of others, stale, cut, stretched, mixed up and invented."""
    about = [f"@{base36(abs(chat))}:" for chat in chats]
    while True:
        data = rng.choice(REAL + (IN_CHANNELS if kind == "channel" else ()))
        match rng.randrange(6):
            case 0:
                yield rng.choice(about) + data
            case 1:
                yield rng.choice(INVENTED)
            case 2 if kind != "private":  # who is at home may press what is there
                yield data[: rng.randrange(len(data))]
            case 3 if kind != "private":
                yield f"{data}:{rng.choice(INVENTED)}"
            case _ if kind == "private":
                yield rng.choice(about) + rng.choice(about) + data
            case _:
                yield data


async def dump(url: str) -> dict[str, list[Any]]:
    """All that the bot keeps, but what comes and goes."""
    async with Database(url) as db, db.read() as tx:
        return {
            table.name: sorted(map(repr, await tx.execute(sa.select(table))))
            for table in all_tables().sorted_tables
            if table.name not in TRANSIENT
        }


async def settled(url: str) -> dict[str, list[Any]]:
    """All that the bot keeps, once it has noted that its answers have arrived."""

    async def all_sent() -> dict[str, list[Any]] | None:
        kept = await dump(url)
        return None if kept["deliveries"] else kept

    return await wait_for(all_sent, what="the answers to be noted")


async def scene(bell: Bell) -> tuple[list[int], dict[str, int]]:
    """Chats that others run, with subscriptions; the forgers, who are in two of them."""
    control = bell.control
    await control.profile("forged.one")
    await control.privacy_mode(on=False)
    boss = await control.person("Boss")
    forgers = [await control.person("Eve", language_code="ru") for _ in range(FORGERS)]
    group = await control.chat(
        "supergroup", members={boss: "creator"} | dict.fromkeys(forgers, "member")
    )
    channel = await control.chat(
        "channel",
        members={boss: "creator"} | dict.fromkeys(forgers, "member"),
        bot_status="administrator",
    )
    await bell.answers_for(channel, boss)
    for chat in (boss, group, channel):
        (reply,) = await bell.ask(chat, "/subscribe forged.one", user=boss)
        assert "every new story" in reply["text"]
    for eve in forgers:
        await bell.ask(eve, "/help")
        await bell.ask(group, "/help", user=eve)  # from here on the bot knows what they are called
    return forgers, {"group": group, "channel": channel, "private": boss}


async def forge(folder: Path, count: int, **changed: Any) -> None:
    """Let ``count`` forged presses come, and compare what is kept before and after."""
    values = NO_CHECKS | {"messages_per_second": 1000} | changed
    async with storybell(folder, **values) as bell:
        forgers, chats = await scene(bell)
        await bell.control.callback_life(60)  # a busy machine is not what is tried here
        url = bell.settings.database_url.get_secret_value()
        posts = {kind: await bell.old_post(chats[kind], "x") for kind in ("group", "channel")}
        before = await settled(url)
        billed, shown = await bell.control.billed(), await everything(bell.control, chats)

        async def be_one(number: int, eve: int) -> None:
            rng = random.Random(number)  # noqa: S311 - the same forgeries each time
            kind = ("group", "channel", "private")[number % 3]
            where = eve if kind == "private" else chats[kind]
            post: Json = posts.get(kind) or await bell.old_post(eve, "x")
            data = forged(rng, kind, list(chats.values()))
            for _ in range(count // FORGERS // TOGETHER):
                queries = [
                    await bell.control.press(where, post["message_id"], next(data), user=eve)
                    for _ in range(TOGETHER)
                ]
                for query in queries:
                    await bell.answered(query, 60)

        await asyncio.gather(*(be_one(number, eve) for number, eve in enumerate(forgers)))
        assert await settled(url) == before
        assert await bell.control.billed() == billed
        assert await everything(bell.control, chats) == shown


async def everything(control: Control, chats: dict[str, int]) -> list[int]:
    """The messages of the bot in these chats, by number: a list that is turned stays one."""
    return [m["message_id"] for chat in chats.values() for m in await control.replies(chat)]


@pytest.mark.slow
async def test_forged_buttons_do_nothing(tmp_path: Path) -> None:
    await forge(tmp_path, 320)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_ten_thousand_forged_buttons_do_nothing(tmp_path: Path) -> None:
    await forge(tmp_path, 10_000)
