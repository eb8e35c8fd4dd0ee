"""Chats that move, and a bot that is blocked, kicked and back: through the whole bot."""

from pathlib import Path

import pytest

from tests.support.control import Control, refused, wait_for
from tests.support.storybell import TOKEN, Bell, buttons, storybell

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

BOT = int(TOKEN.partition(":")[0])


async def follow(bell: Bell, chat: int, name: str, *, user: int | None = None) -> int:
    await bell.control.profile(name)
    (reply,) = await bell.ask(chat, f"/subscribe {name}", user=user)
    assert "every new story" in reply["text"]
    return int(reply["message_id"])


async def test_a_person_who_blocks_the_bot_hears_nothing_until_they_are_back(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    start = await follow(bell, ann, "blocked.by")
    await control.member(ann, BOT, "kicked")
    now = (await control.state())["now"]
    await control.publish("blocked.by", taken_at=now - 60)
    await control.member(ann, BOT, "member")
    (reply,) = await bell.ask(ann, "/subscriptions")
    assert "🔔 blocked.by" in buttons(reply)
    story = await control.publish("blocked.by")
    await control.wait_shown(ann, [story["pk"]], after=start)


async def test_alerts_begin_at_the_return_even_where_it_is_told_late(
    bell: Bell, control: Control
) -> None:
    ann, bob = await control.person(), await control.person()
    await follow(bell, ann, "back.late")
    await control.member(ann, BOT, "kicked")
    await bell.ask(bob, "/help")
    entry = (await control.requests("telegram"))[-1]["n"]
    busy = refused("Bad Gateway", 502)
    fault = await control.fault("telegram", busy, match="getUpdates", times=None)
    await control.say(bob, "/help")  # ends the poll that is under way

    async def was_refused() -> bool:
        calls = await control.requests("telegram", after=entry, path="getUpdates")
        return any(call["status"] == 502 for call in calls)

    await wait_for(was_refused)
    await control.member(ann, BOT, "member")
    story = await control.publish("back.late")
    published = (await control.state())["now"]

    async def later() -> bool:
        return bool((await control.state())["now"] > published + 2)

    await wait_for(later)
    await control.clear_faults(fault)
    await control.wait_shown(ann, [story["pk"]])


async def test_a_new_group_is_greeted_and_told_what_privacy_mode_hides(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        boss = await control.person("Boss")
        await bell.ask(boss, "/help")
        for status in ("member", "administrator"):
            group = await control.chat("supergroup", members={boss: "creator"}, bot_status="left")
            await control.member(group, BOT, status)
            (greeting,) = await control.wait_replies(group, 1)
            assert "sends every new one to this group" in greeting["text"]
            hides = "make me an admin" in greeting["text"]
            assert hides is (status == "member")


async def test_who_adds_the_bot_to_a_channel_is_greeted_in_private(
    bell: Bell, control: Control
) -> None:
    boss = await control.person("Boss")
    members = {boss: "creator"}
    channel = await control.chat("channel", "News", members=members, bot_status="left")
    await bell.ask(boss, "/start")
    await control.call(
        "PUT", f"/chats/{channel}/members/{BOT}", {"status": "administrator", "by": boss}
    )
    _, greeting = await control.wait_replies(boss, 2)
    assert "I can post the new stories of Instagram profiles in this channel" in greeting["text"]
    assert not await control.replies(channel)
    ((text, url),) = buttons(greeting).items()
    assert text == "Set it up"
    (page,) = await bell.ask(boss, f"/start {url.partition('?start=')[2]}")
    assert page["text"].startswith("📣 News\nNo subscriptions yet.")
    await bell.press(boss, page, buttons(page)["⚙️ Settings"])
    page = await bell.message(boss, page["message_id"])
    zone = next(data for data in buttons(page).values() if data.endswith(":set:zone"))
    await bell.press(boss, page, zone)
    await bell.press(boss, page, f"{zone}:Asia/Tokyo")
    page = await bell.message(boss, page["message_id"])
    assert "Time zone: Tokyo (Asia/Tokyo)" in page["text"]
    new = await control.person("New")  # who never wrote to the bot can't be written to
    other = await control.chat("channel", "Other", members={new: "creator"}, bot_status="left")
    added = {"status": "administrator", "by": new}
    await control.call("PUT", f"/chats/{other}/members/{BOT}", added)
    (post,) = await control.wait_replies(other, 1)
    assert post["text"] == greeting["text"]
    assert "t.me/" not in str(post)
    assert not buttons(post)


async def test_a_group_that_throws_the_bot_out_is_left_alone(bell: Bell, control: Control) -> None:
    boss = await control.person("Boss")
    group = await control.chat("supergroup", members={boss: "creator"})
    await follow(bell, group, "thrown.out", user=boss)
    await control.member(group, BOT, "kicked")
    (reply,) = await bell.ask(boss, "/help")
    assert "all stories from a profile" in reply["text"]
    mark = (await control.requests("telegram"))[-1]["n"]
    await control.publish("thrown.out")
    await bell.ask(boss, "/help")
    sent = await control.requests("telegram", after=mark)
    assert not [r for r in sent if str(r["params"].get("chat_id")) == str(group)]
