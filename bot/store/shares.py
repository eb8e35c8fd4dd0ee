"""Shares: a check's credits, split evenly among the chats that wait for the profile."""

from datetime import datetime

import sqlalchemy as sa

from bot.store.chats import chats
from bot.store.database import Tx, insert_for
from bot.store.subscriptions import subscriptions
from bot.store.usage import usage_days


async def split(tx: Tx, profile_id: str, amount: int, *, now: datetime) -> None:
    """Book ``amount`` credits on all chats that wait for a profile; no thousandth is lost."""
    waiting = (
        sa.select(subscriptions.c.chat_id)
        .join(chats, chats.c.id == subscriptions.c.chat_id)
        .where(
            subscriptions.c.profile_id == profile_id,
            subscriptions.c.paused.is_(False),
            chats.c.state == "active",
        )
        .distinct()
        .subquery()
    )
    count = (await tx.execute(sa.select(sa.func.count()).select_from(waiting))).scalar() or 0
    if not count or not amount:
        return
    part, rest = divmod(amount * 1000, count)
    place = sa.func.row_number().over(order_by=waiting.c.chat_id)
    zero = sa.literal(0)
    source = sa.select(
        waiting.c.chat_id,
        sa.literal(now.date(), sa.Date),
        sa.literal("alert"),
        zero,
        zero,
        zero,
        part + sa.case((place <= rest, 1), else_=0),
    ).where(sa.true())
    names = ["chat_id", "day", "kind", "requests", "items", "bytes", "millicredits"]
    insert = insert_for(tx)(usage_days).from_select(names, source.order_by(waiting.c.chat_id))
    added = usage_days.c.millicredits + insert.excluded.millicredits
    await tx.execute(
        insert.on_conflict_do_update(
            index_elements=["chat_id", "day", "kind"], set_={"millicredits": added}
        )
    )
