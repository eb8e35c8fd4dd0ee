"""The objects of the wire, held against the API's own page."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.instagram import EPOCH_MS
from tests.support.sandbox import Box

PAGE = Path(__file__).parent.parent / "data" / "stories"


def _shape(value: Any) -> Any:
    """Names and types only; text that may be null counts as text."""
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shape(value[0])] if value else []
    return type(value).__name__


async def test_natgeo_has_the_shape_of_the_page(box: Box) -> None:
    page = json.loads((PAGE / "user_stories.json").read_text())
    ours = await box.control.stories("natgeo")
    assert _shape(ours[0]) == _shape(page[0])
    assert list(ours[0]) == list(page[0])
    assert len(ours) == len(page)
    for name in ("pk", "id", "username", "full_name", "is_private", "is_verified"):
        assert ours[0]["user"][name] == page[0]["user"][name]
        assert ours[0]["mentions"][0]["user"][name] == page[0]["mentions"][0]["user"][name]


async def test_pk_id_code_and_time_agree(box: Box) -> None:
    now = (await box.control.state())["now"]
    for name in ("natgeo", "thirty", "busy"):
        for story in await box.control.stories(name):
            taken_at = datetime.fromisoformat(story["taken_at"]).timestamp()
            assert story["taken_at"].endswith("Z")
            assert now - 86_400 < taken_at <= now
            assert abs(((int(story["pk"]) >> 23) + EPOCH_MS) / 1000 - taken_at) < 2
            assert story["id"] == f"{story['pk']}_{story['user']['pk']}"
            assert len(story["code"]) == 11


async def test_what_a_publisher_gives_is_shown(box: Box) -> None:
    given = {"hashtag": {"name": "ready"}, "x": 1}
    story = await box.control.publish(
        "quiet",
        2,
        mentions=["a_stranger", {"user": {"pk": "5"}}],
        hashtags=["#new", given],
        links=["https://example.org/"],
        sponsor_tags=[{"pk": "6"}],
        overrides={"thumbnail_url": None, "brand_new": [1]},
    )
    assert story["mentions"][0]["user"]["username"] == "a_stranger"
    assert story["mentions"][1] == {"user": {"pk": "5"}}
    assert [story["hashtags"][0]["hashtag"]["name"], story["hashtags"][1]] == ["new", given]
    assert story["sponsor_tags"] == [{"pk": "6"}]
    assert (story["thumbnail_url"], story["brand_new"]) == (None, [1])
    assert story["video_url"]
