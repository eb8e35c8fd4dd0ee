"""A 429 does not always mean that nothing was sent: no story comes more than three times."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.control import Control, Json, flood, wait_for
from tests.support.storybell import Bell, storybell

pytestmark = pytest.mark.jumps

LATE: Json = {**flood(8), "effect": True, "delay_s": 7.5}
AT_ONCE: Json = {**flood(8), "effect": True}
PLENTY: dict[str, Any] = {"daily_budget": 1_000_000, "person_daily_allowance": 1000}
# Few checks find all stories at once, so that they come as one album.
SELDOM = {**PLENTY, "poll_floor_s": 20}


async def follower(bell: Bell, name: str) -> int:
    """Return a person who follows a new profile."""
    await bell.control.profile(name, posts_per_day=0)
    ann = await bell.control.person()
    await bell.ask(ann, f"/subscribe {name}")
    return ann


async def published(control: Control, name: str, count: int) -> set[str]:
    return {str((await control.publish(name))["pk"]) for _ in range(count)}


async def all_there(control: Control, chat: int, pks: set[str], *, times: int = 1) -> Counter[str]:
    """Wait until each of these stories has come so often; return how often each is there."""

    async def are_there() -> bool:
        counts = Counter(await control.shown(chat))
        return all(counts[pk] >= times for pk in pks)

    await wait_for(are_there, 1200, "all stories")
    return Counter(await control.shown(chat))


@pytest.mark.slow
@pytest.mark.parametrize("answer", [LATE, AT_ONCE], ids=["late", "at once"])
async def test_an_album_that_is_sent_despite_its_429_comes_three_times_at_most(
    tmp_path: Path, answer: Json
) -> None:
    async with storybell(tmp_path, **SELDOM) as bell:
        control = bell.control
        ann = await follower(bell, "despite")
        await control.fault("telegram", answer, match="sendMediaGroup", times=5)
        pks = await published(control, "despite", 4)
        await all_there(control, ann, pks, times=2)
        await asyncio.sleep(120)
        counts = Counter(await control.shown(ann))
        assert max(counts.values()) <= 3, counts
        calls = await control.requests("telegram", path="/sendMediaGroup")
        assert len(calls) == 1, "after it the stories go one by one"


@pytest.mark.parametrize("answer", [LATE, AT_ONCE], ids=["late", "at once"])
async def test_an_answer_that_is_sent_despite_its_429_comes_three_times_at_most(
    tmp_path: Path, answer: Json
) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        ann = await control.person()
        await control.profile("asked", posts_per_day=0)
        pks = await published(control, "asked", 4)
        await control.fault("telegram", answer, match="sendMediaGroup", times=5)
        await control.say(ann, "/stories asked")
        await wait_for_answer(control, ann)
        counts = Counter(await control.shown(ann))
        assert counts.keys() == pks
        assert max(counts.values()) <= 3, counts


async def test_of_equal_late_albums_in_a_group_only_the_last_is_sent(tmp_path: Path) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        ann = await control.person()
        group = await control.chat(
            "supergroup", members={ann: "creator"}, bot_status="administrator"
        )
        await control.profile("equal.one", posts_per_day=0)
        pks = await published(control, "equal.one", 2)
        await control.fault("telegram", flood(600), match="sendMediaGroup", chat_id=group)
        await control.say(group, "/stories equal.one", user=ann)
        await asyncio.sleep(5)
        last = await control.say(group, "/stories equal.one", user=ann)
        await all_there(control, group, pks)
        await bell.settled()
        sent = [one for one in await control.replies(group) if one.get("_story_pk")]
        assert Counter(one["_story_pk"] for one in sent) == dict.fromkeys(pks, 1)
        assert sent[0]["reply_to_message"]["message_id"] == last


async def wait_for_answer(control: Control, ann: int) -> None:
    """Wait for the buttons, which come after the last story."""

    async def is_there() -> bool:
        return any("text" in one for one in await control.replies(ann))

    await wait_for(is_there, 1200, "the buttons after the stories")


async def test_a_text_whose_429_comes_late_three_times_is_given_up(tmp_path: Path) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        ann = await control.person()
        await control.fault("telegram", LATE, match="sendMessage", times=4)
        await control.say(ann, "/help")

        async def texts() -> list[str] | None:
            found = [one.get("text", "") for one in await control.replies(ann)]
            return found if len(found) >= 4 else None

        *copies, word = await wait_for(texts, 1800, "three copies and the word of it")
        assert all("all stories from a profile" in text for text in copies)
        assert "never confirmed" in word


async def test_ten_floods_lose_nothing_and_give_up_nothing(tmp_path: Path) -> None:
    async with storybell(tmp_path, **SELDOM) as bell:
        control = bell.control
        ann = await follower(bell, "flooded")
        await control.fault("telegram", flood(5), match="send", times=10, chat_id=ann)
        counts = await all_there(control, ann, await published(control, "flooded", 4))
        assert set(counts.values()) == {1}
        await control.say(ann, "/help")
        await control.fault("telegram", flood(5), match="sendMessage", times=10, chat_id=ann)
        (answer,) = await bell.ask(ann, "/help")
        assert "all stories from a profile" in answer["text"]
        assert "never confirmed" not in str(await control.replies(ann))
