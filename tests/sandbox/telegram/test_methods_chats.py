"""Chats: who is in them, what becomes of them."""

import pytest

from tests.sandbox.telegram.harness import OTHER_TOKEN, Api


async def test_the_bots_own_standing_is_told(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("group", ann)
    await api.updates()
    seen = []
    for status in ("administrator", "restricted", "kicked", "member", "left"):
        await api.control("PUT", f"chats/{group}/members/bot", status=status)
        [update] = [u for u in await api.updates() if "my_chat_member" in u]
        change = update["my_chat_member"]
        assert change["from"]["id"] == ann
        seen.append((change["old_chat_member"]["status"], change["new_chat_member"]["status"]))
    assert [new for _, new in seen] == ["administrator", "restricted", "kicked", "member", "left"]
    assert [old for old, _ in seen] == [
        "member",
        "administrator",
        "restricted",
        "kicked",
        "member",
    ]


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


@pytest.mark.parametrize("kind", ["group", "supergroup", "channel"])
async def test_leaving(api: Api, kind: str) -> None:
    ann = await api.person()
    chat = await api.chat(kind, ann)
    await api.updates()
    assert await api.ok("leaveChat", chat_id=chat)
    assert "my_chat_member" in (await api.updates())[-1]
    words = f"Forbidden: bot is not a member of the {kind} chat"
    assert await api.refusal("leaveChat", chat_id=chat) == (403, words)


async def test_a_channels_posts(api: Api) -> None:
    ann = await api.person()
    channel = await api.chat("channel", ann)
    await api.updates()
    said = await api.says(channel, "news", ann)
    path = f"chats/{channel}/messages/{said['message_id']}"
    await api.control("PATCH", path, text="old news")
    posted, edited = await api.updates()
    assert posted["channel_post"]["sender_chat"]["id"] == channel
    assert "from" not in posted["channel_post"]
    assert edited["edited_channel_post"]["text"] == "old news"
    sent = await api.ok("sendMessage", chat_id=channel, text="mine")
    assert sent["sender_chat"]["id"] == channel
    where = {"chat_id": channel, "message_id": said["message_id"]}
    assert (await api.ok("editMessageText", **where, text="edited by the bot"))["edit_date"]


async def test_anonymous_administrators_and_channels_speak(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("supergroup", ann)
    channel = await api.chat("channel", ann)
    await api.control("PATCH", "bots/bot", can_read_all_group_messages=True)
    await api.updates()
    await api.says(group, "/stories x", ann, sender_chat_id=group)
    await api.says(group, "/stories x", ann, sender_chat_id=channel)
    own, other = await api.updates()
    assert own["message"]["from"]["username"] == "GroupAnonymousBot"
    assert own["message"]["sender_chat"]["id"] == group
    assert other["message"]["sender_chat"]["type"] == "channel"
    assert (own["message"]["from"]["id"], other["message"]["from"]["id"]) == (
        1087968824,
        136817688,
    )


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


async def test_hidden_members_are_told_to_administrators_only(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("supergroup", ann, has_hidden_members=True)
    refused = (400, "Bad Request: CHAT_ADMIN_REQUIRED")
    assert await api.refusal("getChatMember", chat_id=group, user_id=ann) == refused
    [boss, *_] = await api.ok("getChatAdministrators", chat_id=group)
    assert boss["user"]["id"] == ann
    assert (await api.ok("getChatMember", chat_id=group, user_id=123456))["status"] == "member"
    await api.control("PUT", f"chats/{group}/members/bot", status="administrator")
    assert (await api.ok("getChatMember", chat_id=group, user_id=ann))["status"] == "creator"


async def test_what_is_written_in_a_topic_replies_to_its_first_message(api: Api) -> None:
    ann = await api.person()
    forum = await api.chat("supergroup", ann, is_forum=True, bot_status="administrator")
    await api.control("PUT", f"chats/{forum}/threads/7", name="News")
    await api.updates()
    await api.says(forum, "words", ann, thread_id=7)
    [update] = await api.updates()
    assert update["message"]["reply_to_message"]["forum_topic_created"]["name"] == "News"


async def test_migration_moves_the_members(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("group", ann)
    await api.updates()
    new = (await api.control("POST", f"chats/{group}/migrate"))["new_chat_id"]
    told = await api.updates()
    left, arrived = [update["message"] for update in told if "message" in update]
    assert [u["my_chat_member"]["chat"]["id"] for u in told if "my_chat_member" in u]
    assert (left["chat"]["id"], left["migrate_to_chat_id"]) == (group, new)
    assert (arrived["chat"]["id"], arrived["migrate_from_chat_id"]) == (new, group)
    assert (await api.ok("getChatMember", chat_id=new, user_id=ann))["status"] == "creator"
    again = await api.control("POST", f"chats/{group}/migrate", 400)
    assert "migrated" in again["error"]


async def test_slow_mode(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("supergroup", ann)
    await api.control("PATCH", f"chats/{group}", slow_mode_delay=30)
    await api.ok("sendMessage", chat_id=group, text="x")
    status, body = await api.bot("sendMessage", chat_id=group, text="x")
    assert (status, body["parameters"]) == (429, {"retry_after": 30})
    await api.control("PUT", f"chats/{group}/members/bot", status="administrator")
    await api.ok("sendMessage", chat_id=group, text="x")


async def test_two_bots_live_side_by_side(api: Api) -> None:
    ann = await api.person()
    assert (await api.ok("getMe", token=OTHER_TOKEN))["id"] == 654321
    refused = await api.refusal("sendMessage", token=OTHER_TOKEN, chat_id=ann, text="x")
    assert refused[1] == "Forbidden: bot can't initiate conversation with a user"
    group = await api.chat("group", ann)
    await api.control("PUT", f"chats/{group}/members/654321", status="member")
    await api.ok("sendMessage", token=OTHER_TOKEN, chat_id=group, text="from the other")
    assert [bot["id"] for bot in await api.control("GET", "bots")] == [123456, 654321]


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
