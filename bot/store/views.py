"""Views: answers of the Stories API that are shown again at no cost, also to other replicas.

A row is an answer until ``until``, or a flight: somebody is asking, until ``leased_until``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.store.database import Tx, insert_for
from bot.store.schema import Timestamp, metadata

views = sa.Table(
    "views",
    metadata,
    sa.Column("key", sa.String(160), primary_key=True),
    sa.Column("value", sa.JSON),
    sa.Column("until", Timestamp, nullable=False, index=True),
    sa.Column("leased_until", Timestamp, nullable=False),
)


@dataclass(frozen=True, slots=True)
class View:
    """An answer, and until when it may be shown again."""

    value: Any
    until: datetime


async def get(tx: Tx, key: str, *, now: datetime) -> View | None:
    """Return the answer under ``key`` while it is fresh."""
    statement = sa.select(views.c.value, views.c.until).where(
        views.c.key == key, views.c.until > now
    )
    row = (await tx.execute(statement)).one_or_none()
    return View(row.value, row.until) if row else None


async def take_off(tx: Tx, key: str, *, now: datetime, lease: timedelta) -> bool:
    """Become the one who asks for ``key``; false when somebody is on the way or has landed."""
    insert = insert_for(tx)(views).values(key=key, until=now, leased_until=now + lease)
    statement = insert.on_conflict_do_update(
        index_elements=[views.c.key],
        set_={"leased_until": now + lease},
        where=sa.and_(views.c.leased_until <= now, views.c.until <= now),
    ).returning(views.c.key)
    return (await tx.execute(statement)).one_or_none() is not None


async def land(tx: Tx, key: str, value: Any, *, now: datetime, until: datetime) -> None:  # noqa: ANN401 - any JSON value
    """Keep the answer under ``key`` and end the flight."""
    insert = insert_for(tx)(views).values(key=key, value=value, until=until, leased_until=now)
    await tx.execute(
        insert.on_conflict_do_update(
            index_elements=[views.c.key],
            set_={"value": value, "until": until, "leased_until": now},
        )
    )


async def release(tx: Tx, *, now: datetime) -> None:
    """End all flights: right where one process alone uses the database, at its start."""
    await tx.execute(sa.update(views).where(views.c.leased_until > now).values(leased_until=now))


async def clean(tx: Tx, *, now: datetime) -> int:
    """Delete what is no longer fresh; return how many."""
    statement = sa.delete(views).where(views.c.until <= now, views.c.leased_until <= now)
    return (await tx.execute(statement)).rowcount
