"""A story on its way: its source now, and what PTB wants to see for that. No I/O."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, cast

from telegram import (
    InputFile,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    ReplyParameters,
)
from telegram.constants import ParseMode

from bot.domain.model import ORIGINAL, Right, SentItem, Story
from bot.domain.records import FileKind, KnownFile
from bot.media.spool import MediaFile
from bot.presentation.actions import Buttons
from bot.presentation.html import plain, shorten

_CAPTION = 1024  # code points after parsing; Bot API, "caption"
_HIGHLIGHTS_KEPT = timedelta(days=30)  # the file_id of what a highlight shows after its day
METHODS: dict[FileKind, str] = {
    "photo": "sendPhoto",
    "video": "sendVideo",
    "document": "sendDocument",
    "animation": "sendAnimation",
}


@dataclass(frozen=True, slots=True)
class ByFileId:
    """Telegram has it already."""

    file_id: str


@dataclass(frozen=True, slots=True)
class ByUrl:
    """Telegram fetches it."""

    url: str


@dataclass(frozen=True, slots=True)
class ByUpload:
    """We send the bytes."""

    file: MediaFile


MessageJson = dict[str, Any]  # a Message as the Bot API shows it
Source = ByFileId | ByUrl | ByUpload


@dataclass(slots=True)
class Item:
    """One story of an album while it is being sent; ``kind`` is what it goes out as.

    ``tried`` counts the sources that were tried, ``reason`` is the sentence about the last one.
    It ends with ``sent``, or with ``failed``, the sentence why not (``later``: another time it
    may work), or with ``refused``, the right that it needs and the bot has not.
    """

    story: Story
    kind: FileKind
    source: Source | None = None
    tried: int = 0
    reason: str = ""
    sent: SentItem | None = None
    failed: str = ""
    later: bool = False
    refused: Right | None = None
    alone: bool = False
    """Whether it must go alone: no album takes it, by any source that costs nothing."""
    as_file: bool = False
    """Whether it goes out uncompressed, as a document, whatever it is."""
    spooled: list[MediaFile] = field(default_factory=list)

    @property
    def file_key(self) -> str:
        """Return under what its file is known to Telegram: an original is another file."""
        return self.story.pk + (ORIGINAL if self.as_file else "")

    @property
    def expected_kind(self) -> FileKind:
        """Return as what it goes out before anything is known of its bytes."""
        return "document" if self.as_file else self.story.kind

    @property
    def is_open(self) -> bool:
        """Return whether it still has to go out."""
        return self.sent is None and not self.failed and self.refused is None


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How messages look and arrive; ``buttons`` stand under single items only (Bot API).

    ``in_order``: what comes after an item that may work later waits with it. ``one_by_one``: no
    item goes in an album.
    """

    silent: bool = False
    spoiler: bool = False
    protect: bool = False
    as_files: bool = False
    in_order: bool = False
    one_by_one: bool = False
    reply_to: int | None = None
    buttons: Buttons = field(default_factory=list)


@dataclass(slots=True)
class Text:
    """The caption of an album: goes with its first message, once; HTML as long as it passes."""

    caption: str | None
    html: bool = True

    def caption_arguments(self) -> dict[str, Any]:
        """Return PTB's arguments of the caption, for the next message."""
        if not self.caption:
            return {}
        return {"caption": self.caption, "parse_mode": ParseMode.HTML if self.html else None}

    def simplify(self) -> bool:
        """Make it plainer after Telegram refused it: no markup, then nothing at all."""
        if not self.caption:
            return False
        self.caption = shorten(plain(self.caption), _CAPTION) if self.html else None
        self.html = False
        return True


def as_media(
    item: Item, text: dict[str, Any], options: SendOptions
) -> InputMediaDocument | InputMediaPhoto | InputMediaVideo | dict[str, Any]:
    """Return the item as an item of a media group; PTB's objects are for uploads only."""
    media = _file_argument(item, attach=True)
    if item.kind == "document" and not isinstance(media, str):
        return InputMediaDocument(media, disable_content_type_detection=True, **text)
    if isinstance(media, str):
        spoiler = item.kind != "document" and options.spoiler
        fields = {"type": item.kind, "media": media, "has_spoiler": spoiler or None}
        fields |= text | (_measures(item) if item.kind != "document" else {})
        return {name: value for name, value in fields.items() if value is not None}
    if item.kind == "photo":
        return InputMediaPhoto(media, has_spoiler=options.spoiler or None, **text)
    return InputMediaVideo(media, has_spoiler=options.spoiler or None, **_measures(item), **text)


def single_arguments(item: Item, text: dict[str, Any], options: SendOptions) -> dict[str, Any]:
    """Return the arguments of the item's own ``METHODS`` call."""
    arguments = {item.kind: _file_argument(item, attach=False), **text}
    if item.kind != "document":
        arguments["has_spoiler"] = options.spoiler or None
    elif item.as_file and isinstance(item.source, ByUpload):
        arguments["disable_content_type_detection"] = True  # a video stays a file
    if item.kind == "video":
        arguments |= _measures(item)
    if options.buttons:
        arguments["reply_markup"] = {"inline_keyboard": options.buttons}
    return arguments


def common_arguments(thread_id: int | None, options: SendOptions) -> dict[str, Any]:
    """Return the arguments that all methods of sending share."""
    reply = options.reply_to
    return {
        "message_thread_id": thread_id,
        "disable_notification": options.silent or None,
        "protect_content": options.protect or None,
        "reply_parameters": ReplyParameters(reply, allow_sending_without_reply=True)
        if reply
        else None,
    }


def receipt(item: Item, message: MessageJson, now: datetime) -> tuple[SentItem, KnownFile | None]:
    """Return what arrived and, when it can be used again, the file.

    A video without sound that was sent alone comes back as an animation, which no album takes.
    """
    kind, file = _file_of(message)
    sent = SentItem(item.story.pk, int(message["message_id"]))
    if file is None or kind is None:
        return sent, None
    until = item.story.expires_at
    if item.story.highlight:
        until = max(until, now + _HIGHLIGHTS_KEPT)
    return sent, KnownFile(kind, str(file["file_id"]), str(file["file_unique_id"]), until)


def _file_of(message: MessageJson) -> tuple[FileKind | None, MessageJson | None]:
    if message.get("photo"):
        return "photo", message["photo"][-1]
    kinds: tuple[FileKind, ...] = ("video", "animation", "document")  # an animation is both
    kind = next((one for one in kinds if message.get(one)), None)
    return kind, message[kind] if kind else None


def _file_argument(item: Item, *, attach: bool) -> str | InputFile:
    match item.source:
        case ByFileId(file_id):
            return file_id
        case ByUrl(url):
            return url
        case ByUpload(file):
            name = _filename(item.story, file.path.suffix) if item.as_file else None
            return file_from_disk(file.path, attach=attach, name=name)
        case None:
            raise ValueError("an item without a source can't be sent")


def _filename(story: Story, suffix: str) -> str:
    """Return the name of a story's original; its time is UTC, as all chats share the file."""
    username = story.profile.username or "instagram"
    return f"{story.taken_at:%Y-%m-%d_%H-%M}_{username}_{story.pk}{suffix}"


def file_from_disk(path: Path, *, attach: bool, name: str | None = None) -> InputFile:
    """Return a file that the transport opens when it sends it, and not before."""
    return InputFile(cast("IO[bytes]", path), filename=name, attach=attach, read_file_handle=False)


def _measures(item: Item) -> dict[str, Any]:
    duration = item.story.duration
    measures: dict[str, Any] = {"supports_streaming": True}
    if isinstance(item.source, ByFileId):
        return {}  # Telegram knows all this
    if isinstance(item.source, ByUpload):
        file = item.source.file
        duration = file.duration or duration
        measures |= {"width": file.width, "height": file.height}
    if duration:
        measures["duration"] = max(round(duration), 1)
    return measures
