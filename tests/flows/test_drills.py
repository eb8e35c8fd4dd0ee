"""The runbook of docs/trouble.md, drilled: each row is done as it is written there."""

import argparse
import json
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.__main__ import main
from bot.cli import restore
from bot.store.engine.database import Database
from bot.store.engine.private import migration_copies
from bot.store.engine.readiness import Readiness, readiness
from tests.flows.test_backups import by_the_page
from tests.support.control import wait_for
from tests.support.newer import next_version
from tests.support.postgres import postgres
from tests.support.sandbox import Box, sandbox_box
from tests.support.storybell import API_KEY, TOKEN, Bell, buttons, running_bell, settings_for

pytestmark = pytest.mark.jumps

ROOT = Path(__file__).parents[2]
OTHER_TOKEN = f"{TOKEN.partition(':')[0]}:another-token-that-no-log-may-show-987654"
ROW = re.compile(r"^\| ([^|]+) \| ", re.MULTILINE)
DRILLED_HERE = {
    "the bot spends too many credits",
    "your account at the Stories API has no credits",
    "the key of the Stories API was changed",
    "the token leaked",
    "the owner of the profile `natgeo` does not want the bot to send the stories of this profile",
    "you want to go back to the old version after an update",
}
DRILLED_ELSEWHERE = {
    "the bot does not answer": "../bot/cli/test_check.py",
    "the bot does not answer a link in a group": "test_links.py",
    "no alerts come": "test_why.py",
    "the bot does not start, because the limit of open files is too low": (
        "../bot/runtime/test_open_files.py"
    ),
    "the SQLite file was moved, deleted or replaced while the bot was running": (
        "test_database_file.py"
    ),
    "a second process runs with the same token "
    '("another program is using this bot\'s token")': "test_two_pollers.py",
    "the bot does not start or does not answer, and the log and `/readyz` say that the time is "
    "not known": "test_clocks.py",
    "the daily budget is too small to check each subscribed profile before its stories expire": (
        "test_small_budget.py"
    ),
    "`/health` or the admin page reports alerts that were given up": "test_poison.py",
    "somebody uses the bot too much": "test_access.py",
    "the disk is full": "test_database_outages.py",
    "the bot was off for many hours": "test_outages.py",
    "a person wants the bot to delete the data of the person": "test_chat_settings.py",
    "the SQLite database is lost or damaged": "test_backups.py",
    "the PostgreSQL database is lost or damaged": "test_backups.py",
    "the SQLite database is too slow, or you want several processes": "test_move.py",
}


def test_each_row_of_the_runbook_is_drilled() -> None:
    page = (ROOT / "docs/trouble.md").read_text()
    rows = set(ROW.findall(page)) - {"problem", "---"}
    assert rows == DRILLED_HERE | DRILLED_ELSEWHERE.keys()
    for file in DRILLED_ELSEWHERE.values():
        assert (Path(__file__).parent / file).is_file()


async def follows(bell: Bell, person: int) -> bool:
    (shown,) = await bell.ask(person, "/subscriptions")
    return "natgeo" in json.dumps(shown)


async def test_the_token_leaked(box: Box, tmp_path: Path) -> None:
    ann = await box.control.person()
    async with running_bell(tmp_path, box) as bell:
        await bell.ask(ann, "/subscribe natgeo")
    # After /revoke only the new token is taken; all that people had is there.
    async with running_bell(tmp_path, box, telegram_token=OTHER_TOKEN) as bell:
        assert await follows(bell, ann)


async def test_the_key_was_changed(box: Box, tmp_path: Path) -> None:
    ann = await box.control.person()
    async with running_bell(tmp_path, box, stories_api_key="bad-key") as bell:
        (reply,) = await bell.ask(ann, "/stories prada")
        assert "photo" not in reply
    async with running_bell(tmp_path, box, stories_api_key=API_KEY) as bell:
        (reply,) = await bell.ask(ann, "/stories prada")
        assert "photo" in reply


@pytest.mark.slow
async def test_the_balance_is_empty(box: Box, tmp_path: Path) -> None:
    ann = await box.control.person()
    await box.control.stories_api(balance=0)
    async with running_bell(tmp_path, box) as bell:
        (reply,) = await bell.ask(ann, "/stories prada")
        assert "photo" not in reply
        await box.control.stories_api(balance=1000)

        async def served() -> bool:
            (reply,) = await bell.ask(ann, "/stories prada")
            return "photo" in reply

        await wait_for(served, 150, "the top-up to be noticed")


async def test_the_bot_spends_too_many_credits(box: Box, tmp_path: Path) -> None:
    boss, ann = await box.control.person("Boss"), await box.control.person()
    async with running_bell(tmp_path, box, admin_ids=str(boss)) as bell:
        await bell.ask(ann, "/stories prada")
        await bell.ask(boss, "/stop_spending")
        before = await box.control.billed()
        await bell.ask(ann, "/stories thirty")
        assert await box.control.billed() == before
    # Lowered, it holds from the first question on.
    async with running_bell(tmp_path, box, admin_ids=str(boss), daily_budget=4) as bell:
        await bell.ask(boss, "/resume_spending")
        for name in ("thirty", "natgeo", "12345"):
            await bell.ask(ann, f"/stories {name}")
        assert await box.control.billed() <= 4 + before


async def test_a_profiles_owner_objects(box: Box, tmp_path: Path) -> None:
    ann = await box.control.person()
    async with running_bell(tmp_path, box) as bell:
        (told,) = await bell.ask(ann, "/subscribe natgeo")
    async with running_bell(tmp_path, box, blocked_profiles="natgeo") as bell:
        (notice,) = await box.control.wait_replies(ann, 1, after=told["message_id"], within=120)
        assert "natgeo" in notice["text"]
        (listed,) = await bell.ask(ann, "/subscriptions")
        assert "⏸ natgeo" in buttons(listed)


async def test_an_update_is_taken_back(tmp_path: Path) -> None:
    file = tmp_path / "bot.db"
    async with Database(f"sqlite:///{file}") as db:
        await db.migrate()
        async with db.begin() as tx:
            await tx.execute(sa.text("INSERT INTO key_values (key, value) VALUES ('a', '1')"))
        with next_version(tmp_path / "next"):
            await db.migrate()
        assert await readiness(db) is Readiness.NEWER
    (copy,) = migration_copies(file)
    async with sandbox_box() as box:
        words = argparse.Namespace(file=copy)
        assert await restore.main(settings_for(box, tmp_path), words) == 0
    async with Database(f"sqlite:///{file}") as db:
        assert await readiness(db) is Readiness.CURRENT
        async with db.read() as tx:
            found = (
                await tx.execute(sa.text("SELECT value FROM key_values WHERE key = 'a'"))
            ).scalar()
    assert str(found) == "1"


async def test_an_update_of_postgresql_is_taken_back_and_made_again(tmp_path: Path) -> None:
    dump = tmp_path / "kept" / "dump"
    with postgres() as server:
        async with Database(server.url) as db:
            await db.migrate()
        by_the_page("pg_dump", server.url, dump)
        with next_version(tmp_path / "next"):
            async with Database(server.url) as db:
                await db.migrate()
        by_the_page("pg_restore", server.url, dump)
        async with Database(server.url) as db:
            assert await readiness(db) is Readiness.CURRENT
        with next_version(tmp_path / "again"):
            async with Database(server.url) as db:
                await db.migrate()
                assert await readiness(db) is Readiness.CURRENT


def test_the_commands_of_the_runbook_are_there() -> None:
    pages = "".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))
    for name in set(re.findall(r"`storybell ([a-z]+)", pages)):
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
