"""Rules of the whole chat: for all subscriptions without own rules."""

import base64
import json

import pytest

from tests.flows.test_rights import channel_of
from tests.support.control import Control, Json, wait_for
from tests.support.storybell import Bell, buttons

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]


async def following(bell: Bell, control: Control, *names: str) -> int:
    """Return a person who subscribes to profiles."""
    person = await control.person()
    for name in names:
        await control.profile(name.removeprefix("@"), posts_per_day=0)
        await bell.ask(person, f"/subscribe {name}")
    return person


def file_of(*names: str, only: str) -> Json:
    """A file as /export makes it, with subscriptions and a rule for the whole chat."""
    content = {"storybell": 1, "subscriptions": names, "rules": {"only": only}}
    return {
        "kind": "document",
        "base64": base64.b64encode(json.dumps(content).encode()).decode(),
        "type": "application/json",
        "name": "storybell.json",
    }


async def pressed(bell: Bell, chat: int, page: Json, label: str) -> Json:
    """Press a button; return the message that the bot has edited."""
    await bell.press(chat, page, buttons(page)[label])

    async def edited() -> Json | None:
        now = await bell.message(chat, page["message_id"])
        return now if now["text"] != page["text"] else None

    return await wait_for(edited, what=f"the page after {label}")


async def test_of_all_profiles_only_who_mentions_us(bell: Bell, control: Control) -> None:
    ann = await following(bell, control, "mill.one", "mill.two", "mill.three")
    await bell.ask(ann, "/rules mill.three not: #ad")
    (asked,) = await bell.ask(ann, "/rules all only: @mybakery")
    assert "This applies to 2 profiles: you get no alerts" in asked["text"]
    (settings,) = await bell.ask(ann, "/settings")
    assert "@mybakery" not in settings["text"]
    await pressed(bell, ann, asked, "Do it")
    (settings,) = await bell.ask(ann, "/settings")
    for text in ("/settings", "/rules", "/rules all", "/rules mill.one"):
        (told,) = await bell.ask(ann, text)
        shown = "Rules for the whole chat\n🎯 Only stories with one of these: @mybakery"
        assert shown in told["text"], text
    plain = await control.publish("mill.one")
    named = await control.publish("mill.two", mentions=["mybakery"])
    own = await control.publish("mill.three")

    async def are_there() -> bool:
        return {named["pk"], own["pk"]} <= set(await control.shown(ann))

    await wait_for(are_there, what="the stories that the rules let through")

    async def is_explained() -> bool:
        (told,) = await bell.ask(ann, "/why mill.one")
        return "because of “only @mybakery (rule for the whole chat)”: 1" in told["text"]

    await wait_for(is_explained)
    assert plain["pk"] not in await control.shown(ann)
    (told,) = await bell.ask(ann, "/why mill.one")
    assert "0 of 1" in told["text"]
    (told,) = await bell.ask(ann, "/rules mill.one everything")
    assert "🎯 All stories, whatever the rules for the whole chat say" in told["text"]
    exempt = await control.publish("mill.one")
    await control.wait_shown(ann, [exempt["pk"]], after=told["message_id"])


async def test_undo_restores_the_rules_before(bell: Bell, control: Control) -> None:
    ann = await following(bell, control, "undo.rules")

    async def rules() -> str:
        (told,) = await bell.ask(ann, "/rules all")
        return str(told["text"]).splitlines()[1]

    (asked,) = await bell.ask(ann, "/rules all only: #Sale not: video")
    first = await pressed(bell, ann, asked, "Do it")
    (asked,) = await bell.ask(ann, "/rules all not: photo")
    second = await pressed(bell, ann, asked, "Do it")
    assert "photo" in await rules()
    told = await bell.press(ann, first, "rules:undo")  # the rules have changed again
    assert "no longer works" in told["text"]
    restored = await pressed(bell, ann, second, "↩️ Undo")
    assert "🎯 Only stories with one of these: #sale" in restored["text"]
    assert "🚫 No stories with any of these: video" in restored["text"]
    (off,) = await bell.ask(ann, "/rules all off")
    assert await rules() == "You get alerts for all stories."
    await pressed(bell, ann, off, "↩️ Undo")
    assert "#sale" in await rules()
    (page,) = await bell.ask(ann, "/rules all")
    await pressed(bell, ann, page, "Remove all rules")
    assert await rules() == "You get alerts for all stories."


async def test_undo_sends_the_stories_that_the_rules_kept_back(
    bell: Bell, control: Control
) -> None:
    ann = await following(bell, control, "undo.kept")
    (asked,) = await bell.ask(ann, "/rules all only: @mybakery")
    page = await pressed(bell, ann, asked, "Do it")
    kept = await control.publish("undo.kept")

    async def is_kept_back() -> bool:
        (told,) = await bell.ask(ann, "/why undo.kept")
        return "(rule for the whole chat)”: 1" in told["text"]

    await wait_for(is_kept_back)
    await pressed(bell, ann, page, "↩️ Undo")
    await control.wait_shown(ann, [kept["pk"]])


async def test_a_profile_may_be_called_all(bell: Bell, control: Control) -> None:
    ann = await following(bell, control, "@all", "rule.other")
    (told,) = await bell.ask(ann, "/rules @all only: #sale")
    assert told["text"].startswith("Rules for all\n🎯 Only stories with one of these: #sale")
    assert "/rules @all off" in told["text"]
    assert "/rules @all everything" in told["text"]
    assert "/rules all only: #sale" not in told["text"]
    (told,) = await bell.ask(ann, "/rules @all only: cats")
    assert "/rules @all only: #cats" in told["text"]
    (menu,) = await bell.ask(ann, "/rules")
    page = await pressed(bell, ann, menu, "all")
    assert page["text"].startswith("Rules for all\n🎯")
    (menu,) = await bell.ask(ann, "/rules")
    page = await pressed(bell, ann, menu, "For the whole chat")
    assert page["text"].startswith("Rules for the whole chat\nYou get alerts for all stories.")
    (told,) = await bell.ask(ann, "/rules all only: cats")
    assert buttons(told)["#cats"] == "many:rules:0"
    await bell.press(ann, told, "many:rules:0")
    (asked,) = await control.wait_replies(ann, 1, after=told["message_id"])
    assert "This applies to 1 profile: you get no alerts" in asked["text"]


async def test_a_file_has_the_rules_and_asks_before_it_replaces_them(
    bell: Bell, control: Control
) -> None:
    ann = await following(bell, control, "rule.file")
    (asked,) = await bell.ask(ann, "/rules all only: @mybakery")
    await pressed(bell, ann, asked, "Do it")
    (exported,) = await bell.ask(ann, "/export")
    bob = await control.person("Bob")
    forward = {"chat_id": ann, "message_id": exported["message_id"]}
    await control.call("POST", f"/chats/{bob}/messages", {"user_id": bob, "forward": forward})
    (offer,) = await control.wait_replies(bob, 1)
    await bell.press(bob, offer, "import")
    _, asked = await control.wait_replies(bob, 2, after=offer["message_id"])
    assert "🎯 Only stories with one of these: @mybakery" in asked["text"]
    file = file_of("rule.file", only="@mybakery")
    (told,) = await bell.ask(ann, "", file=file, caption="/import")  # nothing differs
    assert told["text"] == "Already subscribed to rule.file."
    await bell.ask(ann, "/rules all off")
    sent = await control.say(ann, "", file=file, caption="/import")
    _, asked = await control.wait_replies(ann, 2, after=sent)
    assert asked["text"].startswith("The file has other rules for the whole chat.")
    (now,) = await bell.ask(ann, "/rules all")
    assert "You get alerts for all stories." in now["text"]
    await pressed(bell, ann, asked, "Do it")
    (now,) = await bell.ask(ann, "/rules all")
    assert "@mybakery" in now["text"]


async def test_a_file_with_rules_alone_asks_only_about_the_rules(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await bell.ask(ann, "/rules all only: @mybakery")
    (exported,) = await bell.ask(ann, "/export")
    assert "document" in exported
    assert exported["caption"].startswith(
        "Send me a file made by /export, with the caption /import."
    )
    command = {"user_id": ann, "text": "/import", "reply_to": exported["message_id"]}
    await control.call("POST", f"/chats/{ann}/messages", command)
    (told,) = await control.wait_replies(ann, 1, after=exported["message_id"])
    assert told["text"].endswith("Nothing has changed.")
    bob = await control.person("Bob")
    forward = {"chat_id": ann, "message_id": exported["message_id"]}
    await control.call("POST", f"/chats/{bob}/messages", {"user_id": bob, "forward": forward})
    (offer,) = await control.wait_replies(bob, 1)
    assert offer["text"].startswith("The file has other rules for the whole chat.")
    (asked,) = await bell.ask(bob, "", file=file_of(only="@mybakery"), caption="/import")
    assert asked["text"].startswith("The file has other rules for the whole chat.")
    page = await pressed(bell, bob, asked, "Do it")
    assert "🎯 Only stories with one of these: @mybakery" in page["text"]


async def test_a_file_with_rules_alone_in_a_channel_names_the_command_for_the_private_chat(
    bell: Bell, control: Control
) -> None:
    boss = await control.person("Boss")
    channel = await channel_of(bell, boss)
    await control.name_chat(channel, "rule_news")
    file = file_of(only="@mybakery")
    (asked,) = await bell.ask(channel, "", user=boss, file=file, caption="/import")
    assert asked["text"].startswith("The file has other rules for the whole chat.")
    command = asked["text"].rpartition("private chat: ")[2]
    assert command == "/import @rule_news"
    (asked,) = await bell.ask(boss, "", file=file, caption=command)
    page = await pressed(bell, boss, asked, "Do it")
    assert page["text"].startswith("📣 News\nRules for the whole chat")
