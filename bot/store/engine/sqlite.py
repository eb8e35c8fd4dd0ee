"""SQLite connections with fewer thread switches: one switch per statement instead of four.

Each connection runs in its own thread. A switch between threads takes longer than most of the
bot's statements.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from sqlite3 import Cursor as RawCursor
from typing import Any, Literal, TypeVar, cast

import aiosqlite
from sqlalchemy.connectors.asyncio import AsyncIODBAPICursor
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
)
from sqlalchemy.util import EMPTY_DICT
from sqlalchemy.util.concurrency import await_

from bot.runtime.background import finish_on_cancel

T = TypeVar("T")
Done = tuple[RawCursor, list[Any]]


async def open_connection(*args: Any, **options: Any) -> aiosqlite.Connection:  # noqa: ANN401 - aiosqlite's
    """Open a connection. If the call is cancelled, close the connection.

    Without this function, a cancelled call of aiosqlite would leave an open connection behind.
    """
    connection = aiosqlite.connect(*args, **options)
    connection._thread.daemon = True  # noqa: SLF001 - as in SQLAlchemy: the thread must not keep the process alive

    async def open_it() -> aiosqlite.Connection:
        return await connection

    return await finish_on_cancel(open_it(), undo=aiosqlite.Connection.close)


class Cursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that executes a statement and fetches all rows in a single thread switch."""

    __slots__ = ()
    _adapt_connection: "Connection"

    def __init__(self, adapt_connection: "Connection") -> None:
        """Prepare the cursor. The SQLite cursor is created when a statement is executed."""
        self._adapt_connection = adapt_connection
        self._rows = deque()
        self._soft_closed_memoized = EMPTY_DICT

    def execute(self, operation: Any, parameters: Any = None) -> None:  # noqa: ANN401 - SQLAlchemy's signature
        """Execute a statement and fetch all rows."""
        self._run("execute", operation, parameters or ())

    def executemany(self, operation: Any, seq_of_parameters: Any) -> None:  # noqa: ANN401 - SQLAlchemy's signature
        """Execute a statement with many sets of parameters."""
        self._run("executemany", operation, seq_of_parameters)

    def close(self) -> None:
        """Discard the rows. No SQLite cursor needs to be closed, because all rows are fetched."""
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Keep the rows, and do nothing else, because all rows are already fetched."""

    def _run(self, method: Literal["execute", "executemany"], *arguments: Any) -> None:  # noqa: ANN401 - the arguments of the method
        cursor, rows = self._adapt_connection.run(method, *arguments)
        # The plain cursor of sqlite3 is enough, because SQLAlchemy reads only its attributes.
        self._cursor = cast("AsyncIODBAPICursor", cursor)
        self._rows = deque(rows)


class Connection(AsyncAdapt_aiosqlite_connection):
    """A connection that sends BEGIN with the first statement."""

    __slots__ = ("_begin", "_may_be_open", "_settings")
    _cursor_cls: Any = Cursor

    def __init__(self, dbapi: Any, connection: Any) -> None:  # noqa: ANN401 - SQLAlchemy's signature
        """Wrap an open connection."""
        super().__init__(dbapi, connection)
        self._begin: Sequence[str] = ()
        self._may_be_open = False
        self._settings: dict[str, str] = {}  # the last set value of each PRAGMA

    @property
    def raw(self) -> Any:  # noqa: ANN401 - sqlite3's connection, private in aiosqlite
        """Return the sqlite3 connection, which only its thread may use."""
        return self._connection._conn  # noqa: SLF001 - SQLAlchemy uses the same attribute

    def begin_with_next_statement(self, statements: Sequence[str]) -> None:
        """Store statements that will be executed just before the next statement.

        ``statements`` are the PRAGMAs and the BEGIN of a transaction, or an empty sequence for a
        read. A PRAGMA that would not change its value is skipped.
        """
        self._begin = statements

    def run(self, method: Literal["execute", "executemany"], *arguments: Any) -> Done:  # noqa: ANN401 - the arguments of the method
        """Call a method of a new cursor in the connection's thread.

        Return the cursor, and all rows of the result.
        """

        def execute(cursor: RawCursor) -> Done:
            getattr(cursor, method)(*arguments)
            return cursor, cursor.fetchall() if cursor.description else []

        try:
            done: Done = await_(self._run_in_thread(execute))
        except Exception as error:  # noqa: BLE001 - SQLAlchemy converts the error
            self._handle_exception(error)
        return done

    async def execute_each(
        self, statement: str, each: Sequence[Sequence[Any]]
    ) -> tuple[list[Any], int]:
        """Execute a statement once for each sequence of parameters, in a single thread switch.

        Return all rows, and the number of rows that the last execution changed.

        Raises:
            sqlite3.Error: An execution failed.
        """

        def execute(cursor: RawCursor) -> tuple[list[Any], int]:
            rows: list[Any] = []
            for parameters in each:
                rows += cursor.execute(statement, parameters).fetchall()
            return rows, cursor.rowcount

        return await self._run_in_thread(execute)

    async def _run_in_thread(self, execute: Callable[[RawCursor], T]) -> T:
        """Call ``execute`` with a new cursor in the connection's thread. Return the result.

        The statements of ``begin_with_next_statement`` run first.
        """
        begin, self._begin = self._begin, ()
        self._may_be_open = self._may_be_open or bool(begin)

        def begin_and_run() -> T:
            for statement in begin:
                self._execute_unless_set(statement)
            return execute(self.raw.cursor())

        return cast("T", await self._connection._execute(begin_and_run))  # noqa: SLF001 - SQLAlchemy uses the same attribute

    def _execute_unless_set(self, statement: str) -> None:
        """Execute a statement, except a PRAGMA whose value is already set.

        Each ``PRAGMA foreign_keys`` makes SQLite compile all statements of the connection again.
        """
        name, _, value = statement.partition("=")
        if value and self._settings.get(name) == value:
            return
        self.raw.execute(statement)
        if value:
            self._settings[name] = value

    async def commit_in_thread(self) -> None:
        """Commit an open transaction. If the commit fails, roll back.

        Raises:
            sqlite3.Error: The commit failed.
        """
        self._begin = ()
        if not self._may_be_open:
            return
        try:
            await self._connection.commit()
        except sqlite3.Error:
            # Without a rollback, an idle connection would keep the write lock.
            await self._connection.rollback()
            raise
        self._may_be_open = False

    def commit(self) -> None:
        """Commit the transaction, unless ``commit_in_thread`` has already committed."""
        self._end_transaction(super().commit)

    def rollback(self) -> None:
        """Roll back the transaction. Do nothing if no transaction is open.

        The pool also calls this method when a connection returns to the pool.
        """
        self._end_transaction(super().rollback)

    def _end_transaction(self, end: Callable[[], None]) -> None:
        self._begin = ()
        if not self._may_be_open or self._connection._connection is None:  # noqa: SLF001 - SQLAlchemy uses the same attribute
            return
        end()
        self._may_be_open = False
