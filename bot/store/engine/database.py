"""The database: an engine, atomic transactions, and migrations.

The URL chooses SQLite (the default) or PostgreSQL. On SQLite, an asyncio lock puts the bot's
writing transactions into a queue. On PostgreSQL, the server ends slow statements and idle
transactions.
"""

import asyncio
import random
import socket
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.domain.database_urls import DSN_PARAMETERS, IGNORED_PARAMETERS
from bot.domain.errors import BackupError, DatabaseUnavailableError
from bot.runtime import transaction_guard
from bot.runtime.background import finish_on_cancel
from bot.runtime.process_name import database_session_name
from bot.store.engine import private, schema, sqlite_copies
from bot.store.engine.failures import (
    breaks_connection,
    converting_outage_errors,
    is_slow_statement,
    may_run_again,
)
from bot.store.engine.revisions import is_known_revision, newest_revision, revision_of
from bot.store.engine.schema import insert
from bot.store.engine.secure_delete import SECURE_DELETE, IsEmptied, truncate_log
from bot.store.engine.sqlite import Connection, open_connection
from bot.store.engine.sqlite_file import HeldFile, existing_uri, raise_if_log_orphaned
from bot.store.engine.transactions import (
    DURABLE,
    HASTY,
    READ,
    UNREFERENCED,
    Connections,
    Transaction,
)

RowCount = int
"""The number of rows that a statement locked or changed."""

log = structlog.get_logger()

Tx = AsyncConnection
T = TypeVar("T")
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
BUSY_TIMEOUT = timedelta(seconds=10)
TRIES = 7  # the number of attempts of a retryable transaction, with pauses of 3 seconds in total
# The number of attempts in ``run_until_recorded`` if PostgreSQL ends each attempt because a
# statement is too slow. Further attempts would probably fail too, and delay all other work.
SLOW_TRIES = 5
FIRST_PAUSE_S = 0.05
LAST_PAUSE_S = 1.0
# Limits of the bot's sessions on PostgreSQL. The limits are set on the bot's role, because
# PgBouncer rejects these settings at the start of a session. Times without a unit are in
# milliseconds.
SESSION = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "8s",
    "tcp_keepalives_idle": "10",  # in seconds
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
# An operator or a provider can set the limit ``transaction_timeout``, which PostgreSQL has since
# version 17. Older versions would refuse the statement SET LOCAL.
_NO_TRANSACTION_TIMEOUT = sa.text(
    "SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'transaction_timeout'"
)
# Keepalive settings of the client's sockets.
KEEPALIVE = (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
UNANSWERED_MS = 20_000  # a connection ends if sent data is not acknowledged for this time
POOL = 20
# The number of connections that are reserved for the renewals of leases. A process without a free
# connection would lose its leases, and another process would repeat all work.
_POOL_OF_LEASES = 2
POOL_WAIT_S = 10
# A new connection to an SQLite file would start a thread, read the schema and compile every
# statement again. The connection that was used last has the newest pages in its caches.
SQLITE_POOL = {"pool_size": 5, "max_overflow": 0, "pool_use_lifo": True}
MIGRATING = 7402  # the number of PostgreSQL's advisory lock for long transactions
KEPT_COPIES = 2  # before a migration of SQLite, a copy is made; this number of copies is kept
NOT_DIRECT = "DATABASE_DIRECT_URL is the address of another database than DATABASE_URL"
NO_COPY = "it is from an older version, and can't be copied before it is changed: {why}"
NEWER = (
    "it was written by a newer version of the bot than this one. Start that version, or restore "
    "the backup that it made before it changed the database"
)


class Database:
    """A database, given by an SQLAlchemy URL. Use the object as an async context manager.

    During an outage of the database, methods that open a transaction raise
    ``DatabaseUnavailableError``. Only ``run_until_recorded`` retries during a long outage.
    """

    def __init__(
        self,
        url: str,
        *,
        direct_url: str = "",
        pool_size: int = POOL,
        busy_timeout: timedelta = BUSY_TIMEOUT,
    ) -> None:
        """Prepare the engine for a ``sqlite:`` or ``postgresql:`` URL. No connection is opened.

        - ``direct_url``: the URL for long transactions, if ``url`` leads to a pooler such as
          PgBouncer.
        - ``pool_size``: the number of connections to ``url`` on PostgreSQL.
        - ``busy_timeout``: the time for which SQLite waits for a lock, unless ``url`` has the
          parameter ``timeout`` (in seconds).
        """
        self.url = _with_driver(make_url(url))
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.file = _file_of(self.url)
        """The path of an SQLite database, or None for a database in memory and for PostgreSQL."""
        self.held: HeldFile | None = None
        """The detector of a replaced file. ``start_detecting_replacement`` sets the value."""
        self._writer = asyncio.Lock()
        if self.is_sqlite:
            self._engine = _sqlite_engine(
                self.url, busy_timeout, self._raise_if_replaced_or_orphaned
            )
            self.connections = Connections(self._engine, self._writer, self.raise_if_replaced)
        else:
            self._engine = _postgres_engine(self.url, pool_size - _POOL_OF_LEASES)
            self.connections = Connections(self._engine)
        self._of_leases = self.connections
        if not self.is_sqlite:
            self._of_leases = Connections(_postgres_engine(self.url, _POOL_OF_LEASES))
            self._of_leases.on_outage = lambda: self.connections.on_outage()  # noqa: PLW0108 - the watch sets the function later
        self.direct = _with_driver(make_url(direct_url or url))
        self._direct = self.connections
        if self.direct != self.url:
            self._direct = Connections(_postgres_engine(self.direct, 1))
        self._unrecorded = 0

    @property
    def has_unrecorded_actions(self) -> bool:
        """Return whether ``run_until_recorded`` is retrying because of an outage."""
        return self._unrecorded > 0

    async def __aenter__(self) -> Self:
        """Open nothing. Connections are opened at first use."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections that are not in use.

        If the SQLite file was moved, deleted or replaced, and no rescued copy of its content
        exists, a rescued copy is written first. A failed rescue raises no error.
        """
        if self.held and not self.held.are_paths_unchanged() and self.held.copy is None:
            with suppress(BackupError):
                await self.rescue()
            log.error("the database file was replaced", why=self.held.trouble)
        await self._dispose()
        await self._direct.dispose()
        if self.held:
            await asyncio.to_thread(self.held.close)

    async def start_detecting_replacement(self) -> None:
        """Detect from now on whether the SQLite file is moved, deleted or replaced.

        Only the process that runs the bot calls this method. The method has no effect without an
        SQLite file.

        Raises:
            DatabaseUnavailableError: The file can't be opened or read.
        """
        if self.file is None:
            return
        held = HeldFile(self.file)
        try:
            with converting_outage_errors(self.file):
                await asyncio.to_thread(held.open)
        except OSError as error:
            raise DatabaseUnavailableError(sqlite_copies.reason_of_file_error(error)) from error
        self.held = held

    def raise_if_replaced(self) -> None:
        """Raise an error if the file at the path is not the SQLite file that the bot has opened.

        Do nothing before ``start_detecting_replacement``.

        Raises:
            DatabaseUnavailableError: The file was moved, deleted or replaced.
        """
        if self.held and not self.held.check_in_place_and_record_replacement():
            raise DatabaseUnavailableError(self.held.trouble)

    async def truncate_log(self) -> IsEmptied:
        """Empty the log of an SQLite database. Return False if a reader or writer prevents this.

        If the database has no SQLite file, do nothing and return True. Call this method outside
        of transactions.

        Raises:
            DatabaseUnavailableError: The file can't be written now, or was moved, deleted or
                replaced.
        """
        if self.file is None:
            return True
        transaction_guard.raise_or_log_if_transaction_held("a checkpoint beside it")
        async with self._writer:
            self.raise_if_replaced()
            with converting_outage_errors(self.file):
                return await finish_on_cancel(asyncio.to_thread(truncate_log, self.file))

    def _raise_if_replaced_or_orphaned(self) -> None:
        """Raise an error if a new connection would damage an SQLite file or its log.

        Raises:
            DatabaseUnavailableError: The file was replaced, or a log exists without its database.
        """
        self.raise_if_replaced()
        if self.file is not None:
            raise_if_log_orphaned(self.file)

    async def rescue(self) -> Path:
        """Write the content of a replaced file into a new file. Return the path of the new file.

        A second call returns the same path. The call waits for the end of a running write
        transaction. A cancellation does not interrupt the copy.

        Raises:
            BackupError: The content can't be written now. The text states the reason briefly.
        """
        assert self.held is not None  # noqa: S101 - only a file that is held can be detected as replaced
        held, at = self.held, datetime.now(UTC)
        async with self._writer:
            try:
                return await finish_on_cancel(asyncio.to_thread(held.rescue, at=at))
            except (OSError, sqlite3.Error) as error:
                raise BackupError(sqlite_copies.reason_of_file_error(error)) from error

    def begin(self, *, durable: bool = True) -> AbstractAsyncContextManager[Tx]:
        """Return a writing transaction, which commits at the end of an ``async with`` block.

        An error or a cancellation in the block rolls the transaction back. If ``durable`` is
        False, a power failure or a crash of PostgreSQL may undo the committed transaction.
        """
        return Transaction(self.connections, DURABLE if durable else HASTY)

    def begin_for_lease(self) -> AbstractAsyncContextManager[Tx]:
        """Return a writing transaction for the renewal of a lease.

        On PostgreSQL, the transaction uses a connection that is reserved for leases. A power
        failure or a crash of PostgreSQL may undo the committed transaction.
        """
        return Transaction(self._of_leases, HASTY)

    async def _dispose(self) -> None:
        """Close the idle connections of the main pool and of the pool for leases."""
        await self.connections.dispose()
        await self._of_leases.dispose()

    async def run(
        self, work: Callable[[Tx], Awaitable[T]], *, durable: bool = True, tries: int = TRIES
    ) -> T:
        """Run ``work`` in a writing transaction, and return the result of ``work``.

        After a conflict or a connection failure on PostgreSQL, ``work`` runs again. By default,
        the pauses take about 3 seconds. ``work`` must have no effect outside of the transaction.

        Raises:
            DatabaseUnavailableError: The database is unavailable. If the connection was lost
                during the commit, the effect of ``work`` is unknown.
        """
        for attempt in range(1, tries + 1):
            commits = False
            try:
                async with self.begin(durable=durable) as tx:
                    result = await work(tx)
                    commits = True
            except DatabaseUnavailableError as error:
                may = may_run_again(error.__cause__ or error, committing=commits)
                if not may or attempt == tries:
                    raise
                log.warning("a transaction runs again", why=str(error), attempt=attempt)
            else:
                return result
            await _wait_to_retry(attempt)
        raise AssertionError  # the last attempt has returned or raised an error

    async def run_until_recorded(
        self, work: Callable[[Tx], Awaitable[T]], *, durable: bool = True
    ) -> T:
        """Run ``work`` in a writing transaction. During an outage, retry until the outage ends.

        Use this method to record an action that would otherwise be repeated. If the connection is
        lost during a commit, the changes of ``work`` may be made twice.

        Raises:
            DatabaseUnavailableError: PostgreSQL has ended ``SLOW_TRIES`` consecutive attempts
                because a statement took too long.
        """
        failures = slow = 0
        try:
            while True:
                try:
                    return await self.run(work, durable=durable, tries=1)
                except DatabaseUnavailableError as error:
                    failures += 1
                    slow = slow + 1 if is_slow_statement(error) else 0
                    if slow == SLOW_TRIES:
                        raise
                    if failures == 1:
                        self._unrecorded += 1
                        log.warning("what happened can't be written down yet", why=str(error))
                await _wait_to_retry(failures)
        finally:
            self._unrecorded -= min(failures, 1)

    def read(self) -> AbstractAsyncContextManager[Tx]:
        """Return a connection for reads. Writing transactions usually do not delay the reads.

        Each statement reads the newest committed data. The statements must not write. The database
        does not prevent a write.
        """
        return Transaction(self.connections, READ)

    async def fetch(self, query: Callable[[Tx], Awaitable[T]]) -> T:
        """Return the result of ``query``, which only reads. Nothing is retried.

        Raises:
            DatabaseUnavailableError: The database is unavailable.
        """
        async with self.read() as tx:
            return await query(tx)

    @asynccontextmanager
    async def long_transaction(self) -> AsyncIterator[Tx]:
        """Yield a PostgreSQL transaction without time limits, for example for a migration.

        An advisory lock allows only one long transaction at a time among all processes.

        Raises:
            DatabaseUnavailableError: The database is unavailable.
        """
        async with Transaction(self._direct) as tx:
            for name in SESSION:
                if name.endswith("timeout"):
                    await tx.exec_driver_sql(f"SET LOCAL {name} = 0")
            await tx.execute(_NO_TRANSACTION_TIMEOUT)
            if not await tx.scalar(sa.text(f"SELECT pg_try_advisory_xact_lock({MIGRATING})")):
                log.info("waiting for another process that prepares or moves the database")
                await tx.execute(sa.text(f"SELECT pg_advisory_xact_lock({MIGRATING})"))
            yield tx

    async def migrate(
        self,
        *,
        first: Callable[[Tx], Awaitable[None]] | None = None,
        last: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> None:
        """Migrate the tables to this version of the code, if the tables are not current.

        A missing SQLite file is created, and a file with old tables is copied first. On
        PostgreSQL, ``first`` and ``last`` run at the start and the end of the transaction of the
        migration.

        Raises:
            DatabaseUnavailableError: The database is unavailable, was changed by a newer version,
                or can't be migrated. The text states the reason.
        """
        if self.file is not None:
            raise_if_log_orphaned(self.file)
            try:
                await asyncio.to_thread(private.create_or_restrict_database, self.file)
            except OSError as error:
                raise DatabaseUnavailableError(
                    sqlite_copies.reason_of_file_error(error)
                ) from error
            await self._back_up(self.file)
        if self.is_sqlite:
            async with Transaction(self.connections, UNREFERENCED) as tx:
                await tx.run_sync(_upgrade)
            return
        async with self.long_transaction() as tx:
            # The wait for a lock gets a limit, because another program may have an open
            # transaction. The bot is down during the wait, because the processes of older versions
            # have already ended.
            await tx.exec_driver_sql(f"SET LOCAL lock_timeout = '{SESSION['lock_timeout']}'")
            await _set_role_limits(tx)
            if first is not None:
                await first(tx)
            await tx.run_sync(_upgrade)
            if last is not None:
                await last(tx)
        # The sessions that are already open do not have the new limits.
        await self._dispose()
        if await self.fetch(lambda tx: tx.run_sync(revision_of)) != newest_revision():
            raise DatabaseUnavailableError(NOT_DIRECT)

    async def _back_up(self, file: Path) -> None:
        """Copy an SQLite database with old tables before a migration. Keep only two copies.

        Raises:
            DatabaseUnavailableError: A copy is impossible, for example because the disk is full.
                The database is unchanged.
        """
        async with self.read() as tx:
            revision = await tx.run_sync(revision_of)
        newest = newest_revision()
        if revision in {None, newest} or not is_known_revision(str(revision)):
            return
        copy = file.with_name(f"{file.name}.before-{newest}")
        try:
            # If a copy with the same name exists, that copy is outdated. The bot was already
            # updated to this version once, and was later returned to the older version.
            at = datetime.now(UTC)
            await asyncio.to_thread(sqlite_copies.copy, file, copy, at=at, overwrite=True)
            log.info("copied the database before it is changed", file=str(copy))
            for old in private.migration_copies(file)[:-KEPT_COPIES]:
                old.unlink(missing_ok=True)
        except (BackupError, OSError, sqlite3.Error) as error:
            why = sqlite_copies.reason_of_file_error(error)
            raise DatabaseUnavailableError(NO_COPY.format(why=why)) from error


async def _wait_to_retry(failures: int) -> None:
    """Wait before a retry of a transaction.

    The mean pause is 0.05 seconds after the first failure, and doubles up to 1 second.
    """
    pause = min(FIRST_PAUSE_S * 2 ** min(failures - 1, 10), LAST_PAUSE_S)
    await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads the retries of concurrent transactions


async def _set_role_limits(tx: Tx) -> None:
    """Set the limits of ``SESSION`` for later sessions of the bot's role in this database."""
    name = (await tx.execute(sa.text("SELECT current_database()"))).scalar_one()
    quoted = tx.dialect.identifier_preparer.quote(name)
    for setting, limit in SESSION.items():
        await tx.exec_driver_sql(
            f"ALTER ROLE CURRENT_USER IN DATABASE {quoted} SET {setting} = '{limit}'"
        )


async def row_or_none(
    tx: Tx,
    kind: Callable[..., T],
    statement: sa.Executable,
    values: Mapping[str, Any] | None = None,
) -> T | None:
    """Call ``kind`` with the columns of a statement's only row, and return the result.

    Return None if the statement has no row.
    """
    row = (await tx.execute(statement, values)).one_or_none()
    return kind(*row) if row else None


async def all_rows(
    tx: Tx,
    kind: Callable[..., T],
    statement: sa.Executable,
    values: Mapping[str, Any] | None = None,
) -> list[T]:
    """Call ``kind`` with the columns of each row of a statement, and return the results."""
    return [kind(*row) for row in await tx.execute(statement, values)]


async def dict_of_rows(
    tx: Tx, statement: sa.Executable, values: Mapping[str, Any] | None = None
) -> dict[Any, Any]:
    """Return a mapping from the first column to the second column of a statement's rows."""
    return {row[0]: row[1] for row in await tx.execute(statement, values)}


async def column_values(
    tx: Tx, column: sa.ColumnElement[T], *conditions: sa.ColumnElement[bool]
) -> list[T]:
    """Return the values of a column in the rows that fulfil all conditions."""
    return list(await tx.scalars(sa.select(column).where(*conditions)))


async def has_row(tx: Tx, *conditions: sa.ColumnElement[bool]) -> bool:
    """Return whether a row fulfils all conditions."""
    return bool(await tx.scalar(sa.select(sa.exists().where(*conditions))))


async def count_rows(tx: Tx, *conditions: sa.ColumnElement[bool]) -> int:
    """Return the number of rows that fulfil all conditions."""
    return await tx.scalar(sa.select(sa.func.count()).where(*conditions)) or 0


async def lock_rows(
    tx: Tx, key: sa.Column[Any], which: sa.ColumnElement[bool], *, against_references: bool = False
) -> RowCount:
    """Lock the rows of the table of ``key`` that match a condition, in the order of ``key``.

    Return the number of rows. Unless ``against_references`` is True, other transactions may still
    insert rows that refer to the locked rows. On SQLite, no row is locked.
    """
    ordered = sa.select(key).where(which).order_by(key)
    locked = ordered.with_for_update(key_share=not against_references).subquery()
    # A count locks the rows without sending the keys of very many rows to the bot.
    count: int = (await tx.execute(sa.select(sa.func.count()).select_from(locked))).scalar_one()
    return count


async def add_new(tx: Tx, table: sa.Table, **row: Any) -> bool:  # noqa: ANN401 - values of columns
    """Insert a row. Return False, and change nothing, if the primary key already exists."""
    keys = list(table.primary_key.columns)
    new = insert(table).values(**row).on_conflict_do_nothing(index_elements=keys)
    return (await tx.execute(new)).rowcount > 0


async def update_rows(
    tx: Tx,
    table: sa.Table,
    *conditions: sa.ColumnElement[bool],
    **values: Any,  # noqa: ANN401 - values of columns
) -> RowCount:
    """Set columns of the rows that fulfil all conditions. Return the number of these rows."""
    return (await tx.execute(sa.update(table).where(*conditions).values(values))).rowcount


async def delete_rows(tx: Tx, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> RowCount:
    """Delete the rows that fulfil all conditions. Return the number of deleted rows."""
    return (await tx.execute(sa.delete(table).where(*conditions))).rowcount


async def put(
    tx: Tx,
    table: sa.Table,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    new: Mapping[str, Any] | None = None,
    where: sa.ColumnElement[bool] | None = None,
) -> bool:
    """Update the row with the given key, or insert a row.

    The update sets ``values``. The insert sets ``values`` and ``new``. If the row exists and does
    not match ``where``, change nothing and return False.
    """
    row = insert(table).values({**key, **values, **(new or {})})
    statement = row.on_conflict_do_update(index_elements=list(key), set_=values, where=where)
    return (await tx.execute(statement)).rowcount > 0


def all_tables() -> sa.MetaData:
    """Return the metadata with the tables of all entities."""
    import importlib  # noqa: PLC0415 - the entities import this module for Tx
    import pkgutil  # noqa: PLC0415 - only needed here

    import bot.store  # noqa: PLC0415 - the package of this module

    for module in pkgutil.iter_modules(bot.store.__path__, "bot.store."):
        if not module.ispkg:
            importlib.import_module(module.name)
    return schema.metadata


def _upgrade(connection: sa.Connection) -> None:
    revision = revision_of(connection)
    if revision == newest_revision():
        return
    if revision is not None and not is_known_revision(revision):
        raise DatabaseUnavailableError(NEWER)
    from bot.store.engine import upgrading  # noqa: PLC0415 - Alembic takes 8 MB; see revisions

    upgrading.upgrade(connection, all_tables())


def _with_driver(url: URL) -> URL:
    drivers = {
        "sqlite": "sqlite+aiosqlite",
        "postgresql": "postgresql+asyncpg",
        "postgres": "postgresql+asyncpg",
    }
    return url.set(drivername=drivers.get(url.drivername, url.drivername))


def _file_of(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        return None
    return Path(str(url.database))


def _postgres_engine(url: URL, pool_size: int) -> AsyncEngine:
    given = {name: url.query[name] for name in DSN_PARAMETERS if name in url.query}
    engine = create_async_engine(
        url.difference_update_query([*DSN_PARAMETERS, *IGNORED_PARAMETERS]),
        pool_size=pool_size,
        max_overflow=0,
        pool_use_lifo=True,  # the last used connection has prepared the most statements
        pool_timeout=POOL_WAIT_S,
        connect_args={
            **({"dsn": f"postgresql://?{urlencode(given, doseq=True)}"} if given else {}),
            "server_settings": {"application_name": database_session_name()},
        },
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def set_keepalive(connection: Any, _record: object) -> None:  # noqa: ANN401 - the adapter's
        transport = connection.driver_connection._transport  # noqa: SLF001 - no public attribute exists
        wire = transport.get_extra_info("socket")
        if wire is not None and wire.family in {socket.AF_INET, socket.AF_INET6}:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in (*KEEPALIVE, ("TCP_USER_TIMEOUT", UNANSWERED_MS)):
                if hasattr(socket, name):
                    wire.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    @sa.event.listens_for(engine.sync_engine, "checkout")
    def refuse_closed(connection: Any, _record: object, _proxy: object) -> None:  # noqa: ANN401 - the adapter's
        if connection.driver_connection.is_closed():
            # The connection was closed while idle, and the pool now reconnects.
            raise sa.exc.DisconnectionError

    sa.event.listen(engine.sync_engine, "handle_error", _mark_disconnect)
    return engine


def _mark_disconnect(context: sa.engine.ExceptionContext) -> None:
    """Let the pool discard its connections if the old connections would repeat an error."""
    if breaks_connection(context.original_exception):
        context.is_disconnect = True


def _sqlite_engine(
    url: URL, busy_timeout: timedelta, raise_if_wrong: Callable[[], None]
) -> AsyncEngine:
    """Return an engine for SQLite that does not create a missing file.

    A connection is refused if ``raise_if_wrong`` raises an error.
    """
    patience_s = float(str(url.query.get("timeout", busy_timeout.total_seconds())))
    pragmas = (f"busy_timeout={round(patience_s * 1000)}", *PRAGMAS)
    file = _file_of(url)
    engine = create_async_engine(url, **(SQLITE_POOL if file is not None else {}))
    sa.event.listen(engine.sync_engine, "handle_error", _mark_disconnect)

    @sa.event.listens_for(engine.sync_engine, "do_connect")
    def do_connect(
        dialect: sa.Dialect, _record: object, args: tuple[Any, ...], options: dict[str, Any]
    ) -> Connection:
        if file is not None:
            args, options = (existing_uri(file),), {**options, "uri": True}
        raise_if_wrong()
        stock = dialect.connect(*args, async_creator_fn=open_connection, **options)
        try:
            # The file may have been replaced while the connection was opened. SQLite has read
            # nothing yet, and damages the log of the original file only after the first read.
            raise_if_wrong()
        except DatabaseUnavailableError:
            stock.close()
            raise
        return Connection(dialect.dbapi, stock._connection)  # noqa: SLF001 - wraps the inner connection

    @sa.event.listens_for(engine.sync_engine, "connect")
    def set_pragmas(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        # The driver must not begin transactions by itself, because the driver would begin a
        # transaction only before the first write.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.execute(SECURE_DELETE)
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "invalidate")
    def roll_back(
        connection: sa.engine.interfaces.DBAPIConnection, _record: object, _error: object
    ) -> None:
        # Without the rollback, a RETURNING statement that a cancellation has interrupted would
        # keep the write lock until Python deletes its cursor.
        connection.rollback()

    return engine
