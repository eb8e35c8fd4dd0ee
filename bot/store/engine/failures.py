"""Classification of database driver errors: outages, and failures that may be retried.

The codes are from PostgreSQL's manual, appendix A ("PostgreSQL Error Codes"), and from SQLite's
manual, "Result and Error Codes".
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from bot.domain.errors import DatabaseUnavailableError
from bot.store.engine import sqlite_copies

_LOST = "the connection was lost"
UNREACHABLE = "no connection can be made"
_FULL = "the disk is full"
_SLOW = "a statement took too long"
DEADLOCK = "transactions waited for each other"

_SQLITE = {
    sqlite3.SQLITE_BUSY: "another program keeps the database locked",
    sqlite3.SQLITE_LOCKED: "the database is locked",
    sqlite3.SQLITE_FULL: _FULL,
    # The index of the write-ahead log can't be created on a full disk.
    sqlite3.SQLITE_IOERR_SHMSIZE: _FULL,
    sqlite3.SQLITE_IOERR: "the disk fails",
    sqlite3.SQLITE_CANTOPEN: "the database can't be opened",
    sqlite3.SQLITE_READONLY: "the database can't be written",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
}
_TIMEOUT = "57014"
_LOCKED = "55P03"
_ONLY_READS = "25006"
_POSTGRES = {
    "40001": "transactions were in each other's way",
    "40P01": DEADLOCK,
    "53100": _FULL,
    "53": "the database has no room",
    _LOCKED: "the database is locked",
    "57P": _LOST,
    _TIMEOUT: _SLOW,
    "25P04": _SLOW,  # the limit ``transaction_timeout`` of PostgreSQL 17 and newer
    "25P03": _LOST,  # PostgreSQL ended a transaction in which the bot was idle for too long
    "58": "the disk fails",
    "08": _LOST,
    _ONLY_READS: "the database can't be written",
    "28": "it refuses the user or the password",
    "3D000": "there is no database of that name",
    "42501": "its user lacks a right",
}
_ROLLED_BACK = {"40001", "40P01"}
# The name of the error that asyncpg raises for a connection that was closed unnoticed. The pool
# must discard such a connection.
_BROKEN = "InternalClientError"


def _outage_of(error: BaseException, file: str) -> DatabaseUnavailableError | None:
    """Return the error to raise for an outage, or None if ``error`` does not mean an outage."""
    if isinstance(error, DatabaseUnavailableError):
        return error
    reason = _outage_reason(error)
    return DatabaseUnavailableError(reason.format(file=file)) if reason else None


@contextmanager
def converting_outage_errors(file: object = "file") -> Iterator[None]:
    """Convert all driver errors that mean an outage of the database to a single error class.

    If an SQLite database is damaged, the error names the path ``file``.

    Raises:
        DatabaseUnavailableError: The block failed because of an outage.
    """
    try:
        yield
    except Exception as error:
        if (outage := _outage_of(error, str(file))) is None or outage is error:
            raise
        raise outage from error


def is_outage(error: BaseException) -> bool:
    """Return whether a driver's error means an outage of the database.

    A conflict of transactions also counts as an outage.
    """
    return bool(_outage_reason(error))


def may_end_soon(error: BaseException) -> bool:
    """Return whether an outage may end soon, because the database server may be restarting."""
    return str(error) in {_LOST, UNREACHABLE}


def is_slow_statement(error: BaseException) -> bool:
    """Return whether the reason of an outage is that a statement took too long."""
    return str(error) == _SLOW


def is_timeout(error: sa.exc.DBAPIError) -> bool:
    """Return whether PostgreSQL ended a statement because of a time limit or a lock timeout."""
    return _sqlstate_of(error) in {_TIMEOUT, _LOCKED}


def breaks_connection(error: BaseException | None) -> bool:
    """Return whether the pool must discard a connection after an error.

    The result is True if the state of the connection is undefined, or if only a new connection may
    be able to write.
    """
    if isinstance(error, sqlite3.Error):
        return _sqlite_code_of(error) == sqlite3.SQLITE_READONLY
    if error is None:
        return False
    return type(error).__name__ == _BROKEN or _sqlstate_of(error) == _ONLY_READS


def may_run_again(error: BaseException, *, committing: bool) -> bool:
    """Return whether a failed transaction may be retried without making its changes twice.

    A conflict (40001, 40P01) always allows a retry. A connection failure allows a retry unless the
    error occurred during the commit (``committing``).
    """
    if _sqlstate_of(error) in _ROLLED_BACK:
        return True
    is_lost = _outage_reason(error) == _LOST or isinstance(error, OSError)
    return is_lost and not committing


def _outage_reason(error: BaseException) -> str:
    if isinstance(error, sa.exc.TimeoutError):
        return "all connections are in use"
    inner = _driver_error(error)
    if isinstance(inner, sqlite3.Error):
        if sqlite_copies.is_damage(inner):
            return sqlite_copies.DAMAGED
        extended_code = getattr(inner, "sqlite_errorcode", None) or 0
        return _SQLITE.get(extended_code) or _SQLITE.get(_sqlite_code_of(inner), "")
    state = _sqlstate_of(error)
    known = [length for length in (5, 3, 2) if state[:length] in _POSTGRES]
    if known:
        return _POSTGRES[state[: known[0]]]
    is_lost = isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated
    return _LOST if is_lost else ""


def _sqlite_code_of(error: sqlite3.Error) -> int:
    """Return the primary result code of an SQLite error, or 0 without a code."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def _sqlstate_of(error: BaseException) -> str:
    """Return the PostgreSQL code of a driver or SQLAlchemy error, or an empty string."""
    return str(getattr(_driver_error(error), "sqlstate", None) or "")


def _driver_error(error: BaseException) -> BaseException | None:
    return error.orig if isinstance(error, sa.exc.DBAPIError) else error
