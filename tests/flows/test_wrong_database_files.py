"""Files that are not the bot's database: copies put in place by hand, folders, other programs."""

import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.store.copies import backups
from bot.store.engine.database import Database
from tests.flows.test_database_file import PROFILES, Kept, kept, subscriptions
from tests.support.control import wait_for
from tests.support.sandbox import sandbox_box

COMMANDS = (("check", "--offline"), ("run",), ("erase", "1"), ("backup",), ("move", "--undo"))
READERS = COMMANDS[:-1]
"""Without ``move``, which makes a lock beside the file."""


async def refused(bot: Kept, *commands: tuple[str, ...]) -> str:
    """Run commands, each of which must fail in sentences; return all that they printed."""
    printed = []
    for words in commands:
        status, said = await bot.command(*words)
        said = " ".join(said.split())
        assert status == 1, (words, said)
        assert "Traceback" not in said, (words, said)
        assert str(bot.file) in said, (words, said)
        printed.append(said)
    return " ".join(printed)


@pytest.mark.slow
async def test_a_copy_put_in_place_by_hand_does_not_get_the_log_of_a_killed_bot(
    tmp_path: Path,
) -> None:
    async with kept(tmp_path) as bot:
        copy = tmp_path / "copy.db"
        status, said = await bot.command("backup", str(copy))
        assert status == 0, said
        await bot.end(signal.SIGKILL)
        log = bot.file.with_name("bot.db-wal")
        size = log.stat().st_size
        assert size
        shutil.copyfile(copy, bot.file)
        said = await refused(bot, *COMMANDS)
        assert said.count(f"{log} belongs to another database") == len(COMMANDS), said
        assert bot.file.read_bytes() == copy.read_bytes()
        assert log.stat().st_size == size
        status, said = await bot.command("restore", str(copy))
        assert status == 0, said
        (aside,) = bot.file.parent.glob("bot.db.replaced-*-wal")
        assert aside.stat().st_size == size
        assert (
            bot.file.with_name(aside.name.removesuffix("-wal")).read_bytes() == copy.read_bytes()
        )
        assert subscriptions(bot.file) == len(PROFILES)


@pytest.mark.slow
async def test_a_link_to_another_database_leaves_the_log_beside_its_own(tmp_path: Path) -> None:
    async with kept(tmp_path) as bot:
        await bot.end(signal.SIGTERM)
        real = bot.file.rename(tmp_path / "real.db")
        other = tmp_path / "other.db"
        other.write_bytes(real.read_bytes())
        bot.file.symlink_to(real)
        await bot.start()
        log = real.with_name("real.db-wal")
        message = await bot.box.control.say(bot.owner, "/help")
        await bot.box.control.wait_replies(bot.owner, 1, after=message)
        assert log.stat().st_size
        bot.file.unlink()
        bot.file.symlink_to(other)

        await wait_for(bot.is_rescued, what="the rescue")
        await bot.end(signal.SIGKILL)
        assert log.stat().st_size
        assert subscriptions(real) == len(PROFILES)


def make_folder(file: Path) -> None:
    file.mkdir(parents=True)
    (file / "precious").write_text("kept")


def make_other_database(file: Path) -> None:
    """Make the database of another program that also uses Alembic."""
    file.parent.mkdir(parents=True)
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE alembic_version (version_num)")
        db.execute("INSERT INTO alembic_version VALUES ('0001')")
        db.execute("CREATE TABLE bookmarks (address)")
        db.execute("INSERT INTO bookmarks VALUES ('x')")
        db.commit()


def make_loop(file: Path) -> None:
    """Make two links that lead to each other."""
    file.parent.mkdir(parents=True)
    file.symlink_to(file.with_name("b"))
    file.with_name("b").symlink_to(file)


@pytest.mark.parametrize(
    "make",
    [
        make_other_database,
        pytest.param(make_folder, marks=pytest.mark.slow),
        pytest.param(make_loop, marks=pytest.mark.slow),
    ],
)
async def test_what_is_no_database_of_the_bot_is_refused_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    async with sandbox_box() as box:
        bot = Kept(box, tmp_path, owner=1)
        make(bot.file)
        before = bot.file.read_bytes() if bot.file.is_file() else None
        await refused(bot, *READERS)
        if before is not None:
            assert bot.file.read_bytes() == before
        if make is make_folder:
            status, said = await bot.command("restore", str(await a_copy(tmp_path)))
            assert (status, f"{bot.file} is not a file" in said) == (1, True), said
            assert (bot.file / "precious").read_text() == "kept"


async def a_copy(folder: Path) -> Path:
    """Return a backup of a new database."""
    async with Database(f"sqlite:///{folder}/good.db") as db:
        await db.migrate()
        await backups.make(db, folder / "good-copy.db", at=datetime.now(UTC))
    return folder / "good-copy.db"
