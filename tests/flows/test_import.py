"""A file of subscriptions: what can't be imported is said briefly, and its options hold."""

import base64
import json
from pathlib import Path

import pytest

from tests.support.control import Control, Json
from tests.support.storybell import Bell, buttons, storybell

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]


def file_of(rows: list[object]) -> Json:
    """A file as /export makes it."""
    content = json.dumps({"storybell": 1, "subscriptions": rows}).encode()
    return {
        "kind": "document",
        "base64": base64.b64encode(content).decode(),
        "type": "application/json",
        "name": "storybell.json",
    }


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_above_a_limit_the_names_share_a_line(tmp_path: Path, language: str) -> None:
    async with storybell(tmp_path, max_subscriptions=1) as bell:
        ann = await bell.control.person(language_code=language)
        await bell.control.profile("limit.first", posts_per_day=0)
        names: list[object] = ["limit.first", *(f"limit.{'x' * 15}{n}" for n in range(200))]
        (told,) = await bell.ask(ann, "", file=file_of([*names, 7, {}]), caption="/import")
        assert "+190" in told["text"]
        lines = told["text"].splitlines()
        assert len(lines) == 3
        assert any(f"limit.{'x' * 15}0" in line for line in lines)


async def test_options_of_the_file_hold_after_a_question(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("import.there", posts_per_day=0)
    await bell.ask(ann, "/subscribe import.there")
    row = {"username": "import.there", "options": {"silent": True, "media": "photo"}}
    sent = await control.say(ann, "", file=file_of([row]), caption="/import")
    told, asked = await control.wait_replies(ann, 2, after=sent)
    assert told["text"] == "Already subscribed to import.there."
    assert asked["text"].splitlines()[1] == "import.there: ✅ Silent, 🎞 Photos only"
    (listed,) = await bell.ask(ann, "/subscriptions")
    await bell.press(ann, listed, buttons(listed)["🔔 import.there"])
    assert "Stories: Photos only" not in buttons(await bell.message(ann, listed["message_id"]))
    await bell.press(ann, asked, "import:options")
    page = await bell.message(ann, asked["message_id"])
    await bell.press(ann, asked, buttons(page)["🔔 import.there"])
    page = await bell.message(ann, asked["message_id"])
    assert {"Stories: Photos only", "Delivery: Silent"} <= set(buttons(page))


async def test_a_file_without_profiles_offers_nothing(bell: Bell, control: Control) -> None:
    ann = await control.person()
    (told,) = await bell.ask(ann, "", file=file_of([]))
    assert told["text"] == "I can't read this file. Please send one made by /export."


async def test_a_forwarded_export_is_offered_for_import(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("import.forward", posts_per_day=0)
    await bell.ask(ann, "/subscribe import.forward")
    (file,) = await bell.ask(ann, "/export")
    bob = await control.person("Bob")
    forward = {"chat_id": ann, "message_id": file["message_id"]}
    await control.call("POST", f"/chats/{bob}/messages", {"user_id": bob, "forward": forward})
    (offer,) = await control.wait_replies(bob, 1)
    assert buttons(offer) == {"Subscribe to 1 profile": "import"}
