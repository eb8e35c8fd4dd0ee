"""The sandbox's Instagram."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from sandbox.clock import Clock
from sandbox.instagram import EPOCH_MS, Instagram, Story
from sandbox.posting import DAY
from sandbox.profiles import BIG, add_initial_profiles

PAGE = Path(__file__).parent.parent / "data" / "stories" / "user_stories.json"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> Instagram:
    return Instagram(clock, seed=7)


def test_ids_and_codes_agree_as_on_the_api_s_page(world: Instagram) -> None:
    profile = world.add_profile("natgeo", pk="787132")
    for shown in json.loads(PAGE.read_text()):
        taken_at = datetime.fromisoformat(shown["taken_at"]).timestamp()
        story = Story(shown["pk"], profile, taken_at, 2)
        assert (story.id, story.code) == (shown["id"], shown["code"])
        age = ((int(story.pk) >> 23) + EPOCH_MS) / 1000 - taken_at
        assert 0 < age < 30


def test_a_rhythm_posts_by_itself(world: Instagram, clock: Clock) -> None:
    ann = world.add_profile("ann", posts_per_day=48)
    assert world.stories_of(ann) == []
    clock.advance(DAY)
    assert 40 <= len(world.stories_of(ann)) <= 56
    world.set_rhythm(ann, 0)
    clock.advance(DAY)
    assert world.stories_of(ann) == []


def test_the_first_profiles(world: Instagram, clock: Clock) -> None:
    add_initial_profiles(world)
    shown = {
        name: [story.media_type for story in world.stories_of(profile)]
        for name in ("natgeo", "prada", "quiet", "12345", "renamed_old", "bigvideo", "flaky")
        if (profile := world.by_username(name)) is not None
    }
    assert shown == {
        "natgeo": [2, 2, 1],
        "prada": [1],
        "quiet": [],
        "12345": [1, 2],
        "renamed_old": [1],
        "bigvideo": [2],
        "flaky": [1],
    }
    thirty, locked = world.by_username("thirty"), world.by_username("locked")
    busy, big = world.by_username("busy"), world.by_username("bigvideo")
    assert thirty
    assert len(world.stories_of(thirty)) == 30
    assert locked
    assert locked.is_private
    assert big
    assert world.stories_of(big)[0].size == BIG > 50 * 1024 * 1024
    assert busy
    already = len(world.stories_of(busy))
    clock.advance(60)
    assert len(world.stories_of(busy)) in {already + 1, already + 2}
