"""The columns of tables, and the column types for both databases."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from bot.domain.records import EPOCH

_MILLISECOND = timedelta(milliseconds=1)

# In SQLite, only a primary key of type INTEGER is the row id.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""The type of an automatic id.

A table with automatic ids has ``sqlite_autoincrement=True``. Otherwise SQLite gives the id of a
deleted row to a new row. A button, or a send in progress, would then act on the new row.
"""


def automatic_id() -> sa.Column[int]:
    """Return a primary key column for an id that the database generates."""
    return sa.Column("id", BigId, primary_key=True)


def primary_key(name: str, *kind: Any) -> sa.Column[Any]:  # noqa: ANN401 - a type, and perhaps a foreign key
    """Return a primary key column for a value that the bot sets."""
    return sa.Column(name, *kind, primary_key=True, autoincrement=False)


def required(
    name: str,
    *kind: Any,  # noqa: ANN401 - a type, and perhaps a foreign key
    default: str | sa.TextClause | None = None,
    **options: Any,  # noqa: ANN401 - options of the column
) -> sa.Column[Any]:
    """Return a column that is never NULL.

    If an INSERT gives no value for the column, the database stores ``default``.
    """
    return sa.Column(name, *kind, nullable=False, server_default=default, **options)


def counter(name: str) -> sa.Column[int]:
    """Return a column for a number that begins at 0."""
    return required(name, sa.Integer, default="0")


def flag(name: str) -> sa.Column[bool]:
    """Return a column for a boolean that begins as False."""
    return required(name, sa.Boolean, default=sa.text("false"))


def chat_key() -> sa.Column[int]:
    """Return a primary key column for a chat's id. The rows are deleted together with the chat."""
    return primary_key("chat_id", sa.BigInteger, sa.ForeignKey("chats.id", ondelete="CASCADE"))


class Timestamp(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime, stored as integer milliseconds since 1970.

    SQLite does not store the offset of a datetime. Arithmetic with integers is the same on both
    databases.
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
