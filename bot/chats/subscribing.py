"""How a chat begins to follow a profile: what costs nothing is known before anything is paid."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary

from bot.billing.ledger import Ledger, Payer
from bot.domain import alert_rules
from bot.domain.budget import DAY, share_with_newcomers
from bot.domain.errors import (
    CAPACITY_REACHED,
    NEWCOMER_CAPACITY_REACHED,
    PROFILE_BLOCKED,
    TOO_MANY_FOLLOWED,
    TOO_MANY_NEW,
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
    naming_account,
)
from bot.domain.model import Asker, Profile, Story, Target
from bot.domain.options import Options, Preferences
from bot.domain.paid_calls import StoriesService
from bot.domain.records import MAIN, Known, Subscription
from bot.fetching import schedule_state, snapshots
from bot.fetching.names import Names
from bot.fetching.schedule_state import PollSettings
from bot.scheduling.pricing import is_feasible
from bot.sending.topics import Topics
from bot.store import (
    acquaintances,
    budgets,
    chat_queues,
    deliveries,
    ended_subscriptions,
    fan_outs,
    moves,
    profiles,
    stories,
)
from bot.store import subscriptions as store
from bot.store.chats import refuse_blocked
from bot.store.ended_subscriptions import Ended
from bot.store.engine.database import Database, Tx
from bot.updates.unit_of_work import as_current, fetch, reading, writing

_NAME_IS_SURE = timedelta(days=1)
"""How long a name surely belongs to whom the API last showed under it."""

_NOT_SHOWN_YET = timedelta(minutes=1)
"""What was posted so shortly before a chat begins to follow may not have shown yet: it is news.

What a snapshot has shown by then is none, as it is stored already."""

_CHECK_VALID_FOR = timedelta(minutes=10)
"""How old a check may be that shows what is alive when a chat begins to follow."""


@dataclass(frozen=True, slots=True)
class SubscriptionLimits:
    """How many subscriptions a chat may have, begin within a day, and have fast."""

    most: int = 20
    most_new_a_day: int = 10
    most_fast: int = 3


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What became of a request to follow; ``live`` are the stories to offer, oldest first."""

    subscription: Subscription
    profile: Profile
    live: list[Story]
    already: bool
    is_new: bool = False
    """Whether the chat did not follow it before, in any place of those asked for."""
    is_sooner: bool = False
    """Whether it was there already, and is checked more often from now on."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whom to follow, with the live stories, and the subscription that there may be."""

    profile: Profile
    live: list[Story]
    there: Subscription | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """The subscriptions that Undo restored; of those that it could not, the names and errors."""

    subscriptions: list[Subscription]
    failed: list[tuple[str, BotError]]


class Subscribing:
    """Lets a chat begin to follow, and changes what that decides: place, options, how often."""

    def __init__(
        self,
        db: Database,
        api: StoriesService,
        ledger: Ledger,
        *,
        limits: SubscriptionLimits,
        polling: PollSettings,
        topics: Topics,
        wake: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the parts; ``wake`` is called when something may have become due."""
        self._db = db
        self._topics = topics
        self._ledger = ledger
        self._names = Names(db, api, ledger, now=now)
        self._limits = limits
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
        preferences: Preferences | None = None,
        own_topic: bool = False,
    ) -> Subscribed:
        """Let a chat or topic follow the profile of that name; 0 to 3 credits.

        Stories that are alive now are no news: they are returned, to be offered. Without
        ``preferences`` the chat's defaults hold. ``own_topic``: alerts go to the profile's own
        topic; a subscription in ``target`` moves there.

        Raises:
            SubscriptionError: A limit, the block-list, or there can be no such topic.
            AskAgainError: Telegram doesn't answer, which is asked for the topic.
            NoSuchProfileError: There is no such account.
            ProfilePrivateError: Nobody could be told of its stories.
            SpendingError: The credits for it may not be spent. While all spending is stopped, a
                profile that is known can be subscribed to nevertheless.
            StoriesError: The API failed.
        """
        ((_, result),) = await self.subscribe_all(
            target, [username], by, preferences=preferences, own_topic=own_topic
        )
        if isinstance(result, BotError):
            raise result
        return result

    async def subscribe_all(
        self,
        target: Target,
        usernames: Sequence[str],
        by: Asker,
        *,
        preferences: Preferences | None = None,
        own_topic: bool = False,
        fast: bool = False,
    ) -> list[tuple[str, Subscribed | BotError]]:
        """Follow each profile as ``subscribe`` does; return what became of each, in their order.

        ``fast``: what is followed already is checked more often from now on, too. First the API is
        asked about all; then all that can be followed begin in one transaction. Where another
        command reaches a limit in between, none begins.

        Raises:
            SubscriptionError: A limit was reached in between, or there can be no topics.
            AskAgainError: As ``subscribe``.
        """
        places = await self._possible_places(target, usernames, own_topic=own_topic)
        is_fast = fast or (preferences is not None and preferences.options.fast)
        asked: list[tuple[str, _Asked | BotError, Target]] = []
        new, faster, there = 0, 0, target
        for username in usernames:
            try:
                one = await self._check_and_ask_api(
                    places[username], username, by, new=new, faster=faster if is_fast else None
                )
                if own_topic:
                    there = await self._topics.ensure_own_topic(
                        target.chat_id, one.profile.profile_id, one.profile.username
                    )
            except (SubscriptionError, SpendingError, StoriesError, AskAgainError) as error:
                asked.append((username, error, target))
            else:
                asked.append((username, one, there))
                new += one.there is None
                faster += not (one.there and one.there.options.fast)
        return [
            (
                username,
                one
                if isinstance(one, BotError)
                else await self._follow_or_move(there, one, by, preferences, fast=fast),
            )
            for username, one, there in asked
        ]

    async def _possible_places(
        self, target: Target, usernames: Sequence[str], *, own_topic: bool
    ) -> dict[str, list[Target]]:
        """Return where each may be followed already; what stands against new topics is raised."""
        if not own_topic:
            return {one: [target] for one in usernames}
        own = await self._topics.own_topics_of(target.chat_id, usernames)
        if len(own) < len(usernames):
            await self._topics.check_may_make(target.chat_id)
        return {one: [own[one], target] if one in own else [target] for one in usernames}

    async def _follow_or_move(
        self,
        target: Target,
        asked: _Asked,
        by: Asker,
        preferences: Preferences | None,
        *,
        fast: bool,
    ) -> Subscribed:
        """Follow in ``target`` what was asked for, or move there what is followed elsewhere."""
        if asked.there is None:
            return await self._follow(target, asked, by, preferences, fast=fast)
        one, is_sooner = asked.there, fast and not asked.there.options.fast
        if one.target != target:
            one = await self._move(one, target)
        if is_sooner:
            one = await self.set_options(target.chat_id, one.id, {"fast": True})
        already = asked.there.target == target
        return Subscribed(one, asked.profile, asked.live, already, is_sooner=is_sooner and already)

    async def set_own_topic(self, chat_id: int, subscription_id: int, *, on: bool) -> Subscription:
        """Let a subscription go to its profile's own topic, or back to the chat itself; free.

        Raises:
            NotFollowedError: The chat has none of that id (any more).
            NoTopicsError: There can be no such topic.
            AskAgainError: Telegram doesn't answer.
        """
        one = await fetch(self._db, lambda tx: load_subscription(tx, chat_id, subscription_id))
        if on == one.in_own_topic:
            return one
        if not on:
            return await self._move(one, Target(chat_id))
        await self._possible_places(one.target, [one.username], own_topic=True)
        target = await self._topics.ensure_own_topic(chat_id, one.profile_id, one.username)
        return await self._move(one, target)

    async def restore(self, chat_id: int, *, ended_at: datetime) -> Restored:
        """Restore the subscriptions that a chat ended within that second; 0 credits.

        Each is as it was, with the stories that waited and those found since.

        Raises:
            BlockedError: The bot's owner blocks the chat.
        """
        rows = await fetch(
            self._db, lambda tx: ended_subscriptions.those_ended_at(tx, chat_id, at=ended_at)
        )
        restored: list[Subscription] = []
        failed: list[tuple[str, BotError]] = []
        for row in rows:
            try:
                with as_current(None):  # one that fails does not undo the others
                    restored.append(await self._restore(row))
            except (SubscriptionError, StoriesError) as error:
                failed.append((row.username, error))
        self._wake()
        return Restored(restored, failed)

    async def _restore(self, ended: Ended) -> Subscription:
        now, chat_id, profile_id = self._now(), ended.target.chat_id, ended.profile_id
        async with writing(self._db) as tx:
            await store.lock_and_get_chat(tx, chat_id, now=now)
            await refuse_blocked(tx, chat_id, now=now)
            await chat_queues.ensure(tx, chat_id, now=now)
            await chat_queues.lock(tx, chat_id)
            there = await store.find(tx, ended.target, profile_id)
            if there is not None:
                return there
            await self._check_restorable(tx, ended)
            await store.add(
                tx,
                ended.target,
                profile_id,
                preferences=ended.preferences.valid_at(now),
                since=_since_of_restored(ended, now),
                created_by=ended.created_by,
                now=min(ended.created_at, now),
                wanted_id=ended.id,
            )
            one = await store.find(tx, ended.target, profile_id)
            if one is None:
                raise NotFollowedError(username=ended.username)
            await deliveries.attach(tx, one)
            if not one.paused:
                await fan_outs.enqueue_missed(tx, one, now=now)
            await deliveries.select_again(tx, chat_id, now=now)
            await chat_queues.reschedule(tx, chat_id)
            await store.switch_checks(tx, chat_id=chat_id, profile_ids=[profile_id], now=now)
            await snapshots.reschedule_check(tx, profile_id, now=now)
        return one

    async def _check_restorable(self, tx: Tx, ended: Ended) -> None:
        """Check that a limit or the block-list does not stand against a restored subscription.

        Raises:
            SubscriptionError: A limit of the chat or the budget is reached.
            StoriesError: The owner has blocked the profile.
        """
        known, chat_id = await profiles.get(tx, ended.profile_id), ended.target.chat_id
        if known is None:
            raise NotFollowedError(username=ended.username)
        self._refuse_blocked(known.profile_id, known.username)
        await self._check_number(tx, chat_id)
        if ended.preferences.options.fast:
            await check_fast_limit(tx, chat_id, self._limits)
        if known.next_check_at is None:
            await self._check_budget(tx, chat_id)

    async def _move(self, one: Subscription, target: Target) -> Subscription:
        """Let a subscription, with what it is owed, go to another topic of its chat; free.

        Raises:
            NotFollowedError: It has ended in between.
        """
        now = self._now()
        async with writing(self._db) as tx:
            await chat_queues.lock(tx, target.chat_id)
            before = await store.get(tx, one.id)
            if before is None or before.target.chat_id != target.chat_id:
                raise NotFollowedError(username=one.username)
            if before.target != target:
                await moves.move_subscription(tx, before, to=target.thread_id or MAIN, now=now)
            await chat_queues.reschedule(tx, target.chat_id)
            await store.switch_checks(tx, profile_ids=[one.profile_id], now=now)
            moved = await store.find(tx, target, one.profile_id)
        if moved is None:
            raise NotFollowedError(username=one.username)
        self._wake()
        return moved

    async def _check_and_ask_api(
        self,
        places: Sequence[Target],
        username: str,
        by: Asker,
        *,
        new: int,
        faster: int | None,
    ) -> _Asked:
        """Return whom to follow, with the live stories, and the subscription that there is.

        ``places`` are of one chat; a subscription at the first of them counts first. ``new`` other
        subscriptions are about to begin in the chat, and ``faster`` to become fast; where that is
        None, this one shall not be fast.
        """
        self._refuse_blocked("", username)
        chat_id = places[0].chat_id
        lock = self._asking.setdefault(username, asyncio.Lock())
        async with lock:
            known = await self._names.last_known(username, within=_NAME_IS_SURE)
            there = await self._followed_in(places, known.profile_id) if known else None
            if there is None:
                await self._check_limits_and_budget(chat_id, username, known, new)
            if faster is not None and not (there and there.options.fast):
                await fetch(
                    self._db,
                    lambda tx: check_fast_limit(tx, chat_id, self._limits, pending=faster),
                )
            is_sure = known is not None and (there is not None or known.state == "active")
            if known and is_sure:
                profile = known.profile
            else:
                with naming_account(username):
                    profile = await self._names.resolve_public(username, Payer("subscribe", by))
                there = await self._followed_in(places, profile.profile_id)
            self._refuse_blocked(profile.profile_id, username)
            if there:
                return _Asked(profile, await self._stored_live_stories(profile.profile_id), there)
            try:
                live = await self._ask_live(profile, by, is_just_named=not is_sure)
            except (SpendingStoppedError, OutOfServiceError):
                if not is_sure:
                    raise
                # The chat can subscribe to a profile that is known; its checks begin later.
                live = await self._stored_live_stories(profile.profile_id)
            return _Asked(profile, live)

    async def _followed_in(self, places: Sequence[Target], profile_id: str) -> Subscription | None:
        async with reading(self._db) as tx:
            here = [await store.find(tx, place, profile_id) for place in places]
        return next((one for one in here if one), None)

    async def _stored_live_stories(self, profile_id: str) -> list[Story]:
        return await fetch(self._db, lambda tx: stories.live(tx, profile_id, now=self._now()))

    async def _check_limits_and_budget(
        self, chat_id: int, username: str, known: Known | None, pending: int
    ) -> None:
        async with reading(self._db) as tx:
            await self._check_limits(tx, chat_id, username, pending)
            if known is None or known.next_check_at is None:
                await self._check_budget(tx, chat_id, pending)

    async def _check_budget(self, tx: Tx, chat_id: int, pending: int = 0) -> None:
        """Check that the budget lets one more profile be checked in time, besides ``pending``.

        Raises:
            SubscriptionError: It does not, or the newcomers' part of it does not.
        """
        is_fresh = not await acquaintances.is_known(tx, "chat", chat_id)
        counts = list(await profiles.count_followed(tx))
        counts[is_fresh] += 1 + pending
        shares = share_with_newcomers(
            self._polling.credits_a_day, known=counts[False], fresh=counts[True]
        )
        a_poll = await schedule_state.cost_of_poll(tx, self._polling.credits_a_poll)
        if not is_feasible(shares[is_fresh], counts[is_fresh] * a_poll):
            is_their_part = is_fresh and counts[False]
            text = NEWCOMER_CAPACITY_REACHED if is_their_part else CAPACITY_REACHED
            raise SubscriptionError(text=text)

    async def _check_number(self, tx: Tx, chat_id: int, pending: int = 0) -> None:
        """Check that a chat may have one more subscription, besides ``pending``.

        Raises:
            SubscriptionError: It has as many as it may.
        """
        if await store.count(tx, chat_id) + pending >= self._limits.most:
            raise SubscriptionError(text=TOO_MANY_FOLLOWED, most=self._limits.most)

    async def _check_limits(self, tx: Tx, chat_id: int, username: str, pending: int = 0) -> bool:
        """Check a chat's limits; return whether a profile is new: what has just ended is not.

        Raises:
            SubscriptionError: The chat has as many as it may, or began with as many today.
        """
        limits, now = self._limits, self._now()
        await self._check_number(tx, chat_id, pending)
        if await ended_subscriptions.has_ended(tx, chat_id, username, since=now - DAY):
            return False
        begun = await budgets.allowance_used(tx, "follows", chat_id, now.date())
        if begun + pending >= limits.most_new_a_day:
            raise SubscriptionError(text=TOO_MANY_NEW, most=limits.most_new_a_day)
        return True

    async def _ask_live(self, profile: Profile, by: Asker, *, is_just_named: bool) -> list[Story]:
        """Return the live stories of a profile, paid only when the last check is too old."""
        now = self._now()
        async with reading(self._db) as tx:
            known = await profiles.get(tx, profile.profile_id)
            if known and known.snapshot_at and known.snapshot_at > now - _CHECK_VALID_FOR:
                return await stories.live(tx, profile.profile_id, now=now)
        payer = Payer("subscribe", by)
        with naming_account(profile.username):
            live = await self._names.fetch_stories(profile, payer, is_just_named=is_just_named)
            if live is None:
                raise ProfileUnavailableError("its name is another's by now")
        shown = live[0].profile if live else profile
        async with self._db.begin() as tx:
            await snapshots.record(tx, snapshots.Snapshot(shown, tuple(live)), now=self._now())
        self._wake()
        return live

    async def _follow(
        self,
        target: Target,
        asked: _Asked,
        by: Asker,
        preferences: Preferences | None,
        *,
        fast: bool,
    ) -> Subscribed:
        now, is_new, profile = self._now(), False, asked.profile
        async with writing(self._db) as tx:
            chat = await store.lock_and_get_chat(tx, target.chat_id, now=now)
            await refuse_blocked(tx, target.chat_id, now=now)
            await chat_queues.ensure(tx, target.chat_id, now=now)
            if await store.find(tx, target, profile.profile_id) is None:
                is_new = await self._check_limits(tx, target.chat_id, profile.username)
            wanted = preferences or Preferences(Options.from_json(chat.defaults))
            if fast:
                wanted = replace(wanted, options=replace(wanted.options, fast=True))
            wanted = wanted.valid_at(now)
            if wanted.options.fast:
                try:
                    await check_fast_limit(tx, target.chat_id, self._limits)
                except TooManyFastError:
                    if fast or preferences is not None:
                        raise
                    slower = replace(wanted.options, fast=False)  # a default gives what there is
                    wanted = Preferences(slower)
            added = await store.add(
                tx,
                target,
                profile.profile_id,
                preferences=wanted,
                since=now - _NOT_SHOWN_YET,
                created_by=by.user_id,
                now=now,
            )
            if added is not None and is_new:
                await budgets.take_allowances(
                    tx, now.date(), 1, [("follows", target.chat_id, self._limits.most_new_a_day)]
                )
            await store.switch_checks(
                tx, chat_id=target.chat_id, profile_ids=[profile.profile_id], now=now
            )
            await snapshots.reschedule_check(tx, profile.profile_id, now=now)
            subscription = await store.find(tx, target, profile.profile_id)
        if subscription is None:  # another chat's command ended it in between; theirs was later
            raise NotFollowedError(username=profile.username)
        is_there = added is None
        return Subscribed(subscription, profile, asked.live, is_there, is_new=not is_there)

    async def set_options(
        self, chat_id: int, subscription_id: int, changes: Mapping[str, object]
    ) -> Subscription:
        """Give options of a subscription these JSON values; holds for what is owed already, too.

        Raises:
            TooManyFastError: The chat has as many fast ones as it may.
            NotFollowedError: The chat has none of that id (any more).
        """
        async with writing(self._db) as tx:
            await chat_queues.lock(tx, chat_id)
            before = await load_subscription(tx, chat_id, subscription_id)
            options = before.options.with_values(changes)
            if options.fast and not before.options.fast:
                await check_fast_limit(tx, chat_id, self._limits)
            await store.change(tx, subscription_id, options=options.to_json())
            await snapshots.reschedule_check(tx, before.profile_id, now=self._now())
            await deliveries.select_again(tx, chat_id, now=self._now())
            await chat_queues.reschedule(tx, chat_id)
            changed = await load_subscription(tx, chat_id, subscription_id)
        self._wake()
        return changed

    def _refuse_blocked(self, profile_id: str, username: str) -> None:
        if alert_rules.is_on_block_list(profile_id, username, self._polling.blocked):
            raise StoriesError(text=PROFILE_BLOCKED, username=username)


async def check_fast_limit(
    tx: Tx, chat_id: int, limits: SubscriptionLimits, *, pending: int = 0
) -> None:
    """Check that a chat may have one more fast subscription, besides ``pending`` to come.

    Raises:
        TooManyFastError: It has as many as it may.
    """
    fast = [one for one in await store.of_chat(tx, chat_id) if one.options.fast]
    if len(fast) + pending >= limits.most_fast:
        raise TooManyFastError(most=limits.most_fast)


def _since_of_restored(ended: Ended, now: datetime) -> datetime:
    """Return from when on stories are news to a restored subscription.

    A mute that is over by ``now`` has ended as it would have.
    """
    until = ended.preferences.paused_until
    is_over = until is not None and until <= now
    since = alert_rules.alerts_begin_at(until) if until and is_over else ended.since
    return min(since, now)


async def load_subscription(tx: Tx, chat_id: int, subscription_id: int) -> Subscription:
    """Return a subscription of that chat.

    Raises:
        NotFollowedError: It has none of that id (any more).
    """
    subscription = await store.get(tx, subscription_id)
    if subscription is None or subscription.target.chat_id != chat_id:
        raise NotFollowedError
    return subscription
