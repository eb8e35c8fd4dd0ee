"""What a bot says of itself: getMe, names, descriptions, commands, menu button, rights."""

import re
from typing import Any

from sandbox.telegram.call import Call, method
from sandbox.telegram.people import Profile
from sandbox.telegram.refusals import bad_request

_LIMITS = {"name": 64, "description": 512, "short_description": 120}
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_CHAT_SCOPES = frozenset({"chat", "chat_administrators", "chat_member"})
_PLAIN_SCOPES = frozenset(
    {"default", "all_private_chats", "all_group_chats", "all_chat_administrators"}
)


@method("getMe")
async def get_me(call: Call) -> dict[str, Any]:
    """The bot itself."""
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
    code = call.text("language_code")
    if code and not (len(code) == 2 and code.isascii() and code.isalpha()):
        raise bad_request("invalid language code specified")
    return code.lower()


def _set(call: Call, field: str) -> bool:
    value = call.text(field)
    language = _language(call)
    if len(value) > _LIMITS[field]:
        raise bad_request(f"{field.replace('_', ' ')} is too long" if field != "name"
                          else "name is too long")  # fmt: skip
    profile = call.bot.profiles.setdefault(language, Profile())
    setattr(profile, field, value)
    call.bot.renamed()
    call.world.events.emit("commands", chat_id=0)
    return True


def _get(call: Call, field: str) -> dict[str, Any]:
    language = _language(call)
    if field == "name":
        return {"name": call.bot.name(language)}
    for key in (language, ""):
        profile = call.bot.profiles.get(key)
        if profile is not None and (value := getattr(profile, field)):
            return {field: value}
    return {field: ""}


@method("setMyName")
async def set_my_name(call: Call) -> bool:
    """The bot's name in a language."""
    return _set(call, "name")


@method("setMyDescription")
async def set_my_description(call: Call) -> bool:
    """What an empty chat shows."""
    return _set(call, "description")


@method("setMyShortDescription")
async def set_my_short_description(call: Call) -> bool:
    """What the bot's page shows."""
    return _set(call, "short_description")


@method("getMyName")
async def get_my_name(call: Call) -> dict[str, Any]:
    """The bot's name in a language."""
    return _get(call, "name")


@method("getMyDescription")
async def get_my_description(call: Call) -> dict[str, Any]:
    """What an empty chat shows."""
    return _get(call, "description")


@method("getMyShortDescription")
async def get_my_short_description(call: Call) -> dict[str, Any]:
    """What the bot's page shows."""
    return _get(call, "short_description")


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
    """The command menu of a scope and language."""
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
    """The command menu of exactly this scope and language."""
    return call.bot.commands.get((_scope(call), _language(call)), [])


@method("deleteMyCommands")
async def delete_my_commands(call: Call) -> bool:
    """No commands for this scope and language."""
    call.bot.commands.pop((_scope(call), _language(call)), None)
    call.world.events.emit("commands", chat_id=0)
    return True


@method("setChatMenuButton")
async def set_chat_menu_button(call: Call) -> bool:
    """The button beside the input field."""
    button = call.json("menu_button", "MenuButton") or {"type": "default"}
    if not isinstance(button, dict) or button.get("type") not in {
        "commands",
        "web_app",
        "default",
    }:
        raise bad_request("can't parse menu button: MenuButton has unsupported type")
    call.bot.menu_buttons[call.integer("chat_id")] = button
    return True


@method("getChatMenuButton")
async def get_chat_menu_button(call: Call) -> dict[str, Any]:
    """The button beside the input field."""
    buttons = call.bot.menu_buttons
    return buttons.get(call.integer("chat_id")) or buttons.get(0) or {"type": "commands"}


@method("logOut")
async def log_out(call: Call) -> bool:
    """Leave the cloud server; nothing else happens here."""
    call.bot.logged_out = True
    return True


@method("close")
async def close(call: Call) -> bool:
    """Close the instance; nothing else happens here."""
    call.bot.inbox.wake()
    return True
