"""getUpdates: offsets, waiting, conflicts."""

import asyncio
from typing import Any

import pytest

from tests.sandbox.telegram.harness import OTHER_TOKEN, Api
from tests.support.control import wait_for


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


async def test_two_pollers_conflict_and_the_older_one_loses(api: Api) -> None:
    ann = await api.person(started=False)
    async with asyncio.TaskGroup() as group:
        older = group.create_task(api.refusal("getUpdates", timeout=30))
        await wait_for(lambda: api.telegram.world.bot.inbox.poll is not None)
        newer = group.create_task(_polls(api, timeout=30))
        code, words = await older
        said = await api.says(ann, "x")
    assert (code, words.partition(";")[0]) == (
        409,
        "Conflict: terminated by other getUpdates request",
    )
    assert newer.result() == [said["update_id"]]


@pytest.mark.jumps
async def test_the_span_of_one_update_counts_from_the_start_of_the_last_call(api: Api) -> None:
    """Client.cpp, ``process_get_updates_query``: a call that waited long slows nobody down."""
    ann = await api.person(started=False)
    async with asyncio.TaskGroup() as group:
        waited = group.create_task(_polls(api, timeout=30))
        await wait_for(lambda: api.telegram.world.bot.inbox.poll is not None)
        await asyncio.sleep(0.6)  # longer than the span
        first = (await api.says(ann, "a"))["update_id"]
    second = (await api.says(ann, "b"))["update_id"]
    assert waited.result() == [first]
    assert await _polls(api) == [first, second]
    assert await _polls(api) == [first]


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
    me = await api.ok("getMe")
    assert me["can_read_all_group_messages"] is False
    mention = [{"type": "mention", "offset": 3, "length": len(me["username"]) + 1}]

    async def heard(text: str, **more: Any) -> bool:
        return (await api.says(group, text, ann, **more))["update_id"] is not None

    assert not await heard("/stories")  # no bot has written here yet
    assert await heard(f"/stories@{me['username']}")
    mine = await api.ok("sendMessage", chat_id=group, text="mine")
    for text, expected in (("words", False), ("/stories", True), ("/stories@other_bot", False)):
        assert await heard(text) is expected, text
    assert await heard("words", reply_to=mine["message_id"])
    assert await heard(f"🔔 @{me['username']}, please", entities=mention)
    assert not await heard("🔔 @somebody_else_bot", entities=mention)
    person = [{"type": "text_mention", "offset": 0, "length": 3, "user": me}]
    assert await heard("you there", entities=person)
    await api.control("PATCH", "bots/bot", can_read_all_group_messages=True)
    assert await heard("words")
    assert (await api.ok("getMe"))["can_read_all_group_messages"] is True


async def test_a_bot_gets_commands_with_its_name_and_replies_of_other_bots(api: Api) -> None:
    other = (await api.control("POST", "users", first_name="B", is_bot=True))["id"]
    group = await api.chat("group", other)
    me = await api.ok("getMe")
    mine = await api.ok("sendMessage", chat_id=group, text="mine")
    await api.control("PATCH", "bots/bot", can_read_all_group_messages=True)

    async def heard(chat: int, text: str, **more: Any) -> bool:
        return (await api.says(chat, text, other, **more))["update_id"] is not None

    for text in ("words", "/stories", f"🔔 @{me['username']}"):
        assert not await heard(group, text), text
    assert await heard(group, "words", reply_to=mine["message_id"])
    assert await heard(group, f"/stories@{me['username']}")
    (*_, last) = await api.updates()
    assert last["message"]["from"]["is_bot"] is True
    assert not await heard(other, "/stories")


async def test_in_privacy_mode_a_bare_command_goes_to_the_bot_that_wrote_last(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("group", ann)
    other = await api.ok("getMe", token=OTHER_TOKEN)
    await api.control("PUT", f"chats/{group}/members/{other['id']}", status="member")
    await api.ok("sendMessage", chat_id=group, text="mine")
    await api.ok("sendMessage", token=OTHER_TOKEN, chat_id=group, text="no, mine")
    await api.updates()
    await api.says(group, "/stories", ann)
    assert await api.updates() == []
