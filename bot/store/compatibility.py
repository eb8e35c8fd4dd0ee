"""Which code the tables serve: a migration of tomorrow says so to the code of today.

The tables name the oldest code that may work on them, by the newest migration that it knows. So
replicas are updated one after the other: the first of the new ones migrates, and the old ones,
which don't know what was added, go on and may start again.
"""

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

TABLE = "compatibility"
"""Not among the tables of the code: it tells of them, as ``alembic_version`` does."""

_table = sa.table(TABLE, sa.column("oldest_code", sa.String))


def revision_of(connection: sa.Connection) -> str | None:
    """Return the revision of the tables; None where there are none."""
    return MigrationContext.configure(connection).get_current_revision()


def is_known(revision: str, scripts: ScriptDirectory) -> bool:
    """Return whether this version of the code has the migration ``revision``."""
    return any(script.revision == revision for script in scripts.walk_revisions())


def serves(connection: sa.Connection, scripts: ScriptDirectory) -> bool:
    """Return whether tables of a newer version serve this version of the code."""
    if not sa.inspect(connection).has_table(TABLE):
        return False
    oldest = connection.execute(sa.select(_table.c.oldest_code)).scalar()
    return oldest is not None and is_known(str(oldest), scripts)
