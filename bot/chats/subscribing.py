"""The start of subscriptions. All free checks are made before a paid call."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from bot.billing.ledger import Charge, Ledger
from bot.chats.payers import Payers
from bot.domain import alert_rules
from bot.domain.budget import split_budget_with_newcomers
from bot.domain.errors import (
    CAPACITY_REACHED,
    NEWCOMER_CAPACITY_REACHED,
    PROFILE_BLOCKED,
    AskAgainError,
    BotError,
    NotFollowedError,
    OutOfServiceError,
    ProfileUnavailableError,
    SpendingError,
    SpendingStoppedError,
    StoriesError,
    SubscriptionError,
    TooManyFastError,
    name_account_in_errors,
)
from bot.domain.model import Anonymous, Asker, Profile, Story, Target
from bot.domain.options import ChatDefaults, Options, Preferences
from bot.domain.paid_calls import StoriesService
from bot.domain.records import MAIN, ChangedCount, Chat, Known, NoUndo, Subscription, UndoKey
from bot.domain.selection import FILTERED
from bot.fetching import schedule_state, snapshots
from bot.fetching.names import Names
from bot.fetching.schedule_state import PollSettings
from bot.runtime.clock import utc_now
from bot.scheduling.pricing import is_feasible
from bot.sending.topics import Topics
from bot.store import (
    access,
    chat_queues,
    chats,
    deliveries,
    ended_subscriptions,
    fan_outs,
    moves,
    profiles,
    stories,
)
from bot.store import subscriptions as store
from bot.store.chats import raise_if_blocked
from bot.store.ended_subscriptions import Ended
from bot.store.engine.database import Database, Tx
from bot.updates.unit_of_work import (
    join_or_begin_read,
    join_or_begin_transaction,
    with_current_unit,
)

_NAME_IS_SURE = timedelta(days=1)
"""The time for which a stored name of a profile is taken as current."""

_NOT_SHOWN_YET = timedelta(minutes=1)
"""The maximum age of a story that causes an alert of a new subscription.

The age is not zero, because the API may show a story late. Stories that are already stored cause
no alerts.
"""

_CHECK_VALID_FOR = timedelta(minutes=10)
"""The maximum age of a check whose live stories are offered to a new subscriber."""


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The result of a subscription request.

    ``live`` contains the live stories to offer to the subscriber, oldest first. ``already`` is
    True if the requested chat or topic already had the subscription.
    """

    subscription: Subscription
    profile: Profile
    live: list[Story]
    already: bool
    is_new: bool = False
    """Whether the chat followed the profile in none of the requested topics before."""
    is_sooner: bool = False
    """Whether the chat or topic already followed the profile, and the subscription became fast."""


@dataclass(frozen=True, slots=True)
class _CheckedProfile:
    """A profile to follow, the profile's live stories, and the existing subscription or None."""

    profile: Profile
    live: list[Story]
    existing: Subscription | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """The restored subscriptions, and the username and error of each failed restore."""

    subscriptions: list[Subscription]
    failed: list[tuple[str, BotError]]


class Subscribing:
    """Starts subscriptions, and changes the topic and options of subscriptions.

    Only ``subscribe`` and ``subscribe_all`` can cost credits.
    """

    def __init__(
        self,
        db: Database,
        api: StoriesService,
        ledger: Ledger,
        *,
        payers: Payers,
        polling: PollSettings,
        topics: Topics,
        wake: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Create the use cases. ``wake`` is called when work may be due."""
        self._db = db
        self._topics = topics
        self._ledger = ledger
        self._names = Names(db, api, ledger, now=now)
        self._payers = payers
        self._polling = polling
        self._wake = wake
        self._now = now
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def subscribe(
        self,
        target: Target,
        username: str,
        by: Asker,
        *,
        preferences: Preferences | ChatDefaults = None,
    ) -> Subscribed:
        """Subscribe a chat or topic to a profile. The cost is usually 0 to 3 credits.

        The current live stories cause no alerts and are returned. If ``preferences`` is None, the
        defaults of the chat apply. A refusal of the account by the API is checked by further
        calls, and costs more.

        Raises:
            BlockedError: The access list blocks the chat or the responsible person.
            SubscriptionError: A limit is reached, or the budget covers no more profiles.
            NoSuchProfileError: The account does not exist.
            ProfilePrivateError: The account is private.
            NoPayerError: The chat has no payer, and the person is not allowed to become the payer.
            SpendingError: The credits are not allowed to be spent. Even while all spending is
                stopped, a chat can subscribe to a public profile whose name the API returned in
                about the last day.
            StoriesError: The API failed, or the profile is on the block list.
        """
        ((_, result),) = await self.subscribe_all(target, [username], by, preferences=preferences)
        if isinstance(result, BotError):
            raise result
        return result

    async def subscribe_all(
        self,
        target: Target,
        usernames: Sequence[str],
        by: Asker,
        *,
        preferences: Preferences | ChatDefaults = None,
        own_topic: bool = False,
        fast: bool = False,
    ) -> list[tuple[str, Subscribed | BotError]]:
        """Subscribe to each profile as ``subscribe`` does. Return the results in order.

        A result can be an error. If ``own_topic`` is True, the alerts of each profile go to a
        separate topic. If ``fast`` is True, existing subscriptions also become fast. All
        subscriptions start in the transaction of the current unit of work, or none if a concurrent
        command reaches a limit.

        Raises:
            BlockedError: The access list blocks the chat or the responsible person.
            SubscriptionError: The bot can't create topics, or a concurrent command has reached a
                limit or ended a subscription.
            NoPayerError: The chat has lost the payer, and the person may not pay.
            AskAgainError: Telegram does not answer about the right to create topics, or demands a
                wait.
        """
        places = await self._read_places_and_raise_if_no_topics(
            target, usernames, own_topic=own_topic
        )
        is_fast = fast or (preferences is not None and preferences.options.fast)
        answers: list[tuple[str, _CheckedProfile | BotError, Target]] = []
        new = 0
        faster = 0
        for username in usernames:
            destination = target
            try:
                answer = await self._check_and_fetch_profile(
                    places[username],
                    username,
                    by,
                    pending=new,
                    pending_fast=faster if is_fast else None,
                )
                if own_topic:
                    destination = await self._topics.ensure_own_topic(
                        target.chat_id, answer.profile.profile_id, answer.profile.username
                    )
            except (SubscriptionError, SpendingError, StoriesError, AskAgainError) as error:
                answers.append((username, error, target))
                continue
            answers.append((username, answer, destination))
            new += answer.existing is None
            faster += not (answer.existing and answer.existing.options.fast)
        return await self._follow_or_move_all(answers, by, preferences, fast=fast)

    async def _follow_or_move_all(
        self,
        answers: Sequence[tuple[str, _CheckedProfile | BotError, Target]],
        by: Asker,
        preferences: Preferences | ChatDefaults,
        *,
        fast: bool,
    ) -> list[tuple[str, Subscribed | BotError]]:
        """Start or move a subscription for each profile in ``answers``, for 0 credits.

        Return the results in the order of ``answers``. An error in ``answers`` stays the result.

        Raises:
            BlockedError: The access list blocks the chat or the responsible person.
            NoPayerError: The chat has no payer, and the person may not pay.
            SubscriptionError: A limit was reached or a subscription has ended in the meantime.
        """
        results: dict[int, Subscribed | BotError] = {}
        possible: list[tuple[int, _CheckedProfile, Target]] = []
        for place, (_, answer, destination) in enumerate(answers):
            if isinstance(answer, BotError):
                results[place] = answer
            else:
                possible.append((place, answer, destination))
        # Profiles must be locked in the order of their ids, or else two chats could wait for each
        # other. The first new subscription locks all profiles, so only moved subscriptions are
        # sorted. New subscriptions keep the order of the request, so that a limit refuses the last
        # names.
        new = [item for item in possible if item[1].existing is None]
        moved = [item for item in possible if item[1].existing is not None]
        moved.sort(key=lambda item: item[1].profile.profile_id)
        ids = {answer.profile.profile_id for _, answer, _ in possible}
        for place, answer, destination in (*new, *moved):
            results[place] = await self._follow_or_move(
                destination, answer, by, preferences, fast=fast, profile_ids=ids
            )
        return [(username, results[place]) for place, (username, _, _) in enumerate(answers)]

    async def _read_places_and_raise_if_no_topics(
        self, target: Target, usernames: Sequence[str], *, own_topic: bool
    ) -> dict[str, list[Target]]:
        """Return, for each username, the places where the chat may already have a subscription.

        The places are ``target`` and, with ``own_topic``, the separate topic of the profile.

        Raises:
            SubscriptionError: A new topic is needed, and the bot can't make topics in the chat.
            AskAgainError: Telegram does not answer or demands a wait.
        """
        if not own_topic:
            return {username: [target] for username in usernames}
        own = await self._topics.read_own_topics(target.chat_id, usernames)
        if len(own) < len(usernames):
            await self._topics.fetch_and_check_right_to_make_topic(target.chat_id)
        places = {username: [target] for username in usernames}
        for username, topic in own.items():
            places[username] = [topic, target]
        return places

    async def _follow_or_move(
        self,
        target: Target,
        checked: _CheckedProfile,
        by: Asker,
        preferences: Preferences | ChatDefaults,
        *,
        fast: bool,
        profile_ids: Collection[str],
    ) -> Subscribed:
        """Start a subscription in ``target``, or move an existing subscription to ``target``.

        If ``fast`` is True, the subscription becomes fast. The cost is 0 credits.

        Raises:
            BlockedError: The access list blocks the chat or the responsible person.
            NoPayerError: The chat has no payer, and the person may not pay.
            SubscriptionError: A limit was reached or the subscription has ended in the meantime.
        """
        if checked.existing is None:
            return await self._follow(
                target, checked, by, preferences, fast=fast, profile_ids=profile_ids
            )
        subscription = checked.existing
        is_sooner = fast and not subscription.options.fast
        if subscription.target != target:
            subscription = await self._move(subscription, target)
        if is_sooner:
            subscription = await self.set_options(target.chat_id, subscription.id, {"fast": True})
        already = checked.existing.target == target
        return Subscribed(
            subscription, checked.profile, checked.live, already, is_sooner=is_sooner and already
        )

    async def move_to_own_topic_or_back(
        self, chat_id: int, subscription_id: int, *, on: bool
    ) -> Subscription:
        """Move a subscription to the separate topic of the profile, or back to the chat.

        Return the subscription in the destination. The cost is 0 credits.

        Raises:
            NotFollowedError: The chat does not have the subscription.
            SubscriptionError: The topic can't be made.
            AskAgainError: Telegram does not answer or demands a wait, or a concurrent call makes
                the topic.
        """
        async with join_or_begin_read(self._db) as tx:
            subscription = await load_subscription(tx, chat_id, subscription_id)
        if on == subscription.in_own_topic:
            return subscription
        if not on:
            return await self._move(subscription, Target(chat_id))
        await self._read_places_and_raise_if_no_topics(
            subscription.target, [subscription.username], own_topic=True
        )
        target = await self._topics.ensure_own_topic(
            chat_id, subscription.profile_id, subscription.username
        )
        return await self._move(subscription, target)

    async def restore(self, chat_id: int, by: int | Anonymous, *, ended_at: datetime) -> Restored:
        """Restore the subscriptions that a chat ended at ``ended_at``, for 0 credits.

        Each subscription gets its earlier options, and usually the missed live stories.
        If the chat has no payer, the person ``by`` becomes the payer.

        Raises:
            BlockedError: The access list blocks the chat or the responsible person.
        """
        async with join_or_begin_read(self._db) as tx:
            rows = await ended_subscriptions.subscriptions_ended_at(tx, chat_id, at=ended_at)
        restored: list[Subscription] = []
        failed: list[tuple[str, BotError]] = []
        for row in rows:
            try:
                with with_current_unit(None):
                    # Each restore has a separate transaction, so a failure does not undo other
                    # restores.
                    restored.append(await self._restore(row, by))
            except (SubscriptionError, StoriesError, SpendingError) as error:
                failed.append((row.username, error))
        self._wake()
        return Restored(restored, failed)

    async def _restore(self, ended: Ended, by: int | Anonymous) -> Subscription:
        """Add an ended subscription again. Return the new or already existing subscription.

        Raises:
            BlockedError: The access list blocks the chat or the responsible person.
            SubscriptionError: A limit is reached, the budget is too small, or the profile is not
                stored.
            NoPayerError: The chat has no payer, and the person may not pay.
            StoriesError: The owner has blocked the profile.
        """
        now = self._now()
        profile_id = ended.profile_id
        async with join_or_begin_transaction(self._db) as tx:
            chat_id = (await store.lock_or_add_chat(tx, ended.target.chat_id, now=now)).id
            ended = replace(ended, target=replace(ended.target, chat_id=chat_id))
            await raise_if_blocked(tx, chat_id, now=now)
            await chat_queues.add_if_missing(tx, chat_id, now=now)
            await chat_queues.lock(tx, chat_id)
            existing = await store.find(tx, ended.target, profile_id)
            if existing is not None:
                return existing
            await self._ensure_payer_and_count_restored(tx, ended, by)
            allowance = await self._payers.lock_allowance_of_earlier_checks(tx, chat_id)
            # The start of the alerts is read again, because a new payer or a concurrent
            # transaction may have restarted the alerts.
            since = await ended_subscriptions.alerts_start_of(tx, ended)
            ended = replace(ended, since=since)
            await store.add(
                tx,
                ended.target,
                profile_id,
                preferences=ended.preferences.without_ended_pause(now),
                alerts_since=_alerts_start_of_restored(ended, now),
                created_by=ended.created_by,
                now=min(ended.created_at, now),
                wanted_id=ended.id,
            )
            subscription = await store.find(tx, ended.target, profile_id)
            if subscription is None:
                raise NotFollowedError(username=ended.username)
            await deliveries.attach_and_reopen_stories(tx, subscription, now=now)
            await fan_outs.enqueue_missed_stories(tx, subscription_id=subscription.id, now=now)
            await deliveries.make_due_or_mark_for_reselection(tx, chat_id, now=now)
            await chat_queues.reschedule(tx, chat_id)
            await store.start_or_stop_checks(
                tx, chat_id=chat_id, profile_ids=[profile_id], now=now
            )
            await snapshots.reschedule_check(tx, profile_id, now=now, allowance=allowance)
        return subscription

    async def _ensure_payer_and_count_restored(
        self, tx: Tx, ended: Ended, by: int | Anonymous
    ) -> None:
        """Check whether a subscription may be restored, and count the restored subscription.

        If the chat has no payer, the person ``by`` becomes the payer. The caller has locked the
        chat and the chat's queue.

        Raises:
            SubscriptionError: A limit is reached, the budget is too small, or the profile is not
                stored.
            NoPayerError: The chat has no payer, and the person may not pay.
            StoriesError: The owner has blocked the profile.
        """
        known = await profiles.get(tx, ended.profile_id)
        chat_id = ended.target.chat_id
        if known is None:
            raise NotFollowedError(username=ended.username)
        self._raise_if_profile_blocked(known.profile_id, known.username)
        payer = await self._payers.ensure_payer_of_locked_chat(
            tx, chat_id, by, profile_ids_to_lock=[ended.profile_id]
        )
        is_new = await self._payers.check_limits_and_counts_as_new(
            tx, chat_id, payer, ended.username
        )
        if ended.preferences.options.fast:
            await self._payers.raise_if_too_many_fast(tx, chat_id, payer)
        if known.due_at is None:
            budget_error = await self._budget_error(tx, payer)
            if budget_error is not None:
                raise budget_error
        await self._payers.count_new_or_restored_subscription(tx, chat_id, payer, is_new=is_new)

    async def _move(self, subscription: Subscription, target: Target) -> Subscription:
        """Move a subscription and its deliveries to a different topic of the chat, for 0 credits.

        Return the subscription of the topic. If the topic already has one, the moved subscription
        ends.

        Raises:
            NotFollowedError: The subscription has ended in the meantime.
        """
        now = self._now()
        async with join_or_begin_transaction(self._db) as tx:
            await chat_queues.lock(tx, target.chat_id)
            # The counters of new subscriptions are locked here, because a later step of the same
            # transaction may change the counters. ``start_or_stop_checks`` locks the profile, and
            # counters must be locked before profiles (see ``bot.store``).
            payer = await chats.payer_of(tx, target.chat_id)
            await self._payers.lock_new_subscription_counters(tx, target.chat_id, payer)
            before = await store.get(tx, subscription.id)
            if before is None or before.target.chat_id != target.chat_id:
                raise NotFollowedError(username=subscription.username)
            if before.target != target:
                await moves.move_to_thread(tx, before, to=target.thread_id or MAIN, now=now)
            await chat_queues.reschedule(tx, target.chat_id)
            await store.start_or_stop_checks(tx, profile_ids=[subscription.profile_id], now=now)
            moved = await store.find(tx, target, subscription.profile_id)
        if moved is None:
            raise NotFollowedError(username=subscription.username)
        self._wake()
        return moved

    async def _check_and_fetch_profile(
        self,
        places: Sequence[Target],
        username: str,
        by: Asker,
        *,
        pending: int,
        pending_fast: int | None,
    ) -> _CheckedProfile:
        """Return the profile, its live stories, and the existing subscription or None.

        The cost is that of ``subscribe``. ``places`` are the targets where the subscription may
        exist, in order of preference. ``pending`` and ``pending_fast`` count the other new and
        fast subscriptions of the request. If the subscription is not fast, ``pending_fast`` is
        None.

        Raises:
            SubscriptionError: A limit is reached, or the budget is too small for a further
                profile.
            NoPayerError: The chat has no payer, and the person may not pay.
            SpendingError: The credits are not allowed to be spent.
            StoriesError: The API failed or refused the account, or the profile is blocked.
        """
        self._raise_if_profile_blocked("", username)
        chat_id = places[0].chat_id
        lock = self._asking.setdefault(username, asyncio.Lock())
        async with lock:
            known = await self._names.read_last_known_owner(username, within=_NAME_IS_SURE)
            existing = (
                await self._find_subscription_in(places, known.profile_id) if known else None
            )
            if existing is None:
                await self._check_limits_and_record_budget_refusal(
                    chat_id, by, username, known, pending
                )
            if pending_fast is not None and not (existing and existing.options.fast):
                await self._raise_if_too_many_fast(chat_id, by, pending_fast)
            is_active = known is not None and known.state == "active"
            is_sure = existing is not None or is_active
            if known and is_sure:
                profile = known.profile
            else:
                with name_account_in_errors(username):
                    profile = await self._names.fetch_and_store_public_profile(
                        username, Charge("subscribe", by)
                    )
                existing = await self._find_subscription_in(places, profile.profile_id)
            self._raise_if_profile_blocked(profile.profile_id, username)
            if existing:
                return _CheckedProfile(
                    profile, await self._stored_live_stories(profile.profile_id), existing
                )
            try:
                live = await self._load_or_fetch_live_stories(
                    profile, by, is_just_named=not is_sure
                )
            except (SpendingStoppedError, OutOfServiceError):
                if not is_sure:
                    raise
                # The stored profile is enough for a subscription. The checks begin later.
                live = await self._stored_live_stories(profile.profile_id)
            return _CheckedProfile(profile, live)

    async def _find_subscription_in(
        self, places: Sequence[Target], profile_id: str
    ) -> Subscription | None:
        async with join_or_begin_read(self._db) as tx:
            found = [await store.find(tx, place, profile_id) for place in places]
        return next((subscription for subscription in found if subscription), None)

    async def _stored_live_stories(self, profile_id: str) -> list[Story]:
        async with join_or_begin_read(self._db) as tx:
            return await stories.live_stories(tx, profile_id, now=self._now())

    async def _check_limits_and_record_budget_refusal(
        self, chat_id: int, by: Asker, username: str, known: Known | None, pending: int
    ) -> None:
        """Check the limits and the budget for a new subscription. Record a refusal by the budget.

        A profile that already has a planned check needs no budget.

        Raises:
            SubscriptionError: A limit is reached, or the budget is too small for a further
                profile.
            NoPayerError: The chat has no payer, and the person may not pay.
        """
        budget_error = None
        async with join_or_begin_read(self._db) as tx:
            payer = await self._payers.payer_or_possible_payer(tx, chat_id, by.user_id)
            await self._payers.check_limits_and_counts_as_new(
                tx, chat_id, payer, username, pending
            )
            if known is None or known.due_at is None:
                budget_error = await self._budget_error(tx, payer, pending)
        if budget_error is not None:
            await self._payers.record_budget_refusal(payer)
            raise budget_error

    async def _raise_if_too_many_fast(self, chat_id: int, by: Asker, pending: int) -> None:
        async with join_or_begin_read(self._db) as tx:
            payer = await self._payers.payer_or_possible_payer(tx, chat_id, by.user_id)
            await self._payers.raise_if_too_many_fast(tx, chat_id, payer, pending)

    async def _budget_error(
        self, tx: Tx, payer: int, pending: int = 0
    ) -> SubscriptionError | None:
        """Return an error if the budget does not cover a further profile, or else None.

        ``pending`` further profiles of the same request count too. For a newcomer as the payer,
        only the part of the budget for newcomers counts.
        """
        is_fresh = not await access.is_not_newcomer(tx, payer)
        counts = list(await profiles.estimate_profile_counts_by_followers(tx))
        counts[is_fresh] += 1 + pending
        shares = split_budget_with_newcomers(
            self._polling.credits_a_day,
            known_profiles=counts[False],
            newcomer_profiles=counts[True],
        )
        a_poll = await schedule_state.read_credits_per_check(tx, self._polling.credits_a_poll)
        if is_feasible(shares[is_fresh], counts[is_fresh] * a_poll):
            return None
        is_part_full = is_fresh and counts[False] > 0
        return SubscriptionError(
            text=NEWCOMER_CAPACITY_REACHED if is_part_full else CAPACITY_REACHED
        )

    async def _load_or_fetch_live_stories(
        self, profile: Profile, by: Asker, *, is_just_named: bool
    ) -> list[Story]:
        """Return the live stories of a profile, from the database or from the API.

        The cost is 0 credits after a check in the last 10 minutes. Otherwise the cost is 2
        credits, or 1 credit if ``SKIP_PRIVACY_CHECK`` is "true", and more after a refusal.

        Raises:
            SpendingError: The credits are not allowed to be spent.
            StoriesError: The API failed or refused the account, or a different account has the
                name now.
        """
        now = self._now()
        async with join_or_begin_read(self._db) as tx:
            known = await profiles.get(tx, profile.profile_id)
            if known and known.snapshot_at and known.snapshot_at > now - _CHECK_VALID_FOR:
                return await stories.live_stories(tx, profile.profile_id, now=now)
        charge = Charge("subscribe", by)
        with name_account_in_errors(profile.username):
            live = await self._names.fetch_stories_if_same_owner(
                profile, charge, is_just_named=is_just_named
            )
            if live is None:
                raise ProfileUnavailableError("its name is another's by now")
        shown = live[0].profile if live else profile
        is_checked = self._names.checks_privacy
        snapshot = snapshots.Snapshot(shown, tuple(live), is_checked=is_checked)
        async with self._db.begin() as tx:
            await snapshots.record_snapshot_and_enqueue_alerts(tx, snapshot, now=self._now())
        self._wake()
        return live

    async def _follow(
        self,
        target: Target,
        checked: _CheckedProfile,
        by: Asker,
        preferences: Preferences | ChatDefaults,
        *,
        fast: bool,
        profile_ids: Collection[str],
    ) -> Subscribed:
        """Start a subscription, or return a subscription that a concurrent command has added.

        ``profile_ids`` are all profiles that the transaction changes.

        Raises:
            BlockedError: The access list blocks the chat or the responsible person.
            NoPayerError: The chat has no payer, and the person may not pay.
            SubscriptionError: A limit was reached, or the subscription has ended in the meantime.
        """
        now = self._now()
        profile = checked.profile
        async with join_or_begin_transaction(self._db) as tx:
            chat = await store.lock_or_add_chat(tx, target.chat_id, now=now)
            # The group may have become a supergroup during the calls of the API.
            target = replace(target, chat_id=chat.id)
            await raise_if_blocked(tx, target.chat_id, now=now)
            await chat_queues.add_if_missing(tx, target.chat_id, now=now)
            await chat_queues.lock(tx, target.chat_id)
            payer = await self._payers.ensure_payer_of_locked_chat(
                tx, target.chat_id, by.user_id, profile_ids_to_lock=profile_ids
            )
            allowance = await self._payers.lock_allowance_of_earlier_checks(tx, target.chat_id)
            await profiles.lock_all(tx, profile_ids)
            existing = await store.find(tx, target, profile.profile_id)
            if existing is not None:  # a concurrent command has added the subscription
                return Subscribed(existing, profile, checked.live, already=True)
            is_new = await self._payers.check_limits_and_counts_as_new(
                tx, target.chat_id, payer, profile.username
            )
            await store.add(
                tx,
                target,
                profile.profile_id,
                preferences=await self._preferences_of_new(
                    tx, chat, payer, preferences, fast=fast
                ),
                alerts_since=now - _NOT_SHOWN_YET,
                created_by=by.user_id,
                now=now,
            )
            await self._payers.count_new_or_restored_subscription(
                tx, target.chat_id, payer, is_new=is_new
            )
            await store.start_or_stop_checks(
                tx, chat_id=target.chat_id, profile_ids=[profile.profile_id], now=now
            )
            await snapshots.reschedule_check(tx, profile.profile_id, now=now, allowance=allowance)
            subscription = await store.find(tx, target, profile.profile_id)
        if subscription is None:  # a concurrent command has ended the subscription
            raise NotFollowedError(username=profile.username)
        return Subscribed(subscription, profile, checked.live, already=False, is_new=True)

    async def _preferences_of_new(
        self,
        tx: Tx,
        chat: Chat,
        payer: int,
        preferences: Preferences | ChatDefaults,
        *,
        fast: bool,
    ) -> Preferences:
        """Return the preferences of a new subscription.

        If ``preferences`` is None, the defaults of the chat apply. If the limit of fast
        subscriptions is reached, the default "fast" is ignored.

        Raises:
            TooManyFastError: The request asks for a fast subscription, but a limit is reached.
        """
        wanted = preferences or Preferences(Options.from_json(chat.defaults))
        if fast:
            wanted = replace(wanted, options=replace(wanted.options, fast=True))
        wanted = wanted.without_ended_pause(self._now())
        if not wanted.options.fast:
            return wanted
        try:
            await self._payers.raise_if_too_many_fast(tx, chat.id, payer)
        except TooManyFastError:
            if fast or preferences is not None:
                raise
            return Preferences(replace(wanted.options, fast=False))
        return wanted

    async def set_options(
        self, chat_id: int, subscription_id: int, changes: Mapping[str, object]
    ) -> Subscription:
        """Set options of a subscription to JSON values. Return the changed subscription.

        The new options also apply to the pending deliveries.

        Raises:
            TooManyFastError: The chat or the payer has the maximum number of fast subscriptions.
            NotFollowedError: The chat does not have the subscription.
        """
        async with join_or_begin_transaction(self._db) as tx:
            await chat_queues.lock(tx, chat_id)
            before = await load_subscription(tx, chat_id, subscription_id)
            await self._set_options_and_reschedule(
                tx, chat_id, [(before, before.options.with_values(changes))]
            )
            changed = await load_subscription(tx, chat_id, subscription_id)
        self._wake()
        return changed

    async def set_options_of_all(
        self, chat_id: int, changes: Mapping[str, object]
    ) -> tuple[ChangedCount, UndoKey]:
        """Set options of all subscriptions of a chat to JSON values, in one transaction.

        Return the number of changed subscriptions, and the key for ``undo_options_of_all``. The
        new options also apply to the pending deliveries.

        Raises:
            TooManyFastError: Too many subscriptions would be fast. No subscription is changed.
        """
        at = undo_key_at(self._now())
        async with join_or_begin_transaction(self._db) as tx:
            await chat_queues.lock(tx, chat_id)
            wanted = [
                (subscription, subscription.options.with_values(changes))
                for subscription in await store.of_chat(tx, chat_id)
            ]
            changed = [
                (subscription, options)
                for subscription, options in wanted
                if options != subscription.options
            ]
            await self._set_options_and_reschedule(tx, chat_id, changed, undo_at=at)
        self._wake()
        return len(changed), at

    async def undo_options_of_all(self, chat_id: int, at: UndoKey) -> ChangedCount:
        """Undo a change of ``set_options_of_all``, in one transaction.

        Options that have changed again are kept. Live stories that the undone option ``media`` has
        excluded can be sent again, unless the chat has no payer. Return the number of changed
        subscriptions.

        Raises:
            TooManyFastError: Too many subscriptions would be fast. No subscription is changed.
        """
        async with join_or_begin_transaction(self._db) as tx:
            await chat_queues.lock(tx, chat_id)
            changed = await store.options_before(tx, chat_id, undo_at=at)
            excluding = {subscription.options.media for subscription, _ in changed} - {"all"}
            if await chats.payer_of(tx, chat_id) is not None:
                for media in sorted(excluding):
                    reason = f"{FILTERED}: {media}"
                    await deliveries.reopen_dropped_of_chat(
                        tx, chat_id, reason=reason, dropped_since=at, now=self._now()
                    )
            await self._set_options_and_reschedule(tx, chat_id, changed)
        self._wake()
        return len(changed)

    async def _set_options_and_reschedule(
        self,
        tx: Tx,
        chat_id: int,
        wanted: Sequence[tuple[Subscription, Options]],
        *,
        undo_at: UndoKey | NoUndo = None,
    ) -> None:
        """Set the options of subscriptions of a chat. The caller has locked the chat's queue.

        Raises:
            TooManyFastError: The chat or the payer would exceed the maximum number of fast
                subscriptions.
        """
        # All counters of the payer are locked here, because a later step of the same transaction
        # may change the counters. ``reschedule_checks`` locks the profiles, and counters must be
        # locked before profiles (see ``bot.store``).
        allowance = await self._payers.lock_allowance_of_earlier_checks(tx, chat_id)
        more_fast = sum(options.fast - before.options.fast for before, options in wanted)
        if more_fast > 0:
            payer = await chats.payer_of(tx, chat_id)
            await self._payers.raise_if_too_many_fast(tx, chat_id, payer, pending=more_fast - 1)
        # The subscriptions are locked in the order of their ids, so that two transactions never
        # wait for each other.
        for before, options in sorted(wanted, key=lambda pair: pair[0].id):
            await store.set_options(tx, before, options, undo_at=undo_at)
        profile_ids = {before.profile_id for before, _ in wanted}
        await snapshots.reschedule_checks(tx, profile_ids, now=self._now(), allowance=allowance)
        await deliveries.make_due_or_mark_for_reselection(tx, chat_id, now=self._now())
        await chat_queues.reschedule(tx, chat_id)

    def _raise_if_profile_blocked(self, profile_id: str, username: str) -> None:
        if alert_rules.is_on_block_list(profile_id, username, self._polling.blocked):
            raise StoriesError(text=PROFILE_BLOCKED, username=username)


def _alerts_start_of_restored(ended: Ended, now: datetime) -> datetime:
    """Return the time from which posted stories cause alerts of a restored subscription.

    The result is usually not before the end of an ended pause, and never later than ``now``.
    """
    until = ended.preferences.paused_until
    since = ended.since
    if until is not None and until <= now:
        since = max(since, alert_rules.alerts_begin_at_second_of(until))
    return min(since, now)


def undo_key_at(now: datetime) -> UndoKey:
    """Return ``now`` in whole milliseconds, because a button stores no finer time."""
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


async def load_subscription(tx: Tx, chat_id: int, subscription_id: int) -> Subscription:
    """Return a subscription of a chat.

    Raises:
        NotFollowedError: The chat does not have the subscription.
    """
    subscription = await store.get(tx, subscription_id)
    if subscription is None or subscription.target.chat_id != chat_id:
        raise NotFollowedError
    return subscription
