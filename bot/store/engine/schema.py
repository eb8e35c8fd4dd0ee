"""What every table shares: the metadata, and column types that mean the same on both databases.

Each entity's file defines its own on ``metadata``; ``database.all_tables`` imports them all.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect

from bot.domain.records import EPOCH

metadata = sa.MetaData(
    # Names are needed to change a constraint later (SQLite rebuilds the table for that).
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
"""An INSERT that knows ON CONFLICT, for both: SQLite has that from PostgreSQL, word for word."""

_MILLISECOND = timedelta(milliseconds=1)

# An automatic id: SQLite makes only a plain INTEGER the row's own number.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def partial_index(where: str | sa.ColumnElement[bool]) -> dict[str, Any]:
    """Return what makes an index partial, of these rows alone, on both databases."""
    condition = sa.text(where) if isinstance(where, str) else where
    return {"postgresql_where": condition, "sqlite_where": condition}


def chat_key() -> sa.Column[int]:
    """Return the part of a key that is a chat's id: such rows go with the chat."""
    chat = sa.ForeignKey("chats.id", ondelete="CASCADE")
    return sa.Column("chat_id", sa.BigInteger, chat, primary_key=True, autoincrement=False)


class Timestamp(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime, kept as integer milliseconds since 1970.

    SQLite forgets the offset of a datetime, and arithmetic on integers is the same everywhere.
    """

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Refuse naive datetimes; they hide a bug."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone can't be stored")
        return (value - EPOCH) // _MILLISECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Give back an aware UTC datetime."""
        return None if value is None else EPOCH + value * _MILLISECOND
