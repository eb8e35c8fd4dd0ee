"""Blocks silence all chats of a person; the owner hears who was refused for lack of budget."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.chats.access import Access
from bot.store.engine.database import Database
from tests.flows.test_payer import ANONYMOUS, Town, is_told
from tests.support.control import Json, flood, wait_for
from tests.support.sandbox import Box
from tests.support.storybell import FEW_CHECKS, TOKEN, buttons, running_bell, unhurried

pytestmark = pytest.mark.jumps

BOT = int(TOKEN.partition(":")[0])
MAY_SAY = ("Nobody is responsible for this chat anymore",)
LONG = 120  # seconds of the jumping clock in which checks and alerts would have come


@pytest.fixture(params=["open", pytest.param("invited", marks=pytest.mark.slow)])
async def town(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_db: Database, box: Box
) -> AsyncIterator[Town]:
    boss = await box.control.person("Boss")
    url = sqlite_db.url.render_as_string(hide_password=False)
    values = {"database_url": url, "admin_ids": str(boss), "daily_budget": 1_000_000}
    values |= {"person_daily_allowance": 1000, "access": request.param}
    values |= FEW_CHECKS
    async with running_bell(tmp_path, box, timing=unhurried(), **values) as bell:
        await box.control.privacy_mode(on=False)
        yield Town(bell, sqlite_db, boss)


async def invited(town: Town, name: str) -> int:
    person = await town.control.person(name)
    await town.ask(town.boss, f"/allow {person}")
    await town.bell.ask(person, "/help")
    return person


async def tries(town: Town, chat: int, person: int, friend: int) -> None:
    """Ask in a chat in every way; return when the bot has handled all of it."""
    for text in (f"/stories {await town.star()}", f"/subscribe {await town.star()}"):
        await town.control.say(chat, text, user=person, sender_chat_id=chat)
        await town.control.say(chat, text, user=person)
        await town.control.say(chat, text, user=friend)
    await town.bell.settled()


async def bring(town: Town, chats: Sequence[int], person: int) -> None:
    for chat in chats:
        await town.add(chat, person)
        await town.is_payer(chat, person)


async def are_silent(town: Town, chats: Sequence[int], person: int, friend: int) -> None:
    """Try all in these chats; the bot says no more there than that it may not."""
    shown = {chat: len(await town.control.replies(chat)) for chat in chats}
    for chat in chats:
        await tries(town, chat, person, friend)
    await asyncio.sleep(LONG)
    for chat in chats:
        said = (await town.control.replies(chat))[shown[chat] :]
        assert all(one["text"].startswith(MAY_SAY) for one in said), chat


@pytest.mark.slow
@pytest.mark.parametrize("way", ["before", "after", "left before", "erased before"])
async def test_all_chats_of_a_blocked_person_are_silent_whenever_they_are_brought(
    town: Town, way: str
) -> None:
    ann, bob = await invited(town, "Ann"), await invited(town, "Bob")
    star = await town.star()
    members = dict.fromkeys((ann, bob), "administrator")
    chats = [
        await town.control.chat(kind, members=members, bot_status="left")
        for kind in ("supergroup", "group", "channel")
    ]
    if way != "after":
        await bring(town, chats, ann)
        for chat in chats[:2]:
            await town.control.wait_replies(chat)  # the greeting; a channel's goes to Ann
        await town.control.say(chats[0], f"/subscribe {star}", user=ann)
        await is_told(town, chats[0], "every new story")
    if way == "left before":
        usage = await town.ask(ann, "/usage")
        for data in buttons(usage).values():
            await town.bell.press(ann, usage, data)
    elif way == "erased before":
        page = await town.ask(ann, "/privacy")
        await town.bell.press(ann, page, "erase:yes")
    await town.ask(town.boss, f"/block {ann}")
    if way == "after":
        await bring(town, chats, ann)
    billed = await town.control.billed()
    await town.control.publish(star)
    await are_silent(town, chats, ann, bob)
    assert await town.control.billed() == billed
    moved = await town.control.migrate(chats[1])
    await tries(town, moved, ann, bob)
    assert await town.control.billed() == billed
    await town.remove(chats[0], bob)
    await town.add(chats[0], bob)  # the payer before is blocked, so the chat stays silent
    await are_silent(town, chats[:1], ann, bob)
    assert await town.control.billed() == billed
    if way == "before":
        await town.ask(town.boss, f"/unblock {ann}")
        await asyncio.sleep(LONG)
        story = await town.control.publish(star)
        await town.control.wait_shown(chats[0], [story["pk"]])
    await town.is_billed_as_booked()


async def test_subscriptions_of_a_blocked_profile_are_paused_and_shown_so_until_the_unblock(
    town: Town,
) -> None:
    ann, star = await invited(town, "Ann"), await town.star()
    await town.ask(ann, f"/subscribe {star}")
    asked = await town.control.say(town.boss, f"/block {star}")
    await town.bell.replies(town.boss, after=asked)

    async def said(words: str) -> Json | None:
        found = await town.control.replies(ann)
        return next((one for one in found if words in one.get("text", "")), None)

    await wait_for(lambda: said("The bot's owner has paused the alerts"))
    billed = await town.control.billed()
    hidden = await town.control.publish(star)
    await asyncio.sleep(LONG)
    assert await town.control.billed() == billed
    listed = await town.ask(ann, "/subscriptions")
    assert f"⏸ {star}" in buttons(listed)
    await town.bell.press(ann, listed, buttons(listed)[f"⏸ {star}"])
    page = await town.bell.message(ann, listed["message_id"])
    assert "Paused by the bot's owner." in page["text"]
    why = await town.ask(ann, f"/why {star}")
    assert "Paused by the bot's owner." in why["text"]
    for data in ("all:pause:on:save", "all:pause:off:save"):
        await town.bell.press(ann, await town.bell.old_post(ann, data), data)
        why = await town.ask(ann, f"/why {star}")
        assert "Paused by the bot's owner." in why["text"]
    await asyncio.sleep(LONG)
    assert await town.control.billed() == billed
    await town.ask(town.boss, f"/unblock {star}")
    await wait_for(lambda: said(f"{star} is back"))
    await asyncio.sleep(LONG)
    story = await town.control.publish(star)
    await town.control.wait_shown(ann, [story["pk"]])
    assert hidden["pk"] not in await town.control.shown(ann)
    await town.is_billed_as_booked()


async def test_naming_a_channel_does_not_take_it_out_of_a_block_of_who_brought_it(
    town: Town,
) -> None:
    ann, bob = await invited(town, "Ann"), await invited(town, "Bob")
    members = dict.fromkeys((ann, bob), "administrator")
    channel = await town.control.chat("channel", members=members, bot_status="left")
    await town.control.name_chat(channel, "the_news")
    await bring(town, [channel], ann)
    done = await town.ask(bob, f"/subscribe {await town.star()} @the_news")
    assert "every new story" in done["text"]
    usage = await town.ask(ann, "/usage")
    await town.bell.press(ann, usage, f"leave:{channel}")
    await town.is_payer(channel, None)
    await town.ask(town.boss, f"/block {ann}")
    refused = await town.ask(bob, f"/subscribe {await town.star()} @the_news")
    assert "stays silent" in refused["text"]
    await town.is_payer(channel, None)
    await town.is_billed_as_booked()


async def test_a_blocked_admin_who_adds_the_bot_again_takes_no_group_from_its_payer(
    town: Town,
) -> None:
    ann, bob = await invited(town, "Ann"), await invited(town, "Bob")
    group, star = await town.group(ann, bob, by=bob), await town.star()
    await town.ask(group, f"/subscribe {star}", user=bob)
    await town.ask(town.boss, f"/block {ann}")
    stories: list[str] = []
    for person in (ann, bob):
        await town.remove(group, person)
        await town.add(group, person)
        await town.bell.settled()
        await town.is_payer(group, bob)
        await asyncio.sleep(LONG)
        stories.append((await town.control.publish(star))["pk"])
        await town.control.wait_shown(group, stories)  # nobody has to write to open the group
    lookups = await town.control.requests("stories", path="/v1/user/by/username")
    await town.control.say(group, f"/stories {await town.star()}", user=ann)
    await town.bell.settled()
    # The block of the person stays.
    assert await town.control.requests("stories", path="/v1/user/by/username") == lookups
    await town.is_billed_as_booked()


async def test_who_adds_the_bot_without_a_name_to_a_chat_leaves_it_to_an_admin(
    town: Town,
) -> None:
    ann = await invited(town, "Ann")
    group = await town.group(ann, by=ann)
    star = await town.star()
    await town.ask(group, f"/subscribe {star}", user=ann)
    await town.remove(group, ann)
    await town.add(group, ANONYMOUS)
    await town.is_payer(group, None)
    story = await town.control.publish(star)
    await asyncio.sleep(LONG)
    assert story["pk"] not in await town.control.shown(group)
    await town.ask(group, f"/subscribe {await town.star()}", user=ann)  # by name: hers again
    await town.is_payer(group, ann)


async def test_known_people_whom_the_budget_refuses_are_counted_for_the_owner(
    tmp_path: Path, sqlite_db: Database, box: Box
) -> None:
    control, boss = box.control, await box.control.person("Boss")
    url = sqlite_db.url.render_as_string(hide_password=False)
    # 3.6 credits a day cover one profile.
    values = {"database_url": url, "admin_ids": str(boss), "daily_budget": 8}
    async with running_bell(tmp_path, box, timing=unhurried(), **values) as bell:
        town = Town(bell, sqlite_db, boss)
        await town.bell.ask(boss, "/help")
        people = [await town.known(f"P{n}") for n in range(3)]
        stranger = await control.person("New")
        for person in people[:1]:
            await town.ask(person, f"/subscribe {await town.star()}")
        for person in (*people[1:], people[1], stranger):
            refused = await town.ask(person, f"/subscribe {await town.star()}")
            assert "bot is full" in refused["text"] or "new users" in refused["text"]

        async def told() -> Json | None:
            found = await control.replies(boss)
            return next((m for m in found if "couldn't subscribe today" in m["text"]), None)

        report = await wait_for(told, what="the incident")
        assert report["text"].count("regular users") == 1
        assert re.search(r"DAILY_BUDGET=\d+, about \$\d+ a month, would be enough", report["text"])
        health = await town.ask(boss, "/health")
        assert "Profiles checked: 1 / " in health["text"]
        assert "2 regular users couldn't subscribe today" in health["text"]


async def has_left(town: Town, chat: int) -> None:
    """Remove the bot from a chat, or block the bot in a private chat."""
    await town.control.member(chat, BOT, "kicked")
    await town.bell.settled()


@pytest.mark.parametrize(
    ("left", "end"), [("before the block", "unblock"), ("in the block", "time"),
                      ("in the block", "payer")]
)  # fmt: skip
async def test_a_chat_that_the_bot_has_left_stays_closed_after_a_block_of_its_payer(
    town: Town, left: str, end: str
) -> None:
    ann, bob = await invited(town, "Ann"), await invited(town, "Bob")
    star = await town.star()
    group = await town.group(ann, by=ann)
    await town.ask(group, f"/subscribe {star}", user=ann)
    await town.ask(ann, f"/subscribe {star}")
    if left == "before the block":
        await has_left(town, group)
        await has_left(town, ann)
    await town.ask(town.boss, f"/block {ann}{' 12h' if end == 'time' else ''}")
    if left == "in the block":
        await has_left(town, group)
        await has_left(town, ann)
    billed = await town.control.billed()
    if end == "unblock":
        await town.ask(town.boss, f"/unblock {ann}")
    elif end == "time":
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        await Access(town.db, mode="open", now=lambda: tomorrow).end_expired_and_apply_blocks()
    else:
        data = f"people:payer:{group}:{bob}"
        await town.bell.press(town.boss, await town.bell.old_post(town.boss, data), data)
    await town.control.publish(star)
    await asyncio.sleep(LONG)
    assert await town.control.billed() == billed
    await town.add(group, bob if end == "payer" else ann)
    await town.bell.settled()
    story = await town.control.publish(star)
    await town.control.wait_shown(group, [story["pk"]])


async def test_a_chat_to_which_the_bot_returns_in_a_block_opens_after_the_block(
    town: Town,
) -> None:
    ann, star = await invited(town, "Ann"), await town.star()
    group = await town.group(ann, by=ann)
    await town.ask(group, f"/subscribe {star}", user=ann)
    await town.ask(ann, f"/subscribe {star}")
    for chat in (group, ann):
        await has_left(town, chat)
    await town.ask(town.boss, f"/block {ann}")
    await town.add(group, ann)
    await town.control.member(ann, BOT, "member")
    await town.bell.settled()
    await town.ask(town.boss, f"/unblock {ann}")
    await asyncio.sleep(LONG)
    story = await town.control.publish(star)
    for chat in (group, ann):
        await town.control.wait_shown(chat, [story["pk"]])


@pytest.mark.parametrize("place", ["private", "group"])
async def test_an_answer_that_waits_is_not_sent_after_a_block(town: Town, place: str) -> None:
    ann = await invited(town, "Ann")
    chat = await town.group(ann, by=ann) if place == "group" else ann
    star = await town.star()
    await town.control.publish(star)
    await town.control.fault("telegram", flood(LONG), match="sendPhoto", chat_id=chat)
    await town.control.say(chat, f"/stories {star}", user=ann)
    await town.control.wait_flood()
    await town.ask(town.boss, f"/block {chat}")
    await town.control.say(chat, "/help", user=ann)
    await asyncio.sleep(2 * LONG)
    assert not await town.control.shown(chat)


async def test_an_answer_that_waits_is_not_sent_after_a_block_of_its_profile(town: Town) -> None:
    ann, bad, good = await invited(town, "Ann"), await town.star(), await town.star()
    await town.control.publish(bad)
    story = await town.control.publish(good)
    await town.control.fault("telegram", flood(LONG), match="sendPhoto", chat_id=ann)
    for star in (bad, good):
        await town.control.say(ann, f"/stories {star}", user=ann)
    await town.control.wait_flood()
    await town.ask(town.boss, f"/block {bad}")
    await asyncio.sleep(2 * LONG)
    await town.bell.settled()
    assert await town.control.shown(ann) == [story["pk"]]


@pytest.mark.parametrize("place", ["private", "group"])
async def test_an_answer_of_a_request_that_runs_at_the_block_does_not_replace_the_refusal(
    town: Town, place: str
) -> None:
    ann = await invited(town, "Ann")
    chat = await town.group(ann, by=ann) if place == "group" else ann
    star = await town.star()
    await town.control.publish(star)
    await town.control.fault("stories", {"delay_s": 10}, match="stories")
    await town.control.fault("telegram", flood(LONG), match="sendPhoto", chat_id=chat)
    await town.control.say(chat, f"/stories {star}", user=ann)
    await asyncio.sleep(5)
    await town.ask(town.boss, f"/block {chat} 7d spam")
    await asyncio.sleep(2 * LONG)  # the flood is over
    assert "spam" in (await town.ask(chat, "/help", user=ann))["text"]
    await asyncio.sleep(2 * LONG)
    assert not await town.control.shown(chat)


async def test_a_new_mode_does_not_open_a_chat_to_which_a_blocked_person_added_the_bot(
    tmp_path: Path, sqlite_db: Database, box: Box
) -> None:
    boss = await box.control.person("Boss")
    url = sqlite_db.url.render_as_string(hide_password=False)
    values = {"database_url": url, "admin_ids": str(boss), "daily_budget": 1_000_000}
    async with running_bell(tmp_path, box, timing=unhurried(), access="open", **values) as bell:
        await box.control.privacy_mode(on=False)
        town = Town(bell, sqlite_db, boss)
        ann, mal = await town.known("Ann", started=True), await town.control.person("Mal")
        group = await town.group(ann, mal, by=ANONYMOUS)
        stars = [await town.star() for _ in range(6)]  # more than a newcomer may follow
        await town.ask(group, f"/subscribe {' '.join(stars)}", user=ann)
        usage = await town.ask(ann, "/usage")
        await bell.press(ann, usage, f"leave:{group}")
        await town.is_payer(group, None)
        await town.ask(boss, f"/block {mal}")
        await town.remove(group, mal)
        await town.add(group, mal)
        await bell.settled()
        said = await town.control.replies(group)
    async with running_bell(tmp_path, box, timing=unhurried(), access="invited", **values) as bell:
        await box.control.say(group, "/help", user=ann)
        await bell.settled()
        assert await box.control.replies(group) == said
