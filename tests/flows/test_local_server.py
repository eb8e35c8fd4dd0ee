"""A Bot API server of one's own takes files that Telegram's cloud does not."""

from pathlib import Path

import pytest

from tests.support.sandbox import Box
from tests.support.storybell import running_bell

pytestmark = pytest.mark.jumps


@pytest.mark.parametrize("local", [False, True])
async def test_a_large_video_goes_out_where_the_server_is_local(
    box: Box, tmp_path: Path, local: bool
) -> None:
    await box.control.call("POST", "/telegram", {"local": local})
    story = await box.control.publish("prada", 2, bytes=60 * 2**20)
    async with running_bell(tmp_path, box, telegram_local=local) as bell:
        ann = await bell.control.person()
        link = f"https://www.instagram.com/stories/prada/{story['pk']}/"
        (reply,) = await bell.ask(ann, link)
    assert ("video" in reply) == local
    assert ("text" in reply) != local
