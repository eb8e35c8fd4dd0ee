"""Definitions shared by all tables: the metadata, INSERT statements and partial indexes.

The module of each entity adds its tables to ``metadata``. ``database.all_tables`` imports all of
these modules.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData(
    # Constraints have names, because a migration can change a constraint only by its name.
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
    """Return the columns of a table with the names of a dataclass's fields, in the same order."""
    return [table.c[name] for name in record.__dataclass_fields__]
