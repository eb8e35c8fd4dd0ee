"""Why a chat hears of a profile or not: the figures add up, whatever the store knows."""

from dataclasses import replace

from bot.chats.explain import Outcomes, explain_subscription, mean_detection_delay_of
from bot.domain.records import Known
from bot.domain.selection import Outlook
from bot.store import deliveries, fan_outs, moves, profiles, subscriptions
from bot.store.engine.database import Database
from bot.store.enqueue import OutcomeCount
from handlers.subscriptions import expected_delay
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
    due_at=NOON + HOUR,
    failures=3,
    weight=1.0,
    chats=1,
    forecast=None,
)


def test_the_expected_delay_has_whole_minutes() -> None:
    expected = {7.6 * MINUTE: 4 * MINUTE, MINUTE / 2: MINUTE, 5 * HOUR: 150 * MINUTE}
    for pause, delay in expected.items():
        assert expected_delay(replace(KNOWN, due_at=NOON - HOUR + pause)) == delay


def test_each_end_has_its_name() -> None:
    known = Outcomes.sum_up(
        [
            OutcomeCount("sent", "", 1),
            OutcomeCount("dropped", "filtered: video", 2),
            OutcomeCount("dropped", "paused", 4),
            OutcomeCount("parked", "no answers", 8),
            OutcomeCount("dropped", "had", 16),  # what the group had before it moved
            OutcomeCount("dropped", "away", 32),
        ],
        [
            Outlook("sending"),
            Outlook("digest", NOON + HOUR),
            Outlook("digest", NOON + MINUTE),
            Outlook("quiet", NOON + DAY),
            Outlook("filtered", reason="filtered: not #ad"),
        ],
    )
    assert known.counts == {
        "sent": 17,
        "filtered": 3,
        "quiet": 1,
        "digest": 2,
        "sending": 1,
        "muted": 0,
        "paused": 4,
        "away": 32,
        "failed": 8,
    }
    assert known.total == 68
    assert known.until == {"digest": NOON + MINUTE, "quiet": NOON + DAY}
    assert known.filtered_by == ("not #ad", "video")


def test_a_new_story_waits_half_the_pause() -> None:
    assert mean_detection_delay_of(KNOWN) == HOUR
    assert mean_detection_delay_of(replace(KNOWN, snapshot_at=None)) is None
    assert mean_detection_delay_of(replace(KNOWN, due_at=None)) is None


async def test_a_chat_is_open_only_while_we_may_write_there(db: Database) -> None:
    async with db.begin() as tx:
        mine = await subscriptions.get(tx, await follow(tx, 1))
        assert mine
        assert (await explain_subscription(tx, mine, obstacle="", now=NOON)).chat_open
        await moves.close_left_chat(tx, 1, now=NOON)
        assert not (await explain_subscription(tx, mine, obstacle="", now=NOON)).chat_open


async def test_it_counts_the_stories_of_two_days_and_no_notices(db: Database) -> None:
    before = NOON - 2 * DAY
    async with db.begin() as tx:
        mine = await follow(tx, 1)
        await look(tx, story("1", before), now=before)
        await look(tx, story("2"), story("3"), now=before + MINUTE)
        await fan_outs.add(
            tx, NATGEO.profile_id, notice="missed", fields={}, due_at=NOON, now=NOON - MINUTE
        )
        await deliveries.drop_open_where(tx, subscription_id=mine, reason="filtered", now=NOON)
        await look(tx, story("4"), now=NOON - MINUTE)
        found = await subscriptions.get(tx, mine)
        assert found
        known = await explain_subscription(tx, found, obstacle="budget", now=NOON)
        profile = await profiles.get(tx, NATGEO.profile_id)
    assert profile
    counts = known.outcomes.counts
    assert (known.outcomes.total, counts["filtered"], counts["sending"]) == (3, 2, 1)
    assert known.obstacle == "budget"
    assert known.profile == profile
