"""Nobody but us reads the database, its log and its copies; and it is copied before it changes."""

import asyncio
import os
import pwd
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from bot.domain.errors import DatabaseUnavailableError
from bot.operations.preflight import check_database
from bot.store.copies import backups
from bot.store.engine.database import Database
from bot.store.engine.lock import locked_sqlite_file
from bot.store.engine.private import migration_copies, other_owner_note
from bot.store.engine.revisions import newest_revision
from bot.store.engine.sqlite_copies import reason_of_file_error
from tests.flows.test_database_file import damage
from tests.support.followed import NOON
from tests.support.newer import NEXT, next_version
from tests.support.postgres import connected

SSL_REQUEST = bytes.fromhex("0000000804d2162f")  # PostgreSQL's protocol, "SSLRequest"


@pytest.fixture(autouse=True)
def open_to_all() -> Iterator[None]:
    """What is made is as open as its maker lets it be."""
    before = os.umask(0)
    yield
    os.umask(before)


def rights(folder: Path) -> dict[str, str]:
    return {one.name: oct(one.stat().st_mode & 0o777) for one in folder.iterdir()}


async def old_database(file: Path) -> str:
    """Make a database as the version before the next one leaves it."""
    url = f"sqlite:///{file}"
    async with Database(url) as db:
        await db.migrate()
    os.chmod(file, 0o644)  # noqa: PTH101 - a blocking moment in a test
    return url


async def test_the_database_its_log_and_copies_are_ours_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    url = f"sqlite:///{folder}/bot.db"
    async with locked_sqlite_file(url, wait=timedelta(seconds=5)), Database(url) as db:
        await db.migrate()
        await backups.make(db, folder / "copy.db", at=NOON)
        assert rights(folder) == dict.fromkeys(
            ("bot.db", "bot.db-wal", "bot.db-shm", "bot.db.lock", "copy.db"), "0o600"
        )
    assert rights(tmp_path) == {"data": "0o700"}


async def test_a_link_to_a_database_that_is_not_there_yet(tmp_path: Path) -> None:
    link, real = tmp_path / "bot.db", tmp_path / "disk/real.db"
    link.symlink_to(real)
    async with Database(f"sqlite:///{link}") as db:
        await db.migrate()
        assert link.is_symlink()
        assert {oct(one.stat().st_mode & 0o777) for one in real.parent.iterdir()} == {"0o600"}


async def test_before_a_migration_there_is_a_copy_of_what_was(tmp_path: Path) -> None:
    file = tmp_path / "bot.db"
    url = await old_database(file)
    # The last copy was interrupted.
    for name in ("8001", "8002", "8003", "8004.part", "8004.part-journal"):
        (tmp_path / f"bot.db.before-{name}").write_text("older")
    async with Database(url) as db:
        with next_version(tmp_path / "next"):
            await db.migrate()
            await db.migrate()
    kept = [one.name for one in migration_copies(file)]
    assert kept == ["bot.db.before-8003", f"bot.db.before-{NEXT}"]
    assert {mode for name, mode in rights(tmp_path).items() if name != "next"} == {"0o600"}
    with closing(sqlite3.connect(migration_copies(file)[-1])) as copy:
        found = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    assert found == (newest_revision(),)


async def test_the_copies_of_a_file_with_brackets_in_its_name_are_found(tmp_path: Path) -> None:
    file = tmp_path / "bot[1].db"
    url = await old_database(file)
    (tmp_path / "bot1.db.before-8001").write_text("of another database")
    rescued = tmp_path / "bot[1].db.rescued-20261201-120000"
    rescued.write_text("")
    async with Database(url) as db:
        with next_version(tmp_path / "next"):
            await db.migrate()
        assert backups.copies_rescued_from_replaced_file(db) == [rescued]
    assert [one.name for one in migration_copies(file)] == [f"bot[1].db.before-{NEXT}"]


async def test_the_copy_is_of_what_is_changed_and_not_of_an_update_that_was_taken_back(
    tmp_path: Path,
) -> None:
    file = tmp_path / "bot.db"
    url = await old_database(file)
    with closing(sqlite3.connect(file)) as old:
        old.execute("CREATE TABLE since (a)")
    (tmp_path / f"bot.db.before-{NEXT}").write_text("of the first try")
    async with Database(url) as db:
        with next_version(tmp_path / "next"):
            await db.migrate()
    with closing(sqlite3.connect(migration_copies(file)[-1])) as copy:
        assert copy.execute("SELECT count(*) FROM since").fetchone() == (0,)


async def test_without_room_for_a_copy_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bot.db"
    url = await old_database(file)

    def full(_: Path, part: Path, **_more: object) -> None:
        part.write_text("half of it")
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("bot.store.engine.sqlite_copies._write_marked_copy", full)
    async with Database(url) as db:
        with (
            next_version(tmp_path / "next"),
            pytest.raises(DatabaseUnavailableError, match=r"can't be copied.*disk is full"),
        ):
            await db.migrate()
        async with db.read() as tx:
            found = (await tx.execute(sa.text("SELECT version_num FROM alembic_version"))).scalar()
    assert found == newest_revision()
    assert migration_copies(file) == []


async def test_an_update_of_a_damaged_database_names_the_damage(tmp_path: Path) -> None:
    file = tmp_path / "bot.db"
    url = await old_database(file)
    damage(file, "chats")
    async with Database(url) as db:
        with (
            next_version(tmp_path / "next"),
            pytest.raises(DatabaseUnavailableError, match=r"is damaged.*storybell restore"),
        ):
            await db.migrate()


async def test_a_postgresql_database_of_another_program_is_refused(postgres_url: str) -> None:
    url = make_url(postgres_url).set(database="other").render_as_string(hide_password=False)
    async with connected(postgres_url) as server:
        await server.execute("CREATE DATABASE other")
    async with connected(url) as other:
        await other.execute("CREATE TABLE alembic_version (version_num text)")
        await other.execute("INSERT INTO alembic_version VALUES ('0001')")
    finding = await check_database(url)
    assert (finding.level, "another program" in finding.text) == ("wrong", True)


async def test_an_address_as_providers_write_it(postgres_url: str) -> None:
    mark = "&" if "?" in postgres_url else "?"
    url = f"{postgres_url}{mark}sslmode=prefer&channel_binding=prefer"
    async with Database(url) as db, db.read() as tx:
        assert (await tx.execute(sa.select(1))).scalar() == 1


@pytest.mark.parametrize(("mode", "asks"), [("require", True), ("disable", False)])
async def test_the_mode_of_tls_is_heeded(mode: str, asks: bool) -> None:
    """The first thing that is sent, seen by a server that speaks no TLS."""
    first: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first.append(await reader.readexactly(8))
        writer.write(b"N")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with Database(f"postgresql://u:p@127.0.0.1:{port}/x?sslmode={mode}") as db:
            with pytest.raises(DatabaseUnavailableError):
                async with db.read():
                    pass
    assert (first[0] == SSL_REQUEST) == asks


async def test_another_user_is_told_who_owns_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    whose = f"{tmp_path} belongs to the user {owner}, so run the command as {owner}"
    refused = PermissionError(13, "Permission denied", f"{tmp_path}/bot.db")
    assert reason_of_file_error(refused) == f"{tmp_path}/bot.db: Permission denied ({whose})"
    monkeypatch.setattr(os, "access", lambda *_: False)
    finding = await check_database(f"sqlite:///{tmp_path}/bot.db")
    assert whose in finding.text
    monkeypatch.setattr(os, "open", _refuse)
    with pytest.raises(DatabaseUnavailableError, match=f"bot.db.lock: Permission denied .{whose}"):
        async with locked_sqlite_file(f"sqlite:///{tmp_path}/bot.db", wait=timedelta(0)):
            pass


@pytest.mark.parametrize("others", [0, 1])
def test_an_owner_without_a_name_is_not_replaced_by_the_owner_of_a_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    """In a container, the bot's user often has no name."""
    find, asked = pwd.getpwuid, list[int]()

    def nameless_at_first(number: int) -> pwd.struct_passwd:
        asked.append(number)
        if len(asked) == 1:
            raise KeyError(number)
        return find(number)

    monkeypatch.setattr(pwd, "getpwuid", nameless_at_first)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + others)
    assert other_owner_note(tmp_path) == ""


def _refuse(path: str, *_: object) -> int:
    raise PermissionError(13, "Permission denied", path)
