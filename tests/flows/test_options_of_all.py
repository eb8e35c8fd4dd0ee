"""An option for all subscriptions of a chat at once, and the way back."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.flows.test_chat_rules import following, pressed
from tests.flows.test_rights import channel_of
from tests.flows.test_summaries import clock
from tests.support.control import Control, Json, wait_for
from tests.support.storybell import Bell, buttons

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

SILENT = "▫️ Silent"
ALL = "⚙️ All {} subscriptions"


async def page_of_all(bell: Bell, chat: int) -> Json:
    """Open the options of all subscriptions in the list of the subscriptions."""
    (page,) = await bell.ask(chat, "/subscriptions")
    label = next(label for label in buttons(page) if label.startswith("⚙️ All"))
    return await pressed(bell, chat, page, label)


async def labels(bell: Bell, chat: int) -> list[str]:
    return list(buttons(await page_of_all(bell, chat)))


async def change_one(bell: Bell, chat: int, name: str, option: str, value: str) -> Json:
    """Change an option of one subscription; return the page after it."""
    (listed,) = await bell.ask(chat, "/subscriptions")
    number = next(
        data[4:] for label, data in buttons(listed).items() if label.endswith(f" {name}")
    )
    post = await bell.old_post(chat, data := f"opt:{number}:{option}:{value}")
    await bell.press(chat, post, data)

    async def changed() -> Json | None:
        now = await bell.message(chat, post["message_id"])
        return now if now["text"] != post["text"] else None

    return await wait_for(changed)


async def test_once_a_day_for_all_takes_two_taps(bell: Bell, control: Control) -> None:
    ann = await following(bell, control, "all.a", "all.b", "all.c")
    other = await following(bell, control, "all.d", "all.e")
    (page,) = await bell.ask(ann, "once a day please")
    assert page["text"].startswith("All 3 subscriptions")
    asked = await pressed(bell, ann, page, "▫️ Daily summary")
    assert "This changes 3 subscriptions: all.a, all.b, and all.c." in asked["text"]
    (settings,) = await bell.ask(ann, "/settings")
    assert "subscriptions that use it: 0" in settings["text"]
    done = await pressed(bell, ann, asked, "Use for all 3 subscriptions")
    assert "3 subscriptions changed." in done["text"]
    assert "The daily summary arrives at" in done["text"]
    (settings,) = await bell.ask(ann, "/settings")
    assert "subscriptions that use it: 3" in settings["text"]
    assert "▫️ Daily summary" in await labels(bell, other)
    assert "✅ Daily summary" in await labels(bell, ann)
    undone = await pressed(bell, ann, done, "↩️ Undo")
    assert "▫️ Daily summary" in buttons(undone)
    (settings,) = await bell.ask(ann, "/settings")
    assert "subscriptions that use it: 0" in settings["text"]
    undo = buttons(done)["↩️ Undo"]
    told = await bell.press(ann, await bell.old_post(ann, undo), undo)
    assert told["text"] == "Nothing has changed."


async def test_undo_restores_each_value_and_keeps_later_changes(
    bell: Bell, control: Control
) -> None:
    ann = await following(bell, control, "each.a", "each.b", "each.c", "each.d")
    await change_one(bell, ann, "each.a", "media", "photo")
    await change_one(bell, ann, "each.b", "media", "video")
    page = await page_of_all(bell, ann)
    assert {"🎞 Photos and videos (2/4)", "🎞 Photos only (1/4)"} <= set(buttons(page))
    asked = await pressed(bell, ann, page, "🎞 Videos only (1/4)")
    assert "This changes 3 subscriptions: each.a, each.c, and each.d." in asked["text"]
    done = await pressed(bell, ann, asked, "Use for all 4 subscriptions")
    await change_one(bell, ann, "each.c", "silent", "on")
    undone = await pressed(bell, ann, done, "↩️ Undo")
    expected = {"🎞 Photos and videos (1/4)", "🎞 Photos only (1/4)", "🎞 Videos only (2/4)"}
    assert expected | {"▫️ Silent (1/4)"} <= set(buttons(undone))


async def test_a_change_of_one_subscription_needs_no_confirmation(
    bell: Bell, control: Control
) -> None:
    ann = await following(bell, control, "one.a", "one.b")
    first = await change_one(bell, ann, "one.a", "silent", "on")
    done = await pressed(bell, ann, first, "Use for all 2 subscriptions")
    assert "1 subscription changed." in done["text"]
    assert "✅ Silent" in await labels(bell, ann)
    new = await pressed(bell, ann, done, "For new ones too")
    assert "✅ Silent" in buttons(new)
    assert ALL.format(2) in buttons(new)
    again = await change_one(bell, ann, "one.a", "silent", "on")
    assert "Use for all 2 subscriptions" not in buttons(again)
    asked = await pressed(bell, ann, await page_of_all(bell, ann), "✅ Silent")
    done = await pressed(bell, ann, asked, "Turn off for all 2")
    assert SILENT in await labels(bell, ann)
    await pressed(bell, ann, done, "↩️ Undo")
    assert "✅ Silent" in await labels(bell, ann)


async def test_a_limit_refuses_the_change_as_a_whole(bell: Bell, control: Control) -> None:
    names = [f"most.{letter}" for letter in "abcdefg"]
    ann = await following(bell, control, *names)
    for name in names[:2]:
        await change_one(bell, ann, name, "fast", "on")
    asked = await pressed(bell, ann, await page_of_all(bell, ann), "▫️ Check more often (2/7)")
    told = await bell.press(ann, asked, buttons(asked)["Use for all 7 subscriptions"])
    assert "more often" in told["text"]
    off = await pressed(bell, ann, asked, "Turn off for all 7")
    done = await pressed(bell, ann, off, "Turn off for all 7")
    for name in names[4:]:
        await change_one(bell, ann, name, "fast", "on")
    undo = buttons(done)["↩️ Undo"]
    told = await bell.press(ann, done, undo)
    assert "more often" in told["text"]
    assert "▫️ Check more often (3/7)" in await labels(bell, ann)


async def test_undo_sends_what_the_option_kept_back(bell: Bell, control: Control) -> None:
    ann = await following(bell, control, "back.a", "back.b")
    asked = await pressed(bell, ann, await page_of_all(bell, ann), "🎞 Videos only")
    done = await pressed(bell, ann, asked, "Use for all 2 subscriptions")
    photo = await control.publish("back.a")
    video = await control.publish("back.b", 2)
    await control.wait_shown(ann, [video["pk"]])

    async def is_kept_back() -> bool:
        (told,) = await bell.ask(ann, "/why back.a")
        return "0 of 1" in told["text"]

    await wait_for(is_kept_back)
    assert photo["pk"] not in await control.shown(ann)
    await pressed(bell, ann, done, "↩️ Undo")
    await control.wait_shown(ann, [video["pk"], photo["pk"]])


@pytest.mark.slow
async def test_undo_reports_no_excluded_stories_that_have_expired(
    bell: Bell, control: Control
) -> None:
    ann = await following(bell, control, "over.a", "over.b")
    asked = await pressed(bell, ann, await page_of_all(bell, ann), "🎞 Videos only")
    done = await pressed(bell, ann, asked, "Use for all 2 subscriptions")
    await control.publish("over.a")

    async def is_kept_back() -> bool:
        (told,) = await bell.ask(ann, "/why over.a")
        return "0 of 1" in told["text"]

    await wait_for(is_kept_back)
    clock().jump(timedelta(hours=25).total_seconds())
    before = await control.say(ann, "/help")
    await pressed(bell, ann, done, "↩️ Undo")
    await asyncio.sleep(2)
    told = [one.get("text", "") for one in await control.replies(ann, after=before)]
    assert not [text for text in told if "over.a" in text]


async def following_in_topics(
    bell: Bell, outside: Sequence[str], inside: Sequence[str]
) -> tuple[int, int, int]:
    """Return a group with subscriptions outside and inside a topic, its creator and a member."""
    control = bell.control
    boss, eve = await control.person("Boss"), await control.person("Eve")
    members = {boss: "creator", eve: "member"}
    group = await control.chat("supergroup", members=members, is_forum=True)
    await control.thread(group, 7, "News")
    for name in {*outside, *inside}:
        await control.profile(name, posts_per_day=0)
    await bell.ask(group, f"/subscribe {' '.join(outside)}", user=boss)
    await bell.ask(group, f"/subscribe {' '.join(inside)}", user=boss, thread_id=7)
    return group, boss, eve


async def test_topics_share_the_options_and_members_may_not_change_them(bell: Bell) -> None:
    group, boss, eve = await following_in_topics(bell, ["topic.a"], ["topic.a", "topic.b"])
    (page,) = await bell.ask(group, "/subscriptions", user=eve)
    told = await bell.press(group, page, "all", user=eve)
    assert told["text"] == "Only admins of this group can change that."
    told = await bell.press(group, page, "all:silent:on:save", user=eve)
    assert told["text"] == "Only admins of this group can change that."
    await bell.press(group, page, "all:silent:on", user=boss)

    async def asked() -> Json | None:
        now = await bell.message(group, page["message_id"])
        return now if "This changes 3 subscriptions: topic.a and topic.b." in now["text"] else None

    question = await wait_for(asked)
    label = "Use for all 3 subscriptions"
    await bell.press(group, question, buttons(question)[label], user=boss)

    async def done() -> bool:
        return (
            "3 subscriptions changed." in (await bell.message(group, page["message_id"]))["text"]
        )

    await wait_for(done)


async def test_the_options_of_a_channel_are_changed_from_the_private_chat(
    bell: Bell, control: Control
) -> None:
    boss = await control.person("Boss")
    channel = await channel_of(bell, boss)
    await control.name_chat(channel, "all_news")
    for name in ("post.a", "post.b"):
        await control.profile(name, posts_per_day=0)
    await bell.ask(boss, "/subscribe post.a post.b @all_news")
    (page,) = await bell.ask(boss, "/subscriptions @all_news")
    page = await pressed(bell, boss, page, ALL.format(2))
    asked = await pressed(bell, boss, page, SILENT)
    done = await pressed(bell, boss, asked, "Use for all 2 subscriptions")
    assert "2 subscriptions changed." in done["text"]
    assert await control.replies(channel) == []
    (own,) = await bell.ask(boss, "/subscriptions")
    assert "no subscriptions" in own["text"]


async def test_the_hour_of_the_summary_leads_to_its_use(bell: Bell, control: Control) -> None:
    ann = await following(bell, control, "hour.a", "hour.b")
    (settings,) = await bell.ask(ann, "/settings")
    page = await pressed(bell, ann, settings, "📰 Daily summary")
    assert "Use for all 2 subscriptions" in buttons(page)
    asked = await pressed(bell, ann, page, "6:00\u202fPM")
    assert asked["text"].startswith("The daily summary arrives at 6:00")
    assert "This changes 2 subscriptions: hour.a and hour.b." in asked["text"]
    done = await pressed(bell, ann, asked, "Use for all 2 subscriptions")
    assert "The daily summary arrives at 6:00" in done["text"]
    assert "🌍 Time zone" in buttons(done)
    (settings,) = await bell.ask(ann, "/settings")
    page = await pressed(bell, ann, settings, "📰 Daily summary")
    assert "Use for all 2 subscriptions" not in buttons(page)
    (back,) = await bell.ask(ann, "8:00")
    assert "Time zone" in back["text"] or "city" in back["text"]


async def test_words_lead_to_the_options_they_mean(bell: Bell, control: Control) -> None:
    ann = await following(bell, control, "word.a")
    (page,) = await bell.ask(ann, "quieter please")
    assert page["text"].startswith("🔔 word.a\n")
    await control.profile("word.b", posts_per_day=0)
    await control.publish("word.b")
    await bell.ask(ann, "/subscribe word.b")
    for text in ("only videos", "everything once a day", "quieter please", "send them as files"):
        (page,) = await bell.ask(ann, text)
        assert page["text"].startswith("All 2 subscriptions"), text
    (page,) = await bell.ask(ann, "only videos from word.b")
    assert page["text"].startswith("🔔 word.b\n")
    (story,) = await bell.ask(ann, "/stories word.b")
    (card,) = await bell.ask(ann, "in original quality please", reply_to=story["message_id"])
    assert {"As files", "Options"} <= {label.split()[-1] for label in buttons(card)} | {"As files"}
    none = await control.person()
    (page,) = await bell.ask(none, "only videos")
    assert "no subscriptions" in page["text"]
