"""The rules of alerts hold for all times and places."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain import alert_rules
from bot.domain.alert_rules import AudienceMember, notified_at
from bot.domain.hours import is_within
from bot.domain.model import Right
from tests.support.followed import DAY, HOUR, MINUTE, NOON

SECOND = timedelta(seconds=1)
ZONES = ("UTC", "Europe/Madrid", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
# Every hour of two years: all changes of the clocks are in it.
moments = st.integers(0, 2 * 366 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + minutes * MINUTE
)
minutes_of_day = st.integers(0, 24 * 60 - 1)
zones = st.sampled_from(ZONES)
hours = st.one_of(st.none(), st.tuples(minutes_of_day, minutes_of_day))


def shown(moment: datetime, zone: str) -> int:
    local = moment.astimezone(ZoneInfo(zone))
    return local.hour * 60 + local.minute


@given(moments, st.integers(1, 100))
def test_retries_come_later_and_later_up_to_a_limit(now: datetime, attempts: int) -> None:
    first, second = alert_rules.retry_at(now, attempts), alert_rules.retry_at(now, attempts + 1)
    assert now < first <= second <= now + timedelta(minutes=15)
    assert alert_rules.retry_failed_check_at(now, attempts) <= alert_rules.retry_failed_check_at(
        now, attempts + 1
    )
    assert alert_rules.retry_failed_check_at(now, attempts) <= now + timedelta(minutes=30)


@given(moments, minutes_of_day, zones)
def test_the_next_time_of_day_is_the_first_after_now(
    now: datetime, minute: int, zone: str
) -> None:
    found = alert_rules.next_local_time(now, minute, zone)
    assert now < found <= now + timedelta(hours=25)
    off = (shown(found, zone) - minute) % (24 * 60)
    assert off in {0, 30, 60}  # 30 or 60: the clocks were put forward over it
    if off == 0:
        between = (now + step * MINUTE for step in range(1, int((found - now) / MINUTE)))
        assert all(shown(moment, zone) != minute for moment in between if moment < found)


def test_a_time_that_the_clocks_skip_comes_later_not_earlier() -> None:
    now = datetime(2026, 3, 28, 23, tzinfo=UTC)  # the night the clocks go forward in Madrid
    found = alert_rules.next_local_time(now, 2 * 60 + 30, "Europe/Madrid")
    assert found == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_time_that_the_clocks_show_twice_comes_twice() -> None:
    now = datetime(2026, 10, 25, tzinfo=UTC)  # the night the clocks go back in Madrid
    first = alert_rules.next_local_time(now, 2 * 60 + 30, "Europe/Madrid")
    second = alert_rules.next_local_time(first, 2 * 60 + 30, "Europe/Madrid")
    assert (first, second) == (now + HOUR / 2, now + HOUR * 3 / 2)


def test_clocks_that_go_back_over_midnight_show_a_time_of_yesterday_again() -> None:
    """A minute after midnight, as Newfoundland's did in 2010."""
    now = datetime(2010, 11, 7, 2, 30, 30, tzinfo=UTC)  # 0:00:30 there
    found = alert_rules.next_local_time(now, 23 * 60 + 30, "America/St_Johns")
    assert found == datetime(2010, 11, 7, 3, tzinfo=UTC)


def test_a_minute_beyond_the_day_is_of_the_next_one() -> None:
    """Nobody can set one; were it in a row, that row would stop no other's check."""
    assert alert_rules.next_local_time(NOON, 25 * 60 + 30, "UTC") == NOON + 13 * HOUR + HOUR / 2


def test_a_check_is_put_off_until_somebody_can_be_notified() -> None:
    due = datetime(2026, 5, 1, 23, tzinfo=UTC)
    quiet = AudienceMember("UTC", quiet=(22 * 60, 7 * 60))
    digest = AudienceMember("UTC", digest=9 * 60)
    awake = AudienceMember("Asia/Tokyo")
    latest = due + timedelta(hours=20)

    def check_at(*members: AudienceMember, latest: datetime = latest) -> datetime:
        seen_at = due - 4 * HOUR
        return alert_rules.useful_check_at(
            due, members, seen_at=seen_at, earliest=due, latest=latest
        )

    assert check_at() == check_at(awake, quiet) == due
    assert check_at(quiet, digest) == datetime(2026, 5, 2, 7, tzinfo=UTC)
    assert check_at(digest) == datetime(2026, 5, 2, 8, 50, tzinfo=UTC)
    assert check_at(digest, latest=due + timedelta(hours=1)) == due + timedelta(hours=1)
    assert check_at(digest, latest=due - timedelta(hours=1)) == due
    soon = AudienceMember("UTC", digest=23 * 60 + 5)
    assert check_at(soon, latest=due + DAY) == due


@given(moments, hours, zones)
def test_quiet_hours_end_within_a_day_at_a_time_that_is_not_quiet(
    now: datetime, quiet: tuple[int, int] | None, zone: str
) -> None:
    end = alert_rules.quiet_until(now, quiet, zone)
    assert (end is not None) == is_within(now, quiet, zone)
    if end is not None:
        assert now < end <= now + timedelta(hours=26)
        assert not is_within(end, quiet, zone)
        assert is_within(end - MINUTE, quiet, zone)


@pytest.mark.parametrize(
    ("hour", "quiet", "expected"),
    [
        (3, (22 * 60, 7 * 60), True),
        (23, (22 * 60, 7 * 60), True),
        (7, (22 * 60, 7 * 60), False),
        (12, (13 * 60, 14 * 60), False),
        (13, (13 * 60, 14 * 60), True),
        (13, (13 * 60, 13 * 60), False),
        (13, None, False),
    ],
)
def test_quiet_hours_may_span_midnight(
    hour: int, quiet: tuple[int, int] | None, *, expected: bool
) -> None:
    assert is_within(datetime(2026, 11, 25, hour, tzinfo=UTC), quiet, "UTC") is expected


def test_quiet_hours_follow_the_zone_through_the_change_of_the_clocks() -> None:
    night = (23 * 60, 8 * 60)
    before = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)  # 00:30 in Madrid; at 02:00 it is 03:00
    assert alert_rules.quiet_until(before, night, "Europe/Madrid") == datetime(
        2026, 3, 29, 6, tzinfo=UTC
    )
    autumn = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)
    assert alert_rules.quiet_until(autumn, night, "Europe/Madrid") == datetime(
        2026, 10, 25, 7, tzinfo=UTC
    )


def test_clocks_put_forward_over_the_end_of_quiet_hours_lead_into_the_next() -> None:
    """From 3:00 to 2:30: the clocks go from 2:00 to 3:00."""
    night = datetime(2026, 3, 29, tzinfo=UTC)
    assert alert_rules.quiet_until(
        night + HOUR / 2, (3 * 60, 2 * 60 + 30), "Europe/Madrid"
    ) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def daily(minute: int, quiet: tuple[int, int] | None = None, zone: str = "UTC") -> AudienceMember:
    return AudienceMember(zone, quiet, minute)


@given(moments, st.integers(0, 24 * 60), minutes_of_day, zones, hours)
def test_a_summary_never_brings_a_story_before_it_was_found_nor_in_quiet_hours(
    now: datetime, age: int, minute: int, zone: str, quiet: tuple[int, int] | None
) -> None:
    expires_at = now + DAY - age * MINUTE
    heard = notified_at(now, expires_at, daily(minute, quiet, zone))
    assert now <= heard <= now + timedelta(hours=26)
    assert not is_within(heard, quiet, zone)
    if not is_within(now, quiet, zone):
        assert heard <= max(now, expires_at)


@given(moments, minutes_of_day, hours, st.sampled_from(["UTC", "Europe/Berlin"]))
@example(datetime(2026, 10, 24, 12, tzinfo=UTC), 10 * 60, (130, 13 * 60), "Europe/Berlin")
@example(datetime(2026, 10, 24, 12, tzinfo=UTC), 3 * 60, (150, 15 * 60), "Europe/Berlin")
def test_quiet_hours_take_no_story_from_a_digest_that_could_have_come_before(
    now: datetime, minute: int, quiet: tuple[int, int] | None, zone: str
) -> None:
    """Also in the night in which they begin twice."""
    heard = notified_at(now, now + DAY, daily(minute, quiet, zone))
    was_awake = not is_within(now, quiet, zone)
    assert heard < now + DAY or not was_awake


def test_a_digest_comes_before_quiet_hours_that_begin_twice() -> None:
    """At 2:10, before and after the clocks go back."""
    seen_at = datetime(2026, 10, 24, 12, tzinfo=UTC)
    member = daily(10 * 60, (130, 13 * 60), "Europe/Berlin")
    heard = notified_at(seen_at, seen_at + DAY, member)
    assert heard == datetime(2026, 10, 24, 23, 40, tzinfo=UTC)


def test_quiet_hours_that_began_on_a_day_of_25_hours_are_known() -> None:
    """More than 24 hours ago: what was found since goes out when they are over."""
    seen_at = datetime(2026, 10, 24, 21, 50, tzinfo=UTC)
    quiet = (23 * 60 + 45, 23 * 60 + 40)
    member = daily(23 * 60 + 30, quiet, "Europe/Berlin")
    heard = notified_at(seen_at, seen_at + 25 * HOUR + 15 * MINUTE, member)
    assert heard == alert_rules.quiet_until(seen_at, quiet, "Europe/Berlin")


def test_a_digest_waits_for_quiet_hours_that_end_in_time() -> None:
    """At the last moment that leaves the story half an hour."""
    member = daily(23 * 60, (22 * 60, 8 * 60))
    assert notified_at(NOON, NOON + 20 * HOUR + HOUR / 2, member) == NOON + 20 * HOUR


@pytest.mark.parametrize("found", ["23:10", "6:59", "7:00", "7:30", "7:59"])
def test_a_summary_in_quiet_hours_is_sent_at_their_end_with_all_that_was_found(found: str) -> None:
    night = datetime(2026, 11, 25, tzinfo=UTC)
    hour, minute = map(int, found.split(":"))
    seen_at = night + hour * HOUR + minute * MINUTE - (DAY if hour == 23 else 0 * DAY)
    member = daily(7 * 60, (23 * 60, 8 * 60))
    assert notified_at(seen_at, seen_at + DAY, member) == night + 8 * HOUR


def test_a_digest_at_the_beginning_of_long_quiet_hours_comes_before_them() -> None:
    seen_at = datetime(2026, 11, 25, 9, tzinfo=UTC)
    quiet = (12 * 60, 11 * 60)
    awake_at = datetime(2026, 11, 25, 11, tzinfo=UTC)

    def heard(minute: int, lives: timedelta) -> datetime:
        return notified_at(seen_at + 2 * HOUR, seen_at + lives, daily(minute, quiet))

    half_an_hour_before = datetime(2026, 11, 25, 11, 30, tzinfo=UTC)
    assert heard(12 * 60, timedelta(hours=20)) == half_an_hour_before
    assert heard(20 * 60, timedelta(hours=20)) == half_an_hour_before
    assert heard(11 * 60 + 5, timedelta(hours=20)) == datetime(2026, 11, 25, 11, 5, tzinfo=UTC)
    in_the_night = notified_at(seen_at, seen_at + 20 * HOUR, daily(20 * 60, quiet))
    assert in_the_night == awake_at  # the summary of the evening before was held back


@given(moments, st.tuples(*[st.integers(0, 1439)] * 3), minutes_of_day, hours)
@example(NOON - 55 * MINUTE, (0, 67, 600), 20 * 60, (12 * 60, 11 * 60))
@example(NOON - 3 * HOUR, (0, 195, 215), 20 * 60, (12 * 60, 12 * 60 + 10))
def test_no_story_of_a_digest_comes_after_a_newer_one(
    now: datetime, minutes: tuple[int, int, int], minute: int, quiet: tuple[int, int] | None
) -> None:
    """But in the night in which the clocks change, where it may be by some minutes."""
    seen_after, lives, lives_longer = sorted(minutes)
    member = daily(minute, quiet)
    older = notified_at(now, now + lives * MINUTE, member)
    newer = notified_at(now + seen_after * MINUTE, now + lives_longer * MINUTE, member)
    assert older <= newer


def test_a_digest_shortly_before_quiet_hours_is_one() -> None:
    seen_at = datetime(2026, 11, 25, 12, tzinfo=UTC)
    member = daily(21 * 60 + 45, (22 * 60, 8 * 60))
    heard = {
        notified_at(seen_at, seen_at + lives * HOUR, member) for lives in (11, 15, 19, 22, 24)
    }
    assert heard == {datetime(2026, 11, 25, 21, 45, tzinfo=UTC)}


def test_hours_are_missed_only_after_a_storys_life() -> None:
    assert alert_rules.period_of_missed_stories(None, NOON) is None
    assert alert_rules.period_of_missed_stories(NOON - DAY, NOON) is None
    assert alert_rules.period_of_missed_stories(NOON - DAY - HOUR, NOON) == (
        NOON - DAY - HOUR,
        NOON - DAY,
    )


def test_the_block_list_holds_ids_and_names() -> None:
    blocked = {"5", "prada"}
    assert alert_rules.is_on_block_list("5", "renamed", blocked)
    assert alert_rules.is_on_block_list("6", "prada", blocked)
    assert not alert_rules.is_on_block_list("6", "natgeo", blocked)


@pytest.mark.parametrize(
    ("known", "new", "missing"),
    [
        ("photos", "photos", "photos"),
        ("photos", "videos", "media"),
        ("gifs", "photos", "media"),
        ("documents", "photos", "photos"),
        ("photos", "documents", "photos"),
        ("documents", "documents", "documents"),
        ("photos", "text", "text"),
        ("text", "photos", "photos"),
        ("text", "documents", "documents"),
    ],
)
def test_two_rights_that_are_missing_are_one(known: Right, new: Right, missing: Right) -> None:
    assert alert_rules.combine_missing_rights(known, new) == missing


def test_a_right_is_checked_after_ten_minutes_then_hourly() -> None:
    waits = [alert_rules.recheck_right_at(NOON, probes) - NOON for probes in (0, 1, 24, 25, 99)]
    assert waits == [10 * MINUTE, HOUR, HOUR, HOUR, HOUR]
    removals = [alert_rules.recheck_right_at(NOON, probes, "peace") - NOON for probes in (1, 2)]
    assert removals == [timedelta(0), DAY]


def test_each_try_waits_twice_as_long() -> None:
    def waits(rule: Callable[[datetime, int], datetime], *times: int) -> list[timedelta]:
        return [rule(NOON, n) - NOON for n in times]

    sends = waits(alert_rules.retry_at, 0, 1, 2, 3, 8, 9, 99)
    assert sends == [
        5 * SECOND,
        5 * SECOND,
        10 * SECOND,
        20 * SECOND,
        640 * SECOND,
        *[15 * MINUTE] * 2,
    ]
    polls = waits(alert_rules.retry_failed_check_at, 1, 2, 5, 6, 99)
    assert polls == [MINUTE, 2 * MINUTE, 16 * MINUTE, 30 * MINUTE, 30 * MINUTE]
    returns = waits(alert_rules.recheck_unavailable_at, 1, 2, 3, 7, 8, 99)
    assert returns == [HOUR / 2, HOUR / 2, HOUR, 16 * HOUR, DAY, DAY]


def test_a_repeat_waits_longer_and_its_id_spreads_it() -> None:
    ids = (0, 50, 99, 100)
    assert alert_rules.retry_at(NOON, 2, is_repeat=True) - NOON == 30 * SECOND
    asked = [alert_rules.postponed_repeat_at(NOON, n) - NOON for n in ids]
    assert asked == [15 * SECOND, 30 * SECOND, 44.7 * SECOND, 15 * SECOND]
    for is_reply, wait in ((True, 5 * MINUTE), (False, 15 * MINUTE)):
        third = [
            alert_rules.repeat_at(NOON, 2, is_reply=is_reply, delivery_id=n) - NOON for n in ids
        ]
        assert third == [wait, 1.1 * wait, 1.198 * wait, wait]
        second = alert_rules.repeat_at(NOON, 1, is_reply=is_reply, delivery_id=50) - NOON
        assert second == alert_rules.pause_after_lost_response(is_reply=is_reply)


def test_a_second_answer_proves_what_the_first_says() -> None:
    assert [alert_rules.is_refusal_proven(answers) for answers in (0, 1, 2, 3)] == [
        False,
        False,
        True,
        True,
    ]


def test_news_begin_with_a_whole_second() -> None:
    now = NOON + timedelta(microseconds=999_999)
    assert alert_rules.alerts_begin_at_second_of(now) == NOON


@pytest.mark.parametrize(
    ("zone", "night"),
    [
        ("America/Santiago", datetime(2028, 9, 3, 2, tzinfo=UTC)),
        ("America/Havana", datetime(2028, 3, 12, 3, tzinfo=UTC)),
    ],
)
def test_quiet_hours_whose_end_is_skipped_end_when_the_clocks_are_put_forward(
    zone: str, night: datetime
) -> None:
    quiet = (22 * 60, 30)  # half past midnight is skipped there
    end = alert_rules.quiet_until(night, quiet, zone)
    assert end is not None
    assert end.astimezone(ZoneInfo(zone)).time() == time(1)
    assert is_within(end - MINUTE, quiet, zone)


def test_a_success_in_the_chat_advances_what_failed_there() -> None:
    def at(wait: timedelta, copies: int, *, attempts: int = 0, same: bool = True) -> timedelta:
        due_at = alert_rules.retry_after_success_at(
            NOON,
            NOON + wait,
            copies=copies,
            attempts=attempts,
            is_reply=True,
            is_same_kind=same,
            delivery_id=0,
        )
        return due_at - NOON

    assert at(900 * SECOND, 0, attempts=8, same=False) == timedelta(0)
    assert at(10 * SECOND, 1, same=False) == 10 * SECOND  # 15 s after the first copy
    assert at(120 * SECOND, 1, attempts=4, same=False) == timedelta(0)
    assert at(295 * SECOND, 2) == 10 * SECOND  # 15 s after the second copy, which is 5 s old
    assert at(200 * SECOND, 2) == timedelta(0)
    assert at(200 * SECOND, 2, same=False) == 200 * SECOND
    assert at(200 * SECOND, 2, attempts=3, same=False) == 200 * SECOND
