"""The revision of the tables in a database, and the revisions of the migrations in the code.

This module does not import Alembic, because Alembic takes 8 MB of memory and is needed only to
change tables.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import sqlalchemy as sa

MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION = sa.table("alembic_version", sa.column("version_num"))


def known_revisions() -> Sequence[str]:
    """Return the revisions of all migrations, oldest first."""
    return _revisions_in(MIGRATIONS)


@cache
def _revisions_in(folder: Path) -> tuple[str, ...]:
    """Return the revisions of the migrations in a folder, oldest first.

    The revisions are read from the file names, and only once. A running process therefore keeps
    its version when an update of the bot changes the files.
    """
    files = (folder / "versions").glob("[0-9]*.py")
    return tuple(sorted(file.name.partition("_")[0] for file in files))


def newest_revision() -> str:
    """Return the revision of the tables in this version of the code."""
    return known_revisions()[-1]


def is_known_revision(revision: str) -> bool:
    """Return whether this version of the code contains the migration ``revision``."""
    return revision in known_revisions()


def revision_of(connection: sa.Connection) -> str | None:
    """Return the revision of the tables, or None if the database has no revision."""
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    revision: str | None = connection.scalar(sa.select(_VERSION.c.version_num))
    return revision
