"""Subscriptions: who follows whom, and how; the rules behind the commands and buttons.

Every change is one transaction; what it ends is not sent any more, unless it is on its way.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from bot.chats.explain import Why, delay_of, explain
from bot.chats.import_export import ImportEntry
from bot.chats.subscribing import Subscribed, Subscribing, SubscriptionLimits, check_fast
from bot.domain import alert_rules
from bot.domain.budget import DAY
from bot.domain.errors import (
    NotFollowedError,
    SpendingError,
    StoriesError,
    SubscriptionError,
    TooManyFastError,
)
from bot.domain.model import Asker, Options, Preferences, Story, Target
from bot.domain.records import Subscription
from bot.fetching import snapshots
from bot.store import chat_queues, deliveries, enqueue, moves, profiles, stories
from bot.store import ended as ended_store
from bot.store import subscriptions as store
from bot.store.database import Tx
from bot.updates.unit_of_work import active, effect, reading

__all__ = ["Subscribed", "Subscription", "SubscriptionLimits", "Subscriptions", "Why"]

_BLOCKED_AT_ONCE = 200  # subscriptions that one transaction ends


class Subscriptions(Subscribing):
    """The use cases around following profiles; all are free but to begin."""

    async def to_own_topic(self, chat_id: int, subscription_id: int, *, on: bool) -> Subscription:
        """Let a subscription go to its profile's own topic, or back to the chat itself; free.

        Raises:
            NotFollowedError: The chat has none of that id (any more).
            NoTopicsError: There can be no such topic.
            AskAgainError: Telegram doesn't answer.
        """
        one = await self.get(chat_id, subscription_id)
        if on and not one.in_own_topic:
            return await self._to_own_topic(one)
        if not on and one.in_own_topic:
            return await self._move(one, Target(chat_id))
        return one

    async def get(self, chat_id: int, subscription_id: int) -> Subscription:
        """Return a subscription of that chat.

        Raises:
            NotFollowedError: It has none of that id (any more).
        """
        return await self._db.fetch(lambda tx: _of_chat(tx, chat_id, subscription_id))

    async def named(self, chat_id: int, username: str) -> list[Subscription]:
        """Return what a chat has of the profile of that name, one for each topic.

        Raises:
            NotFollowedError: It has nothing.
        """
        rows = await self._db.fetch(lambda tx: store.of_chat(tx, chat_id, username=username))
        if not rows:
            raise NotFollowedError(username=username)
        return rows

    async def page(
        self, chat_id: int, *, offset: int = 0, limit: int | None = None
    ) -> tuple[list[Subscription], int]:
        """Return some subscriptions of a chat, by name, and how many there are in all."""
        async with self._db.read() as tx:
            rows = await store.of_chat(tx, chat_id, offset=offset, limit=limit)
            return rows, await store.count(tx, chat_id)

    async def expected_delay(self, profile_id: str) -> timedelta | None:
        """Return how long alerts of a profile take in the mean; None where nothing is known."""
        async with reading(self._db) as tx:  # with what the update has just begun
            known = await profiles.get(tx, profile_id)
        return delay_of(known) if known else None

    async def unsubscribe(self, chat_id: int, username: str) -> list[Subscription]:
        """End what a chat has of a profile, in all its topics; return what ended.

        Raises:
            NotFollowedError: It has nothing.
        """
        rows = await self.named(chat_id, username)
        await self._end(chat_id, rows)
        return rows

    async def unsubscribe_one(self, chat_id: int, subscription_id: int) -> Subscription:
        """End one subscription; return it.

        Raises:
            NotFollowedError: The chat has none of that id (any more).
        """
        subscription = await self.get(chat_id, subscription_id)
        await self._end(chat_id, [subscription])
        return subscription

    async def restore(
        self, target: Target, username: str, by: Asker, *, options: Options
    ) -> list[Subscribed]:
        """Let a chat follow a profile again as it did before it ended, within a day.

        In all its topics, with options, rules and pause; later, in ``target`` with ``options``.
        Costs and errors are those of ``subscribe``, of which each is a transaction of its own.
        """
        since = self._now() - DAY
        rows = await self._db.fetch(
            lambda tx: ended_store.named(tx, target.chat_id, username, since=since)
        )
        restored = []
        for place, preferences in rows or [(target, Preferences(options))]:
            with active(None):  # the next may ask the API
                restored.append(await self.subscribe(place, username, by, preferences=preferences))
        return restored

    async def restore_all(self, chat_id: int, by: Asker, *, ended_at: datetime) -> None:
        """Let a chat follow again what ended within a second; what can't be followed stays out."""
        names = await self._db.fetch(lambda tx: ended_store.names(tx, chat_id, since=ended_at))
        for username in names:
            with suppress(SubscriptionError, SpendingError, StoriesError):
                await self.restore(Target(chat_id), username, by, options=Options())

    async def unsubscribe_all(self, chat_id: int) -> tuple[int, datetime]:
        """End all subscriptions of a chat; return how many there were, and when they ended."""
        rows, count = await self.page(chat_id)
        return count, await self._end(chat_id, rows)

    async def set_options(
        self, chat_id: int, subscription_id: int, options: Options
    ) -> Subscription:
        """Change how a subscription wants its alerts; holds for what is owed already, too.

        Raises:
            TooManyFastError: The chat has as many fast ones as it may.
            NotFollowedError: The chat has none of that id (any more).
        """
        async with effect(self._db) as tx:
            await chat_queues.lock(tx, chat_id)
            before = await _of_chat(tx, chat_id, subscription_id)
            if options.fast and not before.options.fast:
                await check_fast(tx, chat_id, self._limits)
            await store.change(tx, subscription_id, options=options.values())
            await snapshots.requeue(tx, before.profile_id, now=self._now())
            await deliveries.release(tx, chat_id, now=self._now())
            await chat_queues.reschedule(tx, chat_id)
            changed = await _of_chat(tx, chat_id, subscription_id)
        self._wake()
        return changed

    async def hasten(self, chat_id: int, subscription_id: int) -> TooManyFastError | None:
        """Let a subscription be checked more often; return the limit that keeps it from that.

        That one is reached undoes nothing of what the same update did before.

        Raises:
            NotFollowedError: The chat has none of that id (any more).
        """
        async with effect(self._db) as tx:
            await chat_queues.lock(tx, chat_id)
            before = await _of_chat(tx, chat_id, subscription_id)
            try:
                await check_fast(tx, chat_id, self._limits)
            except TooManyFastError as limit:
                return limit
        await self.set_options(chat_id, subscription_id, replace(before.options, fast=True))
        return None

    async def pause(self, chat_id: int, subscription_id: int) -> Subscription:
        """Stop the alerts of a subscription; what it is still owed is dropped.

        Raises:
            NotFollowedError: The chat has none of that id (any more).
        """
        return await self._set_paused(chat_id, subscription_id, paused=True)

    async def mute(self, chat_id: int, subscription_id: int) -> Subscription:
        """Pause a subscription for a day; return it. One that is paused for good stays so.

        Raises:
            NotFollowedError: The chat has none of that id (any more).
        """
        before = await self.get(chat_id, subscription_id)
        if before.paused and before.paused_until is None:
            return before
        until = self._now() + DAY
        muted = await self._set_paused(chat_id, subscription_id, paused=True, until=until)
        self._wake()
        return muted

    async def resume_due(self) -> datetime | None:
        """Resume what was muted until now; return when the next one is due.

        Alerts begin with what is posted from the end of the mute on, however late that is noticed.
        """
        rows = await self._db.fetch(store.muted)
        for one in rows:
            if one.paused_until is None or one.paused_until > self._now():
                return one.paused_until
            with suppress(NotFollowedError):  # ended in between
                await self._set_paused(
                    one.target.chat_id, one.id, paused=False, since=one.paused_until
                )
                self._wake()
        return None

    async def resume(self, chat_id: int, subscription_id: int) -> Subscription:
        """Let the alerts begin again, with what is posted from now on.

        Raises:
            NotFollowedError: The chat has none of that id (any more).
        """
        return await self._set_paused(chat_id, subscription_id, paused=False)

    async def replan(self, chat_id: int) -> None:
        """Judge anew what is held in a chat, after its zone or hours have changed."""
        async with effect(self._db) as tx:
            await chat_queues.lock(tx, chat_id)
            await deliveries.release(tx, chat_id, now=self._now())
            await chat_queues.reschedule(tx, chat_id)
        self._wake()

    async def chat_moved(self, old: int, new: int) -> bool:
        """Take everything along to a group's new id; false when that has happened already."""
        async with effect(self._db) as tx:
            moved = await moves.move_chat(tx, old, new, now=self._now())
        self._wake()
        return moved

    async def bot_removed(self, chat_id: int) -> bool:
        """Close a chat where the bot may not write; false when it was closed.

        It is kept for 30 days.
        """
        async with effect(self._db) as tx:
            return await moves.close_chat(tx, chat_id, now=self._now())

    async def bot_back(self, chat_id: int, *, since: datetime | None = None) -> bool:
        """Open a chat again; alerts begin with what is posted from ``since`` on, or from now.

        False: it was open.
        """
        async with effect(self._db) as tx:
            opened = await moves.open_chat(tx, chat_id, now=self._now(), since=since)
        self._wake()
        return opened

    async def end_blocked(self) -> int:
        """End what follows blocked profiles, with a neutral notice; return how many ended."""
        ended = 0
        while self.blocked:
            some = await self._db.run(self._end_some_blocked)
            ended += some
            if some < _BLOCKED_AT_ONCE:
                break
        if ended:
            self._wake()
        return ended

    async def _end_some_blocked(self, tx: Tx) -> int:
        rows = await store.of_profiles(tx, self.blocked, limit=_BLOCKED_AT_ONCE)
        held = {one.target.chat_id for one in rows}
        await chat_queues.lock_all(tx, held)
        rows = [  # anew: a chat may have gone before its queue was held
            one
            for one in await store.of_profiles(tx, self.blocked, limit=_BLOCKED_AT_ONCE)
            if one.target.chat_id in held
        ]
        await store.remove(tx, [one.id for one in rows])
        for one in sorted(rows, key=lambda one: one.target.chat_id):
            fields = {"username": one.username}
            await enqueue.add_notice(tx, one.target, "ended", fields, now=self._now())
        profile_ids = {one.profile_id for one in rows}
        await store.start_or_stop(tx, profile_ids=profile_ids, now=self._now())
        return len(rows)

    async def why(self, target: Target, username: str) -> Why:
        """Return what is known of a profile's alerts in a chat or topic; costs nothing.

        Raises:
            NotFollowedError: Neither the topic nor the chat follows it.
        """
        rows = await self.named(target.chat_id, username)
        here = [one for one in rows if one.target.thread_id == target.thread_id]
        subscription = (here or rows)[0]
        now = self._now()
        is_poor = await self._ledger.room_for_schedule(now) <= 0
        return await self._db.fetch(
            lambda tx: explain(tx, subscription, out_of_budget=is_poor, now=now)
        )

    async def live(self, username: str, *, chat_id: int) -> list[Story]:
        """Return the stories of a profile that are there now, as last seen; costs nothing.

        Of what the chat follows only: what others pay for is not shown to everybody. Of a blocked
        profile there are none.

        Raises:
            NotFollowedError: The chat does not follow it.
        """
        rows = await self.named(chat_id, username)
        if alert_rules.is_blocked(rows[0].profile_id, username, self.blocked):
            return []
        now = self._now()
        return await self._db.fetch(lambda tx: stories.live(tx, rows[0].profile_id, now=now))

    async def entries(self, chat_id: int) -> list[ImportEntry]:
        """Return a chat's subscriptions for ``bot.chats.import_export`` to write down."""
        return [
            ImportEntry(one.username, one.profile_id, one.preferences, one.target.thread_id)
            for one in (await self.page(chat_id))[0]
        ]

    async def _set_paused(
        self,
        chat_id: int,
        subscription_id: int,
        *,
        paused: bool,
        until: datetime | None = None,
        since: datetime | None = None,
    ) -> Subscription:
        now = self._now()
        async with effect(self._db) as tx:
            await chat_queues.lock(tx, chat_id)
            subscription = await _of_chat(tx, chat_id, subscription_id)
            if subscription.paused == paused and subscription.paused_until == until:
                return subscription
            values = (
                {"paused": True, "paused_until": until}
                if paused
                else {
                    "paused": False,
                    "paused_until": None,
                    "since": alert_rules.from_now_on(since or now),
                }
            )
            await store.change(tx, subscription_id, **values)
            if paused:
                await deliveries.end(tx, subscription_id=subscription_id, reason="paused", now=now)
            await chat_queues.reschedule(tx, chat_id)
            await store.start_or_stop(
                tx, chat_id=chat_id, profile_ids=[subscription.profile_id], now=now
            )
            return await _of_chat(tx, chat_id, subscription_id)

    async def _end(self, chat_id: int, ended: Iterable[Subscription]) -> datetime:
        ids, now = {one.id for one in ended}, self._now()
        async with effect(self._db) as tx:
            await chat_queues.lock(tx, chat_id)
            # what ended or moved before the lock was ours is not ours to end
            gone = [one for one in await store.of_chat(tx, chat_id) if one.id in ids]
            await store.remove(tx, [one.id for one in gone])
            await ended_store.add(tx, gone, now=now)
            await chat_queues.reschedule(tx, chat_id)
            profile_ids = {one.profile_id for one in gone}
            await store.start_or_stop(tx, profile_ids=profile_ids, now=now)
        return now


async def _of_chat(tx: Tx, chat_id: int, subscription_id: int) -> Subscription:
    subscription = await store.get(tx, subscription_id)
    if subscription is None or subscription.target.chat_id != chat_id:
        raise NotFollowedError
    return subscription
