"""The last part of a send: the final checks, the new message, and the response."""

import asyncio
from dataclasses import dataclass
from typing import Any

from sandbox.telegram import happenings, markup, targets
from sandbox.telegram.call import Call, parse_bool, parse_int
from sandbox.telegram.files import Media
from sandbox.telegram.model import Chat, Message
from sandbox.telegram.refusals import DELETED_AT_ONCE, Refusal, bad_request, too_many_requests


@dataclass(slots=True)
class Place:
    """The target and the options of a message."""

    chat: Chat
    thread: int
    reply_to: Message | None
    keyboard: dict[str, Any] | None  # the keyboard below the message
    # A keyboard that replaces the keyboard of the person's device.
    reply_keyboard: dict[str, Any] | None
    protected: bool
    direct_topic: dict[str, Any] | None = None  # topic of a channel's direct messages


def check_target(call: Call, kind: str, *, with_markup: bool = True) -> Place:
    """Check the target and the options in a call. Return the target of the new message.

    `kind` is the kind of the message: text, photo, video, document or animation.

    Raises:
        Refusal: A check fails. The checks are made in the order of the real server.
    """
    reply = _reply_parameters(call)
    given = markup.of(call) if with_markup else None
    chat = targets.writable(call)
    if given and "inline_keyboard" not in given and chat.type == "channel":
        raise bad_request("inline keyboard expected")  # source: td, ReplyMarkup.cpp
    if given and "inline_keyboard" in given and chat.type != "private":
        given = markup.of(call, chat.type)
    direct_topic = targets.direct_messages_topic(call, chat)
    thread = targets.topic(call, chat)  # the topic is checked before the reply: Client.cpp
    reply_to = _reply_target(call, chat, reply)
    if reply_to is not None and not thread:
        thread = reply_to.thread_of_replies
    targets.check_right(chat, call.bot, kind)
    if call.text("message_effect_id") and chat.type != "private":
        raise bad_request("can't use message effects in the chat")
    inline = given if given and "inline_keyboard" in given else None
    below = None if inline else given
    protected = call.flag("protect_content")
    return Place(chat, thread, reply_to, inline, below, protected, direct_topic)


def _reply_parameters(call: Call) -> dict[str, Any]:
    if "reply_parameters" in call.params:
        value = call.json("reply_parameters", "reply parameters")
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise bad_request("object expected as reply parameters")
        return value
    if "reply_to_message_id" in call.params:
        return {
            "message_id": call.integer("reply_to_message_id"),
            "allow_sending_without_reply": call.flag("allow_sending_without_reply"),
        }
    return {}


def _reply_target(call: Call, chat: Chat, reply: dict[str, Any]) -> Message | None:
    message_id = parse_int(reply.get("message_id", 0))
    if message_id <= 0:
        return None
    where = chat
    other = reply.get("chat_id")
    if other not in {None, "", chat.id, str(chat.id)}:
        found = call.world.chat(parse_int(other), call.bot)
        if found is None:
            raise bad_request("chat not found")
        where = found
    message = where.messages.get(message_id)
    if message is None or message.deleted:
        is_taken = call.world.switches["reply_to_a_deleted_message"] == "sent"
        if is_taken and parse_bool(reply.get("allow_sending_without_reply")):
            return None
        raise bad_request("message to be replied not found")
    return message


async def count_or_refuse(call: Call, chat: Chat, weight: int = 1) -> None:
    """Count messages against the flood limits and the chat's slow mode.

    TDLib delays a bot's message for up to ``hold_s`` seconds in total before refusing the message
    (``NetQueryCreator``: 8; ``NetQueryDelayer``).

    Raises:
        Refusal: A flood limit or the slow mode is exceeded. The status is 429.
    """
    held = 0
    while True:
        try:
            _charge(call, chat, weight)
        except Refusal as refusal:
            wait = refusal.parameters["retry_after"]
            held += wait
            if held > call.services.limits.hold_s:
                raise
            await asyncio.sleep(wait)
        else:
            return


def _charge(call: Call, chat: Chat, weight: int) -> None:
    limits = call.services.limits
    if limits.enabled:
        limits.count_or_refuse(call.bot.id, chat.id, weight, call.world.clock.now())
    if chat.slow_mode_delay and not chat.is_admin(call.bot.id):
        now = call.world.clock.now()
        wait = chat.last_sent_at.get(call.bot.id, -1e12) + chat.slow_mode_delay - now
        if wait > 0:
            raise too_many_requests(int(wait) + 1)
        chat.last_sent_at[call.bot.id] = now


def post(
    call: Call, where: Place, body: dict[str, Any], media: Media | None = None, source: str = ""
) -> Message:
    """Add the bot's message to the chat, and return the message.

    A post in a channel is also forwarded to the discussion group.
    """
    chat, world = where.chat, call.world
    if chat.type == "channel":
        fields = world.new_message_fields(chat, None)
        fields["sender_chat"] = chat.brief()
    else:
        fields = world.new_message_fields(chat, call.bot.user())
    if where.thread:
        fields["message_thread_id"] = where.thread
        if chat.has_topics:
            fields["is_topic_message"] = True
    if where.direct_topic:
        fields["direct_messages_topic"] = where.direct_topic
    if where.protected:
        fields["has_protected_content"] = True
    fields |= body
    if where.keyboard is not None:
        fields["reply_markup"] = where.keyboard
    if effect := call.text("message_effect_id"):
        fields["effect_id"] = effect
    message = Message(
        chat,
        fields["message_id"],
        fields,
        world.clock.now(),
        bot=call.bot,
        media=media,
        source=source or None,
        reply_to=where.reply_to,
        reply_keyboard=where.reply_keyboard,
        is_silent=call.flag("disable_notification"),
    )
    call.made.append(message)
    world.add(message)
    happenings.forward_to_discussion_group(world, message)
    return message


def views_or_refusal(call: Call, messages: list[Message]) -> list[dict[str, Any]]:
    """Return the sent messages as objects for the bot that made the call.

    If a different bot deletes all posts in the chat, the messages are deleted.

    Raises:
        Refusal: A different bot has deleted the messages: Client.cpp, delete_message.
    """
    if messages[0].chat.deletes_posts:
        for message in messages:
            call.world.delete(message)
        raise DELETED_AT_ONCE
    return [message.view(call.bot) for message in messages]
