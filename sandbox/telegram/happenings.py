"""Actions of persons, and the resulting updates for bots."""

from typing import Any

from sandbox.telegram.model import Chat, Member, Message
from sandbox.telegram.people import Bot
from sandbox.telegram.world import World


def send_update(world: World, chat: Chat, message: Message, *, edited: bool = False) -> int | None:
    """Send a message as an update to the bots of the chat that may read the message.

    Return the id of the update for the main bot. If the main bot gets no update, return the id for
    the first bot that gets an update. Return None if no bot gets an update.
    """
    base = "channel_post" if chat.type == "channel" else "message"
    kind = f"edited_{base}" if edited else base
    told = None
    for bot in world.bots_in(chat):
        if bot is message.bot or not _reads(chat, bot, message):
            continue
        update_id = bot.inbox.put(kind, message.view(bot), f"chat:{chat.id}")
        if bot is world.bot or told is None:
            told = update_id
    return told


def _reads(chat: Chat, bot: Bot, message: Message) -> bool:
    text = message.fields.get("text") or message.fields.get("caption")
    is_reply = message.reply_to is not None and message.reply_to.bot is bot
    word = (text or "").split(maxsplit=1)[0] if (text or "").strip() else ""
    named = word.partition("@")[2].lower() if word.startswith("/") else ""
    is_named = named == bot.username.lower()
    has_content = text is not None or message.media is not None
    if has_content and _is_of_bot(message):
        # One of the two bots has the Bot-to-Bot Communication Mode.
        return chat.type != "private" and (is_reply or is_named)
    if chat.type in {"private", "channel"} or bot.reads_all or chat.is_admin(bot.id):
        return True
    if not has_content or is_reply or message.fields.get("via_bot") == bot.user():
        return True
    if _mentions(message, bot):
        return True
    is_bare = word.startswith("/") and not named
    return is_named or (is_bare and chat.last_bot == bot.id)


def _is_of_bot(message: Message) -> bool:
    """Return whether a bot of somebody else wrote a message in its own name."""
    sender = message.fields.get("from", {})
    return bool(sender.get("is_bot")) and "sender_chat" not in message.fields


def _mentions(message: Message, bot: Bot) -> bool:
    for text, marks in (("text", "entities"), ("caption", "caption_entities")):
        units = str(message.fields.get(text, "")).encode("utf-16-le")
        for one in message.fields.get(marks, ()):
            if one["type"] == "text_mention" and one["user"]["id"] == bot.id:
                return True
            start, end = 2 * one["offset"], 2 * (one["offset"] + one["length"])
            name = units[start:end].decode("utf-16-le")
            if one["type"] == "mention" and name.lower() == f"@{bot.username.lower()}":
                return True
    return False


_FORWARDED = (
    "text", "entities", "caption", "caption_entities", "media_group_id", "has_media_spoiler",
    "show_caption_above_media", "has_protected_content",
)  # fmt: skip


def forwarded_fields(message: Message) -> dict[str, Any]:
    """Return the fields of a forwarded message: the origin, and the content without media."""
    origin = message.fields.get("forward_origin") or {"date": message.fields["date"]}
    if "type" not in origin and message.chat.type == "channel":
        channel = {"chat": message.chat.brief(), "message_id": message.id}
        origin = {"type": "channel", **origin, **channel}
    elif "type" not in origin and "sender_chat" in message.fields:
        origin = {"type": "chat", **origin, "sender_chat": message.fields["sender_chat"]}
    elif "type" not in origin:
        origin = {"type": "user", **origin, "sender_user": message.fields["from"]}
    kept = {name: message.fields[name] for name in _FORWARDED if name in message.fields}
    return {"forward_origin": origin, **kept}


def forward_to_discussion_group(world: World, message: Message) -> None:
    """Forward a channel's post to the discussion group, as Telegram does.

    The bot receives an update even if the bot wrote the post, because the sender of the forwarded
    message is Telegram's account.
    """
    channel = message.chat
    group = world.chats.get(channel.linked_chat_id or 0)
    if channel.type != "channel" or group is None:
        return
    telegram = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
    fields = world.new_message_fields(group, telegram) | forwarded_fields(message)
    fields |= {"sender_chat": channel.brief(), "is_automatic_forward": True}
    copy = Message(
        group, fields["message_id"], fields, world.clock.now(),
        media=message.media, source=message.source,
    )  # fmt: skip
    send_update(world, group, world.add(copy))


def change_membership(
    world: World, chat: Chat, user_id: int, member: Member, actor: dict[str, Any]
) -> int | None:
    """Change a membership. Send service messages, my_chat_member and chat_member updates.

    Return the id of the first update about the membership, or None if no update is sent.

    Raises:
        ValueError: No person or bot has the id `user_id`.
    """
    user = world.user(user_id)
    if user is None:
        raise ValueError(f"no such user: {user_id}")
    before_member, before = chat.member(user_id), chat.member_view(user)
    if chat.type == "private" and user_id not in chat.members:
        before = {"user": user, "status": "member"}
        before_member = Member("member")
    chat.members[user_id] = member
    after = chat.member_view(user)
    _announce(world, chat, user, actor, joined=member.present and not before_member.present,
              left=before_member.present and not member.present)  # fmt: skip
    told = None
    if before == after:
        return None
    change = {
        "chat": chat.brief(),
        "from": actor,
        "date": int(world.clock.now()),
        "old_chat_member": before,
        "new_chat_member": after,
    }
    bot = world.bots.get(user_id)
    if bot is not None:
        told = bot.inbox.put("my_chat_member", change, f"chat:{chat.id}")
    for other in world.bots_in(chat):
        if other.id != user_id and chat.is_admin(other.id):
            update_id = other.inbox.put("chat_member", change, f"user:{actor['id']}")
            told = told if told is not None else update_id
    if world.events:
        world.events.emit("chat", chat_id=chat.id, chat=chat.brief())
    return told


def notify_joined_bots(world: World, chat: Chat, actor: dict[str, Any]) -> None:
    """Notify the bots of a chat that they have joined, for example after a group's migration."""
    for bot in world.bots_in(chat):
        _tell_bot(world, chat, bot, actor, Member("left"))


def remove_and_notify_bots(world: World, chat: Chat, actor: dict[str, Any]) -> None:
    """Remove the bots from a deleted supergroup, and notify the bots of the removal.

    If the supergroup was a group before, the bots are also removed and notified under the old id.
    """
    ids = [chat, *([world.chats[chat.migrated_from]] if chat.migrated_from else [])]
    for one in ids:
        for bot in list(world.bots_in(one)):
            before, one.members[bot.id] = one.member(bot.id), Member("left")
            _tell_bot(world, one, bot, actor, before)


def _tell_bot(world: World, chat: Chat, bot: Bot, actor: dict[str, Any], before: Member) -> None:
    user, now = bot.user(), chat.member(bot.id)
    after = chat.member_view(user)
    chat.members[bot.id] = before
    change = {
        "chat": chat.brief(),
        "from": actor,
        "date": int(world.clock.now()),
        "old_chat_member": chat.member_view(user),
        "new_chat_member": after,
    }
    chat.members[bot.id] = now
    bot.inbox.put("my_chat_member", change, f"chat:{chat.id}")


def _announce(
    world: World, chat: Chat, user: dict[str, Any], actor: dict[str, Any],
    *, joined: bool, left: bool,
) -> None:  # fmt: skip
    if chat.type not in {"group", "supergroup"} or not (joined or left):
        return
    fields: dict[str, Any] = {"new_chat_members": [user]} if joined else {"left_chat_member": user}
    message = world.add_service_message(chat, actor, **fields)
    send_update(world, chat, message)


def press(
    chat: Chat, person: dict[str, Any], message: Message, data: str, query_id: str
) -> tuple[Bot, int | None]:
    """Press a button: add the callback query to the person's queue at the message's bot."""
    bot = message.bot or chat.bot
    if bot is None:
        raise ValueError("the message is no bot's")
    # The Bot API's object InaccessibleMessage.
    gone = {"chat": chat.brief(), "message_id": message.id, "date": 0}
    query = {
        "id": query_id,
        "from": person,
        "message": gone if message.deleted else message.view(bot),
        "chat_instance": str(chat.id * 7919 % 2**62),
        "data": data,
    }
    return bot, bot.inbox.put("callback_query", query, f"callback:{person['id']}")
