"""Why a chat hears of a profile or not: the figures add up, whatever the store knows."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.chats.explain import Outcomes, explain, mean_delay_of
from bot.domain.records import Known
from bot.store import deliveries, fan_outs, moves, profiles, subscriptions
from bot.store.engine.database import Database
from bot.store.enqueue import Tally
from tests.support.followed import DAY, HOUR, MINUTE, NATGEO, NOON, follow, look, story

KNOWN = Known(
    profile_id=NATGEO.profile_id,
    username="natgeo",
    full_name="",
    is_verified=False,
    named_at=NOON,
    state="private",
    state_since=NOON,
    snapshot_at=NOON - HOUR,
    next_check_at=NOON + HOUR,
    failures=3,
    weight=1.0,
    chats=1,
    forecast=None,
)

SPANS = st.integers(-600, 600).map(lambda minutes: NOON + timedelta(minutes=minutes))
TALLIES = st.builds(
    lambda kind, count, due: Tally(kind[0], kind[1], kind[2], count, due),
    st.sampled_from(
        [
            ("open", "", ""),
            ("open", "quiet", ""),
            ("open", "digest", ""),
            ("sent", "", ""),
            ("dropped", "", "filtered"),
            ("dropped", "", "expired"),
            ("parked", "", "no answers"),
        ]
    ),
    st.integers(1, 50),
    SPANS,
)


def outcomes(*tallies: Tally) -> Outcomes:
    return Outcomes.from_tallies(tallies, now=NOON)


@given(st.lists(TALLIES, max_size=8))
def test_what_was_found_is_all_somewhere(tallies: list[Tally]) -> None:
    known = outcomes(*tallies)
    assert known.total == sum(tally.count for tally in tallies)
    held = known.counts["quiet"] + known.counts["digest"]
    assert not (held and known.counts["waiting"])  # what came since keeps its place behind
    waits = [tally.next_due_at for tally in tallies if tally.held]
    assert known.held_until == min((due for due in waits if due > NOON), default=None)


def test_each_end_has_its_name() -> None:
    known = outcomes(
        Tally("sent", "", "", 1, NOON),
        Tally("dropped", "", "filtered", 2, NOON),
        Tally("dropped", "", "paused", 4, NOON),
        Tally("parked", "", "no answers", 8, NOON),
        Tally("open", "", "", 16, NOON),
        Tally("dropped", "", "had", 32, NOON),  # what the group had before it moved
    )
    some = {kind: n for kind, n in known.counts.items() if n}
    assert some == {"sent": 33, "filtered": 2, "failed": 12, "waiting": 16}
    assert known.held_until is None


def test_what_waits_behind_quiet_hours_is_quiet_as_well() -> None:
    known = outcomes(Tally("open", "quiet", "", 1, NOON + HOUR), Tally("open", "", "", 2, NOON))
    assert {kind: n for kind, n in known.counts.items() if n} == {"quiet": 3}


def test_a_new_story_waits_half_the_pause() -> None:
    assert mean_delay_of(KNOWN) == HOUR
    assert mean_delay_of(replace(KNOWN, snapshot_at=None)) is None
    assert mean_delay_of(replace(KNOWN, next_check_at=None)) is None


async def test_a_chat_is_open_only_while_we_may_write_there(db: Database) -> None:
    async with db.begin() as tx:
        mine = await subscriptions.get(tx, await follow(tx, 1))
        assert mine
        assert (await explain(tx, mine, out_of_budget=False, now=NOON)).chat_open
        await moves.close_chat(tx, 1, now=NOON)
        assert not (await explain(tx, mine, out_of_budget=False, now=NOON)).chat_open


async def test_it_counts_the_stories_of_two_days_and_no_notices(db: Database) -> None:
    before = NOON - 2 * DAY
    async with db.begin() as tx:
        mine = await follow(tx, 1)
        await look(tx, story("1", before), now=before)
        await look(tx, story("2"), story("3"), now=before + MINUTE)
        await fan_outs.add(
            tx, NATGEO.profile_id, notice="missed", fields={}, due_at=NOON, now=NOON - MINUTE
        )
        await deliveries.end(tx, subscription_id=mine, reason="filtered", now=NOON)
        await look(tx, story("4"), now=NOON - MINUTE)
        found = await subscriptions.get(tx, mine)
        assert found
        known = await explain(tx, found, out_of_budget=True, now=NOON)
        profile = await profiles.get(tx, NATGEO.profile_id)
    assert profile
    counts = known.outcomes.counts
    assert (known.outcomes.total, counts["filtered"], counts["waiting"]) == (3, 2, 1)
    assert known.out_of_budget
    assert known.profile == profile
