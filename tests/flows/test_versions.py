"""Old code and new on one database: the tables say whom they serve, and replicas take turns."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bot import app
from bot.operations import preflight
from bot.store.database import Database, migration_config
from bot.store.readiness import Readiness, readiness
from tests.support import newer
from tests.support.control import Control, wait_for
from tests.support.killing import ROOT, Victim
from tests.support.postgres import postgres
from tests.support.sandbox import Box, sandbox_box
from tests.support.storybell import running_bell, settings_for

NAME = "often.seen"
READY = 0.8


def of_the_next(connection: sa.Connection, folder: Path) -> Config:
    config = migration_config(connection)
    config.set_main_option("script_location", str(folder / "bot/store/migrations"))
    return config


@pytest.fixture(params=[True, False], ids=["serves", "does not"])
def next_version(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return newer.write(tmp_path / "next", serves_old_code=request.param)


@pytest.fixture
async def migrated(db: Database, next_version: Path) -> AsyncIterator[Database]:
    """Let the next version have changed the tables; taken back at the end."""
    async with db.begin() as tx:
        await tx.run_sync(lambda it: command.upgrade(of_the_next(it, next_version), "head"))
    yield db
    async with db.begin() as tx:
        await tx.run_sync(lambda it: command.downgrade(of_the_next(it, next_version), "-1"))


@pytest.mark.parametrize("next_version", [True], indirect=True)
async def test_tables_of_a_newer_version_that_serve_this_one_are_used(
    migrated: Database, database_url: str, tmp_path: Path
) -> None:
    assert await readiness(migrated) is Readiness.SERVES
    async with sandbox_box() as box:
        ann = await box.control.person()
        async with running_bell(tmp_path, box, database_url=database_url) as bell:
            await bell.ask(ann, "/subscribe natgeo")
        async with running_bell(tmp_path, box, database_url=database_url) as bell:
            (shown,) = await bell.ask(ann, "/subscriptions")
    assert "natgeo" in str(shown)
    async with migrated.read() as tx:
        colours = sa.text("SELECT colour FROM subscriptions")
        assert (await tx.execute(colours)).scalars().all() == ["blue"]


@pytest.mark.parametrize("next_version", [False], indirect=True)
async def test_tables_that_do_not_serve_this_version_end_a_start_in_one_sentence(
    migrated: Database,
    database_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert await readiness(migrated) is Readiness.NEWER
    finding = await preflight.database(database_url)
    assert finding.level == "wrong"
    assert "Start that version, or restore" in finding.text
    async with sandbox_box() as box:
        settings = settings_for(box, tmp_path, database_url=database_url)
        assert await app.run(settings, asyncio.Event()) == 1
    # Where another test has set up the log, it goes by logging.
    said = capsys.readouterr().out + caplog.text
    assert "by a newer version of the bot than this one" in said


async def followed_once(box: Box, folder: Path, database_url: str) -> int:
    """Let somebody subscribe by a bot that has ended; return who it is."""
    ann = await box.control.person()
    await box.control.profile(NAME, posts_per_day=0)
    async with running_bell(folder, box, database_url=database_url) as bell:
        await bell.ask(ann, f"/subscribe {NAME}")
    return ann


async def test_a_profile_that_lost_the_time_of_its_check_is_checked_and_alerts_again(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    """However that came: what has none counts as not followed, and nobody would be told."""
    async with sandbox_box() as box:
        ann = await followed_once(box, tmp_path, database_url)
        *_, said = await box.control.replies(ann)
        async with db.begin() as tx:
            await tx.execute(sa.text("UPDATE profiles SET next_look_at = NULL"))
        story = await box.control.publish(NAME)
        async with running_bell(tmp_path, box, database_url=database_url):
            (alert,) = await box.control.wait_replies(ann, 1, after=said["message_id"])
    assert alert["_story_pk"] == story["pk"]


async def test_who_follows_again_what_a_version_without_counts_had_dropped_is_alerted(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    """It ends a subscription and drops the profile, and what the chat counted stays behind."""
    async with sandbox_box() as box:
        ann = await followed_once(box, tmp_path, database_url)
        async with db.begin() as tx:
            for table in ("subscriptions", "stories", "profiles"):
                await tx.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608 - names of ours
        async with running_bell(tmp_path, box, database_url=database_url) as bell:
            (said,) = await bell.ask(ann, f"/subscribe {NAME}")
            story = await box.control.publish(NAME)
            (alert,) = await box.control.wait_replies(ann, 1, after=said["message_id"])
        async with db.read() as tx:
            split = await tx.execute(sa.text("SELECT chats, weight FROM audiences"))
            assert tuple(split.one()) == (1, 1)
    assert alert["_story_pk"] == story["pk"]


async def followers(box: Box, count: int, victim: Victim) -> list[int]:
    """Start a replica, and let people subscribe."""
    people = [await box.control.person(f"P{n}") for n in range(count)]
    await box.control.profile(NAME, posts_per_day=0)
    await victim.start(CACHE_S="0", NEWCOMER_ALLOWANCE="100000")
    for person in people:
        message = await box.control.say(person, f"/subscribe {NAME}")
        await box.control.wait_replies(person, 1, after=message)
    return people


async def stories_of(control: Control, person: int) -> Counter[str]:
    return Counter(
        one["_story_pk"] for one in await control.replies(person) if one.get("_story_pk")
    )


async def roll(tmp_path: Path, *, rounds: int, people: int, seed: int) -> None:
    """Restart two replicas in turns, now as one version and now as the other, under load.

    Most have begun to serve before the other is stopped, as whoever restarts them would wait for.
    """
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    versions = [str(ROOT), str(newer.write(tmp_path / "next"))]
    with postgres() as server:
        async with sandbox_box() as box:
            control = box.control
            replicas = []
            for name in "ab":
                folder = tmp_path / name
                folder.mkdir()
                replicas.append(Victim(box, folder, webhook=False, database_url=server.url))
            try:
                chats = await followers(box, people, replicas[0])
                await replicas[1].start(CACHE_S="0")
                pks: list[str] = []
                asked = 0
                for number in range(rounds):
                    replica = replicas[number % 2]
                    now = (await control.state())["now"]
                    pks.append(str((await control.publish(NAME, taken_at=now))["pk"]))
                    await control.say(await control.person("Eve"), f"/stories {NAME}")
                    for person in chats:
                        await control.say(person, f"/unsubscribe nobody{asked}x")
                        asked += 1
                    await asyncio.sleep(chance.random())
                    status, _ = await replica.end(signal.SIGTERM)
                    assert status in {0, -signal.SIGTERM}  # that one had hardly begun
                    await replica.start(
                        PYTHONPATH=versions[(number // 2 + number) % 2], CACHE_S="0"
                    )
                    if chance.random() < READY:
                        await wait_for(replica.is_ready, 60, "the replica to be ready")
                for person in chats:
                    await wait_for(partial(complete, control, person, pks), 180, "all alerts")
                for person in chats:
                    assert await stories_of(control, person) == dict.fromkeys(pks, 1)
                    said = " ".join(str(m.get("text")) for m in await control.replies(person))
                    answered = Counter(word for word in said.split() if "nobody" in word)
                    assert len(answered) == rounds, answered
                    assert set(answered.values()) == {1}, answered
            finally:
                for replica in replicas:
                    await replica.end(signal.SIGKILL)
            async with Database(server.url) as db:
                assert await readiness(db) is Readiness.SERVES


async def complete(control: Control, person: int, pks: list[str]) -> bool:
    if set(pks) != set(await stories_of(control, person)):
        return False
    said = " ".join(str(m.get("text")) for m in await control.replies(person))
    return len({word for word in said.split() if "nobody" in word}) >= len(pks)


@pytest.mark.slow
async def test_a_rolling_restart_of_two_versions_loses_and_doubles_nothing(tmp_path: Path) -> None:
    await roll(tmp_path, rounds=6, people=4, seed=1)


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_fifty_rounds_of_a_rolling_restart(tmp_path: Path) -> None:
    await roll(tmp_path, rounds=50, people=6, seed=2)
