"""The end of all updates, for which the flow tests wait."""

import pytest

from tests.support.control import Control
from tests.support.storybell import Bell

pytestmark = [pytest.mark.jumps, pytest.mark.asyncio(loop_scope="module")]


async def test_an_update_is_not_settled_before_its_press_is_answered(
    bell: Bell, control: Control
) -> None:
    """The answer to a press with an effect is sent after the update is recorded as done."""
    ann = await control.person()
    (page,) = await bell.ask(ann, "/settings")
    await control.fault("telegram", {"delay_s": 1}, match="answerCallbackQuery")
    query = await control.press(ann, page["message_id"], "set:quiet:22-7")
    await bell.settled()
    assert (await control.callback(query))["answered"]
