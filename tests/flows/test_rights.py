"""Who may do what in channels, linked groups, topics, and where members are hidden."""

import base64
import re

import pytest

from tests.support.control import Control, Json, refused, wait_for
from tests.support.storybell import TOKEN, Bell, buttons

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

BOT = int(TOKEN.partition(":")[0])
REFUSED = "Only admins who can post in this channel can do that."


def unknown(name: str) -> str:
    return f"I don't know {name}. Is it spelled right, and am I an admin there?"


async def channel_of(bell: Bell, boss: int, *others: int) -> int:
    """Return a channel to which its boss has added the bot."""
    channel = await bell.control.chat(
        "channel",
        "News",
        members={boss: "creator"} | dict.fromkeys(others, "member"),
        bot_status="administrator",
    )
    return await bell.answers_for(channel, boss)


async def followed(bell: Bell, channel: int, boss: int, name: str) -> Json:
    """Let a channel follow a profile; what the bot posted there."""
    await bell.control.profile(name, posts_per_day=0)
    (reply,) = await bell.ask(channel, f"/subscribe {name}", user=boss)
    assert "every new story" in reply["text"]
    return reply


async def follows(bell: Bell, channel: int, boss: int) -> set[str]:
    """What a channel follows, as it says itself."""
    (listed,) = await bell.ask(channel, "/subscriptions", user=boss)
    return set(re.findall("🔔 (.+)", listed["text"]))


async def test_an_administrator_of_a_channel_still_presses_old_buttons(
    bell: Bell, control: Control
) -> None:
    boss, ann = await control.person("Boss"), await control.person()
    channel = await channel_of(bell, boss, ann)
    await control.name_chat(channel, "chan_ended")
    await followed(bell, channel, boss, "chan.ended")
    (page,) = await bell.ask(boss, "/subscriptions @chan_ended")
    ((_, data),) = buttons(page).items()
    end = f"unsub:{data.rpartition(':')[2]}"
    old = await bell.old_post(channel, end)
    answer = await bell.press(channel, old, end, user=ann)
    assert answer["text"] == REFUSED
    members = f"/chats/{channel}/members/{ann}"
    no_posts = {"status": "administrator", "can_post_messages": False}
    await control.call("PUT", members, no_posts)
    answer = await bell.press(channel, old, end, user=boss)
    assert "text" not in answer
    assert "Unsubscribed from" in (await bell.message(channel, old["message_id"]))["text"]


async def test_the_hint_in_a_channel_names_the_channel(bell: Bell, control: Control) -> None:
    boss = await control.person("Boss")
    channel = await channel_of(bell, boss)  # private: it has no @name
    await control.profile("hint.one", posts_per_day=0)
    for command in ("/subscribe hint.one", "/settings", "/rules hint.one", "/unsubscribe"):
        (post,) = await bell.ask(channel, command, user=boss)
        if "private chat: " not in post["text"]:
            continue
        hint = post["text"].rpartition("private chat: ")[2]
        assert hint == f"{command} {channel}"
        (page,) = await bell.ask(boss, hint)
        assert "News" in page["text"] or "hint.one" in page["text"], hint
    (own,) = await bell.ask(boss, "/subscriptions")
    assert "no subscriptions yet" in own["text"]
    for command in ("why hint.one", "unsubscribe hint.one", "usage", "export", "privacy",
                    "language", "timezone Lima", "subscriptions", "past hint.one"):  # fmt: skip
        (page,) = await bell.ask(boss, f"/{command} {channel}")
        assert "I don't know" not in page.get("text", ""), command
    await control.name_chat(channel, "hint_news")
    (post,) = await bell.ask(channel, "/subscribe hint.one", user=boss)
    assert post["text"].endswith("private chat: /subscribe hint.one @hint_news")


async def test_posts_in_a_channel_carry_no_buttons_and_its_administrator_runs_it_in_private(
    bell: Bell, control: Control
) -> None:
    boss, eve = await control.person("Boss"), await control.person("Eve")
    channel = await channel_of(bell, boss)
    await control.name_chat(channel, "chan_news")
    for command in ("/subscriptions", "/settings", "/language", "/privacy"):
        (post,) = await bell.ask(channel, command, user=boss)
        assert not buttons(post), command
        assert post["text"].endswith(f"private chat: {command} @chan_news"), command
    await bell.ask(channel, "/timezone", user=boss)
    (asked,) = await bell.ask(boss, "/timezone @chan_news")  # as every such post says
    assert asked["text"].startswith("📣 News\n")
    (refused,) = await bell.ask(eve, "/subscriptions @chan_news")
    assert refused["text"] == unknown("@chan_news")
    await followed(bell, channel, boss, "chan.run")
    (page,) = await bell.ask(boss, "/subscriptions @chan_news")
    await bell.press(boss, page, buttons(page)["🔔 chan.run"])
    page = await bell.message(boss, page["message_id"])
    assert page["text"].startswith("📣 News\n🔔 chan.run")
    for command in ("/why", "/rules"):
        (told,) = await bell.ask(boss, f"{command} chan.run @chan_news")
        assert told["text"].startswith("📣 News\n"), command
    (told,) = await bell.ask(boss, "/why chan.not @chan_news")
    await control.profile("chan.not")
    await bell.press(boss, told, buttons(told)["🔔 Subscribe"])
    (told,) = await bell.replies(boss, after=told["message_id"])
    assert await follows(bell, channel, boss) == {"chan.not", "chan.run"}
    await bell.press(boss, page, buttons(page)["Alert status"])
    told = await bell.message(boss, page["message_id"])
    assert told["text"].startswith("📣 News\nchan.run\nThis profile is public.")
    stop = buttons(page)["Unsubscribe"]
    await bell.press(boss, page, buttons(page)["Delivery: as usual"])
    page = await bell.message(boss, page["message_id"])
    silent = buttons(page)["▫️ Silent"]
    await bell.press(boss, page, silent)
    assert "✅ Silent" in buttons(await bell.message(boss, page["message_id"]))
    mine = await bell.old_post(eve, silent)
    answer = await bell.press(eve, mine, silent.replace("silent", "pause"), user=eve)
    assert answer["text"] == REFUSED
    await bell.press(boss, page, stop)
    assert "Unsubscribed from" in (await bell.message(boss, page["message_id"]))["text"]
    assert await follows(bell, channel, boss) == {"chan.not"}


async def test_a_channels_list_has_a_line_for_all_that_it_follows(
    bell: Bell, control: Control
) -> None:
    boss = await control.person("Boss")
    channel = await channel_of(bell, boss)
    names = {f"chan.line{n}" for n in range(9)}
    for name in names:
        await control.profile(name, posts_per_day=0)
    await bell.ask(channel, f"/subscribe {' '.join(names)}", user=boss)
    assert await follows(bell, channel, boss) == names


async def test_an_alert_in_a_channel_has_links_and_is_not_answered_in_its_group(
    bell: Bell, control: Control
) -> None:
    boss = await control.person("Boss")
    channel = await channel_of(bell, boss)
    group = await control.chat("supergroup", members={boss: "creator"}, bot_status="administrator")
    await control.link_chats(channel, group)
    await followed(bell, channel, boss, "chan.echo")
    story = await control.publish("chan.echo")

    async def alerted() -> Json | None:
        posts = await control.replies(channel)
        return next((m for m in posts if m.get("_story_pk") == story["pk"]), None)

    alert = await wait_for(alerted)
    assert all(where.startswith("https://") for where in buttons(alert).values())
    assert "t.me/" not in str(alert)
    await control.say(channel, f"Look: instagram.com/stories/chan.echo/{story['pk']}", user=boss)
    (help_,) = await bell.ask(group, "/help", user=boss)
    assert "all stories from a profile" in help_["text"]
    assert await control.replies(group) == [help_]


async def test_the_bots_own_message_forwarded_to_it_asks_for_nothing(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    (shown,) = await bell.ask(ann, "/stories prada")
    body = {"user_id": ann, "forward": {"chat_id": ann, "message_id": shown["message_id"]}}
    await control.call("POST", f"/chats/{ann}/messages", body)
    (help_,) = await bell.ask(ann, "/help")
    assert "all stories from a profile" in help_["text"]
    assert [m["message_id"] for m in await control.replies(ann)] == [
        shown["message_id"],
        help_["message_id"],
    ]


async def test_hidden_members_do_not_make_an_owner_a_stranger(
    bell: Bell, control: Control
) -> None:
    boss, ann = await control.person("Boss"), await control.person()
    group = await control.chat("supergroup", members={boss: "creator", ann: "member"})
    await control.call("PATCH", f"/chats/{group}", {"has_hidden_members": True})
    (reply,) = await bell.ask(group, "/timezone Asia/Tokyo", user=boss)
    assert "Asia/Tokyo" in reply["text"]
    (reply,) = await bell.ask(group, "/timezone Asia/Tokyo", user=ann)
    assert reply["text"] == "Only admins of this group can change that."


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (refused("CHAT_ADMIN_REQUIRED"), "Please make me an admin"),
        (refused("Bad Gateway", 502), "Telegram isn't answering"),
    ],
)
async def test_an_owner_is_never_told_that_they_are_none(
    bell: Bell, control: Control, fault: Json, told: str
) -> None:
    boss = await control.person("Boss")
    group = await control.chat("supergroup", members={boss: "creator"})
    one = await control.fault("telegram", fault, match="getChatMember", times=None)
    two = await control.fault("telegram", fault, match="getChatAdministrators", times=None)
    (reply,) = await bell.ask(group, "/timezone Asia/Tokyo", user=boss)
    assert told in reply["text"]
    for fault_id in (one, two):
        await control.clear_faults(fault_id)
    (reply,) = await bell.ask(group, "/timezone Asia/Tokyo", user=boss)
    assert "Asia/Tokyo" in reply["text"]


@pytest.mark.parametrize("who", ["boss", "bot"])
async def test_a_channel_is_followed_for_only_where_both_may_post(
    bell: Bell, control: Control, who: str
) -> None:
    boss = await control.person("Boss")
    channel = await channel_of(bell, await control.person("Owner"))
    name = f"no.posts.{who}"
    await control.profile(name)
    rights = {"status": "administrator"}
    await control.call("PUT", f"/chats/{channel}/members/{boss}", rights)
    user = boss if who == "boss" else BOT
    no_posts = rights | {"can_post_messages": False}
    await control.call("PUT", f"/chats/{channel}/members/{user}", no_posts)
    (reply,) = await bell.ask(boss, f"/subscribe {name} {channel}")
    assert "you and I are both admins and I'm allowed to post" in reply["text"]


@pytest.mark.stands  # the sandbox's short life of a press is new, the bot's patience is not
async def test_a_late_press_is_done_all_the_same(bell: Bell, control: Control) -> None:
    ann = await control.person()
    (help_,) = await bell.ask(ann, "/help")
    old = await bell.old_post(ann, "set:zone:Asia/Tokyo")
    await control.callback_life(-1)
    await control.press(ann, old["message_id"], "set:zone:Asia/Tokyo")

    async def changed() -> bool:
        return "Asia/Tokyo" in (await bell.message(ann, old["message_id"]))["text"]

    await wait_for(changed)
    await control.callback_life(15)
    shown = await control.replies(ann, after=help_["message_id"])
    assert len(shown) == 1  # and nobody was told of a mistake


@pytest.mark.parametrize("count", [1, 3])
async def test_an_answer_forwarded_out_of_a_channel_costs_nothing(
    bell: Bell, control: Control, count: int
) -> None:
    boss, ann = await control.person("Boss"), await control.person()
    channel = await channel_of(bell, boss, ann)
    name = f"fwd.answer{count}"
    await control.profile(name, posts_per_day=0)
    for _ in range(count):
        await control.publish(name)
    shown = await bell.ask(channel, f"/stories {name}", count=count, user=boss)
    (page,) = await bell.ask(ann, "/help")
    before = await control.billed_for(name)
    post = {"chat_id": channel, "message_id": shown[0]["message_id"]}
    told = await control.call("POST", f"/chats/{ann}/messages", {"user_id": ann, "forward": post})
    await bell.ask(ann, "/help")  # answered after what was forwarded
    shown_since = await control.replies(ann, after=told["message_id"])
    cards = [one for one in shown_since if one.get("text") != page["text"]]
    assert all(f"run:stories:{name}" in buttons(card).values() for card in cards)
    assert await control.billed_for(name) == before > 0


async def test_a_channel_that_is_not_known_never_becomes_the_private_chat(
    bell: Bell, control: Control
) -> None:
    boss, eve = await control.person("Boss"), await control.person("Eve")
    channel = await channel_of(bell, boss)
    await control.name_chat(channel, "lost_old")
    await followed(bell, channel, boss, "lost.far")
    await control.profile("lost.own", posts_per_day=0)
    await bell.ask(boss, "/subscribe lost.own")
    await control.name_chat(channel, "lost_new")
    for command in ("privacy", "settings", "subscriptions", "usage", "language", "export"):
        for name in ("@lost_old", "-1009999999999"):
            (told,) = await bell.ask(boss, f"/{command} {name}")
            assert told["text"] == unknown(name), command
    (told,) = await bell.ask(boss, "/timezone Tokyo @lost_old")
    assert told["text"] == unknown("@lost_old")
    with_profile = "/unsubscribe lost.own", "/unsubscribe all", "/why lost.own", "/past lost.own"
    for command in with_profile:
        (told,) = await bell.ask(boss, f"{command} @lost_old")
        assert told["text"].startswith(unknown("@lost_old")), command
    (told,) = await bell.ask(boss, "/rules lost.own @lost_old not: photo")
    assert told["text"].startswith(unknown("@lost_old"))
    (rules,) = await bell.ask(boss, "/rules lost.own")
    assert "You get alerts for all stories." in rules["text"]
    for name in ("@lost_new", str(channel)):
        (told,) = await bell.ask(eve, f"/subscriptions {name}")
        assert told["text"] == unknown(name)
        (told,) = await bell.ask(boss, f"/subscriptions {name}")
        assert told["text"].startswith("📣 News\n")
        assert "🔔 lost.far" in buttons(told)


async def test_in_rules_a_channel_stands_after_the_profile_and_a_later_name_is_a_term(
    bell: Bell, control: Control
) -> None:
    boss = await control.person("Boss")
    channel = await channel_of(bell, boss)
    await control.name_chat(channel, "ruled_news")
    await followed(bell, channel, boss, "ruled.one")
    await bell.ask(boss, "/subscribe ruled.one")
    (told,) = await bell.ask(boss, "/rules ruled.one @ruled_news only: #sale not: @nike")
    assert told["text"].startswith("📣 News\n")
    assert "with any of these: @nike" in told["text"]
    (told,) = await bell.ask(boss, "/rules ruled.one only: @ruled_news")
    assert not told["text"].startswith("📣 News\n")
    assert "with one of these: @ruled_news" in told["text"]
    (post,) = await bell.ask(channel, "/rules ruled.one not: video", user=boss)
    assert post["text"].endswith("private chat: /rules ruled.one @ruled_news not: video")


async def test_a_deletion_is_confirmed_for_the_chat_that_it_names(
    bell: Bell, control: Control
) -> None:
    boss = await control.person("Boss")
    channel = await channel_of(bell, boss)
    await control.name_chat(channel, "erased_news")
    await followed(bell, channel, boss, "erased.far")
    await bell.ask(boss, "/subscribe erased.far")
    pages = {
        "/privacy @erased_news": "about News?",
        "/privacy": "about your private chat with me?",
    }
    for command, named in pages.items():
        (page,) = await bell.ask(boss, command)
        await bell.press(boss, page, buttons(page)["Delete everything"])
        page = await bell.message(boss, page["message_id"])
        assert named in page["text"]
        await bell.press(boss, page, buttons(page)["Yes, delete"])
        (left,) = await bell.ask(boss, "/subscriptions")
        assert ("🔔 erased.far" in buttons(left)) is (named == "about News?")


async def test_a_channel_is_run_from_the_private_chat_alone(bell: Bell, control: Control) -> None:
    boss = await control.person("Boss")
    channel = await channel_of(bell, boss)
    await control.name_chat(channel, "away_news")
    await followed(bell, channel, boss, "away.far")
    for command in ("/settings", "/timezone Asia/Tokyo", "/why away.far"):
        group = await control.chat("supergroup", members={boss: "creator"})
        (told,) = await bell.ask(group, f"{command} @away_news", user=boss)
        asked = f"{command} @away_news"
        assert told["text"] == f"Please send me {asked} in our private chat.", command
    group = await control.chat("supergroup", members={boss: "creator"})
    await control.name_chat(group, "away_group")
    (told,) = await bell.ask(group, "/timezone Asia/Tokyo @away_group", user=boss)
    assert "Time zone: Tokyo (Asia/Tokyo)" in told["text"]


async def test_a_file_with_a_channel_in_its_caption_is_imported_there(
    bell: Bell, control: Control
) -> None:
    boss = await control.person("Boss")
    channel = await channel_of(bell, boss)
    await control.name_chat(channel, "file_news")
    await bell.ask(channel, "/help", user=boss)
    await control.profile("file.far", posts_per_day=0)
    listed = base64.b64encode(b'["file.far"]').decode()
    file = {"kind": "document", "base64": listed, "name": "a.json", "type": "application/json"}
    for name, answer in (("@file_old", unknown("@file_old")), ("@file_news", "📣 News\n")):
        (told,) = await bell.ask(boss, "", file=file, caption=f"/import {name}")
        assert told["text"].startswith(answer)
    assert await follows(bell, channel, boss) == {"file.far"}
    (own,) = await bell.ask(boss, "/subscriptions")
    assert "no subscriptions yet" in own["text"]


async def test_in_a_chat_without_a_username_the_word_none_names_another_chat(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    (told,) = await bell.ask(ann, "/settings @none")
    assert told["text"] == unknown("@none")
    group = await control.chat("supergroup", members={ann: "creator"})
    (told,) = await bell.ask(group, "/settings @none", user=ann)
    assert told["text"] == "Please send me /settings @none in our private chat."
