"""Views: answers of the Stories API that are shown again at no cost, also to other replicas.

A row is an answer until ``until``, or a flight: somebody is asking, until ``leased_until``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.store.database import Insert, Tx, built_once
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


FRESH = sa.select(views.c.value, views.c.until).where(
    views.c.key == sa.bindparam("key"), views.c.until > sa.bindparam("now")
)


async def get(tx: Tx, key: str, *, now: datetime) -> View | None:
    """Return the answer under ``key`` while it is fresh."""
    row = (await tx.execute(FRESH, {"key": key, "now": now})).one_or_none()
    return View(row.value, row.until) if row else None


@built_once
def _take_off(insert: Insert) -> sa.Executable:
    statement = insert(views)
    row = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[views.c.key],
        set_={"leased_until": row.leased_until},
        where=sa.and_(views.c.leased_until <= row.until, views.c.until <= row.until),
    ).returning(views.c.key)


async def take_off(tx: Tx, key: str, *, now: datetime, lease: timedelta) -> bool:
    """Become the one who asks for ``key``; false when somebody is on the way or has landed."""
    row = {"key": key, "until": now, "leased_until": now + lease}
    return (await tx.execute(_take_off(tx), row)).one_or_none() is not None


async def keep_flying(tx: Tx, key: str, *, now: datetime, lease: timedelta) -> None:
    """Stay the one who asks for ``key``."""
    await tx.execute(sa.update(views).where(views.c.key == key).values(leased_until=now + lease))


@built_once
def _land(insert: Insert) -> sa.Executable:
    statement = insert(views)
    names = ("value", "until", "leased_until")
    return statement.on_conflict_do_update(
        index_elements=[views.c.key], set_={name: statement.excluded[name] for name in names}
    )


async def land(tx: Tx, key: str, value: Any, *, now: datetime, until: datetime) -> None:  # noqa: ANN401 - any JSON value
    """Keep the answer under ``key`` and end the flight."""
    row = {"key": key, "value": value, "until": until, "leased_until": now}
    await tx.execute(_land(tx), row)


async def clean(tx: Tx, *, now: datetime) -> int:
    """Delete what is no longer fresh; return how many."""
    statement = sa.delete(views).where(views.c.until <= now, views.c.leased_until <= now)
    return (await tx.execute(statement)).rowcount
