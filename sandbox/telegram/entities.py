"""Formatted text, parsed by TDLib. Entities count UTF-16 units, and lengths count code points."""

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from sandbox.telegram.refusals import bad_request

RAW_LIMIT = 32768  # maximum bytes of a text before parsing
TEXT_LIMIT = 4096  # maximum code points of a text after parsing
CAPTION_LIMIT = 1024
_ENTITIES_LIMIT = 9500  # maximum total bytes of a message's entities: telegram-bot-api#165
_ENTITY_BYTES = 12  # bytes of type, offset and length (TL, ``messageEntityBold``)

_PARSE_MODES = {
    "html": {"@type": "textParseModeHTML"},
    "markdown": {"@type": "textParseModeMarkdown", "version": 1},
    "markdownv2": {"@type": "textParseModeMarkdown", "version": 2},
}
_KINDS = {
    "Mention": "mention",
    "Hashtag": "hashtag",
    "Cashtag": "cashtag",
    "BotCommand": "bot_command",
    "Url": "url",
    "EmailAddress": "email",
    "PhoneNumber": "phone_number",
    "Bold": "bold",
    "Italic": "italic",
    "Underline": "underline",
    "Strikethrough": "strikethrough",
    "Spoiler": "spoiler",
    "BlockQuote": "blockquote",
    "ExpandableBlockQuote": "expandable_blockquote",
    "Code": "code",
    "Pre": "pre",
    "PreCode": "pre",
    "TextUrl": "text_link",
    "MentionName": "text_mention",
    "CustomEmoji": "custom_emoji",
    "DateTime": "date_time",
}
_BACK = {kind: name for name, kind in _KINDS.items() if name != "PreCode"}
# Telegram finds these entities itself, and drops such entities of the caller.
_FOUND_ALONE = frozenset(
    {"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"}
)
_AUTOMATIC = re.compile(r"[@#$/.:]|\d{6}|\+\d")
# Entity types of TDLib that the Bot API does not have.
_UNLISTED = ("BankCardNumber", "MediaTimestamp")


@cache
def _parser() -> Callable[[bytes], bytes | None]:
    import tdjson  # noqa: PLC0415 - an optional dependency of a running sandbox

    tdjson.td_execute(b'{"@type":"setLogVerbosityLevel","new_verbosity_level":0}')
    execute: Callable[[bytes], bytes | None] = tdjson.td_execute
    return execute


def _execute(**query: object) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(_parser()(json.dumps(query).encode()) or b"{}")
    return answer


def parse_mode_of(value: object) -> str:
    """Return the name of a parse mode in lower case, or an empty string for no mode.

    Raises:
        Refusal: The mode is unknown.
    """
    mode = str(value or "").lower()
    if mode in {"", "none"}:
        return ""
    if mode not in _PARSE_MODES:
        raise bad_request("unsupported parse_mode")
    return mode


def formatted(
    text: str, mode: str, given: list[Any] | None = None
) -> tuple[str, list[dict[str, Any]]]:
    """Return the trimmed text that Telegram displays, and all entities of the text.

    The entities include the entities that Telegram finds automatically.

    Raises:
        Refusal: The text is too long before parsing, or the markup is invalid.
    """
    if len(text) * 4 > RAW_LIMIT and len(text.encode()) > RAW_LIMIT:
        raise bad_request("text is too long")
    entities: list[dict[str, Any]] = []
    if mode:
        answer = _execute(
            **{"@type": "parseTextEntities", "text": text, "parse_mode": _PARSE_MODES[mode]}
        )
        if answer["@type"] == "error":
            raise bad_request(answer["message"])
        text, entities = answer["text"], [_shown(entity) for entity in answer["entities"]]
    elif given:
        entities = _checked(text, given)
    text, entities = _trimmed(text, entities)
    if _AUTOMATIC.search(text):
        entities = _with_automatic(text, entities)
    return text, entities


def _shown(entity: dict[str, Any]) -> dict[str, Any]:
    kind = entity["type"]
    name = kind["@type"].removeprefix("textEntityType")
    shown = {"offset": entity["offset"], "length": entity["length"], "type": _KINDS[name]}
    if name == "TextUrl":
        shown["url"] = kind["url"]
    elif name == "PreCode":
        shown["language"] = kind["language"]
    elif name == "MentionName":
        shown["user"] = {"id": int(kind["user_id"]), "is_bot": False, "first_name": ""}
    elif name == "CustomEmoji":
        shown["custom_emoji_id"] = str(kind["custom_emoji_id"])
    elif name == "DateTime":
        shown["unix_time"] = int(kind["unix_time"])
        if how := _time_format(kind.get("formatting_type")):
            shown["date_time_format"] = how
    return shown


def _time_format(how: dict[str, Any] | None) -> str:
    """Return the letters of the Bot API for a time format.

    The result is "r", or a combination of the letters w, d, D, t and T.
    """
    if how is None:
        return ""
    if how["@type"] == "dateTimeFormattingTypeRelative":
        return "r"
    letters = "w" if how.get("show_day_of_week") else ""
    for part, letter in (("date_precision", "d"), ("time_precision", "t")):
        precision = how.get(part, {}).get("@type", "")
        if precision.endswith("Short"):
            letters += letter
        elif precision.endswith("Long"):
            letters += letter.upper()
    return letters


def _checked(text: str, given: list[Any]) -> list[dict[str, Any]]:
    length = utf16(text)
    kept = []
    for entity in given:
        offset, size, kind = _read(entity)
        if kind in _FOUND_ALONE or offset < 0 or size <= 0 or offset >= length:
            continue
        kept.append(entity | {"offset": offset, "length": min(size, length - offset)})
    return sorted(kept, key=lambda entity: (entity["offset"], -entity["length"]))


def _read(entity: object) -> tuple[int, int, str]:
    what = "can't parse MessageEntity: "
    if not isinstance(entity, dict):
        raise bad_request(f"{what}expected an Object")
    numbers = []
    for field in ("offset", "length"):
        if field not in entity:
            raise bad_request(f'{what}Can\'t find field "{field}"')
        try:
            numbers.append(int(entity[field]))
        except (TypeError, ValueError):
            raise bad_request(f'{what}Field "{field}" must be of type Number') from None
    kind = entity.get("type")
    if not kind:
        raise bad_request(f"{what}Type is not specified")
    if kind not in _BACK:
        raise bad_request(f"{what}Unsupported type specified")
    return numbers[0], numbers[1], str(kind)


def are_too_long(entities: list[dict[str, Any]]) -> bool:
    """Return whether the entities of a message have more bytes than Telegram accepts."""
    size = sum(_ENTITY_BYTES + len(one.get("url", "").encode()) for one in entities)
    return size > _ENTITIES_LIMIT


def utf16(text: str) -> int:
    """Return the length of a text in UTF-16 units, the unit of entities."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _trimmed(text: str, entities: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    text = text.replace("\r", "").rstrip()
    bare = text.lstrip()
    if bare != text and not any(entity["offset"] == 0 for entity in entities):
        shift = utf16(text) - utf16(bare)
        entities = [entity | {"offset": max(0, entity["offset"] - shift)} for entity in entities]
        text = bare
    length = utf16(text)
    kept = [entity for entity in entities if entity["offset"] < length]
    return text, [
        entity
        if entity["offset"] + entity["length"] <= length
        else entity | {"length": length - entity["offset"]}
        for entity in kept
    ]


def _with_automatic(text: str, entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    answer = _execute(**{"@type": "getTextEntities", "text": text})
    taken = [
        (entity["offset"], entity["offset"] + entity["length"])
        for entity in entities
        if entity["type"] in {"text_link", "code", "pre", "text_mention", "custom_emoji"}
    ]
    found = []
    for entity in answer.get("entities", ()):
        if entity["type"]["@type"].removeprefix("textEntityType") in _UNLISTED:
            continue
        start, end = entity["offset"], entity["offset"] + entity["length"]
        if all(end <= left or start >= right for left, right in taken):
            found.append(_shown(entity))
    if not found:
        return entities
    return sorted(entities + found, key=lambda entity: (entity["offset"], -entity["length"]))
