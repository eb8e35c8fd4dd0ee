"""The control API's root."""

from datetime import UTC, datetime

import pytest

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
