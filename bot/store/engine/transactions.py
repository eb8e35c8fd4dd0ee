"""Transactions as async context managers, and the connections of an engine."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.domain.errors import DatabaseUnavailableError
from bot.runtime.background import finish_on_cancel
from bot.runtime.transaction_guard import SlowOperationBan, raise_or_log_if_transaction_held
from bot.store.engine.failures import UNREACHABLE, converting_outage_errors

# The first statements of an SQLite transaction. The commit of a durable transaction waits for the
# disk. A power failure can undo a hasty transaction.
DURABLE = ("PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON", "BEGIN IMMEDIATE")
HASTY = ("PRAGMA synchronous=NORMAL", "PRAGMA foreign_keys=ON", "BEGIN IMMEDIATE")
# A migration of SQLite replaces some tables by new tables. The check of foreign keys would forbid
# the removal of an old table, or delete the rows that refer to the table
# (sqlite.org/lang_altertable.html, section 7).
UNREFERENCED = ("PRAGMA synchronous=FULL", "PRAGMA foreign_keys=OFF", "BEGIN IMMEDIATE")
# A read begins no transaction, because a BEGIN would take a further round trip to the database.
READ: Sequence[str] = ()


class Connections:
    """The connections of an engine, which stay open between transactions.

    The return of a connection to the engine's pool takes longer than most statements.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        writer: asyncio.Lock | None = None,
        raise_if_replaced: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare without opening a connection.

        If ``writer`` is given, each writing transaction acquires this lock. Each writing
        transaction calls ``raise_if_replaced`` before its first statement.
        """
        self._engine = engine
        self._idle: list[AsyncConnection] = []
        self._starting = 0
        self.file = engine.url.database
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.raise_if_replaced = raise_if_replaced
        self.writer = writer
        self.on_outage: Callable[[], None] = lambda: None
        """Called when a writing transaction fails with ``DatabaseUnavailableError``.

        The function is also called for a failed attempt that ``Database.run`` or
        ``Database.run_until_recorded`` will retry.
        """

    async def take(self, *, only_reads: bool = False) -> AsyncConnection:
        """Return the idle connection that was used last, or a connection of the engine's pool.

        If ``only_reads`` is True, PostgreSQL commits each statement at once.

        Raises:
            DatabaseUnavailableError: The server can't be reached, or the SQLite file was replaced.
            Exception: The driver or the pool raised a different error.
        """
        tx = await self._take_idle() or await self._check_out()
        if not self.is_sqlite:
            # The attribute of the driver's connection is set directly, because SQLAlchemy's option
            # ``isolation_level`` would take longer.
            cast("Any", tx.sync_connection).connection.dbapi_connection.autocommit = only_reads
        return tx

    async def _take_idle(self) -> AsyncConnection | None:
        """Return an idle connection, or None if no idle connection is open."""
        while self._idle:
            tx = self._idle.pop()
            driver = cast("Any", tx.sync_connection).connection.driver_connection
            if self.is_sqlite or not driver.is_closed():
                return tx
            await tx.close()  # PostgreSQL has ended the session. The pool opens another session.
        return None

    async def _check_out(self) -> AsyncConnection:
        """Return a connection of the engine's pool.

        Raises:
            DatabaseUnavailableError: The server is absent or does not answer.
        """
        self._starting += 1
        try:
            return await self._engine.connect().start()
        except OSError as error:  # asyncpg raises the error of the socket
            raise DatabaseUnavailableError(UNREACHABLE) from error
        finally:
            self._starting -= 1

    async def give_back(self, tx: AsyncConnection) -> None:
        """Take back a connection after a committed transaction or a read.

        The connection stays open for the next transaction. If a task waits for a connection from
        the pool, the connection returns to the pool instead.
        """
        connection = tx.sync_connection
        if connection and not self._starting:
            connection.rollback()  # ends SQLAlchemy's transaction without waiting
            self._idle.append(tx)
        else:
            # A task that waits for the engine's pool gets a connection only when this call returns
            # a connection to the pool.
            await tx.close()

    async def return_idle_to_pool(self) -> None:
        """Return the idle connections to the engine's pool, which replaces broken connections."""
        while self._idle:
            await self._idle.pop().close()

    async def dispose(self) -> None:
        """Close all connections that are not in use."""
        await self.return_idle_to_pool()
        await self._engine.dispose()


class Transaction:
    """A transaction that lasts for the ``async with`` block.

    The end of the block commits a writing transaction. An exception in the block rolls the
    transaction back. Driver errors that mean an outage become ``DatabaseUnavailableError``.
    """

    def __init__(self, connections: Connections, begin: Sequence[str] = DURABLE) -> None:
        """Prepare a transaction.

        ``begin`` is the kind of the transaction: ``DURABLE``, ``HASTY`` or ``READ``, or
        ``UNREFERENCED`` for a migration. With ``READ``, the statements of the block must not
        write.
        """
        self._connections = connections
        self._begin = begin
        self._is_writing = begin is not READ
        self._lock = connections.writer if self._is_writing else None
        self._hold = SlowOperationBan()
        self._tx: AsyncConnection | None = None

    async def __aenter__(self) -> AsyncConnection:
        """Begin the transaction.

        Raises:
            DatabaseUnavailableError: The database can't be reached, all connections are in use, or
                the SQLite file was moved, deleted or replaced.
        """
        raise_or_log_if_transaction_held("another transaction or read")
        if self._lock:
            await self._lock.acquire()
        self._hold.begin()
        try:
            if self._is_writing:
                self._connections.raise_if_replaced()
            self._tx = tx = await self._connections.take(only_reads=not self._is_writing)
            if self._connections.is_sqlite:
                connection = cast("Any", tx.sync_connection).connection
                connection.dbapi_connection.begin_with_next_statement(self._begin)
            elif self._begin is HASTY:
                await tx.exec_driver_sql("SET LOCAL synchronous_commit = off")
        except BaseException as error:
            await self._roll_back_and_raise(error)
            raise
        return tx

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Commit if the transaction writes, or roll back after an error.

        Raises:
            DatabaseUnavailableError: The block or the commit failed because of an outage.
        """
        tx = cast("AsyncConnection", self._tx)
        if error is not None:
            await self._roll_back_and_raise(error)
            return
        try:
            if self._is_writing:
                await self._commit(tx)
        except BaseException as failure:
            await self._roll_back_and_raise(failure)
            raise
        self._end()
        # The transaction is over, so a cancellation is harmless.
        await self._connections.give_back(tx)

    async def _commit(self, tx: AsyncConnection) -> None:
        if not self._connections.is_sqlite:
            await tx.commit()
            return
        # The driver commits directly, because SQLAlchemy would need a greenlet to wait for the
        # commit.
        connection = cast("Any", tx.sync_connection)
        await connection.connection.dbapi_connection.commit_in_thread()
        connection.commit()  # ends only SQLAlchemy's transaction; SQLite has committed already

    async def _roll_back_and_raise(self, error: BaseException) -> None:
        """Roll back the transaction, and raise ``error``. The caller raises a cancellation again.

        Raises:
            DatabaseUnavailableError: ``error``, or an error of the rollback, means an outage.
            Exception: ``error`` means no outage, and is raised unchanged.
        """
        try:
            with converting_outage_errors(self._connections.file):
                if self._tx is not None:
                    await finish_on_cancel(self._tx.close())
                if isinstance(error, Exception):
                    raise error
        except DatabaseUnavailableError:
            await self._connections.return_idle_to_pool()
            if self._is_writing:
                self._connections.on_outage()
            raise
        finally:
            self._end()

    def _end(self) -> None:
        self._hold.end()
        if self._lock:
            self._lock.release()
