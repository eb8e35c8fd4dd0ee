"""Transactions that are all or nothing, and migrations that give the tables."""

import asyncio
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from bot.domain.errors import DatabaseUnavailableError
from bot.runtime.transaction_guard import refusing_slow_operations_while
from bot.store import key_values
from bot.store.engine import revisions
from bot.store.engine.database import Database, Tx, all_tables
from bot.store.engine.upgrading import migration_config
from tests.support.control import wait_for
from tests.support.database import on_postgresql
from tests.support.postgres import limits_of_role


async def test_migrations_give_exactly_the_tables_of_the_code(db: Database) -> None:
    async with db.begin() as tx:
        await tx.run_sync(lambda it: command.check(migration_config(it, all_tables())))


def test_no_table_gives_an_automatic_id_a_second_time() -> None:
    """SQLite gives the id of the last row again after its deletion, unless told otherwise."""
    forgetful = [
        table.name
        for table in all_tables().sorted_tables
        if isinstance(getattr(table.autoincrement_column, "type", None), sa.BigInteger)
        and not table.dialect_options["sqlite"]["autoincrement"]
    ]
    assert forgetful == []


async def test_the_revisions_are_those_of_alembic(db: Database) -> None:
    scripts = ScriptDirectory(str(revisions.MIGRATIONS))
    known = [script.revision for script in scripts.walk_revisions()]
    assert [*revisions.known_revisions()] == known[::-1]
    assert revisions.newest_revision() == scripts.get_current_head()
    async with db.read() as tx:
        assert await tx.run_sync(revisions.revision_of) == scripts.get_current_head()


def test_an_update_on_disk_does_not_change_the_revision_of_a_running_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "0001_first.py").touch()
    monkeypatch.setattr(revisions, "MIGRATIONS", tmp_path)
    assert revisions.newest_revision() == "0001"
    (versions / "0002_next.py").touch()
    assert revisions.newest_revision() == "0001"


def test_a_start_with_current_tables_does_not_import_alembic() -> None:
    code = "import bot.app, sys; sys.exit('alembic' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603 - a fixed text
    assert ended.returncode == 0


async def test_the_index_of_claims_is_there(db: Database) -> None:
    """Which no comparison of tables sees, and which SQLite loses when it builds one anew."""
    where = "sqlite_master WHERE " if db.is_sqlite else "pg_indexes WHERE index"
    async with db.read() as tx:
        statement = sa.text(f"SELECT count(*) FROM {where}name = 'ix_chat_queues_claimable'")  # noqa: S608 - ours
        assert (await tx.execute(statement)).scalar() == 1


async def test_rivals_that_read_then_write_lose_no_update(db: Database) -> None:
    async with db.begin() as tx:
        await key_values.put(tx, "sum", 0)

    async def add() -> None:
        for _ in range(10):
            async with db.begin() as tx:
                if not db.is_sqlite:
                    await tx.execute(sa.text("LOCK TABLE key_values IN EXCLUSIVE MODE"))
                await key_values.put(tx, "sum", 1 + (await key_values.get(tx, "sum") or 0))

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(add())
    async with db.read() as tx:
        assert await key_values.get(tx, "sum") == 80


async def test_a_cancelled_transaction_leaves_nothing_behind(db: Database) -> None:
    chance = random.Random(7)  # noqa: S311 - repeatable, not secret

    async def write(n: int) -> None:
        async with db.begin() as tx:
            await key_values.put(tx, f"a{n}", n)
            await asyncio.sleep(0)
            await key_values.put(tx, f"b{n}", n)

    for n in range(60):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(write(n))
            for _ in range(chance.randrange(12)):
                await asyncio.sleep(0)
            task.cancel()
    async with db.begin() as tx:
        keys = set((await tx.execute(sa.text("SELECT key FROM key_values"))).scalars())
    assert {key for key in keys if key[0] == "a"} == {
        f"a{key[1:]}" for key in keys if key[0] == "b"
    }


async def test_sqlite_waits_for_the_disk_and_for_other_processes(sqlite_db: Database) -> None:
    async with sqlite_db.begin() as tx:
        values = [
            (await tx.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert values == ["wal", 2, 1, 10000]


async def sum_of(db: Database) -> Any:
    async with db.read() as tx:
        return await key_values.get(tx, "sum")


async def add_one(tx: Tx) -> int:
    found = int(await key_values.get(tx, "sum") or 0) + 1
    await key_values.put(tx, "sum", found)
    return found


async def test_work_runs_once_and_gives_back_what_it_found(db: Database) -> None:
    assert await db.run(add_one) == 1
    assert await db.run(add_one, durable=False) == 2
    assert await sum_of(db) == 2


async def test_our_own_mistakes_come_as_they_are_and_are_not_repeated(db: Database) -> None:
    tries = 0

    async def wrong(tx: Tx) -> None:
        nonlocal tries
        tries += 1
        await add_one(tx)
        await tx.execute(sa.text("SELECT no_such_column FROM key_values"))

    with pytest.raises(sa.exc.DBAPIError):
        await db.run(wrong)
    assert tries == 1
    assert await sum_of(db) is None


async def test_rivals_that_wait_for_each_other_both_get_through(db: Database) -> None:
    if db.is_sqlite:  # there writers stand in line
        return
    async with db.begin() as tx:
        await key_values.put(tx, "left", 0)
        await key_values.put(tx, "right", 0)
    both = asyncio.Barrier(2)
    tries = 0

    async def take(first: str, second: str) -> None:
        is_first = True

        async def work(tx: Tx) -> None:
            nonlocal tries, is_first
            tries += 1
            await key_values.put(tx, first, 1)
            if is_first:
                is_first = False
                await both.wait()
            await key_values.put(tx, second, 1)

        await db.run(work)

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(take("left", "right"))
        group.create_task(take("right", "left"))
    assert tries == 3


async def ended(tx: Tx) -> None:
    """End the server's process of this transaction, as a restart of the server does."""
    pid = (await tx.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
    url = tx.engine.url.render_as_string(hide_password=False)
    with refusing_slow_operations_while(None):  # another process asks for it
        async with Database(url) as other, other.begin() as by:
            await by.execute(sa.text(f"SELECT pg_terminate_backend({pid})"))


async def test_a_lost_connection_is_another_try_unless_it_may_have_committed(
    db: Database,
) -> None:
    if db.is_sqlite:
        return
    tries = 0

    async def interrupted(tx: Tx) -> int:
        nonlocal tries
        tries += 1
        found = await add_one(tx)
        if tries == 1:
            await ended(tx)
        return await add_one(tx) + found

    assert await db.run(interrupted) == 3
    assert (tries, await sum_of(db)) == (2, 2)

    async def lost_at_the_end(tx: Tx) -> None:
        nonlocal tries
        tries += 1
        await add_one(tx)
        await ended(tx)

    with pytest.raises(DatabaseUnavailableError, match="lost"):
        await db.run(lost_at_the_end)
    assert (tries, await sum_of(db)) == (3, 2)


async def test_a_connection_that_ended_while_it_was_idle_is_replaced(postgres_url: str) -> None:
    async def session(tx: Tx) -> tuple[int, Any]:
        connection = (await tx.get_raw_connection()).driver_connection
        return (await tx.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one(), connection

    async with Database(postgres_url) as db, Database(postgres_url) as other:
        pid, connection = await db.run(session)
        assert (await db.run(session))[0] == pid  # the connection is used again
        async with other.begin() as tx:
            await tx.execute(sa.text(f"SELECT pg_terminate_backend({pid})"))
        await wait_for(connection.is_closed)
        assert (await db.run(session, tries=1))[0] != pid


async def test_a_connection_of_which_the_end_is_not_seen_yet_is_a_lost_one(
    postgres_url: str,
) -> None:
    """Between the server's last word and the end of the connection the driver is at a loss."""
    word = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0"

    async def one(tx: Tx) -> object:
        return (await tx.execute(sa.text("SELECT 1"))).scalar()

    async def cut(db: Database) -> None:
        async with db.begin() as tx:
            await one(tx)
            wire: Any = (await tx.get_raw_connection()).driver_connection
            last = b"E" + (len(word) + 4).to_bytes(4) + word
            wire._protocol.data_received(last)  # noqa: SLF001 - a moment that nobody can time
            await one(tx)

    async with Database(postgres_url) as db:
        with pytest.raises(DatabaseUnavailableError, match="lost"):
            await cut(db)
        assert await db.run(one) == 1


async def test_a_transaction_that_postgresql_ends_as_too_long_is_an_outage(
    postgres_url: str,
) -> None:
    ends = "DO $$ BEGIN RAISE EXCEPTION 'transaction timeout' USING ERRCODE = '25P04'; END $$"
    async with Database(postgres_url) as db:
        with pytest.raises(DatabaseUnavailableError, match="took too long"):
            await db.run(lambda tx: tx.execute(sa.text(ends)))


async def test_a_server_that_is_not_there_is_one_error() -> None:
    async with Database("postgresql://nobody@127.0.0.1:1/none") as db:
        with pytest.raises(DatabaseUnavailableError, match="no connection"):
            await db.run(add_one)
        with pytest.raises(DatabaseUnavailableError, match="no connection"):
            async with db.read():
                pass


async def test_an_error_of_somebody_else_in_a_transaction_stays_what_it_is(db: Database) -> None:
    async def work(tx: Tx) -> None:
        await add_one(tx)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await db.run(work)
    assert await sum_of(db) is None


async def test_a_locked_file_is_waited_for_and_then_said(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    async with Database(url, busy_timeout=timedelta(milliseconds=20)) as db:
        await db.migrate()
        with closing(sqlite3.connect(tmp_path / "bot.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(DatabaseUnavailableError, match="locked"):
                await db.run(add_one)
            assert await sum_of(db) is None
            other.execute("ROLLBACK")
        assert await db.run(add_one) == 1


async def test_a_file_that_can_not_be_made_is_an_unavailable_database(tmp_path: Path) -> None:
    for name, reason in (("x" * 300, "File name too long"), ("file/bot.db", "File exists")):
        (tmp_path / "file").touch()
        async with Database(f"sqlite:///{tmp_path}/{name}") as db:
            with pytest.raises(DatabaseUnavailableError, match=reason):
                await db.migrate()


async def test_a_full_disk_is_said_and_nothing_is_left(sqlite_db: Database) -> None:
    async with sqlite_db.read() as tx:
        pages = (await tx.execute(sa.text("PRAGMA page_count"))).scalar_one()

    async def fill(tx: Tx) -> None:
        await tx.execute(sa.text(f"PRAGMA max_page_count={pages}"))
        for number in range(1_000):
            await key_values.put(tx, f"note{number}", "x" * 4_000)

    with pytest.raises(DatabaseUnavailableError, match="full"):
        await sqlite_db.run(fill)
    assert await sum_of(sqlite_db) is None


@on_postgresql
async def test_a_long_transaction_takes_longer_than_the_time_limits_of_its_user(
    db: Database, database_url: str
) -> None:
    limits = {"statement_timeout": "300ms", "transaction_timeout": "300ms"}
    try:
        async with (
            limits_of_role(database_url, **limits),
            Database(database_url) as limited,
            limited.long_transaction() as tx,
        ):
            await tx.execute(sa.text("SELECT pg_sleep(0.5)"))
    finally:
        await db.migrate()  # sets the limits of the user again


@on_postgresql
async def test_a_record_that_always_takes_too_long_is_given_up(db: Database) -> None:
    attempts = 0

    async def work(tx: Tx) -> None:
        nonlocal attempts
        attempts += 1
        if attempts < 9:
            await tx.exec_driver_sql("SET LOCAL statement_timeout = 20")
            await tx.exec_driver_sql("SELECT pg_sleep(60)")

    with pytest.raises(DatabaseUnavailableError, match="too long"):
        await db.run_until_recorded(work)
    assert attempts == 5
    assert not db.has_unrecorded_actions
