"""Parsing and checks of the parameter reply_markup. The result is in the Bot API's format."""

import json
from typing import Any

from sandbox.telegram.call import Call, parse_bool
from sandbox.telegram.refusals import Refusal, bad_request

_DATA_LIMIT = 64  # maximum bytes of callback data
_ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)
_STYLES = frozenset({"primary", "success", "danger"})
_TOO_MANY_BUTTONS = 100
Markup = dict[str, Any]


def _cannot(what: str, why: str) -> Refusal:
    return bad_request(f"can't parse {what}: {why}")


def inline_of(call: Call, chat_type: str = "private") -> Markup | None:
    """Return the inline keyboard of an edit. Return None for any other markup or no markup."""
    markup = of(call, chat_type)
    return markup if markup and "inline_keyboard" in markup else None


def of(call: Call, chat_type: str = "private") -> Markup | None:
    """Return the markup of a call, or None if the call has no markup.

    Raises:
        Refusal: The markup cannot be parsed, or Telegram refuses a button.
    """
    value = call.json("reply_markup", "reply keyboard markup")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in value:
        rows = _rows(value["inline_keyboard"], "inline_keyboard", "InlineKeyboardMarkup")
        keyboard = [[_inline_button(button, chat_type) for button in row] for row in rows]
        if sum(len(row) for row in keyboard) > _TOO_MANY_BUTTONS:
            raise bad_request("reply markup is too long")
        filled = [row for row in keyboard if row]
        return {"inline_keyboard": filled} if filled else None
    if "keyboard" in value:
        rows = _rows(value["keyboard"], "keyboard", "ReplyKeyboardMarkup")
        return value | {"keyboard": [[_plain_button(button) for button in row] for row in rows]}
    if parse_bool(value.get("remove_keyboard")) or parse_bool(value.get("force_reply")):
        return dict(value)
    return None


def _rows(value: object, field: str, markup: str) -> list[list[Any]]:
    where = f'field "{field}" of the {markup} must be'
    if not isinstance(value, list):
        raise bad_request(f"{where} an Array")
    if not all(isinstance(row, list) for row in value):
        raise bad_request(f"{where} an Array of Arrays")
    return value


def _text(button: dict[str, Any], what: str) -> str:
    text = button.get("text")
    if not isinstance(text, str):
        raise _cannot(what, 'Can\'t find field "text"')
    return text


def _inline_button(button: object, chat_type: str) -> dict[str, Any]:
    what = "inline keyboard button"
    if not isinstance(button, dict):
        raise _cannot(what, "InlineKeyboardButton must be an Object")
    text = _text(button, what)
    action = next((name for name in _ACTIONS if _acts(button, name)), None)
    if action is None:
        raise _cannot(what, "Text buttons are unallowed in the inline keyboard")
    if not text.strip():
        raise bad_request("inline keyboard button text must be non-empty")
    if action.startswith("switch_inline") and chat_type == "channel":
        raise bad_request(
            f"can't use {action} button in a channel chat, because users will not be able to use "
            "the button without knowing bot's username"
        )
    shown: dict[str, Any] = {"text": text}
    shown[action] = _action(action, button[action], chat_type)
    if (style := button.get("style")) is not None:
        if style not in _STYLES:
            raise _cannot(what, "invalid button style specified")
        shown["style"] = style
    if (icon := button.get("icon_custom_emoji_id")) is not None:
        shown["icon_custom_emoji_id"] = str(icon)
    return shown


def _acts(button: dict[str, Any], name: str) -> bool:
    if name in {"url", "callback_data"}:  # an empty value counts as absent
        return bool(button.get(name))
    return name in button


def _action(action: str, value: object, chat_type: str) -> object:
    what = "inline keyboard button"
    if action == "callback_data":
        if not isinstance(value, str) or not 1 <= len(value.encode()) <= _DATA_LIMIT:
            raise bad_request("BUTTON_DATA_INVALID")
    elif action == "url":
        return _url(str(value))
    elif action == "copy_text":
        text = value.get("text") if isinstance(value, dict) else None
        if not isinstance(text, str) or not 1 <= len(text) <= 256:
            raise bad_request("BUTTON_COPY_TEXT_INVALID")
    elif action == "web_app":
        url = value.get("url") if isinstance(value, dict) else None
        if chat_type != "private":
            raise bad_request("BUTTON_TYPE_INVALID")
        if not isinstance(url, str):
            raise _cannot(what, 'Can\'t find field "url"')
        if not url.startswith("https://"):
            raise bad_request(
                f"inline keyboard button Web App URL '{url}' is invalid: "
                "Only HTTPS links are allowed"
            )
    return value


def _url(url: str) -> str:
    if not url:
        raise bad_request("BUTTON_URL_INVALID")
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "http", url
    host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    if scheme.lower() not in {"http", "https", "tg", "ton", "tonsite"}:
        raise bad_request(
            f"inline keyboard button URL '{url}' is invalid: Unsupported URL protocol"
        )
    if scheme.lower() in {"http", "https"}:
        if not host or " " in url or ("." not in host and ":" not in host):
            raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
        if not separator:
            return f"http://{url}/" if "/" not in url else f"http://{url}"
        if "/" not in rest and "?" not in rest:
            return f"{url}/"
    return url


def _plain_button(button: object) -> dict[str, Any]:
    if isinstance(button, str):
        return {"text": button}
    if not isinstance(button, dict):
        raise _cannot("keyboard button", "KeyboardButton must be a String or an Object")
    _text(button, "keyboard button")
    return dict(button)


def same(left: Markup | None, right: Markup | None) -> bool:
    """Return whether two keyboards are equal."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
