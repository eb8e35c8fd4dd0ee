"""Old code and new on one database: the old ends before the tables change."""

import asyncio
import signal
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from bot import app
from bot.operations import preflight
from bot.store.engine.database import Database
from bot.store.engine.readiness import Readiness, readiness
from bot.store.upgrades import ENDS
from tests.support import newer
from tests.support.control import Control, wait_for
from tests.support.killing import Victim
from tests.support.postgres import postgres
from tests.support.sandbox import Box, sandbox_box
from tests.support.storybell import settings_for

NAME = "often.seen"


async def test_tables_of_a_newer_version_end_a_start_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    async with Database(url) as db:
        await db.migrate()
        with newer.next_version(tmp_path / "next"):
            await db.migrate()
        assert await readiness(db) is Readiness.NEWER
    result = await preflight.check_database(url)
    assert result.level == "wrong"
    assert "Start that version, or restore" in result.text
    async with sandbox_box() as box:
        settings = settings_for(box, tmp_path)
        assert await app.run(settings, asyncio.Event()) == 1
    # Where another test has set up the log, it goes by logging.
    said = capsys.readouterr().out + caplog.text
    assert "by a newer version of the bot than this one" in said


async def followers(box: Box, count: int) -> list[int]:
    """Let people subscribe."""
    people = [await box.control.person(f"P{n}") for n in range(count)]
    await box.control.profile(NAME, posts_per_day=0)
    for person in people:
        message = await box.control.say(person, f"/subscribe {NAME}")
        await box.control.wait_replies(person, 1, after=message)
    return people


async def complete(control: Control, person: int, pks: list[str], asked: int) -> bool:
    """Return whether a person has each alert once, and an answer to each command once."""
    replies = await control.replies(person)
    alerts = Counter(one["_story_pk"] for one in replies if one.get("_story_pk"))
    words = " ".join(str(one.get("text")) for one in replies).split()
    answers = Counter(word for word in words if "nobody" in word)
    return alerts == dict.fromkeys(pks, 1) and list(answers.values()) == [1] * asked


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_an_upgrade_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Of the two that are at work one is paused, and sees what became of it when it goes on."""
    path = str(newer.write(tmp_path / "next"))
    with postgres() as server:
        async with sandbox_box() as box:
            control = box.control
            replicas = []
            for name in "abc":
                (tmp_path / name).mkdir()
                replicas.append(
                    Victim(box, tmp_path / name, webhook=False, database_url=server.url)
                )
            first, paused, new = replicas
            try:
                for old in (first, paused):
                    await old.start(CACHE_S="0")
                    await wait_for(old.is_ready, 60, "the replica to be ready")
                people = await followers(box, 4)
                pks: list[str] = []

                async def load(number: int) -> None:
                    now = (await control.state())["now"]
                    pks.append(str((await control.publish(NAME, taken_at=now))["pk"]))
                    await control.say(await control.person("Eve"), f"/stories {NAME}")
                    for person in people:
                        await control.say(person, f"/unsubscribe nobody{number}x{person}")

                await load(0)
                for person in people:
                    await wait_for(partial(complete, control, person, pks, 1), 60, "the alert")
                assert paused.process
                assert first.process
                paused.process.send_signal(signal.SIGSTOP)
                await new.start(CACHE_S="0", PYTHONPATH=path)
                await load(1)
                assert await asyncio.wait_for(first.process.wait(), 60) == 0
                await wait_for(new.is_ready, 60, "the new version to be ready")
                paused.process.send_signal(signal.SIGCONT)
                assert await asyncio.wait_for(paused.process.wait(), 60) == 0
                await load(2)
                for person in people:
                    await wait_for(partial(complete, control, person, pks, 3), 120, "all of it")
                assert await new.is_ready()
                for old in (first, paused):
                    assert ENDS in old.log.read_text()
            finally:
                for replica in replicas:
                    await replica.end(signal.SIGKILL)
            async with Database(server.url) as db:
                assert await readiness(db) is Readiness.NEWER
