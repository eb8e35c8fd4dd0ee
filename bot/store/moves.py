"""Changes of the id, the topics, the mutes or the state of a chat, with the dependent rows."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from bot.domain import alert_rules
from bot.domain.model import Moved, Now, Presence, Target
from bot.domain.records import CHAT_SETTINGS, EPOCH, MAIN, REPLY, Chat, Held, Mute, Subscription
from bot.store import (
    access,
    broadcasts,
    budgets,
    chat_queues,
    chats,
    fan_outs,
    ledger,
    mutes,
    profiles,
    subscriptions,
    topics,
    usage,
)
from bot.store import deliveries as deliveries_store
from bot.store.claims import NoClaim
from bot.store.deliveries import deliveries, is_open
from bot.store.engine.database import Tx, all_tables, delete_rows, update_rows
from bot.store.enqueue import add_notice

WasClosed = bool
"""True if the chat was stored and closed."""

WasOpen = bool
"""True if the chat was stored and open."""

WasStored = bool
"""True if the moved chat was stored."""

# The rows of these tables are moved last, because the order of locks (see ``bot.store``) requires
# that the ledger and the days of usage are locked after the profiles.
_MOVED_LAST = (ledger.ledger_entries, usage.usage_days)
_UNIQUE = (sa.UniqueConstraint, sa.PrimaryKeyConstraint)


async def move_chat(tx: Tx, old: int, new: int, *, now: datetime) -> WasStored:
    """Move the data of the group ``old`` to the supergroup ``new``, and open the supergroup.

    A blocked supergroup is closed instead. Return False if the group is not stored, or if both ids
    are equal. Only the first of several calls moves the settings.
    """
    if old == new:
        return False
    await chats.lock(tx, [old, new])
    await chat_queues.lock_all(tx, [old, new])
    before = await chats.get(tx, old)
    is_first = await chats.record_move(tx, old, new, now=now)
    await access.move_chat(tx, old, new)
    is_blocked = await chats.is_blocked(tx, new, now=now)
    if before is None:
        if is_blocked:
            await close_chats(tx, [new], now=now)
        return False
    await chats.add_or_update(tx, new, kind="supergroup", title=before.title, now=now)
    await chat_queues.lock_or_block_insert(tx, new, now=now)
    # The loop below changes the tables in another order than the order of locks, so all
    # subscriptions are locked here.
    await subscriptions.lock_of_chats(tx, [old, new])
    if is_first:
        await _take_over_settings(tx, before, new)
        # The supergroup now has the payer of the old group, and the access list may block this
        # payer.
        is_blocked = await chats.is_blocked(tx, new, now=now)
        await _merge_duplicate_subscriptions(tx, new, into_chat=old, now=now)
    else:
        await _merge_duplicate_subscriptions(tx, old, into_chat=new, now=now)
    await deliveries_store.clear_answered_message_ids(tx, old)
    await broadcasts.remove_duplicates_of_moved(tx, old, new)
    for table in all_tables().sorted_tables:
        if "chat_id" in table.c and table not in _MOVED_LAST:
            await _rewrite_chat_id(tx, table, old, new)
    await delete_rows(tx, chats.chats, chats.chats.c.id == old)
    await chats.set_state(tx, new, "closed" if is_blocked else "active", now=now)
    if not is_blocked:
        await broadcasts.enqueue_left_out_by_move(tx, old, new, now=now)
    await chat_queues.make_due(tx, new, due_at=now, now=now)
    await chat_queues.reschedule(tx, new)
    await subscriptions.start_or_stop_checks(tx, chat_id=new, now=now)
    await ledger.move_chat(tx, old, new)
    await budgets.move_chat(tx, old, new)
    await usage.move_chat(tx, old, new)
    return True


async def _take_over_settings(tx: Tx, before: Chat, new: int) -> None:
    """Copy the settings, the payer and the creation time of a group to its supergroup.

    If the group has no payer, the payer of the supergroup does not change.
    """
    born = sa.select(chats.chats.c.created_at).where(chats.chats.c.id == before.id)
    values = {name: getattr(before, name) for name in CHAT_SETTINGS}
    values["payer"] = before.payer or await chats.payer_of(tx, new)
    await chats.change(tx, new, **values, created_at=born.scalar_subquery())


async def _merge_duplicate_subscriptions(
    tx: Tx, from_chat: int, *, into_chat: int, now: datetime
) -> None:
    """End each subscription of a chat if the chat ``into_chat`` has the same subscription.

    The same subscription has the same topic and profile. The pending deliveries move to the
    subscription of ``into_chat``. The caller has locked the queues of both chats.
    """
    for subscription in await subscriptions.of_chat(tx, from_chat):
        heir = await subscriptions.find(
            tx, Target(into_chat, subscription.target.thread_id), subscription.profile_id
        )
        if heir is not None:
            await deliveries_store.drop_duplicates_and_reassign_sent(
                tx, heir.id, sent_by=subscription.id, now=now
            )
            await _end_for_heir(tx, subscription, heir, now=now)


async def _rewrite_chat_id(tx: Tx, table: sa.Table, old: int, new: int) -> None:
    """Replace the chat id ``old`` by ``new`` in all rows of a table.

    A row of ``old`` is deleted if ``new`` already has a row with the same values in the remaining
    columns of a key.
    """
    for key in table.constraints:
        names = set(key.columns.keys()) if isinstance(key, _UNIQUE) else set()
        if "chat_id" not in names:
            continue
        other = table.alias()
        same = [other.c[name] == table.c[name] for name in names - {"chat_id"}]
        doubled = sa.exists().where(other.c.chat_id == new, *same)
        await delete_rows(tx, table, table.c.chat_id == old, doubled)
    await update_rows(tx, table, table.c.chat_id == old, chat_id=new)


async def move_topic_to_main_chat_and_notify(
    tx: Tx, chat_id: int, thread_id: int, *, now: datetime
) -> bool:
    """Move the subscriptions and pending deliveries of a topic to the chat outside of topics.

    Return whether the topic had subscriptions. The mute and the stored topic are deleted. The
    caller has locked the chat's queue, and reschedules the queue afterwards.
    """
    moved = [
        subscription
        for subscription in await subscriptions.of_chat(tx, chat_id)
        if subscription.target.thread_id == thread_id
    ]
    for subscription in moved:
        await move_to_thread(tx, subscription, to=MAIN, now=now)
    condition = sa.and_(
        deliveries.c.chat_id == chat_id, deliveries.c.thread_id == thread_id, is_open
    )
    # The remaining deliveries are notices and replies.
    await update_rows(tx, deliveries, condition, thread_id=MAIN)
    if await mutes.unmute(tx, chat_id, thread_id):
        await deliveries_store.make_deferred_due(tx, chat_id, Held.MUTED, now=now)
    await topics.remove_of_thread(tx, chat_id, thread_id)
    if moved:  # some subscriptions may have ended, so that some checks are not needed any more
        await subscriptions.start_or_stop_checks(tx, chat_id=chat_id, now=now)
        await add_notice(tx, Target(chat_id), "topic", {}, now=now)
    return bool(moved)


async def move_to_thread(tx: Tx, subscription: Subscription, *, to: int, now: datetime) -> None:
    """Move a subscription with all its deliveries to another thread of the chat.

    If the thread already has a subscription to the profile, the moved subscription ends. The
    caller has locked the chat's queue, and reschedules the queue afterwards.
    """
    chat_id = subscription.target.chat_id
    heir = await subscriptions.find(tx, Target(chat_id, to or None), subscription.profile_id)
    if heir is not None and heir.id != subscription.id:
        await _end_for_heir(tx, subscription, heir, now=now)
        return
    its_own = deliveries.c.subscription_id == subscription.id
    await subscriptions.change(tx, subscription.id, thread_id=to)
    # Sent and dropped deliveries are included, because *Undo* finds deliveries by the topic.
    await update_rows(tx, deliveries, its_own, thread_id=to)
    await deliveries_store.make_due_or_mark_for_reselection(tx, chat_id, now=now)


async def _end_for_heir(
    tx: Tx, subscription: Subscription, heir: Subscription, *, now: datetime
) -> None:
    """End a subscription, and move its pending deliveries to ``heir`` without duplicates.

    ``heir`` gets the shorter of both pauses. A longer pause of ``heir`` would stop the alerts of
    the ended subscription. The caller has locked the queues of both chats.
    """
    await fan_outs.write_deliveries_for_heir(tx, subscription, heir=heir)
    if _pause_length_sort_key(heir) > _pause_length_sort_key(subscription):
        await subscriptions.set_pause(
            tx,
            heir,
            paused=subscription.paused,
            until=subscription.paused_until,
            alerts_since=max(heir.since, subscription.since),
        )
        await deliveries_store.remove_paused_duplicates(tx, heir.id, pending_in=subscription.id)
        await deliveries_store.reassign_sent(tx, subscription.id, to=heir.id)
    await deliveries_store.reassign_open(tx, subscription.id, to=heir)
    await subscriptions.remove(tx, [subscription.id])
    for chat_id in {subscription.target.chat_id, heir.target.chat_id}:
        await deliveries_store.make_due_or_mark_for_reselection(tx, chat_id, now=now)


def _pause_length_sort_key(subscription: Subscription) -> tuple[bool, bool, datetime]:
    """Return a sort key for the length of a pause.

    Subscriptions without a pause come first. Pauses with an end follow, the earliest end first.
    Pauses without an end come last.
    """
    until = subscription.paused_until
    return subscription.paused, until is None, until or EPOCH


async def end_mute(tx: Tx, chat_id: int, thread_id: int, *, now: datetime) -> None:
    """End the mute of a thread. Do nothing if the thread has no mute.

    Deliveries of the chat that a missing right has deferred become due. The caller has locked the
    chat's queue.
    """
    if not await mutes.unmute(tx, chat_id, thread_id):
        return
    # A pending notice about the missing right is outdated.
    await deliveries_store.drop_open_where(
        tx, chat_id=chat_id, notice="muted", reason="over", now=now
    )
    await deliveries_store.make_deferred_due(tx, chat_id, Held.MUTED, now=now)
    await chat_queues.reschedule(tx, chat_id)


async def lock_for_presence(
    tx: Tx, chat_id: int, presence: Presence
) -> chat_queues.ClaimToken | NoClaim:
    """Lock the queue of a chat, and all chats that ``apply_presence`` moves or closes.

    Return the token of the queue's claim, or None if the queue is not claimed or not stored.
    """
    if isinstance(presence, Moved):
        await chats.lock(tx, [chat_id, presence.chat_id])
    elif presence == "away":
        await chats.lock(tx, [chat_id])
    return await chat_queues.lock(tx, chat_id)


async def apply_presence(tx: Tx, mute: Mute, presence: Presence, *, now: datetime) -> None:
    """Move, close, mute or unmute a chat according to the bot's presence in the chat.

    The caller has called ``lock_for_presence``.
    """
    match presence:
        case Moved(new):
            await move_chat(tx, mute.chat_id, new, now=now)
        case "away":
            await close_left_chat(tx, mute.chat_id, now=now)
        case "may":
            await end_mute(tx, mute.chat_id, mute.thread_id, now=now)
        case "may not":
            await mutes.record_missing_right(
                tx, mute.chat_id, mute.thread_id, mute.missing, now=now
            )


async def close_left_chat(tx: Tx, chat_id: int, *, now: datetime) -> WasOpen:
    """Close a chat that the bot has left, or the private chat of a person who blocked the bot.

    Return whether the chat was stored and open. The end of a block does not reopen the chat.
    """
    closed = await close_chats(tx, [chat_id], now=now)
    await chats.change(tx, chat_id, is_away=True)
    return bool(closed)


async def close_chats(tx: Tx, chat_ids: Collection[int], *, now: datetime) -> list[int]:
    """Close chats, for example because of a block. Return the ids of the chats that were open.

    The alerts of the chats stop. Checks that no other chat needs stop too. The mutes end, and
    pending replies are dropped.
    """
    await chats.lock(tx, chat_ids)
    await chat_queues.lock_all(tx, chat_ids)
    closed = [
        chat_id for chat_id in chat_ids if await chats.set_state(tx, chat_id, "closed", now=now)
    ]
    for chat_id in chat_ids:
        await mutes.unmute(tx, chat_id)
        await deliveries_store.drop_open_where(
            tx, chat_id=chat_id, notice=REPLY, reason=deliveries_store.AWAY, now=now
        )
    await chat_queues.reschedule_all(tx, chat_ids)
    followed = await subscriptions.followed_profile_ids(tx, chat_ids)
    await subscriptions.start_or_stop_checks(tx, profile_ids=followed, now=now)
    return closed


async def open_chat(
    tx: Tx, chat_id: int, *, now: datetime, alerts_since: datetime | Now = None
) -> WasClosed:
    """Reopen a closed chat and restart the alerts. Return whether the chat was stored and closed.

    Stories that were posted after ``alerts_since`` (by default now) cause alerts, including
    stories that the bot has already found. All other pending deliveries are dropped.

    Raises:
        BlockedError: The access list blocks the chat, or the person responsible for the chat.
    """
    await chats.lock(tx, [chat_id])
    await chats.raise_if_blocked(tx, chat_id, now=now)
    return bool(await _open_chats(tx, [chat_id], alerts_since=alerts_since or now, now=now))


async def open_unblocked_chats(tx: Tx, chat_ids: Collection[int], *, now: datetime) -> list[int]:
    """Reopen chats, drop their pending deliveries, and restart their alerts from ``now`` on.

    Blocked chats, and chats that the bot has left, stay closed. Return the ids of the chats that
    this call has reopened.
    """
    await chats.lock(tx, chat_ids)
    left = await chats.left_by_bot_among(tx, chat_ids)
    unblocked = [
        chat_id
        for chat_id in chat_ids
        if chat_id not in left and not await chats.is_blocked(tx, chat_id, now=now)
    ]
    return await _open_chats(tx, unblocked, alerts_since=now, now=now)


async def _open_chats(
    tx: Tx, chat_ids: Collection[int], *, alerts_since: datetime, now: datetime
) -> list[int]:
    """Reopen those chats in ``chat_ids`` that are closed. Return the ids of the reopened chats.

    The caller has locked the rows of the chats. Stories that were posted at ``alerts_since`` or
    later cause alerts. All other pending deliveries are dropped.
    """
    await chat_queues.lock_all(tx, chat_ids)
    opened = [
        chat_id for chat_id in chat_ids if await chats.set_state(tx, chat_id, "active", now=now)
    ]
    begin = alert_rules.alerts_begin_at_second_of(min(alerts_since, now))
    for chat_id in opened:
        await deliveries_store.drop_open_except_newer_stories(
            tx, chat_id, posted_since=begin, reason=deliveries_store.AWAY, now=now
        )
        await deliveries_store.make_due_or_mark_for_reselection(tx, chat_id, now=now)
        await subscriptions.set_alerts_start(tx, chat_id=chat_id, since=begin)
        if alerts_since < now:
            await fan_outs.enqueue_missed_stories(tx, chat_id=chat_id, now=now)
    await chat_queues.reschedule_all(tx, opened)
    await profiles.lock_all(tx, await subscriptions.followed_profile_ids(tx, opened))
    for chat_id in opened:
        await subscriptions.start_or_stop_checks(tx, chat_id=chat_id, now=now)
    return opened
