"""What the chat page and the tests ask for."""

from typing import Any

from tests.sandbox.telegram.harness import Api, photo


async def _get(api: Api, path: str, status: int = 200) -> Any:
    async with api.session.get(f"{api.control_base}/control/{path}") as answer:
        assert answer.status == status
        return await answer.json()


async def test_the_list_of_chats(api: Api) -> None:
    ann = await api.person()
    forum = await api.chat("supergroup", ann, is_forum=True)
    await api.control("PUT", f"chats/{forum}/threads/9", name="News")
    await api.ok("sendMessage", chat_id=ann, text="last")
    private, group = await _get(api, "chats")
    assert private["_last_message"]["text"] == "last"
    assert private["_bot_status"] == "member"
    assert group["_topics"] == [{"message_thread_id": 9, "name": "News", "state": "open"}]
    members = await _get(api, f"chats/{forum}/members")
    assert [member["status"] for member in members] == ["creator", "member"]
    assert [user["id"] for user in await _get(api, "users")] == [ann]


async def test_a_topic_closes_and_opens_again(api: Api) -> None:
    ann = await api.person()
    forum = await api.chat("supergroup", ann, is_forum=True)
    for state in ("open", "closed", "open"):
        made = await api.control("PUT", f"chats/{forum}/threads/9", name="News", state=state)
        assert made["state"] == state
    keys = [set(update["message"]) for update in await api.updates() if "message" in update]
    assert any("forum_topic_reopened" in fields for fields in keys)


async def test_everything_that_a_chat_shows(api: Api) -> None:
    ann = await api.person()
    rows = {"keyboard": [["yes", {"text": "no"}]], "resize_keyboard": True}
    asked = await api.ok("sendMessage", chat_id=ann, text="well?", reply_markup=rows)
    assert "reply_markup" not in asked
    path = f"chats/{ann}/messages"
    everything = await _get(api, f"{path}?from_bot=false")
    assert [message["_from_bot"] for message in everything] == [False, True]
    assert everything[1]["_reply_keyboard"]["keyboard"] == [[{"text": "yes"}, {"text": "no"}]]
    assert await _get(api, f"{path}?after={asked['message_id']}") == []
    said = everything[0]["message_id"]
    assert await api.control("DELETE", f"{path}/{said}") == {"deleted": True}
    assert (await _get(api, f"{path}?from_bot=false"))[0]["_deleted"] is True
    await api.control("DELETE", f"{path}/{said}", 404)


async def test_a_caption_with_a_hidden_link(api: Api) -> None:
    ann = await api.person()
    await api.updates()
    url = "https://www.instagram.com/stories/natgeo/"
    hidden = [{"type": "text_link", "offset": 0, "length": 4, "url": url}]
    await api.control(
        "POST", f"chats/{ann}/messages", user_id=ann, caption="here", caption_entities=hidden
    )
    [update] = await api.updates()
    assert update["message"]["caption_entities"] == hidden


async def test_listeners_hear_what_happens(api: Api) -> None:
    ann = await api.person()
    heard: list[dict[str, object]] = []
    stop = api.telegram.subscribe(heard.append)
    keyboard = {"inline_keyboard": [[{"text": "a", "callback_data": "b"}]]}
    await api.ok("sendChatAction", chat_id=ann, action="typing")
    sent = await api.ok("sendMessage", chat_id=ann, text="x", reply_markup=keyboard)
    where = {"chat_id": ann, "message_id": sent["message_id"]}
    pressed = await api.control(
        "POST", f"chats/{ann}/press", user_id=ann, message_id=sent["message_id"], data="b"
    )
    await api.ok("answerCallbackQuery", callback_query_id=pressed["callback_query_id"])
    await api.ok("editMessageText", **where, text="y")
    await api.ok("deleteMessage", **where)
    await api.ok("setMyCommands", commands=[])
    await api.chat("group", ann)
    stop()
    stop()
    await api.ok("sendMessage", chat_id=ann, text="unheard")
    assert [event["kind"] for event in heard] == [
        "action",
        "message",
        "callback",
        "edit",
        "delete",
        "commands",
        "chat",
    ]


async def test_files_and_limits_can_be_looked_at(api: Api) -> None:
    ann = await api.person()
    _, body = await api.upload("sendPhoto", {"chat_id": ann}, photo=photo())
    file_id = body["result"]["photo"][0]["file_id"]
    async with api.session.get(f"{api.control_base}/control/files/{file_id}") as answer:
        assert answer.content_type == "image/jpeg"
        assert await answer.read() == photo()
    await _get(api, "files/nonsense", 404)
    assert (await _get(api, "limits"))["enabled"] is False
