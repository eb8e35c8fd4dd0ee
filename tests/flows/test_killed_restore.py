"""A process that is killed while it puts a copy in the place of a PostgreSQL database."""

import asyncio
import os
import sys
from pathlib import Path
from signal import SIGKILL

import pytest
import sqlalchemy as sa

from bot.store.database import Database
from tests.support.control import wait_for
from tests.support.postgres import programs

# pg_restore that gives half of a dump, and kills who reads it. What fills the pipe after that half
# is taken only by a reader that has handed on the half.
KILLS = """#!/bin/sh
case "$*" in *--list*|*--data-only*) exec "{real}" "$@";; esac
"{real}" "$@" > "{half}"
head -n 400 "{half}"
yes ';' | head -c 300000
kill -9 $PPID
"""


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """Name the database; ``db`` empties it."""
    return postgres_url


async def test_a_restore_that_is_killed_changes_nothing(
    tmp_path: Path, postgres_url: str, db: Database
) -> None:
    copy, wrapped = tmp_path / "copy", tmp_path / "bin"
    environment = {
        "TELEGRAM_TOKEN": f"1:{'a' * 35}",
        "STORIES_API_KEY": "key",
        "DATABASE_URL": postgres_url,
        "PATH": f"{programs()[0]}:{os.defpath}",
    }

    async def run(*words: str) -> int:
        one = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *words, env=environment
        )
        return await one.wait()

    async def tables() -> int:
        names = sa.text("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()")
        async with db.read() as tx:
            return int((await tx.execute(names)).scalar_one())

    async def nobody_is_left() -> bool:
        others = sa.text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'psql'")
        async with db.read() as tx:
            return bool((await tx.execute(others)).scalar_one() == 0)

    assert await run("backup", str(copy)) == 0
    before = await tables()
    wrapped.mkdir()
    program = wrapped / "pg_restore"
    program.write_text(KILLS.format(real=programs()[0] / "pg_restore", half=tmp_path / "half"))
    program.chmod(0o700)
    environment["PATH"] = f"{wrapped}:{environment['PATH']}"
    assert await run("restore", str(copy)) == -SIGKILL
    await wait_for(nobody_is_left, what="the end of what was begun")
    assert await tables() == before
    async with db.read() as tx:
        put_aside = sa.text("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'replaced%'")
        assert (await tx.execute(put_aside)).scalar_one() == 0
