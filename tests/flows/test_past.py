"""What a chat was sent comes again, at no cost, where a subscription keeps it."""

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.flows.test_options_of_all import following_in_topics
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
    assert stories_of(await bell.ask(ann, "/past 7d past.span")) == [story["pk"]]
    for words in ("past.span -1d", "past.span 7 d", "past.span 2w", "past.span d"):
        (reply,) = await bell.ask(ann, f"/past {words}")
        assert "Write it like this: /past" in reply["text"], words


async def test_a_search_finds_what_the_chat_keeps(bell: Bell, control: Control) -> None:
    ann = await control.person()
    for name in ("find.one", "find.two"):
        await control.profile(name, posts_per_day=0)
        await subscribed(bell, ann, name)
    sale = await control.publish("find.one", hashtags=["Sale"], locations=["Lisbon, Portugal"])
    await kept(bell, ann, 1)
    linked = await control.publish("find.two", hashtags=["sale"], links=["https://www.nike.com/a"])
    await kept(bell, ann, 2)
    named = await control.publish("find.two", 2, mentions=["find.one"])
    await kept(bell, ann, 3)
    searches = {
        "#sale": [sale, linked],
        "#sale 30d": [sale, linked],
        "place:lisbon": [sale],
        "nike.com 30d": [linked],
        "find.two #sale": [linked],
        "mention:@find.one": [named],
        "@find.one": [sale],  # a name, not a mention
        "find.one": [sale],  # a name, although the text may also be a website
        "video": [named],
    }
    for text, wanted in searches.items():
        told = await bell.ask(ann, f"/past {text}", count=len(wanted))
        stories = stories_of(told)
        assert stories == [story["pk"] for story in wanted], text
        assert {message["_source"] for message in told} == {"file_id"}
    (none,) = await bell.ask(ann, "/past place:oslo 7d")
    assert none["text"] == "I haven't kept any stories with place:oslo 7d for this chat."


async def test_the_next_page_goes_on_with_the_search(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("page.one", posts_per_day=0)
    await subscribed(bell, ann, "page.one")
    now = (await control.state())["now"]
    old = await control.publish("page.one", hashtags=["sale"], taken_at=now - 25)
    await control.publish("page.one", taken_at=now - 24)  # without the hashtag
    for number in range(29):
        await control.publish("page.one", hashtags=["sale"], taken_at=now - 20 + number / 2)
    last = await control.publish("page.one", hashtags=["sale"], taken_at=now - 2)
    await kept(bell, ann, 32)
    told = await bell.ask(ann, "/past #sale", count=31)
    assert last["pk"] in stories_of(told)
    assert old["pk"] not in stories_of(told)
    (button,) = buttons(told[-1]).values()
    await bell.press(ann, told[-1], button)
    (rest,) = await control.wait_replies(ann, 1, after=told[-1]["message_id"])
    assert rest["_story_pk"] == old["pk"]


async def test_where_nothing_is_kept_a_button_keeps_from_now_on(
    bell: Bell, control: Control
) -> None:
    boss, member = await control.person(), await control.person("Member")
    group = await control.chat("supergroup", members={boss: "creator", member: "member"})
    for name in ("keep_one", "keep_two"):
        await control.profile(name, posts_per_day=0)
        await bell.ask(group, f"/subscribe {name}", user=boss)
    (one,) = await bell.ask(group, "/past keep_one", user=member)
    (every,) = await bell.ask(group, "/past #sale", user=member)
    assert [list(buttons(told)) for told in (one, every)] == [["Keep for /past"]] * 2
    for told in (one, every):
        (data,) = buttons(told).values()
        assert "admin" in (await bell.press(group, told, data, user=member))["text"]
    await bell.press(group, one, buttons(one)["Keep for /past"], user=boss)

    async def keeps(name: str) -> bool:
        (menu,) = await bell.ask(group, "/subscriptions", user=boss)
        page = buttons(menu)[f"🔔 {name}"]
        await bell.press(group, menu, f"{page}:how", user=boss)
        return "✅ Keep for /past" in buttons(await bell.message(group, menu["message_id"]))

    assert [await keeps("keep_one"), await keeps("keep_two")] == [True, False]
    await bell.press(group, every, "keep", user=boss)
    assert await keeps("keep_two")
    (empty,) = await bell.ask(group, "/past #sale", user=member)
    assert "From now on I keep what I send here" in empty["text"]
    assert not buttons(empty)
    story = await control.publish("keep_two", hashtags=["sale"])
    await kept(bell, group, 1)
    (again,) = await bell.ask(group, "/past #sale", user=member)
    assert again["_story_pk"] == story["pk"]


async def test_the_button_keeps_the_stories_of_a_topic_that_does_not_keep_them(bell: Bell) -> None:
    group, boss, _ = await following_in_topics(bell, ["past.both"], ["past.both"])
    (first,) = await bell.ask(group, "/past past.both", user=boss)
    await bell.press(group, first, buttons(first)["Keep for /past"], user=boss)
    (second,) = await bell.ask(group, "/past past.both", user=boss)
    assert buttons(second)["Keep for /past"] != buttons(first)["Keep for /past"]
    await bell.press(group, second, buttons(second)["Keep for /past"], user=boss)
    (none,) = await bell.ask(group, "/past past.both", user=boss)
    assert not buttons(none)


async def answer_with(control: Control, chat: int, after: int, text: str) -> Json | None:
    """Return the message of the bot after ``after`` that contains ``text``, or None."""
    replies = await control.replies(chat, after=after)
    return next((one for one in replies if text in one.get("text", "")), None)


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
            for name in ("blk.old", "blk.new"):
                # The notice about the block may arrive before the answer.
                asked = await control.say(ann, f"/past {name}")
                find = partial(answer_with, control, ann, asked, "haven't kept")
                await wait_for(find, what="the refusal")
                assert not stories_of(await control.replies(ann, after=asked))
