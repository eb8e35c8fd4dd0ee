"""Why a chat hears of a profile or not: the figures add up, whatever the store knows."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.chats.explain import Why, explain
from bot.domain.model import Preferences, Target
from bot.domain.records import Chat, Known, Subscription
from bot.store import deliveries, fan_outs, profiles, subscriptions
from bot.store.database import Database
from bot.store.enqueue import Tally
from tests.support.followed import DAY, HOUR, MINUTE, NATGEO, NOON, follow, look, story

MINE = Subscription(
    id=1,
    target=Target(1),
    profile_id=NATGEO.profile_id,
    username="natgeo",
    state="active",
    preferences=Preferences(),
    since=NOON,
    created_by=7,
    created_at=NOON,
)
CHAT = Chat(1, "private", "", None, None, "UTC", None, None, 540, {}, "active")
KNOWN = Known(
    profile_id=NATGEO.profile_id,
    username="natgeo",
    full_name="",
    is_verified=False,
    named_at=NOON,
    state="private",
    state_since=NOON,
    looked_at=NOON - HOUR,
    next_look_at=NOON + HOUR,
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


def why(
    *tallies: Tally, known: Known | None = KNOWN, chat: Chat | None = CHAT, now: datetime = NOON
) -> Why:
    return Why.of(MINE, known, chat, tallies, out_of_budget=False, now=now)


@given(st.lists(TALLIES, max_size=8))
def test_what_was_found_is_all_somewhere(tallies: list[Tally]) -> None:
    known = why(*tallies)
    assert known.total == sum(tally.count for tally in tallies)
    held = known.quiet + known.digest
    parts = known.sent, known.filtered, held, known.waiting, known.failed
    assert known.total == sum(parts)
    assert not (held and known.waiting)  # what came since keeps its place behind
    waits = [tally.next_due_at for tally in tallies if tally.held]
    assert known.held_until == min((due for due in waits if due > NOON), default=None)


def test_each_end_has_its_name() -> None:
    known = why(
        Tally("sent", "", "", 1, NOON),
        Tally("dropped", "", "filtered", 2, NOON),
        Tally("dropped", "", "paused", 4, NOON),
        Tally("parked", "", "no answers", 8, NOON),
        Tally("open", "", "", 16, NOON),
    )
    parts = known.sent, known.filtered, known.failed, known.waiting, known.held_until
    assert parts == (1, 2, 12, 16, None)


def test_what_the_group_had_before_it_moved_was_sent() -> None:
    known = why(Tally("sent", "", "", 1, NOON), Tally("dropped", "", "had", 2, NOON))
    assert (known.sent, known.failed) == (3, 0)


def test_what_waits_behind_quiet_hours_is_quiet_as_well() -> None:
    known = why(Tally("open", "quiet", "", 1, NOON + HOUR), Tally("open", "", "", 2, NOON))
    assert (known.quiet, known.digest, known.waiting) == (3, 0, 0)


def test_a_new_story_waits_half_the_pause() -> None:
    assert why().expected_delay == HOUR
    assert why(known=replace(KNOWN, looked_at=None)).expected_delay is None
    assert why(known=replace(KNOWN, next_look_at=None)).expected_delay is None


def test_a_chat_is_open_only_while_we_may_write_there() -> None:
    assert why().chat_open
    assert not why(chat=replace(CHAT, state="closed")).chat_open
    assert not why(chat=None).chat_open


def test_a_profile_that_was_never_looked_at_is_taken_for_public() -> None:
    assert (why().state, why().failures) == ("private", 3)
    new = why(known=None)
    assert (new.state, new.failures, new.looked_at, new.hours) == ("active", 0, None, [])


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
    assert (known.total, known.filtered, known.waiting) == (3, 2, 1)
    assert known.out_of_budget
    assert (known.looked_at, known.next_look_at) == (profile.looked_at, profile.next_look_at)
