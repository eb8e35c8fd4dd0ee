"""The verbs of the tests' control client, against the sandbox they drive."""

from typing import Any

from tests.support.sandbox import Box

TOKEN = "123456789:AAverbsOfTheControlClientAreTried"


async def _bot(sandbox: Box, method: str, **params: Any) -> Any:
    url = f"{sandbox.urls.telegram}/bot{TOKEN}/{method}"
    async with sandbox.session.post(url, json=params) as answer:
        body = await answer.json()
        assert body["ok"], body
        return body["result"]


async def test_a_talk_with_a_bot(sandbox: Box) -> None:
    control = sandbox.control
    me = await _bot(sandbox, "getMe")
    assert me["is_bot"]
    ann = await control.person("Ann", username="ann", language_code="es")
    said = await control.say(ann, "/start")
    keyboard = {"inline_keyboard": [[{"text": "More", "callback_data": "more"}]]}
    await _bot(sandbox, "sendMessage", chat_id=ann, text="Hello", reply_markup=keyboard)
    reply = (await control.wait_replies(ann, after=said))[0]
    assert reply["text"] == "Hello"
    query = await control.press(ann, reply["message_id"], "more")
    assert (await control.callback(query))["answered"] is False
    await _bot(sandbox, "answerCallbackQuery", callback_query_id=query, text="Here")
    answered = await control.callback(query)
    assert (answered["answered"], answered["text"]) == (True, "Here")
    updates = await _bot(sandbox, "getUpdates")
    assert [kind for update in updates for kind in update if kind != "update_id"] == [
        "message",
        "callback_query",
    ]
    assert updates[0]["message"]["from"]["language_code"] == "es"
    assert await control.requests("telegram", path="sendMessage")


async def test_groups_threads_and_members(sandbox: Box) -> None:
    control = sandbox.control
    me = await _bot(sandbox, "getMe")
    ann = await control.person()
    group = await control.chat("group", members=[{"user_id": ann, "status": "creator"}])
    await control.say(group, "/help", user=ann)
    await control.member(group, me["id"], "administrator")
    moved = await control.migrate(group)
    assert moved != group
    forum = await control.chat(
        "supergroup", "Forum", is_forum=True, members=[{"user_id": ann, "status": "member"}]
    )
    await control.thread(forum, 5, "Stories")
    await control.say(forum, "hi", user=ann, thread_id=5)
    kinds = {kind for update in await _bot(sandbox, "getUpdates") for kind in update}
    assert {"message", "my_chat_member"} <= kinds


async def test_an_inline_query(sandbox: Box) -> None:
    await _bot(sandbox, "getMe")
    ann = await sandbox.control.person()
    query = await sandbox.control.inline(ann, "natgeo")
    await _bot(sandbox, "answerInlineQuery", inline_query_id=query, results=[])
    assert await sandbox.control.inline_answer(query)
    assert await sandbox.control.limits()
