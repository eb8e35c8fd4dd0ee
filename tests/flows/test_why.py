"""What /why says of stories that wait, or never came, and of the next check."""

from pathlib import Path

import pytest

from tests.flows.test_undo import be_quiet, follow, hour_now
from tests.support.control import Control, wait_for
from tests.support.sandbox import sandbox_box
from tests.support.storybell import Bell, buttons, running_bell

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]


async def wait_told(bell: Bell, chat: int, name: str, *words: str) -> str:
    """Wait until /why says all of these; return what it says."""

    async def told() -> str | None:
        (reply,) = await bell.ask(chat, f"/why {name}")
        text: str = reply["text"]
        return text if all(word in text for word in words) else None

    return await wait_for(told, what=f"{words} of {name}")


async def test_in_quiet_hours_it_tells_what_becomes_of_a_story_after_them(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    reply = await follow(bell, ann, "why.quiet")
    number = buttons(reply)["Options"][4:]
    await be_quiet(bell, ann, on=True)
    await control.publish("why.quiet")
    await bell.ask(await control.person("Bob"), "/stories why.quiet")
    await wait_told(bell, ann, "why.quiet", "waiting for the end of quiet hours", ": 1")
    await bell.ask(ann, "/rules why.quiet only: #sale")
    text = await wait_told(bell, ann, "why.quiet", "skipped because of “only #sale”: 1")
    assert "quiet hours" not in text
    await bell.ask(ann, "/rules why.quiet off")
    digest, noon = f"opt:{number}:digest:on", f"set:digest:{(hour_now() + 12) % 24}"
    page = await bell.old_post(ann, digest, noon)
    await bell.press(ann, page, digest)
    await bell.press(ann, page, noon)  # far from the quiet hours
    text = await wait_told(bell, ann, "why.quiet", "waiting for the daily summary (")
    assert "quiet hours" not in text


async def test_why_does_not_count_stories_dropped_by_a_mute_as_failures(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    reply = await follow(bell, ann, "why.muted")
    await be_quiet(bell, ann, on=True)
    await control.publish("why.muted")
    await bell.ask(await control.person("Bob"), "/stories why.muted")
    await wait_told(bell, ann, "why.muted", "waiting for the end of quiet hours")
    mute = f"mute:{buttons(reply)['Options'][4:]}"
    await bell.press(ann, await bell.old_post(ann, mute), mute)
    text = await wait_told(bell, ann, "why.muted", "skipped while alerts were paused: 1")
    assert "could not be sent" not in text


async def test_it_tells_of_each_topic_that_follows_a_profile(bell: Bell, control: Control) -> None:
    boss = await control.person()
    forum = await control.chat("supergroup", members={boss: "creator"}, is_forum=True)
    await control.profile("why.topics", posts_per_day=0)
    for thread in (7, 8):
        await control.thread(forum, thread, "News")
        await bell.ask(forum, "/subscribe why.topics", user=boss, thread_id=thread)
    await bell.ask(forum, "/rules why.topics only: #sale", user=boss, thread_id=8)
    story = await control.publish("why.topics")
    await control.wait_shown(forum, [story["pk"]])

    async def both() -> bool:
        (told,) = await bell.ask(forum, "/why why.topics", user=boss)
        text = told["text"]
        assert text.count("why.topics (in a topic)") == 2
        return "sent: 1" in text and "skipped because of “only #sale”: 1" in text

    await wait_for(both)
    (told,) = await bell.ask(forum, "/why why.topics", user=boss, thread_id=7)
    assert "(in a topic)" not in told["text"]
    assert "skipped" not in told["text"]


async def test_a_check_that_may_not_be_made_is_not_promised(tmp_path: Path) -> None:
    async with sandbox_box() as box:
        boss = await box.control.person("Boss")
        async with running_bell(tmp_path, box, admin_ids=str(boss)) as bell:
            await follow(bell, boss, "why.stopped")
            await bell.ask(boss, "/stop_spending")
            await wait_told(bell, boss, "why.stopped", "delayed (checks are paused for now)")
