"""What a bot may ask about chats, and leaving one."""

from typing import Any

from sandbox.telegram import happenings, targets
from sandbox.telegram.call import Call, method, whole
from sandbox.telegram.model import MEMBER_RIGHTS, Chat, Member
from sandbox.telegram.refusals import bad_request, forbidden

_GIFTS = {
    "unlimited_gifts": False,
    "limited_gifts": False,
    "unique_gifts": False,
    "premium_subscription": False,
    "gifts_from_channels": False,
}


@method("getChat")
async def get_chat(call: Call) -> dict[str, Any]:
    """All about a chat."""
    chat = targets.readable(call)
    full: dict[str, Any] = chat.brief() | {
        "accent_color_id": abs(chat.id) % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": _GIFTS,
    }
    if chat.username or (chat.person and chat.person.username):
        full["active_usernames"] = [chat.username or (chat.person and chat.person.username)]
    if chat.type in {"group", "supergroup"}:
        full["permissions"] = {
            right: chat.permissions.get(right, right != "can_manage_topics")
            for right in MEMBER_RIGHTS
        }
        full["permissions"].pop("can_react_to_messages")
        full["permissions"].pop("can_edit_tag")
    if chat.slow_mode_delay:
        full["slow_mode_delay"] = chat.slow_mode_delay
    if chat.linked_chat_id is not None:
        full["linked_chat_id"] = chat.linked_chat_id
    if chat.has_hidden_members:
        full["has_hidden_members"] = True
    pinned = [m for i in chat.pinned if (m := chat.messages.get(i)) and not m.deleted]
    if pinned:
        full["pinned_message"] = pinned[-1].view(call.bot, nested=True)
    return full


def _user(call: Call) -> dict[str, Any]:
    value = call.params.get("user_id")
    if value in {None, ""}:
        raise bad_request("invalid user_id specified")
    user_id = whole(value)
    if user_id <= 0:
        raise bad_request("invalid user_id specified")
    user = call.world.user(user_id)
    if user is None:
        raise bad_request("user not found")
    return user


@method("getChatMember")
async def get_chat_member(call: Call) -> dict[str, Any]:
    """Somebody's standing in a chat."""
    user = _user(call)
    chat = targets.readable(call)
    if chat.type == "private":
        if user["id"] not in {chat.id, call.bot.id}:
            raise bad_request("member not found")
        return {"user": user, "status": "member"}
    if chat.type == "channel" and not chat.is_admin(call.bot.id):
        raise bad_request("member list is inaccessible")
    hidden = chat.has_hidden_members and user["id"] != call.bot.id
    if hidden and not chat.is_admin(call.bot.id):
        raise bad_request("CHAT_ADMIN_REQUIRED")
    return chat.member_view(user)


@method("getChatAdministrators")
async def get_chat_administrators(call: Call) -> list[dict[str, Any]]:
    """Who runs a chat, other bots left out."""
    chat = targets.readable(call)
    if chat.type == "private":
        raise bad_request("there are no administrators in the private chat")
    if chat.type == "channel" and not chat.is_admin(call.bot.id):
        raise bad_request("member list is inaccessible")
    admins = []
    for user_id in chat.members:
        user = call.world.user(user_id)
        if user and chat.is_admin(user_id) and (not user["is_bot"] or user_id == call.bot.id):
            admins.append(chat.member_view(user))
    return admins


@method("getChatMemberCount")
async def get_chat_member_count(call: Call) -> int:
    """How many are in a chat."""
    chat = targets.readable(call)
    if chat.type == "private":
        return 2
    return sum(member.present for member in chat.members.values())


@method("leaveChat")
async def leave_chat(call: Call) -> bool:
    """Go away from a group or channel."""
    chat = targets.readable(call)
    if chat.type == "private":
        raise bad_request("chat member status can't be changed in private chats")
    if not chat.member(call.bot.id).present:
        raise forbidden(f"bot is not a member of the {chat.kind} chat")
    happenings.standing(call.world, chat, call.bot.id, Member("left"), call.bot.user())
    return True


def _pinner(call: Call) -> Chat:
    chat = targets.writable(call)
    right = "can_edit_messages" if chat.type == "channel" else "can_pin_messages"
    if chat.type != "private" and not (
        chat.is_admin(call.bot.id) and chat.may(call.bot.id, right)
    ):
        raise bad_request("not enough rights to manage pinned messages in the chat")
    return chat


@method("pinChatMessage")
async def pin_chat_message(call: Call) -> bool:
    """Keep a message on top."""
    chat = _pinner(call)
    message = chat.messages.get(call.integer("message_id"))
    if message is None or message.deleted:
        raise bad_request("message to pin not found")
    if message.id in chat.pinned:
        chat.pinned.remove(message.id)
    chat.pinned.append(message.id)
    return True


@method("unpinChatMessage")
async def unpin_chat_message(call: Call) -> bool:
    """Let go of one pinned message, the latest by default."""
    chat = _pinner(call)
    message_id = call.integer("message_id") or (chat.pinned[-1] if chat.pinned else 0)
    if message_id not in chat.pinned:
        raise bad_request("message to unpin not found")
    chat.pinned.remove(message_id)
    return True


@method("unpinAllChatMessages")
async def unpin_all_chat_messages(call: Call) -> bool:
    """Let go of all pinned messages."""
    _pinner(call).pinned.clear()
    return True
