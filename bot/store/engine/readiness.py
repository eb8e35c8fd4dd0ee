"""The check of a database before the bot starts. The check does not change the tables."""

import os
from enum import Enum
from pathlib import Path

import sqlalchemy as sa

from bot.domain.errors import DatabaseUnavailableError
from bot.store.engine import private
from bot.store.engine.database import Database, Tx
from bot.store.engine.revisions import is_known_revision, newest_revision, revision_of
from bot.store.engine.sqlite_file import raise_if_wrong_file

_OTHER_PROGRAM = (
    "its table alembic_version belongs to another program: give the bot a database of its own"
)
_WRONG_ENCODING = (
    "its encoding is {encoding}, not UTF8: create a database with the command in docs/replicas.md"
)
_ENCODING = sa.select(sa.func.current_setting("server_encoding"))
_IS_STANDBY = sa.select(sa.func.pg_is_in_recovery())
_REFUSES_WRITES = sa.select(sa.func.current_setting("transaction_read_only") == "on")


class Readiness(Enum):
    """The version of a database's tables compared with the version of the code."""

    EMPTY = "no tables yet"
    OLD = "of an older version: a start migrates it"
    CURRENT = "up to date"
    NEWER = "of a newer version than the code"


async def readiness(db: Database) -> Readiness:
    """Return whether the tables of a database are missing, old, current or too new.

    Raises:
        OSError: The bot can't use the database. The text states the reason without the URL of the
            database.
    """
    try:
        if db.is_sqlite and not _has_writable_file(Path(str(db.url.database))):
            return Readiness.EMPTY
        async with db.read() as tx:
            if not db.is_sqlite:
                await _raise_if_read_only(tx)
            state = await tx.run_sync(_readiness_of)
            if not db.is_sqlite and state in {Readiness.EMPTY, Readiness.OLD}:
                await _raise_if_may_not_make_tables(tx)
            if not db.is_sqlite and state is Readiness.EMPTY:
                await _raise_if_wrong_encoding(tx)
        async with db.begin():
            return state
    except DatabaseUnavailableError as error:
        raise OSError(str(error)) from None
    except sa.exc.SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or error
        raise OSError(str(reason).partition("\n")[0]) from None


async def _raise_if_read_only(tx: Tx) -> None:
    if await tx.scalar(_IS_STANDBY):
        raise PermissionError("it is a standby, which only reads")
    if await tx.scalar(_REFUSES_WRITES):
        raise PermissionError("its transactions only read (default_transaction_read_only is on)")


async def _raise_if_may_not_make_tables(tx: Tx) -> None:
    schema = sa.func.current_schema()
    if not await tx.scalar(sa.select(sa.func.has_schema_privilege(schema, "CREATE"))):
        raise PermissionError("its user may not make tables in it")


async def _raise_if_wrong_encoding(tx: Tx) -> None:
    encoding = await tx.scalar(_ENCODING)
    if encoding != "UTF8":
        raise DatabaseUnavailableError(_WRONG_ENCODING.format(encoding=encoding))


def _has_writable_file(file: Path) -> bool:
    """Return True for a writable file, or False for a missing file that can be created.

    Raises:
        PermissionError: The file is not writable, or can't be created.
        DatabaseUnavailableError: The file can't be a database of the bot.
    """
    raise_if_wrong_file(file)
    if file.exists():
        if not os.access(file, os.W_OK):
            raise PermissionError(f"{file} can't be written{private.other_owner_note(file)}")
        return True
    folder = next(parent for parent in file.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        note = private.other_owner_note(folder)
        raise PermissionError(f"nothing can be written in {folder}{note}")
    return False


def _readiness_of(connection: sa.Connection) -> Readiness:
    revision = revision_of(connection)
    if revision is None:
        return Readiness.EMPTY
    if not sa.inspect(connection).has_table("key_values"):
        raise DatabaseUnavailableError(_OTHER_PROGRAM)
    if revision == newest_revision():
        return Readiness.CURRENT
    return Readiness.OLD if is_known_revision(revision) else Readiness.NEWER
