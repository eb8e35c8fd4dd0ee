"""Copy of an SQLite database into an empty PostgreSQL database in a single transaction.

A mark in the source prevents a start of the bot on the source (``raise_if_moved``). The target
stores the number of the mark with the complete copy.
"""

import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.domain.errors import BackupError, DatabaseUnavailableError
from bot.runtime.transaction_guard import refusing_slow_operations_while
from bot.store import key_values
from bot.store.copies import restored
from bot.store.engine import sqlite_copies
from bot.store.engine.database import Database, RowCount, Tx, all_tables
from bot.store.engine.failures import converting_outage_errors, is_outage
from bot.store.engine.secure_delete import SECURE_DELETE

_MOVED = "moved"  # the key in the source that marks the database as moved
_CAME = "moved_in"  # the key in the target database whose value identifies the completed copy
# The keys in the table of key-value pairs that are not copied. The key "ready" needs no copy,
# because a health check writes the key again.
_NOT_MOVED = frozenset({_MOVED, _CAME, "ready"})
_BATCH = 2_000
_GONE = (
    "what it holds was moved to PostgreSQL, or is about to be: set DATABASE_URL to that database, "
    "or go back with move --undo"
)
_ELSEWHERE = (
    "what it holds was moved into another database already: set DATABASE_URL to that one, or go "
    "back with move --undo first"
)
_REFUSED = (
    "a row of {table} is refused: {reason}. Nothing was copied. To use the SQLite file again, run "
    "storybell move --undo"
)

Row = dict[str, Any]


async def raise_if_moved(db: Database) -> None:
    """Refuse a database whose move to PostgreSQL was begun and not undone.

    Raises:
        DatabaseUnavailableError: The database must not be used, or is unavailable.
    """
    if await db.fetch(lambda tx: key_values.get(tx, _MOVED)) is not None:
        raise DatabaseUnavailableError(_GONE)


async def move_and_count_unless_done(
    source: Database, target: Database, *, now: datetime, report_table: Callable[[str, int], None]
) -> int | None:
    """Mark the source as moved, and copy the rows to the target. Return the number of copied rows.

    Return None if the target has the complete copy of an earlier run. No process may use the
    source or the target during the copy.

    Raises:
        BackupError: The target has other content or refuses a row, the source is damaged or was
            moved into another database, or the counts differ. The source can stay marked as moved.
        DatabaseUnavailableError: The source or the target is unavailable.
    """
    to = f"{target.url.host}:{target.url.port}/{target.url.database}"
    stamp = await source.fetch(lambda tx: key_values.get(tx, _MOVED))
    if stamp and stamp["whole"] and stamp["to"] != to:
        raise BackupError(_ELSEWHERE)
    new = {"number": secrets.token_hex(8), "at": now.isoformat(), "whole": False}
    stamp = new | (stamp or {}) | {"to": to}
    await _stamp_moved(source, stamp)
    async with target.long_transaction() as tx:
        # A bot that starts on the target database waits until this transaction ends.
        rows = await _copy_tables_unless_done(source, tx, stamp, report_table)
    await _stamp_moved(source, stamp | {"whole": True, "committed": True})
    if rows is not None:
        async with target.long_transaction() as tx:
            await tx.execute(sa.text("ANALYZE"))
    return rows


async def _copy_tables_unless_done(
    source: Database,
    tx: Tx,
    stamp: Mapping[str, Any],
    report_table: Callable[[str, RowCount], None],
) -> RowCount | None:
    """Copy all tables into the target, and mark the source as complete. Return the row count.

    Return None if the target has the complete copy of an earlier run.
    """
    if await key_values.get(tx, _CAME) == stamp["number"]:
        return None
    await _raise_if_not_empty(tx)
    rows = 0
    with (
        converting_outage_errors(source.file),
        closing(_open_writable_and_raise_if_damaged(source)) as source_connection,
    ):
        for table in all_tables().sorted_tables:
            count = await _copy_table(source_connection, tx, table)
            report_table(table.name, count)
            rows += count
        await _set_sequences(tx, _last_ids_of(source_connection))
    await key_values.put(tx, _CAME, stamp["number"])
    if stamp.get("committed"):
        # The target has lost the copy of an earlier run, on which the bot may have worked.
        await restored.mark_as_copy(tx, made_at=datetime.fromisoformat(stamp["at"]))
    # The completed mark prevents a copy of the source into a second database. A write to the
    # source is allowed in the transaction of the target, because the source is a different
    # database with its own connections.
    with refusing_slow_operations_while(None):
        await _stamp_moved(source, {**stamp, "whole": True})
    return rows


async def undo_move(source: Database) -> bool:
    """Allow the use of the source again. Return False if the source was not moved.

    After a complete copy, the source starts like a restored backup.

    Raises:
        DatabaseUnavailableError: The source is unavailable.
    """
    async with source.begin() as tx:
        stamp = await key_values.get(tx, _MOVED)
        if stamp is None:
            return False
        await key_values.remove(tx, _MOVED)
        if stamp["whole"]:
            await restored.mark_as_copy(tx, made_at=datetime.fromisoformat(stamp["at"]))
    return True


async def _stamp_moved(source: Database, stamp: dict[str, Any]) -> None:
    async with source.begin() as tx:
        await key_values.put(tx, _MOVED, stamp)


async def _raise_if_not_empty(tx: Tx) -> None:
    for table in all_tables().sorted_tables:
        if await tx.scalar(sa.select(sa.exists().select_from(table))):
            raise BackupError(
                f"there are rows in it already ({table.name}): move into an empty database"
            )


async def _copy_table(source: sqlite3.Connection, tx: Tx, table: sa.Table) -> RowCount:
    """Copy a table. Return the number of rows.

    Raises:
        BackupError: PostgreSQL refuses a row, or the row counts differ.
    """
    values = ", ".join(
        f"CAST(:{column.name} AS JSON)" if _is_json(column) else f":{column.name}"
        for column in table.c
    )
    names = ", ".join(f'"{column.name}"' for column in table.c)
    insert = sa.text(f'INSERT INTO "{table.name}" ({names}) VALUES ({values})')  # noqa: S608 - names of the project's own tables
    count = 0
    rows = _read_rows(source, table)
    while batch := list(islice(rows, _BATCH)):
        try:
            await tx.execute(insert, batch)
        except sa.exc.DBAPIError as error:
            if is_outage(error):
                raise
            # Only the reason is shown, because the text of ``error`` has the values of rows, which
            # are data of people.
            reason = getattr(error.orig, "__cause__", None) or error.orig
            raise BackupError(_REFUSED.format(table=table.name, reason=reason)) from error
        count += len(batch)
    stored = (await tx.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()
    if stored != count:
        raise BackupError(f"the table {table.name} differs: {count} rows here, {stored} there")
    return count


def _open_writable_and_raise_if_damaged(source: Database) -> sqlite3.Connection:
    uri = Path(str(source.url.database)).absolute().as_uri()
    connection = sqlite3.connect(f"{uri}?mode=rw", uri=True, isolation_level=None)
    connection.execute(SECURE_DELETE)
    result = connection.execute("PRAGMA integrity_check").fetchone()[0]
    if result != "ok":
        raise BackupError(sqlite_copies.DAMAGED.format(file=source.file))
    if astray := connection.execute("PRAGMA foreign_key_check").fetchone():
        raise BackupError(f"the source is damaged: a row of {astray[0]} belongs to nothing")
    return connection


def _read_rows(source: sqlite3.Connection, table: sa.Table) -> Iterator[Row]:
    """Yield the rows of a table. The values are converted to the types of PostgreSQL.

    Rows of ``key_values`` with a key in ``_NOT_MOVED`` are left out.
    """
    names = ", ".join(f'"{column.name}"' for column in table.c)
    convert = [_converter_for(column) for column in table.c]
    for row in source.execute(f'SELECT {names} FROM "{table.name}"'):  # noqa: S608 - names of the project's own tables
        values = [
            None if value is None else make(value)
            for make, value in zip(convert, row, strict=True)
        ]
        if table is not key_values.key_values or values[0] not in _NOT_MOVED:
            yield dict(zip(table.c.keys(), values, strict=True))


def _converter_for(column: sa.Column[Any]) -> Callable[[Any], Any]:
    """Return the function that converts a column's SQLite value to a PostgreSQL value."""
    kind = column.type
    if isinstance(kind, sa.Boolean):
        return bool
    if isinstance(kind, sa.Date):
        return date.fromisoformat
    if isinstance(kind, sa.Float):
        return float
    if isinstance(kind, sa.String):
        return _text_without_nul
    return str if _is_json(column) else int


def _text_without_nul(value: object) -> str:
    return str(value).replace("\x00", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL does not store NUL


def _is_json(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.JSON)


def _last_ids_of(source: sqlite3.Connection) -> dict[str, int]:
    """Return the last automatic id of each table, even if the row with this id was deleted.

    Tables that have never had a row are usually omitted.
    """
    return dict(source.execute("SELECT name, seq FROM sqlite_sequence"))


async def _set_sequences(tx: Tx, last_ids: Mapping[str, int]) -> None:
    """Set the sequences of automatic ids to ``last_ids``, so that no id is used again."""
    for table in all_tables().sorted_tables:
        for column in table.primary_key:
            statement = sa.text("SELECT pg_get_serial_sequence(:table, :column)")
            named = {"table": f'"{table.name}"', "column": column.name}
            sequence = await tx.scalar(statement, named)
            last_id = last_ids.get(table.name)
            if sequence and last_id:
                await tx.execute(
                    sa.text("SELECT setval(CAST(:sequence AS regclass), :last_id)"),
                    {"sequence": sequence, "last_id": last_id},
                )
