"""SQL statements: a record of the executed statements, and one cache of compiled statements.

SQLAlchemy compiles each statement once per engine. Each test opens at least one engine, so a tenth
of the tests' CPU time was spent on the same statements. The cache is shared by all databases of a
process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache

_LIMIT = 5000  # statements; SQLAlchemy's own limit per engine is 500
_compiled: LRUCache[Any, Any] = LRUCache(_LIMIT)


class _Shared:
    """Makes all dialects of a class one key of the cache, because their SQL is the same."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        """Use the shared cache. SQLAlchemy calls this function for each new engine."""
        engine.update_execution_options(compiled_cache=_compiled)


class SharedSQLite(_Shared, SQLiteDialect_aiosqlite):
    """The dialect of SQLite with the shared cache."""

    supports_statement_cache = True  # SQLAlchemy wants this line in each class


class SharedPostgreSQL(_Shared, PGDialect_asyncpg):
    """The dialect of PostgreSQL with the shared cache."""

    supports_statement_cache = True


def share_compiled_statements() -> None:
    """Use the shared cache for all engines that this process creates from now on."""
    registry.register("sqlite.aiosqlite", __name__, SharedSQLite.__name__)
    registry.register("postgresql.asyncpg", __name__, SharedPostgreSQL.__name__)


@contextmanager
def recorded_statements(prefix: str = "") -> Iterator[list[str]]:
    """Record the statements that this process executes in the block and that have the prefix."""
    statements: list[str] = []

    def record(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(prefix):
            statements.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", record)
