"""Another payer of a chat, and chats that have no payer any more: what the people there get."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.domain.access import Subject
from bot.store import access
from bot.store.engine.database import Database
from tests.flows.test_import import file_of
from tests.flows.test_payer import ANONYMOUS, MINE, NOBODY_YET, Town, is_told, pressed_page
from tests.support.sandbox import Box
from tests.support.storybell import FEW_CHECKS, buttons, running_bell, unhurried

pytestmark = pytest.mark.jumps

STOPPED = "Nobody is responsible for this chat anymore"
LONG = 120  # seconds of the jumping clock in which checks and alerts would have come


@pytest.fixture
def values() -> dict[str, Any]:
    """Return the settings of a test beside the usual settings."""
    return {}


@pytest.fixture
async def town(
    tmp_path: Path, sqlite_db: Database, box: Box, values: dict[str, Any]
) -> AsyncIterator[Town]:
    boss = await box.control.person("Boss")
    usual: dict[str, Any] = {
        "database_url": sqlite_db.url.render_as_string(hide_password=False),
        "admin_ids": str(boss),
        "daily_budget": 1_000_000,
        "person_daily_allowance": 1000,
        "max_subscriptions": 2,
        **FEW_CHECKS,
    }
    async with running_bell(tmp_path, box, timing=unhurried(), **usual | values) as bell:
        await box.control.privacy_mode(on=False)
        await bell.ask(boss, "/help")
        yield Town(bell, sqlite_db, boss)


async def subscribe(town: Town, chat: int, *names: str, user: int) -> None:
    await town.control.say(chat, f"/subscribe {' '.join(names)}", user=user)
    await is_told(town, chat, "every new story")


async def test_a_chat_continues_when_the_owner_replaces_a_blocked_payer(town: Town) -> None:
    ann = await town.known("Ann")
    group, star = await town.group(ann, by=ann), await town.star()
    await subscribe(town, group, star, user=ann)
    await town.ask(town.boss, f"/block {ann}")
    await asyncio.sleep(LONG)
    listed = await town.ask(town.boss, "/people")
    await pressed_page(town, listed, f"people:payer:{group}:{town.boss}")
    await town.is_payer(group, town.boss)
    await asyncio.sleep(LONG)
    story = await town.control.publish(star)
    await town.control.wait_shown(group, [story["pk"]])


@pytest.mark.parametrize("values", [{"access": "invited"}])
async def test_a_guest_without_access_does_not_take_a_chat_out_of_a_block(town: Town) -> None:
    ann, mal = await town.control.person("Ann"), await town.control.person("Mal")
    await town.ask(town.boss, f"/allow {ann}")
    group = await town.group(ann, mal, by=ann)
    await town.remove(group, mal)
    await town.add(group, mal)
    await town.is_payer(group, None)
    await town.ask(town.boss, f"/block {ann}")
    before = await town.control.billed()
    said = len(await town.control.replies(group))
    await town.control.say(group, f"/stories {await town.star()}", user=mal)
    await town.bell.settled()
    assert await town.control.billed() == before
    assert len(await town.control.replies(group)) == said
    async with town.db.read() as tx:
        entry = await access.get(tx, Subject("chat", str(group)))
    assert entry is not None
    assert entry.added_by == str(ann)


@pytest.mark.parametrize("kind", ["supergroup", "channel"])
async def test_adding_the_bot_without_room_reports_that_alerts_have_stopped(
    town: Town, kind: str
) -> None:
    ann, bob = await town.known("Ann"), await town.known("Bob", started=True)
    members = dict.fromkeys((ann, bob), "administrator")
    chat = await town.control.chat(kind, members=members, bot_status="left")
    await town.control.name_chat(chat, "the_chat")
    await town.add(chat, ann)
    await town.is_payer(chat, ann)
    star = await town.star()
    await town.ask(ann, "/help")
    await subscribe(town, ann, star, "@the_chat", user=ann)
    for _ in range(3):  # all that Bob may have
        own = await town.group(bob, by=bob)
        await subscribe(town, own, await town.star(), await town.star(), user=bob)
    await town.remove(chat, bob)
    await town.add(chat, bob)
    told = await is_told(town, bob if kind == "channel" else chat, STOPPED)
    assert len(buttons(told)) == 1
    await town.is_payer(chat, None)


async def test_subscribing_in_a_chat_without_payer_reports_no_stop(town: Town) -> None:
    ann, bob = await town.known("Ann", started=True), await town.known("Bob")
    group, star = await town.group(ann, bob, by=ann), await town.star()
    await subscribe(town, group, star, user=ann)
    usage = await town.ask(ann, "/usage")
    await town.bell.press(ann, usage, next(iter(buttons(usage).values())))
    stopped = await is_told(town, group, STOPPED)
    assert MINE in buttons(stopped)
    done = await town.ask(group, f"/subscribe {await town.star()}", user=bob)
    assert "every new story" in done["text"]
    assert STOPPED not in done["text"]
    await town.is_payer(group, bob)
    listed = await town.ask(group, "/subscriptions", user=bob)
    assert STOPPED not in listed["text"]
    assert MINE not in buttons(listed)


async def test_a_block_of_the_payer_is_silent_in_the_chat_and_shown_to_the_owner(
    town: Town,
) -> None:
    ann, bob = await town.known("Ann"), await town.known("Bob", started=True)
    group = await town.group(ann, bob, by=ann)
    await town.ask(town.boss, f"/block {ann}")
    said = len(await town.control.replies(group))
    old = await town.bell.old_post(group, "subs:0")
    for person in (ann, bob):
        await town.control.say(group, "/help", user=person)
        await town.control.say(group, f"/subscribe {await town.star()}", user=person)
        assert not (await town.bell.press(group, old, "subs:0", user=person)).get("text")
    await town.bell.settled()
    assert len(await town.control.replies(group)) == said + 1  # the post with the button
    in_private = await town.ask(bob, f"/subscribe {await town.star()}")
    assert "every new story" in in_private["text"]
    silenced = "the person responsible for it is blocked"
    listed = await town.ask(town.boss, "/people")
    assert silenced in (await pressed_page(town, listed, f"people:who:{group}"))["text"]
    assert silenced in (await town.ask(town.boss, f"/allow {group}"))["text"]
    assert silenced in (await town.ask(town.boss, f"/unblock {group}"))["text"]
    async with town.db.read() as tx:
        entry = await access.get(tx, Subject("chat", str(group)))
    assert entry is None or entry.refused_at is None


async def stopped_group(town: Town, ann: int, *admins: int) -> tuple[int, str]:
    """Return a group whose payer has left the chat, and the followed profile."""
    group, star = await town.group(ann, *admins, by=ann), await town.star()
    await subscribe(town, group, star, user=ann)
    usage = await town.ask(ann, "/usage")
    await town.bell.press(ann, usage, next(iter(buttons(usage).values())))
    await is_told(town, group, STOPPED)
    return group, star


async def test_why_and_usage_say_that_the_alerts_have_stopped(town: Town) -> None:
    ann = await town.known("Ann", started=True)
    group, star = await stopped_group(town, ann)
    why = await town.ask(group, f"/why {star}", user=ann)
    assert STOPPED in why["text"]
    assert "Next check" not in why["text"]
    assert "no new stories" not in why["text"].lower()
    usage = await town.ask(group, "/usage", user=ann)
    assert STOPPED in usage["text"]
    assert MINE in buttons(usage)


async def test_refusals_of_several_names_have_the_button_of_the_payer(town: Town) -> None:
    ann = await town.known("Ann", started=True)
    group, _ = await stopped_group(town, ann)
    names = f"{await town.star()} {await town.star()}"
    for command in ("subscribe", "stories"):
        refused = await town.ask(group, f"/{command} {names}", user=ann, sender_chat_id=group)
        assert MINE in buttons(refused), command
    refused = await town.ask(
        group,
        "",
        file=file_of([*names.split()]),
        caption="/import",
        user=ann,
        sender_chat_id=group,
    )
    assert MINE in buttons(refused)


async def test_refusal_of_a_payer_with_too_many_subscriptions_is_complete(town: Town) -> None:
    ann, bob = await town.known("Ann", started=True), await town.known("Bob")
    group, _ = await stopped_group(town, ann, bob)
    for _ in range(3):  # all that Bob may have
        own = await town.group(bob, by=bob)
        await subscribe(town, own, await town.star(), await town.star(), user=bob)
    listed = await town.ask(group, "/subscriptions", user=bob)
    await town.bell.press(group, listed, buttons(listed)[MINE], user=bob)
    await is_told(town, group, "that person can see which chats these are")


async def test_erasing_a_private_chat_warns_that_alerts_will_stop(
    town: Town,
) -> None:
    ann = await town.known("Ann", started=True)

    async def question() -> str:
        page = await town.ask(ann, "/privacy")
        await town.bell.press(ann, page, "erase")
        return str((await town.bell.message(ann, page["message_id"]))["text"])

    assert "you're responsible for" not in await question()
    groups = [await town.group(ann, by=ann) for _ in range(2)]
    assert "The alerts of the groups and channels you're responsible for" in await question()
    page = await town.ask(ann, "/privacy")
    await town.bell.press(ann, page, "erase:yes")
    for group in groups:
        await is_told(town, group, STOPPED)


@pytest.mark.parametrize("way", ["leave", "erase"])
@pytest.mark.parametrize("blocked", ["chat", "person who added the bot"])
async def test_a_blocked_chat_that_loses_its_payer_gets_no_message(
    town: Town, blocked: str, way: str
) -> None:
    ann, bob = await town.known("Ann", started=True), await town.known("Bob", started=True)
    group, _ = await stopped_group(town, ann, bob)
    await subscribe(town, group, await town.star(), user=bob)
    await town.is_payer(group, bob)
    await town.ask(town.boss, f"/block {group if blocked == 'chat' else ann}")
    said = len(await town.control.replies(group))
    page = await town.ask(bob, "/usage" if way == "leave" else "/privacy")
    await town.bell.press(bob, page, f"leave:{group}" if way == "leave" else "erase:yes")
    await town.is_payer(group, None)
    await town.bell.settled()
    assert len(await town.control.replies(group)) == said


async def test_a_blocked_person_takes_on_no_more_chats_than_a_person_may(town: Town) -> None:
    ann, bob = await town.known("Ann"), await town.known("Bob")
    groups = [await town.group(ann, bob, by=ANONYMOUS) for _ in range(4)]
    for group in groups:
        await subscribe(town, group, await town.star(), await town.star(), user=ann)
        usage = await town.ask(ann, "/usage")
        await town.bell.press(ann, usage, f"leave:{group}")
        await town.is_payer(group, None)
    await town.ask(town.boss, f"/block {ann}")
    for group in groups:
        await town.remove(group, ann)
        await town.add(group, ann)
    await town.bell.settled()
    said = [len(await town.control.replies(group)) for group in groups]
    for group in groups:
        await town.control.say(group, f"/stories {await town.star()}", user=bob)
    await town.bell.settled()
    assert [len(await town.control.replies(group)) for group in groups] == said  # all are silent
    await town.ask(town.boss, f"/unblock {ann}")
    await asyncio.sleep(LONG)
    (left,) = [group for group in groups if await town.payer(group) != ann]
    refused = await town.ask(left, f"/subscribe {await town.star()}", user=ann)
    assert "person responsible" in refused["text"]
    await town.is_payer(left, None)
    await town.is_billed_as_booked()


@pytest.mark.parametrize("kind", ["supergroup", "channel"])
async def test_a_chat_without_a_payer_gets_no_stored_answers_without_a_name(
    town: Town, kind: str
) -> None:
    ann, mal = await town.known("Ann"), await town.known("Mal")
    stars = [await town.star(), await town.star()]
    pks = [(await town.control.publish(star))["pk"] for star in stars]
    await town.control.say(ann, f"/stories {' '.join(stars)}", user=ann)
    await town.control.wait_shown(ann, pks)
    await town.ask(ann, f"/highlights {stars[0]}")
    await town.ask(town.boss, f"/block {mal}")
    chat = await town.group(mal, by=ANONYMOUS, kind=kind)
    greeting = len(await town.control.replies(chat))
    for text in (
        f"/stories {stars[0]}",
        f"/stories {' '.join(stars)}",
        f"https://www.instagram.com/stories/{stars[0]}/{pks[0]}/",
        f"/highlights {stars[0]}",
    ):
        await town.control.say(chat, text, user=mal, sender_chat_id=chat)
        await town.bell.settled()
    assert not await town.control.shown(chat)
    refused = (await town.control.replies(chat))[greeting:]
    assert refused
    assert all(one["text"].startswith(NOBODY_YET) for one in refused)
    await town.is_billed_as_booked()
