"""Undo brings back what was there: the waiting stories, and those of the time in between."""

import asyncio
from pathlib import Path

import pytest

from sandbox.jumping import JumpingLoop
from tests.support.control import Control, Json, wait_for
from tests.support.sandbox import sandbox_box
from tests.support.storybell import FEW_CHECKS, TOKEN, Bell, buttons, running_bell, unhurried

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

BOT = int(TOKEN.partition(":")[0])
UNDO = "↩️ Undo"


async def follow(bell: Bell, person: int, name: str) -> Json:
    """Subscribe a person to a new profile; return the answer."""
    await bell.control.profile(name, posts_per_day=0)
    (reply,) = await bell.ask(person, f"/subscribe {name}")
    return reply


def hour_now() -> int:
    """Return the hour of the clock that jumps."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    return loop.now().hour


async def be_quiet(bell: Bell, chat: int, *, on: bool) -> None:
    """Let it be in the middle of a chat's quiet hours, or let there be none."""
    hour = hour_now()
    data = f"set:quiet:{(hour - 1) % 24}-{(hour + 2) % 24}" if on else "set:quiet:0-0"
    await bell.press(chat, await bell.old_post(chat, data), data)


async def wait_held(bell: Bell, chat: int, name: str) -> None:
    """Wait until a story is held in quiet hours."""

    async def is_held() -> bool:
        (told,) = await bell.ask(chat, f"/why {name}")
        return "waiting for the end of quiet hours" in told["text"]

    await wait_for(is_held)


async def press_undo(bell: Bell, chat: int, page: Json) -> Json:
    """Press Undo under a message; return what it says then."""
    page = await bell.message(chat, page["message_id"])
    await bell.press(chat, page, buttons(page)[UNDO])
    return await bell.message(chat, page["message_id"])


@pytest.mark.parametrize("way", ["unsubscribe", "mute"])
@pytest.mark.parametrize("is_alone", [True, pytest.param(False, marks=pytest.mark.slow)])
async def test_pending_and_new_stories_arrive_after_an_undo(
    bell: Bell, control: Control, way: str, is_alone: bool
) -> None:
    ann, bob = await control.person(), await control.person("Bob")
    name = f"undo.{way}.{'one' if is_alone else 'two'}"
    reply = await follow(bell, ann, name)
    if not is_alone:
        await bell.ask(bob, f"/subscribe {name}")
    before = await control.publish(name)
    await control.wait_shown(ann, [before["pk"]])
    await be_quiet(bell, ann, on=True)
    waiting = await control.publish(name)
    if is_alone:  # no check is planned while nobody can be alerted
        await bell.ask(bob, f"/stories {name}")
    await wait_held(bell, ann, name)
    number = buttons(reply)["Options"][4:]
    page = await bell.old_post(ann, f"mute:{number}")
    if way == "mute":
        await bell.press(ann, page, f"mute:{number}")
    else:
        (page,) = await bell.ask(ann, f"/unsubscribe {name}")
    meanwhile = await control.publish(name)
    if not is_alone:
        await control.wait_shown(bob, [before["pk"], waiting["pk"], meanwhile["pk"]])
    await press_undo(bell, ann, page)
    await be_quiet(bell, ann, on=False)
    await control.wait_shown(ann, [before["pk"], waiting["pk"], meanwhile["pk"]])
    await bell.press(ann, reply, f"sub:{number}")  # the same subscription as before
    options = await bell.message(ann, reply["message_id"])
    assert options["text"].startswith(f"🔔 {name}")


async def test_undo_follows_the_same_profile_after_a_rename(bell: Bell, control: Control) -> None:
    ann, bob = await control.person(), await control.person("Bob")
    await follow(bell, ann, "undo.ren.x")
    await bell.ask(bob, "/subscribe undo.ren.x")
    (page,) = await bell.ask(ann, "/unsubscribe undo.ren.x")
    await control.change_profile("undo.ren.x", username="undo.ren.y")
    seen = await control.publish("undo.ren.y")
    await control.wait_shown(bob, [seen["pk"]])
    await control.profile("undo.ren.x", posts_per_day=0)
    before = await control.billed_for("undo.ren.x")
    page = await press_undo(bell, ann, page)
    assert page["text"].startswith("🔔 Subscribed to undo.ren.y again.")
    assert await control.billed_for("undo.ren.x") == before
    strangers = await control.publish("undo.ren.x")
    story = await control.publish("undo.ren.y")
    await control.wait_shown(ann, [seen["pk"], story["pk"]])
    assert strangers["pk"] not in await control.shown(ann)


async def test_undo_says_what_it_could_not_bring_back(tmp_path: Path) -> None:
    names = ["limit.a", "limit.b", "limit.c", "limit.d"]
    async with sandbox_box() as box:
        async with running_bell(tmp_path, box) as bell:
            ann = await bell.control.person()
            for name in names:
                await follow(bell, ann, name)
            (page,) = await bell.ask(ann, "/unsubscribe all")
        async with running_bell(tmp_path, box, max_subscriptions=2) as bell:
            page = await press_undo(bell, ann, page)
            assert "This chat has 2 subscriptions." in page["text"]
            refused = "limit.c and limit.d: This chat has reached its subscription limit (2)."
            assert refused in page["text"]
        async with running_bell(tmp_path, box) as bell:
            page = await press_undo(bell, ann, page)  # what is left can be tried once more
            assert {f"🔔 {name}" for name in names} <= buttons(page).keys()


async def test_the_button_of_an_ended_subscription_changes_no_later_subscription(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    first = await follow(bell, ann, "number.first")
    await bell.ask(ann, "/unsubscribe number.first")
    await follow(bell, ann, "number.second")
    await bell.press(ann, first, buttons(first)[UNDO])
    (listed,) = await bell.ask(ann, "/subscriptions")
    assert "🔔 number.second" in buttons(listed)


async def test_undo_restores_only_what_ended_with_its_own_command(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    for name in ("together.first", "together.second"):
        await follow(bell, ann, name)
    after = await control.say(ann, "/unsubscribe together.first")
    await control.say(ann, "/unsubscribe together.second")
    pages = await bell.replies(ann, 2, after=after)
    (page,) = [one for one in pages if "together.first" in one["text"]]
    await press_undo(bell, ann, page)
    (listed,) = await bell.ask(ann, "/subscriptions")
    assert [one for one in buttons(listed) if "together" in one] == ["🔔 together.first"]


async def is_told(bell: Bell, chat: int, words: str) -> None:
    """Wait until a message in a chat has these words."""

    async def is_said() -> bool:
        return any(words in one.get("text", "") for one in await bell.control.replies(chat))

    await wait_for(is_said, what=words)


@pytest.mark.parametrize("way", ["away", "unpaid", "blocked", "closed"])
async def test_undo_sends_no_story_of_a_time_without_alerts(tmp_path: Path, way: str) -> None:
    async with sandbox_box() as box:
        control, name = box.control, "no.alerts"
        await control.privacy_mode(on=False)
        boss, ann, bob = [await control.person(one) for one in ("Boss", "Ann", "Bob")]
        values = {"admin_ids": str(boss), "daily_budget": 1_000_000, **FEW_CHECKS}
        async with running_bell(tmp_path, box, timing=unhurried(), **values) as bell:
            members = {ann: "administrator"}
            group = await control.chat("supergroup", members=members, bot_status="left")
            joining = {"status": "administrator", "by": ann}
            await control.call("PUT", f"/chats/{group}/members/bot", joining)
            await control.wait_replies(group)  # the greeting
            await follow(bell, bob, name)
            await bell.ask(group, f"/subscribe {name}", user=ann)
            (page,) = await bell.ask(group, f"/unsubscribe {name}", user=ann)
            if way == "away":
                await control.member(group, BOT, "kicked")
            elif way == "unpaid":
                (usage,) = await bell.ask(ann, "/usage")
                await bell.press(ann, usage, f"leave:{group}")
            elif way == "closed":
                await bell.ask(boss, f"/block {group}")
            else:
                await bell.ask(boss, f"/block {name}")
                await is_told(bell, bob, "paused the alerts")
            await bell.settled()
            hidden = await control.publish(name)
            if way == "blocked":
                await asyncio.sleep(2)  # of the jumping clock: alerts begin in whole seconds
                await bell.ask(boss, f"/unblock {name}")
                await is_told(bell, bob, f"{name} is back")
            else:
                await control.wait_shown(bob, [hidden["pk"]])
            if way == "away":
                await control.call("PUT", f"/chats/{group}/members/bot", joining)
                await bell.settled()
            elif way == "closed":
                await bell.ask(boss, f"/unblock {group}")
            await bell.press(group, page, buttons(page)[UNDO], user=ann)
            story = await control.publish(name)
            await asyncio.sleep(60)  # of the jumping clock: checks and alerts have come
            assert await control.shown(group) == [story["pk"]], hidden["pk"]
