"""Leases: what replicas must agree on before they send, one row a limit.

A lease's state is JSON that its owner understands. Who changes it says which version it has read,
and begins anew when another was quicker; who must see several at once holds one first.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.domain.errors import DatabaseUnavailableError
from bot.store.database import Tx, insert_for
from bot.store.schema import EPOCH, Timestamp, metadata

leases = sa.Table(
    "gates",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("state", sa.JSON),
    sa.Column("until", Timestamp, nullable=False, index=True),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
)

Decide = Callable[[Any | None], tuple[Any | None, datetime] | None]
TRIES = 50  # that others may be quicker


async def change(tx: Tx, key: str, decide: Decide) -> None:
    """Replace a lease's state by what ``decide`` makes of it, and keep that until then.

    ``decide`` may be called again, with what another has made of it meanwhile; None leaves it.

    Raises:
        DatabaseUnavailableError: Others were quicker again and again.
    """
    for _ in range(TRIES):
        statement = sa.select(leases.c.state, leases.c.version).where(leases.c.key == key)
        row = (await tx.execute(statement)).one_or_none()
        after = decide(row.state if row else None)
        if after is None or await _swap(tx, key, row.version if row else None, *after):
            return
    raise DatabaseUnavailableError("others were quicker each time")


async def _swap(
    tx: Tx,
    key: str,
    version: int | None,
    state: Any | None,  # noqa: ANN401 - any JSON value
    until: datetime,
) -> bool:
    """Set a lease's state, if its version is still that one (None: there is none)."""
    if version is None:
        new = insert_for(tx)(leases).values(key=key, state=state, until=until, version=1)
        statement = new.on_conflict_do_nothing(index_elements=[leases.c.key])
        return (await tx.execute(statement)).rowcount > 0
    same = sa.and_(leases.c.key == key, leases.c.version == version)
    values = {"state": state, "until": until, "version": version + 1}
    return (await tx.execute(sa.update(leases).where(same).values(values))).rowcount > 0


async def lock(tx: Tx, key: str) -> Any | None:  # noqa: ANN401 - any JSON value
    """Return a lease's state; nobody else may change it before the transaction ends."""
    insert = insert_for(tx)(leases).values(key=key, state=None, until=EPOCH)
    await tx.execute(insert.on_conflict_do_nothing(index_elements=[leases.c.key]))
    statement = sa.select(leases.c.state).where(leases.c.key == key).with_for_update()
    return (await tx.execute(statement)).scalar()


async def peek(tx: Tx, key: str) -> Any | None:  # noqa: ANN401 - any JSON value
    """Return a lease's state without locking it."""
    return (await tx.execute(sa.select(leases.c.state).where(leases.c.key == key))).scalar()


async def peek_all(tx: Tx, keys: Collection[str]) -> dict[str, Any]:
    """Return the states of those leases that exist, by key, without locking them."""
    statement = sa.select(leases.c.key, leases.c.state).where(leases.c.key.in_(keys))
    return {row.key: row.state for row in await tx.execute(statement)}


async def put(tx: Tx, key: str, state: Any, *, until: datetime) -> None:  # noqa: ANN401 - any JSON value
    """Set the state of a lease that nobody has locked; it may be cleaned away after ``until``."""
    values = {"state": state, "until": until}
    insert = insert_for(tx)(leases).values(key=key, **values)
    await tx.execute(
        insert.on_conflict_do_update(
            index_elements=[leases.c.key], set_=values | {"version": leases.c.version + 1}
        )
    )


async def first(tx: Tx, key: str, *, until: datetime) -> bool:
    """Return whether nobody came here before, or so long ago that it was cleaned away."""
    insert = insert_for(tx)(leases).values(key=key, state=None, until=until)
    added = insert.on_conflict_do_nothing(index_elements=[leases.c.key]).returning(leases.c.key)
    return (await tx.execute(added)).scalar() is not None


async def remove(tx: Tx, key: str) -> None:
    """Remove a lease that nobody has locked."""
    await tx.execute(sa.delete(leases).where(leases.c.key == key))


async def write(tx: Tx, key: str, state: Any, *, until: datetime) -> None:  # noqa: ANN401 - any JSON value
    """Set the state of a locked lease; it may be cleaned away after ``until``."""
    await tx.execute(
        sa.update(leases)
        .where(leases.c.key == key)
        .values(state=state, until=until, version=leases.c.version + 1)
    )


async def lead(tx: Tx, key: str, owner: str, *, now: datetime, lease: timedelta) -> bool:
    """Be, or stay, the only one that does what ``key`` names; false while another does."""
    leads = False
    end = now + lease

    def decide(state: Any | None) -> tuple[Any, datetime] | None:  # noqa: ANN401 - any JSON value
        nonlocal leads
        leads = not state or state["owner"] == owner or state["until"] <= now.timestamp()
        return ({"owner": owner, "until": end.timestamp()}, end) if leads else None

    await change(tx, key, decide)
    return leads


async def resign(tx: Tx, key: str, owner: str) -> None:
    """Let another lead at once."""
    await change(
        tx, key, lambda state: (None, EPOCH) if state and state["owner"] == owner else None
    )


async def clean(tx: Tx, *, now: datetime) -> int:
    """Remove leases that have ended; return how many."""
    return (await tx.execute(sa.delete(leases).where(leases.c.until < now))).rowcount
