"""What a driver's exception means: that the database can't work now, and what may be repeated.

Codes: PostgreSQL's manual, appendix A ("PostgreSQL Error Codes"); SQLite's, "Result and Error
Codes". What says that our statement was wrong is no answer to "can it work", and stays as it is.
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


_SQLITE = {
    sqlite3.SQLITE_BUSY: "another program keeps the database locked",
    sqlite3.SQLITE_LOCKED: "the database is locked",
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: "the disk fails",
    sqlite3.SQLITE_CANTOPEN: "the database can't be opened",
    sqlite3.SQLITE_READONLY: "the database can't be written",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
}
_POSTGRES = {
    "40001": "transactions were in each other's way",
    "40P01": "transactions waited for each other",
    "53100": _FULL,
    "53": "the database has no room",
    "55P03": "the database is locked",
    "57P": _LOST,
    "57014": _SLOW,
    "25P03": _LOST,  # we were idle in a transaction, for which others waited
    "58": "the disk fails",
    "08": _LOST,
    "25006": "the database can't be written",
    "28": "it refuses the user or the password",
    "3D000": "there is no database of that name",
    "42501": "its user lacks a right",
}
_ROLLED_BACK = {"40001", "40P01"}
# What asyncpg says of a connection whose end has come and is not seen yet: it can't go on.
_BROKEN = "InternalClientError"


def _outage_of(error: BaseException, file: str) -> DatabaseUnavailableError | None:
    """Return what to raise where the database can't work now, None where it is our mistake."""
    if isinstance(error, DatabaseUnavailableError):
        return error
    reason = _outage_reason(error)
    return DatabaseUnavailableError(reason.format(file=file)) if reason else None


@contextmanager
def as_outages(file: object = "file") -> Iterator[None]:
    """Say in one error that the database can't work, whatever its driver says.

    ``file`` is the path of an SQLite database, which the error names where that is damaged.

    Raises:
        DatabaseUnavailableError: That was the failure.
    """
    try:
        yield
    except Exception as error:
        if (outage := _outage_of(error, str(file))) is None or outage is error:
            raise
        raise outage from error


def is_passing(error: BaseException) -> bool:
    """Return whether a database that can't work now may be one that is being restarted."""
    return str(error) in {_LOST, UNREACHABLE}


def is_slow(error: BaseException) -> bool:
    """Return whether the statement may be why the database can't work, not the database."""
    return str(error) == _SLOW


def breaks_connection(error: BaseException | None) -> bool:
    """Return whether the driver has lost its place in what a connection says."""
    return type(error).__name__ == _BROKEN


def may_run_again(error: BaseException, *, committing: bool) -> bool:
    """Return whether nothing holds of the transaction that ``error`` ended.

    Of one whose connection was lost while it was ``committing``, nobody knows that.
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
        code = getattr(inner, "sqlite_errorcode", None) or 0
        return _SQLITE.get(code & 0xFF, "")
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return _LOST
    state = _sqlstate_of(error)
    known = [length for length in (5, 3, 2) if state[:length] in _POSTGRES]
    return _POSTGRES[state[: known[0]]] if known else ""


def _sqlstate_of(error: BaseException) -> str:
    """Return PostgreSQL's code from the driver's error or SQLAlchemy's; else an empty one."""
    return str(getattr(_driver_error(error), "sqlstate", None) or "")


def _driver_error(error: BaseException) -> BaseException | None:
    return error.orig if isinstance(error, sa.exc.DBAPIError) else error
