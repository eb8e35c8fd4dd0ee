"""Looks: what any of them shows is recorded, told and learned, all or nothing."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

import pytest

from bot.domain import alert_rules
from bot.domain.access import Subject
from bot.domain.options import Options
from bot.domain.records import Known
from bot.fetching import schedule_state, snapshots
from bot.store import access, chats, profiles, subscriptions
from bot.store.engine.database import Database
from tests.support.claims import OWNER, lease_at
from tests.support.followed import DAY, HOUR, MINUTE, NATGEO, NOON, follow, look, rows, story


async def known(db: Database) -> Known:
    async with db.read() as tx:
        found = await profiles.get(tx, NATGEO.profile_id)
    assert found is not None
    return found


async def told(db: Database) -> list[tuple[str, dict[str, Any]]]:
    return [(row.notice, row.fields) for row in await rows(db) if row.notice]


async def test_a_look_owes_new_stories_once_and_moves_the_next_look(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        assert await look(tx, story("1")) == ["1"]
        assert await look(tx, story("1"), story("2"), now=NOON + HOUR) == ["2"]
    assert [row.story_pk for row in await rows(db)] == ["1", "2"]
    found = await known(db)
    assert found.snapshot_at == NOON + HOUR
    assert found.due_at is not None
    assert NOON + HOUR + 10 * MINUTE <= found.due_at <= NOON + 21 * HOUR
    assert found.forecast is not None


async def test_a_look_at_one_story_alerts_but_says_nothing_of_the_rest(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        before = await profiles.get(tx, NATGEO.profile_id)
        assert await look(tx, story("1"), partial=True) == ["1"]
    assert [row.story_pk for row in await rows(db)] == ["1"]
    assert await known(db) == before


@pytest.mark.parametrize("newcomers", [1, 60])
async def test_summaries_of_newcomers_change_no_check_that_a_known_person_waits_for(
    db: Database, newcomers: int
) -> None:
    """Otherwise, strangers could spend the credits of the schedule, or hide a known summary."""
    stranger = 100
    async with db.begin() as tx:
        await access.put(tx, Subject("person", "1"), now=NOON, is_allowed=True)
        await follow(tx, 1, options=Options(digest=True))
        await chats.change(tx, 1, zone="UTC", digest_at=16 * 60)
        for number in range(newcomers):
            chat_id = stranger + number
            await follow(tx, chat_id, options=Options(digest=True))
            await chats.change(tx, chat_id, zone="UTC", digest_at=13 * 60 + number)
        await look(tx)
    assert (await known(db)).due_at == NOON + 4 * HOUR - alert_rules.SUMMARY_LEAD
    async with db.begin() as tx:
        await subscriptions.set_pause(tx, (await subscriptions.of_chat(tx, 1))[0], paused=True)
        found = await subscriptions.ids_of_due_profiles_with_summaries(
            tx, due_since=NOON, now=NOON + DAY, limit=9
        )
    assert found == []


async def test_a_persons_question_does_not_end_the_claim_of_a_check(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        assert await profiles.claim_checks(tx, lease_at(NOON), limit=1)
        await look(tx, story("1"))
        assert await profiles.claims.has_claim_of_owner(tx, OWNER)
        await snapshots.record_failure_and_notify_if_proven(
            tx, NATGEO.profile_id, "private", now=NOON
        )
        assert await profiles.claims.has_claim_of_owner(tx, OWNER)


async def test_what_nobody_follows_is_kept_but_not_looked_at(db: Database) -> None:
    async with db.begin() as tx:
        await look(tx, story("1"))
    found = await known(db)
    assert (found.due_at, found.snapshot_at) == (None, NOON)
    assert await rows(db) == []


async def test_missed_hours_are_told_to_who_followed_then(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await look(tx)
        await look(tx, story("1", NOON + 23 * HOUR), now=NOON + 24 * HOUR)
    assert await told(db) == []
    later = NOON + 24 * HOUR + 30 * HOUR
    async with db.begin() as tx:
        await follow(tx, 2, since=later - HOUR)
        await look(tx, now=later)
    start = int((NOON + 24 * HOUR).timestamp() * 1000)
    end = int((later - DAY).timestamp() * 1000)
    [notice] = [row for row in await rows(db) if row.notice]
    assert (notice.chat_id, notice.notice) == (1, "missed")
    assert notice.fields == {"username": "natgeo", "from": start, "to": end}
    assert notice.due_at == later + snapshots.GATHER


async def _fail(
    db: Database, why: Literal["private", "gone", "error"], now: datetime = NOON
) -> Known:
    async with db.begin() as tx:
        await snapshots.record_failure_and_notify_if_proven(tx, NATGEO.profile_id, why, now=now)
    return await known(db)


async def test_private_is_told_once_and_back_once(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
    found = await _fail(db, "private")
    assert (found.state, found.due_at) == ("active", NOON + MINUTE)
    pauses = []
    for _ in range(8):
        found = await _fail(db, "private")
        assert found.state == "private"
        assert found.due_at is not None
        pauses.append((found.due_at - NOON) / HOUR)
    assert pauses == [0.5, 1, 2, 4, 8, 16, 24, 24]
    assert await told(db) == [("private", {"username": "natgeo"})]
    async with db.begin() as tx:
        await look(tx, story("1", NOON + 47 * HOUR), now=NOON + 48 * HOUR)
        await look(tx, now=NOON + 49 * HOUR)
    assert await told(db) == [
        ("private", {"username": "natgeo"}),
        ("back", {"username": "natgeo"}),
    ]
    assert (await known(db)).state == "active"
    assert [row.story_pk for row in await rows(db) if row.story_pk] == ["1"]


@pytest.mark.parametrize("between", ["error", "private", "seen"])
async def test_only_two_such_answers_in_a_row_prove_anything(db: Database, between: Any) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
    await _fail(db, "gone")
    if between == "seen":
        async with db.begin() as tx:
            await look(tx)
    else:
        await _fail(db, between)
    assert (await _fail(db, "gone")).state == "active"
    assert await told(db) == []
    assert (await _fail(db, "gone")).state == "gone"


async def test_an_answer_without_a_name_confirms_none(db: Database) -> None:
    """A profile is renamed while a look by its id, which finds nothing, is under way."""
    new = replace(NATGEO, username="nat")
    async with db.begin() as tx:
        await follow(tx, 1)
        await look(tx, story("1", of=new), of=new, now=NOON + HOUR)
        await look(tx, now=NOON + 2 * HOUR)  # asked before that, of natgeo
        nameless = replace(NATGEO, username="")
        await look(tx, story("2", of=nameless), of=nameless, now=NOON + 3 * HOUR)
    found = await known(db)
    assert (found.username, found.named_at) == ("nat", NOON + HOUR)
    assert await told(db) == [("renamed", {"old": "natgeo", "new": "nat"})]


async def test_errors_are_looked_at_later_and_later(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
    pauses = []
    for _ in range(8):
        found = await _fail(db, "error")
        assert found.due_at is not None
        pauses.append((found.due_at - NOON) / MINUTE)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert await told(db) == []
    async with db.begin() as tx:
        await snapshots.record_failure_and_notify_if_proven(tx, "unknown", "error", now=NOON)
        await look(tx)
    assert (await known(db)).failures == 0


async def test_more_who_wait_bring_the_next_look_nearer(db: Database) -> None:
    async with db.begin() as tx:
        poor = await schedule_state.load_plan_or_new(tx)
        poor.schedule.set_daily_budget(12)
        await schedule_state.store_plan(tx, poor)
        await follow(tx, 1)
        await look(tx, *(story(str(n), NOON - n * HOUR) for n in range(1, 9)))
        alone = await profiles.get(tx, NATGEO.profile_id)
        for chat in range(2, 60):
            await follow(tx, chat)
        allowance = snapshots.EarlierChecksAllowance(1, NOON.date(), left=0)
        await snapshots.reschedule_check(tx, NATGEO.profile_id, now=NOON, allowance=allowance)
    assert alone is not None
    assert alone.due_at is not None
    found = await known(db)
    assert found.due_at is not None
    assert NOON + 10 * MINUTE <= found.due_at < alone.due_at
