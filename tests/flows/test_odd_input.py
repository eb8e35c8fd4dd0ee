"""What people and Telegram send that is odd is answered by a sentence, and is no incident."""

from pathlib import Path

import pytest

from tests.support.control import refused
from tests.support.storybell import storybell

pytestmark = pytest.mark.jumps

INCIDENT = "Something went wrong"


async def test_rules_of_thousands_of_letters_are_not_understood_in_a_sentence(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path) as bell:
        ann = await bell.control.person()
        await bell.ask(ann, "/subscribe natgeo")
        (said,) = await bell.ask(ann, f"/rules natgeo only: {'x' * 4000}")
        assert "I don't understand" in said["text"]
        assert "Write it like this" in said["text"]


async def test_a_file_that_telegram_does_not_give_is_asked_for_again(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control, ann = bell.control, await bell.control.person()
        await bell.ask(ann, "/subscribe natgeo")
        (file,) = await bell.ask(ann, "/export")
        await control.fault("telegram", refused("Bad Gateway", 502), match="getFile", times=None)
        (said,) = await bell.ask(ann, "/import", reply_to=file["message_id"])
        assert "Telegram isn't answering" in said["text"]
        await control.clear_faults()
        await control.fault("telegram", refused("file is too big"), match="getFile")
        (said,) = await bell.ask(ann, "/import", reply_to=file["message_id"])
        assert "can't read this file" in said["text"]
