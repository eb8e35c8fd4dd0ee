"""Small named values that all replicas share (the stop switch, sums, the last balance)."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.database import Tx, add_new, insert_for
from bot.store.schema import Timestamp, metadata

key_values = sa.Table(
    "notes",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
    sa.Column("at", Timestamp, nullable=False),
)


async def get(tx: Tx, key: str) -> Any | None:  # noqa: ANN401 - any JSON value
    """Return the value under ``key``, None when there is none."""
    return (
        await tx.execute(sa.select(key_values.c.value).where(key_values.c.key == key))
    ).scalar()


async def put(tx: Tx, key: str, value: Any, *, now: datetime) -> None:  # noqa: ANN401 - any JSON value
    """Set the value under ``key``."""
    insert = insert_for(tx)(key_values).values(key=key, value=value, at=now)
    await tx.execute(
        insert.on_conflict_do_update(
            index_elements=[key_values.c.key], set_={"value": value, "at": now}
        )
    )


async def add(tx: Tx, key: str, value: Any, *, now: datetime) -> bool:  # noqa: ANN401 - any JSON value
    """Set the value under ``key`` where there is none; return whether it was set."""
    return await add_new(tx, key_values, key=key, value=value, at=now)


async def remove(tx: Tx, key: str) -> bool:
    """Forget the value under ``key``; return whether there was one."""
    removed = sa.delete(key_values).where(key_values.c.key == key).returning(key_values.c.key)
    return (await tx.execute(removed)).scalar() is not None
