"""Gates: what replicas must agree on before they send, one row a limit.

A gate's state is JSON that its owner understands; who reads it to change it holds the row.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.store.database import Tx, insert_for
from bot.store.schema import EPOCH, Timestamp, metadata

gates = sa.Table(
    "gates",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("state", sa.JSON),
    sa.Column("until", Timestamp, nullable=False, index=True),
)


async def hold(tx: Tx, key: str) -> Any | None:  # noqa: ANN401 - any JSON value
    """Return a gate's state; nobody else may change it before the transaction ends."""
    insert = insert_for(tx)(gates).values(key=key, state=None, until=EPOCH)
    await tx.execute(insert.on_conflict_do_nothing(index_elements=[gates.c.key]))
    found = sa.select(gates.c.state).where(gates.c.key == key).with_for_update()
    return (await tx.execute(found)).scalar()


async def peek(tx: Tx, key: str) -> Any | None:  # noqa: ANN401 - any JSON value
    """Return a gate's state without holding it."""
    return (await tx.execute(sa.select(gates.c.state).where(gates.c.key == key))).scalar()


async def peek_all(tx: Tx, keys: Collection[str]) -> dict[str, Any]:
    """Return the states of those gates that there are, by key, without holding them."""
    found = sa.select(gates.c.key, gates.c.state).where(gates.c.key.in_(keys))
    return {row.key: row.state for row in await tx.execute(found)}


async def put(tx: Tx, key: str, state: Any, *, until: datetime) -> None:  # noqa: ANN401 - any JSON value
    """Set the state of a gate that nobody holds; it may be cleaned away after ``until``."""
    values = {"state": state, "until": until}
    insert = insert_for(tx)(gates).values(key=key, **values)
    await tx.execute(insert.on_conflict_do_update(index_elements=[gates.c.key], set_=values))


async def first(tx: Tx, key: str, *, until: datetime) -> bool:
    """Return whether nobody came here before, or so long ago that it was cleaned away."""
    insert = insert_for(tx)(gates).values(key=key, state=None, until=until)
    added = insert.on_conflict_do_nothing(index_elements=[gates.c.key]).returning(gates.c.key)
    return (await tx.execute(added)).scalar() is not None


async def remove(tx: Tx, key: str) -> None:
    """Remove a gate that nobody holds."""
    await tx.execute(sa.delete(gates).where(gates.c.key == key))


async def keep(tx: Tx, key: str, state: Any, *, until: datetime) -> None:  # noqa: ANN401 - any JSON value
    """Set a held gate's state; it may be cleaned away after ``until``."""
    await tx.execute(sa.update(gates).where(gates.c.key == key).values(state=state, until=until))


async def lead(tx: Tx, key: str, owner: str, *, now: datetime, lease: timedelta) -> bool:
    """Be, or stay, the only one that does what ``key`` names; false while another does."""
    state = await hold(tx, key)
    if state and state["owner"] != owner and state["until"] > now.timestamp():
        return False
    end = now + lease
    await keep(tx, key, {"owner": owner, "until": end.timestamp()}, until=end)
    return True


async def resign(tx: Tx, key: str, owner: str) -> None:
    """Let another lead at once."""
    state = await hold(tx, key)
    if state and state["owner"] == owner:
        await tx.execute(sa.delete(gates).where(gates.c.key == key))


async def clean(tx: Tx, *, now: datetime) -> int:
    """Remove gates that hold nobody any more; return how many."""
    return (await tx.execute(sa.delete(gates).where(gates.c.until < now))).rowcount
