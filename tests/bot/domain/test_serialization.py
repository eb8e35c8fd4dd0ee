"""Stories survive the way into a column and back."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.model import Profile, Story
from bot.domain.serialization import dump_stories, load_each_or_none, load_stories

profiles = st.builds(Profile, st.from_regex(r"[0-9]{1,12}", fullmatch=True), st.text(max_size=30))
stories = st.builds(
    Story,
    pk=st.from_regex(r"[1-9][0-9]{0,20}", fullmatch=True),
    taken_at=st.datetimes(timezones=st.just(UTC), min_value=datetime(2010, 1, 1)),  # noqa: DTZ001 - hypothesis wants it naive
    kind=st.sampled_from(["photo", "video"]),
    profile=profiles,
    media_url=st.none() | st.text(),
    duration=st.floats(0, 60),
    mentions=st.lists(st.text(max_size=5), max_size=3).map(tuple),
)


@given(st.lists(stories, max_size=3))
def test_stories_come_back_as_they_were(given_stories: list[Story]) -> None:
    assert load_stories(json.loads(json.dumps(dump_stories(given_stories)))) == given_stories


def test_what_is_no_story_any_more_takes_no_other_along() -> None:
    one = Story("1", datetime(2026, 3, 1, tzinfo=UTC), "photo", Profile("787132", "natgeo"))
    (value,) = dump_stories([one])
    assert load_each_or_none([value, {"pk": "2"}, None]) == [one, None, None]
    assert load_each_or_none([value]) == [one]
