"""Cached answers of the Stories API, which all replicas share.

A repeated use of a cached answer costs 0 credits.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.engine.columns import Timestamp, primary_key, required
from bot.store.engine.database import Tx, delete_rows, dict_of_rows
from bot.store.engine.prepared import Prepared
from bot.store.engine.schema import insert, metadata

cached_answers = sa.Table(
    "cached_answers",
    metadata,
    primary_key("key", sa.String(160)),
    sa.Column("value", sa.JSON),
    required("until", Timestamp, index=True),
)

VERDICT = "verdict:"


_FRESH = sa.select(cached_answers.c.key, cached_answers.c.value).where(
    cached_answers.c.key.in_(sa.bindparam("keys", expanding=True)),
    cached_answers.c.until > sa.bindparam("now"),
)


async def get_fresh(tx: Tx, *keys: str, now: datetime) -> dict[str, Any]:
    """Return the unexpired answers for ``keys``, by key."""
    return await dict_of_rows(tx, _FRESH, {"keys": keys, "now": now})


_NEW = insert(cached_answers)
_STORE = Prepared(
    _NEW.on_conflict_do_update(
        index_elements=[cached_answers.c.key],
        set_={name: _NEW.excluded[name] for name in ("value", "until")},
    )
)


async def store(tx: Tx, key: str, value: Any, *, until: datetime) -> None:  # noqa: ANN401 - any JSON value
    """Store the answer for ``key``. The answer expires at ``until``."""
    await _STORE.execute(tx, {"key": key, "value": value, "until": until})


async def remove(tx: Tx, key: str) -> None:
    """Remove an answer that is outdated."""
    await delete_rows(tx, cached_answers, cached_answers.c.key == key)


def refusal_key(username: str) -> str:
    """Return the key of the cached answer that a username is not found, private or refused."""
    return VERDICT + username
