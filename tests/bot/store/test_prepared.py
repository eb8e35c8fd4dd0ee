"""Statements that skip SQLAlchemy, with the same rows as through SQLAlchemy."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain.errors import DatabaseUnavailableError
from bot.store.engine.database import Database, Tx
from bot.store.engine.prepared import Prepared
from bot.store.key_values import key_values
from tests.support.statements import recorded_statements

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
_SELECT = sa.select(
    key_values, key_values.c.key, (key_values.c.value["n"].as_integer() > 1).label("more")
).where(key_values.c.key >= sa.bindparam("first"), key_values.c.key != "left out")
ADD = Prepared(sa.insert(key_values).returning(key_values.c.key, key_values.c.until))
GET = Prepared(_SELECT.order_by(key_values.c.key))
SLEEP = Prepared(sa.select(sa.func.pg_sleep(sa.bindparam("seconds", type_=sa.Float))))
END_SESSION = Prepared(sa.select(sa.func.pg_terminate_backend(sa.func.pg_backend_pid())))
REMOVE = Prepared(sa.delete(key_values).where(key_values.c.key == sa.bindparam("old")))


def row(key: str, value: object = None, until: datetime | None = None) -> dict[str, Any]:
    return {"key": key, "value": value, "until": until}


async def test_the_rows_are_those_of_sqlalchemy(db: Database) -> None:
    given = [row("a", {"n": 2}, NOON), row("b", {"n": 1}), row("left out")]
    async with db.begin() as tx:
        added = await ADD.rows(tx, given)
    assert sorted((one.key, one.until) for one in added) == [
        ("a", NOON),
        ("b", None),
        ("left out", None),
    ]
    async with db.read() as tx:
        rows = await GET.rows(tx, {"first": "a"})
        through_sqlalchemy = await tx.execute(_SELECT.order_by(key_values.c.key), {"first": "a"})
    assert [tuple(one) for one in rows] == [tuple(one) for one in through_sqlalchemy]
    assert [(one.value, one.until, one.more) for one in rows] == [
        ({"n": 2}, NOON, True),
        ({"n": 1}, None, False),
    ]


async def test_a_count_is_that_of_the_changed_rows(db: Database) -> None:
    async with db.begin() as tx:
        await ADD.rows(tx, row("a"))
        assert await REMOVE.execute(tx, {"old": "a"}) == 1
        assert await REMOVE.execute(tx, {"old": "a"}) == 0


async def test_a_transaction_of_prepared_statements_alone_rolls_back(db: Database) -> None:
    async def add_and_fail() -> None:
        async with db.begin() as tx:
            await ADD.rows(tx, row("a"))
            raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        await add_and_fail()
    async with db.begin() as tx:
        assert await REMOVE.execute(tx, {"old": "a"}) == 0


async def test_other_parameters_than_before_are_an_error(sqlite_db: Database) -> None:
    async with sqlite_db.begin() as tx:
        await REMOVE.execute(tx, {"old": "a"})
        for wrong in ({}, {"old": "a", "new": "b"}):
            with pytest.raises(ValueError, match=r"instead of \['old'\]"):
                await REMOVE.execute(tx, wrong)


async def test_a_connection_that_can_only_read_is_not_used_again(sqlite_db: Database) -> None:
    async with sqlite_db.read() as tx:
        await tx.exec_driver_sql("PRAGMA query_only=ON")
    with pytest.raises(DatabaseUnavailableError, match="can't be written"):
        async with sqlite_db.begin() as tx:
            await ADD.rows(tx, row("a"))
    async with sqlite_db.begin() as tx:
        await ADD.rows(tx, row("a"))


async def test_listeners_see_a_prepared_statement(db: Database) -> None:
    with recorded_statements("DELETE") as statements:
        async with db.begin() as tx:
            await REMOVE.execute(tx, {"old": "a"})
    assert len(statements) == 1


async def test_on_postgresql_an_error_is_that_of_sqlalchemy(postgres_url: str) -> None:
    async def add_twice(tx: Tx) -> None:
        await ADD.rows(tx, row("twice"))
        await ADD.rows(tx, row("twice"))

    async with Database(postgres_url) as db:
        with pytest.raises(sa.exc.IntegrityError, match="twice"):
            await db.run(add_twice)
        async with db.begin() as tx:
            assert await REMOVE.execute(tx, {"old": "twice"}) == 0


async def test_a_connection_that_is_lost_in_a_prepared_statement_is_not_used_again(
    postgres_url: str,
) -> None:
    async with Database(postgres_url) as db:
        with pytest.raises(DatabaseUnavailableError, match="lost"):
            await db.fetch(lambda tx: END_SESSION.rows(tx, {}))
        assert await db.fetch(lambda tx: GET.rows(tx, {"first": "~"})) == []


async def test_a_cancelled_prepared_statement_leaves_no_transaction(postgres_url: str) -> None:
    async def add_and_sleep(tx: Tx) -> None:
        await ADD.rows(tx, row("asleep"))
        await SLEEP.rows(tx, {"seconds": 30.0})

    async with Database(postgres_url) as db:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await db.run(add_and_sleep)
        async with db.begin() as tx:
            assert await REMOVE.execute(tx, {"old": "asleep"}) == 0
