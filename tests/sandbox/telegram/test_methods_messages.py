"""Messages, edits, deletes."""

from typing import Any

from tests.sandbox.telegram.harness import Api


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


async def test_what_has_a_keyboard_of_its_own_is_not_edited(api: Api) -> None:
    ann = await api.person()
    sent = await api.ok("sendMessage", chat_id=ann, text="x", reply_markup={"keyboard": [["a"]]})
    edit = {"chat_id": ann, "message_id": sent["message_id"], "text": "y"}
    assert await api.refusal("editMessageText", **edit) == (
        400,
        "Bad Request: message can't be edited",
    )


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
