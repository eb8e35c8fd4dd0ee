"""One process alone has an SQLite file; nothing else is locked."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.domain.errors import DatabaseUnavailableError
from bot.store.engine.database import MIGRATING, Database
from bot.store.engine.lock import locked_sqlite_file
from tests.support.control import wait_for
from tests.support.postgres import connected

AT_ONCE = timedelta(0)


async def test_a_wait_for_another_process_is_logged_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    with capture_logs() as logs:
        async with locked_sqlite_file(url, wait=AT_ONCE):
            with pytest.raises(DatabaseUnavailableError):
                async with locked_sqlite_file(url, wait=timedelta(seconds=0.5)):
                    pass
    assert [one["event"] for one in logs] == ["waiting for another process on this database file"]


async def test_a_wait_for_the_migration_of_another_process_is_logged(postgres_url: str) -> None:
    async with Database(postgres_url) as db, connected(postgres_url) as other:
        await other.execute(f"SELECT pg_advisory_lock({MIGRATING})")
        with capture_logs() as logs:
            async with asyncio.TaskGroup() as group:
                group.create_task(db.migrate())
                await wait_for(lambda: logs, within=5, what="the line")
                await other.execute(f"SELECT pg_advisory_unlock({MIGRATING})")
    assert "waiting for another process that prepares" in logs[0]["event"]


async def test_one_process_alone_has_a_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/deep/bot.db"
    async with locked_sqlite_file(url, wait=AT_ONCE):
        with pytest.raises(DatabaseUnavailableError, match="another process"):
            async with locked_sqlite_file(url, wait=timedelta(seconds=0.3)):
                pass
    async with (
        locked_sqlite_file(url, wait=AT_ONCE),
        locked_sqlite_file("sqlite:///:memory:", wait=AT_ONCE),
        locked_sqlite_file("postgresql://nobody@x/y", wait=AT_ONCE),
    ):
        pass
