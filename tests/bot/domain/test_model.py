"""What a story, an asker, an outcome are where nothing more is said of them."""

from dataclasses import replace

import pytest

from bot.domain.model import Asker, Highlight, Profile, Story, TryLater
from tests.support.followed import story

NATGEO = Profile("787132", "natgeo")


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        (NATGEO, {"is_private": False, "is_verified": False}),
        (Story("1", story("1").taken_at, "photo", NATGEO), {"duration": 0}),
        (Highlight("1", "Africa", NATGEO), {"count": 0}),
        (Asker(7), {"is_owner": False}),
        (TryLater(), {"unknown": False, "partly": False, "down": False}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_said_is_none_and_not_so(plain: object, said: dict[str, object]) -> None:
    assert {name: getattr(plain, name) for name in said} == said


def test_a_story_is_on_its_own_page_or_on_that_of_its_highlight() -> None:
    one = story("12")
    assert one.page_url == f"https://www.instagram.com/stories/{one.profile.username}/12/"
    assert replace(one, highlight="180").page_url == (
        "https://www.instagram.com/stories/highlights/180/"
    )
