"""Parsing and length checks of a call's text and captions."""

import json
from typing import Any

from sandbox.telegram import entities
from sandbox.telegram.call import Call, parse_bool
from sandbox.telegram.refusals import bad_request


def message_text(call: Call) -> dict[str, Any]:
    """Return the `text` and `entities` of a message.

    Raises:
        Refusal: The text is empty, too long or has invalid markup.
    """
    raw = call.text("text")
    if not raw:
        raise bad_request("message text is empty")
    mode = entities.parse_mode_of(call.params.get("parse_mode"))
    given = None if mode else _given(call, "entities")
    text, found = entities.formatted(raw, mode, given)
    if not text:
        raise bad_request("message text is empty")
    if len(text) > entities.TEXT_LIMIT:
        raise bad_request("message is too long")
    body: dict[str, Any] = {"text": text}
    if found:
        body["entities"] = found
    options = call.json("link_preview_options", "link preview options")
    if isinstance(options, dict) and options:
        body["link_preview_options"] = options
    elif call.flag("disable_web_page_preview"):
        body["link_preview_options"] = {"is_disabled": True}
    return body


def _given(call: Call, name: str) -> list[Any] | None:
    """Return the caller's entities. A value is ignored if it is not a JSON array.

    The real server ignores such values too.
    """
    value = call.params.get(name)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, list) else None


def caption(call: Call) -> dict[str, Any]:
    """Return the `caption` and `caption_entities` of a call with one file."""
    body = of_caption(
        call.text("caption"), call.params.get("parse_mode"), _given(call, "caption_entities")
    )
    if body and call.flag("show_caption_above_media"):
        body["show_caption_above_media"] = True
    if call.flag("has_spoiler"):
        body["has_media_spoiler"] = True
    return body


def of_caption(raw: str, mode: object, given: list[Any] | None) -> dict[str, Any]:
    """Return `caption` and `caption_entities`, or an empty dict if there is no caption.

    Raises:
        Refusal: The caption is too long or has invalid markup.
    """
    name = entities.parse_mode_of(mode)
    if not raw:
        return {}
    text, found = entities.formatted(raw, name, None if name else given)
    if len(text) > entities.CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    if not text:
        return {}
    body: dict[str, Any] = {"caption": text}
    if found:
        body["caption_entities"] = found
    return body


def has_too_long_entities(body: dict[str, Any]) -> bool:
    """Return whether the text or the caption has more bytes of entities than Telegram accepts."""
    return entities.are_too_long(body.get("entities", []) + body.get("caption_entities", []))


def check_entities(body: dict[str, Any]) -> None:
    """Refuse a message with too long entities. As at Telegram, this must be the last check.

    Raises:
        Refusal: The entities have too many bytes. The status is 400.
    """
    if has_too_long_entities(body):
        raise bad_request("ENTITIES_TOO_LONG")


def of_item(item: dict[str, Any]) -> dict[str, Any]:
    """Return the `caption` and `caption_entities` of an album item or of an edit."""
    given = item.get("caption_entities")
    body = of_caption(
        str(item.get("caption") or ""),
        item.get("parse_mode"),
        given if isinstance(given, list) else None,
    )
    if body and parse_bool(item.get("show_caption_above_media")):
        body["show_caption_above_media"] = True
    if parse_bool(item.get("has_spoiler")):
        body["has_media_spoiler"] = True
    return body
