"""Transactions lock rows in the order that ``bot.store`` defines, so that no deadlock occurs."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from bot.billing.ledger import Charge, Ledger
from bot.chats.access import Access
from bot.chats.payers import Payers, SubscriptionLimits
from bot.chats.subscribing import Subscribing
from bot.chats.subscriptions import Subscriptions
from bot.domain.access import Subject
from bot.domain.budget import Limits
from bot.domain.errors import BlockedError, NotFollowedError
from bot.domain.model import Asker, Moved, Outcome, PermanentFailure, Profile, Sent, Target
from bot.domain.options import Options, Preferences
from bot.domain.paid_calls import Answer, Operation, PaidCall
from bot.domain.records import REPLY
from bot.domain.selection import Batch
from bot.fetching import snapshots
from bot.fetching.schedule_state import PollSettings
from bot.operations import cleanup
from bot.operations.broadcast import Broadcasts
from bot.outbox import results
from bot.outbox.fan_out import FanOut
from bot.store import (
    broadcasts,
    chat_queues,
    chats,
    deliveries,
    ended_subscriptions,
    enqueue,
    erasure,
    moves,
    profiles,
)
from bot.store import subscriptions as store
from bot.store.engine.database import Database, Tx
from bot.store.engine.failures import DEADLOCK
from bot.updates.unit_of_work import Unit, with_current_unit
from tests.bot.store.test_audiences import consistent
from tests.support.claims import lease_at
from tests.support.database import on_postgresql
from tests.support.followed import DAY, NOON, Clock, follow, story
from tests.support.lock_waits import Pause, lock_soon, run_behind_a_lock

STARS = [Profile(str(number), f"star{number}") for number in range(4)]
PEOPLE = range(1, 7)
GROUPS = range(-503, -500)
ROUNDS = 25
AT_ONCE = 10
PLENTY = 10**6

Change = Callable[[], Coroutine[Any, Any, Any]]


@contextmanager
def no_deadlocks() -> Iterator[None]:
    """Fail if the database ended a transaction because of a deadlock, even if a retry followed."""
    with capture_logs() as logs:
        yield
    assert not [line for line in logs if line.get("why") == DEADLOCK]


class ApiWithoutStories:
    """A Stories API without stories, in which each name belongs to the profile of ``STARS``."""

    checks_privacy = True

    def stories(self, _id: str, **_options: object) -> PaidCall[list[Any]]:
        async def make() -> Answer[list[Any]]:
            return Answer([], 2)

        return PaidCall(Operation.STORIES, 2, make)

    def profile(self, name: str) -> PaidCall[Profile]:
        async def make() -> Answer[Profile]:
            return Answer(next(one for one in STARS if one.username == name), 1)

        return PaidCall(Operation.PROFILE, 1, make)


class Crowd:
    """Random changes of the same chats and profiles by people, owners, checks and the outbox."""

    def __init__(self, db: Database, seed: int) -> None:
        nobody: Any = None  # the use cases of this test never use this dependency
        api: Any = ApiWithoutStories()
        self.db = db
        self.clock = Clock()
        self.blocked = {STARS[-1].username}
        polling = PollSettings(credits_a_day=PLENTY, blocked=self.blocked)
        limits = SubscriptionLimits(most=200, most_fast=9)
        self.payers = Payers(db, limits=limits, now=self.clock)
        self.chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.subscriptions = Subscriptions(db, nobody, blocked=self.blocked, now=self.clock)
        of_all = Limits(PLENTY, chat_daily_allowance=PLENTY, person_daily_allowance=PLENTY)
        self.ledger = Ledger(db, of_all, now=self.clock)
        self.subscribing = Subscribing(
            db,
            api,
            self.ledger,
            payers=self.payers,
            polling=polling,
            topics=nobody,
            now=self.clock,
        )
        self.access = Access(db, mode="open", now=self.clock)
        self.broadcasts = Broadcasts(db, wake=lambda: None, now=self.clock)
        self.fan_out = FanOut(db, lambda: None, now=self.clock)
        self.posted = 0
        self.last_group = -1000

    async def begin(self) -> None:
        async with self.db.begin() as tx:
            for person in PEOPLE:
                for star in STARS:
                    await follow(tx, person, star)

    async def look(self) -> None:
        star = self.chance.choice(STARS)
        self.posted += 1
        found = story(f"{star.profile_id}-{self.posted}", of=star)
        seen = snapshots.Snapshot(star, (found,))
        async with self.db.begin() as tx:
            await snapshots.record_snapshot_and_enqueue_alerts(
                tx, seen, now=self.clock.on(timedelta(seconds=1))
            )
        await self.fan_out.write_due_fan_outs()

    async def press(self) -> None:
        person = self.chance.choice(PEOPLE)
        found = await self.subscriptions.all_of_chat(person)
        if not found:
            await self.follow(person)
            return
        one = self.chance.choice(found)
        fast = {"fast": not one.options.fast}
        changes: list[Change] = [
            lambda: self.subscriptions.set_paused(person, one.id, paused=True),
            lambda: self.subscriptions.set_paused(person, one.id, paused=False),
            lambda: self.subscribing.set_options(person, one.id, fast),
            lambda: self.subscriptions.unsubscribe(person, [one]),
            lambda: self.subscriptions.unsubscribe(person, found),
            lambda: self.subscriptions.close_chat(person),
            lambda: self.subscriptions.reopen_chat_and_drop_pending(person),
            lambda: self.erase(person),
            lambda: self.move(person),
            lambda: self.lose_topic(person),
            self.subscriptions.apply_profile_blocks,
            self.tidy,
        ]
        with suppress(NotFollowedError, BlockedError):  # another change was first
            await self.chance.choice(changes)()

    async def current_id(self, chat_id: int) -> int:
        """Return the id of a group or of the supergroup that the group has become.

        Telegram sends no updates about a group that has become a supergroup.
        """
        async with self.db.read() as tx:
            return await chats.new_id_if_moved(tx, chat_id) or chat_id

    async def begin_groups(self) -> None:
        async with self.db.begin() as tx:
            for group in GROUPS:
                for star in STARS:
                    await follow(tx, group, star)
                await chats.set_payer(tx, group, None)

    async def change_payer(self) -> None:
        """Change the payer of a group in one of all ways."""
        person = self.chance.choice(PEOPLE)
        group = await self.current_id(self.chance.choice(GROUPS))
        at: dict[str, Any] = {"kind": "supergroup", "title": "", "language_code": None}
        changes: list[Change] = [
            lambda: self.payers.record_bot_added_and_set_payer(group, person, **at),
            lambda: self.payers.record_bot_added_and_set_payer(group, None, **at),
            lambda: self.payers.become_payer(group, person),
            lambda: self.payers.stop_paying(group, person),
            lambda: self.payers.set_payer(group, person),
            lambda: self.undo(group, person),
            lambda: self.erase(person),
            lambda: self.follow(person),
        ]
        with suppress(BlockedError):
            await self.chance.choice(changes)()

    async def work(self) -> None:
        """Do what an owner, the schedule, the outbox, or a person with a longer request does."""
        changes: list[Change] = [
            self.block_chats,
            self.block_profiles,
            self.subscribe_to_several,
            self.reply,
            self.send,
            self.make_check,
            self.answer_question,
            self.move_group,
            self.broadcast,
            self.stop_broadcast,
            self.clean,
        ]
        await self.chance.choice(changes)()

    def any_chat(self) -> int:
        chat_ids: list[int] = [*PEOPLE, *GROUPS]
        return self.chance.choice(chat_ids)

    async def block_chats(self) -> None:
        """Block or unblock a person or group, or end the expired blocks."""
        who, until = Subject.of_chat(self.any_chat()), self.chance.choice([None, self.clock()])
        changes: list[Change] = [
            lambda: self.access.block(who, until=until, reason=""),
            lambda: self.access.unblock(who),
            self.access.end_expired_and_apply_blocks,
        ]
        await self.chance.choice(changes)()

    async def block_profiles(self) -> None:
        """Block and unblock two profiles."""
        self.blocked ^= {one.username for one in self.chance.sample(STARS, 2)}
        await self.subscriptions.apply_profile_blocks()

    async def subscribe_to_several(self) -> None:
        """Subscribe a chat to all profiles with a single command, and reply."""
        chat_id, names = self.any_chat(), [one.username for one in STARS]
        self.chance.shuffle(names)
        unit = Unit(self.db)
        with with_current_unit(unit):
            try:
                with suppress(BlockedError):
                    asker = Asker(chat_id, self.chance.choice(PEOPLE))
                    await self.subscribing.subscribe_all(Target(chat_id), names, asker)
                tx = await unit.ensure_transaction()
                await self.reply_in(tx, await chats.new_id_if_moved(tx, chat_id) or chat_id)
                await unit.commit()
            except BaseException:
                await unit.roll_back_and_discard_replies()
                raise

    async def reply(self) -> None:
        async with self.db.begin() as tx:
            await self.reply_in(tx, self.any_chat())

    async def reply_in(self, tx: Tx, chat_id: int) -> None:
        """Enqueue a reply as ``bot.updates.handling`` does."""
        lease = lease_at(self.clock(), timedelta(seconds=5))
        queue = await chat_queues.claim_if_no_pending_reply(tx, chat_id, lease)
        payload = {"kind": "text", "text": ""}
        if queue is None:
            await enqueue.add_notice(tx, Target(chat_id), REPLY, payload, now=lease.at)
        else:
            await enqueue.add_reply(
                tx, Target(chat_id), payload, now=lease.at, due_at=lease.at, copies=1
            )

    async def send(self) -> None:
        """Claim some chat queues, and record a failed send or the move of a group."""
        lease = lease_at(self.clock(), timedelta(seconds=5))
        async with self.db.begin() as tx:
            queues = await chat_queues.claim_and_lock_due_deliveries(tx, lease, limit=5)
            ids = [row.id for queue in queues for row in queue.rows]
            await deliveries.record_claim_and_count_attempt(tx, ids)
        for queue in queues:
            outcome: Outcome = Sent(())
            if self.chance.random() < 0.3:
                outcome = PermanentFailure("kicked")
            if queue.chat_id < 0 and self.chance.random() < 0.3:
                outcome = Moved(self.other_group(queue.chat_id))
            batch = Batch(Target(queue.chat_id), tuple(queue.rows))
            report = results.SendReport(
                outcome=outcome,
                is_counted=True,
                in_outage=False,
                answers_again=False,
                now=self.clock(),
            )
            async with self.db.begin() as tx:
                if queue.rows:
                    await results.record_alert_outcome(tx, queue, batch, report)

    def other_group(self, group: int) -> int:
        """Return a group with a lower id: a group that is known to the bot, or a new group.

        No two groups move to each other, because Telegram migrates a group only once.
        """
        self.last_group -= 1
        known = [one for one in GROUPS if one < group]
        return self.chance.choice([*known, self.last_group])

    async def move_group(self) -> None:
        group = self.chance.choice(GROUPS)
        async with self.db.begin() as tx:
            await moves.move_chat(tx, group, self.other_group(group), now=self.clock())

    async def make_check(self) -> None:
        """Claim a profile, and record its check with the bill."""
        star, lease = self.chance.choice(STARS), lease_at(self.clock())
        async with self.db.begin() as tx:
            claimed = await profiles.claim_checks(tx, lease, limit=1, ids=[star.profile_id])
        for known in claimed:
            charge = Charge("schedule", profile_id=known.profile_id)
            await self.record_stories(charge, star, token=known.token)

    async def answer_question(self) -> None:
        """Record the answer to a question of a person with the bill."""
        asker = Asker(self.any_chat(), self.chance.choice(PEOPLE))
        await self.record_stories(Charge("stories", asker), self.chance.choice(STARS))

    async def record_stories(
        self, charge: Charge, star: Profile, *, token: int | None = None
    ) -> None:
        reserved = await self.ledger.reserve(charge, ApiWithoutStories().stories(star.profile_id))
        self.posted += 1
        found = story(f"{star.profile_id}-{self.posted}", self.clock(), star)
        async with self.db.begin() as tx:
            seen = snapshots.Snapshot(star, (found,))
            await snapshots.record_snapshot_and_enqueue_alerts(
                tx, seen, now=self.clock.on(timedelta(seconds=1)), token=token
            )
            await self.ledger.settle(tx, reserved, 1)

    async def broadcast(self) -> None:
        number, _ = await self.broadcasts.add_draft_and_count_recipients("", owner=PEOPLE[0])
        await self.broadcasts.begin(number, None)
        async with self.db.read() as tx:
            running = await broadcasts.running(tx)
        async with self.db.begin() as tx:
            for one in running[:1]:  # another change may have stopped the broadcast
                await broadcasts.enqueue_next_if_chats_left(
                    tx, one, limit=AT_ONCE, now=self.clock()
                )

    async def stop_broadcast(self) -> None:
        """Stop a broadcast with a button, and reply to the owner."""
        async with self.db.read() as tx:
            running = await broadcasts.running(tx)
        for one in running[:1]:
            unit = Unit(self.db)
            with with_current_unit(unit):
                await self.broadcasts.stop(one.id)
                await self.reply_in(await unit.ensure_transaction(), PEOPLE[0])
                await unit.commit()

    async def clean(self) -> None:
        await cleanup.delete_overdue_rows(
            self.db, now=self.clock() + self.chance.choice([0, 3, 40]) * DAY
        )

    async def undo(self, group: int, person: int) -> None:
        found = await self.subscriptions.all_of_chat(group)
        at = await self.subscriptions.unsubscribe(group, found)
        # A concurrent ``clean``, whose time is 40 days later, can delete the profile.
        with suppress(IntegrityError):
            await self.subscribing.restore(group, person, ended_at=at)

    async def follow(self, person: int) -> None:
        """Subscribe a chat to a profile, as ``Subscribing`` does."""
        star = self.chance.choice(STARS)
        thread_id = self.chance.choice([None, 9])
        async with self.db.begin() as tx:
            chat = await store.lock_or_add_chat(tx, person, now=self.clock())
            target = Target(chat.id, thread_id)
            await chat_queues.add_if_missing(tx, chat.id, now=self.clock())
            await chat_queues.lock(tx, chat.id)
            await profiles.add_or_update_returning_previous(
                tx, star, now=self.clock()
            )  # a cleanup deletes profiles
            if await store.find(tx, target, star.profile_id) is not None:
                return
            await store.add(
                tx,
                target,
                star.profile_id,
                preferences=Preferences(),
                alerts_since=NOON,
                created_by=person,
                now=self.clock(),
            )
            await store.start_or_stop_checks(
                tx, chat_id=chat.id, profile_ids=[star.profile_id], now=self.clock()
            )

    async def lose_topic(self, person: int) -> None:
        async with self.db.begin() as tx:
            await chats.lock(tx, [person])
            await chat_queues.lock(tx, person)
            await moves.move_topic_to_main_chat_and_notify(tx, person, 9, now=self.clock())

    async def tidy(self) -> None:
        """Do what the schedule does before a check and after it, and what is done daily."""
        star = self.chance.choice(STARS).profile_id
        async with self.db.read() as tx:
            count = await store.count_subscribers(tx, star)
        async with self.db.begin() as tx:
            await profiles.set_subscriber_count(tx, star, count)
        async with self.db.begin() as tx:
            await profiles.add_unsplit_credits(tx, star, 2)
        self.clock.on(timedelta(days=1))
        await self.ledger.split_check_costs_among_chats_daily()

    async def erase(self, person: int) -> None:
        async with self.db.begin() as tx:
            await erasure.erase_chat(tx, person, now=self.clock())

    async def move(self, person: int) -> None:
        async with self.db.begin() as tx:
            await moves.move_chat(tx, person, -100 - person, now=self.clock())
        async with self.db.begin() as tx:
            await moves.move_chat(tx, -100 - person, 100 + person, now=self.clock())

    async def run(self, *changes: Change, rounds: int = ROUNDS) -> None:
        """Make the changes in turn, ``AT_ONCE`` at the same time; check what must always hold."""
        with no_deadlocks():
            for _ in range(rounds):
                async with asyncio.TaskGroup() as group:
                    for number in range(AT_ONCE):
                        group.create_task(changes[number % len(changes)]())
        async with self.db.read() as tx:
            await consistent(tx)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
async def test_checks_during_presses_cause_no_deadlock(db: Database, seed: int) -> None:
    crowd = Crowd(db, seed)
    await crowd.begin()
    await crowd.run(crowd.look, crowd.press, crowd.press)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database_url", "seed"),
    [
        ("sqlite", 1),
        ("postgresql", 1),
        # SQLite has no row locks, so one seed is enough.
        *(pytest.param("postgresql", n, marks=pytest.mark.slow) for n in (19, 22, 33, 37, 38)),
    ],
    indirect=["database_url"],
)
async def test_concurrent_changes_of_payers_cause_no_deadlock(db: Database, seed: int) -> None:
    crowd = Crowd(db, seed)
    await crowd.begin()
    await crowd.begin_groups()
    await crowd.run(crowd.change_payer)


@on_postgresql
@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))]
)
async def test_concurrent_changes_cause_no_deadlock(db: Database, seed: int) -> None:
    crowd = Crowd(db, seed)
    await crowd.begin()
    await crowd.begin_groups()
    await crowd.run(crowd.work, crowd.work, crowd.press, crowd.work, crowd.change_payer, rounds=15)


class TopicNine:
    """Topics of which each profile has the same one."""

    async def read_own_topics(self, _chat_id: int, _names: object) -> dict[str, Target]:
        return {}

    async def fetch_and_check_right_to_make_topic(self, _chat_id: int) -> None:
        pass

    async def ensure_own_topic(self, chat_id: int, _profile_id: str, _name: str) -> Target:
        return Target(chat_id, 9)


def subscribing_of(crowd: Crowd, db: Database) -> Subscribing:
    topics: Any = TopicNine()
    return Subscribing(
        db,
        ApiWithoutStories(),  # type: ignore[arg-type] # has the calls of a subscription
        crowd.ledger,
        payers=crowd.payers,
        polling=PollSettings(credits_a_day=PLENTY),
        topics=topics,
        now=crowd.clock,
    )


async def run_behind_the_counters(db: Database, crowd: Crowd, person: int, work: Change) -> None:
    """Run ``work`` in a transaction that waits for the counters and must not hold a profile."""

    async def count(pause: Pause) -> None:
        async with db.begin() as tx:
            await crowd.payers.lock_new_subscription_counters(tx, person, person)
            await pause()
            await lock_soon(tx, "profiles", "true")

    async def run() -> None:
        unit = Unit(db)
        with with_current_unit(unit):
            await work()
            await unit.commit()

    await run_behind_a_lock(db, count, run)


@on_postgresql
async def test_a_subscription_that_moves_and_becomes_fast_locks_the_counters_before_the_profile(
    db: Database,
) -> None:
    person = PEOPLE[0]
    crowd = Crowd(db, 1)
    subscribing = subscribing_of(crowd, db)
    async with db.begin() as tx:
        await follow(tx, person, STARS[0])

    async def subscribe() -> None:
        names, asker = [STARS[0].username], Asker(person, person)
        await subscribing.subscribe_all(Target(person), names, asker, own_topic=True, fast=True)

    await run_behind_the_counters(db, crowd, person, subscribe)
    async with db.read() as tx:
        (moved,) = await store.of_chat(tx, person)
    assert moved.target == Target(person, 9)
    assert moved.options.fast


@on_postgresql
async def test_two_subscriptions_of_which_one_is_fast_lock_the_counters_before_the_profile(
    db: Database,
) -> None:
    person = PEOPLE[0]
    crowd = Crowd(db, 1)
    subscribing = subscribing_of(crowd, db)
    async with db.begin() as tx:
        fast = await follow(tx, person, STARS[0], options=Options(fast=True))
        slow = await follow(tx, person, STARS[0], thread_id=9)

    async def make_fast() -> None:
        for number in (fast, slow):
            await subscribing.set_options(person, number, {"fast": True})

    await run_behind_the_counters(db, crowd, person, make_fast)
    async with db.read() as tx:
        assert all(one.options.fast for one in await store.of_chat(tx, person))


@on_postgresql
@pytest.mark.parametrize("change", ["erasure", "move"])
async def test_an_erasure_and_a_move_lock_subscriptions_in_order(
    db: Database, change: str
) -> None:
    chat_id, ended_star, followed_star = GROUPS[0], STARS[0], STARS[1]
    async with db.begin() as tx:
        for star in (ended_star, followed_star):
            await follow(tx, chat_id, star)
        of_ended_star = [
            subscription
            for subscription in await store.of_chat(tx, chat_id)
            if subscription.profile_id == ended_star.profile_id
        ]
        await ended_subscriptions.add(tx, of_ended_star, now=NOON)
        await store.remove(tx, [each.id for each in of_ended_star])

    async def set_alerts_start(pause: Pause) -> None:
        async with db.begin() as tx:
            await ended_subscriptions.set_alerts_start(
                tx, since=NOON, chat_id=None, profile_ids=[ended_star.profile_id]
            )
            await pause()
            await lock_soon(tx, "profiles", "true")

    async def change_chat() -> None:
        async with db.begin() as tx:
            if change == "erasure":
                await erasure.erase_chat(tx, chat_id, now=NOON)
            else:
                await moves.move_chat(tx, chat_id, -1001, now=NOON)

    await run_behind_a_lock(db, set_alerts_start, change_chat)


@on_postgresql
async def test_a_move_locks_subscriptions_before_ended_subscriptions(db: Database) -> None:
    chat_id, star = GROUPS[0], STARS[0]
    async with db.begin() as tx:
        await follow(tx, chat_id, star)
        await ended_subscriptions.add(tx, await store.of_chat(tx, chat_id), now=NOON)

    async def lock_subscriptions(pause: Pause) -> None:
        async with db.begin() as tx:
            await lock_soon(tx, "subscriptions", "true")
            await pause()
            await lock_soon(tx, "ended_subscriptions", "true")

    async def move() -> None:
        async with db.begin() as tx:
            await moves.move_chat(tx, chat_id, -1001, now=NOON)

    await run_behind_a_lock(db, lock_subscriptions, move)
