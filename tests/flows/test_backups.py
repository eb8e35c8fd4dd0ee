"""Copies of the database, made under a running bot and put back; on both databases."""

import argparse
import re
import subprocess
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.cli import backup, restore
from bot.store import key_values, profiles
from bot.store.engine import sqlite_copies
from bot.store.engine.database import Database
from tests.support.control import Control, Json, refused, wait_for
from tests.support.postgres import programs
from tests.support.sandbox import sandbox_box
from tests.support.storybell import Bell, buttons, running_bell, settings_for

pytestmark = pytest.mark.jumps

NAME = "daily.news"
SETTINGS: Json = {"cache_s": 0, "daily_budget": 100_000}
DOWN = refused("Internal Server Error", 500)


def words(file: Path) -> argparse.Namespace:
    return argparse.Namespace(file=file)


async def came(control: Control, person: int) -> Counter[str]:
    """Count what a person has of each story."""
    return Counter(await control.shown(person))


async def posted(control: Control) -> str:
    """Post a story that is found at once, since somebody asks for it."""
    now = (await control.state())["now"]
    pk = str((await control.publish(NAME, taken_at=now))["pk"])
    await control.say(await control.person("Eve"), f"/stories {NAME}")
    return pk


async def a_second_later(control: Control) -> None:
    """Wait so long: the seconds of two clocks end at different times."""
    began = float((await control.state())["now"])

    async def is_later() -> bool:
        return float((await control.state())["now"]) >= began + 1

    await wait_for(is_later)


async def alerted(bell: Bell, person: int) -> str:
    """Post a story; return it when its alert came."""
    pk = await posted(bell.control)

    async def is_there() -> bool:
        return pk in await came(bell.control, person)

    await wait_for(is_there, what="the alert")
    return pk


async def subscribed(bell: Bell) -> int:
    ann = await bell.control.person()
    await bell.control.profile(NAME, posts_per_day=0)
    await bell.ask(ann, f"/subscribe {NAME}")
    await a_second_later(bell.control)
    return ann


def by_the_page(words: str, url: str, file: Path) -> None:
    """Run the programs of PostgreSQL in the block of docs/backup.md that contains ``words``."""
    page = (Path(__file__).parents[2] / "docs/backup.md").read_text()
    (block,) = (block for block in page.split("```")[1::2] if words in block)
    file.parent.mkdir(exist_ok=True)
    path = f"{programs()[0]}:/usr/bin:/bin"
    for shown in re.findall(r"^.*?\b((?:pg_dump|pg_restore|psql) .*)$", block, re.MULTILINE):
        line = re.sub(r"postgresql://\S+", lambda _: f"'{url}'", shown)
        line = re.sub(r"/backups/.*\.dump", str(file), line).replace("FILE", str(file))
        subprocess.run(["/bin/sh", "-c", line], check=True, env={"PATH": path})  # noqa: S603 - of the page


async def marked_time(db: Database) -> datetime:
    """Return the time that a restored database names as the time of its copy."""
    mark = await db.fetch(lambda tx: key_values.get(tx, sqlite_copies.MARK))
    return datetime.fromisoformat(str(mark))


async def time_of_last_check(db: Database) -> datetime | None:
    newest = sa.select(sa.func.max(profiles.profiles.c.snapshot_at))
    async with db.read() as tx:
        at: datetime | None = await tx.scalar(newest)
        return at


@pytest.mark.slow
async def test_an_old_copy_says_nothing_twice_and_goes_on(
    tmp_path: Path, db: Database, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "kept" / "copy"
    async with sandbox_box() as box:
        control = box.control
        async with running_bell(tmp_path, box, database_url=database_url, **SETTINGS) as bell:
            ann = await subscribed(bell)
            stories = [await alerted(bell, ann)]
            # What is owed when the copy is made, and arrives after.
            await control.fault("telegram", DOWN, match="send", times=None)
            stories.append(await posted(control))
            await wait_for(lambda: tried(control), what="the first try")
            bob = await control.person("Bob")
            await control.say(bob, "/help")
            if db.is_sqlite:
                assert await backup.main(bell.settings, words(copy)) == 0
                assert await backup.main(bell.settings, words(copy)) == 1
                assert await restore.main(bell.settings, words(copy)) == 1
            else:
                by_the_page("pg_dump", database_url, copy)
            await control.clear_faults()
            await wait_for(lambda: has(control, ann, stories), what="what was owed")
            stories.append(await alerted(bell, ann))
            await control.wait_replies(bob, 1)
            settings = bell.settings
        answers = len(await control.replies(bob))
        if db.is_sqlite:
            said = capsys.readouterr().out
            assert "already" in said
            assert "another process runs" in said
            assert oct(copy.stat().st_mode & 0o777) == "0o600"
            assert await restore.main(settings, words(copy)) == 0, capsys.readouterr().out
        else:
            by_the_page("pg_restore", database_url, copy)
            by_the_page("DROP SCHEMA", database_url, copy)
            assert await marked_time(db) == await time_of_last_check(db)
        async with running_bell(tmp_path, box, database_url=database_url, **SETTINGS) as bell:
            await bell.ask(bob, "/help")  # it runs
            answers += 1

            async def told() -> bool:
                texts = [str(one.get("text")) for one in await control.replies(ann)]
                return any(NAME in text and "may be missing here" in text for text in texts)

            await wait_for(told, what="of what was posted before the start")
            await a_second_later(control)
            stories.append(await alerted(bell, ann))
            assert await came(control, ann) == dict.fromkeys(stories, 1)
            assert len(await control.replies(bob)) == answers
            (shown,) = await bell.ask(ann, "/subscriptions")
            assert NAME in str(shown)


@pytest.mark.slow
async def test_a_button_from_after_the_copy_changes_no_later_subscription(
    tmp_path: Path, db: Database, database_url: str
) -> None:
    copy = tmp_path / "kept" / "copy"
    async with sandbox_box() as box:
        for name in ("before.news", "lost.news", "later.news"):
            await box.control.profile(name, posts_per_day=0)
        async with running_bell(tmp_path, box, database_url=database_url, **SETTINGS) as bell:
            ann = await bell.control.person()
            await bell.ask(ann, "/subscribe before.news")
            if db.is_sqlite:
                assert await backup.main(bell.settings, words(copy)) == 0
            else:
                by_the_page("pg_dump", database_url, copy)
            (lost,) = await bell.ask(ann, "/subscribe lost.news")
            settings = bell.settings
        if db.is_sqlite:
            assert await restore.main(settings, words(copy)) == 0
        else:
            by_the_page("pg_restore", database_url, copy)
            by_the_page("DROP SCHEMA", database_url, copy)
        async with running_bell(tmp_path, box, database_url=database_url, **SETTINGS) as bell:
            await bell.ask(ann, "/subscribe later.news", count=2)  # and the notice of the restore
            await bell.press(ann, lost, buttons(lost)["↩️ Undo"])
            (left,) = await bell.ask(ann, "/subscriptions")
            assert "later.news" in str(left)


async def tried(control: Control) -> bool:
    log = await control.requests("telegram")
    return any("send" in one["path"] and one["status"] == 500 for one in log[-20:])


async def has(control: Control, person: int, stories: list[str]) -> bool:
    return set(stories) <= set(await came(control, person))


async def test_postgresql_is_left_to_its_own_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with sandbox_box() as box:
        settings = settings_for(box, tmp_path, database_url="postgresql://nobody@127.0.0.1:1/none")
    for command in (backup, restore):
        assert await command.main(settings, words(tmp_path / "copy")) == 2
        assert "pg_dump" in capsys.readouterr().out
