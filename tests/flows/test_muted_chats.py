"""Chats where the bot may not write for a while: rows wait, and what is missing is said once."""

from datetime import UTC, datetime

import pytest

from tests.support.control import Control, Json, refused, wait_for
from tests.support.storybell import TOKEN, Bell, buttons, unhurried

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

TIMING = unhurried()  # two albums, each tried twice, are more than a group has in a minute
BOT = int(TOKEN.partition(":")[0])


async def group_of(control: Control, *, is_forum: bool = False) -> tuple[int, int]:
    """A supergroup and who runs it."""
    boss = await control.person("Boss")
    return await control.chat("supergroup", members={boss: "creator"}, is_forum=is_forum), boss


async def permit(control: Control, chat: int, **permissions: bool) -> None:
    """Change a group's default permissions, of which Telegram tells bots nothing."""
    await control.call("PATCH", f"/chats/{chat}", {"permissions": permissions})


async def texts(control: Control, chat: int, word: str) -> list[Json]:
    return [m for m in await control.replies(chat) if word in m.get("text", "")]


async def refusals(control: Control, chat: int, mark: int, method: str = "send") -> list[Json]:
    """Wait for the sends into a chat that Telegram refused."""

    async def found() -> list[Json]:
        calls = await control.requests("telegram", after=mark)
        here = [c for c in calls if str(c["params"].get("chat_id")) == str(chat)]
        return [c for c in here if c["method"].startswith(method) and c["status"] == 400]

    return await wait_for(found, what="a refused send")


async def mark_of(control: Control) -> int:
    return int((await control.requests("telegram"))[-1]["n"])


async def test_photos_that_are_not_allowed_wait_and_follow(bell: Bell, control: Control) -> None:
    group, boss = await group_of(control)
    await control.profile("mute.photos")
    await bell.ask(group, "/subscribe mute.photos", user=boss)
    await permit(control, group, can_send_photos=False)
    mark = await mark_of(control)
    first = await control.publish("mute.photos")

    async def said() -> list[Json]:
        return await texts(control, group, "I'm not allowed to send photos here. They")

    assert len(await wait_for(said, what="what is missing")) == 1
    second = await control.publish("mute.photos")
    for text in ("/why mute.photos", "/subscriptions", "/subscribe mute.photos"):
        (answer,) = await bell.ask(group, text, user=boss)
        assert "I'm not allowed to send photos here. They" in answer["text"], text
    assert len(await refusals(control, group, mark)) == 1
    assert await control.shown(group) == []
    await permit(control, group)
    asked = await control.say(group, "/subscriptions", user=boss)

    async def listed() -> str | None:  # the stories come at the same moment
        shown = await control.replies(group, after=asked)
        return next((m["text"] for m in shown if "text" in m), None)

    assert "I'm not allowed" not in await wait_for(listed, what="the list")

    await control.wait_shown(group, [first["pk"], second["pk"]])
    mutes = await texts(control, group, "until an admin allows it")
    assert len([m for m in mutes if "has 1 subscription" not in m["text"]]) == 3  # once by itself


async def test_what_is_allowed_goes_on_while_videos_wait(bell: Bell, control: Control) -> None:
    group, boss = await group_of(control)
    await control.profile("mute.videos", posts_per_day=0)
    await bell.ask(group, "/subscribe mute.videos", user=boss)
    await permit(control, group, can_send_videos=False)
    now = (await control.state())["now"]
    first = [
        (await control.publish("mute.videos", kind, taken_at=now - 3 + number))["pk"]
        for number, kind in enumerate((1, 2, 1))
    ]

    async def photos() -> bool:
        return await control.shown(group) == [first[0], first[2]]

    async def said() -> list[Json]:
        return await texts(control, group, "I'm not allowed to send videos here")

    await wait_for(photos, what="the photos")
    await wait_for(said, what="why the video is not here")
    later = (await control.publish("mute.videos"))["pk"]

    async def the_later_one() -> bool:
        return (await control.shown(group))[2:] == [later]

    await wait_for(the_later_one, what="a photo while videos wait")
    assert len(await said()) == 1
    await permit(control, group, can_send_videos=False, can_send_photos=False)
    last = (await control.publish("mute.videos"))["pk"]

    async def said_of_photos() -> list[Json]:
        return await texts(control, group, "I'm not allowed to send photos here")

    await wait_for(said_of_photos, what="that photos wait, too")
    (why,) = await bell.ask(group, "/why mute.videos", user=boss)
    assert "I'm not allowed to send photos or videos here" in why["text"]
    assert (len(await said()), len(await said_of_photos())) == (1, 1)
    await permit(control, group)
    await control.say(group, "/subscriptions", user=boss)

    async def both() -> bool:
        return (await control.shown(group))[3:] == [first[1], last]

    await wait_for(both, what="what waited")


@pytest.mark.parametrize("what", ["documents", "photos"])
async def test_files_and_photos_do_not_wait_for_each_other(
    bell: Bell, control: Control, what: str
) -> None:
    group, boss = await group_of(control)
    as_files, plain = f"files.no.{what}", f"plain.no.{what}"
    for name in (as_files, plain):
        await control.profile(name, posts_per_day=0)
    await bell.ask(group, f"/subscribe {as_files} {plain}", user=boss)
    (menu,) = await bell.ask(group, "/subscriptions", user=boss)
    number = buttons(menu)[f"🔔 {as_files}"].partition(":")[2]
    await bell.press(group, menu, f"opt:{number}:files:on", user=boss)
    await permit(control, group, **{f"can_send_{what}": False})
    refused, allowed = (as_files, plain) if what == "documents" else (plain, as_files)
    waits = await control.publish(refused)

    async def said() -> list[Json]:
        return await texts(control, group, "I'm not allowed to send")

    await wait_for(said, what="what is missing")
    goes = await control.publish(allowed)

    async def there() -> list[str]:
        return await control.shown(group)

    assert await wait_for(there, what="what is allowed") == [goes["pk"]]
    await permit(control, group)
    await control.say(group, "/subscriptions", user=boss)

    await control.wait_shown(group, [goes["pk"], waits["pk"]])
    assert len(await said()) == 1


async def test_stories_that_may_be_shown_are_shown_and_the_rest_is_said_once(
    bell: Bell, control: Control
) -> None:
    group, boss = await group_of(control)
    await control.profile("mute.mixed", posts_per_day=0)
    kinds = [2, *([1] * 6), 2, *([1] * 6)]
    now = (await control.state())["now"]  # one a second, so that their order is certain
    posted = [
        (await control.publish("mute.mixed", kind, taken_at=now - 30 + number))["pk"]
        for number, kind in enumerate(kinds)
    ]
    await permit(control, group, can_send_videos=False)
    await control.say(group, "/stories mute.mixed", user=boss)
    wanted = [pk for pk, kind in zip(posted, kinds, strict=True) if kind == 1]

    await control.wait_shown(group, wanted)

    async def said() -> list[Json]:
        return await texts(control, group, "I'm not allowed to send videos here.")

    await wait_for(said, what="what is missing")
    await bell.ask(group, "/help", user=boss)
    assert len(await said()) == 1
    assert await control.shown(group) == wanted
    await permit(control, group, can_send_videos=False, can_send_photos=False)
    (refused, *more) = await bell.ask(group, "/stories mute.mixed", user=boss)
    assert "I'm not allowed to send photos or videos here." in refused["text"]
    assert more == []


async def test_a_group_where_nothing_may_be_written_is_silent_and_goes_on(
    bell: Bell, control: Control
) -> None:
    group, boss = await group_of(control)
    await control.profile("mute.text")
    await bell.ask(group, "/subscribe mute.text", user=boss)
    mark = await mark_of(control)
    await permit(control, group, can_send_messages=False, can_send_photos=False)
    story = await control.publish("mute.text")
    await refusals(control, group, mark, "sendMessage")
    await permit(control, group)
    await control.say(group, "/why mute.text", user=boss)

    await control.wait_shown(group, [story["pk"]])
    assert await texts(control, group, "couldn't send") == []


@pytest.mark.parametrize(("closed", "open_"), [(1, 77), (77, None)], ids=["general", "topic"])
async def test_a_closed_topic_closes_only_itself(
    bell: Bell, control: Control, closed: int, open_: int | None
) -> None:
    group, boss = await group_of(control, is_forum=True)
    name = f"mute.topic{closed}"
    await control.profile(name)
    await control.thread(group, 77, "News")
    for where in ({}, {"thread_id": 77}):
        await bell.ask(group, f"/subscribe {name}", user=boss, **where)
    await control.thread(group, closed, "General" if closed == 1 else "News", state="closed")
    mark = await mark_of(control)
    story = await control.publish(name)

    async def places() -> list[int | None]:
        shown = [m for m in await control.replies(group) if m.get("_story_pk") == story["pk"]]
        return [m.get("message_thread_id") for m in shown]

    async def the_open_one() -> bool:
        return await places() == [open_]

    await wait_for(the_open_one, what="the story where it is open")
    await refusals(control, group, mark)
    await control.thread(group, closed, "General" if closed == 1 else "News", state="open")

    async def both() -> bool:
        return len(await places()) == 2

    await wait_for(both, what="the story where it is open again")
    assert await texts(control, group, "now come here") == []


async def test_a_channel_where_the_bot_may_not_post(bell: Bell, control: Control) -> None:
    ann = await control.person()
    members = {ann: "creator"}
    channel = await control.chat("channel", members=members, bot_status="administrator")
    await control.profile("mute.posts")
    (answer,) = await bell.ask(ann, f"/subscribe mute.posts {channel}")
    assert "every new story" in answer["text"]
    await control.call(
        "PUT",
        f"/chats/{channel}/members/{BOT}",
        {"status": "administrator", "can_post_messages": False},
    )
    mark = await mark_of(control)
    story = await control.publish("mute.posts")
    await refusals(control, channel, mark)
    await control.member(channel, BOT, "administrator")

    await control.wait_shown(channel, [story["pk"]])


@pytest.mark.slow
@pytest.mark.parametrize("way", ["command", "words", "button"])
async def test_who_comes_back_hears_only_of_what_is_new(
    bell: Bell, control: Control, way: str
) -> None:
    ann = await control.person()
    name = f"mute.away.{way}"
    await control.profile(name)
    (page,) = await bell.ask(ann, f"/subscribe {name}")
    mark = await mark_of(control)
    # Blocked in silence: the bot learns of it by the refusal.
    blocked = refused("bot was blocked by the user", 403)
    fault = await control.fault("telegram", blocked, match="sendPhoto", times=None)
    await control.publish(name)

    async def tried() -> bool:
        calls = await control.requests("telegram", after=mark, path="sendPhoto")
        return any(call["status"] == 403 for call in calls)

    await wait_for(tried, what="the refused alert")
    await control.clear_faults(fault)
    match way:  # speaking to it, they are back
        case "command":
            await bell.ask(ann, f"/why {name}")
        case "words":
            await bell.ask(ann, name)
        case _:
            await bell.press(ann, page, buttons(page)["Options"])
    await bell.settled()
    new = await control.publish(name)

    await control.wait_shown(ann, [new["pk"]])
    assert await texts(control, ann, "couldn't send") == []


async def test_a_silent_video_that_is_not_allowed_is_said_and_holds_up_no_photo(
    bell: Bell, control: Control
) -> None:
    group, boss = await group_of(control)
    await control.profile("mute.silent", posts_per_day=0)
    before = (
        datetime.now(UTC).timestamp() - 60
    )  # an alert is of a later second than what was there
    silent = await control.publish("mute.silent", 2, silent=True, taken_at=before)
    link = f"https://www.instagram.com/stories/mute.silent/{silent['pk']}/"
    ann = await control.person()
    await bell.ask(ann, link)  # known as an animation from now on
    await permit(control, group, can_send_other_messages=False)
    (told,) = await bell.ask(group, link, user=boss)
    assert told["text"] == "I'm not allowed to send GIFs here. An admin can change that."
    await bell.ask(group, "/subscribe mute.silent", user=boss)
    await bell.ask(group, "/stories mute.silent", user=boss)
    photo = await control.publish("mute.silent")

    async def the_photo() -> bool:
        return (await control.shown(group))[-1:] == [photo["pk"]]

    await wait_for(the_photo, what="the photo behind the silent video")


@pytest.mark.slow
async def test_a_chat_whose_posts_are_removed_at_once_gets_no_copies_and_stops_nobody_else(
    bell: Bell, control: Control
) -> None:
    group, boss = await group_of(control)
    ann = await control.person()
    await bell.ask(boss, "/help")
    await control.profile("swept", posts_per_day=0)
    await bell.ask(group, "/subscribe swept", user=boss)
    await bell.ask(ann, "/subscribe swept")
    await control.call("PATCH", f"/chats/{group}", {"deletes_posts": True})
    mark = await mark_of(control)
    stories = []
    for _ in range(5):
        stories.append((await control.publish("swept"))["pk"])

        await control.wait_shown(ann, stories, within=20)

    async def said() -> list[Json]:
        return await texts(control, boss, "removed at once")

    assert len(await wait_for(said, what="what is wrong, in private")) == 1
    calls = await control.requests("telegram", after=mark)
    here = [c for c in calls if str(c["params"].get("chat_id")) == str(group)]
    assert [c["status"] for c in here if c["method"].startswith("send")] == [500] * 3
    assert not [c for c in calls if c["method"] == "getMe"]
    assert await control.shown(group) == []
