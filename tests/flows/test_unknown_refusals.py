"""Refusals that are not the story's: nothing is bought or lost for them, and who asked hears."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.flows.test_albums import bought, many
from tests.support.control import Control, refused, wait_for
from tests.support.storybell import Bell, storybell, unhurried

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

BOTS = "Logged out"  # one word of each kind: the table of outcomes has all
CHATS = "ALLOW_PAYMENT_REQUIRED_5"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bell(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bell]:
    """Run the bot, whose pauses are none of these tests' business."""
    plenty = {"daily_budget": 1_000_000, "person_daily_allowance": 10_000}
    folder = tmp_path_factory.mktemp("refusals")
    async with storybell(folder, timing=unhurried(), **plenty) as running:
        await running.control.privacy_mode(on=False)
        yield running


async def refusals(control: Control, fault: int, count: int) -> None:
    """Wait until a fault has hit so many sends."""

    async def found() -> bool:
        calls = await control.requests("telegram", path="send")
        return len([call for call in calls if call.get("fault") == fault]) >= count

    await wait_for(found, what="refused sends")


@pytest.mark.parametrize("word", [BOTS, "A_NEW_WORD", "Chat doesn't have topics"])
async def test_a_while_of_refusals_loses_no_alert_and_buys_nothing(
    bell: Bell, control: Control, word: str
) -> None:
    ann, name = await control.person(), f"while.{word[:8].lower().replace(' ', '.')}"
    await control.profile(name, posts_per_day=0)
    await bell.ask(ann, f"/subscribe {name}")
    fault = await control.fault("telegram", refused(word), match="send", times=None, chat_id=ann)
    stories = await many(control, name, {2}, 4)
    await refusals(control, fault, 1 if word == BOTS else 2)
    await asyncio.sleep(1)  # in which no story is given up
    await control.clear_faults(fault)

    async def all_there() -> bool:
        return sorted(await control.shown(ann)) == sorted(stories)

    await wait_for(all_there, within=120, what="all four")
    assert await bought(control) == 0
    assert "no longer available" not in str(await control.replies(ann))


async def test_a_chats_refusal_lets_its_alerts_wait(bell: Bell, control: Control) -> None:
    boss = await control.person()
    group = await control.chat("supergroup", members={boss: "creator"})
    name = "chats.refuse"
    await control.profile(name, posts_per_day=0)
    await bell.ask(group, f"/subscribe {name}", user=boss)
    fault = await control.fault(
        "telegram", refused(CHATS), match="send", times=None, chat_id=group
    )
    stories = await many(control, name, (), 3)
    await refusals(control, fault, 1)
    await asyncio.sleep(1)  # in which nothing else is tried
    await control.clear_faults(fault)
    await control.say(group, "/subscriptions", user=boss)  # who is heard there may be answered

    async def all_there() -> bool:
        return sorted(await control.shown(group)) == sorted(stories)

    await wait_for(all_there, what="all three")
    assert await bought(control) == 0


async def test_unknown_refusal_of_a_reply_is_reported_within_a_minute(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("asked.unknown", posts_per_day=0)
    await many(control, "asked.unknown", (), 3)
    faults = [
        await control.fault(
            "telegram", refused("A_NEW_WORD"), match=method, times=None, chat_id=ann
        )
        for method in ("sendMediaGroup", "sendPhoto")
    ]
    (said,) = await bell.ask(ann, "/stories asked.unknown")
    for fault in faults:
        await control.clear_faults(fault)
    assert "can't be loaded at the moment" in said["text"]
    assert await bought(control) == 0


async def test_an_address_that_is_refused_in_new_words_is_uploaded(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    fault = await control.fault(
        "telegram", refused("WEBFETCH_BROKEN"), match="send", times=None, source="url"
    )
    for count in (1, 3):
        await control.profile(f"cured.{count}", posts_per_day=0)
        stories = await many(control, f"cured.{count}", (), count)
        shown = await bell.ask(ann, f"/stories cured.{count}", count=count)
        assert {m["_source"] for m in shown if m.get("_story_pk") in stories} == {"upload"}
    await control.clear_faults(fault)
    assert await bought(control) == 0


async def test_stories_after_a_waiting_story_arrive_after_it(bell: Bell, control: Control) -> None:
    ann, name = await control.person(), "behind.it"
    await control.profile(name, posts_per_day=0)
    await bell.ask(ann, f"/subscribe {name}")
    word = refused("A_WORD_FOR_ONE")
    for method, times in (("sendMediaGroup", 2), ("sendPhoto", 1)):  # by URL, by upload, alone
        await control.fault("telegram", word, match=method, times=times, chat_id=ann)
    stories = await many(control, name, (), 3)

    await control.wait_shown(ann, stories)
    assert await bought(control) == 0
