"""Definitions shared by all tables: the metadata, and column types for both databases.

The file of each entity defines tables on ``metadata``. ``database.all_tables`` imports all
entities.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect

from bot.domain.records import EPOCH

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

_MILLISECOND = timedelta(milliseconds=1)

# In SQLite, only a primary key of type INTEGER is the row id.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""The type of an automatic id.

A table with automatic ids has ``sqlite_autoincrement=True``. Otherwise SQLite gives the id of a
deleted row to a new row. A button, or a send in progress, would then act on the new row.
"""


def partial_index(where: str | sa.ColumnElement[bool]) -> dict[str, Any]:
    """Return the options of a partial index for both databases.

    ``where`` is the condition that selects the rows of the index.
    """
    condition = sa.text(where) if isinstance(where, str) else where
    return {"postgresql_where": condition, "sqlite_where": condition}


def columns_of(table: sa.Table, record: type[Any]) -> list[sa.Column[Any]]:
    """Return the columns of a table that have the names of the fields of a dataclass."""
    return [table.c[name] for name in record.__dataclass_fields__]


def chat_key() -> sa.Column[int]:
    """Return a primary key column for a chat's id. A row is deleted together with its chat."""
    chat = sa.ForeignKey("chats.id", ondelete="CASCADE")
    return sa.Column("chat_id", sa.BigInteger, chat, primary_key=True, autoincrement=False)


class Timestamp(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime, stored as integer milliseconds since 1970.

    An integer is used because SQLite does not store the offset of a datetime, and because
    arithmetic with integers is the same on SQLite and PostgreSQL.
    """

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Convert an aware datetime to milliseconds.

        Raises:
            ValueError: The datetime is naive, which indicates a bug.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone can't be stored")
        return (value - EPOCH) // _MILLISECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Convert milliseconds to an aware UTC datetime."""
        return None if value is None else EPOCH + value * _MILLISECOND
