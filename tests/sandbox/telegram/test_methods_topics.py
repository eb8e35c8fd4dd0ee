"""Topics that the bot makes: in forums, and in private chats where its owner turned them on."""

from typing import Any

from tests.sandbox.telegram.harness import Api

LEADS: dict[str, Any] = {"bot_status": "administrator", "bot_rights": {"can_manage_topics": True}}


async def test_the_bot_makes_a_topic_and_is_told_of_it(api: Api) -> None:
    ann = await api.person()
    forum = await api.chat("supergroup", ann, is_forum=True, **LEADS)
    await api.updates()
    made = await api.ok("createForumTopic", chat_id=forum, name="n" * 130)
    thread = made["message_thread_id"]
    assert made["name"] == "n" * 128
    await api.ok("editForumTopic", chat_id=forum, message_thread_id=thread, name="new")
    created, edited = (update["message"] for update in await api.updates())
    assert (created["message_id"], created["message_thread_id"]) == (thread, thread)
    assert created["from"]["id"] == 123456
    assert edited["forum_topic_edited"] == {"name": "new"}
    sent = await api.ok("sendMessage", chat_id=forum, text="x", message_thread_id=thread)
    assert sent["message_thread_id"] == thread


async def test_topics_in_private_chats_are_turned_on_for_the_bot(api: Api) -> None:
    ann = await api.person()
    assert (await api.ok("getMe"))["has_topics_enabled"] is False
    await api.control("PATCH", "bots/123456", has_topics_enabled=True)
    assert (await api.ok("getMe"))["has_topics_enabled"] is True
    await api.updates()
    made = await api.ok("createForumTopic", chat_id=ann, name="ours")
    thread = made["message_thread_id"]
    sent = await api.ok("sendMessage", chat_id=ann, text="x", message_thread_id=thread)
    assert (sent["message_thread_id"], sent["is_topic_message"]) == (thread, True)
    await api.says(ann, "here", thread_id=thread)
    created, said = (update["message"] for update in await api.updates())
    assert created["forum_topic_created"]["name"] == "ours"
    assert "reply_to_message" not in said
    await api.control("PUT", f"chats/{ann}/threads/{thread}", name="ours", state="deleted")
    lost = await api.refusal("sendMessage", chat_id=ann, text="x", message_thread_id=thread)
    assert lost == (400, "Bad Request: message thread not found")
