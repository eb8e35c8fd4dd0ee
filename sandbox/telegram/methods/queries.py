"""Methods that answer pressed buttons and inline queries."""

import json
from typing import Any

from sandbox.telegram import entities, inputs, markup
from sandbox.telegram.call import Call, method
from sandbox.telegram.files import Media
from sandbox.telegram.refusals import bad_request
from sandbox.telegram.schema import load
from sandbox.telegram.world import Callback

INLINE_LIFE_S = 30.0
_OLD = "query is too old and response timeout expired or query ID is invalid"
_RESULTS = 50
_CACHED = {  # by result type: the kind of media, and the parameter of its file_id
    "photo": ("photo", "photo_file_id"),
    "video": ("video", "video_file_id"),
    "gif": ("animation", "gif_file_id"),
    "mpeg4_gif": ("animation", "mpeg4_file_id"),
    "document": ("document", "document_file_id"),
}
_NEEDED = {
    "article": ("title",),
    "photo": ("photo_url", "thumbnail_url"),
    "video": ("video_url", "mime_type", "thumbnail_url", "title"),
    "gif": ("gif_url", "thumbnail_url"),
    "mpeg4_gif": ("mpeg4_url", "thumbnail_url"),
    "document": ("document_url", "mime_type", "title"),
}


@method("answerCallbackQuery")
async def answer_callback_query(call: Call) -> bool:
    """Answer a callback query. The answer is shown to the person who pressed the button."""
    answer = call.text("text")
    if len(answer) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    callback = call.world.callbacks.get(call.text("callback_query_id"))
    if not _alive(call, callback):
        raise bad_request(_OLD)
    url = call.text("url")
    if url and not url.startswith((f"https://t.me/{call.bot.username}?start=", "tg://")):
        raise bad_request("URL_INVALID")
    assert callback is not None  # noqa: S101 - _alive has checked for None
    callback.answered = True
    callback.answer = {"show_alert": call.flag("show_alert")}
    if answer:
        callback.answer["text"] = answer
    if url:
        callback.answer["url"] = url
    query_id = call.text("callback_query_id")
    call.world.events.emit("callback", callback_query_id=query_id, chat_id=0, **callback.answer)
    return True


def _alive(call: Call, callback: Callback | None) -> bool:
    now = call.world.clock.now()
    return (
        callback is not None
        and callback.bot is call.bot
        and not callback.answered
        and (
            now - callback.at <= call.world.callback_life_s
            or call.world.switches["late_callback"] == "taken"
        )
    )


@method("answerInlineQuery")
async def answer_inline_query(call: Call) -> bool:
    """Answer an inline query with results for the list above the input field."""
    results = call.json("results", "inline query results")
    if not isinstance(results, list):
        raise bad_request("expected an Array of inline query results")
    if len(results) > _RESULTS:
        raise bad_request("too many inline query results specified")
    button = _button(call)
    media: dict[str, Media] = {}
    checked = [_result(call, result, media) for result in results]
    query = call.world.inline.get(call.text("inline_query_id"))
    now = call.world.clock.now()
    if query is None or query.bot is not call.bot or query.answer is not None:
        raise bad_request(_OLD)
    if now - query.at > INLINE_LIFE_S:
        raise bad_request(_OLD)
    ids = [result["id"] for result in checked]
    if len(set(ids)) != len(ids):
        raise bad_request("RESULT_ID_DUPLICATE")
    offset = call.text("next_offset")
    if len(offset.encode()) > 64:
        raise bad_request("NEXT_OFFSET_INVALID")
    query.answer = {
        "results": checked,
        "cache_time": min(max(call.integer("cache_time", 300), 0), 86_400),
        "is_personal": call.flag("is_personal"),
        "next_offset": offset,
    }
    if button is not None:
        query.answer["button"] = button
    query.media = media
    whose = query.person.id if query.answer["is_personal"] else 0
    question = (call.bot.id, query.query, query.offset, whose)
    call.world.cached[question] = (now + query.answer["cache_time"], call.text("inline_query_id"))
    return True


def _button(call: Call) -> dict[str, Any] | None:
    button = call.json("button", "inline query results button")
    if button is None:
        return None
    if not isinstance(button, dict) or not isinstance(button.get("text"), str):
        raise bad_request("can't parse inline query results button: Can't find field \"text\"")
    start = button.get("start_parameter")
    if start is None and "web_app" not in button:
        raise bad_request("inline query results button must have exactly one optional field")
    if start is not None:
        bare = str(start).replace("_", "").replace("-", "")
        if not 1 <= len(str(start)) <= 64 or not (bare.isalnum() and bare.isascii()):
            raise bad_request("START_PARAM_INVALID")
    return button


def _result(call: Call, result: object, media: dict[str, Media]) -> dict[str, Any]:
    if not isinstance(result, dict):
        raise bad_request("can't parse inline query result: expected an Object")
    for field in ("type", "id"):
        if field not in result:
            raise bad_request(f"can't parse inline query result: Can't find field \"{field}\"")
    kind, ident = str(result["type"]), str(result["id"])
    if not 1 <= len(ident.encode()) <= 64:
        raise bad_request("RESULT_ID_INVALID")
    if _CACHED.get(kind, ("", ""))[1] in result:
        media[ident] = _cached(call, kind, result)
    elif kind in _NEEDED:
        for field in _NEEDED[kind]:
            if not result.get(field):
                raise bad_request(f"can't parse inline query result: Can't find field \"{field}\"")
    elif f"InlineQueryResult{kind.capitalize()}" not in load().objects:
        raise bad_request("can't parse inline query result: invalid inline query result type")
    return _formatted(call, kind, result)


def _cached(call: Call, kind: str, result: dict[str, Any]) -> Media:
    if kind in {"video", "document"} and "title" not in result:
        raise bad_request("can't parse inline query result: Can't find field \"title\"")
    sent_as, file = _CACHED[kind]
    return inputs.media_of_file_id(call, sent_as, str(result[file]))


def _formatted(call: Call, kind: str, result: dict[str, Any]) -> dict[str, Any]:
    content = result.get("input_message_content")
    if content is None and kind == "article":
        raise bad_request("can't parse inline query result: message content is not specified")
    if isinstance(content, dict) and "message_text" in content:
        mode = entities.parse_mode_of(content.get("parse_mode"))
        shown, found = entities.formatted(str(content["message_text"]), mode)
        if not shown:
            raise bad_request("message text is empty")
        result = result | {"_text": shown, "_entities": found}
    if result.get("caption"):
        mode = entities.parse_mode_of(result.get("parse_mode"))
        shown, found = entities.formatted(str(result["caption"]), mode)
        result = result | {"_caption": shown, "_caption_entities": found}
    if "reply_markup" in result:
        inner = Call(call.services, call.world, call.bot, call.method,
                     {"reply_markup": json.dumps(result["reply_markup"])}, {})  # fmt: skip
        markup.of(inner)
    return result
