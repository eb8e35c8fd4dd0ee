"""Profiles: bound to their id, claimed once, given back by themselves."""

import asyncio
from typing import Any

import sqlalchemy as sa

from bot.domain.model import Profile
from bot.store import profiles
from bot.store.engine.database import Database
from tests.support.claims import lease_at
from tests.support.followed import DAY, HOUR, MINUTE, NATGEO, NOON, PRADA, follow, make_due


async def test_a_new_name_is_kept_under_the_same_id(db: Database) -> None:
    async with db.begin() as tx:
        first = await profiles.add_or_update_returning_previous(tx, NATGEO, now=NOON)
        again = await profiles.add_or_update_returning_previous(
            tx, Profile(NATGEO.profile_id, "nat"), now=NOON + HOUR
        )
        known = await profiles.get(tx, NATGEO.profile_id)
    assert first.username == again.username == "natgeo"
    assert known is not None
    assert (known.username, known.full_name) == ("nat", "National Geographic")
    assert known.named_at == NOON + HOUR


async def test_a_name_is_of_who_had_it_last(db: Database) -> None:
    async with db.begin() as tx:
        await profiles.add_or_update_returning_previous(tx, NATGEO, now=NOON)
        await profiles.add_or_update_returning_previous(
            tx, Profile("2", "natgeo"), now=NOON + HOUR
        )
        found = await profiles.find_by_username(tx, "natgeo", named_since=NOON - DAY)
        stale = await profiles.find_by_username(tx, "natgeo", named_since=NOON + 2 * HOUR)
    assert found is not None
    assert found.profile_id == "2"
    assert stale is None


async def test_the_profile_tells_who_it_is(db: Database) -> None:
    async with db.begin() as tx:
        await profiles.add_or_update_returning_previous(tx, NATGEO, now=NOON)
        await profiles.change(tx, NATGEO.profile_id, state="private")
        known = await profiles.lock(tx, NATGEO.profile_id)
    assert known is not None
    assert known.profile == Profile("787132", "natgeo", "National Geographic", is_private=True)


async def test_only_what_is_followed_and_due_is_claimed_longest_overdue_first(
    db: Database,
) -> None:
    async with db.begin() as tx:
        await profiles.add_or_update_returning_previous(tx, Profile("3", "nobody"), now=NOON)
        await follow(tx, 1, NATGEO)
        await follow(tx, 1, PRADA)
        await make_due(tx, PRADA.profile_id, NOON - HOUR)
        await make_due(tx, "3", NOON - HOUR)  # nobody follows it: stays so
        assert await profiles.estimate_profile_counts_by_followers(tx) == (0, 2)
        assert await profiles.next_check_due_and_last_snapshot(tx, now=NOON) == (NOON - HOUR, None)
        [first] = await profiles.claim_checks(tx, lease_at(NOON), limit=1)
        [second] = await profiles.claim_checks(tx, lease_at(NOON), limit=9)
        assert [first.username, second.username] == ["prada", "natgeo"]
        assert await profiles.claim_checks(tx, lease_at(NOON), limit=9) == []
        late = await profiles.claim_checks(tx, lease_at(NOON + MINUTE), limit=9)
    assert len(late) == 2


async def test_the_mean_delay_counts_subscribers_and_all_profiles_of_each_sample(
    db: Database,
) -> None:
    async with db.begin() as tx:
        for number, (weight, hours, fresh) in enumerate(
            [(3, 2, False), (1, 6, False), (4, 8, True)]
        ):
            await follow(tx, 1, Profile(str(number), f"p{number}"))
            due_at, at = NOON + hours * HOUR, NOON
            columns = {"weight": weight, "fresh": fresh, "snapshot_at": at, "due_at": due_at}
            await profiles.change(tx, str(number), **columns)
        for newcomers_only, delay in ((1, 44 / 8 / 2), (0, 12 / 4 / 2), (10, 332 / 44 / 2)):
            counts = profiles.ProfileCounts(2, newcomers_only)
            estimate = await profiles.estimate_mean_detection_delay(tx, counts)
            assert estimate == delay * HOUR
        assert await profiles.estimate_profile_counts_by_followers(tx) == (2, 1)
        sample = await profiles.sample_forecasts_and_weights(tx, most=1, only_newcomers=False)
        assert len(sample) == 1


async def test_rivals_claim_each_profile_once(db: Database) -> None:
    async with db.begin() as tx:
        for number in range(100):
            await follow(tx, 1, Profile(str(number), f"p{number}"))
    claimed: list[str] = []

    async def work() -> None:
        while True:
            async with db.begin() as tx:
                due = await profiles.claim_checks(tx, lease_at(NOON), limit=7)
            if not due:
                return
            claimed.extend(known.profile_id for known in due)

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(work())
    assert sorted(claimed, key=int) == [str(number) for number in range(100)]


async def test_the_claim_reads_the_partial_index(sqlite_db: Database) -> None:
    async with sqlite_db.begin() as tx:
        statements: list[tuple[str, Any]] = []
        connection: Any = tx.sync_connection

        def note(*called: Any) -> None:
            statements.append((called[2], called[3]))

        sa.event.listen(connection, "before_cursor_execute", note)
        await profiles.claim_checks(tx, lease_at(NOON), limit=3)
        sa.event.remove(connection, "before_cursor_execute", note)
        [(claim, values)] = statements
        plan = await tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {claim}", values)
        assert "ix_profiles_due" in str(plan.all())
