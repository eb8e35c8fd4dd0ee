"""Methods for chats: information, members, and leaveChat."""

from typing import Any

from sandbox.telegram import happenings, targets
from sandbox.telegram.call import Call, method, parse_int
from sandbox.telegram.model import MEMBER_RIGHTS, Member
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
    """Return the full information on a chat."""
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
    return full


def _user(call: Call) -> dict[str, Any]:
    value = call.params.get("user_id")
    if value in {None, ""}:
        raise bad_request("invalid user_id specified")
    user_id = parse_int(value)
    if user_id <= 0:
        raise bad_request("invalid user_id specified")
    user = call.world.user(user_id)
    if user is None:
        raise bad_request("user not found")
    return user


@method("getChatMember")
async def get_chat_member(call: Call) -> dict[str, Any]:
    """Return the membership of a user in a chat."""
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
    """Return the administrators of a chat, without other bots."""
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
    """Return the number of members of a chat."""
    chat = targets.readable(call)
    if chat.type == "private":
        return 2
    return sum(member.present for member in chat.members.values())


@method("leaveChat")
async def leave_chat(call: Call) -> bool:
    """Remove the bot from a group or channel."""
    chat = targets.readable(call)
    if chat.type == "private":
        raise bad_request("chat member status can't be changed in private chats")
    if not chat.member(call.bot.id).present:
        raise forbidden(f"bot is not a member of the {chat.kind} chat")
    happenings.change_membership(call.world, chat, call.bot.id, Member("left"), call.bot.user())
    return True
