"""A file of subscriptions: what can't be imported is said briefly, and its options hold."""

import base64
import json
from pathlib import Path

import pytest

from tests.support.control import Control, Json
from tests.support.storybell import NO_CHECKS, Bell, buttons, storybell

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

SETTINGS = NO_CHECKS


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
    assert asked["text"].splitlines()[1] == "import.there: ✅ Silent and 🎞 Photos only"
    (listed,) = await bell.ask(ann, "/subscriptions")
    await bell.press(ann, listed, buttons(listed)["🔔 import.there"])
    assert "Stories: Photos only" not in buttons(await bell.message(ann, listed["message_id"]))
    await bell.press(ann, asked, "import:options")
    page = await bell.message(ann, asked["message_id"])
    await bell.press(ann, asked, buttons(page)["🔔 import.there"])
    page = await bell.message(ann, asked["message_id"])
    assert {"Stories: Photos only", "Delivery: Silent"} <= set(buttons(page))


async def test_a_list_of_names_changes_no_options(bell: Bell, control: Control) -> None:
    ann = await control.person()
    for name in ("import.named", "import.new"):
        await control.profile(name, posts_per_day=0)
    (page,) = await bell.ask(ann, "/settings")
    await bell.press(ann, page, "defaults:silent:on")
    await bell.ask(ann, "/subscribe import.named")
    file = file_of(["import.named", {"username": "import.new"}])
    (told,) = await bell.ask(ann, "", file=file, caption="/import")
    assert "Already subscribed to import.named." in told["text"]
    (listed,) = await bell.ask(ann, "/subscriptions")  # nothing was asked in between
    assert listed["message_id"] == told["message_id"] + 2
    for name in ("import.named", "import.new"):
        await bell.press(ann, listed, buttons(listed)[f"🔔 {name}"])
        page = await bell.message(ann, listed["message_id"])
        assert "Delivery: Silent" in buttons(page), name
        await bell.press(ann, page, "subs:0")


async def test_in_a_group_the_options_that_are_possible_hold(bell: Bell, control: Control) -> None:
    ann = await control.person()
    group = await control.chat("supergroup", members={ann: "creator"})
    names = [f"import.group{n}" for n in range(5)]
    for name in names:
        await control.profile(name, posts_per_day=0)
    await bell.ask(group, f"/subscribe {' '.join(names)}", user=ann)
    options = {"fast": True, "silent": True}
    rows: list[object] = [{"username": name, "options": options} for name in names]
    rows.append({"username": names[0], "options": options})
    sent = await control.say(group, "", user=ann, file=file_of(rows), caption="/import")
    _, asked = await control.wait_replies(group, 2, after=sent)
    answer = await bell.press(group, asked, "import:options", user=ann)
    assert not answer.get("text")
    page = await bell.message(group, asked["message_id"])
    assert "import.group0" in str(buttons(page))
    assert "import.group4" in page["text"]
    for name, is_set in ((names[0], True), (names[4], False)):
        (card,) = await bell.ask(group, "/subscriptions", user=ann)
        await bell.press(group, card, buttons(card)[f"🔔 {name}"], user=ann)
        shown = await bell.message(group, card["message_id"])
        assert ("Delivery: Silent" in buttons(shown)) is is_set


async def test_a_file_without_profiles_offers_nothing(bell: Bell, control: Control) -> None:
    ann = await control.person()
    (told,) = await bell.ask(ann, "", file=file_of([]))
    assert told["text"].startswith("I can't read this file. Please send one made by /export")


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
