"""From an SQLite file to PostgreSQL: with everything, and what is under way goes on."""

import argparse
import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot import app
from bot.cli import move
from bot.domain.errors import BackupError, DatabaseUnavailableError
from bot.operations.preflight import check_database
from bot.store import chats, key_values, spending, subscriptions
from bot.store.copies import transfer
from bot.store.engine import sqlite_copies
from bot.store.engine.database import Database, all_tables
from bot.store.engine.readiness import Readiness, readiness
from tests.flows.test_backups import (
    DOWN,
    SETTINGS,
    a_second_later,
    alerted,
    came,
    has,
    posted,
    subscribed,
    tried,
)
from tests.support import newer
from tests.support.control import wait_for
from tests.support.database import empty
from tests.support.followed import NOON, follow, look, story
from tests.support.postgres import connected
from tests.support.sandbox import Box
from tests.support.storybell import running_bell, settings_for


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """Name the database into which all is moved; ``db`` empties it."""
    return postgres_url


def to(url: str | None) -> argparse.Namespace:
    return argparse.Namespace(to=url, undo=url is None)


async def test_the_bot_goes_on_where_it_was_moved_to(
    box: Box, tmp_path: Path, db: Database, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    control = box.control
    async with running_bell(tmp_path, box, **SETTINGS) as bell:
        ann = await subscribed(bell)
        stories = [await alerted(bell, ann)]
        assert await move.main(bell.settings, to(postgres_url)) == 1
        assert "another process runs the bot" in capsys.readouterr().out
        await control.fault("telegram", DOWN, match="send", times=None)
        stories.append(await posted(control))
        await wait_for(lambda: tried(control), what="the first try")
        settings = bell.settings
    async with Database(f"sqlite:///{tmp_path}/bot.db") as old:
        spent = await spent_in(old)
    assert await move.main(settings, to(postgres_url)) == 0, capsys.readouterr().out
    assert "Moved and counted" in capsys.readouterr().out
    assert await spent_in(db) == spent
    # The file is given up; to move it once more changes nothing.
    assert await app.run(settings_for(box, tmp_path), asyncio.Event()) == 1
    assert await move.main(settings, to(postgres_url)) == 0
    assert "was moved before" in capsys.readouterr().out
    await control.clear_faults()
    async with running_bell(tmp_path, box, database_url=postgres_url, **SETTINGS) as bell:
        await wait_for(lambda: has(control, ann, stories), what="what was owed")
        stories.append(await alerted(bell, ann))
    assert await came(control, ann) == dict.fromkeys(stories, 1)
    # Back to the file: nothing is said twice there either.
    assert await move.main(settings, to(None)) == 0
    assert await move.main(settings, to(None)) == 1
    async with running_bell(tmp_path, box, **SETTINGS) as bell:
        await bell.ask(ann, "/help")  # it runs
        await a_second_later(control)
        stories.append(await alerted(bell, ann))
    assert await came(control, ann) == dict.fromkeys(stories, 1)


def move_files(folder: Path, there: Path) -> None:
    """Move the database and the files beside the database."""
    there.mkdir()
    for file in folder.glob("bot.db*"):
        file.rename(there / file.name)


async def test_the_file_of_a_stopped_bot_moves_to_another_folder_with_what_waits(
    box: Box, tmp_path: Path
) -> None:
    """docs/systemd.md moves the file, because a restore would drop the alerts that wait."""
    control, there = box.control, tmp_path / "other disk"
    async with running_bell(tmp_path, box, **SETTINGS) as bell:
        ann = await subscribed(bell)
        await control.fault("telegram", DOWN, match="send", times=None)
        story = await posted(control)
        await wait_for(lambda: tried(control), what="the first try")
    move_files(tmp_path, there)
    await control.clear_faults()
    async with running_bell(tmp_path, box, database_url=f"sqlite:///{there}/bot.db", **SETTINGS):
        await wait_for(lambda: has(control, ann, [story]), what="what waited")
    assert await came(control, ann) == {story: 1}


async def test_a_second_move_after_the_loss_of_the_database_sends_nothing_twice(
    box: Box, tmp_path: Path, db: Database, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The new database has the address of the lost one, and the bot has worked on the lost one."""
    control = box.control
    async with running_bell(tmp_path, box, **SETTINGS) as bell:
        ann = await subscribed(bell)
        stories = [await alerted(bell, ann)]
        settings = bell.settings
    assert await move.main(settings, to(postgres_url)) == 0, capsys.readouterr().out
    async with running_bell(tmp_path, box, database_url=postgres_url, **SETTINGS) as bell:
        stories.append(await alerted(bell, ann))
    await empty(db)
    assert await move.main(settings, to(postgres_url)) == 0, capsys.readouterr().out
    async with running_bell(tmp_path, box, database_url=postgres_url, **SETTINGS) as bell:
        await bell.ask(ann, "/help")  # it runs
        await a_second_later(control)
        stories.append(await alerted(bell, ann))
    assert await came(control, ann) == dict.fromkeys(stories, 1)


async def spent_in(db: Database) -> object:
    async with db.read() as tx:
        now = datetime.now(UTC)
        parts = await spending.spent_by_operation(tx, since=date(2000, 1, 1), now=now)
        return sorted(parts, key=str)


async def filled(file: Path) -> Database:
    """Return a file with rows of many tables."""
    source = Database(f"sqlite:///{file}")
    await source.migrate()
    async with source.begin() as tx:
        for chat in range(1, 20):
            await follow(tx, chat)
        await look(tx, *(story(str(n)) for n in range(30)))
        await chats.change(tx, 1, title="a \x00 in the middle, and ✨")
    return source


async def moved(source: Database, target: Database) -> int | None:
    return await transfer.move_and_count_unless_done(
        source, target, now=NOON, report_table=lambda *_: None
    )


async def test_the_id_of_an_ended_subscription_is_not_given_again_after_a_move(
    tmp_path: Path, db: Database
) -> None:
    async with await filled(tmp_path / "bot.db") as source:
        async with source.begin() as tx:
            last = await tx.scalar(sa.select(sa.func.max(subscriptions.subscriptions.c.id)))
            await subscriptions.remove(tx, [last])
        await moved(source, db)
    async with db.begin() as tx:
        await follow(tx, 99)
        newest = await tx.scalar(sa.select(sa.func.max(subscriptions.subscriptions.c.id)))
    assert newest > last


@pytest.mark.slow
async def test_a_move_that_is_cut_short_again_and_again_is_done_once(
    tmp_path: Path, db: Database
) -> None:
    chance = random.Random(7)  # noqa: S311 - moments, not secrets
    async with await filled(tmp_path / "bot.db") as source:
        cuts, rows = 0, None
        for _ in range(200):
            task = asyncio.get_running_loop().create_task(moved(source, db))
            for _ in range(chance.randrange(400 + 100 * cuts)):
                await asyncio.sleep(0)
            if task.done():
                rows = await task
                break
            task.cancel()
            await asyncio.wait([task])
            cuts += 1
        # One that was cut when all had come already is not repeated.
        rows = rows or await moved(source, db)
        assert rows is None or rows > 500
        assert await moved(source, db) is None
        with pytest.raises(DatabaseUnavailableError):  # it is given up
            await transfer.raise_if_moved(source)
        assert cuts
        for table in all_tables().sorted_tables:
            if table is not key_values.key_values:
                every = sa.select(table).order_by(*table.primary_key)
                async with source.read() as here:
                    mine = sorted(map(str, await here.execute(every)))
                async with db.read() as there:
                    theirs = sorted(map(str, await there.execute(every)))
                assert [one.replace("\\x00", "�") for one in mine] == theirs, table.name
        # New rows get numbers of their own.
        async with db.begin() as tx:
            await follow(tx, 999)
        await transfer.raise_if_moved(db)


async def test_into_a_database_with_other_rows_nothing_is_moved(
    tmp_path: Path, db: Database
) -> None:
    async with db.begin() as tx:
        await follow(tx, 77)
    async with await filled(tmp_path / "bot.db") as source:
        with pytest.raises(BackupError, match="rows in it already"):
            await moved(source, db)
        async with db.read() as tx:
            assert (await tx.execute(sa.select(sa.func.count(chats.chats.c.id)))).scalar() == 1
        # The file is stamped all the same; who takes that back loses nothing by it.
        assert await transfer.undo_move(source)
        await transfer.raise_if_moved(source)


@pytest.fixture
async def elsewhere(postgres_url: str) -> AsyncIterator[Database]:
    """Have another empty database on the same server."""
    url = sa.make_url(postgres_url)
    await on_the_server(postgres_url, "CREATE DATABASE elsewhere")
    async with Database(url.set(database="elsewhere").render_as_string()) as other:
        await other.migrate()
        yield other
    await on_the_server(postgres_url, "DROP DATABASE elsewhere WITH (FORCE)")


async def on_the_server(url: str, statement: str) -> None:
    async with connected(url) as connection:
        await connection.execute(statement)


async def test_what_was_moved_into_one_database_is_never_moved_into_another_as_well(
    tmp_path: Path, db: Database, elsewhere: Database
) -> None:
    def cut_short(*_: object) -> None:
        raise OSError("killed")  # when the first table was compared

    async with await filled(tmp_path / "bot.db") as source:
        with pytest.raises(OSError, match="killed"):
            await transfer.move_and_count_unless_done(source, db, now=NOON, report_table=cut_short)
        # Nothing came, so it may go elsewhere.
        assert await moved(source, elsewhere)
        await transfer.raise_if_moved(elsewhere)
        with pytest.raises(DatabaseUnavailableError):
            await transfer.raise_if_moved(source)
        with pytest.raises(BackupError, match="into another database already"):
            await moved(source, db)
        assert await moved(source, elsewhere) is None
        # Taken back, it goes on as an old copy; what was cut short takes nothing along.
        assert await transfer.undo_move(source)
        async with source.read() as tx:
            assert await key_values.get(tx, sqlite_copies.MARK) is not None
        with pytest.raises(OSError, match="killed"):
            await transfer.move_and_count_unless_done(source, db, now=NOON, report_table=cut_short)
        async with source.begin() as tx:
            await key_values.remove(tx, sqlite_copies.MARK)
        assert await transfer.undo_move(source)
        async with source.read() as tx:
            assert await key_values.get(tx, sqlite_copies.MARK) is None


async def test_the_database_of_an_older_bot_is_refused_and_not_upgraded(
    box: Box, tmp_path: Path, db: Database, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The older bot may run, or would not start on upgraded tables."""
    settings = settings_for(box, tmp_path)
    with newer.next_version(tmp_path / "next"):
        async with Database(f"sqlite:///{tmp_path}/bot.db") as source:
            await source.migrate()
        assert await move.main(settings, to(postgres_url)) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "the database of --to has tables of an older version" in said
    assert await readiness(db) is Readiness.CURRENT
    await transfer.raise_if_moved(source)


async def test_a_database_whose_encoding_lacks_characters_is_refused(
    box: Box, tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_for(box, tmp_path)
    async with await filled(tmp_path / "bot.db") as source:
        pass
    create = "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
    await on_the_server(postgres_url, f"{create} TEMPLATE template0")
    latin = sa.make_url(postgres_url).set(database="latin").render_as_string()
    try:
        assert await move.main(settings, to(latin)) == 1
        assert "its encoding is LATIN1" in capsys.readouterr().out
        found = await check_database(latin)
    finally:
        await on_the_server(postgres_url, "DROP DATABASE latin WITH (FORCE)")
    assert (found.level, "its encoding is LATIN1" in found.text) == ("wrong", True)
    await transfer.raise_if_moved(source)


@pytest.mark.usefixtures("db")
async def test_a_row_that_postgresql_refuses_is_named_without_its_values(
    box: Box, tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_for(box, tmp_path)
    async with Database(f"sqlite:///{tmp_path}/bot.db") as source:
        await source.migrate()
        async with source.begin() as tx:
            await follow(tx, 1)
            await tx.execute(sa.text("UPDATE profiles SET username = :x"), {"x": "x" * 65})
    assert await move.main(settings, to(postgres_url)) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "Not moved: a row of profiles is refused: value too long" in said
    assert "storybell move --undo" in said
    assert "xxx" not in said
