"""The use cases that list, pause, end and explain the existing subscriptions of a chat.

Each use case makes its changes in a single transaction. After the end of a subscription, a message
that is already being sent may still arrive.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from bot.billing.ledger import Ledger
from bot.chats.explain import Obstacle, Why, explain_subscription
from bot.chats.import_export import ImportEntry
from bot.chats.payers import lock_allowance_of_earlier_checks, open_chat_and_reschedule_checks
from bot.chats.subscribing import load_subscription, undo_key_at
from bot.domain import alert_rules
from bot.domain.budget import DAY
from bot.domain.errors import NotFollowedError
from bot.domain.model import Endless, Now, Story, Target
from bot.domain.options import CHAT_RULE, Preferences
from bot.domain.paid_calls import StoriesService
from bot.domain.records import EPOCH, ChangedCount, Chat, Known, NoUndo, Subscription, UndoKey
from bot.domain.selection import FILTERED
from bot.fetching import snapshots
from bot.fetching.snapshots import EarlierChecksAllowance
from bot.runtime.clock import utc_now
from bot.runtime.workers import NextStepAt, UntilWoken
from bot.store import cached_stories, chat_queues, chats, deliveries, fan_outs, moves, profiles
from bot.store import ended_subscriptions as ended_store
from bot.store import subscriptions as store
from bot.store.engine.database import Database, Tx
from bot.store.moves import WasClosed, WasOpen, WasStored
from bot.stories_api.endpoints import CHECK_COST
from bot.updates.unit_of_work import join_or_begin_read, join_or_begin_transaction

ProfileCount = int
"""The number of profiles with a changed block."""

_PLACES = 8  # the number of chats on a page of buttons
# The maximum number of deliveries of blocked profiles that one transaction drops.
_BLOCKED_AT_ONCE = 200


async def _pause_and_drop_deliveries(
    tx: Tx,
    subscription: Subscription,
    *,
    until: datetime | Endless,
    now: datetime,
    undo_at: UndoKey | NoUndo = None,
) -> None:
    """Pause a subscription, and drop the pending deliveries of the subscription.

    If ``undo_at`` is not None, the earlier pause is stored for ``Subscriptions.undo_pauses``. The
    caller has locked the chat's queue and reschedules the queue afterwards.
    """
    await store.set_pause(tx, subscription, paused=True, until=until, undo_at=undo_at)
    await deliveries.drop_open_where(
        tx, subscription_id=subscription.id, reason=deliveries.PAUSED, now=now
    )


async def _resume_with_missed_stories(
    tx: Tx, subscription: Subscription, *, posted_since: datetime, now: datetime
) -> None:
    """Resume a subscription, and enqueue the skipped live stories from ``posted_since`` on.

    No stories are enqueued for a chat without a payer, or from a blocked profile. The caller has
    locked the chat's queue and reschedules the queue afterwards.
    """
    await store.set_pause(tx, subscription, paused=False, alerts_since=posted_since)
    chat = await chats.get(tx, subscription.target.chat_id)
    if subscription.state == "blocked" or (chat is not None and chat.payer is None):
        return
    resumed = replace(subscription, since=posted_since)
    await deliveries.reopen_dropped(tx, resumed, reason=deliveries.PAUSED, now=now)
    await fan_outs.enqueue_missed_stories(tx, subscription_id=subscription.id, now=now)


async def _reschedule_queue_and_checks(
    tx: Tx,
    chat_id: int,
    profile_ids: Collection[str],
    *,
    now: datetime,
    allowance: EarlierChecksAllowance,
) -> None:
    """Reschedule the queue of a chat, and start, stop or reschedule checks of profiles.

    The caller has locked the chat's queue, and has changed the pauses of subscriptions to the
    profiles ``profile_ids``.
    """
    await chat_queues.reschedule(tx, chat_id)
    if profile_ids:
        await store.start_or_stop_checks(tx, chat_id=chat_id, profile_ids=profile_ids, now=now)
        await snapshots.reschedule_checks(tx, profile_ids, now=now, allowance=allowance)


class Subscriptions:
    """The use cases for existing subscriptions. All use cases cost 0 credits."""

    def __init__(
        self,
        db: Database,
        ledger: Ledger,
        *,
        api: StoriesService | None = None,
        is_paused: Callable[[], bool] = lambda: False,
        blocked: AbstractSet[str] = frozenset(),
        most_earlier_checks: int = 20,
        wake: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Create the use cases. ``wake`` is called when work may be due.

        ``blocked`` has the ids and names of blocked profiles. ``is_paused`` returns True if this
        process makes no checks. ``most_earlier_checks`` limits the earlier checks of a payer on a
        UTC day.
        """
        self._db = db
        self._api = api
        self._is_paused = is_paused
        self._ledger = ledger
        self.blocked = blocked
        self._most_earlier_checks = most_earlier_checks
        self._wake = wake
        self._now = now

    async def get(self, chat_id: int, subscription_id: int) -> Subscription:
        """Return a subscription of a chat.

        Raises:
            NotFollowedError: The chat does not have the subscription.
        """
        async with join_or_begin_read(self._db) as tx:
            return await load_subscription(tx, chat_id, subscription_id)

    async def get_of_username(self, chat_id: int, username: str) -> list[Subscription]:
        """Return a chat's subscriptions to a profile. Each topic has at most one subscription.

        Raises:
            NotFollowedError: The chat does not follow the profile.
        """
        async with join_or_begin_read(self._db) as tx:
            rows = await store.of_chat(tx, chat_id, username=username)
        if not rows:
            raise NotFollowedError(username=username)
        return rows

    async def all_of_chat(self, chat_id: int) -> list[Subscription]:
        """Return all subscriptions of a chat, ordered by username."""
        async with join_or_begin_read(self._db) as tx:
            return await store.of_chat(tx, chat_id)

    async def chats_of_person(self, person: int) -> list[Chat]:
        """Return at most 8 groups and channels of a person that are not closed.

        A chat belongs to a person if the person is responsible for the chat, or has added a
        subscription in the chat.
        """
        async with join_or_begin_read(self._db) as tx:
            return await store.chats_of_person(tx, person, most=_PLACES)

    async def known_profile(self, profile_id: str) -> Known | None:
        """Return the stored profile, or None if the profile is not stored.

        Uncommitted changes of the current unit of work are included.
        """
        async with join_or_begin_read(self._db) as tx:
            return await profiles.get(tx, profile_id)

    async def names_of_stored_profiles(self, names: Sequence[str]) -> list[str]:
        """Return the names in ``names`` that belong to stored profiles. The cost is 0 credits."""
        async with join_or_begin_read(self._db) as tx:
            return [
                name
                for name in names
                if await profiles.find_by_username(tx, name, named_since=EPOCH)
            ]

    async def unsubscribe(self, chat_id: int, rows: Iterable[Subscription]) -> UndoKey:
        """End subscriptions of a chat. Return the key for *Undo*.

        The key is the time of the end, which is the argument ``ended_at`` of
        ``Subscribing.restore``.
        Subscriptions in ``rows`` that do not belong to the chat are not changed.
        """
        now = self._now()
        ids = {subscription.id for subscription in rows}
        async with join_or_begin_transaction(self._db) as tx:
            await chat_queues.lock(tx, chat_id)
            # Subscriptions that have ended or moved to a different chat before the lock was
            # acquired are skipped.
            gone = [
                subscription
                for subscription in await store.of_chat(tx, chat_id)
                if subscription.id in ids
            ]
            await deliveries.drop_and_detach_stories(
                tx, [subscription.id for subscription in gone], now=now
            )
            await store.remove(tx, [subscription.id for subscription in gone])
            # The ended subscriptions are added only now, because subscriptions must be locked
            # before ended subscriptions (see ``bot.store``).
            await ended_store.add(tx, gone, now=now)
            await chat_queues.reschedule(tx, chat_id)
            profile_ids = {subscription.profile_id for subscription in gone}
            await store.start_or_stop_checks(tx, profile_ids=profile_ids, now=now)
        return now

    async def set_paused(
        self,
        chat_id: int,
        subscription_id: int,
        *,
        paused: bool,
        until: datetime | Endless = None,
        expected_pause_end: datetime | None = None,
    ) -> Subscription:
        """Pause or resume a subscription. Return the subscription.

        A pause drops the pending deliveries. If ``until`` is None, the pause has no end. After a
        resume, alerts start with stories posted from now on, or usually from
        ``expected_pause_end``. If the stored end of the pause differs from a given
        ``expected_pause_end``, nothing is changed.

        Raises:
            NotFollowedError: The chat does not have the subscription.
        """
        now = self._now()
        async with join_or_begin_transaction(self._db) as tx:
            await chat_queues.lock(tx, chat_id)
            subscription = await load_subscription(tx, chat_id, subscription_id)
            if subscription.paused == paused and subscription.paused_until == until:
                return subscription
            if expected_pause_end is not None and subscription.paused_until != expected_pause_end:
                return subscription
            allowance = await self._lock_allowance_of_earlier_checks(tx, chat_id, now)
            if paused:
                await _pause_and_drop_deliveries(tx, subscription, until=until, now=now)
            else:
                begin = alert_rules.alerts_begin_at_second_of(expected_pause_end or now)
                if expected_pause_end is not None:
                    # The alerts of the subscription can have a start that is later than
                    # ``expected_pause_end``, for example after a restore. In that case, the later
                    # start applies.
                    begin = max(begin, subscription.since)
                await store.set_pause(tx, subscription, paused=False, alerts_since=begin)
                if expected_pause_end is not None:
                    await fan_outs.enqueue_missed_stories(
                        tx, subscription_id=subscription_id, now=now
                    )
            await _reschedule_queue_and_checks(
                tx, chat_id, [subscription.profile_id], now=now, allowance=allowance
            )
            return await load_subscription(tx, chat_id, subscription_id)

    async def resume_with_missed_stories(self, chat_id: int, subscription_id: int) -> Subscription:
        """Resume a paused subscription, and enqueue the live stories of the pause.

        No stories are enqueued for a chat without a payer, or from a blocked profile. Return the
        subscription.

        Raises:
            NotFollowedError: The chat does not have the subscription.
        """
        now = self._now()
        async with join_or_begin_transaction(self._db) as tx:
            await chat_queues.lock(tx, chat_id)
            subscription = await load_subscription(tx, chat_id, subscription_id)
            if not subscription.paused:
                return subscription
            allowance = await self._lock_allowance_of_earlier_checks(tx, chat_id, now)
            await _resume_with_missed_stories(
                tx, subscription, posted_since=subscription.since, now=now
            )
            await deliveries.make_due_or_mark_for_reselection(tx, chat_id, now=now)
            await _reschedule_queue_and_checks(
                tx, chat_id, [subscription.profile_id], now=now, allowance=allowance
            )
            subscription = await load_subscription(tx, chat_id, subscription_id)
        self._wake()
        return subscription

    async def pause_all(
        self, chat_id: int, *, until: datetime | Endless = None
    ) -> tuple[ChangedCount, UndoKey]:
        """Pause all subscriptions of a chat until ``until`` (None for no end), in one transaction.

        A longer or nearly equal pause stays. A new pause drops the pending deliveries. Return the
        number of changed subscriptions, and the key for ``undo_pauses``.
        """
        return await self._change_pauses(
            chat_id, lambda preferences: preferences.with_pause_at_least_until(until)
        )

    async def resume_all(self, chat_id: int) -> tuple[ChangedCount, UndoKey]:
        """Resume all paused subscriptions of a chat, in one transaction.

        Alerts restart with stories posted from now on. Return the number of changed subscriptions,
        and the time of the change, which is the argument ``at`` of ``undo_pauses``.
        """
        return await self._change_pauses(chat_id, Preferences.without_pause)

    async def _change_pauses(
        self, chat_id: int, change: Callable[[Preferences], Preferences]
    ) -> tuple[ChangedCount, UndoKey]:
        """Set the pause of each subscription of a chat to the result of ``change``.

        Return the number of changed subscriptions, and the time of the change, which is the
        argument ``at`` of ``undo_pauses``.
        """
        now = self._now()
        at = undo_key_at(now)
        begin = alert_rules.alerts_begin_at_second_of(now)
        async with join_or_begin_transaction(self._db) as tx:
            await chat_queues.lock(tx, chat_id)
            allowance = await self._lock_allowance_of_earlier_checks(tx, chat_id, now)
            changed = []
            # The subscriptions are locked in the order of their ids, so that two transactions
            # never wait for each other.
            for subscription in sorted(await store.of_chat(tx, chat_id), key=lambda row: row.id):
                wanted = change(subscription.preferences)
                if wanted == subscription.preferences:
                    continue
                changed.append(subscription.profile_id)
                if wanted.paused:
                    await _pause_and_drop_deliveries(
                        tx, subscription, until=wanted.paused_until, now=now, undo_at=at
                    )
                else:
                    await store.set_pause(
                        tx, subscription, paused=False, alerts_since=begin, undo_at=at
                    )
            await _reschedule_queue_and_checks(tx, chat_id, changed, now=now, allowance=allowance)
        self._wake()
        return len(changed), at

    async def undo_pauses(self, chat_id: int, at: UndoKey) -> ChangedCount:
        """Undo a change of ``pause_all`` or ``resume_all``, in one transaction.

        Pauses that have changed again are kept. Subscriptions that were not paused before usually
        get the live stories of the pause. Return the number of changed subscriptions.
        """
        now = self._now()
        async with join_or_begin_transaction(self._db) as tx:
            await chat_queues.lock(tx, chat_id)
            changed = await store.pauses_before(tx, chat_id, undo_at=at)
            if not changed:
                return 0
            allowance = await self._lock_allowance_of_earlier_checks(tx, chat_id, now)
            restored = []
            for subscription, before in sorted(changed, key=lambda pair: pair[0].id):
                if before.without_ended_pause(now).paused:
                    await _pause_and_drop_deliveries(
                        tx, subscription, until=before.paused_until, now=now
                    )
                elif subscription.paused:
                    since = alert_rules.alerts_begin_after_pause(
                        subscription.since, before.paused_until
                    )
                    await _resume_with_missed_stories(
                        tx, subscription, posted_since=since, now=now
                    )
                else:
                    continue
                restored.append(subscription.profile_id)
            await deliveries.make_due_or_mark_for_reselection(tx, chat_id, now=now)
            await _reschedule_queue_and_checks(tx, chat_id, restored, now=now, allowance=allowance)
        self._wake()
        return len(restored)

    async def mute_for_a_day(self, chat_id: int, subscription_id: int) -> Subscription:
        """Pause a subscription for a day. Return the changed subscription.

        An existing pause without an end does not change.

        Raises:
            NotFollowedError: The chat does not have the subscription.
        """
        before = await self.get(chat_id, subscription_id)
        if before.paused and before.paused_until is None:
            return before
        until = self._now() + DAY
        muted = await self.set_paused(chat_id, subscription_id, paused=True, until=until)
        self._wake()
        return muted

    async def resume_ended_pauses(self) -> NextStepAt | UntilWoken:
        """Resume the subscriptions whose pause has ended. Return the end of the next pause.

        Even if this call is late, alerts restart with stories posted from the end of the pause, or
        from a later start of the alerts.
        """
        rows = await self._db.fetch(store.subscriptions_with_timed_pause)
        for subscription in rows:
            if subscription.paused_until is None or subscription.paused_until > self._now():
                return subscription.paused_until
            with suppress(NotFollowedError):  # the subscription has ended in the meantime
                await self.set_paused(
                    subscription.target.chat_id,
                    subscription.id,
                    paused=False,
                    expected_pause_end=subscription.paused_until,
                )
                self._wake()
        return None

    async def reselect_deferred_and_reschedule(
        self, chat_id: int, *, rules_undone_since: datetime | None = None
    ) -> None:
        """Decide again about the deferred deliveries of a chat, and reschedule the checks.

        If the chat has a payer, live stories that chat-wide rules have dropped since
        ``rules_undone_since`` usually become pending again.
        """
        now = self._now()
        async with join_or_begin_transaction(self._db) as tx:
            await chat_queues.lock(tx, chat_id)
            allowance = await self._lock_allowance_of_earlier_checks(tx, chat_id, now)
            chat = await chats.get(tx, chat_id)
            if rules_undone_since is not None and chat is not None and chat.payer is not None:
                reason = f"{FILTERED}: {CHAT_RULE}"
                await deliveries.reopen_dropped_of_chat(
                    tx, chat_id, reason=reason, dropped_since=rules_undone_since, now=now
                )
            await deliveries.make_due_or_mark_for_reselection(tx, chat_id, now=now)
            await chat_queues.reschedule(tx, chat_id)
            await snapshots.reschedule_checks_of_chat(tx, chat_id, now=now, allowance=allowance)
        self._wake()

    async def _lock_allowance_of_earlier_checks(
        self, tx: Tx, chat_id: int, now: datetime
    ) -> EarlierChecksAllowance:
        return await lock_allowance_of_earlier_checks(
            tx, chat_id, most=self._most_earlier_checks, now=now
        )

    async def move_chat(self, old: int, new: int) -> WasStored:
        """Move all data of a group to the new id. Return whether the group was stored.

        The move of a group that is not stored is also recorded. If ``old`` equals ``new``, nothing
        is changed, and the result is False.
        """
        async with join_or_begin_transaction(self._db) as tx:
            moved = await moves.move_chat(tx, old, new, now=self._now())
        self._wake()
        return moved

    async def close_chat(self, chat_id: int) -> WasOpen:
        """Close a chat that the bot has left, or the chat of a person who has blocked the bot.

        The data are kept for 30 days, or for 365 days while the access list blocks the chat or the
        responsible person. Return whether the chat was stored and open.
        """
        async with join_or_begin_transaction(self._db) as tx:
            return await moves.close_left_chat(tx, chat_id, now=self._now())

    async def reopen_chat_and_drop_pending(
        self, chat_id: int, *, alerts_since: datetime | Now = None
    ) -> WasClosed:
        """Reopen a chat, and drop its earlier pending deliveries.

        Alerts restart with stories posted from ``alerts_since``, or from now on for None. Such
        live stories that were already found are enqueued. Return False if the chat was open or is
        not stored.

        Raises:
            BlockedError: The access list blocks the chat or the responsible person.
        """
        most = self._most_earlier_checks
        async with join_or_begin_transaction(self._db) as tx:
            opened = await open_chat_and_reschedule_checks(
                tx, chat_id, most_earlier_checks=most, now=self._now(), alerts_since=alerts_since
            )
        self._wake()
        return opened

    async def apply_profile_blocks(self) -> ProfileCount:
        """Pause the alerts of newly blocked profiles. Resume the alerts of unblocked profiles.

        The chats that wait for the alerts are notified. Return the number of profiles with a
        changed block.
        """
        if not self.blocked and not await self._db.fetch(profiles.blocked_ids):
            return 0
        changed = await self._db.run(self._block_and_unblock_profiles)
        # The fan-outs are removed in a separate transaction, because the transaction above has
        # locked profiles, and a transaction must lock fan-outs before profiles.
        await self._db.run(self._remove_fan_outs_of_blocked)
        while await self._db.run(self._drop_batch_of_blocked_stories) == _BLOCKED_AT_ONCE:
            pass
        if changed:
            self._wake()
        return changed

    async def _block_and_unblock_profiles(self, tx: Tx) -> ProfileCount:
        now, blocked = self._now(), frozenset(self.blocked)
        begins, ends = await profiles.profiles_to_block_and_unblock(tx, blocked)
        if not begins and not ends:
            return 0
        unblocked = [profile.profile_id for profile in ends]
        since = alert_rules.alerts_begin_at_second_of(now)
        # The subscriptions are updated first, because subscriptions must be locked before
        # profiles.
        await store.set_alerts_start(tx, profile_ids=unblocked, since=since)
        both = {profile.profile_id for profile in [*begins, *ends]}
        begun, ended = await profiles.block_and_unblock_profiles(tx, blocked, both, now=now)
        for notice, known in (("blocked", begun), ("back", ended)):
            for profile in known:
                fields = {"username": profile.username}
                await fan_outs.add(
                    tx, profile.profile_id, notice=notice, fields=fields, due_at=now, now=now
                )
        await store.start_or_stop_checks(tx, profile_ids=unblocked, now=now)
        return len(begun) + len(ended)

    @staticmethod
    async def _remove_fan_outs_of_blocked(tx: Tx) -> None:
        await fan_outs.remove_story_fan_outs(tx, await profiles.blocked_ids(tx))

    async def _drop_batch_of_blocked_stories(self, tx: Tx) -> int:
        """Drop pending stories of blocked profiles. Return the number of dropped stories."""
        paused = await profiles.blocked_ids(tx)
        waiting = await deliveries.waiting_delivery_and_chat_ids(
            tx, paused, limit=_BLOCKED_AT_ONCE
        )
        places = {chat_id for _, chat_id in waiting}
        await chat_queues.lock_all(tx, places)
        ids = [number for number, _ in waiting]
        await deliveries.end_open(tx, ids, reason=deliveries.PAUSED, now=self._now())
        for chat_id in sorted(places):
            await chat_queues.reschedule(tx, chat_id)
        return len(waiting)

    async def explain_each_subscription(self, target: Target, username: str) -> list[Why]:
        """Explain the alerts of each subscription to a profile in a chat or topic, for 0 credits.

        If the topic does not follow the profile, explain the subscriptions of other topics.

        Raises:
            NotFollowedError: The chat does not follow the profile in any topic.
        """
        rows = await self.get_of_username(target.chat_id, username)
        in_thread = [
            subscription
            for subscription in rows
            if subscription.target.thread_id == target.thread_id
        ]
        now = self._now()
        async with join_or_begin_read(self._db) as tx:
            obstacle = await self._find_obstacle_to_checks(tx, now)
            return [
                await explain_subscription(tx, subscription, obstacle=obstacle, now=now)
                for subscription in in_thread or rows
            ]

    async def find_obstacle_to_checks(self) -> Obstacle:
        """Return the reason why the schedule can't check any profile now, or an empty string."""
        async with join_or_begin_read(self._db) as tx:
            return await self._find_obstacle_to_checks(tx, self._now())

    async def _find_obstacle_to_checks(self, tx: Tx, now: datetime) -> Obstacle:
        """Return the reason why the schedule can't check any profile now, or an empty string."""
        if self._is_paused():
            return "outage"
        price = CHECK_COST
        if self._api is not None:
            price = self._api.stories("", last_known_public_at=now).price
            if not self._api.is_in_service:
                return "stopped"
        obstacle = await self._ledger.obstacle_to_checks(tx, price, now)
        if not obstacle and self._api is not None and self._api.is_failing:
            return "outage"
        return obstacle

    async def stored_live_stories(self, username: str, *, chat_id: int) -> list[Story]:
        """Return the stored live stories of a followed profile, for 0 credits.

        Deleted stories are omitted. The list is empty if the profile is blocked or not public, or
        if the API refused the profile in the last five minutes.

        Raises:
            NotFollowedError: The chat does not follow the profile.
        """
        rows = await self.get_of_username(chat_id, username)
        if alert_rules.is_on_block_list(rows[0].profile_id, username, self.blocked):
            return []
        async with join_or_begin_read(self._db) as tx:
            return await cached_stories.of_profile(tx, rows[0].profile_id, now=self._now())

    async def read_export_entries(self, chat_id: int) -> list[ImportEntry]:
        """Return a chat's subscriptions as entries for ``bot.chats.import_export``."""
        return [
            ImportEntry(subscription.username, subscription.preferences)
            for subscription in await self.all_of_chat(chat_id)
        ]
