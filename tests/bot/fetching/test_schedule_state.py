"""The plan of the looks: what it is made of when there are many profiles."""

from functools import partial

import sqlalchemy as sa

from bot.domain.model import Profile
from bot.fetching import schedule_state
from bot.scheduling.forecast import ProfileState
from bot.scheduling.rates import EXPERTS
from bot.store import key_values, profiles, subscriptions
from bot.store.database import Database
from tests.support.followed import NOON, follow


async def test_of_many_profiles_a_sample_is_read_and_of_few_all(db: Database) -> None:
    async with db.begin() as tx:
        for number in range(8):
            of = Profile(str(100 + number), f"profile{number}")
            for chat in range(1, number + 2):
                await follow(tx, chat, of)
        left = await follow(tx, 1, Profile("99", "left"))
        await subscriptions.remove(tx, [left])
        await subscriptions.reweigh(tx, profile_id="99", now=NOON)
        few, count = await schedule_state.sample(tx, most=3)
        every, same = await schedule_state.sample(tx)
    assert (len(few), count, same) == (3, 8, 8)
    weights = [weight for _, weight in every]
    assert sorted(weights) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert {weight for _, weight in few} < set(weights)


async def test_how_many_there_are_of_very_many_a_part_says(db: Database) -> None:
    row = {"username": "x", "named_at": NOON, "state_since": NOON}
    known = [
        row | {"profile_id": f"7{25 * n:04}", "next_look_at": None if n % 2 else NOON}
        for n in range(400)
    ]
    row |= {"next_look_at": NOON, "fresh": True}
    fresh = [row | {"profile_id": f"8{1000 * n:04}"} for n in range(10)]
    async with db.begin() as tx:
        for rows in (known, fresh):
            await tx.execute(sa.insert(profiles.profiles), rows)
        for _ in range(20):
            assert await profiles.about(tx, fresh=True, most=5) == 10
            assert await profiles.about(tx, fresh=False, most=5) == 200


async def test_very_many_are_not_counted_for_a_figure(db: Database) -> None:
    counts = partial(schedule_state.counts, most=2)
    async with db.begin() as tx:
        for number in range(3):
            await follow(tx, 1, Profile(str(100 + number), f"profile{number}"))
        assert await counts(tx) == [0, 3]  # nothing is kept yet
        for fresh in (False, True):
            plan = await schedule_state.load(tx, fresh=fresh)
            plan.survey(*await schedule_state.sample(tx, most=2, fresh=fresh))
            await schedule_state.save(tx, plan, now=NOON, fresh=fresh)
        await follow(tx, 1, Profile("103", "profile3"))
        assert await counts(tx) == [0, 3]
        for number in range(2):
            await profiles.change(tx, str(100 + number), next_look_at=None)
        assert await counts(tx) == [0, 2]
        assert await profiles.mean_delay(tx, [0, 2]) is None


async def test_a_version_that_knows_no_memory_leaves_it_to_those_that_do(db: Database) -> None:
    state = ProfileState(seen_at=NOON.timestamp(), stories=3.0, days=2.0, age=2.0)
    state.sums[0] = 1.5
    async with db.begin() as tx:
        star = await follow(tx, 1, Profile("100", "star"))
        columns = schedule_state.columns_of(state)
        assert len(columns["forecast"]) == 14
        await profiles.change(tx, "100", **columns)
        await profiles.change(tx, "100", forecast=columns["forecast"])  # by the other version
        known = await profiles.get(tx, "100")
        (kept, weight), *_ = (await schedule_state.sample(tx))[0]
    assert star
    assert known is not None
    assert schedule_state.state_of(known.forecast, known.memory) == kept == state
    assert weight == 1


async def test_a_plan_that_cannot_be_read_begins_anew(db: Database) -> None:
    async with db.begin() as tx:
        plan = await schedule_state.load(tx)
        plan.schedule.mixture.observe([1.0] * EXPERTS, 1.0, 2)
        await schedule_state.save(tx, plan, now=NOON)
        assert (await schedule_state.load(tx)).schedule.mixture == plan.schedule.mixture
        for kept in (None, 7, {}, {"budget": "x"}, {"schedule": [], "budget": 5}):
            await key_values.put(tx, schedule_state.KEY, kept, now=NOON)
            plan = await schedule_state.load(tx)
            assert plan.schedule.mixture.expected[0] > 150
            assert plan.schedule.current > 0
