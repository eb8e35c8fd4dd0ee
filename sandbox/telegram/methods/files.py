"""getFile, copies and forwards."""

from typing import Any

from sandbox.telegram import files, markup, sending, targets, text
from sandbox.telegram.call import Call, method
from sandbox.telegram.files import Media
from sandbox.telegram.model import Message
from sandbox.telegram.refusals import bad_request

DOWNLOAD_LIMIT = 20 * 2**20


@method("getFile")
async def get_file(call: Call) -> dict[str, Any]:
    """Where a file can be downloaded."""
    value = call.text("file_id")
    if not value:
        raise bad_request("file_id not specified")
    if "." in value:
        raise bad_request("invalid file_id")
    try:
        kind, content, letter = call.world.files.find(call.bot, value)
    except Exception as error:
        raise bad_request("invalid file_id") from error
    if content.size > DOWNLOAD_LIMIT:
        raise bad_request("file is too big")
    return {
        "file_id": value,
        "file_unique_id": files.unique_id(kind, content, "" if letter == "-" else letter),
        "file_size": content.size,
        "file_path": call.world.files.path(kind, content),
    }


def _source(call: Call, what: str) -> Message:
    chat = targets.readable(call, "from_chat_id")
    message_id = call.integer("message_id")
    if message_id <= 0:
        raise bad_request("message identifier is not specified")
    message = chat.messages.get(message_id)
    if message is None or message.deleted:
        raise bad_request(f"message to {what} not found")
    if not ({"text", "caption"} & message.fields.keys() or message.media):
        raise bad_request(f"message can't be {'copied' if what == 'copy' else 'forwarded'}")
    if message.protected:
        raise bad_request(f"message can't be {'copied' if what == 'copy' else 'forwarded'}")
    return message


_CARRIED = ("text", "entities", "link_preview_options", "caption", "caption_entities",
            "show_caption_above_media", "has_media_spoiler")  # fmt: skip


def _body(message: Message) -> dict[str, Any]:
    return {name: message.fields[name] for name in _CARRIED if name in message.fields}


def _media(message: Message) -> tuple[Media | None, str]:
    return message.media, "file_id" if message.media else ""


@method("copyMessage")
async def copy_message(call: Call) -> dict[str, Any]:
    """The same message again, without saying whose it was."""
    replaced = text.caption(call) if "caption" in call.params else None
    markup.of(call)
    message = _source(call, "copy")
    kind = message.media.kind if message.media else "text"
    where = sending.place(call, kind)
    body = _body(message)
    if replaced is not None and message.media is not None:
        body.pop("caption", None)
        body.pop("caption_entities", None)
        body |= replaced
    sending.charge(call, where.chat)
    media, source = _media(message)
    return {"message_id": sending.post(call, where, body, media, source).id}


@method("forwardMessage")
async def forward_message(call: Call) -> dict[str, Any]:
    """The same message again, saying whose it was."""
    message = _source(call, "forward")
    kind = message.media.kind if message.media else "text"
    where = sending.place(call, kind, with_markup=False)
    sending.charge(call, where.chat)
    media, source = _media(message)
    body = {"forward_origin": origin(message)} | _body(message)
    return sending.post(call, where, body, media, source).view(call.bot)


def origin(message: Message) -> dict[str, Any]:
    """The Bot API's MessageOrigin."""
    fields = message.fields
    if "forward_origin" in fields:
        first: dict[str, Any] = fields["forward_origin"]
        return first
    if message.chat.type == "channel":
        return {"type": "channel", "chat": message.chat.brief(), "message_id": message.id,
                "date": fields["date"]}  # fmt: skip
    if "sender_chat" in fields:
        return {"type": "chat", "sender_chat": fields["sender_chat"], "date": fields["date"]}
    return {"type": "user", "sender_user": fields["from"], "date": fields["date"]}
