"""The plan of the looks: what it is made of when there are many profiles."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.model import Profile
from bot.fetching import schedule_state
from bot.scheduling.forecast import ProfileState
from bot.scheduling.rates import POOLED
from bot.store import profiles, subscriptions
from bot.store.engine.database import Database
from tests.bot.domain.test_records import KNOWN
from tests.support.followed import HOUR, MINUTE, NOON, follow, story


async def test_of_many_profiles_a_sample_is_read_and_of_few_all(db: Database) -> None:
    async with db.begin() as tx:
        for number in range(8):
            of = Profile(str(100 + number), f"profile{number}")
            for chat in range(1, number + 2):
                await follow(tx, chat, of)
        left = await follow(tx, 1, Profile("99", "left"))
        await subscriptions.remove(tx, [left])
        await subscriptions.start_or_stop_checks(tx, profile_ids=["99"], now=NOON)
        few = await schedule_state.sample_states(tx, most=3, only_newcomers=True)
        every = await schedule_state.sample_states(tx, only_newcomers=True)
        assert await profiles.estimate_profile_counts_by_followers(tx) == (0, 8)
    assert (len(few), len(every)) == (3, 8)
    weights = [weight for _, weight in every]
    assert sorted(weights) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert {weight for _, weight in few} < set(weights)


async def test_a_state_is_kept_as_it_is(db: Database) -> None:
    state = ProfileState(seen_at=NOON.timestamp(), stories=3.0, days=2.0, age=2.0)
    state.sums[0] = 1.5
    async with db.begin() as tx:
        await follow(tx, 1, Profile("100", "star"))
        await profiles.change(tx, "100", forecast=state.to_json())
        assert await schedule_state.sample_states(tx, only_newcomers=True) == [(state, 1)]
        assert await schedule_state.sample_states(tx, only_newcomers=False) == []
        counts = profiles.ProfileCounts(0, 1)
        assert await profiles.estimate_mean_detection_delay(tx, counts) is None


def test_newcomers_have_one_pause_where_others_follow_too() -> None:
    """Whatever their profiles post, and whoever checks them: they take their part, no more."""
    plan = schedule_state.Plan(cost=2.0)
    plan.set_budget_and_newcomer_interval(1600, 1400, known_profiles=10, newcomer_profiles=5)
    assert plan.newcomer_interval == timedelta(hours=24 * 5 * 2 / 48)
    assert (plan.schedule.budget, plan.schedule.apart) == (3000, 48)
    state = ProfileState(seen_at=(NOON - HOUR).timestamp())
    fresh = replace(KNOWN, fresh=True, forecast=state.to_json(), snapshot_at=NOON - HOUR)
    assert plan.must_recompute_due_at(fresh)
    dues = [
        plan.recompute_due(replace(fresh, profile_id=str(number)), now=NOON)[1] - (NOON - HOUR)
        for number in range(2_000)
    ]
    assert plan.newcomer_interval * 0.75 <= min(dues) < max(dues) <= plan.newcomer_interval * 1.25
    assert abs(sum(dues, timedelta()) / 2_000 / plan.newcomer_interval - 1) < 0.02
    assert plan.recompute_due(fresh, now=NOON) == plan.recompute_due(
        replace(fresh, weight=99.0), now=NOON
    )
    held = plan.schedule.bucket.credits
    stories = [story(str(number), NOON - number * MINUTE) for number in range(9)]
    for own in (True, False):
        due = plan.learn_check_and_compute_due(fresh, stories, now=NOON, by_scheduler=own)[1]
        assert NOON + plan.newcomer_interval * 0.75 <= due <= NOON + plan.newcomer_interval * 1.25
    assert plan.schedule.bucket.credits == held - 2
    assert not plan.schedule.price.polls
    plan.set_budget_and_newcomer_interval(0, 0, known_profiles=10, newcomer_profiles=5)
    assert plan.newcomer_interval == timedelta(hours=20)
    assert plan.recompute_due(fresh, now=NOON)[1] <= NOON + 19 * HOUR
    plan.set_budget_and_newcomer_interval(1600, 0, known_profiles=0, newcomer_profiles=5)
    assert plan.newcomer_interval is None


async def test_a_plan_that_is_kept_goes_on(db: Database) -> None:
    async with db.begin() as tx:
        plan = await schedule_state.load_plan_or_new(tx)
        plan.schedule.pool.learn_stories([0.5] * len(POOLED), 2)
        plan.set_budget_and_newcomer_interval(1600, 0, known_profiles=10, newcomer_profiles=5)
        await schedule_state.store_plan(tx, plan)
        again = await schedule_state.load_plan_or_new(tx)
        assert (again.schedule.pool, again.newcomer_interval) == (
            plan.schedule.pool,
            plan.newcomer_interval,
        )
