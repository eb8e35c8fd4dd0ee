"""Mutes: where the bot is still in the chat but may not write, and when that is asked again.

A chat or a topic has a row while a right is missing there, or while the topic (or General) is
closed. What is owed there waits; what lives in other topics goes on.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.domain import alert_rules
from bot.domain.model import Right
from bot.domain.records import Mute
from bot.store.engine.database import Tx, put
from bot.store.engine.schema import Timestamp, chat_key, metadata

mutes = sa.Table(
    "mutes",
    metadata,
    chat_key(),
    sa.Column("thread_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("missing", sa.String(16), nullable=False),
    sa.Column("since", Timestamp, nullable=False),
    sa.Column("probe_at", Timestamp, nullable=False),
    sa.Column("probes", sa.Integer, nullable=False, server_default="0"),
)


COLUMNS = [mutes.c[name] for name in Mute.__dataclass_fields__]
_OF_CHATS = (
    sa.select(*COLUMNS)
    .where(mutes.c.chat_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(mutes.c.chat_id, mutes.c.thread_id)
)


async def of_chats(tx: Tx, chat_ids: Sequence[int]) -> dict[int, tuple[Mute, ...]]:
    """Return the mutes of those chats that have any, the whole chat's first."""
    by_chat: dict[int, tuple[Mute, ...]] = {}
    for row in await tx.execute(_OF_CHATS, {"ids": chat_ids}):
        mute = Mute(*row)
        by_chat[mute.chat_id] = (*by_chat.get(mute.chat_id, ()), mute)
    return by_chat


async def of_chat(tx: Tx, chat_id: int) -> tuple[Mute, ...]:
    """Return the mutes of one chat."""
    return (await of_chats(tx, [chat_id])).get(chat_id, ())


async def mute(tx: Tx, chat_id: int, thread_id: int, missing: Right, *, now: datetime) -> bool:
    """Record that something is missing, and put off the next probe; false when that is known.

    That posts are removed is known when it has happened some times in a row.
    """
    known = [one for one in await of_chat(tx, chat_id) if one.thread_id == thread_id]
    probes = known[0].probes + 1 if known else 0
    together = alert_rules.combine_missing_rights(known[0].missing, missing) if known else missing
    values = {
        "missing": together,
        "probe_at": alert_rules.recheck_right_at(now, probes, together),
        "probes": probes,
    }
    key = {"chat_id": chat_id, "thread_id": thread_id}
    await put(tx, mutes, key, values, new={"since": now})
    if together == "peace":
        return probes + 1 == alert_rules.MAX_REMOVALS
    return not known or known[0].missing != together


async def unmute(tx: Tx, chat_id: int, thread_id: int | None = None) -> bool:
    """Forget a mute, or all of a chat; false when there was none."""
    which: list[Any] = [mutes.c.chat_id == chat_id]
    if thread_id is not None:
        which.append(mutes.c.thread_id == thread_id)
    return (await tx.execute(sa.delete(mutes).where(*which))).rowcount > 0
