"""Cached answers: what the Stories API said, shown again at no cost, also to other replicas.

A row is an answer until ``until``, or in flight: somebody is asking, until ``leased_until``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.store.engine.database import Tx, row_or_none
from bot.store.engine.schema import Timestamp, insert, metadata

cached_answers = sa.Table(
    "cached_answers",
    metadata,
    sa.Column("key", sa.String(160), primary_key=True),
    sa.Column("value", sa.JSON),
    sa.Column("until", Timestamp, nullable=False, index=True),
    sa.Column("leased_until", Timestamp, nullable=False),
)


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer, and until when it may be shown again."""

    value: Any
    until: datetime


_FRESH = sa.select(cached_answers.c.value, cached_answers.c.until).where(
    cached_answers.c.key == sa.bindparam("key"), cached_answers.c.until > sa.bindparam("now")
)


async def get(tx: Tx, key: str, *, now: datetime) -> CachedAnswer | None:
    """Return the answer under ``key`` while it is fresh."""
    return await row_or_none(tx, CachedAnswer, _FRESH, {"key": key, "now": now})


_NEW = insert(cached_answers)
_CLAIM = _NEW.on_conflict_do_update(
    index_elements=[cached_answers.c.key],
    set_={"leased_until": _NEW.excluded.leased_until},
    where=sa.and_(
        cached_answers.c.leased_until <= _NEW.excluded.until,
        cached_answers.c.until <= _NEW.excluded.until,
    ),
).returning(cached_answers.c.key)
_STORE = _NEW.on_conflict_do_update(
    index_elements=[cached_answers.c.key],
    set_={name: _NEW.excluded[name] for name in ("value", "until", "leased_until")},
)


async def claim(tx: Tx, key: str, *, now: datetime, lease: timedelta) -> bool:
    """Become the one who asks for ``key``; false when somebody asks already or has answered."""
    row = {"key": key, "until": now, "leased_until": now + lease}
    return (await tx.execute(_CLAIM, row)).one_or_none() is not None


async def renew(tx: Tx, key: str, *, now: datetime, lease: timedelta) -> None:
    """Stay the one who asks for ``key``."""
    await tx.execute(
        sa.update(cached_answers)
        .where(cached_answers.c.key == key)
        .values(leased_until=now + lease)
    )


async def store(tx: Tx, key: str, value: Any, *, now: datetime, until: datetime) -> None:  # noqa: ANN401 - any JSON value
    """Keep the answer under ``key`` and end its lease."""
    await tx.execute(_STORE, {"key": key, "value": value, "until": until, "leased_until": now})


async def forget(tx: Tx, key: str) -> None:
    """Forget what was answered: it is not so any more."""
    await tx.execute(sa.delete(cached_answers).where(cached_answers.c.key == key))


def verdict_key(username: str) -> str:
    """Return under which key it is kept that a name is nobody's, or its account private."""
    return f"verdict:{username}"
