"""The erasure of the data of a chat on request.

Bills are kept without the id of the chat and, for a private chat, of the person.
"""

import secrets
from collections.abc import Collection
from datetime import datetime

from bot.store import (
    access,
    acquaintances,
    chat_queues,
    chats,
    deliveries,
    ended_subscriptions,
    inbox,
    key_values,
    ledger,
    subscriptions,
)
from bot.store.engine.database import Tx, all_tables, column_values, delete_rows, update_rows

# The rows of these tables are not deleted, because the sums of credits must stay correct. Only the
# id of the chat and, for a private chat, the id of the person are removed from the rows.
_BILLS = frozenset({"ledger_entries"})
_PEOPLE = frozenset({"user_id", "created_by"})


_CHECKPOINT_MARK = "checkpoint"
"""The key of a mark. The mark exists while the database's log still contains erased content."""


async def pending_checkpoint_mark(tx: Tx) -> str | None:
    """Return the mark of the last erasure whose content is still in the database's log, or None.

    A checkpoint of the log removes the content.
    """
    mark = await key_values.get(tx, _CHECKPOINT_MARK)
    return None if mark is None else str(mark)


async def remove_checkpoint_mark(tx: Tx, mark: str) -> None:
    """Remove the mark of an erasure after a checkpoint of the database's log.

    If a later erasure has replaced ``mark`` by its own mark, the new mark stays.
    """
    if await pending_checkpoint_mark(tx) == mark:
        await key_values.remove(tx, _CHECKPOINT_MARK)


async def erase_chat(tx: Tx, chat_id: int, *, now: datetime) -> None:
    """Erase the data of a chat, except bills, permissions, blocks, counters and broadcasts.

    Bills lose the id of the chat, and permissions lose the name. Unfinished updates stay. The
    person in a private chat is also erased as creator, inviter and payer. A group opens if only a
    block of its payer had closed the group. On SQLite, a checkpoint must follow
    (``pending_checkpoint_mark``).
    """
    paid = await _lock_chat_and_paid_groups(tx, chat_id, now=now)
    # The access list is locked before subscriptions, and subscriptions are locked before profiles
    # (see ``bot.store``, the order of locks).
    await access.erase_name_and_language(tx, chat_id)
    await access.erase_inviter_and_giver_of_access(tx, chat_id)
    await _remove_payer_and_open_groups(tx, paid, now=now)
    await subscriptions.lock_of_chats(tx, [chat_id], creator=chat_id)
    followed = await subscriptions.remove_of_chat_and_return_profile_ids(tx, chat_id)
    await subscriptions.forget_creator(tx, chat_id)
    await ended_subscriptions.forget_creator(tx, chat_id)
    for group in paid:
        followed += [row.profile_id for row in await subscriptions.of_chat(tx, group)]
    await subscriptions.start_or_stop_checks(tx, profile_ids=followed, now=now)
    moved = chats.moved_chats
    # Work that was in progress when a group became a supergroup is recorded under the old id.
    ids = [chat_id, *await column_values(tx, moved.c.old_id, moved.c.new_id == chat_id)]
    for number in ids:
        await ledger.move_chat(tx, number, ledger.NOBODY)
        await inbox.clear_chat_of_finished(tx, number)
        await chats.set_question(tx, number, None)
    await acquaintances.remove(tx, ids)
    for table in reversed(all_tables().sorted_tables):
        if "chat_id" in table.c and table.name not in _BILLS:
            await delete_rows(tx, table, table.c.chat_id.in_(ids))
        # The id of a private chat is also the id of the person in the chat. The rows of groups may
        # contain this id as the id of a person.
        for name in _PEOPLE & set(table.c.keys()):
            await update_rows(tx, table, table.c[name] == chat_id, **{name: None})
    await delete_rows(tx, moved, (moved.c.old_id == chat_id) | (moved.c.new_id == chat_id))
    await delete_rows(tx, chats.chats, chats.chats.c.id == chat_id)
    if tx.dialect.name == "sqlite":
        await key_values.put(tx, _CHECKPOINT_MARK, secrets.token_hex(8))


async def _lock_chat_and_paid_groups(tx: Tx, chat_id: int, *, now: datetime) -> list[int]:
    """Lock a chat, the groups whose payer is the person in the chat, and all their queues.

    Return the ids of the groups and channels. The kind and the title of the chat are emptied.
    """
    while True:
        paid = await _groups_paid_by(tx, chat_id)
        savepoint = await tx.begin_nested()
        await chats.lock(tx, paid)
        # A missing chat is added. Otherwise another transaction could add and lock the chat.
        await chats.add_or_update(tx, chat_id, kind="", title="", now=now)
        await chat_queues.lock_all(tx, [*paid, chat_id])
        still_paid = await _groups_paid_by(tx, chat_id)
        if set(still_paid) <= set(paid):
            await savepoint.commit()
            return still_paid
        await savepoint.rollback()


async def _remove_payer_and_open_groups(tx: Tx, groups: Collection[int], *, now: datetime) -> None:
    """Remove the payer of locked groups. Open the groups that only a block of the payer closed.

    The open deliveries of an opened group are dropped. A group that the bot has left stays closed.
    """
    blocked = [chat_id for chat_id in groups if await chats.is_blocked(tx, chat_id, now=now)]
    left = await chats.left_by_bot_among(tx, groups)
    for group in groups:
        await chats.set_payer(tx, group, None)
    for group in blocked:
        if group not in left and not await chats.is_blocked(tx, group, now=now):
            await chats.set_state(tx, group, "active", now=now)
            await deliveries.drop_open_where(tx, chat_id=group, reason=deliveries.AWAY, now=now)
    await chat_queues.reschedule_all(tx, groups)


async def _groups_paid_by(tx: Tx, person: int) -> list[int]:
    return [chat.id for chat in await chats.groups_of_payer(tx, person)]
