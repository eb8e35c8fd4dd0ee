"""Prepared statements, which are executed on SQLite without most of SQLAlchemy.

The reason is that SQLAlchemy needs 40 to 80 µs of CPU time to execute a compiled statement, and
SQLite itself needs less than 20 µs for most of the bot's statements.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import aiosqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.compiler import SQLCompiler

from bot.store.engine.failures import breaks_connection

_Convert = Callable[[Any], Any]
Values = Mapping[str, Any]
_DIALECT = aiosqlite.dialect()


class Prepared:
    """A statement with named parameters, which a module executes often.

    On SQLite, the statement is compiled at the first execution, and the driver executes the
    statement. The errors of the driver (``sqlite3.Error``) are not converted to errors of
    SQLAlchemy. On PostgreSQL, SQLAlchemy executes the statement. All executions must give values
    for the same parameters. ``expanding`` parameters are not supported.
    """

    def __init__(self, statement: sa.Executable) -> None:
        """Prepare ``statement``. Nothing is compiled yet."""
        self._statement = statement
        self._names: AbstractSet[str] = frozenset()

    async def rows(self, tx: AsyncConnection, values: Values | Sequence[Values]) -> Sequence[Any]:
        """Execute the statement for ``values``, or for each mapping in ``values``.

        Return the rows of all executions.
        """
        if tx.dialect.name != "sqlite":
            return (await tx.execute(self._statement, values)).all()
        rows, _ = await self._execute(tx, values)
        return [self._row_converter(row) for row in rows]

    async def execute(self, tx: AsyncConnection, values: Values | Sequence[Values]) -> int:
        """Execute a statement without RETURNING for ``values``, or for each mapping in ``values``.

        Return the number of changed rows if ``values`` is a single mapping. If ``values`` is a
        sequence, the returned number has no meaning.
        """
        if tx.dialect.name != "sqlite":
            return (await tx.execute(self._statement, values)).rowcount
        _, count = await self._execute(tx, values)
        return count

    async def _execute(
        self, tx: AsyncConnection, values: Values | Sequence[Values]
    ) -> tuple[list[Any], int]:
        """Execute the statement in the thread of the connection.

        Return all rows, and the number of rows that the last execution changed.

        Raises:
            sqlite3.Error: An execution failed.
        """
        connection = cast("sa.Connection", tx.sync_connection)
        if not connection.in_transaction():
            connection.begin()
        each = [values] if isinstance(values, Mapping) else values
        self._names = self._names or each[0].keys()
        parameters = [self._parameters(one) for one in each]
        for listener in connection.dispatch.before_cursor_execute:
            listener(connection, None, self._sql, parameters, None, len(parameters) > 1)
        driver = cast("Any", connection.connection.dbapi_connection)
        try:
            done: tuple[list[Any], int] = await driver.execute_each(self._sql, parameters)
        except sqlite3.Error as error:
            if breaks_connection(error):
                await tx.invalidate()
            raise
        return done

    def _parameters(self, values: Values) -> list[Any]:
        """Return the list of values to give to the SQLite driver with the statement.

        Raises:
            ValueError: The keys of ``values`` differ from the keys at the first execution.
        """
        if values.keys() != self._names:
            raise ValueError(f"{sorted(values)} instead of {sorted(self._names)}")
        given = {**self._defaults, **values}
        return [convert(given[name]) if convert else given[name] for name, convert in self._binds]

    @cached_property
    def _compiled(self) -> SQLCompiler:
        compiled = self._statement.compile(dialect=_DIALECT, column_keys=sorted(self._names))  # type: ignore[attr-defined]
        return cast("SQLCompiler", compiled)

    @cached_property
    def _sql(self) -> str:
        return self._compiled.string

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        """The values of those parameters that already have a value in the statement."""
        binds = self._compiled.binds.values()
        return {bind.key: bind.value for bind in binds if not bind.required}

    @cached_property
    def _binds(self) -> list[tuple[str, _Convert | None]]:
        """The name and the conversion of each parameter, in the order of the statement."""
        binds = [self._compiled.binds[name] for name in self._compiled.positiontup or ()]
        types = [bind.type.dialect_impl(_DIALECT) for bind in binds]
        return [
            (bind.key, type_.bind_processor(_DIALECT))
            for bind, type_ in zip(binds, types, strict=True)
        ]

    @cached_property
    def _row_converter(self) -> Callable[[Sequence[Any]], Any]:
        """The function that converts a row of the driver to a named tuple of Python values."""
        columns = list(cast("Any", self._statement).exported_columns)
        kind = namedtuple("Row", [column.key for column in columns], rename=True)  # type: ignore[misc]  # noqa: PYI024
        conversions = [
            column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
            for column in columns
        ]
        converted = [(place, convert) for place, convert in enumerate(conversions) if convert]

        def make_row(values: Sequence[Any]) -> Any:  # noqa: ANN401 - a row of any columns
            fields = list(values)
            for place, convert in converted:
                fields[place] = convert(fields[place])
            return kind._make(fields)

        return make_row
