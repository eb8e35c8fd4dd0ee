"""The private names of libraries on which the bot depends.

The version ranges in pyproject.toml end before the next minor version of these libraries. A new
version that renames or removes a name fails here, with the name and the module that uses it.
"""

import inspect

import aiosqlite
import asyncpg.connection
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_cursor, PGDialect_asyncpg
from telegram import Bot
from telegram.error import RetryAfter
from telegram.ext import Application, ExtBot
from telegram.request import BaseRequest

PREPARED = "bot.store.engine.prepared"
CALLABLES = [
    ("bot.telegram.api", Bot, "_do_post", ["endpoint", "data"]),
    ("bot.updates.polling", ExtBot, "_post", ["endpoint", "data", "read_timeout"]),
    ("bot.store.engine.sqlite", aiosqlite.Connection, "_execute", ["fn"]),
    (PREPARED, AsyncAdapt_asyncpg_cursor, "_prepare_and_execute", ["operation", "parameters"]),
    (PREPARED, PGDialect_asyncpg, "_invalidate_schema_cache", []),
    (PREPARED, sa.Connection, "_handle_dbapi_exception", ["e", "statement", "parameters"]),
]


@pytest.mark.parametrize(("module", "owner", "name", "arguments"), CALLABLES)
def test_a_private_function_takes_the_arguments_that_are_passed(
    module: str, owner: type, name: str, arguments: list[str]
) -> None:
    assert set(arguments) <= set(inspect.signature(getattr(owner, name)).parameters), module


async def test_a_connection_of_aiosqlite_has_the_attributes_that_are_read() -> None:
    async with aiosqlite.connect(":memory:") as connection:
        for name in ("_thread", "_conn", "_connection", "_tx"):
            assert hasattr(connection, name), f"bot.store.engine.sqlite: Connection.{name}"


def test_a_connection_of_asyncpg_has_its_transport() -> None:
    """``bot.store.engine.database`` sets the keep-alive of the socket."""
    assert "_transport" in asyncpg.connection.Connection.__slots__


def test_the_dialect_of_postgresql_has_the_time_of_its_cached_statements() -> None:
    assert hasattr(PGDialect_asyncpg, "_invalidate_schema_cache_asof"), PREPARED


def test_objects_of_python_telegram_bot_have_the_attributes_that_are_read() -> None:
    wait = RetryAfter(3)._retry_after  # noqa: SLF001 - the name under test
    assert wait.total_seconds() == 3, "bot.telegram.outcomes"
    assert "_initialized" in Application.__slots__, "bot.app"
    assert type(BaseRequest.DEFAULT_NONE).__name__ == "DefaultValue", "bot.telegram.request"
