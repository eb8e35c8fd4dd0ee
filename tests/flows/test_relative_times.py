"""Times that stay true: the tag, which each reader's Telegram shows in its own words."""

from pathlib import Path

import pytest

from tests.support.storybell import storybell

pytestmark = pytest.mark.jumps


async def test_a_caption_has_times_that_stay_true(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        ann = await control.person()
        await bell.ask(ann, "/timezone Asia/Tokyo")
        await control.profile("keeps.time")
        story = await control.publish("keeps.time")
        (photo,) = await bell.ask(ann, "/stories keeps.time")
        times = [e for e in photo["caption_entities"] if e["type"] == "date_time"]
        assert [e["date_time_format"] for e in times] == ["r", "r"]
        assert photo["_story_pk"] == story["pk"]
