"""Methods for a bot's own account: getMe, descriptions, commands."""

import re
from typing import Any

from sandbox.telegram.call import Call, method
from sandbox.telegram.people import Profile
from sandbox.telegram.refusals import bad_request

_LIMITS = {"description": 512, "short_description": 120}
_LANGUAGE = re.compile(r"[a-z]{2}")
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_CHAT_SCOPES = frozenset({"chat", "chat_administrators", "chat_member"})
_PLAIN_SCOPES = frozenset(
    {"default", "all_private_chats", "all_group_chats", "all_chat_administrators"}
)


@method("getMe")
async def get_me(call: Call) -> dict[str, Any]:
    """Return the bot's own User."""
    bot = call.bot
    return bot.user() | {
        "can_join_groups": True,
        "can_read_all_group_messages": bot.reads_all,
        "supports_inline_queries": bot.inline,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": bot.has_topics,
        "allows_users_to_create_topics": bot.users_make_topics,
        "can_manage_bots": False,
    }


def _language(call: Call) -> str:
    """Return the language code: two lower-case letters, or an empty string.

    Raises:
        Refusal: The code is invalid. The status is 400 (td, ``validate_bot_language_code``).
    """
    code = call.text("language_code")
    if code and not _LANGUAGE.fullmatch(code):
        raise bad_request("invalid language code specified")
    return code


def _set(call: Call, field: str) -> bool:
    value = call.text(field)
    language = _language(call)
    if len(value) > _LIMITS[field]:
        raise bad_request(f"{field.replace('_', ' ')} is too long")
    profile = call.bot.profiles.setdefault(language, Profile())
    setattr(profile, field, value)
    call.world.events.emit("commands", chat_id=0)
    return True


@method("setMyDescription")
async def set_my_description(call: Call) -> bool:
    """Set the description, which is displayed in an empty chat. Return True."""
    return _set(call, "description")


@method("setMyShortDescription")
async def set_my_short_description(call: Call) -> bool:
    """Set the short description, which is displayed on the bot's profile page."""
    return _set(call, "short_description")


def _scope(call: Call) -> str:
    value = call.json("scope", "BotCommandScope")
    if value is None:
        return "default"
    if not isinstance(value, dict):
        raise bad_request("BotCommandScope must be an Object")
    kind = value.get("type")
    if kind in _PLAIN_SCOPES:
        return str(kind)
    if kind not in _CHAT_SCOPES:
        raise bad_request("unsupported BotCommandScope type" if kind else
                          "can't parse BotCommandScope: Can't find field \"type\"")  # fmt: skip
    chat_id = value.get("chat_id")
    if chat_id in {None, ""}:
        raise bad_request("chat_id is empty")
    if kind != "chat_member":
        return f"{kind}:{chat_id}"
    return f"{kind}:{chat_id}:{value.get('user_id', 0)}"


def _command(item: object) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise bad_request("expected an Array of BotCommand")
    for field in ("command", "description"):
        if not isinstance(item.get(field), str):
            raise bad_request(f"can't parse BotCommand: Can't find field \"{field}\"")
    command = item["command"].removeprefix("/").strip()
    description = item["description"].strip()
    if not command:
        raise bad_request("BOT_COMMAND_INVALID")
    if len(command) > 32:
        raise bad_request("command length must not exceed 32")
    if not _COMMAND.fullmatch(command):
        raise bad_request("BOT_COMMAND_INVALID")
    if not description:
        raise bad_request("command description must be non-empty")
    if len(description) > 256:
        raise bad_request("command description length must not exceed 256")
    return {"command": command, "description": description}


@method("setMyCommands")
async def set_my_commands(call: Call) -> bool:
    """Set the command menu of a scope and language."""
    value = call.json("commands", "commands")
    if value is None:
        value = []
    if not isinstance(value, list):
        raise bad_request("expected an Array of BotCommand")
    if len(value) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    commands = [_command(item) for item in value]
    key = (_scope(call), _language(call))
    call.bot.commands[key] = commands
    call.world.events.emit("commands", chat_id=0)
    return True


@method("getMyCommands")
async def get_my_commands(call: Call) -> list[dict[str, Any]]:
    """Return the command menu of exactly the given scope and language."""
    return call.bot.commands.get((_scope(call), _language(call)), [])
