"""Prepared statements: statements that run often, and skip most of SQLAlchemy.

SQLAlchemy needs 40 to 80 µs of CPU time to execute a compiled statement. SQLite needs less than 20
µs for most of the bot's statements.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.compiler import SQLCompiler

from bot.store.engine.failures import breaks_connection

_Convert = Callable[[Any], Any]
Values = Mapping[str, Any]


class Prepared:
    """A statement with named parameters, which a module executes often.

    Each execution must have the same names of parameters. ``expanding`` parameters are not
    supported. On SQLite, an execution raises ``sqlite3.Error`` instead of an error of SQLAlchemy.
    """

    def __init__(self, statement: sa.Executable) -> None:
        """Prepare ``statement``. Nothing is compiled yet."""
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}  # by the name of the dialect

    async def rows(self, tx: AsyncConnection, values: Values | Sequence[Values]) -> Sequence[Any]:
        """Execute the statement for ``values``, or for each mapping in ``values``.

        Return the rows of all executions.
        """
        each = [values] if isinstance(values, Mapping) else values
        if _must_use_sqlalchemy(tx, each):
            return (await tx.execute(self._statement, each)).all()
        compiled = self._compile(tx, each[0].keys())
        rows, _ = await compiled.execute(tx, each)
        return [compiled.row_converter(row) for row in rows]

    async def execute(self, tx: AsyncConnection, values: Values | Sequence[Values]) -> int:
        """Execute a statement without RETURNING for ``values``, or for each mapping in ``values``.

        Return the number of changed rows for a single mapping. For a sequence, the result has no
        meaning.
        """
        each = [values] if isinstance(values, Mapping) else values
        if _must_use_sqlalchemy(tx, each):
            return (await tx.execute(self._statement, each)).rowcount
        _, count = await self._compile(tx, each[0].keys()).execute(tx, each)
        return count

    def _compile(self, tx: AsyncConnection, names: AbstractSet[str]) -> "_Compiled":
        compiled = self._compiled.get(tx.dialect.name)
        if compiled is None:
            compiled = _Compiled(self._statement, names, tx.dialect)
            self._compiled[tx.dialect.name] = compiled
        return compiled


def _must_use_sqlalchemy(tx: AsyncConnection, each: Sequence[Values]) -> bool:
    """Return whether SQLAlchemy must execute a statement with the mappings of values ``each``.

    On PostgreSQL, the result is False only for a single mapping. For several mappings, SQLAlchemy
    inserts many rows by one statement.
    """
    return len(each) != 1 and tx.dialect.name != "sqlite"


class _Compiled:
    """A statement in the SQL of a dialect, with its conversions of parameters and rows."""

    def __init__(
        self, statement: sa.Executable, names: AbstractSet[str], dialect: sa.Dialect
    ) -> None:
        """Compile ``statement`` with parameters of the names ``names``."""
        self._statement = statement
        self._names = names
        self._dialect = dialect
        compiled = statement.compile(dialect=dialect, column_keys=sorted(names))  # type: ignore[attr-defined]
        self._compiled = cast("SQLCompiler", compiled)
        self._sql = self._compiled.string

    async def execute(self, tx: AsyncConnection, each: Sequence[Values]) -> tuple[list[Any], int]:
        """Execute the statement for each mapping in ``each``. PostgreSQL allows one mapping.

        Return all rows, and the number of rows that the last execution changed.

        Raises:
            sqlite3.Error: An execution on SQLite failed.
            sa.exc.DBAPIError: The execution on PostgreSQL failed.
        """
        connection = cast("sa.Connection", tx.sync_connection)
        if not connection.in_transaction():
            connection.begin()
        parameters = [self._parameters(one) for one in each]
        for listener in connection.dispatch.before_cursor_execute:
            listener(connection, None, self._sql, parameters, None, len(parameters) > 1)
        driver = cast("Any", connection.connection.dbapi_connection)
        if self._dialect.name == "postgresql":
            return await self._execute_on_postgres(tx, driver, parameters[0])
        try:
            done: tuple[list[Any], int] = await driver.execute_each(self._sql, parameters)
        except sqlite3.Error as error:
            if breaks_connection(error):
                await tx.invalidate()
            raise
        return done

    async def _execute_on_postgres(
        self,
        tx: AsyncConnection,
        driver: Any,  # noqa: ANN401 - SQLAlchemy's adapter of asyncpg
        parameters: list[Any],
    ) -> tuple[list[Any], int]:
        """Execute the statement by SQLAlchemy's adapter, which caches the prepared statement.

        The adapter begins the transaction, and converts the errors of asyncpg.
        """
        dialect = cast("Any", tx.dialect)
        cursor = driver.cursor()
        cursor._invalidate_schema_cache_asof = dialect._invalidate_schema_cache_asof  # noqa: SLF001 - as SQLAlchemy does before each execution
        try:
            await cursor._prepare_and_execute(self._sql, parameters)  # noqa: SLF001 - the public method needs a greenlet
        except BaseException as error:  # noqa: BLE001 - raised again below
            dbapi = dialect.dbapi
            if isinstance(error, dbapi.InvalidCachedStatementError | dbapi.InternalServerError):
                dialect._invalidate_schema_cache()  # noqa: SLF001 - as SQLAlchemy does
            await tx.run_sync(_raise_as_sqlalchemy, error, self._sql, parameters)
        return cursor.fetchall(), cursor.rowcount

    def _parameters(self, values: Values) -> list[Any]:
        """Return the list of values to give to the driver with the statement.

        Raises:
            ValueError: The keys of ``values`` differ from the keys at the first execution.
        """
        if values.keys() != self._names:
            raise ValueError(f"{sorted(values)} instead of {sorted(self._names)}")
        given = {**self._defaults, **values}
        return [convert(given[name]) if convert else given[name] for name, convert in self._binds]

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        """The values of those parameters that already have a value in the statement."""
        binds = self._compiled.binds.values()
        return {bind.key: bind.value for bind in binds if not bind.required}

    @cached_property
    def _binds(self) -> list[tuple[str, _Convert | None]]:
        """The name and the conversion of each parameter, in the order of the statement."""
        binds = [self._compiled.binds[name] for name in self._compiled.positiontup or ()]
        types = [bind.type.dialect_impl(self._dialect) for bind in binds]
        return [
            (bind.key, type_.bind_processor(self._dialect))
            for bind, type_ in zip(binds, types, strict=True)
        ]

    @cached_property
    def row_converter(self) -> Callable[[Sequence[Any]], Any]:
        """The function that converts a row of the driver to a named tuple of Python values."""
        columns = list(cast("Any", self._statement).exported_columns)
        kind = namedtuple("Row", [column.key for column in columns], rename=True)  # type: ignore[misc]  # noqa: PYI024
        conversions = [
            column.type.dialect_impl(self._dialect).result_processor(self._dialect, None)
            for column in columns
        ]
        converted = [(place, convert) for place, convert in enumerate(conversions) if convert]

        def make_row(values: Sequence[Any]) -> Any:  # noqa: ANN401 - a row of any columns
            fields = list(values)
            for place, convert in converted:
                fields[place] = convert(fields[place])
            return kind._make(fields)

        return make_row


def _raise_as_sqlalchemy(
    connection: sa.Connection, error: BaseException, sql: str, parameters: list[Any]
) -> None:
    """Raise an error of an execution as SQLAlchemy does.

    If the connection was lost, or the execution was cancelled, the connection is not used again.
    """
    try:
        raise error  # noqa: TRY301 - a greenlet begins without a current exception
    except BaseException:  # noqa: BLE001 - SQLAlchemy reads the current exception
        connection._handle_dbapi_exception(error, sql, tuple(parameters), None, None)  # noqa: SLF001 - no public method exists
