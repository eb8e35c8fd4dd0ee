"""Chats: who is in them, what becomes of them."""

from tests.sandbox.telegram.harness import Api


async def test_what_is_told_of_a_chat(api: Api) -> None:
    ann = await api.person(username="ann")
    chat = 0
    for kind in ("group", "supergroup", "channel"):
        chat = await api.chat(kind, ann, username="here_public" if kind == "channel" else None)
        assert (await api.ok("getChat", chat_id=chat))["type"] == kind
        assert await api.ok("getChatMemberCount", chat_id=chat) == 2
        admins = await api.ok("getChatAdministrators", chat_id=chat)
        assert admins[0]["status"] == "creator"
        member = await api.ok("getChatMember", chat_id=chat, user_id=123456)
        assert member["user"]["is_bot"]
    assert (await api.ok("getChat", chat_id="@Here_Public"))["id"] == chat
    full = await api.ok("getChat", chat_id=ann)
    assert full["active_usernames"] == ["ann"]
    assert await api.ok("getChatMemberCount", chat_id=ann) == 2
    assert (await api.ok("getChatMember", chat_id=ann, user_id=ann))["status"] == "member"


async def test_a_channels_posts_come_again_in_the_linked_group(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("supergroup", ann, bot_status="administrator")
    channel = await api.chat("channel", ann, linked_chat_id=group)
    assert (await api.ok("getChat", chat_id=group))["linked_chat_id"] == channel
    assert (await api.ok("getChat", chat_id=channel))["linked_chat_id"] == group
    await api.updates()
    sent = await api.ok("sendMessage", chat_id=channel, text="<b>mine</b>", parse_mode="HTML")
    [update] = await api.updates()
    copy = update["message"]
    assert (copy["from"]["id"], copy["chat"]["id"]) == (777000, group)
    assert copy["is_automatic_forward"] is True
    assert copy["sender_chat"]["id"] == channel
    assert copy["forward_origin"]["message_id"] == sent["message_id"]
    assert (copy["text"], copy["entities"]) == (sent["text"], sent["entities"])
    await api.says(channel, "news", ann)
    assert [list(update)[1] for update in await api.updates()] == ["channel_post", "message"]
    await api.control("PATCH", f"chats/{channel}", linked_chat_id=None)
    await api.says(channel, "news", ann)
    assert [list(update)[1] for update in await api.updates()] == ["channel_post"]
    assert "linked_chat_id" not in await api.ok("getChat", chat_id=group)
    await api.control("PATCH", f"chats/{channel}", 400, linked_chat_id=ann)


async def test_a_forwarded_message_says_whose_it_was(api: Api) -> None:
    ann = await api.person()
    channel = await api.chat("channel", ann)
    posted = await api.says(channel, "news", ann)
    mine = await api.ok("sendMessage", chat_id=ann, text="<b>mine</b>", parse_mode="HTML")
    await api.updates()
    for chat, message_id in ((ann, mine["message_id"]), (channel, posted["message_id"])):
        source = {"chat_id": chat, "message_id": message_id}
        await api.control("POST", f"chats/{ann}/messages", user_id=ann, forward=source)
    own, other = [update["message"] for update in await api.updates()]
    assert own["forward_origin"]["sender_user"]["id"] == 123456
    assert (own["text"], own["entities"]) == ("mine", mine["entities"])
    assert other["forward_origin"]["chat"]["id"] == channel
    assert other["forward_origin"]["message_id"] == posted["message_id"]


async def test_slow_mode(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("supergroup", ann)
    await api.control("PATCH", f"chats/{group}", slow_mode_delay=30)
    await api.ok("sendMessage", chat_id=group, text="x")
    status, body = await api.bot("sendMessage", chat_id=group, text="x")
    assert (status, body["parameters"]) == (429, {"retry_after": 30})
    await api.control("PUT", f"chats/{group}/members/bot", status="administrator")
    await api.ok("sendMessage", chat_id=group, text="x")


async def test_control_refuses_what_makes_no_sense(api: Api) -> None:
    ann = await api.person()
    for verb, path, body, status in (
        ("POST", "users", {}, 400),
        ("POST", "chats", {"type": "private", "title": "x"}, 400),
        ("POST", "chats/999/messages", {"user_id": ann, "text": "x"}, 404),
        ("POST", f"chats/{ann}/messages", {"user_id": 999, "text": "x"}, 404),
        ("PUT", f"chats/{ann}/members/bot", {"status": "creator"}, 400),
        ("PUT", f"chats/{ann}/members/bot", {"status": "dancing"}, 400),
        ("PUT", f"chats/{ann}/members/999", {"status": "member"}, 404),
        ("POST", f"chats/{ann}/migrate", {}, 400),
        ("POST", f"chats/{ann}/threads", {"name": "x"}, 400),
        ("PUT", f"chats/{ann}/threads/5", {"name": "x", "state": "ajar"}, 400),
        ("POST", f"chats/{ann}/press", {"user_id": ann, "message_id": 99, "data": "x"}, 404),
        ("PUT", "limits", {"speed": 3}, 400),
        ("PATCH", "bots/7", {}, 404),
    ):
        answer = await api.control(verb, path, status, **body)
        assert answer["error"], path
