"""Broadcasts: a message of the owner's to all chats, handed out a few at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from bot.domain.model import Target
from bot.domain.records import BROADCAST
from bot.store import enqueue
from bot.store.chats import IS_ACTIVE, chats
from bot.store.deliveries import deliveries, is_open
from bot.store.engine.database import Tx, row_or_none
from bot.store.engine.schema import BigId, Timestamp, metadata

_KINDS = ("private", "group", "supergroup")  # what stands in a channel is its owner's business

Stage = Literal["draft", "running", "stopped", "done"]

broadcasts = sa.Table(
    "broadcasts",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),  # HTML
    sa.Column("owner", sa.BigInteger, nullable=False),  # whose, and where the progress is shown
    sa.Column("message_id", sa.BigInteger),  # that shows it
    sa.Column("state", sa.String(8), nullable=False, server_default="draft"),
    sa.Column("count", sa.Integer, nullable=False, server_default="0"),  # of chats, at the start
    sa.Column("handed", sa.Integer, nullable=False, server_default="0"),
    sa.Column("last_chat", sa.BigInteger),  # chats are taken in the order of their ids
    sa.Column("made_at", Timestamp, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One broadcast; ``handed`` of its ``count`` chats have it in their queue, or had."""

    id: int
    text: str
    owner: int
    message_id: int | None
    state: Stage
    count: int
    handed: int
    last_chat: int | None


COLUMNS = [broadcasts.c[name] for name in Broadcast.__dataclass_fields__]
_AUDIENCE = sa.and_(IS_ACTIVE, chats.c.kind.in_(_KINDS))


async def count_audience(tx: Tx) -> int:
    """Return how many chats a broadcast would go to."""
    return (
        await tx.execute(sa.select(sa.func.count()).select_from(chats).where(_AUDIENCE))
    ).scalar() or 0


async def add_draft(tx: Tx, text: str, owner: int, *, now: datetime) -> int:
    """Keep a broadcast that is not sent yet; return its number."""
    values = {"text": text, "owner": owner, "made_at": now}
    statement = sa.insert(broadcasts).values(**values).returning(broadcasts.c.id)
    return int((await tx.execute(statement)).scalar_one())


async def oldest_running(tx: Tx) -> Broadcast | None:
    """Return the oldest broadcast that is being handed out."""
    statement = (
        sa.select(*COLUMNS)
        .where(broadcasts.c.state == "running")
        .order_by(broadcasts.c.id)
        .limit(1)
    )
    return await row_or_none(tx, Broadcast, statement)


async def change_state(
    tx: Tx, number: int, *, before: Stage, after: Stage, **values: object
) -> Broadcast | None:
    """Change the state of a broadcast; None where it was not in ``before``."""
    statement = (
        sa.update(broadcasts)
        .where(broadcasts.c.id == number, broadcasts.c.state == before)
        .values(state=after, **values)
        .returning(*COLUMNS)
    )
    return await row_or_none(tx, Broadcast, statement)


async def hand_out(tx: Tx, one: Broadcast, *, limit: int, now: datetime) -> bool:
    """Owe the message to the next chats; false where there are none left.

    Of several processes that try it at once one does it; the others change nothing.
    """
    following = sa.select(chats.c.id).where(_AUDIENCE).order_by(chats.c.id).limit(limit)
    if one.last_chat is not None:
        following = following.where(chats.c.id > one.last_chat)
    rows = list((await tx.execute(following)).scalars())
    if not rows:
        return False
    unchanged = (
        broadcasts.c.last_chat.is_(None)
        if one.last_chat is None
        else broadcasts.c.last_chat == one.last_chat
    )
    taken = await tx.execute(
        sa.update(broadcasts)
        .where(broadcasts.c.id == one.id, broadcasts.c.state == "running", unchanged)
        .values(last_chat=rows[-1], handed=broadcasts.c.handed + len(rows))
    )
    if taken.rowcount:
        fields = {"text": one.text, "id": one.id}
        for chat_id in rows:
            await enqueue.add_notice(tx, Target(chat_id), BROADCAST, fields, now=now)
    return True


async def count_waiting(tx: Tx) -> int:
    """Return how many chats still wait for a broadcast that was handed out."""
    statement = sa.select(sa.func.count()).where(deliveries.c.notice == BROADCAST, is_open)
    return (await tx.execute(statement)).scalar() or 0


async def drop_unsent(tx: Tx, *, now: datetime) -> int:
    """Give up what has not left yet; return how much that was."""
    statement = (
        sa.update(deliveries)
        .where(deliveries.c.notice == BROADCAST, is_open, deliveries.c.copies == 0)
        .values(state="dropped", reason="stopped", done_at=now)
    )
    return (await tx.execute(statement)).rowcount
