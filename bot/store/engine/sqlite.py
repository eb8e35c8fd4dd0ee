"""SQLite by fewer switches: one to the connection's thread for a statement, where there were four.

A switch costs more than most of our statements, and a pasted link makes dozens of them.
"""

from collections import deque
from collections.abc import Callable, Sequence
from sqlite3 import Cursor as RawCursor
from typing import Any, cast

import aiosqlite
from sqlalchemy.connectors.asyncio import AsyncIODBAPICursor
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
)
from sqlalchemy.util import EMPTY_DICT
from sqlalchemy.util.concurrency import await_

from bot.runtime.background import finish_on_cancel

Done = tuple[RawCursor, list[Any]]
READ = ("BEGIN",)
"""How a transaction begins that only reads."""


async def open_connection(*args: Any, **options: Any) -> aiosqlite.Connection:  # noqa: ANN401 - aiosqlite's
    """Open a connection; cancelled half way it is closed, which aiosqlite alone forgets.

    It opens in a task of its own, which ends: what the thread has opened then is known.
    """
    connection = aiosqlite.connect(*args, **options)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does: it must not keep us alive

    async def open_it() -> aiosqlite.Connection:
        return await connection

    return await finish_on_cancel(open_it(), undo=aiosqlite.Connection.close)


class Cursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that is made, used, read to its end and done with in one switch."""

    __slots__ = ()
    _adapt_connection: "Connection"

    def __init__(self, adapt_connection: "Connection") -> None:
        """Make nothing yet."""
        self._adapt_connection = adapt_connection
        self._rows = deque()
        self._soft_closed_memoized = EMPTY_DICT

    def execute(self, operation: Any, parameters: Any = None) -> None:  # noqa: ANN401 - SQLAlchemy's signature
        """Run one statement and fetch all its rows."""
        self._run(lambda cursor: cursor.execute(operation, parameters or ()))

    def executemany(self, operation: Any, seq_of_parameters: Any) -> None:  # noqa: ANN401 - the same
        """Run one statement with many sets of parameters."""
        self._run(lambda cursor: cursor.executemany(operation, seq_of_parameters))

    def close(self) -> None:
        """Forget the rows; nothing is open in the thread."""
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Keep the rows; nothing is open in the thread."""

    def _run(self, work: Callable[[RawCursor], RawCursor]) -> None:
        def execute_and_fetch() -> Done:
            cursor = work(self._adapt_connection.raw.cursor())
            return cursor, cursor.fetchall() if cursor.description else []

        cursor, rows = self._adapt_connection.run(execute_and_fetch)
        self._cursor = cast("AsyncIODBAPICursor", cursor)  # its attributes are read, no more
        self._rows = deque(rows)


class Connection(AsyncAdapt_aiosqlite_connection):
    """A connection whose BEGIN travels with the first statement, and whose reads end unawaited."""

    __slots__ = ("_begin", "_may_be_open", "_only_reads")
    _cursor_cls: Any = Cursor

    def __init__(self, dbapi: Any, connection: Any) -> None:  # noqa: ANN401 - SQLAlchemy's signature
        """Take over an open connection."""
        super().__init__(dbapi, connection)
        self._begin: Sequence[str] = ()
        self._only_reads = False
        self._may_be_open = False

    @property
    def raw(self) -> Any:  # noqa: ANN401 - sqlite3's connection, private in aiosqlite
        """Return the connection that only its thread may use."""
        return self._connection._conn  # noqa: SLF001 - SQLAlchemy takes it from there as well

    def begin_with_next(self, statements: Sequence[str]) -> None:
        """Run ``statements`` right before the next one."""
        self._begin = statements
        self._only_reads = statements is READ

    def run(self, job: Callable[[], Done]) -> Done:
        """Run ``job`` in the thread, after what begins its transaction."""
        begin, self._begin = self._begin, ()
        self._may_be_open = True

        def begin_and_run() -> Done:
            for statement in begin:
                self.raw.execute(statement)
            return job()

        try:
            done: Done = await_(self._connection._execute(begin_and_run))  # noqa: SLF001 - the same
        except Exception as error:  # noqa: BLE001 - SQLAlchemy makes the right one of it
            self._handle_exception(error)
        return done

    def commit(self) -> None:
        """Commit, if anything was done; roll back where that fails, as SQLAlchemy does not."""
        try:
            self._end_transaction(super().commit)
        except Exception:
            self.rollback()  # else it would keep the write lock while it is at rest
            raise

    def rollback(self) -> None:
        """Roll back, if anything was done; the pool calls it after each commit as well."""
        self._end_transaction(super().rollback)

    def _end_transaction(self, end: Callable[[], None]) -> None:
        self._begin = ()
        if not self._may_be_open or self._connection._connection is None:  # noqa: SLF001 - the same
            return
        if self._only_reads:  # nothing can come of it: what is asked next stands behind it
            self._connection._tx.put_nowait((None, self.raw.commit))  # noqa: SLF001 - the same
        else:
            end()
        self._may_be_open = False
