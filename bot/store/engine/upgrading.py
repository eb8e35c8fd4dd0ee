"""Migrations of the tables with Alembic. A database with current tables needs no migration."""

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bot.domain.errors import DatabaseUnavailableError
from bot.store.engine import revisions

BROKEN = "a migration would leave rows that refer to nothing, so nothing was changed"


def migration_config(connection: sa.Connection, metadata: sa.MetaData) -> Config:
    """Return a configuration for Alembic, which needs no .ini file."""
    config = Config()
    config.set_main_option("script_location", str(revisions.MIGRATIONS))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata
    return config


def upgrade(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """Run all migrations that the database lacks.

    Raises:
        DatabaseUnavailableError: A row of an SQLite database would refer to a missing row. The
            caller must roll the transaction back.
    """
    command.upgrade(migration_config(connection, metadata), "head")
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise DatabaseUnavailableError(f"{BROKEN}: {sorted({row[0] for row in broken})}")
