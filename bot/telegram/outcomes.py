"""What Telegram's answer means to us: the one table of error texts.

PTB rewrites texts ("Bad Request: " is cut off, the rest capitalised), so everything is compared
in lower case. The classes: A it was not sent · B nobody knows · C this item will never work ·
D this chat or topic · E this bot.
"""

import re
from datetime import timedelta

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.domain.model import GiveUp, Moved, Muted, Outcome, Right, TryLater
from bot.telegram.request import NotSentError, UnknownOutcomeError

_RETRY_AFTER = re.compile(r"too many requests(?:: retry after (\d+))?")
_ITEM_FAILED = re.compile(
    r'failed to send message #(\d+)(?: with the error message "(.*)")?', re.DOTALL
)
_NO_WORD = timedelta(seconds=30)  # to wait when a flood answer names no time
NOT_WANTED = TryLater(timedelta(0), reason="not wanted any more")
"""What came of a message that was kept from leaving: nothing, and it is judged anew."""

# Answers that close a chat, or one topic of it, for us; Bot API server, Client.cpp.
_CHAT = (
    "bot was blocked by the user",
    "user is deactivated",
    "bot was kicked",
    "bot is not a member",
    "group chat was deleted",
    "bot can't initiate conversation",
    "bot can't send messages to",
    "chat not found",
    "chat_id is empty",
    "channel_private",
    "peer_id_invalid",
    "user_is_blocked",
    "input_user_deactivated",
    "user_deactivated",
    "user not found",
)
_THREAD = ("message thread not found", "topic_deleted", "topic_id_invalid")
# Answers that close a chat for as long as a right is missing there, by the right.
_MISSING: dict[str, Right] = {
    "rights to send photos": "photos",
    "rights to send videos": "videos",
    "rights to send documents": "documents",
    "rights to send gifs": "gifs",
    "chat_send_photos": "photos",
    "chat_send_media": "photos",
    "chat_send_videos": "videos",
    "chat_send_docs": "documents",
    "chat_send_gifs": "gifs",
    "chat_send_": "text",
    "need administrator rights": "posts",
    "chat_admin_required": "posts",
    "not enough rights": "text",
    "have no rights to send": "text",
    "no write access to the chat": "text",
    "chat_write_forbidden": "text",
    "chat_restricted": "text",
}
TOPIC_CLOSED = "topic_closed"
_UNKNOWN = (
    "internal server error",
    "bad gateway",
    "gateway time",
    "timed out",
)
_GROUP_FAILED = "group send failed"  # said for what items of an album had no error of their own
# Answers about one item; the next way of the same item may work.
_ITEM = (
    "photo_invalid_dimensions",
    "photo_invalid",
    "image_process_failed",
    "photo_ext_invalid",
    "photo_save_file_invalid",
    "photo_content_",
    "video_content_",
    "video_file_invalid",
    "wrong file identifier",
    "wrong remote file",
    "wrong padding",
    "file_reference_",
    "file_id_invalid",
    "file_parts_invalid",
    "failed to get http url content",
    "wrong type of the web page content",
    "wrong http url",
    "invalid file http url",
    "webpage_curl_failed",
    "webpage_media_empty",
    "media_empty",
    "media_invalid",
    "external_url_invalid",
    "file is too big",
    "is too big for a",
    "request entity too large",
    "file must be non-empty",
    "can't use file of type",
    "can't parse inputmedia",
    "document can't be mixed",
    "type of file mismatch",
    "unsupported url protocol",
    "message to be replied not found",
    "message text is empty",
    "there are no messages to send",
    "too many messages to send as an album",
    "button_",
    "reply markup",
    "inline keyboard",
)
_FETCH = (
    "webpage_",
    "failed to get http url",
    "wrong type of the web page content",
    "wrong http url",
    "external_url_invalid",
)
_PARTLY_SENT = ("message was not sent",)  # TDLib: the answer was good, but left this item out
_CAPTION = (
    "caption is too long",
    "caption_too_long",
    "message is too long",
    "can't parse entities",
    "entity_",
)
_DIMENSIONS = ("photo_invalid_dimensions", "is too big for a photo", "image_process_failed")
_FATAL_ITEM = ("file is too big", "request entity too large")  # no other way will be smaller


def outcome_of(error: BaseException) -> Outcome:  # noqa: PLR0911 - one line a class of answers
    """Return what follows from an exception of a send; never Sent. Unknown texts count as C."""
    match error:
        case RetryAfter():
            return TryLater(wait_of(error), reason="too many requests")
        case ChatMigrated():
            return Moved(error.new_chat_id)
        case InvalidToken() | EndPointNotFound():
            return GiveUp(_text(error), scope="bot")
        case Conflict():
            return TryLater(reason=_text(error))
        case NotSentError():
            return TryLater(down=True, reason=_text(error))
        case TimedOut() | UnknownOutcomeError():
            return TryLater(unknown=True, down=True, reason=_text(error))
        case BadRequest() | Forbidden() | NetworkError():
            return _refusal(error)
    return TryLater(unknown=True, reason=type(error).__name__)


def is_known(error: BaseException) -> bool:
    """Return whether the table has the text of a refusal; an operator should see the others."""
    known = (*_CHAT, *_MISSING, TOPIC_CLOSED, *_THREAD, *_ITEM, *_CAPTION, *_UNKNOWN)
    known += (*_PARTLY_SENT, _GROUP_FAILED)
    return not isinstance(error, BadRequest) or _has(_text(error), (*known, "too many requests"))


def failed_item(error: BaseException) -> tuple[int, str] | None:
    """Return the index (from 0) of the album's item that failed, and Telegram's word on it."""
    match = _ITEM_FAILED.search(_text(error))
    return (int(match[1]) - 1, match[2] or "") if match else None


def is_fetch_fault(error: BaseException) -> bool:
    """Return whether Telegram could not load an address; others of its album may be hit too."""
    return isinstance(error, BadRequest) and _has(_text(error), _FETCH)


def others_may_be_there(error: BaseException) -> bool:
    """Return whether an album's item failed in the one way that leaves the others in the chat."""
    return isinstance(error, BadRequest) and _has(_text(error), _PARTLY_SENT)


def is_caption_fault(error: BaseException) -> bool:
    """Return whether the caption was refused, so that a plain one may pass."""
    return isinstance(error, BadRequest) and _has(_text(error), _CAPTION)


def wants_document(error: BaseException) -> bool:
    """Return whether a photo was refused that may pass as a file."""
    return isinstance(error, NetworkError) and _has(_text(error), _DIMENSIONS)


def is_too_big(error: BaseException) -> bool:
    """Return whether Telegram takes no file of this size."""
    return isinstance(error, NetworkError) and _has(_text(error), _FATAL_ITEM)


def _refusal(error: TelegramError) -> Outcome:
    text = _text(error)
    if flood := _RETRY_AFTER.search(text):
        # Inside a 400 it speaks of one item of an album; some of the others were seen there.
        wait = timedelta(seconds=int(flood[1])) if flood[1] else _NO_WORD
        return TryLater(wait, partly=failed_item(error) is not None, reason="too many requests")
    if place := _refused_place(text):
        return place
    if isinstance(error, Forbidden):
        return GiveUp(text, scope="chat")
    if _GROUP_FAILED in text or _ITEM_FAILED.search(text):
        return TryLater(partly=True, reason=text)
    is_down = _has(text, _UNKNOWN)
    if not is_down and (isinstance(error, BadRequest) or _has(text, _ITEM)):
        return GiveUp(text, scope="item")
    return TryLater(unknown=True, down=is_down, reason=text)


def _refused_place(text: str) -> Outcome | None:
    if TOPIC_CLOSED in text:
        return Muted("topic", scope="thread")
    missing = next((right for words, right in _MISSING.items() if words in text), None)
    if missing:
        return Muted(missing)
    if _has(text, _THREAD):
        return GiveUp(text, scope="thread")
    return GiveUp(text, scope="chat") if _has(text, _CHAT) else None


def wait_of(error: RetryAfter) -> timedelta:
    """Return how long Telegram wants us to wait."""
    return error._retry_after  # noqa: SLF001 - the public property warns, and has two types


def _text(error: BaseException) -> str:
    return (error.message if isinstance(error, TelegramError) else str(error)).lower()


def _has(text: str, parts: tuple[str, ...]) -> bool:
    return any(part in text for part in parts)
