"""Lanes: one a chat, with the time when something is due there next.

Who claims a lane sends alone into that chat until the lease ends. Whoever changes what is due in
a chat takes its lane first (``hold``) and settles it after.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.domain.records import Delivery, Lane
from bot.store import chats, deliveries, mutes
from bot.store.database import Insert, Tx, built_once, insert_for, tell
from bot.store.deliveries import is_open, overdue_at, waits_for_earlier
from bot.store.schema import Timestamp, metadata

COMPARED = 100  # lanes of which the one with the fewest copies is taken
DUE = "storybell_due"  # the channel that tells other processes of what became due

lanes = sa.Table(
    "lanes",
    metadata,
    sa.Column(
        "chat_id",
        sa.BigInteger,
        sa.ForeignKey("chats.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("due_at", Timestamp),  # None: nothing is owed
    sa.Column("free_at", Timestamp, nullable=False),  # until then leased, or told to wait
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),  # who claimed last
    sa.Column("leased", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("flood", sa.JSON),  # what Telegram has had of late from all replicas
    sa.Column("flood_version", sa.BigInteger, nullable=False, server_default="0"),
)


# When a lane can be claimed: when it is due and, later perhaps, free.
CLAIMABLE_AT = sa.case((lanes.c.free_at > lanes.c.due_at, lanes.c.free_at), else_=lanes.c.due_at)
IS_DUE = lanes.c.due_at.is_not(None)
# Of an index on this, the first rows are the answer: no statistics can make a bad plan of that.
sa.Index(
    "ix_lanes_claimable",
    sa.text("(CASE WHEN free_at > due_at THEN free_at ELSE due_at END)"),
    _table=lanes,
    postgresql_where=sa.text("due_at IS NOT NULL"),
    sqlite_where=sa.text("due_at IS NOT NULL"),
)


# Built once: to build them takes longer than to run them.
_CHATS: sa.BindParameter[Any] = sa.bindparam("chat_ids", expanding=True)
_CAN_BE_CLAIMED = sa.and_(IS_DUE, sa.bindparam("now", type_=Timestamp) >= CLAIMABLE_AT)
WAITING = (
    sa.select(lanes.c.chat_id)
    .where(_CAN_BE_CLAIMED)
    .order_by(CLAIMABLE_AT)
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True)
)
_LONGEST_DUE = (
    sa.select(lanes.c.chat_id)
    .where(_CAN_BE_CLAIMED)
    .order_by(CLAIMABLE_AT)
    .limit(COMPARED)
    .subquery()
)
LEAST_COPIES = (
    sa.select(lanes.c.chat_id)
    .where(_CAN_BE_CLAIMED, lanes.c.chat_id.in_(sa.select(_LONGEST_DUE.c.chat_id)))
    .order_by(
        sa.select(sa.func.coalesce(sa.func.max(deliveries.deliveries.c.copies), 99))
        .where(deliveries.deliveries.c.chat_id == lanes.c.chat_id, is_open)
        .scalar_subquery(),
        CLAIMABLE_AT,
    )
    .limit(1)
    .with_for_update(skip_locked=True)
)
CLAIMED = (
    sa.update(lanes)
    .where(lanes.c.chat_id.in_(_CHATS))
    .values(free_at=sa.bindparam("until"), token=lanes.c.token + 1, leased=True)
    .returning(lanes.c.chat_id, lanes.c.token)
)
DUE_NEXT = sa.select(CLAIMABLE_AT).where(IS_DUE).order_by(CLAIMABLE_AT).limit(1)
HELD = (
    sa.select(lanes.c.chat_id, lanes.c.token, lanes.c.leased)
    .where(lanes.c.chat_id.in_(_CHATS))
    .order_by(lanes.c.chat_id)
    .with_for_update()
)
# What waits for an earlier one goes with it, or when it has waited long enough.
_GOES_AT = sa.case(
    (waits_for_earlier(deliveries.deliveries.c.due_at), overdue_at()),
    else_=deliveries.deliveries.c.due_at,
)
_NEXT_DUE = (
    sa.select(sa.func.min(_GOES_AT))
    .join(chats.chats, chats.chats.c.id == deliveries.deliveries.c.chat_id)
    .where(
        deliveries.deliveries.c.chat_id == lanes.c.chat_id,
        is_open,
        chats.chats.c.state == "active",
    )
)
SETTLED = (
    sa.update(lanes).where(lanes.c.chat_id.in_(_CHATS)).values(due_at=_NEXT_DUE.scalar_subquery())
)
FREED = SETTLED.values(free_at=sa.bindparam("until"), leased=False)


async def claim(tx: Tx, *, now: datetime, limit: int, lease: timedelta) -> list[Lane]:
    """Take the lanes where something is due, longest overdue first, for ``lease``."""
    return await _claim(tx, WAITING, {"now": now, "most": limit}, lease)


async def claim_least(tx: Tx, *, now: datetime, lease: timedelta) -> list[Lane]:
    """Take the lane, of some, whose rows may be in its chat the fewest times already."""
    return await _claim(tx, LEAST_COPIES, {"now": now}, lease)


async def _claim(
    tx: Tx, waiting: sa.Select[Any], where: Mapping[str, Any], lease: timedelta
) -> list[Lane]:
    """Take the lanes that ``waiting`` finds, and read what is due in them."""
    now: datetime = where["now"]
    ids = list((await tx.execute(waiting, where)).scalars())
    if not ids:
        return []
    claimed = await tx.execute(CLAIMED, {"chat_ids": ids, "until": now + lease})
    tokens = {row.chat_id: row.token for row in claimed}
    rows: dict[int, list[Delivery]] = {chat_id: [] for chat_id in tokens}
    for delivery in await deliveries.due(tx, list(tokens), now=now):
        rows[delivery.target.chat_id].append(delivery)
    found = await chats.get_all(tx, list(tokens))
    muted = await mutes.of_chats(tx, list(tokens))
    return [Lane(chat, tokens[chat.id], rows[chat.id], muted.get(chat.id, ())) for chat in found]


async def ensure(tx: Tx, chat_id: int, *, now: datetime) -> None:
    """Give a chat its lane, where it has none: who follows somebody has one to be held."""
    insert = insert_for(tx)(lanes).values(chat_id=chat_id, free_at=now)
    await tx.execute(insert.on_conflict_do_nothing(index_elements=["chat_id"]))


async def hold(tx: Tx, chat_id: int) -> int | None:
    """Keep a chat's lane from all others until this transaction ends; return its token."""
    return (await hold_all(tx, [chat_id])).get(chat_id)


async def hold_all(tx: Tx, chat_ids: Collection[int]) -> dict[int, int]:
    """Keep the lanes of many chats, in the order of their ids; return their tokens."""
    held = await tx.execute(HELD, {"chat_ids": list(chat_ids)})
    return {row.chat_id: row.token for row in held}


async def is_held_by(tx: Tx, chat_id: int, token: int) -> bool:
    """Keep a chat's lane as ``hold`` does; return whether who claimed it has it still."""
    held = (await tx.execute(HELD, {"chat_ids": [chat_id]})).first()
    return held is not None and held.token == token and held.leased


async def settle(tx: Tx, chat_id: int, *, free_at: datetime | None = None) -> None:
    """Write down when something is due next in a chat whose lane is held.

    ``free_at`` ends the lease, then or later; a chat where the bot may not write is due never.
    """
    await settle_all(tx, [chat_id], free_at=free_at)


async def settle_all(
    tx: Tx, chat_ids: Collection[int], *, free_at: datetime | None = None
) -> None:
    """Settle many lanes alike."""
    if chat_ids and free_at is not None:
        await tx.execute(FREED, {"chat_ids": list(chat_ids), "until": free_at})
    elif chat_ids:
        await tx.execute(SETTLED, {"chat_ids": list(chat_ids)})


async def rest(tx: Tx, chat_id: int, *, until: datetime) -> None:
    """Let nothing be sent into a chat before that; what is leased stays so."""
    free = sa.and_(lanes.c.leased.is_(False), lanes.c.free_at < until)
    await tx.execute(
        sa.update(lanes).where(lanes.c.chat_id == chat_id, free).values(free_at=until)
    )


async def free(tx: Tx, chat_ids: Collection[int], *, now: datetime) -> None:
    """Let chats that were told to wait wait no longer; what is leased stays so."""
    statement = sa.update(lanes).where(lanes.c.chat_id.in_(chat_ids), lanes.c.leased.is_(False))
    await tx.execute(statement.values(free_at=now))


async def keep(tx: Tx, chat_id: int, token: int, *, until: datetime) -> bool:
    """Make a lease longer; false when it is lost."""
    statement = (
        sa.update(lanes)
        .where(lanes.c.chat_id == chat_id, lanes.c.token == token)
        .values(free_at=until)
    )
    return (await tx.execute(statement)).rowcount > 0


async def due_next(tx: Tx) -> datetime | None:
    """Return when the next lane can be claimed: when it is due and, later perhaps, free."""
    due: datetime | None = (await tx.execute(DUE_NEXT)).scalar()
    return due


async def wake(tx: Tx, chat_id: int, *, due_at: datetime, now: datetime) -> None:
    """Let a chat's lane be due at ``due_at``, unless it is so sooner."""
    insert = insert_for(tx)(lanes).values(chat_id=chat_id, due_at=due_at, free_at=now)
    await wake_all(tx, insert)


async def wake_all(
    tx: Tx,
    insert: Any,  # noqa: ANN401 - either dialect's insert
    values: Mapping[str, Any] | None = None,
) -> None:
    """Insert lanes; those that are there are due when the insert says, unless they are sooner."""
    later = sa.or_(lanes.c.due_at.is_(None), lanes.c.due_at > insert.excluded.due_at)
    due_at = sa.case((later, insert.excluded.due_at), else_=lanes.c.due_at)
    await tx.execute(
        insert.on_conflict_do_update(index_elements=["chat_id"], set_={"due_at": due_at}), values
    )
    await tell(tx, DUE)


_FLOOD = (
    sa.select(lanes.c.flood, sa.func.coalesce(lanes.c.flood_version, 0))
    .select_from(chats.chats.outerjoin(lanes, lanes.c.chat_id == chats.chats.c.id))
    .where(chats.chats.c.id == sa.bindparam("chat_id", type_=sa.BigInteger))
)


@built_once
def _count_flood(insert: Insert) -> sa.Executable:
    new = sa.select(
        chats.chats.c.id,
        sa.bindparam("now", type_=Timestamp),
        sa.bindparam("state", type_=sa.JSON),
        sa.bindparam("next", type_=sa.BigInteger),
    ).where(chats.chats.c.id == sa.bindparam("chat_id", type_=sa.BigInteger))
    statement = insert(lanes).from_select(["chat_id", "free_at", "flood", "flood_version"], new)
    row = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["chat_id"],
        set_={"flood": row.flood, "flood_version": row.flood_version},
        where=lanes.c.flood_version == row.flood_version - 1,
    ).returning(lanes.c.chat_id)


async def flood(tx: Tx, chat_id: int) -> tuple[Any | None, int] | None:
    """Return what counts against a chat's flood limits, and its version.

    None where nothing is known of the chat.
    """
    row = (await tx.execute(_FLOOD, {"chat_id": chat_id})).one_or_none()
    return None if row is None else (row[0], int(row[1]))


async def set_flood(tx: Tx, chat_id: int, state: Any, version: int, *, now: datetime) -> bool:  # noqa: ANN401 - any JSON value
    """Replace what counts against a chat's limits, if its version is still that one."""
    values = {"chat_id": chat_id, "state": state, "next": version + 1, "now": now}
    return (await tx.execute(_count_flood(tx), values)).one_or_none() is not None
