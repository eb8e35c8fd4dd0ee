"""Small named values that all replicas share, such as the last balance, and leases.

The clean-up deletes a value some time after its expiry (``until``). A row with an ``owner`` is a
lease (``bot.store.leases``).
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.domain.model import Endless
from bot.store.engine import database
from bot.store.engine.columns import Timestamp, primary_key
from bot.store.engine.database import Tx, add_new, delete_rows
from bot.store.engine.prepared import Prepared
from bot.store.engine.schema import metadata

# During an upgrade, old versions of the code read this table. No column may be renamed.
key_values = sa.Table(
    "key_values",
    metadata,
    primary_key("key", sa.String(64)),
    sa.Column("value", sa.JSON),
    sa.Column("owner", sa.String(64)),
    sa.Column("until", Timestamp, index=True),  # None means that the entry never expires.
)
_OF_KEY = sa.select(key_values.c.value).where(key_values.c.key == sa.bindparam("key"))
_GET = Prepared(_OF_KEY)


async def get(tx: Tx, key: str) -> Any | None:  # noqa: ANN401 - any JSON value
    """Return the value of ``key``, or None if the key is missing.

    An expired value is returned until the clean-up deletes the value.
    """
    rows = await _GET.rows(tx, {"key": key})
    return rows[0].value if rows else None


async def lock_or_add(tx: Tx, key: str) -> Any | None:  # noqa: ANN401 - any JSON value
    """Lock and return the value of ``key``. The lock lasts until the transaction ends.

    A missing key is added with the value None.
    """
    await add_new(tx, key_values, key=key, value=None)
    return await tx.scalar(_OF_KEY.with_for_update(), {"key": key})


async def put(tx: Tx, key: str, value: Any, *, until: datetime | Endless = None) -> None:  # noqa: ANN401 - any JSON value
    """Set the value of ``key``. The value expires at ``until``, or never if ``until`` is None."""
    await database.put(tx, key_values, {"key": key}, {"value": value, "until": until})


async def add(tx: Tx, key: str, value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Set the value of ``key`` if the key is missing. Return whether the value was set."""
    return await add_new(tx, key_values, key=key, value=value)


async def remove(tx: Tx, key: str) -> bool:
    """Delete the value of ``key``. Return whether a value existed."""
    return await delete_rows(tx, key_values, key_values.c.key == key) > 0
