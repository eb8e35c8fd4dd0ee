"""Definitions shared by all tables: the metadata, INSERT statements and partial indexes.

The file of each entity defines tables on ``metadata``. ``database.all_tables`` imports all
entities.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData(
    # Constraints have names, because a migration needs the name to change a constraint. SQLite
    # rebuilds the table for such a change.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    },
)

Insert = postgresql.Insert
insert = postgresql.insert
"""An INSERT with ON CONFLICT for both databases. SQLite's syntax equals PostgreSQL's."""


def partial_index(where: str | sa.ColumnElement[bool]) -> dict[str, Any]:
    """Return the options of a partial index for both databases.

    ``where`` is the condition that selects the rows of the index.
    """
    condition = sa.text(where) if isinstance(where, str) else where
    return {"postgresql_where": condition, "sqlite_where": condition}


def columns_of(table: sa.Table, record: type[Any]) -> list[sa.Column[Any]]:
    """Return the columns of a table that have the names of the fields of a dataclass."""
    return [table.c[name] for name in record.__dataclass_fields__]
