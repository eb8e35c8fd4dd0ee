"""Checks whether the bot may act in a chat, with Telegram's order and error messages."""

from typing import Any

from sandbox.telegram.call import Call
from sandbox.telegram.model import GENERAL_TOPIC, Chat
from sandbox.telegram.people import Bot
from sandbox.telegram.refusals import Refusal, bad_request, forbidden

_RIGHT_OF = {
    "text": ("can_send_messages", "text messages"),
    "photo": ("can_send_photos", "photos"),
    "video": ("can_send_videos", "videos"),
    "document": ("can_send_documents", "documents"),
    "animation": ("can_send_other_messages", "animations"),
}


def find(call: Call, name: str = "chat_id") -> Chat:
    """Return the chat that a parameter names.

    Raises:
        Refusal: The chat does not exist.
    """
    value = call.params.get(name)
    if value is None or value == "":
        empty = "chat_id is empty" if name == "chat_id" else f'parameter "{name}" is required'
        raise bad_request(empty)
    if isinstance(value, str) and value[:1] == "@":
        chat = call.world.chat_by_username(value[1:])
    else:
        text = str(value).strip()
        number = int(text) if text.removeprefix("-").isdecimal() and len(text) < 20 else 0
        chat = call.world.chat(number, call.bot)
    if chat is None:
        raise bad_request("chat not found")
    return chat


def readable(call: Call, name: str = "chat_id") -> Chat:
    """Return a chat that the bot may read.

    Raises:
        Refusal: The chat does not exist, or the bot is not in the chat.
    """
    chat = find(call, name)
    if chat.type != "private":
        _check_membership(chat, call.bot, public=chat.username is not None)
    return chat


def writable(call: Call, name: str = "chat_id") -> Chat:
    """Return a chat that the bot may write to.

    Raises:
        Refusal: The chat does not exist, or the bot may not write to the chat.
    """
    chat = find(call, name)
    check_write(chat, call.bot)
    return chat


def check_write(chat: Chat, bot: Bot) -> None:
    """Check whether the bot may write to a chat.

    Raises:
        Refusal: The bot may not write. The status is 400 with migrate_to_chat_id after a
            migration, 400 for a deleted supergroup or channel, and otherwise 403.
    """
    if chat.person is not None:
        if chat.person.deactivated:
            raise forbidden("user is deactivated")
        if not chat.started:
            raise forbidden("bot can't initiate conversation with a user")
        if chat.member(bot.id).status == "kicked":
            raise forbidden("bot was blocked by the user")
        return
    if chat.migrated_to is not None:
        raise Refusal(
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            migrate_to_chat_id=chat.migrated_to,
        )
    if chat.deleted and chat.type == "group":
        raise forbidden("the group chat was deleted")
    if chat.deleted:
        raise bad_request("chat not found")
    _check_membership(chat, bot, public=False)


def _check_membership(chat: Chat, bot: Bot, *, public: bool) -> None:
    member = chat.member(bot.id)
    if member.status == "kicked":
        raise forbidden(f"bot was kicked from the {chat.kind} chat")
    if not member.present and not public:
        raise forbidden(f"bot is not a member of the {chat.kind} chat")


def check_right(chat: Chat, bot: Bot, kind: str) -> None:
    """Check whether the bot may send a kind of content to a chat.

    Raises:
        Refusal: The bot lacks the right. The status is 400, and the text names the kind.
    """
    if chat.type == "private":
        return
    if chat.type == "channel":
        if not chat.is_admin(bot.id) or not chat.may(bot.id, "can_post_messages"):
            raise bad_request("need administrator rights in the channel chat")
        return
    right, name = _RIGHT_OF[kind]
    if not chat.may(bot.id, right):
        raise bad_request(f"not enough rights to send {name} to the chat")


def direct_messages_topic(call: Call, chat: Chat) -> dict[str, Any] | None:
    """Return the target topic of a channel's direct messages, or None for any other chat.

    Raises:
        Refusal: The topic is missing or invalid. The status is 400 (td,
            ``MessageTopic::get_send_message_topic``).
    """
    if not chat.is_direct_messages:
        return None
    topic_id = call.integer("direct_messages_topic_id")
    if not topic_id:
        raise bad_request("channel direct messages topic must be specified")
    user = call.world.user(topic_id)
    if user is None:
        raise bad_request("topic not found")
    return {"topic_id": topic_id, "user": user}


def topic(call: Call, chat: Chat) -> int:
    """Return the target forum topic, or 0 for no topic.

    Raises:
        Refusal: The topic does not exist, or is closed to the bot.
    """
    thread = call.integer("message_thread_id")
    if chat.type != "private" and not chat.is_forum:
        return 0  # the server ignores the parameter in this case: Client.cpp, check_message_topic
    if thread <= 0:
        general = chat.topics.get(GENERAL_TOPIC)
        if general and not chat.is_open_to(call.bot.id, general):
            raise bad_request("TOPIC_CLOSED")
        return 0
    found = chat.topics.get(thread) if chat.has_topics else None
    if found is None or found.state == "deleted" or thread == GENERAL_TOPIC:
        raise bad_request("message thread not found")
    if not chat.is_open_to(call.bot.id, found):
        raise bad_request("TOPIC_CLOSED")
    return thread
