"""The check before a daily summary is planned from the rule by which the summary is delivered."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alert_rules import (
    AudienceMember,
    has_missed_summary,
    next_local_time,
    notified_at,
    quiet_until,
    useful_check_at,
)
from bot.domain.hours import is_within
from bot.domain.records import EPOCH
from tests.support.followed import DAY, HOUR, MINUTE

LEAD = 10 * MINUTE
FLOOR = 20 * HOUR
SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)
MADRID, NEW_YORK, LORD_HOWE = "Europe/Madrid", "America/New_York", "Australia/Lord_Howe"
# The clocks change in some of these zones on some of these days, by half an hour or an hour.
DAYS = [
    datetime(2026, month, day, tzinfo=UTC)
    for month, day in ((3, 7), (3, 28), (4, 4), (5, 20), (10, 3), (10, 24), (10, 31), (12, 30))
]
minutes = st.one_of(
    st.sampled_from([0, 7 * 60, 8 * 60, 9 * 60, 22 * 60, 23 * 60]), st.integers(0, 24 * 60 - 1)
)
nights = st.one_of(
    st.none(),
    st.just((23 * 60, 8 * 60)),
    st.tuples(minutes, minutes).filter(lambda hours: hours[0] != hours[1]),
)
members = st.builds(
    AudienceMember,
    st.sampled_from(["UTC", MADRID, NEW_YORK, LORD_HOWE, "Asia/Kolkata"]),
    nights,
    minutes,
)
moments = st.builds(
    lambda day, seconds: day + seconds * SECOND,
    st.sampled_from(DAYS),
    st.integers(0, 3 * 24 * 3600),
)
# The seconds and milliseconds around the moments at which the rules change.
OFFSETS = [
    around + step
    for around in (-LEAD, 0 * LEAD)
    for step in (-MINUTE, -SECOND, -MILLISECOND, 0 * SECOND, MILLISECOND, SECOND, MINUTE)
]


def summaries(member: AudienceMember, after: datetime, until: datetime) -> list[datetime]:
    """Return when summaries are sent: each at its hour, or at the end of quiet hours."""
    assert member.digest is not None
    found = set()
    hour = after - 2 * DAY
    while hour < until:
        hour = next_local_time(hour, member.digest, member.zone)
        found.add(quiet_until(hour, member.quiet, member.zone) or hour)
    return sorted(moment for moment in found if after < moment < until)


def planned(
    member: AudienceMember, seen_at: datetime, *, due: datetime, now: datetime
) -> datetime:
    """Return the next check of a profile with one subscriber, as planned at ``now``."""
    return useful_check_at(
        max(due, now),
        [member],
        seen_at=seen_at,
        earliest=max(now, seen_at + MINUTE),
        latest=seen_at + FLOOR,
    )


@given(members, moments, st.sampled_from(OFFSETS), st.integers(0, 9))
def test_around_the_lead_a_check_is_made_for_this_summary_or_for_the_next(
    member: AudienceMember, begin: datetime, offset: timedelta, due_in: int
) -> None:
    summary, following = summaries(member, begin, begin + 4 * DAY)[:2]
    now, seen_at = summary + offset, summary - 11 * HOUR
    at = planned(member, seen_at, due=now + due_in * HOUR, now=now)
    if now < summary - LEAD:
        assert at == summary - LEAD
    elif now < summary:
        assert at == now
    else:
        assert now <= at <= following - LEAD


@pytest.mark.parametrize(
    ("member", "seen", "now", "is_missed"),
    [
        (AudienceMember("UTC", None, 9 * 60), -11 * HOUR, HOUR / 4, True),
        (AudienceMember("UTC", None, 9 * 60), -11 * HOUR, -MINUTE, False),
        (AudienceMember("UTC", None, 9 * 60), -LEAD, HOUR / 4, False),
        (AudienceMember("UTC", None, 9 * 60), -LEAD - MINUTE, HOUR / 4, True),
        (AudienceMember("UTC", (8 * 60, 10 * 60), 9 * 60), -11 * HOUR, HOUR / 4, False),
        (AudienceMember("UTC", (8 * 60, 10 * 60), 9 * 60), -11 * HOUR, HOUR, True),
        (AudienceMember("UTC"), -11 * HOUR, HOUR, False),
    ],
)
def test_a_summary_is_missed_without_a_check_in_its_lead(
    member: AudienceMember, seen: timedelta, now: timedelta, is_missed: bool
) -> None:
    summary = datetime(2026, 5, 20, 9, tzinfo=UTC)
    seen_at, late = summary + seen, summary + HOUR + MINUTE
    assert (
        has_missed_summary(summary + now, [member], seen_at=seen_at, summaries_since=EPOCH)
        == is_missed
    )
    assert not has_missed_summary(summary + now, [member], seen_at=seen_at, summaries_since=late)


def is_rarely_awake(member: AudienceMember) -> bool:
    """Return whether all is sent in an hour or two between quiet hours, in more than one part."""
    if member.quiet is None:
        return False
    return (member.quiet[0] - member.quiet[1]) % (24 * 60) <= 2 * 60


deeds = st.tuples(
    st.integers(0, 20 * 3600), st.floats(0, 1), st.integers(0, int(LEAD.total_seconds()) - 1)
)


@given(members, moments, st.lists(deeds, min_size=1, max_size=8), st.integers(0, 3 * 24 * 60))
def test_each_summary_has_one_check_within_its_lead_that_shows_all_its_stories(
    member: AudienceMember,
    begin: datetime,
    course: list[tuple[int, float, int]],
    posted_after: int,
) -> None:
    """Whatever the price says, however often the check is planned anew, and if it comes late."""
    end = begin + 4 * DAY
    checks = [begin]
    for due_in, part, late in cycle(course):
        seen_at = checks[-1]
        due = seen_at + due_in * SECOND
        at = planned(member, seen_at, due=due, now=seen_at)
        between = seen_at + part * (at - seen_at)
        at = planned(member, seen_at, due=due, now=between)
        checks.append(at + late * SECOND)
        if at > end:
            break
    for summary in summaries(member, begin + LEAD, end - LEAD):
        count = len([one for one in checks if summary - LEAD <= one < summary])
        assert count == 1 or (count and is_rarely_awake(member)), summary
    posted_at = begin + posted_after * MINUTE
    found_at = next(one for one in checks if one >= posted_at)
    in_time = [one for one in summaries(member, posted_at, end) if one - LEAD > posted_at]
    heard = notified_at(found_at, posted_at + DAY, member)
    assert found_at <= heard
    assert not in_time or heard <= in_time[0]


@given(st.lists(members, min_size=2, max_size=3), moments, st.lists(deeds, min_size=1, max_size=8))
def test_each_summary_of_several_chats_has_a_check_within_its_lead(
    audience: list[AudienceMember], begin: datetime, course: list[tuple[int, float, int]]
) -> None:
    """Chats in other zones, with other hours, that follow the same profile."""
    end = begin + 3 * DAY
    checks = [begin]
    for due_in, part, late in cycle(course):
        seen_at = checks[-1]
        due, now = seen_at + due_in * SECOND, seen_at
        for moment in (0.0, part):  # planned, and planned anew
            now = seen_at + moment * (now - seen_at)
            now = useful_check_at(
                max(due, now),
                audience,
                seen_at=seen_at,
                earliest=max(now, seen_at + MINUTE),
                latest=seen_at + FLOOR,
            )
        checks.append(now + late * SECOND)
        if checks[-1] > end:
            break
    for member in audience:
        for summary in summaries(member, begin + LEAD, end - LEAD):
            assert any(summary - LEAD <= at < summary for at in checks), (member, summary)


@given(members, moments, st.integers(0, 24 * 60))
def test_a_check_of_a_profile_without_a_summary_is_made_as_soon_as_somebody_can_be_notified(
    member: AudienceMember, begin: datetime, due_in: int
) -> None:
    member = replace(member, digest=None)
    due = begin + due_in * MINUTE
    at = planned(member, begin, due=due, now=begin)
    assert at == min(notified_at(due, due + DAY, member), max(due, begin + FLOOR))
    assert not is_within(at, member.quiet, member.zone) or at == max(due, begin + FLOOR)
