"""Messages, edits, deletes."""

from typing import Any

from tests.sandbox.telegram.harness import Api, photo


async def test_a_person_writes_first_and_the_bot_answers(api: Api) -> None:
    ann = await api.person("Ann", started=False, language_code="en", username="ann")
    assert (await api.refusal("sendMessage", chat_id=ann, text="x"))[0] == 403
    said = await api.says(ann, "see https://t.me/x")
    [update] = await api.updates()
    assert update["update_id"] == said["update_id"]
    assert update["message"]["from"]["language_code"] == "en"
    assert update["message"]["entities"] == [{"type": "url", "offset": 4, "length": 14}]
    sent = await api.ok("sendMessage", chat_id=ann, text="hi")
    assert sent["chat"] == {"id": ann, "type": "private", "first_name": "Ann", "username": "ann"}
    assert await api.updates() == []  # nothing of the bot's own


async def test_text_is_parsed_by_telegrams_own_parser(api: Api) -> None:
    ann = await api.person()
    html = ' <b>é😀</b> <a href="http://a.b/">x</a> &lt;&nbsp; /go '
    sent = await api.ok("sendMessage", chat_id=ann, text=html, parse_mode="html")
    assert sent["text"] == "é😀 x <&nbsp; /go"
    assert [(e["type"], e["offset"], e["length"]) for e in sent["entities"]] == [
        ("bold", 0, 3),
        ("text_link", 4, 1),
        ("bot_command", 14, 3),
    ]
    given = [
        {"type": "italic", "offset": 0, "length": 99},
        {"type": "bold", "offset": 50, "length": 1},
    ]
    sent = await api.ok("sendMessage", chat_id=ann, text="plain", entities=given)
    assert sent["entities"] == [{"type": "italic", "offset": 0, "length": 5}]
    assert len((await api.ok("sendMessage", chat_id=ann, text="😀" * 4096))["text"]) == 4096


async def test_replies_and_topics(api: Api) -> None:
    ann = await api.person()
    forum = await api.chat("supergroup", ann, is_forum=True)
    topic = await api.control("POST", f"chats/{forum}/threads", name="News")
    thread = topic["message_thread_id"]
    sent = await api.ok("sendMessage", chat_id=forum, text="x", message_thread_id=thread)
    assert (sent["message_thread_id"], sent["is_topic_message"]) == (thread, True)
    said = await api.says(forum, "here", ann, thread_id=thread)
    answer = await api.ok(
        "sendMessage", chat_id=forum, text="y", reply_parameters={"message_id": said["message_id"]}
    )
    assert answer["reply_to_message"]["text"] == "here"
    assert answer["message_thread_id"] == thread
    lost = {"message_id": 999, "allow_sending_without_reply": True}
    sent = await api.ok("sendMessage", chat_id=forum, text="z", reply_parameters=lost)
    assert "reply_to_message" not in sent
    await api.control("PUT", f"chats/{forum}/threads/{thread}", name="Old", state="closed")
    await api.control(
        "PUT", f"chats/{forum}/members/bot", status="administrator", can_manage_topics=True
    )
    await api.ok("sendMessage", chat_id=forum, text="x", message_thread_id=thread)
    kinds = {key for update in await api.updates() for key in update.get("message", {})}
    assert {"forum_topic_created", "forum_topic_edited", "forum_topic_closed"} <= kinds


async def test_edits_of_text_keyboard_and_caption(api: Api) -> None:
    ann = await api.person()
    keyboard = {"inline_keyboard": [[{"text": "a", "callback_data": "b"}]]}
    sent = await api.ok("sendMessage", chat_id=ann, text="one", reply_markup=keyboard)
    where = {"chat_id": ann, "message_id": sent["message_id"]}
    edited = await api.ok("editMessageText", **where, text="<i>two</i>", parse_mode="HTML")
    assert (edited["text"], edited["edit_date"] > 0) == ("two", True)
    assert "reply_markup" not in edited
    edited = await api.ok("editMessageReplyMarkup", **where, reply_markup=keyboard)
    assert edited["reply_markup"] == keyboard
    _, body = await api.upload("sendPhoto", {"chat_id": ann, "caption": "a"}, photo=photo())
    where["message_id"] = body["result"]["message_id"]
    edited = await api.ok("editMessageCaption", **where, caption="b")
    assert edited["caption"] == "b"
    assert edited["photo"] == body["result"]["photo"]
    shown = (await api.shown(ann))[-1]
    assert shown["_edited_at"] >= shown["_sent_at"]


async def test_deletes_and_their_time(api: Api) -> None:
    ann = await api.person()
    first = await api.ok("sendMessage", chat_id=ann, text="old")
    api.telegram.world.clock.advance(48 * 3600 + 1)
    second = await api.ok("sendMessage", chat_id=ann, text="new")
    gone = await api.refusal("deleteMessage", chat_id=ann, message_id=first["message_id"])
    assert gone == (400, "Bad Request: message can't be deleted")
    ids = [second["message_id"], 999]
    assert await api.ok("deleteMessages", chat_id=ann, message_ids=ids) is True
    everything = await api.shown(ann, everything=True)
    assert [m["message_id"] for m in everything if m.get("_deleted")] == [second["message_id"]]
    assert [m["text"] for m in await api.shown(ann)] == ["old"]


async def test_what_a_bot_may_delete_in_groups(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("supergroup", ann)
    said = (await api.says(group, "x", ann))["message_id"]
    assert (await api.refusal("deleteMessage", chat_id=group, message_id=said))[0] == 400
    await api.control("PUT", f"chats/{group}/members/bot", status="administrator")
    assert await api.ok("deleteMessage", chat_id=group, message_id=said)


async def test_unknown_and_missing_params_are_noted(api: Api) -> None:
    ann = await api.person()
    markup = {"inline_keyboard": [[{"text": "a", "callback_data": "b", "colour": 1}]]}
    await api.ok("sendMessage", chat_id=ann, text="x", txet="y", reply_markup=markup)
    entry: Any = api.telegram.log.since(0)[-1]
    assert sorted(entry["unknown_params"]) == ["reply_markup.inline_keyboard[0][0].colour", "txet"]
    await api.refusal("sendMessage", chat_id=ann)
    assert api.telegram.log.since(0)[-1]["missing_params"] == ["text"]


async def test_markup_that_is_good(api: Api) -> None:
    ann = await api.person()
    rows: list[dict[str, Any]] = [
        {"text": "a", "url": "t.me/x", "style": "primary", "icon_custom_emoji_id": "1"},
        {"text": "b", "url": "https://t.me"},
        {"text": "c", "switch_inline_query": ""},
        {"text": "d", "copy_text": {"text": "copied"}},
        {"text": "e", "web_app": {"url": "https://a.b/"}},
        {"text": "f", "url": "tg://resolve?domain=x"},
    ]
    keyboard = {"inline_keyboard": [rows, []]}
    sent = await api.ok("sendMessage", chat_id=ann, text="x", reply_markup=keyboard)
    [shown] = sent["reply_markup"]["inline_keyboard"]
    assert [button.get("url") for button in shown] == [
        "http://t.me/x",
        "https://t.me/",
        None,
        None,
        None,
        "tg://resolve?domain=x",
    ]
    for markup in ({"force_reply": True}, {"remove_keyboard": True}, {}):
        sent = await api.ok("sendMessage", chat_id=ann, text="x", reply_markup=markup)
        assert "reply_markup" not in sent


async def test_what_a_message_carries_besides(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("group", ann)
    said = await api.says(group, "there", ann)
    other = {"message_id": said["message_id"], "chat_id": group}
    sent = await api.ok(
        "sendMessage",
        chat_id=ann,
        text="x",
        reply_parameters=other,
        protect_content=True,
        message_effect_id="5104841245755180586",
        link_preview_options={"is_disabled": True},
    )
    assert sent["has_protected_content"] is True
    assert sent["effect_id"] == "5104841245755180586"
    assert sent["link_preview_options"] == {"is_disabled": True}
    sent = await api.ok("sendMessage", chat_id=ann, text="x", disable_web_page_preview=True)
    assert sent["link_preview_options"] == {"is_disabled": True}
    _, body = await api.upload("sendPhoto", {"chat_id": ann}, photo=photo())
    picture = {"chat_id": ann, "photo": body["result"]["photo"][0]["file_id"], "caption": "c"}
    sent = await api.ok("sendPhoto", **picture, show_caption_above_media=True, has_spoiler=True)
    assert (sent["show_caption_above_media"], sent["has_media_spoiler"]) == (True, True)
    item = {
        "type": "photo",
        "media": picture["photo"],
        "caption": "c",
        "caption_entities": [{"type": "bold", "offset": 0, "length": 1}],
        "show_caption_above_media": True,
        "has_spoiler": True,
    }
    [sent] = await api.ok("sendMediaGroup", chat_id=ann, media=[item])
    assert sent["caption_entities"][0]["type"] == "bold"
    assert (sent["show_caption_above_media"], sent["has_media_spoiler"]) == (True, True)


async def test_what_another_bot_removes_at_once_is_a_500_and_is_gone(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("supergroup", ann)
    await api.control("PATCH", f"chats/{group}", deletes_posts=True)
    said: dict[str, Any] = {"chat_id": group, "text": "x"}
    words = "Internal Server Error: sent message was immediately deleted and can't be returned"
    assert await api.refusal("sendMessage", **said) == (500, words)
    sent = {
        "chat_id": group,
        "media": [{"type": "photo", "media": f"attach://f{n}"} for n in "01"],
    }
    status, body = await api.upload("sendMediaGroup", sent, f0=photo("1"), f1=photo("2"))
    assert (status, body["description"]) == (500, words)
    assert await api.shown(group) == []


async def test_a_comment_stands_in_a_thread_that_is_no_topic(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("supergroup", ann)
    post = await api.ok("sendMessage", chat_id=group, text="a post")
    await api.says(group, "/hear", ann, reply_to=post["message_id"])
    heard = (await api.updates())[-1]["message"]
    assert heard["message_thread_id"] == post["message_id"]
    assert "is_topic_message" not in heard
    answer = await api.ok(
        "sendMessage",
        chat_id=group,
        text="y",
        reply_parameters={"message_id": heard["message_id"]},
    )
    assert answer["message_thread_id"] == post["message_id"]
    assert "is_topic_message" not in answer
    thread = {"message_thread_id": post["message_id"]}
    assert "message_thread_id" not in await api.ok(
        "sendMessage", chat_id=group, text="z", **thread
    )


async def test_a_topic_is_looked_at_before_the_reply(api: Api) -> None:
    ann = await api.person()
    forum = await api.chat("supergroup", ann, is_forum=True)
    gone: dict[str, Any] = {"message_thread_id": 77, "reply_parameters": {"message_id": 999}}
    refused = await api.refusal("sendMessage", chat_id=forum, text="x", **gone)
    assert refused == (400, "Bad Request: message thread not found")


async def test_a_message_with_a_reply_field_cannot_be_edited(api: Api) -> None:
    ann = await api.person()
    field = {"force_reply": True}
    asked = await api.ok("sendMessage", chat_id=ann, text="who?", reply_markup=field)
    changed: dict[str, Any] = {"chat_id": ann, "message_id": asked["message_id"], "text": "whom?"}
    refused = await api.refusal("editMessageText", **changed)
    assert refused == (400, "Bad Request: message can't be edited")


async def test_bots_delete_nothing_that_is_older_than_two_days_whatever_their_rights(
    api: Api,
) -> None:
    ann = await api.person()
    group = await api.chat("supergroup", ann)
    rights: dict[str, Any] = {"status": "administrator", "can_delete_messages": True}
    await api.control("PUT", f"chats/{group}/members/bot", **rights)
    old = await api.ok("sendMessage", chat_id=group, text="x")
    said = await api.says(group, "y", ann)
    api.telegram.world.clock.advance(48 * 3600)
    for message in (old, said):
        refused = await api.refusal(
            "deleteMessage", chat_id=group, message_id=message["message_id"]
        )
        assert refused == (400, "Bad Request: message can't be deleted")
