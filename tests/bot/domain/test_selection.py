"""What of a lane goes out, and what becomes of the rest."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import selection
from bot.domain.model import Album, Target
from bot.domain.options import Options
from bot.domain.records import (
    BROADCAST,
    MAIN,
    REPLY,
    SUMMARY,
    WHOLE,
    Chat,
    ChatQueue,
    Delivery,
    Held,
    Mute,
)
from tests.support.followed import DAY, HOUR, MINUTE, NOON, story

SECOND = MINUTE / 60

CHAT = Chat(1, "private", "", None, None, "UTC", None, None, 9 * 60, {}, "active", payer=1)


def row(number: int, *, of: int = 1, taken_at: datetime = NOON, **more: Any) -> Delivery:
    plain = Delivery(
        id=number,
        target=Target(1),
        subscription_id=of,
        story_pk=str(number),
        story=story(str(number), taken_at),
        username="natgeo",
        options=Options(),
        notice=None,
        fields={},
        copies=0,
        attempts=0,
        sending=False,
        created_at=NOON,
        due_at=NOON,
    )
    return replace(plain, **more)


def notice(number: int, name: str, **fields: Any) -> Delivery:
    return row(number, notice=name, fields=fields, story=None, story_pk=None)


def decide(*rows: Delivery, chat: Chat = CHAT, now: datetime = NOON) -> selection.Decision:
    return selection.decide(ChatQueue(chat, 1, list(rows)), now=now)


def ids(decision: selection.Decision) -> list[int]:
    return [one.id for one in decision.batch.rows] if decision.batch else []


def test_stories_of_one_profile_go_as_one_album_oldest_first() -> None:
    decision = decide(row(1, taken_at=NOON + MINUTE), row(2, of=9), row(3))
    assert ids(decision) == [3, 1]
    assert decision.batch is not None
    assert decision.batch.album is not None
    assert [one.pk for one in decision.batch.album.stories] == ["3", "1"]
    assert not decision.batch.is_repeat


def test_a_summary_that_may_have_arrived_is_not_repeated_after_a_day() -> None:
    summary, other = replace(notice(1, SUMMARY), copies=1), notice(2, "topic")
    assert ids(decide(summary, other, now=NOON + DAY - MINUTE)) == [1]
    decision = decide(summary, other, now=NOON + DAY)
    assert ids(decision) == [2]
    assert [one.id for one, _ in decision.dropped] == [1]
    assert not selection.count_expired_stories(decision)


@given(st.integers(1, 60))
def test_an_album_is_no_larger_than_telegram_takes(count: int) -> None:
    assert 1 <= len(ids(decide(*(row(n) for n in range(count))))) <= 10


def test_of_several_albums_the_one_with_the_oldest_goes_first() -> None:
    rows = [row(n, taken_at=NOON + n * MINUTE) for n in range(11)]
    assert ids(decide(*rows)) == [0, 1, 2, 3, 4, 5]


def test_in_quiet_hours_all_wait_for_their_end() -> None:
    chat = replace(CHAT, quiet_from=11 * 60, quiet_to=13 * 60, zone="UTC")
    decision = decide(row(1), notice(2, "topic"), chat=chat)
    assert decision.batch is None
    assert [(one.id, due, why) for one, due, why in decision.held] == [
        (1, NOON + HOUR, "quiet"),
        (2, NOON + HOUR, "quiet"),
    ]
    assert ids(decide(row(1), chat=chat, now=NOON + HOUR)) == [1]
    for half in (replace(chat, quiet_from=None), replace(chat, quiet_to=None)):
        assert ids(decide(row(1), chat=half)) == [1]


def test_the_digest_waits_for_its_hour_and_others_do_not() -> None:
    digest = Options(digest=True)
    decision = decide(row(1, options=digest), row(2, of=9))
    assert ids(decision) == [2]
    [(held, due, why)] = decision.held
    assert (held.id, due, why) == (1, NOON + 21 * HOUR, "digest")
    assert ids(decide(row(1, options=digest), now=NOON + 21 * HOUR)) == [1]
    assert ids(decide(row(1, options=digest, copies=1))) == [1]  # what may be there waits no more


def test_what_is_not_wanted_is_dropped_but_never_after_a_copy() -> None:
    wants = Options(media="video")
    decision = decide(row(1, options=wants), row(2, of=9))
    dropped = [(one.id, reason) for one, reason in decision.dropped]
    assert dropped == [(1, f"{selection.FILTERED}: video")]
    assert ids(decision) == [2]
    assert ids(decide(row(1, options=wants, copies=1))) == [1]


def test_where_a_copy_left_and_no_outcome_came_the_chat_stands_still() -> None:
    cut_off = row(2, copies=1, attempts=1, sending=True)
    decision = decide(row(1, copies=1), cut_off, row(3, copies=3), row(4))
    assert [one.id for one in decision.doubtful] == [2, 3]
    assert ids(decision) == []
    assert ids(decide(row(1, attempts=29, sending=True))) == [1]  # no copy has left
    assert ids(decide(row(1, attempts=99))) == [1]  # each was refused: no crash


def test_an_answer_waits_for_no_alert_that_a_kill_has_met() -> None:
    alert, answer = row(1, copies=1, sending=True), notice(2, REPLY)
    decision = decide(alert, answer)
    assert (ids(decision), decision.doubtful) == ([2], [alert])
    decision = decide(replace(answer, copies=1, sending=True), notice(3, REPLY))
    assert ids(decision) == []  # of two answers the first may be on its way


def test_of_late_answers_in_the_same_words_the_last_goes() -> None:
    answers = [notice(n, REPLY, text=text) for n, text in enumerate(("a", "b", "a"), 1)]
    decision = decide(*answers, now=NOON + 5 * MINUTE)
    assert ([row.id for row in decision.doubled], ids(decision)) == ([1], [2])
    decision = decide(*answers, now=NOON + 5 * MINUTE - SECOND)
    assert (decision.doubled, ids(decision)) == ([], [1])


@pytest.mark.parametrize("field", ["reply_to", "asked", "trace"])
def test_equal_late_replies_may_differ_in_the_answered_message_and_the_trace(field: str) -> None:
    replies = [notice(n, REPLY, text="a", **{field: n}) for n in (1, 2)]
    decision = decide(*replies, now=NOON + 5 * MINUTE)
    assert ([row.id for row in decision.doubled], ids(decision)) == ([1], [2])


def test_what_may_crash_the_bot_is_tried_alone_for_as_long_as_it_lives() -> None:
    rows = [row(number, attempts=30, sending=True) for number in (1, 2)]
    decision = decide(*rows, row(3))
    assert ids(decision) == [3]
    assert [(one.id, until - NOON) for one, until, _ in decision.held] == [
        (1, 15 * MINUTE + 1.8 * SECOND),
        (2, 15 * MINUTE + 3.6 * SECOND),
    ]
    [*_, (_, _, held)] = decision.held
    assert held == Held.SUSPECT
    assert ids(decide(replace(rows[0], held=held))) == [1]
    changed = decide(replace(rows[0], held=Held.CHANGED))  # new settings end no such wait
    assert [why for *_, why in changed.held] == [Held.SUSPECT]
    over = decide(replace(notice(1, "back"), attempts=30, sending=True), now=NOON + DAY)
    assert [reason for _, reason in over.dropped] == ["too many crashes"]
    quiet = replace(CHAT, quiet_from=11 * 60, quiet_to=13 * 60)
    decision = decide(row(1), replace(notice(2, REPLY), attempts=30, sending=True), chat=quiet)
    assert [(one.id, why) for one, _, why in decision.held] == [(2, held), (1, "quiet")]


def test_a_repeat_goes_apart_from_what_is_new() -> None:
    decision = decide(row(1, copies=1), row(2, copies=2), row(3))
    assert ids(decision) == [1, 2]
    assert decision.batch is not None
    assert decision.batch.is_repeat


def test_what_is_lost_is_dropped_and_counted() -> None:
    old = NOON - 2 * DAY - MINUTE
    decision = decide(row(1, taken_at=old), row(2, taken_at=old), row(3, story=None))
    assert decision.batch is None
    assert [reason for _, reason in decision.dropped] == ["expired", "expired", "forgotten"]
    assert selection.count_expired_stories(decision) == {(Target(1), "natgeo", False): 2}


def test_notices_of_one_kind_go_as_one_message() -> None:
    rows = [notice(1, "missed", username="a"), row(2), notice(3, "missed", username="b")]
    assert ids(decide(*rows)) == [1, 3]
    assert len(ids(decide(*(notice(n, "back") for n in range(60))))) == selection.NOTICES
    assert ids(decide(replace(notice(1, "gone"), copies=3))) == []


def test_what_may_fill_a_message_goes_alone() -> None:
    assert ids(decide(notice(1, BROADCAST), notice(2, BROADCAST))) == [1]


def test_the_first_of_a_batch_is_what_is_one_message() -> None:
    notices = decide(notice(1, "back"), notice(2, "back")).batch
    assert notices is not None
    assert notices.with_first_delivery_only() == selection.Batch(Target(1), notices.rows[:1])
    assert len(notices.with_first_delivery_only().rows) == 1
    stories = decide(row(1), row(2)).batch
    assert stories is not None
    assert stories.with_first_delivery_only() == selection.Batch(
        Target(1), stories.rows[:1], Album((story("1", NOON),))
    )


def test_a_daily_summary_goes_out_profile_by_profile() -> None:
    daily = Options(digest=True)
    since = NOON - 2 * DAY  # its hour has come
    rows = [
        row(1, of=1, options=daily, held=Held.DIGEST, created_at=since),
        row(2, of=2, options=daily, held=Held.DIGEST, created_at=since, username="nike"),
        row(3, of=2, options=daily, held=Held.DIGEST, created_at=since, username="nike"),
        row(4, of=3, username="other"),
    ]
    assert ids(decide(*rows)) == [1]
    assert ids(decide(*rows[1:])) == [2, 3]


def test_files_that_are_refused_hold_up_nothing_else() -> None:
    as_file = Options(files=True)
    mute = Mute(1, WHOLE, "documents", NOON + HOUR, 0)
    rows = [row(1, options=as_file), row(2, of=2), row(3, of=3, held=Held.MUTED)]
    decision = selection.decide(ChatQueue(CHAT, 1, rows, (mute,)), now=NOON)
    assert ids(decision) == [2]
    assert {one.id for one, *_ in decision.held} == {1, 3}
    # Where photos are refused, what goes as a file is tried, until that is refused as well.
    mute = replace(mute, missing="photos")
    decision = selection.decide(ChatQueue(CHAT, 1, rows, (mute,)), now=NOON)
    assert ids(decision) == [1]
    rows = [replace(one, held=Held.MUTED) for one in rows]
    decision = selection.decide(ChatQueue(CHAT, 1, rows, (mute,)), now=NOON)
    assert decision.batch is None


def test_what_is_muted_in_one_thread_goes_in_another() -> None:
    rows = [row(1, of=1), row(2, of=2, target=Target(1, 7)), row(3, of=3, target=Target(1, 8))]
    for thread_id, one in ((MAIN, 1), (7, 2), (8, 3)):
        mute = Mute(1, thread_id, "text", NOON + HOUR, 0)
        decision = selection.decide(ChatQueue(CHAT, 1, rows, (mute,)), now=NOON)
        assert decision.held == [(rows[one - 1], NOON + HOUR, "muted")]


def test_where_photos_are_refused_videos_go() -> None:
    video, photo = story("1", NOON, kind="video"), story("2", NOON)
    rows = [row(1, story=video), row(2, story=photo, of=2), row(3, story=None, of=3)]
    mute = Mute(1, WHOLE, "photos", NOON + HOUR, 0)
    decision = selection.decide(ChatQueue(CHAT, 1, rows, (mute,)), now=NOON)
    assert ids(decision) == [1]
    assert [one.id for one, *_ in decision.held] == [2, 3]


@pytest.mark.parametrize("held", [Held.NOTHING, Held.MUTED, Held.DIGEST])
def test_a_story_is_dead_when_its_day_is_over(held: Held) -> None:
    owed = row(1, held=held)
    end = NOON + DAY
    assert ids(decide(owed, now=end - MINUTE)) == [1]
    assert [why for _, why in decide(owed, now=end).dropped] == [selection.TOO_OLD]


def test_what_only_quiet_hours_held_goes_out_after_its_day() -> None:
    after = NOON + DAY + 6 * HOUR
    released = row(1, held=Held.QUIET, due_at=after)  # at their end, or as they were changed
    assert ids(decide(released, now=after + HOUR - MINUTE)) == [1]
    off = decide(released, now=after + HOUR)  # the bot was off until now
    assert [why for _, why in off.dropped] == [selection.TOO_OLD]
    quiet = replace(CHAT, quiet_from=11 * 60, quiet_to=13 * 60)
    begun = row(1, attempts=1, sending=True)  # and cut off by a kill: it is not held any more
    assert ids(decide(begun, chat=quiet, now=NOON + DAY + HOUR)) == [1]
    late = decide(begun, chat=quiet, now=NOON + DAY + 2 * HOUR)
    assert [why for _, why in late.dropped] == [selection.TOO_OLD]


def fate(row: Delivery, chat: Chat, now: datetime) -> tuple[str, datetime]:
    """What ``decide`` does with a waiting story in the end, and when."""
    for _ in range(20):
        decision = decide(row, chat=chat, now=now)
        if decision.batch:
            return "sent", now
        if decision.dropped:
            return decision.dropped[0][1].partition(":")[0], now
        [(_, now, held)] = decision.held
        row = replace(row, held=held)
    raise AssertionError("never decided")


@given(
    st.integers(0, 1439),
    st.integers(0, 1439) | st.none(),
    st.integers(0, 1439),
    st.integers(0, 1200),
    st.builds(Options, digest=st.booleans(), media=st.sampled_from(["all", "photo", "video"])),
)
def test_what_is_foreseen_of_a_waiting_story_comes_true(
    begin: int, end: int | None, summary: int, age: int, options: Options
) -> None:
    quiet = (None, None) if end is None or begin == end else (begin, end)
    chat = replace(CHAT, quiet_from=quiet[0], quiet_to=quiet[1], digest_at=summary)
    waiting, now = row(1, options=options), NOON + age * MINUTE
    foreseen = selection.predict_outcome(waiting, chat, (), now=now)
    what, when = fate(waiting, chat, now)
    kinds = {"sent": ("digest", "quiet", "sending"), "filtered": ("filtered",)}
    assert foreseen.kind in kinds.get(what, ("failed",))
    if what == "sent":
        assert (foreseen.until or now) == when


def test_what_a_missing_right_held_is_over_also_in_quiet_hours_and_after_them() -> None:
    """Its day was over long before the quiet hours began."""
    quiet = replace(CHAT, quiet_from=23 * 60, quiet_to=7 * 60)
    held = row(1, held=Held.MUTED)
    in_the_night = NOON + DAY + 13 * HOUR
    decision = decide(held, chat=quiet, now=in_the_night)
    assert [why for _, why in decision.dropped] == [selection.TOO_OLD]
    assert not decision.held
    living = row(2, taken_at=NOON + HOUR, held=Held.MUTED)
    evening = NOON + 11 * HOUR + MINUTE
    assert [why for *_, why in decide(living, chat=quiet, now=evening).held] == ["quiet"]


def test_what_ended_in_these_quiet_hours_waits_for_their_end() -> None:
    quiet = replace(CHAT, quiet_from=11 * 60, quiet_to=13 * 60)
    decision = decide(row(1), chat=quiet, now=NOON + DAY + MINUTE)
    assert [(until, why) for _, until, why in decision.held] == [(NOON + DAY + HOUR, "quiet")]


def test_stories_that_wait_in_a_chat_without_a_payer_are_dropped() -> None:
    chat, until_summary = replace(CHAT, payer=None), Options(digest=True)
    rows = [row(1), row(2, of=9, options=until_summary)]
    decision = decide(*rows, notice(3, "private", username="a"), chat=chat)
    assert ids(decision) == [3]
    assert [(one.id, why) for one, why in decision.dropped] == [
        (1, selection.PAUSED),
        (2, selection.PAUSED),
    ]
    assert selection.predict_outcome(rows[1], chat, (), now=NOON).kind == "paused"
    assert ids(decide(row(1, copies=1), chat=chat)) == [1]  # the first copy may have arrived
    assert ids(decide(row(1), chat=CHAT)) == [1]
