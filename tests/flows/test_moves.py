"""Groups that become supergroups: all comes along, whatever tells of it first."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.flows.test_albums import many
from tests.support.control import flood, refused, wait_for
from tests.support.sandbox import Box, sandbox_box
from tests.support.storybell import TOKEN, Bell, buttons, running_bell, storybell

pytestmark = pytest.mark.jumps

BOT = int(TOKEN.partition(":")[0])
BUSY = refused("Bad Gateway", 502)
PLENTY = {"person_daily_allowance": 10_000}
COLUMNS = "kind, language, zone, quiet_from, quiet_to, digest_at, defaults, created_at"


def kept(folder: Path, chat: int) -> tuple[object, ...] | None:
    """What is stored of a chat, and the options of what it follows, in order."""
    with closing(sqlite3.connect(f"file:{folder}/bot.db?mode=ro", uri=True)) as db:
        row = db.execute(f"SELECT {COLUMNS} FROM chats WHERE id = ?", (chat,)).fetchone()  # noqa: S608 - ours
        options = db.execute(
            "SELECT id, profile_id, options FROM subscriptions WHERE chat_id = ? ORDER BY id",
            (chat,),
        ).fetchall()
    return None if row is None else (*row[1:], options)


def kept_of(bell: Bell, chat: int) -> list[tuple[int, str, str]]:
    """The subscriptions of a chat as they are stored: number, profile, options."""
    path = bell.settings.database_url.get_secret_value().removeprefix("sqlite:///")
    found = kept(Path(path).parent, chat)
    return [] if found is None else found[-1]  # type: ignore[return-value] # the last is that list


async def set_up(bell: Bell, *names: str) -> tuple[int, int]:
    """A group that follows profiles, with everything set; the group and who runs it."""
    control = bell.control
    boss = await control.person("Boss")
    group = await control.chat("group", members={boss: "creator"})
    replies = []
    for name in names:
        await control.profile(name)
        replies += await bell.ask(group, f"/subscribe {name}", user=boss)
    number = kept_of(bell, group)[-1][0]
    await bell.press(group, replies[-1], f"opt:{number}:silent", user=boss)
    await bell.ask(group, "/timezone Asia/Tokyo", user=boss)
    hour = (datetime.now(UTC).astimezone(ZoneInfo("Asia/Tokyo")).hour + 10) % 24
    (page,) = await bell.ask(group, "/settings", user=boss)
    for data in ("set:quiet", f"set:quiet:{hour}-{(hour + 2) % 24}"):
        await bell.press(group, page, data, user=boss)
    (page,) = await bell.ask(group, "/language", user=boss)
    await bell.press(group, page, "language:es", user=boss)
    return group, boss


async def deaf(bell: Bell) -> int:
    """Let no update reach the bot from now on; the fault."""
    control = bell.control
    ann = await control.person()
    fault = await control.fault("telegram", BUSY, match="getUpdates", times=None)
    mark = (await control.requests("telegram"))[-1]["n"]
    await control.say(ann, "/help")  # ends the poll that was under way

    async def refused() -> bool:
        calls = await control.requests("telegram", after=mark, path="getUpdates")
        return any(call["status"] == 502 for call in calls)

    await wait_for(refused, what="a poll that was refused")
    return fault


async def still_there(bell: Bell, folder: Path, chat: int, before: object, boss: int) -> None:
    """All settings are what they were, no greeting was said, and old and new id go on."""
    control = bell.control
    await bell.ask(chat, "/help", user=boss)
    assert kept(folder, chat) == before
    greetings = [m for m in await control.replies(chat) if "👋" in m.get("text", "")]
    assert greetings == []


SLOW = ("alert", "alert-restart", "restart-told")
ORDERS = ("told", "restart-alert", *(pytest.param(one, marks=pytest.mark.slow) for one in SLOW))


@pytest.mark.parametrize("order", ORDERS)
async def test_a_move_keeps_everything_in_any_order(box: Box, tmp_path: Path, order: str) -> None:
    control = box.control
    await control.privacy_mode(on=False)
    async with running_bell(tmp_path, box, **PLENTY) as bell:
        group, boss = await set_up(bell, "moves.one", "moves.two")
        before = kept(tmp_path, group)
        assert before is not None
        assert before[0:2] == ("es", "Asia/Tokyo")
        fault = await deaf(bell) if order.startswith("alert") else None
        new = await control.migrate(group) if not order.startswith("restart") else 0
        pks = []
        if fault is not None:
            pks.append((await control.publish("moves.one"))["pk"])
            await control.wait_shown(new, pks)
            assert kept(tmp_path, new) == before
        if order == "alert" and fault is not None:
            await control.clear_faults(fault)
            await still_there(bell, tmp_path, new, before, boss)
        if order in {"told", "alert"}:
            pks.append((await control.publish("moves.two"))["pk"])
            await control.wait_shown(new, pks)
            await still_there(bell, tmp_path, new, before, boss)
    if order.startswith("restart"):  # it moves while nobody listens
        new = await control.migrate(group)
    fault = None
    if order == "restart-alert":
        fault = await control.fault("telegram", BUSY, match="getUpdates", times=None)
    else:
        await control.clear_faults()
    async with running_bell(tmp_path, box, **PLENTY) as bell:
        pks.append((await control.publish("moves.one"))["pk"])
        await control.wait_shown(new, pks)
        assert kept(tmp_path, new) == before
        await control.clear_faults()
        await still_there(bell, tmp_path, new, before, boss)
        await late_arrivals(bell, tmp_path, (group, new, boss), before)
        pks.append((await control.publish("moves.two"))["pk"])
        await control.wait_shown(new, pks)


async def late_arrivals(
    bell: Bell, folder: Path, who: tuple[int, int, int], before: object
) -> None:
    """What comes from the old id is answered in the new chat; a "left" of it is nothing."""
    control = bell.control
    group, new, boss = who
    mark = max(m["message_id"] for m in await control.replies(new))
    await control.say(group, "/subscriptions", user=boss)
    (listed,) = await control.wait_replies(new, 1, after=mark)
    listed_profiles = [data for data in buttons(listed).values() if data.startswith("sub:")]
    assert len(listed_profiles) == 2, listed
    await control.member(group, BOT, "left")
    await bell.ask(new, "/help", user=boss)
    assert kept(folder, group) is None
    assert kept(folder, new) == before


@pytest.mark.stands  # all tables with a chat's id always did
async def test_a_mute_moves_along(tmp_path: Path) -> None:
    async with sandbox_box() as box, running_bell(tmp_path, box, **PLENTY) as bell:
        control = box.control
        await control.privacy_mode(on=False)
        group, boss = await set_up(bell, "moves.muted")
        await control.call("PATCH", f"/chats/{group}", {"permissions": {"can_send_photos": False}})
        story = await control.publish("moves.muted")

        async def is_muted() -> bool:
            return any("🔇" in m.get("text", "") for m in await control.replies(group))

        await wait_for(is_muted, what="what is missing")
        new = await control.migrate(group)
        (answer,) = await bell.ask(new, "/why moves.muted", user=boss)
        assert "🔇" in answer["text"]
        assert await control.shown(new) == []
        await control.call("PATCH", f"/chats/{new}", {"permissions": {}})
        await control.say(new, "/subscriptions", user=boss)
        await control.wait_shown(new, [story["pk"]])


async def test_buttons_from_before_a_move_open_pages_of_the_new_group(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        await control.privacy_mode(on=False)
        boss = await control.person("Boss")
        group = await control.chat("group", members={boss: "creator"})
        await control.profile("moved.link", posts_per_day=0)
        (reply,) = await bell.ask(group, "/subscribe moved.link", user=boss)
        number = next(d for d in buttons(reply).values() if d.startswith("sub:"))[4:]
        digits, rest = "", -group
        while rest:
            rest, last = divmod(rest, 36)
            digits = "0123456789abcdefghijklmnopqrstuvwxyz"[last] + digits
        link = f"/start -a{digits}--sub--{number}"
        (page,) = await bell.ask(boss, link)
        assert "moved.link" in page["text"]
        await control.fault("telegram", BUSY, match="editMessageText")
        await bell.press(group, reply, "subs:0", user=boss)
        new = await control.migrate(group)
        await bell.ask(new, "/subscriptions", user=boss)
        (again,) = await bell.ask(boss, link)
        assert again["text"] == page["text"]
        await bell.press(group, reply, f"sub:{number}", user=boss)
        await control.wait_replies(new, 3)
        edits = await control.requests("telegram", path="editMessageText")
        assert new not in [one["params"].get("chat_id") for one in edits]


async def test_a_button_of_another_chat_from_before_a_move_subscribes_the_new_group(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path, max_subscriptions=2) as bell:
        control = bell.control
        boss = await control.person("Boss")
        group = await control.chat("group", members={boss: "creator"})
        for name in ("there.one", "there.two", "there.three"):
            await control.profile(name, posts_per_day=0)
        await bell.ask(group, "/subscribe@storybell_7000000001_bot there.one", user=boss)
        new = await control.migrate(group)
        await bell.settled()
        told = []
        for name in ("there.two", "there.three"):
            (reply,) = await bell.ask(boss, f"/subscribe {name}")
            press = f"elsewhere:{buttons(reply)['Options'][4:]}:{group}"
            told.append(await bell.press(boss, await bell.old_post(boss, press), press))
        assert "text" not in told[0]
        assert "This chat has reached its subscription limit (2)." in told[1]["text"]
        (listed,) = await bell.ask(new, "/subscriptions@storybell_7000000001_bot", user=boss)
        assert {"🔔 there.one", "🔔 there.two"} <= buttons(listed).keys()


@pytest.mark.parametrize(
    ("command", "path", "shown"),
    [
        ("/timezone Asia/Tokyo", "getChatMember", "Time zone: Tokyo"),
        ("/rules all not: video", "getChatMember", "No stories with any of these: video"),
        ("/subscribe moved.mid", "getChatMember", ""),
        ("/subscribe moved.mid", "/v1/", ""),
    ],
)
async def test_a_command_that_waits_during_a_move_applies_to_the_new_group(
    tmp_path: Path, command: str, path: str, shown: str
) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        await control.privacy_mode(on=False)
        boss = await control.person("Boss", started=True)
        group = await control.chat("group", members={boss: "creator"})
        await control.profile("moved.mid", posts_per_day=0)
        service = "telegram" if path == "getChatMember" else "stories"
        await control.fault(service, {"delay_s": 5}, match=path)
        await control.say(group, command, user=boss)
        await bell.ask(boss, "/help")  # the command waits for the delayed answer by then
        new = await control.migrate(group)
        [_, answer] = await control.wait_replies(new, 2)
        assert "responsible" not in answer["text"]
        (settings,) = await bell.ask(new, "/settings", user=boss)
        assert shown in settings["text"]
        (listed,) = await bell.ask(new, "/subscriptions", user=boss)
        if not shown:
            assert list(buttons(listed)) == ["🔔 moved.mid"]
            story = await control.publish("moved.mid")
            await control.wait_shown(new, [story["pk"]])


async def test_the_rights_for_a_late_command_are_asked_in_the_new_group(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        await control.privacy_mode(on=False)
        boss = await control.person("Boss")
        group = await control.chat("group", members={boss: "creator"})
        await bell.ask(group, "/help", user=boss)
        new = await control.migrate(group)
        await bell.settled()
        for method in ("getChatMember", "getChatAdministrators"):
            gone = refused("chat not found")
            await control.fault("telegram", gone, match=method, times=None, chat_id=group)
        asked = await control.say(group, "/timezone Asia/Tokyo", user=boss)
        await control.wait_replies(new, 2)
        assert await control.replies(group, after=asked) == []
        (settings,) = await bell.ask(new, "/settings", user=boss)
        assert "Time zone: Tokyo" in settings["text"]


async def test_an_answer_goes_on_at_once_in_a_group_that_is_moved_in_the_middle_of_it(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        boss = await control.person("Boss")
        group = await control.chat("group", members={boss: "creator"})
        await control.profile("on.the.move", posts_per_day=0)
        stories = await many(control, "on.the.move", (), 12)
        await control.fault("telegram", {"delay_s": 1}, match="sendMediaGroup", after=1)
        await control.say(group, "/stories@storybell_7000000001_bot on.the.move", user=boss)
        await control.wait_replies(group, 6)
        new = await control.migrate(group)  # its update is handled while the second album waits
        await control.wait_replies(new, 6, within=20)  # a lease lasts a minute
        assert await control.shown(group) + (await control.shown(new)) == stories


async def test_a_pending_reply_does_not_reply_to_another_message_after_a_move(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        boss = await control.person("Boss")
        group = await control.chat("group", members={boss: "creator"})
        await control.fault("telegram", flood(30), match="sendMessage")
        asked = await control.say(group, "/help@storybell_7000000001_bot", user=boss)
        await wait_for(partial(control.requests, "telegram", path="sendMessage"))
        new = await control.migrate(group)
        while await control.say(new, "Hello, all", user=boss) < asked:
            pass  # the supergroup counts its messages from 1
        greeting_and_help = await control.wait_replies(new, 2)
        assert [one.get("reply_to_message") for one in greeting_and_help] == [None, None]


@pytest.mark.slow
async def test_an_alert_whose_answer_comes_after_a_move_is_sent_once(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        boss = await control.person("Boss")
        group = await control.chat("group", members={boss: "creator"})
        await control.profile("late.answer", posts_per_day=0)
        await bell.ask(group, "/subscribe@storybell_7000000001_bot late.answer", user=boss)
        await control.fault("telegram", {"slow_bytes_per_s": 50}, match="sendPhoto")
        story = await control.publish("late.answer")
        await control.wait_shown(group, [story["pk"]])
        new = await control.migrate(group)
        await bell.settled()
        later = await control.publish("late.answer")
        await control.wait_shown(new, [later["pk"]])
        await asyncio.sleep(300)
        assert await control.shown(group) == [story["pk"]]
        assert await control.shown(new) == [later["pk"]]


async def test_after_a_late_answer_the_moved_group_is_answered_at_once(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        boss = await control.person("Boss")
        group = await control.chat("group", members={boss: "creator"})
        await bell.ask(group, "/help@storybell_7000000001_bot", user=boss)
        await control.fault("telegram", {"slow_bytes_per_s": 500}, match="sendMessage")
        asked = await control.say(group, "/help@storybell_7000000001_bot", user=boss)
        await bell.replies(group, after=asked)
        new = await control.migrate(group)
        asked = await control.say(new, "/help@storybell_7000000001_bot", user=boss)
        await control.wait_replies(new, 1, after=asked, within=30)  # a lease lasts a minute


async def test_the_list_of_failed_stories_follows_a_group_that_moves_before_the_answer(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        boss = await control.person("Boss")
        group = await control.chat("group", members={boss: "creator"})
        await control.profile("under.way", posts_per_day=0)
        now = (await control.state())["now"]
        stories = [await control.publish("under.way", taken_at=now - 60 + n) for n in range(3)]
        lost = stories[0]["thumbnail_url"].partition("?")[0].rpartition("/")[2]
        await control.fault("cdn", {"status": 404}, match=lost, times=None)
        gone = {"status": 404, "body": '{"exc_type": "MediaNotFound"}'}
        await control.fault("stories", gone, match="/v1/story/download", times=None)
        wrong = {"fail_item": 1, "description": "WEBPAGE_CURL_FAILED"}
        await control.fault("telegram", wrong, match="sendMediaGroup")
        await control.fault("telegram", refused("WEBPAGE_CURL_FAILED"), match="sendPhoto")
        await control.fault("telegram", {"slow_bytes_per_s": 500}, match="sendMediaGroup")
        await control.say(group, "/stories@storybell_7000000001_bot under.way", user=boss)
        await control.wait_shown(group, [story["pk"] for story in stories[1:]])
        new = await control.migrate(group)
        greeting_and_list = await control.wait_replies(new, 2, within=30)  # a lease lasts a minute
        [failed] = [one for one in greeting_and_list if "👋" not in one["text"]]
        assert stories[0]["pk"] in str(buttons(failed))
        assert "reply_to_message" not in failed
