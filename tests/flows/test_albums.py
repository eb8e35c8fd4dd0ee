"""Albums with an item that Telegram refuses: nothing is in the chat, so all of it comes again."""

import asyncio
from collections.abc import Collection

import pytest

from tests.support.control import Control, Json, flood, refused, wait_for
from tests.support.storybell import Bell, unhurried

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]
TIMING = unhurried()

CURL = {"fail_item": 2, "description": "WEBPAGE_CURL_FAILED"}
WRONG = {"fail_item": 2, "description": "Wrong file identifier/HTTP URL specified"}
FLOOD = {"fail_item": 2, "description": "Too Many Requests: retry after 1"}
RARE = {"fail_item": 2, "description": "Message was not sent", "others": "sent"}
FAULTS = pytest.mark.parametrize("fault", [CURL, WRONG, FLOOD], ids=["curl", "wrong", "flood"])


async def three(control: Control, name: str) -> list[str]:
    """Publish three stories at one moment, a second apart by their own account; their pks."""
    now = (await control.state())["now"]
    shown: list[Json] = await asyncio.gather(
        *(control.publish(name, taken_at=now - 3 + second) for second in range(3))
    )
    return [str(story["pk"]) for story in shown]


@FAULTS
async def test_an_album_that_was_asked_for_comes_whole(
    bell: Bell, control: Control, fault: Json
) -> None:
    ann, name = await control.person(), f"asked.{fault['description'][:4].strip().lower()}"
    await control.profile(name)
    stories = await three(control, name)
    await control.fault("telegram", fault, match="sendMediaGroup")
    shown = await bell.ask(ann, f"/stories {name}", count=3)
    assert await control.shown(ann) == stories
    assert len({message["media_group_id"] for message in shown[:3]}) == 1


@pytest.mark.slow
@FAULTS
async def test_an_alert_of_which_one_item_failed_comes_whole(
    bell: Bell, control: Control, fault: Json
) -> None:
    ann, name = await control.person(), f"alert.{fault['description'][:4].strip().lower()}"
    await control.profile(name)
    await bell.ask(ann, f"/subscribe {name}")
    await control.fault("telegram", fault, match="sendMediaGroup")
    stories = await three(control, name)

    await control.wait_shown(ann, stories)

    async def told() -> bool:
        (why,) = await bell.ask(ann, f"/why {name}")
        return "sent: 3" in why["text"]

    await wait_for(told, what="all three as sent")


async def test_refused_album_whose_items_arrived_is_sent_again(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("asked.rare")
    stories = await three(control, "asked.rare")
    await control.fault("telegram", RARE, match="sendMediaGroup")
    await bell.ask(ann, "/stories asked.rare", count=5)
    assert await control.shown(ann) == [stories[0], stories[2], *stories]


async def said(control: Control, chat: int) -> list[str]:
    """What the bot wrote into a chat: the pks of stories, and words."""
    return [m.get("_story_pk") or m["text"] for m in await control.replies(chat)]


async def test_the_rest_of_an_answer_waits_for_an_album_that_is_there_in_part(
    bell: Bell, control: Control
) -> None:
    """What is behind it, the line with the buttons too, comes after it."""
    ann = await control.person()
    await control.profile("rare.order", posts_per_day=0)
    stories = await many(control, "rare.order", ())
    await control.fault("telegram", RARE, match="sendMediaGroup")
    await control.say(ann, "/stories rare.order")
    first_try = [pk for pk in stories[:9] if pk != stories[1]]
    await bell.replies(ann, len(first_try) + 26, after=0)
    assert await said(control, ann) == [*first_try, *stories, "rare.order"]


async def test_a_flood_in_an_album_that_is_there_in_part_costs_a_copy_each(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("rare.flood", posts_per_day=0)
    stories = await three(control, "rare.flood")
    there = {**FLOOD, "others": "sent"}
    fault = await control.fault("telegram", there, match="sendMediaGroup", times=None)
    await control.say(ann, "/stories rare.flood")
    await bell.replies(ann, 4, after=0)  # two copies; the third would come 5 minutes later
    await asyncio.sleep(3)
    await control.clear_faults(fault)
    assert await said(control, ann) == [stories[0], stories[2]] * 2


async def test_the_line_of_buttons_does_not_come_without_its_album(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("none.shown", posts_per_day=0)
    await three(control, "none.shown")
    for method in ("sendMediaGroup", "sendPhoto"):
        await control.fault("telegram", refused("NO_SUCH"), match=method, times=None, chat_id=ann)
    await control.say(ann, "/stories none.shown")
    await bell.replies(ann, 1, after=0)  # one message for the one cause
    await bell.ask(ann, "/help")
    await control.clear_faults()
    assert "none.shown" not in await said(control, ann)


@pytest.mark.usefixtures("bell")
async def test_an_album_by_url_that_meets_429_for_ever_goes_one_by_one(
    control: Control,
) -> None:
    ann = await control.person()
    await control.profile("asked.slow")
    await three(control, "asked.slow")
    fault = await control.fault(
        "telegram", flood(1), match="sendMediaGroup", times=None, source="url"
    )
    message = await control.say(ann, "/stories asked.slow")
    shown = await control.wait_replies(ann, 3, after=message, within=60)
    await control.clear_faults(fault)
    assert all("media_group_id" not in one for one in shown[:3])
    calls = await control.requests("telegram", path="sendMediaGroup")
    assert calls[-1]["status"] == 429


async def test_a_silent_video_to_many_chats_is_loaded_once(bell: Bell, control: Control) -> None:
    people = [await control.person() for _ in range(24)]
    await control.profile("hush")
    for ann in people:
        await control.say(ann, "/subscribe hush")
    for ann in people:
        await control.wait_replies(ann, 1)
    story = await control.publish("hush", 2, silent=True)

    async def all_have_it() -> list[Json] | None:
        shown = [m for ann in people for m in await control.replies(ann) if m.get("_story_pk")]
        return shown if len(shown) == len(people) else None

    shown = await wait_for(all_have_it, what="the silent video in 24 chats")
    assert sorted(message["_source"] for message in shown) == ["file_id"] * 23 + ["url"]
    assert all("animation" in message for message in shown)
    await control.publish("hush")  # an album with it: a silent video goes in as an upload
    await bell.ask(people[0], "/stories hush", count=2)
    await bell.ask(people[1], "/stories hush", count=2)
    ways = [
        [m["_source"] for m in (await control.replies(ann)) if m.get("_story_pk") == story["pk"]]
        for ann in people[:2]
    ]
    assert [way[-1] for way in ways] == ["upload", "file_id"]


@pytest.mark.stands  # what is new is that it holds for animations of an album, too
async def test_a_silent_video_that_came_in_an_album_goes_out_alone_too(
    bell: Bell, control: Control
) -> None:
    ann, bob = await control.person(), await control.person()
    await control.profile("hush.album")
    silent = await control.publish("hush.album", 2, silent=True)
    await control.publish("hush.album")
    shown = await bell.ask(ann, "/stories hush.album", count=2)
    assert {m["_source"] for m in shown if m.get("_story_pk") == silent["pk"]} == {"upload"}
    link = f"https://www.instagram.com/stories/hush.album/{silent['pk']}/"
    for person in (bob, ann):
        (alone,) = await bell.ask(person, link)
        assert (alone["_story_pk"], alone["_source"]) == (silent["pk"], "file_id")
    shown = await bell.ask(bob, "/stories hush.album", count=2)
    assert {m["_source"] for m in shown if m.get("_story_pk")} == {"file_id"}


async def many(control: Control, name: str, silent: Collection[int], count: int = 25) -> list[str]:
    """Publish stories, one after the other, with silent videos at some places; their pks."""
    now = (await control.state())["now"]
    shown: list[Json] = [
        await control.publish(
            name, 2 if n in silent else 1, silent=n in silent, taken_at=now - count + n
        )
        for n in range(count)
    ]
    return [str(story["pk"]) for story in shown]


async def albums_of(control: Control, chat: int) -> list[Json]:
    """Return the albums that were tried in a chat."""
    asked = await control.requests("telegram", path="sendMediaGroup")
    return [one for one in asked if str(one["params"].get("chat_id")) == str(chat)]


async def bought(control: Control) -> int:
    """Return the credits that downloads have cost."""
    by_path: Json = (await control.state())["billed"]["by_path"]
    return sum(cost for path, cost in by_path.items() if "download" in path)


SLOW = [pytest.param(place, marks=pytest.mark.slow) for place in range(1, 8)]


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 8, *SLOW])
async def test_silent_videos_in_each_of_three_albums_cost_no_story(
    bell: Bell, control: Control, place: int
) -> None:
    """As answers and as alerts, by URL and by file_id: all is there, in order, nothing bought."""
    ann, bob, eva, dan = [await control.person() for _ in range(4)]
    alerted, asked, before = f"hush.{place}", f"hush.asked.{place}", await bought(control)
    silent = {place, 9 + min(place, 7), 17 + min(place, 7)}  # the albums have 9, 8 and 8
    for name in (alerted, asked):
        await control.profile(name, posts_per_day=0)
    by_url = await many(control, asked, silent)
    await bell.ask(ann, f"/stories {asked}", count=25)
    await bell.ask(bob, f"/stories {asked}", count=25)
    assert await control.shown(ann) == await control.shown(bob) == by_url
    assert [call["status"] for call in await albums_of(control, ann)] == [400, 200] * 3
    for person in (eva, dan):
        await bell.ask(person, f"/subscribe {alerted}")
    stories = await many(control, alerted, silent)

    async def all_there() -> bool:
        return [len(await control.shown(chat)) for chat in (eva, dan)] == [25, 25]

    await wait_for(all_there, what="the alerts")
    await bell.ask(ann, f"/stories {alerted}", count=25)
    assert await control.shown(eva) == await control.shown(dan) == stories
    assert await control.shown(ann) == by_url + stories
    for person, most in ((ann, 12), (bob, 6), (eva, 6), (dan, 6)):
        assert len(await albums_of(control, person)) <= most
    assert await bought(control) == before


async def test_a_silent_video_that_is_known_costs_its_album_no_request(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("hush.known", posts_per_day=0)
    stories = await many(control, "hush.known", {1}, 4)
    link = f"https://www.instagram.com/stories/hush.known/{stories[1]}/"
    (alone,) = await bell.ask(ann, link)
    assert "animation" in alone
    shown = await bell.ask(ann, "/stories hush.known", count=4)
    assert [m["_story_pk"] for m in shown[:4]] == stories
    assert len(await albums_of(control, ann)) == 1


@pytest.mark.parametrize("word", ["FILE_REFERENCE_1_EXPIRED", "MEDIA_INVALID", "A_NEW_WORD"])
async def test_an_album_of_known_files_that_is_refused_comes_all_the_same(
    bell: Bell, control: Control, word: str
) -> None:
    ann, bob = await control.person(), await control.person()
    name = f"known.{word[:5].lower().strip('_')}"
    await control.profile(name, posts_per_day=0)
    stories = await many(control, name, (), 4)
    await bell.ask(ann, f"/stories {name}", count=4)
    text = f'failed to send message #1 with the error message "{word}"'
    await control.fault("telegram", refused(text), match="sendMediaGroup")
    await bell.ask(bob, f"/stories {name}", count=4)
    assert await control.shown(bob) == stories
    ways = [m["_source"] for m in await control.replies(bob) if m.get("_story_pk")]
    by_index = ["file_id", "url", "file_id", "file_id"]
    assert ways == (by_index if word.startswith("FILE") else ["file_id"] * 4)
    assert await bought(control) == 0


@pytest.mark.slow
async def test_what_is_there_in_part_is_not_cut_in_halves(bell: Bell, control: Control) -> None:
    ann, bob = await control.person(), await control.person()
    await control.profile("known.rare", posts_per_day=0)
    stories = await many(control, "known.rare", (), 4)
    await bell.ask(ann, "/stories known.rare", count=4)  # what goes by URL is uploaded first
    await control.fault("telegram", RARE, match="sendMediaGroup", chat_id=bob)
    await control.say(bob, "/stories known.rare")

    await control.wait_shown(bob, [stories[0], *stories[2:], *stories])
    assert len(await albums_of(control, bob)) == 2
    assert await bought(control) == 0
