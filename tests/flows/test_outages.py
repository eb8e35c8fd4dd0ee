"""Bad days of Telegram: what is owed goes out afterwards, in order, and nothing twice in vain."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.control import Control, wait_for
from tests.support.sandbox import Box, sandbox_box
from tests.support.storybell import running_bell, storybell

pytestmark = pytest.mark.jumps

ROOT = Path(__file__).parents[2]
DOWN = {"status": 502, "body": "<html>Bad Gateway</html>"}
PLENTY = {"daily_budget": 1_000_000, "person_daily_allowance": 1000}


async def sends(control: Control) -> int:
    """Count the calls that would have put an alert into a chat."""
    calls = await control.requests("telegram", path="/sendPhoto")
    return len(calls) + len(await control.requests("telegram", path="/sendMediaGroup"))


async def followers(control: Control, count: int, name: str) -> list[int]:
    """Let so many people follow a new profile."""
    await control.profile(name, posts_per_day=0)
    people = [await control.person(f"P{number}") for number in range(count)]
    for person in people:
        message = await control.say(person, f"/subscribe @{name}")
        await control.wait_replies(person, 1, after=message)
    return people


async def test_alerts_wait_while_telegram_is_down_and_all_arrive_after(tmp_path: Path) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        people = await followers(control, 6, "patient")
        await control.fault(
            "telegram", {**DOWN, "effect": True}, match="send", times=None, every=2
        )
        await control.fault("telegram", DOWN, match="send", times=None)
        await control.fault("telegram", DOWN, match="getMe", times=None)
        first = str((await control.publish("patient"))["pk"])
        before = await sends(control)

        async def tried() -> bool:
            return await sends(control) > before

        await wait_for(tried, what="a send in vain")
        second = str((await control.publish("patient"))["pk"])
        lost = sum([len(await control.shown(chat)) for chat in people])
        await control.clear_faults()

        async def all_there() -> bool:
            return all([set(await control.shown(p)) == {first, second} for p in people])

        await wait_for(all_there, 20, "the alerts")
        repeats = 0
        for person in people:
            pks = await control.shown(person)
            assert list(dict.fromkeys(pks)) == [first, second]
            repeats += sum(count - 1 for count in Counter(pks).values())
        assert repeats <= (await control.state())["lost"]
        assert lost <= len(people)


@pytest.mark.slow
async def test_sends_that_fail_in_many_chats_stop_all_and_getme_alone_starts_nothing(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        people = await followers(control, 20, "halted")
        before = await sends(control)
        await control.fault("telegram", DOWN, match="sendPhoto", times=None)
        pk = str((await control.publish("halted"))["pk"])

        async def stopped() -> bool:
            return await sends(control) - before >= len(people)

        await wait_for(stopped, what="the sends of the first moment")
        tries = await sends(control) - before
        assert tries <= len(people) + 2
        await control.clear_faults()

        async def all_there() -> bool:
            return all([await control.shown(p) == [pk] for p in people])

        await wait_for(all_there, 60, "the alerts")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_an_hour_without_telegram_loses_none_of_5000_alerts(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.flows.outage_hour", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["after"] == {"sent": 5100}, told  # so none was parked or dropped
    assert told["lost"] == 0, told
    # What is behind an alert whose answer was lost does not wait for its repeat.
    assert told["disordered"] <= told["answers_lost"], told
    assert 0 < told["repeats"] <= told["answers_lost"], told
    assert told["during"]["open"] > 5000, told


async def test_an_answer_that_telegram_did_not_take_comes_when_somebody_asks_again(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        ann = await control.person()
        await control.fault("telegram", DOWN, match="sendMessage", times=2)
        message = await control.say(ann, "/help")
        await tried(control, 2)  # the third would come after five minutes
        await control.say(ann, "/unsubscribe")
        first, second = await control.wait_replies(ann, 2, after=message, within=20)
        assert "all stories from a profile" in first["text"]
        assert "Whose new stories should I send here?" in second["text"]
        texts = [m["text"] for m in await control.replies(ann) if "text" in m]
        assert len(texts) == 2  # and nothing about failures


async def tried(control: Control, count: int) -> None:
    """Wait until so many messages were tried to be sent."""

    async def enough() -> bool:
        return len(await control.requests("telegram", path="/sendMessage")) >= count

    await wait_for(enough, 60, f"{count} sends")


async def test_stories_whose_answer_is_lost_are_neither_fetched_nor_paid_again(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        ann = await control.person()
        await control.fault("telegram", DOWN, match="sendMediaGroup", times=1)
        message = await control.say(ann, "/stories natgeo")
        *shown_then, _ = await control.wait_replies(ann, 4, after=message)  # and a row of buttons
        assert all("photo" in m or "video" in m for m in shown_then)
        billed = await control.billed()
        await control.fault("telegram", {**DOWN, "effect": True}, match="sendMediaGroup", times=1)
        message = await control.say(ann, "/stories natgeo")

        await control.say(ann, "/help")  # which is answered after the album

        async def answered() -> bool:
            replies = await control.replies(ann, after=message)
            return len([m for m in replies if "text" in m]) >= 2  # help, and the row of buttons

        await wait_for(answered, 25, "the answers after the album")
        replies = await control.replies(ann, after=message)
        assert len([m for m in replies if "_story_pk" in m]) in {3, 6}  # once more, silently
        assert len([m for m in replies if "text" in m]) == 2
        assert await control.billed() == billed


async def test_a_button_has_its_effect_once_and_its_page_is_rewritten_later(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        ann = await control.person()
        (page,) = await bell.ask(ann, "/settings")
        await control.fault("telegram", DOWN, match="editMessageText", times=1)
        await control.press(ann, page["message_id"], "set:digest:7")

        async def rewritten() -> bool:
            return "7:00" in (await bell.message(ann, page["message_id"]))["text"]

        await wait_for(rewritten, 25, "the page")


async def test_answers_wait_in_an_outage_and_go_before_the_alerts(tmp_path: Path) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        people = await followers(control, 4, "later")
        await control.fault("telegram", DOWN, match="send", times=None)
        await control.fault("telegram", DOWN, match="getMe", times=None)
        pk = str((await control.publish("later"))["pk"])
        before = await sends(control)

        async def tried() -> bool:
            return await sends(control) > before

        await wait_for(tried, what="a send in vain")
        asked = {person: await control.say(person, "/help") for person in people}
        probes = len(await control.requests("telegram", path="/getMe"))

        async def heard() -> bool:
            return len(await control.requests("telegram", path="/getMe")) > probes

        await wait_for(heard, what="the question whether Telegram is back")
        await control.clear_faults()
        for person, message in asked.items():
            replies = await control.wait_replies(person, 2, after=message)
            assert "all stories from a profile" in replies[0].get("text", "")
            assert replies[1].get("_story_pk") == pk


async def test_reply_that_telegram_never_confirms_is_reported_after_three_sends(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        ann, bob = await control.person("Ann"), await control.person("Bob")
        await control.fault("telegram", DOWN, match="sendMessage", times=3)
        message = await control.say(ann, "/help")
        await tried(control, 2)
        await control.say(ann, "/unsubscribe")
        answer, word = await control.wait_replies(ann, 2, after=message)
        assert "Whose new stories should I send here?" in answer["text"]
        assert "never confirmed" in word["text"]
        (helped,) = await bell.ask(bob, "/help")
        assert "all stories from a profile" in helped["text"]


@pytest.mark.stands  # held since outages are noticed
async def test_the_owner_is_told_when_telegram_is_back(box: Box, tmp_path: Path) -> None:
    control = box.control
    boss, ann = await control.person("Boss"), await control.person("Ann")
    started = await control.say(boss, "/start")
    async with running_bell(tmp_path, box, admin_ids=str(boss), **PLENTY) as bell:
        await bell.ask(ann, "/help")
        (hello,) = await control.wait_replies(boss, 1, after=started)
        before = hello["message_id"]
        refused = {"status": 402, "body": '{"state":false,"exc_type":"InsufficientFunds"}'}
        await control.fault("stories", refused, times=None)
        await control.fault("telegram", DOWN, match="send", times=None)
        await control.fault("telegram", DOWN, match="getMe", times=None)
        tries = len(await control.requests("telegram", path="/sendMessage"))
        await control.say(ann, "/stories prada")

        async def tried() -> bool:
            return len(await control.requests("telegram", path="/sendMessage")) > tries

        await wait_for(tried, what="a send in vain")
        await control.clear_faults()
        (told,) = await control.wait_replies(boss, 1, after=before)
        assert "my key is wrong, or my credits are used up" in told["text"]


@pytest.mark.stands  # held since commands are capped, however long
async def test_that_it_was_too_much_is_told_once_however_long_an_outage_lasts(
    tmp_path: Path,
) -> None:
    at_once = {"said_again": timedelta(0)}
    async with storybell(tmp_path, timing=at_once, **PLENTY) as bell:
        control = bell.control
        ann = await control.person()
        await control.fault("stories", {"delay_s": 2.5}, match="snail", times=None)
        await control.fault("telegram", DOWN, match="send", times=None)
        await control.fault("telegram", DOWN, match="getMe", times=None)
        asked = len(await control.requests("telegram", path="/getMe"))
        message = await control.say(ann, "/stories snail")
        for _ in range(2):
            await asyncio.gather(*(control.say(ann, "/language") for _ in range(20)))

        async def noticed() -> bool:
            return len(await control.requests("telegram", path="/getMe")) > asked

        await wait_for(noticed, 30, what="a send in vain")
        await control.clear_faults()

        async def told() -> list[str]:
            said = [m.get("text", "") for m in await control.replies(ann, after=message)]
            return said if any("language" in text.lower() for text in said) else []

        said = await wait_for(told, 60, what="the answers")
        assert sum("a lot at once" in text for text in said) == 1


@pytest.mark.stands  # held since dead letters are told
async def test_error_message_of_an_abandoned_update_survives_an_outage(
    tmp_path: Path,
) -> None:
    async with sandbox_box() as box:
        control = box.control
        ann = await control.person()
        async with running_bell(tmp_path, box, **PLENTY) as bell:
            await bell.ask(ann, "/help")
        message = await control.say(ann, "/stories natgeo")
        update = {
            "update_id": 1,
            "message": {
                "message_id": message,
                "date": 1,
                "chat": {"id": ann, "type": "private"},
                "from": {"id": ann, "is_bot": False, "first_name": "Ann"},
                "text": "/help",
            },
        }
        await control.fault("telegram", DOWN, match="sendMessage", times=1)
        with closing(sqlite3.connect(tmp_path / "bot.db")) as db, db:
            db.execute(  # nine processes died of it
                "INSERT INTO inbox (update_id, queue, body, attempts, stored_at, leased_until)"
                " VALUES (1, ?, ?, 9, 0, 0)",
                (f"chat:{ann}", json.dumps(update)),
            )
        async with running_bell(tmp_path, box, **PLENTY):

            async def told() -> list[str]:
                said = [m.get("text", "") for m in await control.replies(ann, after=message)]
                return [text for text in said if "went wrong" in text]

            assert len(await wait_for(told, 30, what="the incident")) == 1


@pytest.mark.slow
async def test_an_answer_comes_as_soon_as_its_chat_takes_messages_again(tmp_path: Path) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        (ann,) = await followers(control, 1, "again")
        await control.fault("telegram", DOWN, match="send", times=None, chat_id=ann)
        message = await control.say(ann, "/help")

        async def asked_four_times() -> bool:  # after 15, 30, 60 and 120 seconds
            return len(await control.requests("telegram", path="/sendChatAction")) >= 4

        await wait_for(asked_four_times, 200, "the fourth question")
        await control.clear_faults()
        await control.publish("again")
        alert, answer = await control.wait_replies(ann, 2, after=message, within=300)
        assert "all stories from a profile" in answer.get("text", "")
        assert answer["date"] - alert["date"] <= 2


@pytest.mark.slow
async def test_the_third_copy_of_an_alert_keeps_its_pause(tmp_path: Path) -> None:
    """A success in the chat does not advance the last copy: it may be the luck of one call."""
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        (ann,) = await followers(control, 1, "kinds")
        lost = {**DOWN, "effect": True}
        await control.fault("telegram", lost, match="sendPhoto", times=2)
        first = str((await control.publish("kinds"))["pk"])

        async def copies() -> int:
            return (await control.shown(ann)).count(first)

        async def came_twice() -> bool:
            return await copies() == 2

        await wait_for(came_twice, 120, "the second copy")
        await bell.ask(ann, "/help")
        await asyncio.sleep(120)
        assert await copies() == 2
        second = await control.publish("kinds")

        async def second_came() -> bool:
            return second["pk"] in await control.shown(ann)

        await wait_for(second_came, 60, "another alert")
        assert await copies() == 2

        async def came_again() -> bool:
            return await copies() == 3

        await wait_for(came_again, 20 * 60, "the third copy")
