"""The meaning of Telegram's error messages. The known refusals of sends are listed by subject.

PTB changes the case of the first letter, so messages are compared in lower case.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, cast, get_args

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

from bot.domain.model import Moved, Muted, Outcome, PermanentFailure, Removed, Right, TryLater
from bot.telegram.api import TooSoonError
from bot.telegram.request import (
    LateFloodError,
    NotSentError,
    TooManyFilesError,
    UnknownOutcomeError,
)

_RETRY_AFTER = re.compile(r"too many requests(?:: retry after (\d+))?")
_ITEM_FAILED = re.compile(
    r'failed to send message #(\d+)(?: with the error message "(.*)")?', re.DOTALL
)
_FILE_REFERENCE = re.compile(r"file_reference_(\d+)_")
_NUMBER = re.compile(r"\d+")
_NO_WORD = timedelta(seconds=30)  # the wait if Telegram demands a wait but states no time

Scope = Literal[
    "bot",  # Telegram refuses the bot in all chats
    "chat",  # the bot cannot write to the chat
    "thread",  # the bot cannot write to the topic
    "removed",  # a different bot in the chat has deleted the message at once
    "caption",  # Telegram refuses the text of the caption
    "buttons",
    # Telegram cannot fetch a URL of the album, and perhaps other URLs too. An upload of the file
    # may succeed.
    "fetch",
    "photo",  # Telegram refuses the photo, but may accept the photo as a document
    "size",  # the file is too large
    "file",  # Telegram refuses the file that the bot uploads
    "any file",  # Telegram refuses a file, and the error does not say which file
    "partly",  # not a refusal: only a part of the album has arrived
    "down",  # not a refusal: Telegram has a failure
]
REFUSALS: Mapping[Scope | Right, tuple[str, ...]] = {
    "removed": ("sent message was immediately deleted",),
    "bot": ("logged out", "frozen_method_invalid"),
    "topic": ("topic_closed",),
    "photos": ("rights to send photos", "chat_send_photos", "chat_send_media"),
    "videos": ("rights to send videos", "chat_send_videos"),
    "documents": ("rights to send documents", "chat_send_docs"),
    "gifs": ("rights to send animations", "chat_send_gifs"),
    "posts": ("need administrator rights", "chat_admin_required"),
    "text": (
        "chat_send_",
        "not enough rights",
        "have no rights to send",
        "no write access to the chat",
        "chat_write_forbidden",
        "chat_restricted",
        "chat_guest_send_forbidden",
        "allow_payment_required",
        # The following errors may mean that the bot is no longer a member of the chat. If the bot
        # lacks the right "text", the bot later asks Telegram for its state in the chat.
        "user_banned_in_channel",
        "chat_forbidden",
        "channel_invalid",
        "channel_public_group_na",
    ),
    "thread": (
        "message thread not found",
        "topic_deleted",
        "topic_id_invalid",
        "chat doesn't have topics",
    ),
    "chat": (
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
        "channel direct messages topic",  # the bot never writes into a topic of direct messages
    ),
    "caption": (
        "caption is too long",
        "caption_too_long",
        "message is too long",
        "can't parse entities",
        "entity_",
        "entities_",
    ),
    "buttons": ("button_", "reply markup", "reply_markup_", "inline keyboard"),
    "fetch": (
        "webpage_",
        "wc_convert_url",
        "failed to get http url",
        "wrong type of the web page content",
        "wrong http url",
        "external_url_invalid",
        "can't upload file by url",
    ),
    "photo": ("photo_invalid_dimensions", "is too big for a photo", "image_process_failed"),
    "size": ("file is too big", "request entity too large"),
    "file": (
        "photo_invalid",
        "photo_ext_invalid",
        "photo has unsupported extension",
        "photo_save_file_invalid",
        "photo_content_",
        "video_content_",
        "video_file_invalid",
        "file_parts_invalid",
        "failed to upload file",
    ),
    "any file": (
        "wrong file identifier",
        "wrong remote file",
        "wrong padding",
        "file_reference_",
        "file_id_invalid",
        "invalid file http url",
        "unsupported url protocol",
        "media_empty",
        "media_invalid",
        "media_grouped_invalid",
        "can't use the media of the specified type",
        "file must be non-empty",
        "can't use file of type",
        "type of file mismatch",
    ),
    "partly": ("message was not sent", "group send failed"),
    "down": ("internal server error", "bad gateway", "gateway time", "timed out"),
}
"""The texts of refusals by subject. The first subject with a matching text counts.

A text matches if it is a part of the error message. If a subject is a ``Right``, the bot lacks
this right in the chat. Sources: Bot API server, Client.cpp; TDLib; docs/sandbox-fidelity.md.
"""
_OF_UPLOADS: frozenset[str | None] = frozenset({"fetch", "photo", "size", "file"})
OF_FILES = _OF_UPLOADS | {"any file"}
"""The subjects of refusals after which a different source of the same file may work."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal by Telegram, parsed from an error message."""

    words: str
    """The error message, or the message that the error of an album quotes, in lower case."""
    scope: Scope | Right | None
    """The subject of the error message (``REFUSALS``), or None if the subject is unknown."""
    item: int | None = None
    """The index of the refused item of an album, from 0, or None if the item is unknown."""

    @property
    def words_without_numbers(self) -> str:
        """Return the error message with "#" in place of each number, for example of a size."""
        return _NUMBER.sub("#", self.words)


def parse_refusal(error: BaseException) -> Refusal:
    """Return the refusal that an error describes.

    ``Refusal.item`` is known for few errors only, because the error of an album usually names the
    first item, which may not be the cause (Client.cpp, ``on_message_send_failed``).
    """
    text = _lower_text(error)
    named = _ITEM_FAILED.search(text)
    words = (named and named[2]) or text
    scope = next(
        (
            refused_scope
            for refused_scope, parts in REFUSALS.items()
            if any(part in words for part in parts)
        ),
        None,
    )
    item = None
    if reference := _FILE_REFERENCE.search(words):
        item = int(reference[1])
    elif named and scope in _OF_UPLOADS:
        item = int(named[1]) - 1
    return Refusal(words, scope, item)


def outcome_of(error: BaseException) -> Outcome:  # noqa: C901, PLR0911 - a line per class
    """Return the outcome of a send that raised ``error``. The result is never ``Sent``.

    If ``error`` is an unexpected exception, the outcome states that the message may have arrived.
    """
    match error:
        case TooSoonError():
            return TryLater(demanded_wait(error), reason=error.why, unasked=True)
        case RetryAfter():
            late = isinstance(error, LateFloodError)
            return TryLater(
                demanded_wait(error), unknown=late, down=late, reason="too many requests"
            )
        case ChatMigrated():
            return Moved(error.new_chat_id)
        case InvalidToken() | EndPointNotFound():
            return PermanentFailure(_lower_text(error), scope="bot")
        case Conflict():
            return TryLater(reason=_lower_text(error))
        case TooManyFilesError():
            return TryLater(reason=_lower_text(error))
        case NotSentError():
            return TryLater(down=True, reason=_lower_text(error))
        case UnknownOutcomeError() if parse_refusal(error).scope == "removed":
            return Removed()
        case TimedOut() | UnknownOutcomeError():
            return TryLater(unknown=True, down=True, reason=_lower_text(error))
        case BadRequest() | Forbidden() | NetworkError():
            return _refusal_outcome(error)
    return TryLater(unknown=True, reason=type(error).__name__)


def _refusal_outcome(error: TelegramError) -> Outcome:  # noqa: PLR0911 - a line per class of answers
    text = _lower_text(error)
    if flood := _RETRY_AFTER.search(text):
        # If the error names an item of an album, only this item must wait, and the other items may
        # have arrived.
        wait = timedelta(seconds=int(flood[1])) if flood[1] else _NO_WORD
        partly = _ITEM_FAILED.search(text) is not None
        return TryLater(wait, partly=partly, reason="too many requests")
    match parse_refusal(error).scope:
        case "bot" | "chat" | "thread" as scope:
            return PermanentFailure(text, scope=scope)
        case "topic":
            return Muted("topic", scope="thread")
        case right if right in get_args(Right):
            return Muted(cast("Right", right))
        case "partly":
            return TryLater(partly=True, reason=text)
        case "down":
            return TryLater(unknown=True, down=True, reason=text)
        case scope:
            if isinstance(error, Forbidden):
                # The bot may no longer be in the chat. If the bot lacks the right "text", the bot
                # later asks Telegram for its state in the chat.
                return Muted("text")
            if isinstance(error, BadRequest) or scope in OF_FILES:
                return PermanentFailure(text, scope="item")
            return TryLater(unknown=True, reason=text)


def demanded_wait(error: RetryAfter) -> timedelta:
    """Return the wait that Telegram demands in the error."""
    return error._retry_after  # noqa: SLF001 - the public property warns, and has two types


def _lower_text(error: BaseException) -> str:
    return (error.message if isinstance(error, TelegramError) else str(error)).lower()
