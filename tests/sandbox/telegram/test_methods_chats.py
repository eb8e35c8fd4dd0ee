"""Chats: who is in them, what becomes of them."""

import pytest

from tests.sandbox.telegram.harness import Api


@pytest.mark.slow
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


async def test_slow_mode(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("supergroup", ann)
    await api.control("PATCH", f"chats/{group}", slow_mode_delay=30)
    await api.ok("sendMessage", chat_id=group, text="x")
    status, body = await api.bot("sendMessage", chat_id=group, text="x")
    assert (status, body["parameters"]) == (429, {"retry_after": 30})
    await api.control("PUT", f"chats/{group}/members/bot", status="administrator")
    await api.ok("sendMessage", chat_id=group, text="x")


async def test_direct_messages_of_a_channel_need_their_topic(api: Api) -> None:
    """Td, ``MessageTopic::get_send_message_topic``; Client.cpp, ``direct_messages_topic``."""
    ann, bea = await api.person(), await api.person("Bea")
    chat = await api.chat("supergroup", ann, bot_status="administrator", is_direct_messages=True)
    await api.updates()
    await api.says(chat, "hello", bea)
    [update] = await api.updates()
    assert update["message"]["chat"]["is_direct_messages"] is True
    assert update["message"]["direct_messages_topic"]["topic_id"] == bea
    words = "Bad Request: channel direct messages topic must be specified"
    assert await api.refusal("sendMessage", chat_id=chat, text="x") == (400, words)
    assert await api.refusal("sendChatAction", chat_id=chat, action="typing") == (400, words)
    sent = await api.ok("sendMessage", chat_id=chat, text="x", direct_messages_topic_id=bea)
    assert sent["direct_messages_topic"]["user"]["id"] == bea


async def test_a_chat_action_in_a_channel_is_answered_and_not_sent(api: Api) -> None:
    ann, seen = await api.person(), list[object]()
    channel = await api.chat("channel", ann)
    api.telegram.subscribe(lambda event: seen.append(event["kind"]))
    await api.ok("sendChatAction", chat_id=channel, action="typing")
    assert "action" not in seen
    await api.ok("sendChatAction", chat_id=ann, action="typing")
    assert "action" in seen
