"""Generate the next migration from the tables in the code.

Call the program as ``python -m tools.migration "what changes"``. With ``--anew``, the program
generates the migration ``0001`` again, because only a single migration exists before the first
release.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.operations.ops import CreateIndexOp

from bot.store.engine.database import all_tables
from bot.store.engine.upgrading import migration_config

VERSIONS = Path("bot/store/engine/migrations/versions")


def write(message: str, *, is_first: bool = False) -> None:
    """Generate a migration from the differences between the code's tables and all migrations."""
    number = f"{len(list(VERSIONS.glob('0*.py'))) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        engine = sa.create_engine(f"sqlite:///{folder}/empty.db")
        with engine.begin() as connection:
            config = migration_config(connection, all_tables())
            command.upgrade(config, "head")
            command.revision(
                config,
                message,
                autogenerate=True,
                rev_id=number,
                process_revision_directives=_with_expressions if is_first else None,
            )
        engine.dispose()


def _with_expressions(_context: object, _revision: object, directives: list[Any]) -> None:
    """Add the indexes on expressions, which Alembic cannot compare on SQLite."""
    expressions = (sa.TextClause, sa.Function)
    for table in all_tables().sorted_tables:
        for index in table.indexes:
            if any(isinstance(part, expressions) for part in index.expressions):
                directives[0].upgrade_ops.ops.append(CreateIndexOp.from_index(index))


if __name__ == "__main__":
    if sys.argv[1:] == ["--anew"]:
        for written in VERSIONS.glob("0*.py"):
            written.unlink()
        write("First tables", is_first=True)
    else:
        write(" ".join(sys.argv[1:]) or "tables")
