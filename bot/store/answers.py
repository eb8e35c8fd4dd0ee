"""Cached answers: what the Stories API said, shown again at no cost, also to other replicas."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.engine.database import Tx
from bot.store.engine.schema import Timestamp, insert, metadata

cached_answers = sa.Table(
    "cached_answers",
    metadata,
    sa.Column("key", sa.String(160), primary_key=True),
    sa.Column("value", sa.JSON),
    sa.Column("until", Timestamp, nullable=False, index=True),
)

VERDICT = "verdict:"


_FRESH = sa.select(cached_answers.c.key, cached_answers.c.value).where(
    cached_answers.c.key.in_(sa.bindparam("keys", expanding=True)),
    cached_answers.c.until > sa.bindparam("now"),
)


async def get_fresh(tx: Tx, *keys: str, now: datetime) -> dict[str, Any]:
    """Return the answers under these keys that are fresh, by key."""
    return {row[0]: row[1] for row in await tx.execute(_FRESH, {"keys": keys, "now": now})}


_NEW = insert(cached_answers)
_STORE = _NEW.on_conflict_do_update(
    index_elements=[cached_answers.c.key],
    set_={name: _NEW.excluded[name] for name in ("value", "until")},
)


async def store(tx: Tx, key: str, value: Any, *, until: datetime) -> None:  # noqa: ANN401 - any JSON value
    """Keep the answer under ``key``."""
    await tx.execute(_STORE, {"key": key, "value": value, "until": until})


async def remove(tx: Tx, key: str) -> None:
    """Remove what was answered: it is not so any more."""
    await tx.execute(sa.delete(cached_answers).where(cached_answers.c.key == key))


def verdict_key(username: str) -> str:
    """Return under which key it is kept that a name is nobody's, or its account private."""
    return VERDICT + username
