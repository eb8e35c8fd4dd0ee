"""All that an SQLite file holds, moved into a PostgreSQL database, by steps that can be resumed.

Rows go in batches, each in one transaction with how far it has come (``MOVING``), so that a kill
repeats and misses none. Nothing runs on either database before both have the same rows: a note in
the file (``_MOVED``) and ``MOVING`` in the other refuse a start (``check``). The note says whether
all is there: from then on the bot may run on that database, so that no other may be moved into.
"""

import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.domain.errors import BackupError, DatabaseUnavailableError
from bot.store import key_values, restored
from bot.store.database import Database, Tx, all_tables

MOVING = "moving"  # in the target: from where, and how far
_READY = "ready"  # which a probe of health writes
_MOVED = "moved"  # in the source: that it is given up, or will be
_CAME = "moved_in"  # in the target, when all is there
_OURS = frozenset({MOVING, _MOVED, _READY, _CAME})  # which are not moved, or compared
_BATCH = 2_000
_HALF = "a move into it was begun and not finished: run move again"
_GONE = (
    "what it holds was moved to PostgreSQL, or is about to be: set DATABASE_URL to that database, "
    "or go back with move --undo"
)

_ELSEWHERE = (
    "what it holds was moved into another database already: set DATABASE_URL to that one, or go "
    "back with move --undo first"
)

Values = tuple[Any, ...]


async def check(db: Database) -> None:
    """Refuse a database that was moved away, or that another is half moved into.

    Raises:
        DatabaseUnavailableError: It must not be used.
    """
    async with db.read() as tx:
        if await key_values.get(tx, _MOVED) is not None:
            raise DatabaseUnavailableError(_GONE)
        if await key_values.get(tx, MOVING) is not None:
            raise DatabaseUnavailableError(_HALF)


async def move(
    source: Database,
    target: Database,
    *,
    now: datetime,
    tell: Callable[[str, int], None],
    batch: int = _BATCH,
) -> int | None:
    """Move all rows, and compare them; return how many there are, None when it was done before.

    Nobody may use either database.

    ``tell`` hears the name and the rows of each table that is there as it should be.

    Raises:
        BackupError: The target holds something else, the source is damaged, or they differ.
        DatabaseUnavailableError: One of them can't work now; another call goes on.
    """
    kept = await source.fetch(lambda tx: key_values.get(tx, _MOVED))
    number = await _begin(target, kept, now=now)
    if number is None:
        return None
    if kept is None or kept["number"] != number:
        kept = {"number": number, "at": now.isoformat(), "whole": False}
    async with source.begin() as tx:  # nothing runs on it from now on
        await key_values.put(tx, _MOVED, kept, now=now)
    rows = 0
    with closing(_opened(source)) as there:
        _check(there)
        for table in all_tables().sorted_tables:
            await _copy(there, target, table, number, now=now, size=batch)
        for table in all_tables().sorted_tables:
            mine, theirs = _summed(_read(there, table)), await _sum_of(target, table, batch)
            if mine != theirs:
                raise BackupError(
                    f"the table {table.name} differs: {mine[0]} rows here, {theirs[0]} there"
                )
            tell(table.name, mine[0])
            rows += mine[0]
    async with source.begin() as tx:  # before the other may be used
        await key_values.put(tx, _MOVED, kept | {"whole": True}, now=now)
    async with target.session() as tx:
        await _set_sequences(tx)
        await tx.execute(sa.text("ANALYZE"))
        await key_values.remove(tx, MOVING)
        await key_values.put(tx, _CAME, number, now=now)
    return rows


async def undo(source: Database, *, now: datetime) -> bool:
    """Let the source be used again; false where it was not given up.

    Where all was moved, the bot may have run on the target since, so the source goes on as an old
    copy does: it says nothing twice.
    """
    async with source.begin() as tx:
        kept = await key_values.get(tx, _MOVED)
        if kept is None:
            return False
        await key_values.remove(tx, _MOVED)
        if kept["whole"]:
            await restored.mark(tx, made_at=datetime.fromisoformat(kept["at"]), now=now)
    return True


async def _begin(target: Database, known: dict[str, Any] | None, *, now: datetime) -> str | None:
    """Begin, or go on; return the number of the move, None where it is done already.

    ``known`` is what the source says. A move of which the source knows that it went elsewhere and
    no further has another number then, so that what came of it there is never used.

    Raises:
        BackupError: All went elsewhere, where the bot may run.
    """
    number = str(known["number"]) if known else None
    async with target.session() as tx:
        if number and await key_values.get(tx, _CAME) == number:
            return None
        kept = await key_values.get(tx, MOVING)
        if number and kept and kept["number"] == number:
            return number
        if known and known["whole"]:
            raise BackupError(_ELSEWHERE)
        number = secrets.token_hex(8)
        if kept:  # half of another, on which nothing ever ran
            names = ", ".join(f'"{name}"' for name in all_tables().tables)
            await tx.execute(sa.text(f"TRUNCATE {names}"))
        else:
            for table in all_tables().sorted_tables:
                if (await tx.execute(sa.select(sa.exists().select_from(table)))).scalar():
                    raise BackupError(
                        f"there are rows in it already ({table.name}): move into an empty database"
                    )
        await key_values.put(tx, MOVING, {"number": number, "done": [], "after": None}, now=now)
        return number


async def _copy(
    source: sqlite3.Connection,
    target: Database,
    table: sa.Table,
    number: str,
    *,
    now: datetime,
    size: int,
) -> None:
    """Move what is left of one table, ``size`` rows in a transaction."""
    progress = await target.fetch(lambda tx: key_values.get(tx, MOVING))
    if progress is None or table.name in progress["done"]:
        return
    values = ", ".join(
        f"CAST(:{one.name} AS JSON)" if _is_json(one) else f":{one.name}" for one in table.c
    )
    names = ", ".join(f'"{one.name}"' for one in table.c)
    insert = sa.text(f'INSERT INTO "{table.name}" ({names}) VALUES ({values})')  # noqa: S608 - names of ours
    keys = [list(table.c.keys()).index(one.name) for one in table.primary_key]
    rows = _read(source, table, after=progress["after"])
    is_last = False
    while not is_last:
        batch = [row for _, row in zip(range(size), rows, strict=False)]
        is_last = len(batch) < size
        if is_last:
            progress["done"].append(table.name)
        progress["after"] = None if is_last else [_plain(batch[-1][key]) for key in keys]
        async with target.begin() as tx:
            kept = await key_values.get(tx, MOVING)
            if kept is None or kept["number"] != number:
                raise BackupError("another move goes into this database")
            if batch:
                named = [dict(zip(table.c.keys(), row, strict=True)) for row in batch]
                await tx.execute(insert, named)
            await key_values.put(tx, MOVING, progress, now=now)


def _opened(source: Database) -> sqlite3.Connection:
    uri = Path(str(source.url.database)).absolute().as_uri()
    return sqlite3.connect(f"{uri}?mode=rw", uri=True, isolation_level=None)


def _check(source: sqlite3.Connection) -> None:
    result = source.execute("PRAGMA integrity_check").fetchone()[0]
    if result != "ok":
        raise BackupError(f"the source is damaged: {result}")
    if astray := source.execute("PRAGMA foreign_key_check").fetchone():
        raise BackupError(f"the source is damaged: a row of {astray[0]} belongs to nothing")


def _read(
    source: sqlite3.Connection, table: sa.Table, *, after: Sequence[Any] | None = None
) -> Iterator[Values]:
    """Yield the rows of a table in the order of its key, as PostgreSQL shall have them."""
    names = ", ".join(f'"{one.name}"' for one in table.c)
    keys = ", ".join(f'"{one.name}"' for one in table.primary_key)
    where = f" WHERE ({keys}) > ({', '.join('?' * len(after))})" if after else ""
    statement = f'SELECT {names} FROM "{table.name}"{where} ORDER BY {keys}'  # noqa: S608 - names of ours
    convert = [_conversion(one) for one in table.c]
    for row in source.execute(statement, after or ()):
        result = tuple(
            None if value is None else make(value)
            for make, value in zip(convert, row, strict=True)
        )
        if table is not key_values.key_values or result[0] not in _OURS:
            yield result


def _conversion(column: sa.Column[Any]) -> Callable[[Any], Any]:
    """Return what makes PostgreSQL's value of what stands in SQLite's file."""
    kind = column.type
    if isinstance(kind, sa.Boolean):
        return bool
    if isinstance(kind, sa.Date):
        return date.fromisoformat
    if isinstance(kind, sa.Float):
        return float
    if isinstance(kind, sa.String):
        return _text
    return str if _is_json(column) else int


def _text(value: object) -> str:
    return str(value).replace("\x00", "\N{REPLACEMENT CHARACTER}")  # which PostgreSQL has not


def _is_json(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.JSON)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _summed(rows: Iterator[Values]) -> tuple[int, int]:
    """Return how many rows there are, and a sum of them, whatever their order."""
    count = total = 0
    for row in rows:
        count += 1
        total += int.from_bytes(blake2b(repr(row).encode(), digest_size=8).digest())
    return count, total


async def _sum_of(target: Database, table: sa.Table, size: int) -> tuple[int, int]:
    names = ", ".join(
        f'"{one.name}"::text' if _is_json(one) else f'"{one.name}"' for one in table.c
    )
    count = total = 0
    async with target.session() as tx:
        rows = await tx.stream(sa.text(f'SELECT {names} FROM "{table.name}"'))  # noqa: S608 - names of ours
        async for part in rows.partitions(size):
            some = (tuple(row) for row in part)
            if table is key_values.key_values:
                some = (row for row in some if row[0] not in _OURS)
            more = _summed(some)
            count, total = count + more[0], total + more[1]
    return count, total


async def _set_sequences(tx: Tx) -> None:
    """Let the numbers of new rows follow those that are there."""
    for table in all_tables().sorted_tables:
        for column in table.primary_key:
            statement = sa.text("SELECT pg_get_serial_sequence(:table, :column)")
            named = {"table": f'"{table.name}"', "column": column.name}
            sequence = (await tx.execute(statement, named)).scalar()
            highest = (await tx.execute(sa.select(sa.func.max(column)))).scalar()
            if sequence and highest is not None:
                await tx.execute(
                    sa.text("SELECT setval(CAST(:sequence AS regclass), :highest)"),
                    {"sequence": sequence, "highest": highest},
                )
