"""What a claim does with rows that are not sent now: put off, introduced, dropped, parked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.chats.subscriptions import Subscriptions
from bot.domain.model import Muted, Profile, Sent, TryLater
from bot.domain.options import Options
from bot.domain.records import WHOLE, Held
from bot.outbox.worker import Outbox
from bot.runtime.metrics import Metrics
from bot.store import chat_queues, chats, moves, samples, subscriptions
from bot.store import deliveries as deliveries_store
from bot.store.deliveries import deliveries
from bot.store.engine.database import Tx
from bot.store.stories import stories
from tests.bot.outbox.test_worker import NO_BOT, Office, claim_alert, found, office, sent
from tests.support.followed import (
    DAY,
    HOUR,
    MINUTE,
    NATGEO,
    NOON,
    PRADA,
    follow,
    look,
    rows,
    story,
)

__all__ = ["office"]  # the fixture


async def due_in(office: Office) -> timedelta | None:
    async with office.db.read() as tx:
        due = await chat_queues.next_due_at(tx)
    return None if due is None else due - office.clock()


async def send_all_due(office: Office) -> None:
    """Let the outbox work until no delivery is due."""
    while await office.outbox.fan_out_and_do_due_jobs_once() or await due_in(office) == timedelta(
        0
    ):
        pass


async def test_quiet_hours_put_off_alerts_until_they_end(office: Office) -> None:
    async with office.db.begin() as tx:
        await chats.change(tx, -1, quiet_from=12 * 60, quiet_to=12 * 60 + 5)
    await found(office, "1", "2")
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 0
    found_rows = await rows(office.db)
    assert [(row.held, row.due_at) for row in found_rows] == [("quiet", NOON + 5 * MINUTE)] * 2
    assert await due_in(office) == 5 * MINUTE
    office.clock.on(5 * MINUTE)
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    assert [pks for _, pks, _ in office.post.albums] == [["1", "2"]]


async def test_the_mean_delay_of_an_hour_leaves_out_deferred_alerts(office: Office) -> None:
    async with office.db.begin() as tx:
        await follow(tx, -2)
        await chats.change(tx, -2, quiet_from=12 * 60, quiet_to=12 * 60 + 30)
    await found(office, "1")
    office.clock.on(MINUTE)
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    office.clock.on(29 * MINUTE)
    office.post.outcomes = [TryLater(reason="media unavailable")]
    for _ in range(2):  # a retry after the quiet hours is deferred as well
        assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
        office.clock.on(MINUTE)
    async with office.db.read() as tx:
        figures = await samples.measure_hour(tx, NOON)
    assert figures["delay_s"] == 60.0
    assert (figures["alerts"], figures["timed"]) == (2, 1)


@pytest.mark.parametrize("is_flooded_first", [True, False])
async def test_the_mean_delay_leaves_out_an_alert_that_was_deferred_and_flooded(
    office: Office, is_flooded_first: bool
) -> None:
    """After a flood limit of unknown outcome, the stories of an album are sent one by one."""
    begin = 1 if is_flooded_first else 0
    async with office.db.begin() as tx:
        await chats.change(tx, -1, quiet_from=12 * 60 + begin, quiet_to=12 * 60 + 30)
    await found(office, "1", "2")
    office.post.outcomes = [TryLater(timedelta(seconds=8), unknown=True)]
    assert await office.outbox.fan_out_and_do_due_jobs_once() == is_flooded_first
    office.clock.on(MINUTE)
    assert (
        await office.outbox.fan_out_and_do_due_jobs_once() == 0
    )  # the quiet hours, or the pause of the chat
    office.clock.on(29 * MINUTE)
    await send_all_due(office)
    office.clock.on(MINUTE)
    await send_all_due(office)
    assert [pks for _, pks, _ in office.post.albums] == [["1", "2"], ["1"], ["2"]]
    async with office.db.read() as tx:
        figures = await samples.measure_hour(tx, NOON)
    assert (figures["alerts"], figures["timed"], figures["delay_s"]) == (2, 0, None)


async def test_a_summary_that_begins_while_an_alert_is_on_its_way_holds_it(office: Office) -> None:
    await found(office, "1")
    claimed = await claim_alert(office.outbox)
    async with office.db.begin() as tx:
        [row] = claimed.batch.rows
        assert row.subscription_id is not None
        await subscriptions.change(tx, row.subscription_id, options=Options(digest=True).to_json())
        await deliveries_store.make_due_or_mark_for_reselection(tx, -1, now=office.clock())
    await office.outbox.runner.run_job_and_record_outcome(claimed)
    await office.outbox.fan_out_and_do_due_jobs_once()
    assert office.post.albums == []
    [row] = await rows(office.db)
    assert (row.held, row.state) == (Held.DIGEST, "open")


async def daily_summary(tx: Tx, *profiles: Profile, **options: Any) -> None:
    """Let chat -5 alone follow these profiles, with a summary at 13:00, an hour after NOON."""
    for one in profiles:
        await follow(tx, -5, one, options=Options(digest=True, **options))
    await chats.change(tx, -5, digest_at=13 * 60)
    await chats.set_state(tx, -1, "closed", now=NOON)


async def two_stories_for_a_summary(office: Office) -> None:
    """Let the hour of a summary come, with a story of each of two profiles."""
    async with office.db.begin() as tx:
        await daily_summary(tx, NATGEO, PRADA)
        await look(tx, story("1"))
        await look(tx, story("9", of=PRADA), of=PRADA)
    office.clock.on(HOUR)


def subscriptions_of(office: Office) -> Subscriptions:
    """Return the use cases of subscriptions."""
    nobody: Any = None  # a pause and a new selection cost nothing
    return Subscriptions(office.db, nobody, now=office.clock)


def sent_albums(office: Office) -> list[tuple[list[str], bool]]:
    """Return the stories of each sent album, and whether the album was silent."""
    return [(pks, options.silent) for _, pks, options in office.post.albums]


async def change_chat(office: Office, **settings: Any) -> None:
    """Change settings of chat -5, as a person does."""
    async with office.db.begin() as tx:
        await chats.change(tx, -5, **settings)
    await subscriptions_of(office).reselect_deferred_and_reschedule(-5)


async def test_a_summary_of_several_profiles_comes_at_its_hour(office: Office) -> None:
    async with office.db.begin() as tx:
        await daily_summary(tx, NATGEO, PRADA)
        await look(tx, story("1"), story("2"))
        await look(tx, story("9", of=PRADA), of=PRADA)
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 0
    assert await due_in(office) == HOUR
    office.clock.on(HOUR)
    await send_all_due(office)
    assert [text.splitlines()[1:] for _, text, _ in office.post.sentences] == [
        ["• <b>natgeo</b>: 2 stories", "• <b>prada</b>: 1 story"]
    ]
    assert sent_albums(office) == [(["1", "2"], True), (["9"], True)]


async def test_a_summary_lists_every_story_of_a_long_queue(office: Office) -> None:
    """A claim reads 60 rows; the rows of the summary are more, and of several albums."""
    async with office.db.begin() as tx:
        await daily_summary(tx, NATGEO, PRADA)
        await look(tx, *(story(str(n)) for n in range(100, 165)))
        await look(tx, story("9", of=PRADA), of=PRADA)
    office.clock.on(HOUR)
    await send_all_due(office)
    [(_, text, _)] = office.post.sentences
    assert text.splitlines()[1:] == ["• <b>natgeo</b>: 65 stories", "• <b>prada</b>: 1 story"]
    shown = [pks for _, pks, _ in office.post.albums]
    assert sorted(pk for pks in shown for pk in pks) == sorted(
        ["9", *(str(n) for n in range(100, 165))]
    )
    assert all(sent.silent for _, _, sent in office.post.albums)


async def test_one_album_of_one_profile_needs_no_list_and_rings(office: Office) -> None:
    async with office.db.begin() as tx:
        await daily_summary(tx, NATGEO, PRADA)
        await look(tx, *(story(str(n)) for n in range(100, 110)))
    office.clock.on(HOUR)
    await send_all_due(office)
    assert office.post.sentences == []
    [(_, pks, sent)] = office.post.albums
    assert (len(pks), sent.silent) == (10, False)


async def test_a_summary_counts_what_the_rules_let_pass_and_what_ended_before(
    office: Office,
) -> None:
    async with office.db.begin() as tx:
        await daily_summary(tx, NATGEO, PRADA, media="photo")
        await look(tx, story("1"), story("2"), story("3", kind="video"))
        await look(tx, story("9", NOON - DAY + HOUR / 2, of=PRADA), of=PRADA)
        await look(tx, story("8", of=PRADA), of=PRADA)
    office.clock.on(HOUR + MINUTE)
    await send_all_due(office)
    [(_, text, _)] = office.post.sentences
    assert text.splitlines()[1:] == [
        "• <b>natgeo</b>: 2 stories",
        "• <b>prada</b>: 1 story",
        "1 story disappeared before I could send it.",
    ]
    states = {row.story_pk: row.reason for row in await rows(office.db, notice=None)}
    assert (states["3"], states["9"]) == ("filtered: photo", "expired")


@pytest.mark.parametrize("is_list_left", [True, False])
async def test_a_list_that_is_counted_again_still_says_what_ended_before(
    office: Office, is_list_left: bool
) -> None:
    async with office.db.begin() as tx:
        await daily_summary(tx, NATGEO, PRADA)
        await look(tx, story("9", NOON - DAY + HOUR / 2, of=PRADA), of=PRADA)
        await look(tx, story("1"))
        await look(tx, story("8", of=PRADA), of=PRADA)
    office.clock.on(HOUR + MINUTE)
    office.post.outcomes = [TryLater(after=HOUR)]
    await send_all_due(office)
    if not is_list_left:
        async with office.db.begin() as tx:
            await chats.change(tx, -5, rules=Options(without="photo").to_json())
    office.clock.on(HOUR)
    await send_all_due(office)
    [(_, text, _)] = office.post.sentences[1:]
    if is_list_left:
        assert text.splitlines()[-1] == "1 story disappeared before I could send it."
    else:
        assert text.startswith("I couldn't send 1 new story from <b>prada</b>.")


@pytest.mark.parametrize("is_silent", [True, False])
async def test_a_failure_has_a_sound_only_if_its_story_would_have_had_one(
    office: Office, is_silent: bool
) -> None:
    async with office.db.begin() as tx:
        await follow(tx, -5, options=Options(silent=is_silent))
        await chats.set_state(tx, -1, "closed", now=NOON)
        await look(tx, story("1"))
    office.post.outcomes = [Sent((), {"1": "It is too big."})]
    await send_all_due(office)
    [(_, text, silent)] = office.post.sentences
    assert (text, silent) == (
        "I couldn't send 1 new story from <b>natgeo</b>. It is too big.",
        is_silent,
    )


async def test_a_failure_of_a_story_that_a_summary_lists_comes_silently(office: Office) -> None:
    await two_stories_for_a_summary(office)
    office.post.outcomes = [sent(""), Sent((), {"1": "It is too big."})]
    await send_all_due(office)
    shown = [(text.splitlines()[0], silent) for _, text, silent in office.post.sentences]
    assert shown == [
        ("📰 Daily summary: 2 new stories", False),
        ("I couldn't send 1 new story from <b>natgeo</b>. It is too big.", True),
    ]


async def test_a_story_that_expires_after_its_summary_is_told_silently(office: Office) -> None:
    async with office.db.begin() as tx:
        await daily_summary(tx, NATGEO, PRADA)
        await look(tx, story("1", NOON - 22 * HOUR))
        await look(tx, story("9", of=PRADA), of=PRADA)
    office.clock.on(HOUR)
    office.post.outcomes = [sent(""), TryLater(after=2 * HOUR)]
    for _ in range(2):
        await office.outbox.fan_out_and_do_due_jobs_once()
    office.clock.on(2 * HOUR)
    await send_all_due(office)
    assert [silent for _, _, silent in office.post.sentences] == [False, True]


async def test_the_end_of_a_pause_brings_no_failure_of_a_story_that_expired_in_the_pause(
    office: Office,
) -> None:
    async with office.db.begin() as tx:
        await daily_summary(tx, NATGEO)
        await look(tx, story("1"))
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 0
    [row] = await rows(office.db)
    paused = subscriptions_of(office)
    await paused.set_paused(-5, row.subscription_id, paused=True)
    office.clock.on(25 * HOUR)
    await paused.resume_with_missed_stories(-5, row.subscription_id)
    await send_all_due(office)
    assert (office.post.albums, office.post.sentences) == ([], [])


async def test_a_summary_that_can_not_be_sent_now_is_not_overtaken(office: Office) -> None:
    await two_stories_for_a_summary(office)
    office.post.outcomes = [TryLater(reason="a gateway failed")]
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 0
    office.clock.on(MINUTE / 12)
    await send_all_due(office)
    assert len(office.post.sentences) == 2
    assert [pks for _, pks, _ in office.post.albums] == [["1"], ["9"]]
    notices = await rows(office.db, notice="summary")
    assert [(row.state, row.fields["silent"]) for row in notices] == [("sent", False)]


@pytest.mark.parametrize("hours", [6, 22])
async def test_a_list_that_waits_for_a_right_counts_the_stories_again(
    office: Office, hours: int
) -> None:
    async with office.db.begin() as tx:
        await daily_summary(tx, NATGEO, PRADA)
        for of, old, new in ((NATGEO, "1", "2"), (PRADA, "8", "9")):
            await look(
                tx, story(old, NOON - 20 * HOUR, of=of), story(new, NOON - 4 * HOUR, of=of), of=of
            )
    office.clock.on(HOUR)
    office.post.outcomes = [Muted("text")]
    await send_all_due(office)
    [_] = office.post.sentences
    office.clock.on(hours * HOUR)
    async with office.db.begin() as tx:
        await chat_queues.lock(tx, -5)
        await moves.end_mute(tx, -5, WHOLE, now=office.clock())
    await send_all_due(office)
    if hours < 20:  # two stories have expired
        [(_, text, _)] = office.post.sentences[1:]
        assert text.splitlines() == [
            "📰 Daily summary: 2 new stories",
            "• <b>natgeo</b>: 1 story",
            "• <b>prada</b>: 1 story",
            "2 stories disappeared before I could send them.",
        ]
        assert sent_albums(office) == [(["2"], True), (["9"], True)]
    else:  # all stories have expired
        assert office.post.albums == []
        assert not any("Daily summary" in text for _, text, _ in office.post.sentences[1:])


async def test_a_list_that_waits_for_a_day_is_sent_if_quiet_hours_deferred_the_stories(
    office: Office,
) -> None:
    await two_stories_for_a_summary(office)
    await change_chat(office, quiet_from=11 * 60 + 30, quiet_to=13 * 60)
    office.post.outcomes = [Muted("text")]
    await send_all_due(office)
    office.clock.on(DAY + HOUR / 2)
    async with office.db.begin() as tx:
        await chat_queues.lock(tx, -5)
        await moves.end_mute(tx, -5, WHOLE, now=office.clock())
    await send_all_due(office)
    [(_, text, _)] = office.post.sentences[1:]
    assert text.splitlines()[0] == "📰 Daily summary: 2 new stories"
    assert [sent.silent for _, _, sent in office.post.albums] == [True, True]


async def test_the_notice_of_a_claim_without_an_outcome_rings_once(office: Office) -> None:
    """The process dies after the transaction that writes the notice, before the first copy."""
    await two_stories_for_a_summary(office)
    claimed = await claim_alert(office.outbox)
    assert [row.notice for row in claimed.batch.rows] == ["summary"]
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 0
    office.clock.on(2 * MINUTE)  # the lease is over
    await send_all_due(office)
    assert [is_silent for _, _, is_silent in office.post.sentences] == [False]
    assert sent_albums(office) == [(["1"], True), (["9"], True)]


async def test_a_story_that_ends_soon_after_the_hour_rings_before_the_summary(
    office: Office,
) -> None:
    async with office.db.begin() as tx:
        await daily_summary(tx, NATGEO, PRADA)
        await look(tx, story("1"))
        soon = story("8", NOON - DAY + HOUR + MINUTE * 20, of=PRADA)
        await look(tx, soon, story("9", of=PRADA), of=PRADA)
    office.clock.on(50 * MINUTE)
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    office.clock.on(10 * MINUTE)
    await send_all_due(office)
    [(_, text, _)] = office.post.sentences
    assert text.splitlines()[1:] == ["• <b>natgeo</b>: 1 story", "• <b>prada</b>: 1 story"]
    assert sent_albums(office) == [
        (["8"], False),
        (["1"], True),
        (["9"], True),
    ]


async def test_a_listed_story_that_expired_in_quiet_hours_is_sent(office: Office) -> None:
    async with office.db.begin() as tx:
        await daily_summary(tx, NATGEO, PRADA)
        await chats.change(tx, -5, quiet_from=12 * 60 + 30, quiet_to=15 * 60)
        expiring = NOON - DAY + HOUR * 3 / 2
        await look(tx, story("1", expiring))
        await look(tx, story("9", expiring, of=PRADA), of=PRADA)
    office.clock.on(HOUR * 5 / 4)
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 0
    assert [row.held for row in await rows(office.db)] == [Held.QUIET] * 2
    office.clock.on(HOUR / 2)  # the stories have expired
    await change_chat(office, quiet_from=None, quiet_to=None)
    await send_all_due(office)
    assert [pks for _, pks, _ in office.post.albums] == [["1"], ["9"]]
    [(_, text, _)] = office.post.sentences
    assert text.splitlines()[1:] == ["• <b>natgeo</b>: 1 story", "• <b>prada</b>: 1 story"]


async def test_each_topic_has_its_own_summary(office: Office) -> None:
    async with office.db.begin() as tx:
        await daily_summary(tx, NATGEO, PRADA)
        await follow(tx, -5, NATGEO, thread_id=7, options=Options(digest=True))
        await look(tx, story("1"))
        await look(tx, story("9", of=PRADA), of=PRADA)
    office.clock.on(HOUR)
    await send_all_due(office)
    assert [target.thread_id for target, _, _ in office.post.sentences] == [None]
    rang = [(target.thread_id, pks) for target, pks, sent in office.post.albums if not sent.silent]
    assert rang == [(7, ["1"])]


async def test_a_change_of_the_hour_does_not_defer_the_stories_of_a_listed_summary(
    office: Office,
) -> None:
    await two_stories_for_a_summary(office)
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    await change_chat(office, digest_at=15 * 60)
    await send_all_due(office)
    assert [pks for _, pks, _ in office.post.albums] == [["1"], ["9"]]
    assert len(office.post.sentences) == 1


async def test_what_was_over_before_it_could_be_sent_is_told_of(office: Office) -> None:
    await found(office, "1", "2")
    office.clock.on(2 * DAY + timedelta(seconds=1))
    await send_all_due(office)
    assert [row.state for row in await rows(office.db, notice=None)] == ["dropped"] * 2
    [told] = await rows(office.db, notice="failed")
    assert (told.fields["username"], told.fields["n"], told.state) == ("natgeo", 2, "sent")
    assert office.post.albums == []


async def test_what_can_not_be_read_is_parked_and_counted(office: Office) -> None:
    metrics = Metrics()
    office.outbox = Outbox(
        office.db, NO_BOT, office.post, office.post, metrics=metrics, now=office.clock  # type: ignore[arg-type] # Post stands for both
    )  # fmt: skip
    await found(office, "1", "2", "3")
    await rows(office.db)
    async with office.db.begin() as tx:
        broken = sa.update(stories).where(stories.c.pk.in_(["1", "3"]))
        await tx.execute(broken.values(value={"pk": 1}))
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    parked = [(row.story_pk, row.state, row.reason) for row in await rows(office.db)]
    assert parked == [
        ("1", "parked", "unreadable"),
        ("2", "sent", ""),
        ("3", "parked", "unreadable"),
    ]
    assert "delivery_parked_total 2" in metrics.prometheus_text()


async def test_a_chat_that_can_not_be_judged_keeps_no_other_waiting(office: Office) -> None:
    async with office.db.begin() as tx:
        await follow(tx, -2, PRADA, options=Options(digest=True))
        await look(tx, story("9", of=PRADA), of=PRADA)
        broken = sa.update(deliveries).where(deliveries.c.chat_id == -2)
        await tx.execute(broken.values(created_at=datetime.min.replace(tzinfo=UTC)))
    await found(office, "1")
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    assert [pks for _, pks, _ in office.post.albums] == [["1"]]
    assert await due_in(office) == 15 * MINUTE
    async with office.db.begin() as tx:
        await tx.execute(broken.values(created_at=NOON - DAY))
    office.clock.on(15 * MINUTE)
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    assert [pks for _, pks, _ in office.post.albums] == [["1"], ["9"]]


async def test_a_pause_that_is_undone_after_its_list_was_removed_gets_a_new_list(
    office: Office,
) -> None:
    await two_stories_for_a_summary(office)
    office.post.outcomes = [TryLater(after=MINUTE)]
    await send_all_due(office)
    paused = subscriptions_of(office)
    _, at = await paused.pause_all(-5)
    office.clock.on(MINUTE)
    await send_all_due(office)  # removes the list
    assert await rows(office.db, notice="summary") == []
    await paused.undo_pauses(-5, at)
    await send_all_due(office)
    assert [silent for _, _, silent in office.post.sentences] == [False, False]
    assert sent_albums(office) == [(["1"], True), (["9"], True)]


async def test_a_pause_that_is_undone_brings_no_failure_of_a_story_that_expired_in_quiet_hours(
    office: Office,
) -> None:
    async with office.db.begin() as tx:
        await daily_summary(tx, NATGEO)
        await chats.change(tx, -5, quiet_from=12 * 60 + 30, quiet_to=15 * 60)
        await look(tx, story("1", NOON - DAY + HOUR * 3 / 2))
    office.clock.on(HOUR * 5 / 4)
    await send_all_due(office)
    assert [row.held for row in await rows(office.db)] == [Held.QUIET]
    paused = subscriptions_of(office)
    _, at = await paused.pause_all(-5)
    office.clock.on(8 * HOUR)
    await paused.undo_pauses(-5, at)
    await send_all_due(office)
    assert (office.post.albums, office.post.sentences) == ([], [])
