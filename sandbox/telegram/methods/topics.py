"""Methods that create and rename forum topics."""

from typing import Any

from sandbox.telegram import happenings, targets
from sandbox.telegram.call import Call, method
from sandbox.telegram.model import ICON_COLOR, Chat
from sandbox.telegram.refusals import bad_request

_LONGEST_NAME = 128  # characters; longer names are truncated; td, ForumTopicManager.h


def _forum(call: Call) -> Chat:
    chat = targets.writable(call)
    if not chat.has_topics:
        raise bad_request("the chat is not a forum")
    return chat


def _name(call: Call) -> str:
    name = " ".join(call.text("name").split())[:_LONGEST_NAME].strip()
    if not name:
        raise bad_request("name must be non-empty")
    return name


@method("createForumTopic")
async def create_forum_topic(call: Call) -> dict[str, Any]:
    """Create a topic in a forum, or in a private chat of a bot with topics."""
    chat = _forum(call)
    if not chat.may_create_topics(call.bot.id):
        raise bad_request("not enough rights to create a topic")
    name = _name(call)
    color = call.integer("icon_color") or ICON_COLOR
    if not 0 <= color <= 0xFFFFFF:
        raise bad_request("invalid icon color specified")
    topic, message = call.world.add_topic(chat, call.bot.user(), name, icon_color=color)
    happenings.send_update(call.world, chat, message)
    return {"message_thread_id": topic.id, "name": topic.name, "icon_color": topic.icon_color}


@method("editForumTopic")
async def edit_forum_topic(call: Call) -> bool:
    """Rename a topic that the bot created or may manage."""
    chat = _forum(call)
    thread = call.integer("message_thread_id")
    if thread <= 0:
        raise bad_request("invalid forum topic identifier specified")
    topic = chat.topics.get(thread)
    if topic is None or topic.state == "deleted":
        raise bad_request("TOPIC_ID_INVALID")
    is_ours = topic.made_by == call.bot.id or chat.type == "private"
    if not is_ours and not chat.may_manage_topics(call.bot.id):
        raise bad_request("not enough rights to edit the topic")
    if not call.text("name"):
        return True
    name = _name(call)
    if name == topic.name:
        raise bad_request("TOPIC_NOT_MODIFIED")
    topic.name = name
    edited = {"name": name}
    message = call.world.add_service_message(
        chat, call.bot.user(), thread, forum_topic_edited=edited
    )
    happenings.send_update(call.world, chat, message)
    return True
