"""SQLite by few trips to its thread, with nothing left open between transactions."""

import asyncio
import sqlite3
import threading
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bot.domain.errors import DatabaseUnavailableError
from bot.store import key_values
from bot.store.engine.database import Database, Tx


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows with each trip."""
    made: list[str] = []
    execute: Any = aiosqlite.Connection._execute  # noqa: SLF001 - all trips go there

    async def counted(
        self: aiosqlite.Connection, work: object, *args: object, **options: object
    ) -> object:
        made.append(getattr(work, "__name__", "?"))
        return await execute(self, work, *args, **options)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    return made


async def test_a_transaction_takes_a_trip_a_statement_and_one_to_commit(
    sqlite_db: Database, trips: list[str]
) -> None:
    async with sqlite_db.begin() as tx:
        await key_values.put(tx, "a", 1)
    trips.clear()
    async with sqlite_db.begin() as tx:
        await key_values.put(tx, "a", 2)
        assert await key_values.get(tx, "a") == 2
    assert trips == ["begin_and_run", "begin_and_run", "commit"]
    async with sqlite_db.begin():
        pass
    assert len(trips) == 3
    async with sqlite_db.read() as tx:
        assert await key_values.get(tx, "a") == 2
    assert trips[3:] == ["begin_and_run"]


async def test_a_read_holds_no_snapshot_open(tmp_path: Path) -> None:
    (tmp_path / "bot.db").touch()
    async with Database(f"sqlite:///{tmp_path}/bot.db") as db:
        await db.migrate()
        async with db.read() as tx:
            assert await key_values.get(tx, "a") is None
            with sqlite3.connect(tmp_path / "bot.db") as other:
                other.execute("INSERT INTO key_values (key, value) VALUES ('a', '1')")
            assert await key_values.get(tx, "a") == 1


@pytest.mark.parametrize("wrong", ["key_values (key) VALUES (NULL)", "moments VALUES ('', 1)"])
async def test_what_is_refused_rolls_all_back(sqlite_db: Database, wrong: str) -> None:
    async def fail() -> None:
        async with sqlite_db.begin() as tx:
            await key_values.put(tx, "a", 1)
            await tx.exec_driver_sql("PRAGMA defer_foreign_keys=ON")  # till the commit
            await tx.exec_driver_sql(f"INSERT INTO {wrong}")

    with pytest.raises((IntegrityError, sqlite3.IntegrityError)):
        await fail()
    async with sqlite_db.read() as tx:
        assert await key_values.get(tx, "a") is None
    async with sqlite_db.begin() as tx:
        await key_values.put(tx, "a", 3)
        many = [{"key": f"k{n}", "at": n} for n in range(3)]
        await tx.execute(sa.text("UPDATE key_values SET value = :at WHERE key = :key"), many)
    async with sqlite_db.read() as tx:
        assert await key_values.get(tx, "a") == 3


async def test_a_database_may_be_in_memory() -> None:
    async with Database("sqlite:///:memory:") as database, database.read() as tx:
        assert (await tx.execute(sa.select(1))).scalar_one() == 1


async def test_a_connect_that_is_cancelled_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[sqlite3.Connection] = []

    class Noted(sqlite3.Connection):
        def close(self) -> None:
            closed.append(self)
            super().close()

    loop, begun, may_go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    connect: Any = sqlite3.connect

    def slow(*args: Any, **options: Any) -> sqlite3.Connection:
        loop.call_soon_threadsafe(begun.set)
        assert may_go_on.wait(60)
        made: sqlite3.Connection = connect(*args, factory=Noted, **options)
        return made

    monkeypatch.setattr("aiosqlite.core.sqlite3.connect", slow)
    (tmp_path / "bot.db").touch()
    async with Database(f"sqlite:///{tmp_path}/bot.db") as db:
        task = loop.create_task(db.fetch(lambda tx: tx.execute(sa.select(1))))
        await begun.wait()
        task.cancel()
        await asyncio.sleep(0)
        may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(closed) == 1


async def test_pragmas_run_only_if_the_value_changes(sqlite_db: Database) -> None:
    seen: list[str] = []

    async def write(*, durable: bool) -> int:
        async with sqlite_db.begin(durable=durable) as tx:
            pooled = await tx.get_raw_connection()
            raw: Any = pooled.driver_connection
            await raw.set_trace_callback(seen.append)
            await key_values.put(tx, "a", 1)
            value = (await tx.exec_driver_sql("PRAGMA synchronous")).scalar_one()
        return int(value)

    assert await write(durable=True) == 2  # the first transaction of this connection
    seen.clear()
    assert [await write(durable=one) for one in (True, False, False, True)] == [2, 1, 1, 2]
    pragmas = [one for one in seen if "=" in one and one.startswith("PRAGMA")]
    assert pragmas == ["PRAGMA synchronous=NORMAL", "PRAGMA synchronous=FULL"]


async def test_many_reads_at_once_open_few_connections(sqlite_db: Database) -> None:
    opened: list[object] = []
    sa.event.listen(
        sqlite_db._engine.sync_engine,  # noqa: SLF001 - only the engine knows its connections
        "connect",
        lambda connection, _: opened.append(connection),
    )
    for _ in range(2):
        await asyncio.gather(
            *(sqlite_db.fetch(lambda tx: key_values.get(tx, "a")) for _ in range(40))
        )
    assert 0 < len(opened) <= 5


async def test_a_connection_that_can_only_read_is_used_for_one_write_only(
    sqlite_db: Database,
) -> None:
    """A connection can only read if its file was write-protected when the connection was opened.

    The pragma has the same effect.
    """
    async with sqlite_db.read() as tx:
        await tx.exec_driver_sql("PRAGMA query_only=ON")
    with pytest.raises(DatabaseUnavailableError, match="can't be written"):
        async with sqlite_db.begin() as tx:
            await key_values.put(tx, "a", 1)
    async with sqlite_db.begin() as tx:
        await key_values.put(tx, "a", 2)
    assert await sqlite_db.fetch(lambda tx: key_values.get(tx, "a")) == 2


async def test_after_a_failed_write_no_idle_connection_can_only_read(sqlite_db: Database) -> None:
    both_read = asyncio.Barrier(2)

    async def protect() -> None:
        async with sqlite_db.read() as tx:
            await tx.exec_driver_sql("PRAGMA query_only=ON")
            await both_read.wait()

    await asyncio.gather(protect(), protect())
    with pytest.raises(DatabaseUnavailableError, match="can't be written"):
        async with sqlite_db.begin() as tx:
            await key_values.put(tx, "a", 1)
    for number in range(2):
        async with sqlite_db.begin() as tx:
            await key_values.put(tx, "a", number)


async def test_transactions_in_turn_check_out_one_connection(sqlite_db: Database) -> None:
    checked_out: list[object] = []
    sa.event.listen(
        sqlite_db._engine.sync_engine,  # noqa: SLF001 - only the engine knows its connections
        "checkout",
        lambda connection, *_: checked_out.append(connection),
    )
    for number in range(5):
        async with sqlite_db.begin() as tx:
            await key_values.put(tx, "a", number)
        assert await sqlite_db.fetch(lambda tx: key_values.get(tx, "a")) == number
    assert len(checked_out) <= 1


async def test_a_failed_transaction_leaves_a_connection_that_works(sqlite_db: Database) -> None:
    async def put_and_fail(tx: Tx) -> None:
        await key_values.put(tx, "a", 2)
        raise ValueError("a mistake")

    await sqlite_db.run(lambda tx: key_values.put(tx, "a", 1))
    with pytest.raises(ValueError, match="a mistake"):
        await sqlite_db.run(put_and_fail)
    assert await sqlite_db.fetch(lambda tx: key_values.get(tx, "a")) == 1
    await sqlite_db.run(lambda tx: key_values.put(tx, "a", 3))
    assert await sqlite_db.fetch(lambda tx: key_values.get(tx, "a")) == 3
