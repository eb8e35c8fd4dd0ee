"""The control API's root."""

from datetime import UTC, datetime

import pytest

from tests.support.control import RefusedError
from tests.support.sandbox import Box
from tests.support.stories import Raw


async def test_the_state_counts_calls_and_bills(box: Box, api: Raw) -> None:
    first = await box.control.state()
    assert first["billed"] == {"total": 0, "by_path": {}}
    assert first["calls"] == {"stories": 0, "telegram": 0, "cdn": 0}
    await api.get("/v1/user/stories", user_id="787132")
    await box.session.get(box.urls.cdn + "/nothing")
    after = await box.control.state()
    assert after["billed"] == {"total": 2, "by_path": {"/v1/user/stories": 2}}
    assert (after["calls"]["stories"], after["calls"]["cdn"]) == (1, 1)
    assert after["now"] > first["now"]
    assert after["urls"] == vars(box.urls)


@pytest.mark.parametrize("as_text", [False, True])
async def test_a_story_may_be_of_an_earlier_time(box: Box, as_text: bool) -> None:
    at = (await box.control.state())["now"] - 7_200
    moment = datetime.fromtimestamp(at, UTC)
    story = await box.control.publish(
        "quiet", 2, taken_at=moment.isoformat() if as_text else at, bytes=3_000_000
    )
    assert story["taken_at"] == f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    async with box.session.get(story["video_url"]) as answer:
        assert len(await answer.read()) == 3_000_000


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", "/profiles", {}, "400"),
        ("POST", "/profiles", {"username": "natgeo"}, "409"),
        ("POST", "/profiles", {"username": "a", "posts_per_day": -1}, "400"),
        ("PATCH", "/profiles/quiet", {"username": "natgeo"}, "409"),
        ("PATCH", "/profiles/nobody", {}, "404"),
        ("GET", "/profiles/nobody/stories", None, "404"),
        ("POST", "/profiles/quiet/stories", {"media_type": 8}, "400"),
        ("POST", "/profiles/quiet/stories", {"mentions": "prada"}, "400"),
        ("POST", "/profiles/quiet/stories", {"taken_at": "noon"}, "400"),
        ("DELETE", "/profiles/quiet/stories/1", None, "404"),
        ("POST", "/clock", {"advance_s": "much"}, "400"),
        ("POST", "/clock", {"advance_s": -1}, "400"),
        ("DELETE", "/faults/x", None, "400"),
        ("GET", "/requests?after=x", None, "400"),
    ],
)
async def test_what_a_caller_gets_wrong(
    box: Box, method: str, path: str, body: dict[str, object] | None, said: str
) -> None:
    with pytest.raises(RefusedError, match=f"{said} .*error"):
        await box.control.call(method, path, body)
