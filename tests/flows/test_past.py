"""What a chat was sent comes again, at no cost, where a subscription keeps it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.control import Control, Json, stories_of, wait_for
from tests.support.sandbox import sandbox_box
from tests.support.storybell import Bell, buttons, running_bell

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]


async def subscribed(bell: Bell, chat: int, name: str) -> Json:
    """Subscribe, keep what comes, and return the message of the options."""
    (reply,) = await bell.ask(chat, f"/subscribe {name}")
    (menu,) = await bell.ask(chat, "/subscriptions")
    number = next(
        button["callback_data"].split(":")[1]
        for row in menu["reply_markup"]["inline_keyboard"]
        for button in row
        if button.get("callback_data", "").startswith("sub:") and name in button["text"]
    )
    await bell.press(chat, menu, f"sub:{number}")
    await bell.press(chat, menu, f"opt:{number}:keep:on")
    return reply


async def kept(bell: Bell, chat: int, count: int) -> None:
    """Wait until so many alerts of a chat are there and kept."""
    file = bell.settings.database_url.get_secret_value().removeprefix("sqlite:///")

    def counted() -> bool:
        with closing(sqlite3.connect(file)) as db:
            query = "SELECT count(*) FROM kept_stories WHERE chat_id = ?"
            return bool(db.execute(query, [chat]).fetchone() == (count,))

    await wait_for(counted, what="the alerts")


async def test_what_was_sent_comes_again_by_file_id_and_costs_nothing(
    bell: Bell, control: Control
) -> None:
    ann, bob = await control.person(), await control.person()
    await control.profile("past.one", posts_per_day=0)
    await subscribed(bell, ann, "past.one")
    photo = await control.publish("past.one")
    await kept(bell, ann, 1)
    silent = await control.publish("past.one", 2, silent=True)
    await kept(bell, ann, 2)
    last = await control.publish("past.one")
    await kept(bell, ann, 3)
    before = await control.requests("stories", path="/v1/story/")
    for command in ("/past past.one", "/past past.one 7d"):
        messages = await bell.ask(ann, command, count=3)
        # Oldest first; what no album takes goes alone.
        assert stories_of(messages) == [photo["pk"], silent["pk"], last["pk"]]
        assert {m["_source"] for m in messages if "_story_pk" in m} == {"file_id"}
    assert await control.requests("stories", path="/v1/story/") == before
    (reply,) = await bell.ask(bob, "/past past.one")
    assert "haven't kept any stories from past.one" in reply["text"]
    assert list(buttons(reply)) == ["🔔 Subscribe", "Highlights"]


async def test_without_a_name_there_are_buttons(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("past.two", posts_per_day=0)
    await subscribed(bell, ann, "past.two")
    story = await control.publish("past.two")
    await kept(bell, ann, 1)
    (reply,) = await bell.ask(ann, "/past")
    await bell.press(ann, reply, "run:past:past.two")
    (again,) = await control.wait_replies(ann, 1, after=reply["message_id"])
    assert again["_story_pk"] == story["pk"]
    (wrong,) = await bell.ask(ann, "/past past.two two weeks")
    assert "Write it like this: /past" in wrong["text"]


async def test_a_name_that_another_took_shows_who_has_it_now(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("past.name", posts_per_day=0)
    await subscribed(bell, ann, "past.name")
    first = await control.publish("past.name")
    await kept(bell, ann, 1)
    await control.change_profile("past.name", username="past.moved")
    second = await control.publish("past.moved")
    await kept(bell, ann, 2)

    async def again(name: str, *stories: Json) -> None:
        message = await control.say(ann, f"/past {name}")
        wanted = [story["pk"] for story in stories]

        async def here() -> bool:
            return stories_of(await control.replies(ann, after=message)) == wanted

        await wait_for(here, what=f"the past of {name}")

    await again("past.name", first, second)  # nobody else has it yet
    await control.profile("past.name", posts_per_day=0)
    await subscribed(bell, ann, "past.name")
    other = await control.publish("past.name")
    await kept(bell, ann, 3)
    await again("past.name", other)
    await again("past.moved", first, second)


async def test_odd_spans(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("past.span", posts_per_day=0)
    await subscribed(bell, ann, "past.span")
    now = (await control.state())["now"]
    story = await control.publish("past.span", taken_at=now - 30)
    await kept(bell, ann, 1)
    for span in ("0d", "1D", "7", "999d", "\u0667d"):
        assert stories_of(await bell.ask(ann, f"/past past.span {span}")) == [story["pk"]], span
    for words in ("past.span -1d", "past.span 7 d", "past.span 2w", "7d past.span", "past.span d"):
        (reply,) = await bell.ask(ann, f"/past {words}")
        assert "Write it like this: /past" in reply["text"], words


async def test_a_profile_blocked_by_its_new_name_is_not_shown_by_its_old_one(
    tmp_path: Path,
) -> None:
    async with sandbox_box() as box:
        control = box.control
        ann = await control.person()
        await control.profile("blk.old", posts_per_day=0)
        async with running_bell(tmp_path, box, daily_budget=10**6) as bell:
            await subscribed(bell, ann, "blk.old")
            await control.publish("blk.old")
            await kept(bell, ann, 1)
            await control.change_profile("blk.old", username="blk.new")
            await control.publish("blk.new")
            await kept(bell, ann, 2)
        async with running_bell(tmp_path, box, blocked_profiles=["blk.new"]) as bell:
            old = await bell.old_post(ann, "past:blk.old")
            assert "haven't kept" in (await bell.press(ann, old, "past:blk.old"))["text"]
            told = await control.replies(ann, after=old["message_id"])
            assert not [one for one in told if "_story_pk" in one]
