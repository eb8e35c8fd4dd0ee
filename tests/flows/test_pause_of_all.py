"""The pause of all subscriptions of a chat at once, its end, and the way back."""

import pytest

from tests.flows.test_chat_rules import following, pressed
from tests.flows.test_options_of_all import ALL, change_one, following_in_topics, page_of_all
from tests.flows.test_rights import channel_of
from tests.support.control import Control, Json
from tests.support.storybell import Bell, buttons

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

PAUSE, RESUME, MUTE = "⏸ Pause all", "▶️ Resume all", "🔕 Mute for a day"
UNDO = "↩️ Undo"
PAUSED = "Paused: no alerts until you resume them."


async def change_all(bell: Bell, chat: int, page: Json, label: str) -> Json:
    """Press a button of the page of all subscriptions, and confirm; return the result."""
    asked = await pressed(bell, chat, page, label)
    name = label.partition(" (")[0]
    assert f"{name}\nThis changes" in asked["text"]
    return await pressed(bell, chat, asked, name)


async def signs(bell: Bell, chat: int) -> dict[str, str]:
    """Return the sign of each subscription in the list, by the name of the profile."""
    (listed,) = await bell.ask(chat, "/subscriptions")
    rows = [label.split() for label, data in buttons(listed).items() if data.startswith("sub:")]
    return {name: sign for sign, name in rows}


async def why(bell: Bell, chat: int, name: str) -> str:
    (told,) = await bell.ask(chat, f"/why {name}")
    return str(told["text"])


async def mute(bell: Bell, chat: int, name: str) -> None:
    """Mute a subscription for a day."""
    (listed,) = await bell.ask(chat, "/subscriptions")
    data = f"mute:{buttons(listed)[f'🔔 {name}'].removeprefix('sub:')}"
    await bell.press(chat, await bell.old_post(chat, data), data)


def end_of_mute(text: str) -> str:
    """Return the line of an answer of /why with the end of a mute."""
    return next(line for line in text.splitlines() if "Muted until" in line)


async def watched(bell: Bell, control: Control, *names: str) -> tuple[int, int]:
    """Return a person with subscriptions, and another person with the same subscriptions."""
    ann = await following(bell, control, *names)
    bob = await control.person("Bob")
    await bell.ask(bob, f"/subscribe {' '.join(names)}")
    return ann, bob


async def test_a_pause_of_all_skips_the_stories_until_all_resume(
    bell: Bell, control: Control
) -> None:
    ann, bob = await watched(bell, control, "rest.a", "rest.b")
    other = await following(bell, control, "rest.c", "rest.d")
    (page,) = await bell.ask(ann, "pause everything")
    assert page["text"].startswith("All 2 subscriptions")
    assert list(buttons(page))[:3] == [PAUSE, MUTE, "✅ Photos and videos"]
    done = await change_all(bell, ann, page, PAUSE)
    assert "2 subscriptions changed." in done["text"]
    assert PAUSED in done["text"]
    assert UNDO in buttons(done)
    assert await signs(bell, ann) == {"rest.a": "⏸", "rest.b": "⏸"}
    assert set((await signs(bell, other)).values()) == {"🔔"}
    assert PAUSED in await why(bell, ann, "rest.a")
    missed = await control.publish("rest.a")
    await control.wait_shown(bob, [missed["pk"]])
    (page,) = await bell.ask(ann, "resume everything")
    assert PAUSED in page["text"]
    assert next(iter(buttons(page))) == RESUME
    done = await change_all(bell, ann, page, RESUME)
    assert PAUSED not in done["text"]
    assert await signs(bell, ann) == {"rest.a": "🔔", "rest.b": "🔔"}
    story = await control.publish("rest.b")
    await control.wait_shown(ann, [story["pk"]])
    later = await control.publish("rest.a")
    await control.wait_shown(ann, [story["pk"], later["pk"]])


async def test_undo_of_the_pause_sends_its_stories_and_restores_each_earlier_pause(
    bell: Bell, control: Control
) -> None:
    names = ("own.a", "own.b", "own.c", "own.d")
    ann, bob = await watched(bell, control, *names)
    await change_one(bell, ann, "own.a", "pause", "on")
    await mute(bell, ann, "own.b")
    muted = await why(bell, ann, "own.b")
    asked = await pressed(bell, ann, await page_of_all(bell, ann), f"{PAUSE} (1/4)")
    assert "This changes 3 subscriptions: own.b, own.c, and own.d." in asked["text"]
    done = await pressed(bell, ann, asked, PAUSE)
    assert PAUSED in await why(bell, ann, "own.b")
    missed = []
    for name in names:
        missed.append((await control.publish(name))["pk"])
        await control.wait_shown(bob, missed)
    asked = await pressed(bell, ann, await page_of_all(bell, ann), "▫️ Silent")
    silent = await pressed(bell, ann, asked, "Use for all 4 subscriptions")
    await change_one(bell, ann, "own.d", "pause", "off")
    await pressed(bell, ann, done, UNDO)
    await control.wait_shown(ann, [missed[2]])
    assert await signs(bell, ann) == dict(zip(names, "⏸⏸🔔🔔", strict=True))
    assert PAUSED in await why(bell, ann, "own.a")
    assert end_of_mute(await why(bell, ann, "own.b")) == end_of_mute(muted)
    undone = await pressed(bell, ann, silent, UNDO)
    assert "▫️ Silent" in buttons(undone)
    undo = buttons(done)[UNDO]
    told = await bell.press(ann, await bell.old_post(ann, undo), undo)
    assert told["text"] == "Nothing has changed."


async def test_undo_of_the_resume_restores_each_pause(bell: Bell, control: Control) -> None:
    ann = await following(bell, control, "back.on", "back.for", "back.off")
    await change_one(bell, ann, "back.on", "pause", "on")
    await mute(bell, ann, "back.for")
    muted = await why(bell, ann, "back.for")
    asked = await pressed(bell, ann, await page_of_all(bell, ann), RESUME)
    assert "This changes 2 subscriptions: back.for and back.on." in asked["text"]
    done = await pressed(bell, ann, asked, RESUME)
    assert set((await signs(bell, ann)).values()) == {"🔔"}
    page = await pressed(bell, ann, done, UNDO)
    assert RESUME in buttons(page)
    assert await signs(bell, ann) == {"back.for": "⏸", "back.off": "🔔", "back.on": "⏸"}
    assert end_of_mute(await why(bell, ann, "back.for")) == end_of_mute(muted)
    assert PAUSED in await why(bell, ann, "back.on")


async def test_a_mute_of_all_for_a_day_keeps_a_pause_without_an_end(
    bell: Bell, control: Control
) -> None:
    ann = await following(bell, control, "day.a", "day.b", "day.c")
    await change_one(bell, ann, "day.a", "pause", "on")
    done = await change_all(bell, ann, await page_of_all(bell, ann), MUTE)
    assert "2 subscriptions changed." in done["text"]
    assert "Muted until" in done["text"]
    assert PAUSED in await why(bell, ann, "day.a")
    assert "Muted until" in await why(bell, ann, "day.b")
    page = await page_of_all(bell, ann)
    assert MUTE not in buttons(page)
    assert {f"{PAUSE} (1/3)", RESUME} <= set(buttons(page))


async def test_members_may_not_pause_all_subscriptions_of_a_group_with_topics(bell: Bell) -> None:
    group, boss, eve = await following_in_topics(bell, ["team.a"], ["team.b"])
    (page,) = await bell.ask(group, "/subscriptions", user=eve)
    for data in ("all:pause:on", "all:pause:on:save", "all:pause:off:save"):
        told = await bell.press(group, page, data, user=eve)
        assert told["text"] == "Only admins of this group can change that."
    await bell.press(group, page, "all:pause:on:save", user=boss)
    done = await bell.message(group, page["message_id"])
    assert "2 subscriptions changed." in done["text"]
    told = await bell.press(group, done, buttons(done)[UNDO], user=eve)
    assert told["text"] == "Only admins of this group can change that."
    (listed,) = await bell.ask(group, "/subscriptions", user=boss)
    assert "⏸ team.a" in buttons(listed)
    assert "⏸ team.b (in a topic)" in buttons(listed)


async def test_the_alerts_of_a_channel_are_paused_from_the_private_chat(
    bell: Bell, control: Control
) -> None:
    boss = await control.person("Boss")
    channel = await channel_of(bell, boss)
    await control.name_chat(channel, "rest_news")
    for name in ("rest.e", "rest.f"):
        await control.profile(name, posts_per_day=0)
    await bell.ask(boss, "/subscribe rest.e rest.f @rest_news")
    (page,) = await bell.ask(boss, "/subscriptions @rest_news")
    page = await pressed(bell, boss, page, ALL.format(2))
    done = await change_all(bell, boss, page, PAUSE)
    assert PAUSED in done["text"]
    await pressed(bell, boss, done, UNDO)
    story = await control.publish("rest.e")
    await control.wait_shown(channel, [story["pk"]])


async def test_words_for_a_pause_lead_to_its_buttons(bell: Bell, control: Control) -> None:
    ann = await following(bell, control, "words.a")
    (page,) = await bell.ask(ann, "pause everything")
    assert page["text"].startswith("🔔 words.a\n")
    assert {"⏸ Pause", MUTE} <= set(buttons(page))
    await control.profile("words.b", posts_per_day=0)
    await bell.ask(ann, "/subscribe words.b")
    for text in ("pause all", "no messages until monday, I'm on holiday", "resume all"):
        (page,) = await bell.ask(ann, text)
        assert PAUSE in buttons(page), text
    (none,) = await bell.ask(await control.person(), "pause everything")
    assert "no subscriptions" in none["text"]
