"""Whoever locks rows takes them in the order that ``bot.store`` names: nobody deadlocks."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from bot.billing.ledger import Ledger
from bot.chats.payers import Payers, SubscriptionLimits
from bot.chats.subscribing import Subscribing
from bot.chats.subscriptions import Subscriptions
from bot.domain.budget import Limits
from bot.domain.errors import NotFollowedError
from bot.domain.model import Profile, Target
from bot.domain.options import Preferences
from bot.fetching import snapshots
from bot.fetching.schedule_state import PollSettings
from bot.outbox.fan_out import FanOut
from bot.store import chat_queues, chats, erasure, moves, profiles
from bot.store import subscriptions as store
from bot.store.engine.database import Database
from tests.bot.store.test_audiences import consistent
from tests.support.followed import NOON, Clock, follow, story

STARS = [Profile(str(number), f"star{number}") for number in range(4)]
PEOPLE = range(1, 7)
GROUPS = range(-503, -500)
ROUNDS = 25
AT_ONCE = 10


class Crowd:
    """People who press whatever there is, while their profiles are looked at."""

    def __init__(self, db: Database, seed: int) -> None:
        nobody: Any = None  # what is pressed here asks neither the API nor the ledger
        polling = PollSettings(blocked=frozenset({STARS[-1].username}))
        self.db = db
        self.clock = Clock()
        limits = SubscriptionLimits(most=200, most_fast=9)
        self.payers = Payers(db, limits=limits, now=self.clock)
        self.chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.subscriptions = Subscriptions(db, nobody, blocked=polling.blocked, now=self.clock)
        self.subscribing = Subscribing(
            db, nobody, nobody, payers=self.payers, polling=polling, topics=nobody, now=self.clock
        )
        self.fan_out = FanOut(db, lambda: None, now=self.clock)
        self.posted = 0

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
            await snapshots.record(tx, seen, now=self.clock.on(timedelta(seconds=1)))
        await self.fan_out.write_all()

    async def press(self) -> None:
        person = self.chance.choice(PEOPLE)
        found = await self.subscriptions.every(person)
        if not found:
            await self.follow(person)
            return
        one = self.chance.choice(found)
        fast = {"fast": not one.options.fast}
        deeds: list[Callable[[], Awaitable[Any]]] = [
            lambda: self.subscriptions.set_paused(person, one.id, paused=True),
            lambda: self.subscriptions.set_paused(person, one.id, paused=False),
            lambda: self.subscribing.set_options(person, one.id, fast),
            lambda: self.subscriptions.unsubscribe(person, [one]),
            lambda: self.subscriptions.unsubscribe(person, found),
            lambda: self.subscriptions.close_chat(person),
            lambda: self.subscriptions.reopen_chat(person),
            lambda: self.erase(person),
            lambda: self.move(person),
            lambda: self.lose_topic(person),
            self.subscriptions.apply_blocks,
            self.tidy,
        ]
        with suppress(NotFollowedError):  # another press was first
            await self.chance.choice(deeds)()

    async def begin_groups(self) -> None:
        async with self.db.begin() as tx:
            for group in GROUPS:
                for star in STARS:
                    await follow(tx, group, star)
                await chats.set_payer(tx, group, None)

    async def change_payer(self) -> None:
        """Change the payer of a group in one of all ways."""
        person, group = self.chance.choice(PEOPLE), self.chance.choice(GROUPS)
        at: dict[str, Any] = {"kind": "supergroup", "title": "", "language_code": None}
        deeds: list[Callable[[], Awaitable[Any]]] = [
            lambda: self.payers.bring(group, person, **at),
            lambda: self.payers.bring(group, None, **at),
            lambda: self.payers.claim(group, person),
            lambda: self.payers.leave(group, person),
            lambda: self.payers.set_payer(group, person),
            lambda: self.undo(group, person),
            lambda: self.erase(person),
            lambda: self.follow(person),
        ]
        await self.chance.choice(deeds)()

    async def undo(self, group: int, person: int) -> None:
        found = await self.subscriptions.every(group)
        at = await self.subscriptions.unsubscribe(group, found)
        await self.subscribing.restore(group, person, ended_at=at)

    async def follow(self, person: int) -> None:
        star = self.chance.choice(STARS)
        thread_id = self.chance.choice([None, 9])
        async with self.db.begin() as tx:
            await store.lock_and_get_chat(tx, person, now=self.clock())
            await chat_queues.ensure(tx, person, now=self.clock())
            await store.add(
                tx,
                Target(person, thread_id),
                star.profile_id,
                preferences=Preferences(),
                since=NOON,
                created_by=person,
                now=self.clock(),
            )
            await store.switch_checks(
                tx, chat_id=person, profile_ids=[star.profile_id], now=self.clock()
            )

    async def lose_topic(self, person: int) -> None:
        async with self.db.begin() as tx:
            await chats.lock(tx, [person])
            await chat_queues.lock(tx, person)
            await moves.close_topic(tx, person, 9, now=self.clock())

    async def tidy(self) -> None:
        """Do what the schedule does before a check and after it, and what is done daily."""
        star = self.chance.choice(STARS).profile_id
        async with self.db.read() as tx:
            audience = await store.audience(tx, star)
        async with self.db.begin() as tx:
            await profiles.set_audience(tx, star, audience)
        async with self.db.begin() as tx:
            await profiles.add_unsplit(tx, star, 2)
        self.clock.on(timedelta(days=1))
        await Ledger(self.db, Limits(), now=self.clock).split_check_costs()

    async def erase(self, person: int) -> None:
        async with self.db.begin() as tx:
            await erasure.erase_chat(tx, person, now=self.clock())

    async def move(self, person: int) -> None:
        async with self.db.begin() as tx:
            await moves.move_chat(tx, person, -100 - person, now=self.clock())
        async with self.db.begin() as tx:
            await moves.move_chat(tx, -100 - person, 100 + person, now=self.clock())


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
async def test_looks_beside_presses_never_wait_for_each_other(db: Database, seed: int) -> None:
    """And however they come between each other, what somebody waits for is checked."""
    crowd = Crowd(db, seed)
    await crowd.begin()
    for _ in range(ROUNDS):
        async with asyncio.TaskGroup() as group:
            for number in range(AT_ONCE):
                group.create_task(crowd.press() if number % 3 else crowd.look())
    async with db.read() as tx:
        await consistent(tx)


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (19, 22, 33, 37, 38))]
)
async def test_changes_of_payers_never_wait_for_each_other(db: Database, seed: int) -> None:
    crowd = Crowd(db, seed)
    await crowd.begin()
    await crowd.begin_groups()
    for _ in range(ROUNDS):
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(crowd.change_payer())
    async with db.read() as tx:
        await consistent(tx)
