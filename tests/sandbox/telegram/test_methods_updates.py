"""getUpdates: offsets, waiting, conflicts."""

import asyncio
import time
from typing import Any

from tests.sandbox.telegram.harness import Api, eventually


async def _polls(api: Api, **params: Any) -> list[int]:
    return [update["update_id"] for update in await api.ok("getUpdates", **params)]


async def test_offsets_confirm(api: Api) -> None:
    ann = await api.person(started=False)
    first, second, third = [(await api.says(ann, text))["update_id"] for text in "abc"]
    assert second == first + 1
    assert await _polls(api, offset=0, limit=2) == [first, second]
    assert await _polls(api, offset=second) == [second, third]
    assert await _polls(api, offset=-1) == [third]
    assert await _polls(api, offset=third + 1, timeout=0) == []


async def test_the_same_offset_in_a_hurry_gets_one(api: Api) -> None:
    ann = await api.person(started=False)
    for text in "abc":
        await api.says(ann, text)
    assert len(await _polls(api)) == 3
    assert len(await _polls(api)) == 1


async def test_a_long_poll_ends_with_the_first_update(api: Api) -> None:
    ann = await api.person(started=False)
    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(_polls(api, timeout=30))
        said = await api.says(ann, "x")
    assert poll.result() == [said["update_id"]]
    assert time.monotonic() - started < 5


async def test_two_pollers_conflict_and_the_older_one_loses(api: Api) -> None:
    ann = await api.person(started=False)
    async with asyncio.TaskGroup() as group:
        older = group.create_task(api.refusal("getUpdates", timeout=30))
        await eventually(lambda: api.telegram.world.bot.inbox.poll is not None)
        newer = group.create_task(_polls(api, timeout=30))
        code, words = await older
        said = await api.says(ann, "x")
    assert (code, words.partition(";")[0]) == (
        409,
        "Conflict: terminated by other getUpdates request",
    )
    assert newer.result() == [said["update_id"]]


async def test_allowed_updates_filter_what_comes_later(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("group", ann)
    bob = await api.person("Bob")
    await api.updates()
    await api.control("PUT", f"chats/{group}/members/bot", status="administrator")
    assert [list(u)[1] for u in await api.updates()] == ["my_chat_member"]
    await api.control("PUT", f"chats/{group}/members/{bob}", status="member")
    assert [list(u)[1] for u in await api.updates()] == ["message"]
    await api.ok("getUpdates", allowed_updates=["chat_member"])
    await api.control("PUT", f"chats/{group}/members/{bob}", status="left")
    assert [list(u)[1] for u in await api.updates()] == ["chat_member"]
    await api.ok("getUpdates", allowed_updates=[], offset=1)
    await api.says(ann, "x")
    assert [list(u)[1] for u in await api.updates()] == ["message"]


async def test_old_updates_expire(api: Api) -> None:
    ann = await api.person(started=False)
    await api.says(ann, "x")
    await api.control("POST", "inline", user_id=ann, query="q")
    api.telegram.world.clock.advance(31)
    assert [list(u)[1] for u in await api.ok("getUpdates")] == ["message"]
    api.telegram.world.clock.advance(86400)
    info = await api.ok("getWebhookInfo")
    assert (info["url"], info["pending_update_count"]) == ("", 0)


async def test_privacy_mode(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("group", ann)
    await api.control("PATCH", "bots/bot", can_read_all_group_messages=False)
    mine = await api.ok("sendMessage", chat_id=group, text="mine")
    await api.updates()
    for text, heard in (("words", False), ("/stories", True), ("/stories@other_bot", False)):
        told = await api.says(group, text, ann)
        assert (told["update_id"] is not None) is heard, text
    reply = await api.says(group, "words", ann, reply_to=mine["message_id"])
    assert reply["update_id"] is not None
