"""Write the next migration from the tables: ``python -m tools.migration "what changes"``."""

import sys
import tempfile
from pathlib import Path

import sqlalchemy as sa
from alembic import command

from bot.store.database import migration_config

VERSIONS = Path("bot/store/migrations/versions")


def write(message: str) -> None:
    """Compare the tables of the code with those of all migrations; write what is missing."""
    number = f"{len(list(VERSIONS.glob('0*.py'))) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        engine = sa.create_engine(f"sqlite:///{folder}/empty.db")
        with engine.begin() as connection:
            config = migration_config(connection)
            command.upgrade(config, "head")
            command.revision(config, message, autogenerate=True, rev_id=number)
        engine.dispose()


if __name__ == "__main__":
    write(" ".join(sys.argv[1:]) or "tables")
