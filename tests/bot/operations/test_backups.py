"""Backups by a schedule: made in time, the oldest removed, a failure told once, and its end."""

import asyncio
import errno
import os
import shutil
import sqlite3
import stat
import threading
from contextlib import ExitStack, closing, suppress
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from telegram.ext import ExtBot

from bot.domain.errors import BackupError, DatabaseUnavailableError
from bot.operations.backups import Backups, backup_file_name, make_live_and_report_if_restored
from bot.operations.incidents import Incidents, text_with_advice
from bot.operations.owners import Owners
from bot.operations.preflight import check_database
from bot.presentation.translation import translator_for
from bot.store import incidents
from bot.store.copies import backups as store
from bot.store.copies import restored
from bot.store.engine import sqlite_copies
from bot.store.engine.database import Database
from bot.store.engine.lock import locked_sqlite_file
from tests.flows.test_database_outages import fill, small_disk
from tests.support.control import PATIENCE_S
from tests.support.followed import HOUR, NOON, Clock, follow, look, story


def incidents_of(db: Database, clock: Clock) -> Incidents:
    """Return what would tell admins, where there are none."""
    nobody = Owners(db, ExtBot("1:a"), lambda: (), wake=lambda: None, now=clock)
    return Incidents(db, nobody, now=clock)


async def test_they_are_made_in_time_and_the_oldest_goes(
    sqlite_db: Database, tmp_path: Path
) -> None:
    clock, folder = Clock(), tmp_path / "kept"
    told = incidents_of(sqlite_db, clock)
    (tmp_path / "kept").mkdir()
    (folder / "mine.db").write_text("not the bot's")
    backups = Backups(sqlite_db, folder, told, every=6 * HOUR, most=2, now=clock)
    assert await backups.make_backup_if_due() == NOON + 6 * HOUR
    assert await backups.make_backup_if_due() == NOON + 6 * HOUR
    for _ in range(3):
        clock.on(6 * HOUR)
        assert await backups.make_backup_if_due() == clock() + 6 * HOUR
        clock.on(timedelta(minutes=1))
    assert sorted(one.name for one in folder.iterdir()) == [
        "mine.db",
        "storybell-20261126-000100.db",
        "storybell-20261126-060200.db",
    ]
    # Another process, or the next start, goes on with the schedule.
    again = Backups(sqlite_db, folder, told, every=6 * HOUR, most=2, now=clock)
    assert await again.make_backup_if_due() == clock() - timedelta(minutes=1) + 6 * HOUR
    assert await told.all_open() == []


async def test_copies_with_a_name_in_the_future_do_not_remove_the_new_copy(
    sqlite_db: Database, tmp_path: Path
) -> None:
    clock, folder = Clock(), tmp_path / "kept"
    told = incidents_of(sqlite_db, clock)
    backups = Backups(sqlite_db, folder, told, every=6 * HOUR, most=1, now=clock)
    await backups.make_backup_if_due()
    clock.on(6 * HOUR)
    await backups.make_backup_if_due()
    (first,) = folder.iterdir()
    future = first.rename(folder / "storybell-20990101-000000.db")
    for _ in range(2):
        clock.on(6 * HOUR)
        await backups.make_backup_if_due()
        assert set(folder.iterdir()) == {future, folder / backup_file_name(clock())}


async def test_no_copy_of_another_database_and_no_live_database_is_removed(
    sqlite_db: Database, tmp_path: Path
) -> None:
    clock, folder = Clock(), tmp_path / "kept"
    told = incidents_of(sqlite_db, clock)
    backups = Backups(sqlite_db, folder, told, every=6 * HOUR, most=2, now=clock)
    await backups.make_backup_if_due()
    clock.on(6 * HOUR)
    await backups.make_backup_if_due()
    (first,) = folder.iterdir()
    live = first.rename(folder / "storybell-20200101-000000.db")
    # Whoever restores a backup by its path runs a database that has the name of a copy.
    async with Database(f"sqlite:///{live}") as again:
        more = Backups(again, folder, told, every=6 * HOUR, most=1, now=clock)
        for _ in range(3):
            clock.on(6 * HOUR)
            await more.make_backup_if_due()
        assert live.exists()
        assert len(list(folder.glob("storybell-*.db"))) == 1 + 1
    # A database that was begun anew, or of another bot with the same folder.
    before = set(folder.iterdir())
    async with Database(f"sqlite:///{tmp_path}/new.db") as new:
        await new.migrate()
        more = Backups(new, folder, incidents_of(new, clock), every=6 * HOUR, most=1, now=clock)
        for _ in range(4):
            await more.make_backup_if_due()
            clock.on(6 * HOUR)
    assert before < set(folder.iterdir())
    assert len(set(folder.iterdir()) - before) == 1


async def test_one_copy_that_cannot_be_removed_does_not_keep_the_others(
    sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, folder = Clock(), tmp_path / "kept"
    told = incidents_of(sqlite_db, clock)
    backups = Backups(sqlite_db, folder, told, every=6 * HOUR, most=1, now=clock)
    await backups.make_backup_if_due()
    clock.on(6 * HOUR)
    await backups.make_backup_if_due()
    (oldest,) = folder.iterdir()
    link = folder / "storybell-20200101-000000.db"
    link.symlink_to(folder / "moved to a disk that is not there")
    unlink = Path.unlink

    def refuse_oldest(file: Path, *, missing_ok: bool = False) -> None:
        if file == oldest:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(file))
        unlink(file, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse_oldest)
    for _ in range(3):
        clock.on(6 * HOUR)
        await backups.make_backup_if_due()
    assert set(folder.iterdir()) == {link, oldest, folder / backup_file_name(clock())}


async def test_a_failure_is_told_and_tried_again(sqlite_db: Database, tmp_path: Path) -> None:
    clock = Clock()
    told = incidents_of(sqlite_db, clock)
    folder = tmp_path / "kept"
    folder.write_text("a file where the folder should be")
    backups = Backups(sqlite_db, folder, told, every=6 * HOUR, most=2, now=clock)
    await backups.make_backup_if_due()
    clock.on(6 * HOUR)
    assert await backups.make_backup_if_due() == clock() + HOUR
    (incident,) = await told.all_open()
    assert incident.kind == "backup"
    assert "kept" in incident.fields["why"]
    folder.unlink()
    clock.on(HOUR)
    assert await backups.make_backup_if_due() == clock() + 6 * HOUR
    assert await told.all_open() == []


async def test_a_full_disk_of_the_database_does_not_fill_the_disk_of_the_copies(
    tmp_path: Path,
) -> None:
    clock, folder = Clock(), tmp_path / "kept"
    with small_disk(tmp_path / "disk") as disk:
        async with Database(f"sqlite:///{disk}/bot.db") as db:
            await db.migrate()
            told = incidents_of(db, clock)
            backups = Backups(db, folder, told, every=6 * HOUR, most=2, now=clock)
            await backups.make_backup_if_due()
            clock.on(6 * HOUR)
            await backups.make_backup_if_due()
            await db.truncate_log()
            filler = fill(disk)
            clock.on(6 * HOUR)
            for _ in range(3):
                with pytest.raises(DatabaseUnavailableError, match="the disk is full"):
                    await backups.make_backup_if_due()
                clock.on(timedelta(seconds=5))
            assert len(list(folder.iterdir())) == 1
            filler.unlink()
            assert await backups.make_backup_if_due() == clock() + 6 * HOUR
            assert len(list(folder.iterdir())) == 2


async def test_a_copy_made_while_others_write_is_whole_and_of_one_moment(
    sqlite_db: Database, tmp_path: Path
) -> None:
    async with sqlite_db.begin() as tx:
        for chat in range(1, 200):
            await follow(tx, chat)
    for round_ in range(5):
        async with sqlite_db.begin() as tx:
            await look(tx, *(story(f"{round_}-{n}") for n in range(20)))
            target = tmp_path / f"copy-{round_}"
            # A transaction that is open is not in it, and does not keep it waiting.
            await store.make(sqlite_db, target, at=NOON)
        with closing(sqlite3.connect(target)) as copy:
            assert copy.execute("SELECT count(*) FROM stories").fetchone() == (20 * round_,)
        assert sqlite_copies.verified_revision(target)


class CommitAtEachStep(threading.Event):
    """Commits a change of the source at each step of a copy, and stops the copy after 1,000."""

    def __init__(self, source: Path) -> None:
        super().__init__()
        self._source = source
        self._steps = 0

    def is_set(self) -> bool:
        self._steps += 1
        with closing(sqlite3.connect(self._source, isolation_level=None)) as writer:
            writer.execute("UPDATE profiles SET username = ?", (f"name{self._steps}",))
        return self._steps > 1000


async def test_a_copy_ends_although_others_commit_all_the_time(
    sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sqlite_db.begin() as tx:
        await follow(tx, 1)
    assert sqlite_db.file
    monkeypatch.setattr(sqlite_copies, "_PAGES", 1)
    stop = CommitAtEachStep(sqlite_db.file)
    sqlite_copies.copy(sqlite_db.file, tmp_path / "copy", at=NOON, stop=stop)
    assert sqlite_copies.verified_revision(tmp_path / "copy")


async def test_a_copy_that_would_fill_the_disk_is_not_begun(
    sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kept"
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=store.SPARE))
        with pytest.raises(BackupError, match="MB of room, and has 50 MB"):
            await store.make(sqlite_db, folder / "copy", at=NOON)
    assert files(folder) == []
    await store.make(sqlite_db, folder / "copy", at=NOON)


async def test_a_file_system_that_can_not_sync_a_folder_has_copies_too(
    sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def sync_files_only(number: int) -> None:
        if stat.S_ISDIR(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        sync(number)

    monkeypatch.setattr(os, "fsync", sync_files_only)
    await store.make(sqlite_db, tmp_path / "copy", at=NOON)
    sqlite_copies.replace_database_and_keep_old(tmp_path / "copy", tmp_path / "bot.db", now=NOON)


async def test_a_copy_beside_the_log_of_another_database_is_refused_and_stays_as_it_is(
    sqlite_db: Database, tmp_path: Path
) -> None:
    copy, log = tmp_path / "copy", tmp_path / "copy-wal"
    await store.make(sqlite_db, copy, at=NOON)
    async with sqlite_db.begin() as tx:
        await follow(tx, 1)
    assert sqlite_db.file
    shutil.copy(f"{sqlite_db.file}-wal", log)
    before = copy.read_bytes(), log.read_bytes()
    with pytest.raises(BackupError, match="copy-wal belongs to another database"):
        await store.restore(sqlite_db, copy, now=NOON)
    assert (copy.read_bytes(), log.read_bytes()) == before


async def test_a_damaged_copy_is_found_and_not_restore(
    sqlite_db: Database, tmp_path: Path
) -> None:
    async with sqlite_db.begin() as tx:
        for chat in range(1, 200):
            await follow(tx, chat)
    whole = tmp_path / "whole"
    await store.make(sqlite_db, whole, at=NOON)
    size = whole.stat().st_size
    cut, torn = tmp_path / "cut", tmp_path / "torn"
    cut.write_bytes(whole.read_bytes()[: size // 2])
    body = bytearray(whole.read_bytes())
    body[size // 2 : size // 2 + 4096] = b"\xff" * 4096
    torn.write_bytes(body)
    for damaged in (cut, torn):
        with pytest.raises(BackupError):
            await store.restore(sqlite_db, damaged, now=NOON)
    async with sqlite_db.read() as tx:
        # The database is not a copy, and was not replaced.
        assert await restored.make_restored_backup_live(tx, now=NOON) is None


async def test_what_was_there_is_kept_beside_what_was_restore(tmp_path: Path) -> None:
    file = tmp_path / "bot.db"
    async with Database(f"sqlite:///{file}") as db:
        await db.migrate()
        await store.make(db, tmp_path / "copy", at=NOON)
        async with db.begin() as tx:
            await follow(tx, 5)
        shutil.copy(f"{file}-wal", tmp_path / "log")  # a process that was killed leaves it
    before = await store.restore(Database(f"sqlite:///{file}"), tmp_path / "copy", now=NOON)
    assert before is not None
    with closing(sqlite3.connect(before)) as old, closing(sqlite3.connect(file)) as new:
        assert old.execute("SELECT count(*) FROM chats").fetchone() == (1,)
        assert new.execute("SELECT count(*) FROM chats").fetchone() == (0,)
    assert rights(tmp_path) == {"0o600"}


async def test_the_journal_of_a_lost_database_is_not_applied_to_the_restored_copy(
    sqlite_db: Database, tmp_path: Path
) -> None:
    file, copy = tmp_path / "lost.db", tmp_path / "copy"
    journal = tmp_path / "lost.db-journal"
    async with sqlite_db.begin() as tx:
        await follow(tx, 5)
    await store.make(sqlite_db, copy, at=NOON)
    # A process is killed while the process writes a database without a write-ahead log.
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("CREATE TABLE small (x)")
        database.execute("PRAGMA cache_size = 1")
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO small SELECT zeroblob(100000)")
        left = journal.read_bytes()
    file.unlink()
    journal.write_bytes(left)
    await store.restore(Database(f"sqlite:///{file}"), copy, now=NOON)
    with closing(sqlite3.connect(file)) as new:
        assert new.execute("SELECT count(*) FROM chats").fetchone() == (1,)


async def test_the_copy_that_a_killed_restore_left_can_be_restored(
    sqlite_db: Database, tmp_path: Path
) -> None:
    async with sqlite_db.begin() as tx:
        await follow(tx, 5)
    file = tmp_path / "bot.db"
    left = file.with_name("bot.db.restoring")
    await store.make(sqlite_db, left, at=NOON)
    file.unlink()
    await store.restore(Database(f"sqlite:///{file}"), left, now=NOON)
    with closing(sqlite3.connect(file)) as new:
        assert new.execute("SELECT count(*) FROM chats").fetchone() == (1,)


async def test_a_restore_that_is_interrupted_changes_nothing(
    sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, begun, ended = tmp_path / "copy", threading.Event(), threading.Event()
    await store.make(sqlite_db, copy, at=NOON)

    def wait_for_stop(*_: object, stop: threading.Event, **__: object) -> None:
        begun.set()
        if stop.wait(PATIENCE_S):
            ended.set()
        raise BackupError("it was stopped")

    monkeypatch.setattr(sqlite_copies, "_write_marked_copy", wait_for_stop)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(store.restore(sqlite_db, copy, now=NOON))
        await asyncio.to_thread(begun.wait, PATIENCE_S)
        task.cancel()
    assert await asyncio.to_thread(ended.wait, PATIENCE_S)
    assert not [file for file in files(tmp_path) if ".replaced-" in file.name]


async def test_the_time_of_a_restored_backup_is_written_in_the_owners_language_and_zone(
    sqlite_db: Database,
) -> None:
    told = incidents_of(sqlite_db, Clock())
    async with sqlite_db.begin() as tx:
        await restored.mark_as_copy(tx, made_at=NOON)
    await make_live_and_report_if_restored(sqlite_db, told, now=NOON + HOUR)
    async with sqlite_db.read() as tx:
        (one,) = await incidents.latest(tx, limit=1)
    t = translator_for("de").in_zone(ZoneInfo("Asia/Tokyo"))
    assert t.date_and_time(NOON) in text_with_advice(t, one.text, one.fields)


class Killed(BaseException):
    """What ends us in the middle."""


@pytest.mark.parametrize("at", range(4))
async def test_a_kill_leaves_the_old_database_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    file = tmp_path / "bot.db"
    async with Database(f"sqlite:///{file}") as db:
        await db.migrate()
        await store.make(db, tmp_path / "copy", at=NOON)
    moves = iter(range(at))
    replace = Path.replace

    def killed(path: Path, target: Path) -> Path:
        if next(moves, None) is None:
            raise Killed
        return replace(path, target)

    with monkeypatch.context() as patch, suppress(Killed):
        patch.setattr(Path, "replace", killed)
        sqlite_copies.replace_database_and_keep_old(tmp_path / "copy", file, now=NOON)
    assert sqlite_copies.verified_revision(file)
    sqlite_copies.replace_database_and_keep_old(tmp_path / "copy", file, now=NOON)
    assert sqlite_copies.verified_revision(file)


async def test_what_a_kill_left_of_a_copy_is_removed(sqlite_db: Database, tmp_path: Path) -> None:
    clock = Clock()
    left, under_way = (tmp_path / f"storybell-2026010{day}-000000.db.part" for day in (1, 2))
    for one in (left, under_way):
        one.write_text("half of it")
    os.utime(left, (0, 0))
    backups = Backups(
        sqlite_db, tmp_path, incidents_of(sqlite_db, clock), every=HOUR, most=2, now=clock
    )
    await backups.make_backup_if_due()
    clock.on(HOUR)
    await backups.make_backup_if_due()
    assert not left.exists()
    assert under_way.exists()


async def test_a_partial_copy_that_cannot_be_removed_does_not_end_the_backups(
    sqlite_db: Database, tmp_path: Path
) -> None:
    clock, folder = Clock(), tmp_path / "kept"
    told = incidents_of(sqlite_db, clock)
    backups = Backups(sqlite_db, folder, told, every=HOUR, now=clock)
    stays = folder / "storybell-20200101-000000.db.part"
    stays.mkdir(parents=True)
    os.utime(stays, (0, 0))
    await backups.make_backup_if_due()
    clock.on(HOUR)
    await backups.make_backup_if_due()
    assert set(folder.iterdir()) == {stays, folder / backup_file_name(clock())}


async def test_a_database_of_another_owner_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bot.db"
    async with Database(f"sqlite:///{file}") as db:
        await db.migrate()
        await store.make(db, tmp_path / "copy", at=NOON)

    def refuse(path: Path, _mode: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(path))

    monkeypatch.setattr(Path, "chmod", refuse)
    before = sqlite_copies.replace_database_and_keep_old(tmp_path / "copy", file, now=NOON)
    assert before is not None
    assert set(files(tmp_path)) == {before, file, tmp_path / "copy"}


async def test_what_root_restores_belongs_to_the_bot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "data" / "bot.db"
    given: list[tuple[str, tuple[int, int]]] = []
    async with Database(f"sqlite:///{tmp_path}/other.db") as db:
        await db.migrate()
        await store.make(db, tmp_path / "copy", at=NOON)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, *owner: given.append((path.name, owner)))
    async with locked_sqlite_file(f"sqlite:///{file}", wait=HOUR):
        sqlite_copies.replace_database_and_keep_old(tmp_path / "copy", file, now=NOON)
    owner = (file.parent.stat().st_uid, file.parent.stat().st_gid)
    assert given == [("data", owner), ("bot.db.lock", owner), ("bot.db.restoring.part", owner)]


async def test_what_root_backs_up_belongs_to_the_bot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, given = tmp_path / "bot.db", []
    async with Database(f"sqlite:///{file}") as db:
        await db.migrate()
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(os, "chown", lambda path, *owner: given.append((path.name, owner)))
        await store.make(db, tmp_path / "new/backups/copy", at=NOON)
    owner = (file.stat().st_uid, file.stat().st_gid)
    assert given == [("new", owner), ("backups", owner), ("copy.part", owner)]


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def rights(folder: Path) -> set[str]:
    return {oct(one.stat().st_mode & 0o777) for one in folder.glob("bot.db*")}


def test_two_writers_of_one_copy_publish_no_half_of_it(tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    with ExitStack() as second:
        first = ExitStack()
        first.enter_context(sqlite_copies.atomic_file(target)).write_bytes(b"whole")
        part = second.enter_context(sqlite_copies.atomic_file(target))
        part.write_bytes(b"half")
        with pytest.raises(BackupError, match="another process writes"):
            first.close()
        assert not target.exists()
        part.write_bytes(b"whole")
    assert target.read_bytes() == b"whole"
    assert files(tmp_path) == [target]


async def test_a_text_that_is_not_utf_8_is_damage(sqlite_db: Database) -> None:
    async with sqlite_db.begin() as tx:
        await follow(tx, 1)
        await tx.exec_driver_sql("UPDATE profiles SET username = CAST(x'ff31' AS TEXT)")
    with pytest.raises(DatabaseUnavailableError, match="is damaged"):
        async with sqlite_db.read() as tx:
            await tx.exec_driver_sql("SELECT username FROM profiles")


async def test_a_log_that_another_program_truncated_is_damage(sqlite_db: Database) -> None:
    async with sqlite_db.begin() as tx:
        await follow(tx, 1)
    os.truncate(f"{sqlite_db.file}-wal", 0)
    async with Database(f"sqlite:///{sqlite_db.file}") as other:
        with pytest.raises(DatabaseUnavailableError, match="is damaged"):
            await other.fetch(lambda tx: tx.exec_driver_sql("SELECT username FROM profiles"))


async def test_a_database_without_a_file_is_refused() -> None:
    assert "names no file" in (await check_database("sqlite:///")).text
