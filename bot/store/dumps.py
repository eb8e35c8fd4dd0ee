"""Copies of a PostgreSQL database, by PostgreSQL's own programs: pg_dump, pg_restore, psql.

The address that they are given holds no password: that goes by their environment, which only the
same user can read (https://www.postgresql.org/docs/current/libpq-envars.html).
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, TypeVar

import sqlalchemy as sa

from bot.domain.errors import BackupError
from bot.store import compatibility, private
from bot.store.database import LIBPQ, MIGRATING, NOT_OURS, Database, Tx, all_tables
from bot.store.sqlite_copies import MARK, heed

T = TypeVar("T")
_STOP_EVERY = 100_000  # lines, after which a stop is heard
_NOT_HERE = (
    "is not installed: it comes with PostgreSQL's client programs (postgresql-client on Debian)"
)
HEAD = 100  # lines of a dump in which its settings stand
# What a newer pg_dump writes at the head and an older server does not know, and what only the
# owner of a schema may say of it.
_LEFT_OUT = (b"SET transaction_timeout", b"COMMENT ON SCHEMA")
COPY = re.compile(rb'COPY (?:"?\w+"?\.)?"?(\w+)"? ')
_LISTED = re.compile(r"^\d+; \d+ \d+ TABLE (\S+) (\S+) ", re.MULTILINE)
_VERSIONS = "alembic_version"
_PROGRAMS = ("pg_dump", "pg_restore", "psql")


def lacking() -> str:
    """Return in a sentence which of PostgreSQL's programs is not here; empty where all are."""
    missing = next((one for one in _PROGRAMS if shutil.which(one) is None), "")
    return missing and f"{missing} {_NOT_HERE}"


@dataclass(frozen=True, slots=True)
class Programs:
    """PostgreSQL's programs, and how they reach one database."""

    address: str
    environment: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, db: Database) -> "Programs":
        """Return them for ``db``."""
        url = db.direct
        known = {*LIBPQ, *NOT_OURS, "host", "port"}
        environment = {"HOME": str(Path.home()), "PATH": os.defpath, "LC_ALL": "C"}
        if url.password:
            environment["PGPASSWORD"] = str(url.password)
        plain = sa.URL.create(
            "postgresql",
            username=url.username,
            host=url.host,
            port=url.port,
            database=url.database,
            query={name: value for name, value in url.query.items() if name in known},
        )
        return cls(plain.render_as_string(), environment)

    @contextmanager
    def running(
        self, name: str, *words: str, stdin: int | None = None, stdout: int = subprocess.DEVNULL
    ) -> Iterator["Program"]:
        """Run one for the block, at whose end it must have ended well; killed where it fails."""
        path = shutil.which(name)
        if path is None:
            raise BackupError(f"{name} {_NOT_HERE}")
        with tempfile.TemporaryFile() as complaints:
            one = subprocess.Popen(  # noqa: S603 - counted by its name, no shell
                [path, *words],
                env=self.environment,
                stdin=stdin,
                stdout=stdout,
                stderr=complaints,
            )
            try:
                yield Program(name, one, complaints)
            except BaseException:
                one.kill()
                raise
            finally:
                for pipe in (one.stdin, one.stdout):
                    if pipe:
                        with suppress(BrokenPipeError):
                            pipe.close()
                one.wait()

    def output(self, name: str, *words: str) -> str:
        """Return what one prints."""
        with self.running(name, *words, stdout=subprocess.PIPE) as one:
            text = one.output.read().decode(errors="replace")
            one.end(threading.Event())
        return text


@dataclass(frozen=True, slots=True)
class Program:
    """A program that runs."""

    name: str
    process: "subprocess.Popen[bytes]"
    complaints: IO[bytes]

    @property
    def output(self) -> IO[bytes]:
        """Return what it prints."""
        return self._pipe(self.process.stdout)

    def lines(self, stop: threading.Event) -> Iterator[bytes]:
        """Yield what it prints, line by line.

        Raises:
            BackupError: ``stop`` was set.
        """
        for number, line in enumerate(self.output):
            if number % _STOP_EVERY == 0:
                heed(stop)
            yield line

    @property
    def input(self) -> IO[bytes]:
        """Return what it reads."""
        return self._pipe(self.process.stdin)

    def end(self, stop: threading.Event) -> None:
        """Wait until it has ended.

        Raises:
            BackupError: It failed, or ``stop`` was set.
        """
        while True:
            heed(stop)
            try:
                status = self.process.wait(timeout=0.2)
                break
            except subprocess.TimeoutExpired:
                continue
        if status:
            raise self.failure()

    def failure(self) -> BackupError:
        """Return why it failed, in its own words."""
        self.complaints.seek(0)
        said = self.complaints.read().decode(errors="replace").strip().splitlines()
        prefix = f"{self.name}: "
        why = said[0] if said else f"it ended with {self.process.returncode}"
        return BackupError(prefix + why.removeprefix(prefix).removeprefix("error: "))

    def _pipe(self, pipe: IO[bytes] | None) -> IO[bytes]:
        if pipe is None:
            raise AssertionError(self.name)
        return pipe


async def dump(db: Database, target: Path) -> dict[str, int]:
    """Write all of a database, as it is at one moment, into a new file; return its rows.

    The file is read again, and has the rows that were there.

    Raises:
        BackupError: A program is missing or fails, or the file is not whole.
        OSError: Nothing can be written.
    """
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    private.create(part)
    programs = Programs.of(db)
    try:
        async with db.session() as tx:
            schema, snapshot, rows = await _snapshot(tx)
            words = ["--format=custom", f"--schema={schema}", f"--snapshot={snapshot}"]
            words += ["--no-owner", "--no-privileges", f"--file={part}", programs.address]
            await _in_thread(lambda stop: _run(programs, stop, "pg_dump", *words))
        counted = await _in_thread(lambda stop: _rows_in(programs, part, stop))
        if counted != rows:
            off = sorted(name for name in rows if counted.get(name) != rows[name])
            raise BackupError(f"the copy has not all rows of {', '.join(off)}")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return rows


async def revision_in(db: Database, file: Path) -> str | None:
    """Return the revision of the tables in a dump; None where it holds none of ours.

    Raises:
        BackupError: It is no dump, or not whole.
    """
    return await _in_thread(lambda _: _revision_in(Programs.of(db), file))


async def restore(db: Database, file: Path, *, made_at: datetime, now: datetime) -> str | None:
    """Put what a dump holds in the place of our tables, in one transaction, marked as a copy.

    Tables that were there go into a schema of their own, whose name is returned; None where there
    were none. A process that starts meanwhile waits.

    Raises:
        BackupError: A program is missing or fails; nothing was changed.
    """
    programs = Programs.of(db)
    listed = await _in_thread(lambda _: programs.output("pg_restore", "--list", str(file)))
    theirs = {table for _, table in _LISTED.findall(listed)}
    async with db.read() as tx:
        schema = str((await tx.execute(sa.text("SELECT current_schema()"))).scalar_one())
        there = await _tables(tx)
    old = sorted(there & (theirs | set(all_tables().tables) | {_VERSIONS, compatibility.TABLE}))
    aside = f"replaced_{now:%Y%m%d_%H%M%S}" if old else None
    head = ["BEGIN;", f"SELECT pg_advisory_xact_lock({MIGRATING});"]
    if aside:
        head.append(f'CREATE SCHEMA "{aside}";')
        head += [f'ALTER TABLE "{schema}"."{one}" SET SCHEMA "{aside}";' for one in old]
    mark = json.dumps(made_at.isoformat())
    tail = (
        f'INSERT INTO "{schema}".notes (key, value, at)'  # noqa: S608 - all of it is ours
        f" VALUES ('{MARK}', '{mark}', {round(now.timestamp() * 1000)}) ON CONFLICT DO NOTHING;"
        "\nCOMMIT;"
    )
    await _in_thread(lambda stop: _restore(programs, file, "\n".join(head), tail, stop))
    return aside


def _restore(programs: Programs, file: Path, head: str, tail: str, stop: threading.Event) -> None:
    # Not --single-transaction: that commits what came when the input ends, also because we were
    # killed in the middle. The COMMIT at the end of ``tail`` is the only one.
    into = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"]
    read = ["--no-owner", "--no-privileges", "-f", "-", str(file)]
    # Whatever fails here ends psql before it commits.
    with (
        programs.running("psql", *into, programs.address, stdin=subprocess.PIPE) as psql,
        programs.running("pg_restore", *read, stdout=subprocess.PIPE) as source,
    ):
        try:
            psql.input.write(f"{head}\n".encode())
            for number, line in enumerate(source.lines(stop)):
                psql.input.write(_fitting(line) if number < HEAD else line)
            source.end(stop)
            psql.input.write(f"{tail}\n".encode())
            psql.input.close()
        except BrokenPipeError:
            psql.process.wait()
            raise psql.failure() from None
        psql.end(stop)


def _fitting(line: bytes) -> bytes:
    """Return a line from the head of a dump as it suits a database that has its schema."""
    if line.startswith(_LEFT_OUT):
        return b"\n"
    return re.sub(rb"^CREATE SCHEMA (?!IF)", b"CREATE SCHEMA IF NOT EXISTS ", line)


async def _snapshot(tx: Tx) -> tuple[str, str, dict[str, int]]:
    """Return our schema, a moment that pg_dump can share, and the rows of that moment."""
    await tx.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    schema = str((await tx.execute(sa.text("SELECT current_schema()"))).scalar_one())
    snapshot = str((await tx.execute(sa.text("SELECT pg_export_snapshot()"))).scalar_one())
    rows = {}
    for table in sorted(await _tables(tx)):
        count = sa.select(sa.func.count()).select_from(sa.table(table, schema=schema))
        rows[table] = int((await tx.execute(count)).scalar_one())
    return schema, snapshot, rows


async def _tables(tx: Tx) -> set[str]:
    names = sa.text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    return set((await tx.execute(names)).scalars())


def _run(programs: Programs, stop: threading.Event, name: str, *words: str) -> None:
    with programs.running(name, *words) as one:
        one.end(stop)


def _rows_in(programs: Programs, file: Path, stop: threading.Event) -> dict[str, int]:
    """Read a dump to its end; return how many rows it has of each table."""
    rows: dict[str, int] = {}
    table = ""
    words = ["--data-only", "-f", "-", str(file)]
    with programs.running("pg_restore", *words, stdout=subprocess.PIPE) as one:
        for line in one.lines(stop):
            if table:
                if line == b"\\.\n":
                    table = ""
                else:
                    rows[table] += 1
            elif match := COPY.match(line):
                table = match[1].decode()
                rows[table] = 0
        one.end(stop)
    return rows


def _revision_in(programs: Programs, file: Path) -> str | None:
    words = ["--data-only", f"--table={_VERSIONS}", "-f", "-", str(file)]
    lines = iter(programs.output("pg_restore", *words).splitlines())
    return next((next(lines, None) for line in lines if line.startswith("COPY ")), None)


async def _in_thread(work: Callable[[threading.Event], T]) -> T:
    """Run ``work`` in a thread; when we are cancelled, it is told to stop."""
    stop = threading.Event()
    try:
        return await asyncio.to_thread(work, stop)
    finally:
        stop.set()
