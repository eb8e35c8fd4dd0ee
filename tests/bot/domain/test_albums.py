"""Albums lose, double and reorder nothing, and are as even as they can be."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.albums import ALBUM_SIZE, plan_albums
from bot.domain.model import Profile, Story

calm = settings(deadline=None)  # the machine may be busy with other tests
NATGEO = Profile("1", "natgeo")
START = datetime(2026, 11, 25, tzinfo=UTC)


def story(pk: int, minute: int = 0) -> Story:
    return Story(str(pk), START + timedelta(minutes=minute), "photo", NATGEO)


stories = st.lists(st.builds(story, st.integers(1, 60), st.integers(0, 30)), max_size=80)


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (0, []),
        (1, [1]),
        (10, [10]),
        (11, [6, 5]),
        (20, [10, 10]),
        (21, [7, 7, 7]),
        (32, [8, 8, 8, 8]),
        (35, [9, 9, 9, 8]),
    ],
)
def test_albums_are_balanced(count: int, sizes: list[int]) -> None:
    albums = plan_albums(story(pk, pk) for pk in range(count))
    assert [len(album.stories) for album in albums] == sizes


def test_of_the_same_minute_the_lower_id_comes_first() -> None:
    (album,) = plan_albums([story(10), story(9), story(11)])
    assert [item.pk for item in album.stories] == ["9", "10", "11"]


@calm
@given(stories)
def test_each_story_goes_out_once_and_oldest_first(given_stories: list[Story]) -> None:
    shown = [item for album in plan_albums(given_stories) for item in album.stories]
    assert sorted(item.pk for item in shown) == sorted({item.pk for item in given_stories})
    assert [item.taken_at for item in shown] == sorted(item.taken_at for item in shown)
    assert all(item in given_stories for item in shown)


@calm
@given(stories)
def test_albums_are_few_even_and_small_enough(given_stories: list[Story]) -> None:
    sizes = [len(album.stories) for album in plan_albums(given_stories)]
    assert all(1 <= size <= ALBUM_SIZE for size in sizes)
    assert not sizes or max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == -(-sum(sizes) // ALBUM_SIZE)


@calm
@given(stories)
def test_planning_the_planned_changes_nothing(given_stories: list[Story]) -> None:
    albums = plan_albums(given_stories)
    assert plan_albums(item for album in albums for item in album.stories) == albums
