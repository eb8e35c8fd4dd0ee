"""A replica that stands still for longer than its leases, and then goes on as if nothing was."""

import asyncio
import signal
from collections import Counter
from pathlib import Path

import pytest

from bot.store.engine.database import Database
from tests.support import audit
from tests.support.control import Control, wait_for
from tests.support.killing import NAME, Victim
from tests.support.postgres import Postgres, connected, postgres
from tests.support.sandbox import Box, sandbox_box

STOPPED_S = 22.5  # one and a half leases
CHATS, WORDS = 6, 7


async def answered(control: Control, people: list[int]) -> Counter[str]:
    """Count the answers to each command."""
    found: Counter[str] = Counter()
    for person in people:
        for message in await control.replies(person):
            found.update(NAME.findall(str(message.get("text", ""))))
    return found


async def in_flight(server: Postgres) -> set[str]:
    """Return the words of the answers that a process sends, without a recorded outcome."""
    async with connected(server.url) as connection:
        rows = await connection.fetch(
            "SELECT fields::text AS said FROM deliveries WHERE state = 'open' AND copies > 0"
        )
    return {word for row in rows for word in NAME.findall(row["said"] or "")}


async def is_asked(box: Box, path: str) -> bool:
    return bool(await box.control.requests("stories", path=path))


async def stale(server: Postgres) -> list[str]:
    async with connected(server.url) as connection:
        return await audit.stale_marks(connection)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_what_others_took_over_is_neither_done_nor_said_again(tmp_path: Path) -> None:
    with postgres() as server:
        async with sandbox_box() as box, Database(server.url) as db:
            await db.migrate()
            await audit.begin(server.url)
            control = box.control
            ann, *people = [await control.person(f"P{n}") for n in range(CHATS + 1)]
            replicas = []
            for name in "ab":
                (tmp_path / name).mkdir()
                victim = Victim(box, tmp_path / name, webhook=False, database_url=server.url)
                replicas.append(victim)
            one, other = replicas
            try:
                await one.start(CACHE_S="0")
                await control.wait_replies(ann, 1, after=await control.say(ann, "/help"))
                # Ann's handler waits for the Stories API, the others' answers for their chats.
                await control.fault("stories", {"delay_s": 3}, match="/v1/")
                asked = await control.say(ann, "/stories natgeo 1")
                await wait_for(lambda: is_asked(box, "/v1/"), what="a call")
                words = [f"nobody{n}x" for n in range(CHATS * WORDS)]
                for number, word in enumerate(words):
                    await control.say(people[number % CHATS], f"/unsubscribe {word}")

                async def some() -> bool:
                    return len(await answered(control, people)) > CHATS * WORDS / 3

                await wait_for(some, what="the first answers")
                assert one.process
                one.process.send_signal(signal.SIGSTOP)
                await asyncio.sleep(0.5)  # the last commits of the stopped process arrive
                # A request that the stopped process has not yet written goes out later. Only these
                # answers may come twice.
                unrecorded = await in_flight(server)
                assert len(unrecorded) <= CHATS
                await other.start(CACHE_S="0")
                await asyncio.sleep(STOPPED_S)
                one.process.send_signal(signal.SIGCONT)

                async def all_() -> bool:
                    return len(await answered(control, people)) == len(words)

                await wait_for(all_, 90, "all answers")
                await control.wait_replies(ann, 1, after=asked)
                # By then whatever was to be said again is.
                for person in (ann, *people):
                    await control.wait_replies(
                        person, 1, after=await control.say(person, "/timezone")
                    )
                found = await answered(control, people)
                twice = {word for word, count in found.items() if count > 1}
                assert twice <= unrecorded
                shown = [m for m in await control.replies(ann, asked) if m.get("_story_pk")]
                assert len(shown) == 1
                assert await stale(server) == []
                for replica in replicas:
                    status, _ = await replica.end(signal.SIGTERM)
                    assert status == 0
            finally:
                for replica in replicas:
                    await replica.end(signal.SIGKILL)
