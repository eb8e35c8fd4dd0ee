"""Shared fixtures of all tests: empty, migrated databases on both engines, and the sandbox."""

# ruff: noqa: E402 - the clock must be replaced before the other imports
from sandbox import jumping

jumping.install()

import asyncio
import contextlib
import gc
import importlib
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from structlog._config import BoundLoggerLazyProxy

from bot.store.engine.database import Database
from tests.support.database import empty, migrated_copy
from tests.support.postgres import hold_the_clock, postgres
from tests.support.sandbox import Box, sandbox_box
from tests.support.statements import share_compiled_statements

# Each run has the same examples, so failures are reproducible. ``make test-slow`` runs more.
settings.register_profile("thorough", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("quick", settings.get_profile("thorough"), max_examples=25)
settings.load_profile("quick")
hold_the_clock()
share_compiled_statements()
# By default, structlog formats a traceback with all local variables. On a busy machine the format
# takes seconds, and PostgreSQL ends a transaction that is idle meanwhile.
structlog.dev.ConsoleRenderer.get_active().exception_formatter = structlog.dev.plain_traceback

# A transaction that blocks other work fails the test; in production it is only logged. Older code,
# on which ``tools.red`` runs the flows, has no guard.
with contextlib.suppress(ImportError):
    holding = importlib.import_module("bot.runtime.transaction_guard")
    holding.is_strict = True  # type: ignore[attr-defined] # a module found by its name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files that wait in real time first, so that no worker ends with a slow file."""
    real = {
        item.path
        for item in items
        if "flows" in item.path.parts and item.get_closest_marker("jumps") is None
    }
    items.sort(key=lambda item: item.path not in real)


def pytest_collection_finish() -> None:
    """Exclude the imported modules from garbage collection, as the bot does at its start.

    A full collection in a worker with all tests otherwise takes 0.15 s.
    """
    gc.collect()
    gc.freeze()


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run tests with the marker ``jumps`` on a clock that jumps over waits."""
    jumps = item.get_closest_marker("jumps")
    return {"jumping": jumping.JumpingLoop} if jumps else {"real": asyncio.new_event_loop}


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Restore the process's logging configuration after a test."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    structlog.reset_defaults()
    # A logger used with ``cache_logger_on_first_use`` keeps its old configuration.
    for module in list(sys.modules.values()):
        log = vars(module).get("log")
        if isinstance(log, BoundLoggerLazyProxy):
            vars(log).pop("bind", None)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Start a real PostgreSQL server; yield the URL of an empty database."""
    with postgres() as server:
        yield server.url


@pytest.fixture
async def empty_postgres_url(postgres_url: str) -> str:
    """Return the URL of a migrated, empty database on the PostgreSQL server.

    Without this fixture, a bot of an earlier test may have stored updates, and updates with the
    same numbers get no answer.
    """
    async with Database(postgres_url) as database:
        await database.migrate()
        await empty(database)
    return postgres_url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database: first SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bot.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """Open a migrated, empty database; tests with this fixture run on both engines."""
    async with Database(database_url) as database:
        if database.is_sqlite:
            await migrated_copy(Path(str(database.url.database)))
        else:
            await database.migrate()
            await empty(database)
        yield database


@pytest.fixture
async def sqlite_db(tmp_path: Path) -> AsyncIterator[Database]:
    """Open a migrated, empty SQLite database."""
    await migrated_copy(tmp_path / "bot.db")
    async with Database(f"sqlite:///{tmp_path}/bot.db") as database:
        yield database


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    """Run a separate sandbox on free ports."""
    async with sandbox_box() as running:
        yield running
