"""A start that nothing cosmetic holds up, and what tells that updates go elsewhere."""

import asyncio
import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot import app
from bot.presentation.translation import languages_by_code
from tests.support.control import flood, refused, wait_for
from tests.support.killing import Victim, free_port
from tests.support.postgres import connected, postgres
from tests.support.sandbox import Box, sandbox_box
from tests.support.storybell import running_bell, settings_for

RIVAL = refused(
    "terminated by other getUpdates request; make sure that only one bot instance is running", 409
)


@pytest.mark.jumps
async def test_a_menu_that_telegram_refuses_holds_up_no_answer(box: Box, tmp_path: Path) -> None:
    await box.control.fault("telegram", flood(1127), match="setMyCommands", times=None)
    ann = await box.control.person()
    await box.control.say(ann, "/help")
    async with running_bell(tmp_path, box):
        await box.control.wait_replies(ann, 1)


@pytest.mark.jumps
async def test_a_menu_that_telegram_has_is_not_given_again(
    tmp_path: Path,
) -> None:
    menus = 1 + sum(len(code) == 2 for code in languages_by_code())
    async with sandbox_box() as box:

        async def given() -> int:
            log = await box.control.requests("telegram")
            return sum("setmycommands" in str(one["path"]).lower() for one in log)

        async def all_written_down() -> bool:
            with closing(sqlite3.connect(f"file:{tmp_path}/bot.db?mode=ro", uri=True)) as db:
                row = db.execute("SELECT value FROM key_values WHERE key = 'menu'").fetchone()
            return row is not None and "sources" in json.loads(row[0])

        ann = await box.control.person()
        async with running_bell(tmp_path, box):
            await wait_for(all_written_down, 200)
        before = await given()
        async with running_bell(tmp_path, box) as bell:
            await bell.ask(ann, "/help")
        assert await given() == before == menus


@pytest.mark.jumps
async def test_a_rival_for_the_updates_is_told_to_the_admins(
    tmp_path: Path,
) -> None:
    async with sandbox_box() as box:
        admin = await box.control.person()
        port = free_port()
        async with running_bell(tmp_path, box, admin_ids=[admin], port=port) as bell:
            (first,) = await bell.ask(admin, "/help")
            fault = await box.control.fault("telegram", RIVAL, match="getUpdates", times=None)
            await box.control.say(admin, "/help")  # which ends the poll that is open
            told = await box.control.wait_replies(admin, 2, after=first["message_id"])
            assert any("Another program is using this bot's token" in m["text"] for m in told)
            async with box.session.get(f"http://127.0.0.1:{port}/readyz") as ready:
                assert "another program takes the updates" in await ready.text()
            await box.control.clear_faults(fault)
            (answer,) = await bell.ask(admin, "/help")
            assert answer["text"] == first["text"]


@pytest.mark.slow
@pytest.mark.stands  # held, with its 30 seconds, since there is a lock
async def test_a_second_process_on_the_same_file_refuses_to_run(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await box.control.person()
    first, second = [Victim(box, tmp_path, webhook=False) for _ in range(2)]
    await first.start()
    try:
        message = await box.control.say(ann, "/help")
        await box.control.wait_replies(ann, 1, after=message, within=60)
        with monkeypatch.context() as impatient, capture_logs() as said:
            impatient.setattr(app, "WAIT_S", 0.5)
            assert await app.run(settings_for(box, tmp_path), asyncio.Event()) == 1
        assert (
            said[-1]["reason"]
            == "another process runs the bot on this database file: stop it first"
        )
        message = await box.control.say(ann, "/help")
        await box.control.wait_replies(ann, 1, after=message, within=60)
        # The next waits for the end of the first, as at a release, and then runs.
        await second.start()
        await first.end(signal.SIGTERM)
        message = await box.control.say(ann, "/help")
        await box.control.wait_replies(ann, 1, after=message, within=60)
    finally:
        for one in (first, second):
            await one.end(signal.SIGKILL)


@pytest.mark.jumps
async def test_a_database_that_has_lost_its_log_is_no_new_one(box: Box, tmp_path: Path) -> None:
    async with running_bell(tmp_path, box) as bell:
        file, spool = tmp_path / "bot.db", bell.settings.spool_dir
    for end in ("-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)
    file.write_bytes(b"")
    with capture_logs() as logs:
        assert await app.run(bell.settings, asyncio.Event()) == 1
    (said,) = [one["reason"] for one in logs if one["event"] == "can't run"]
    assert "is missing or empty" in said
    (mark,) = [one for one in spool.iterdir() if one.is_file()]
    mark.unlink()
    async with running_bell(tmp_path, box):
        pass


async def test_a_direct_address_of_another_database_is_named(box: Box, tmp_path: Path) -> None:
    with postgres() as server:
        async with connected(server.url) as connection:
            await connection.execute("CREATE DATABASE other")
        other = server.url.replace("/postgres?", "/other?")
        settings = settings_for(box, tmp_path, database_url=server.url, database_direct_url=other)
        with capture_logs() as logs:
            assert await app.run(settings, asyncio.Event()) == 1
    (said,) = [one["reason"] for one in logs if one["event"] == "can't run"]
    assert "DATABASE_DIRECT_URL" in said
