"""Mutes: chats and topics in which the bot lacks a right, and closed topics.

While a mute exists, alerts that need the right are deferred, and the bot checks the right from
time to time.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.domain import alert_rules
from bot.domain.model import Right
from bot.domain.records import Mute
from bot.store.engine.columns import Timestamp, chat_key, counter, primary_key, required
from bot.store.engine.database import Tx, all_rows, delete_rows, put
from bot.store.engine.schema import columns_of, metadata

mutes = sa.Table(
    "mutes",
    metadata,
    chat_key(),
    primary_key("thread_id", sa.BigInteger),
    required("missing", sa.String(16)),
    required("since", Timestamp),
    required("probe_at", Timestamp),
    counter("probes"),
)


MustNotify = bool
"""True if people must be notified of a missing right."""

COLUMNS = columns_of(mutes, Mute)
_OF_CHATS = (
    sa.select(*COLUMNS)
    .where(mutes.c.chat_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(mutes.c.chat_id, mutes.c.thread_id)
)


async def of_chats(tx: Tx, chat_ids: Sequence[int]) -> dict[int, tuple[Mute, ...]]:
    """Return the mutes of chats, by chat id. Chats without a mute are left out.

    If the bot lacks a right in a whole chat, this mute comes before the mutes of the topics.
    """
    by_chat: dict[int, tuple[Mute, ...]] = {}
    for mute in await all_rows(tx, Mute, _OF_CHATS, {"ids": chat_ids}):
        by_chat[mute.chat_id] = (*by_chat.get(mute.chat_id, ()), mute)
    return by_chat


async def of_chat(tx: Tx, chat_id: int) -> tuple[Mute, ...]:
    """Return the mutes of one chat."""
    return (await of_chats(tx, [chat_id])).get(chat_id, ())


async def record_missing_right(
    tx: Tx, chat_id: int, thread_id: int, missing: Right, *, now: datetime
) -> MustNotify:
    """Record a missing right, and plan the next check of the right.

    Return True if the recorded right is new or has changed. For the right "peace", return True
    only for the third consecutive record.
    """
    known = [mute for mute in await of_chat(tx, chat_id) if mute.thread_id == thread_id]
    together = alert_rules.combine_missing_rights(known[0].missing, missing) if known else missing
    has_changed = not known or known[0].missing != together
    probes = 0 if has_changed else known[0].probes + 1
    values = {
        "missing": together,
        "probe_at": alert_rules.recheck_right_at(now, probes, together),
        "probes": probes,
    }
    key = {"chat_id": chat_id, "thread_id": thread_id}
    await put(tx, mutes, key, values, new={"since": now})
    # The right "peace" is missing if another bot removes the posts. After the third removal, the
    # alerts pause for a day.
    if together == "peace":
        return probes + 1 == alert_rules.MAX_REMOVALS
    return has_changed


async def unmute(tx: Tx, chat_id: int, thread_id: int | None = None) -> bool:
    """Delete the mute of ``thread_id``, or all mutes of a chat if ``thread_id`` is None.

    Return False if no mute existed.
    """
    conditions: list[Any] = [mutes.c.chat_id == chat_id]
    if thread_id is not None:
        conditions.append(mutes.c.thread_id == thread_id)
    return await delete_rows(tx, mutes, *conditions) > 0
