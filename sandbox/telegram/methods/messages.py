"""Methods for text messages, edits, deletions, reactions and chat actions."""

from typing import Any

from sandbox.telegram import inputs, markup, sending, targets, text
from sandbox.telegram.call import Call, method
from sandbox.telegram.model import Chat, Message
from sandbox.telegram.refusals import bad_request

ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "record_audio",
        "upload_audio",
        "upload_document",
        "choose_sticker",
        "find_location",
        "pick_up_location",
        "record_video_note",
        "upload_video_note",
    }
)
_TWO_DAYS_S = 48 * 3600
_TEXT = frozenset({"text", "entities", "link_preview_options"})
_CAPTION = frozenset({"caption", "caption_entities", "show_caption_above_media"})
_SAME = (
    "message is not modified: specified new message content and reply markup are exactly the "
    "same as a current content and reply markup of the message"
)

# Only these emoji are valid in a reaction. Source: Bot API, ReactionTypeEmoji.
_EMOJI = """
☃ ⚡ ✍ ❤ ❤️‍🔥 🆒 🌚 🌭 🍌 🍓 🍾 🎃 🎄 🎅 🎉 🏆 🐳 👀 👌 👍 👎
👏 👨‍💻 👻 👾 💅 💊 💋 💔 💘 💩 💯 🔥 🕊 🖕 🗿 😁 😇 😈 😍 😎 😐
😘 😡 😢 😨 😭 😱 😴 🙈 🙉 🙊 🙏 🤓 🤔 🤗 🤝 🤡 🤣 🤨 🤩 🤪 🤬 🤮
🤯 🤷 🤷‍♀️ 🤷‍♂️ 🥰 🥱 🥴 🦄 🫡
"""
_REACTIONS = frozenset(_EMOJI.split())


@method("sendMessage")
async def send_message(call: Call) -> dict[str, Any]:
    """Send a text message."""
    tag = call.world.switches["time_tag"]
    if tag == "refused" and "<tg-time" in call.text("text"):
        raise bad_request('can\'t parse entities: Unsupported start tag "tg-time"')
    body = text.message_text(call)
    if tag == "ignored" and "entities" in body:
        body["entities"] = [one for one in body["entities"] if one["type"] != "date_time"]
    where = sending.check_target(call, "text")
    await sending.count_or_refuse(call, where.chat)
    text.check_entities(body)
    return sending.views_or_refusal(call, [sending.post(call, where, body)])[0]


@method("sendChatAction")
async def send_chat_action(call: Call) -> bool:
    """Show a chat action, e.g. "typing", in the head of a chat. Return True.

    In a channel, the server responds without sending the action (td,
    ``DialogActionManager::send_dialog_action``, ``DialogManager::is_dialog_action_unneeded``). The
    method has no parameter for a topic of a channel's direct messages.
    """
    action = call.text("action")
    if action.lower() not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat = targets.writable(call)
    if chat.type == "channel":
        return True
    targets.direct_messages_topic(call, chat)
    thread = targets.topic(call, chat)
    call.world.events.emit("action", chat_id=chat.id, action=action.lower(), thread_id=thread)
    return True


def _editable(call: Call) -> tuple[Chat, Message]:
    chat = targets.writable(call)
    message_id = call.integer("message_id")
    if message_id <= 0:
        raise bad_request("message identifier is not specified")
    message = chat.messages.get(message_id)
    if message is None or message.deleted:
        raise bad_request("message to edit not found")
    posts = chat.type == "channel" and chat.may(call.bot.id, "can_edit_messages")
    if message.bot is not call.bot and not posts:
        raise bad_request("message can't be edited")
    # A message with a reply keyboard cannot be edited: td, can_edit_message.
    if message.reply_keyboard is not None:
        raise bad_request("message can't be edited")
    return chat, message


def _changed(call: Call, message: Message) -> dict[str, Any]:
    now = call.world.clock.now()
    message.edited_at = now
    message.fields["edit_date"] = int(now)
    call.world.emit_edit(message)
    return message.view(call.bot)


def _apply(
    call: Call,
    message: Message,
    body: dict[str, Any],
    replaced: frozenset[str],
    *,
    other_file: bool = False,
) -> None:
    """Replace the fields `replaced` of a message by `body`. Set the keyboard in the call.

    Raises:
        Refusal: The message would not change, or there are too many edits.
    """
    keyboard = markup.inline_of(call, message.chat.type)
    kept = {name: value for name, value in message.fields.items() if name in replaced}
    same = kept == body and markup.same(message.fields.get("reply_markup"), keyboard)
    if same and not other_file and call.world.switches["edit_to_the_same"] == "refused":
        raise bad_request(_SAME)
    _charge(call, message)
    text.check_entities(body)
    message.fields = {k: v for k, v in message.fields.items() if k not in replaced} | body
    _set_keyboard(message, keyboard)


def _charge(call: Call, message: Message) -> None:
    limits = call.services.limits
    if limits.enabled and message.chat.id < 0:
        limits.count_or_refuse(call.bot.id, message.chat.id, 1, call.world.clock.now())


def _set_keyboard(message: Message, keyboard: dict[str, Any] | None) -> None:
    message.fields.pop("reply_markup", None)
    if keyboard is not None:
        message.fields["reply_markup"] = keyboard


@method("editMessageText")
async def edit_message_text(call: Call) -> dict[str, Any]:
    """Replace the text of a text message."""
    body = text.message_text(call)
    if call.text("inline_message_id"):
        raise bad_request("MESSAGE_ID_INVALID")
    _, message = _editable(call)
    if message.media is not None or "text" not in message.fields:
        raise bad_request("there is no text in the message to edit")
    _apply(call, message, body, _TEXT)
    return _changed(call, message)


@method("editMessageCaption")
async def edit_message_caption(call: Call) -> dict[str, Any]:
    """Replace the caption of a media message."""
    body = text.caption(call)
    _, message = _editable(call)
    if message.media is None:
        raise bad_request("there is no caption in the message to edit")
    _apply(call, message, body, _CAPTION)
    return _changed(call, message)


@method("editMessageReplyMarkup")
async def edit_message_reply_markup(call: Call) -> dict[str, Any]:
    """Replace or remove the keyboard of a message."""
    markup.of(call)
    _, message = _editable(call)
    keyboard = markup.inline_of(call, message.chat.type)
    if markup.same(message.fields.get("reply_markup"), keyboard):
        raise bad_request(_SAME)
    _charge(call, message)
    _set_keyboard(message, keyboard)
    return _changed(call, message)


@method("editMessageMedia")
async def edit_message_media(call: Call) -> dict[str, Any]:
    """Replace the file of a media message."""
    item = call.json("media", "input media")
    if not isinstance(item, dict):
        raise bad_request("object expected as input media")
    kind = str(item.get("type", ""))
    if kind not in {"photo", "video", "document", "animation"}:
        raise bad_request(f'can\'t parse InputMedia: invalid type "{kind}" specified')
    if not inputs.has_file(call, str(item.get("media") or "")):
        raise bad_request("can't parse InputMedia: media not found")
    body = text.of_item(item)
    _, message = _editable(call)
    if "media_group_id" in message.fields and message.media is not None:
        mixing = {"photo", "video"}
        if message.media.kind != kind and not {message.media.kind, kind} <= mixing:
            raise bad_request("can't change media type in the album")
    given = inputs.parse_file(call, kind, str(item["media"]))
    try:
        media, source = await inputs.fetch_and_check(call, kind, given, item)
    except inputs.MediaFailure as failure:
        raise failure.refusal() from None
    before = message.media
    other = before is None or before.kind != kind or before.content is not media.content
    _apply(call, message, body, _TEXT | _CAPTION | {"has_media_spoiler"}, other_file=other)
    message.media, message.source = media, source
    return _changed(call, message)


def may_delete(call: Call, message: Message) -> bool:
    """Return whether the bot may delete a message."""
    chat, bot = message.chat, call.bot
    if message.fields.keys() & {"supergroup_chat_created", "channel_chat_created",
                                "forum_topic_created", "migrate_from_chat_id"}:  # fmt: skip
        return False
    # The limit on the age of a message applies to all bots, whatever the rights of the bot.
    # Sources: td, can_delete_channel_message and can_revoke_message.
    if call.world.clock.now() - message.sent_at >= _TWO_DAYS_S:
        return False
    if message.bot is bot or chat.type == "private":
        return True
    may = chat.type == "group" or chat.may(bot.id, "can_delete_messages")
    return may and chat.is_admin(bot.id)


@method("setMessageReaction")
async def set_message_reaction(call: Call) -> bool:
    """Set or remove the bot's reaction to a message. A bot has at most one reaction."""
    wanted = call.json("reaction", "reaction types") or []
    if not isinstance(wanted, list):
        raise bad_request("expected an Array of ReactionType")
    chat = targets.writable(call)
    message = chat.messages.get(call.integer("message_id"))
    if message is None or message.deleted:
        raise bad_request("message to react not found")
    if len(wanted) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    for one in wanted:
        emoji = one.get("emoji") if isinstance(one, dict) else None
        if emoji not in _REACTIONS:
            raise bad_request("REACTION_INVALID")
    message.reactions = [one["emoji"] for one in wanted]
    call.world.emit_edit(message)
    return True


@method("deleteMessage")
async def delete_message(call: Call) -> bool:
    """Delete one message."""
    chat = targets.writable(call)
    message_id = call.integer("message_id")
    if message_id <= 0:
        raise bad_request("message identifier is not specified")
    message = chat.messages.get(message_id)
    if message is None or message.deleted:
        raise bad_request("message to delete not found")
    if not may_delete(call, message):
        raise bad_request("message can't be deleted")
    call.world.delete(message)
    return True


@method("deleteMessages")
async def delete_messages(call: Call) -> bool:
    """Delete up to 100 messages. Missing messages are skipped.

    If the bot may not delete one of the messages, no message is deleted.
    """
    ids = call.json("message_ids", "message identifiers")
    if not isinstance(ids, list):
        raise bad_request("expected an Array of message identifiers")
    if not ids:
        raise bad_request("message identifiers are not specified")
    if len(ids) > 100:
        raise bad_request("too many message identifiers specified")
    chat = targets.writable(call)
    found = [m for i in ids if (m := chat.messages.get(i)) is not None and not m.deleted]
    if any(not may_delete(call, message) for message in found):
        raise bad_request("message can't be deleted")
    for message in found:
        call.world.delete(message)
    return True
