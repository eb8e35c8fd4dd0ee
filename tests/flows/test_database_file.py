"""The SQLite file is moved, deleted, replaced or damaged under the real process."""

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from tests.flows.test_database_outages import fill, small_disk
from tests.support.control import wait_for
from tests.support.killing import Victim
from tests.support.sandbox import Box, sandbox_box

PROFILES = [f"keep.{n}" for n in range(3)]
STOP_S = 16.0  # the promised 8 seconds, and a delay of a busy machine


class Kept(Victim):
    """A bot whose owner and subscriber are the same person."""

    def __init__(self, box: Box, folder: Path, owner: int) -> None:
        """Keep the database in a folder of its own, apart from the log and the spool."""
        self.file = folder / "data" / "bot.db"
        super().__init__(box, folder, webhook=False, database_url=f"sqlite:///{self.file}")
        self.env |= {"ADMIN_IDS": str(owner), "BACKUP_DIR": str(folder / "backups")}
        self.box, self.owner = box, owner

    async def trouble(self) -> str:
        """Return what /readyz says of the database."""
        async with self._session.get(f"http://127.0.0.1:{self.port}/readyz") as answer:
            return str((await answer.json())["reasons"].get("database", ""))

    async def is_answering(self) -> bool:
        try:
            await self.trouble()
        except OSError:
            return False
        return True

    async def is_rescued(self) -> bool:
        return ".rescued-" in await self.trouble()

    def copies(self) -> list[Path]:
        return sorted(self.file.parent.glob("bot.db.rescued-*"))

    async def rescued_copy(self) -> Path:
        """Wait for the rescue of the file. Return the only copy, which must be complete."""
        await wait_for(self.is_rescued, what="the rescue")
        (copy,) = self.copies()
        assert subscriptions(copy) == len(PROFILES)
        return copy

    async def command(self, *words: str) -> tuple[int, str]:
        """Run a command; return its status and all that it printed."""
        one = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *words, env=self.env, cwd=self._folder,
            stdout=PIPE, stderr=PIPE,
        )  # fmt: skip
        out, errors = await one.communicate()
        assert one.returncode is not None
        return one.returncode, (out + errors).decode()

    async def told(self) -> list[str]:
        replies = await self.box.control.replies(self.owner)
        return [str(one.get("text")) for one in replies if "moved, deleted" in str(one)]


@asynccontextmanager
async def kept(folder: Path, *, data: Path | None = None) -> AsyncIterator[Kept]:
    """Run a bot with three subscriptions; end it."""
    async with sandbox_box() as box:
        owner = await box.control.person()
        bot = Kept(box, folder, owner)
        if data:
            bot.file = data / "bot.db"
            bot.env["DATABASE_URL"] = f"sqlite:///{bot.file}"
        try:
            await bot.start()
            await wait_for(bot.is_ready, what="the start")
            for name in PROFILES:
                await box.control.profile(name, posts_per_day=0)
                message = await box.control.say(owner, f"/subscribe {name}")
                await box.control.wait_replies(owner, 1, after=message)
            yield bot
        finally:
            await bot.end(signal.SIGKILL)


def subscriptions(file: Path) -> int:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as db:
        found: int = db.execute("SELECT count(*) FROM subscriptions").fetchone()[0]
    return found


def delete(bot: Kept) -> None:
    bot.file.unlink()


def delete_folder(bot: Kept) -> None:
    shutil.rmtree(bot.file.parent)


def put_another_in_place(bot: Kept) -> None:
    """Move another database over the file, as who restores a copy by hand does."""
    other = bot.file.with_name("other")
    with closing(sqlite3.connect(other)) as db:
        db.execute("CREATE TABLE other (x)")
        db.commit()
    other.replace(bot.file)


def delete_log(bot: Kept) -> None:
    bot.file.with_name("bot.db-wal").unlink()


def retarget_link(bot: Kept) -> None:
    """Let the path be a link to another place, where no database is yet."""
    real = bot.file.rename(bot.file.with_name("real.db"))
    bot.file.symlink_to(real.with_name("nothing.db"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "lose",
    [
        delete,
        *(
            pytest.param(lose, marks=pytest.mark.slow)
            for lose in (delete_folder, put_another_in_place, delete_log, retarget_link)
        ),
    ],
)
async def test_a_file_that_is_lost_under_the_bot_is_rescued_and_put_back(
    tmp_path: Path, lose: Callable[[Kept], None]
) -> None:
    async with kept(tmp_path) as bot:
        last = await bot.box.control.say(bot.owner, "/help")
        await bot.box.control.wait_replies(bot.owner, 1, after=last)
        lose(bot)
        copy = await bot.rescued_copy()
        assert oct(copy.stat().st_mode & 0o777) == "0o600"
        await wait_for(bot.told, what="the message to the owner")
        last = await bot.box.control.say(bot.owner, "/help")
        assert str(copy) in await bot.trouble()
        status, said = await bot.command("backup", str(tmp_path / "copy"))
        assert status == 1, said
        status, seconds = await bot.end(signal.SIGTERM)
        assert (status, seconds < STOP_S) == (0, True)
        assert len(await bot.told()) == 1
        assert not await bot.box.control.replies(bot.owner, after=last)  # taken by nobody
        assert b"Traceback" not in bot.log.read_bytes()
        status, said = await bot.command("restore", str(copy))
        assert status == 0, said
        await bot.start()
        await bot.box.control.wait_replies(bot.owner, 1, after=last)
        assert subscriptions(bot.file) == len(PROFILES)


async def test_another_database_at_the_path_does_not_get_our_log(tmp_path: Path) -> None:
    async with kept(tmp_path) as bot:
        put_another_in_place(bot)
        await wait_for(bot.is_rescued, what="the rescue")
        await bot.end(signal.SIGKILL)
        with closing(sqlite3.connect(bot.file)) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("other",)]


async def test_a_stop_right_after_the_file_was_deleted_rescues_it(tmp_path: Path) -> None:
    async with kept(tmp_path) as bot:
        bot.file.unlink()
        assert (await bot.end(signal.SIGTERM))[0] == 0
        (copy,) = bot.copies()
        assert subscriptions(copy) == len(PROFILES)
        assert str(copy).encode() in bot.log.read_bytes()
        # A start makes no new database, and names the copy.
        await bot.start()
        assert bot.process
        assert await bot.process.wait() == 1
        assert not bot.file.exists()
        assert f"storybell restore {copy}".encode() in bot.log.read_bytes()


@pytest.mark.slow
async def test_a_file_that_is_lost_while_a_start_waits_for_telegram_is_rescued(
    tmp_path: Path,
) -> None:
    async with kept(tmp_path) as bot:
        await bot.end(signal.SIGTERM)
        away = await bot.box.control.fault("telegram", {"status": 500, "body": ""}, times=None)
        await bot.start()
        await wait_for(bot.is_answering, what="the web server")
        bot.file.unlink()
        copy = await bot.rescued_copy()
        await bot.box.control.clear_faults(away)
        await wait_for(bot.told, what="the message to the owner")
        status, seconds = await bot.end(signal.SIGTERM)
        assert (status, seconds < STOP_S) == (0, True)
        assert bot.copies() == [copy]
        assert b"Traceback" not in bot.log.read_bytes()


@pytest.mark.slow
async def test_a_moved_file_keeps_its_log_and_a_start_refuses_the_log_alone(
    tmp_path: Path,
) -> None:
    async with kept(tmp_path) as bot:
        moved = bot.file.rename(bot.file.with_name("moved.db"))
        await bot.end(signal.SIGKILL)  # before anything was noticed, perhaps
        shutil.rmtree(tmp_path / "spool")  # which says that there was a database
        log = bot.file.with_name("bot.db-wal")
        size = log.stat().st_size
        assert size
        for words in (("check", "--offline"), ("run",), ("erase", "1"), ("backup",)):
            status, said = await bot.command(*words)
            assert status == 1, words
            assert "Traceback" not in said
            assert "run storybell restore with a rescued copy" in " ".join(said.split()), said
        assert log.stat().st_size == size
        moved.rename(bot.file)
        assert subscriptions(bot.file) == len(PROFILES)


@pytest.mark.slow
async def test_a_rescue_on_a_full_disk_waits_for_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        async with kept(tmp_path, data=disk) as bot:
            filler = fill(disk)
            bot.file.unlink()

            async def says_why() -> bool:
                return "can't save" in await bot.trouble()

            await wait_for(says_why, what="the failure")
            assert not list(disk.glob("*.part"))
            await wait_for(bot.told, what="the message to the owner")
            filler.unlink()
            await bot.rescued_copy()
            assert (await bot.end(signal.SIGTERM))[0] == 0


def damage(file: Path, table: str) -> None:
    """Overwrite the first page of a table and of its indexes; the header where there is none."""
    if not table:
        file.write_bytes(b"no database" * 1000)
        return
    with closing(sqlite3.connect(file)) as db:
        roots = db.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = ?", (table,))
        numbers = [int(row[0]) for row in roots]
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as pages:
        for number in numbers:
            pages.seek((number - 1) * size)
            pages.write(os.urandom(size))


READERS = {
    "": {"check", "run", "erase", "backup", "simulate", "move"},
    "key_values": {"check", "run", "backup", "move"},
    "chats": {"check", "erase", "backup"},
}
"""Which commands read a table; all read the header."""


@pytest.mark.slow
@pytest.mark.parametrize("table", READERS)
async def test_every_command_says_in_one_sentence_that_the_database_is_damaged(
    tmp_path: Path, table: str
) -> None:
    async with kept(tmp_path) as bot:
        await bot.end(signal.SIGTERM)
        damage(bot.file, table)
        commands: list[tuple[str, ...]] = [
            ("check", "--offline"), ("run",), ("erase", str(bot.owner)), ("backup",),
            ("simulate", "--history", "--budget", "100"),
            ("move", "--undo"),
        ]  # fmt: skip
        for words in commands:
            if words[0] not in READERS[table]:
                continue
            status, said = await bot.command(*words)
            said = " ".join(said.split())
            assert status == 1, (words, said)
            assert f"the database {bot.file} is damaged: stop the bot and run" in said, said
            assert "storybell restore" in said, (words, said)
            assert "Traceback" not in said, (words, said)


@pytest.mark.slow
async def test_a_file_without_tables_is_not_copied_and_no_copy_is_removed(
    tmp_path: Path,
) -> None:
    async with kept(tmp_path) as bot:
        await bot.end(signal.SIGTERM)
        with closing(sqlite3.connect(tmp_path / "empty.db")) as db:
            db.execute("PRAGMA journal_mode=WAL")
        status, said = await bot.command("backup")
        assert status == 0, said
        shutil.move(tmp_path / "empty.db", bot.file)
        before = sorted((tmp_path / "backups").iterdir())
        status, said = await bot.command("backup")
        assert (status, "has no tables" in said) == (1, True), said
        assert sorted((tmp_path / "backups").iterdir()) == before
