"""The items of an album during a send: the current source, and the arguments for PTB. No I/O."""

from collections.abc import Callable
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

_CAPTION = 1024  # characters after parsing (Bot API, "caption")
# The file_id of a highlight is stored for this time if the highlight is older than a day.
_HIGHLIGHTS_KEPT = timedelta(days=30)
METHODS: dict[FileKind, str] = {
    "photo": "sendPhoto",
    "video": "sendVideo",
    "document": "sendDocument",
    "animation": "sendAnimation",
}


@dataclass(frozen=True, slots=True)
class ByFileId:
    """A file that Telegram already has."""

    file_id: str


@dataclass(frozen=True, slots=True)
class ByUrl:
    """A file that Telegram fetches from a URL."""

    url: str


@dataclass(frozen=True, slots=True)
class ByUpload:
    """A file that the bot uploads."""

    file: MediaFile


MessageJson = dict[str, Any]  # a Message in the form of the Bot API
Source = ByFileId | ByUrl | ByUpload


@dataclass(slots=True)
class Item:
    """A story of an album during a send. ``kind`` is the kind of the sent file.

    ``tried`` counts the sources that were tried, ``reason`` is the error message of the last
    source. At the end, either ``sent`` is set, or ``failed`` (the error message; ``later``: the
    send may succeed later), or ``refused`` (the right that the item needs and the bot lacks).
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
    """Whether the item must be sent alone, because no free source is valid in an album."""
    as_file: bool = False
    """Whether the item is sent uncompressed as a document, for any kind of file."""
    is_free: bool = False
    """Whether the item may cost no credits: its file is not bought."""
    spooled: list[MediaFile] = field(default_factory=list)

    @property
    def file_key(self) -> str:
        """Return the key of the item's file at Telegram. An original has a separate key."""
        return self.story.pk + (ORIGINAL if self.as_file else "")

    @property
    def expected_kind(self) -> FileKind:
        """Return the kind under which the item will probably be sent, without reading the file."""
        return "document" if self.as_file else self.story.kind

    @property
    def is_open(self) -> bool:
        """Return whether the item must still be sent."""
        return self.sent is None and not self.failed and self.refused is None


@dataclass(frozen=True, slots=True)
class SendOptions:
    """The appearance and notification of messages.

    ``buttons`` appear at single items only (Bot API).

    ``in_order``: the items behind an item that may succeed later also wait. ``one_by_one``: no
    item is sent in an album. ``is_free``: no file is bought from the API.
    """

    silent: bool = False
    spoiler: bool = False
    protect: bool = False
    as_files: bool = False
    in_order: bool = False
    one_by_one: bool = False
    is_free: bool = False
    reply_to: int | None = None
    buttons: Buttons = field(default_factory=list)


@dataclass(slots=True)
class Text:
    """The caption of an album, sent once with the first message.

    HTML until Telegram refuses the HTML. ``with_count`` returns the caption for a number of
    stories, if some stories of the album can't be sent.
    """

    caption: str | None
    html: bool = True
    with_count: Callable[[int], str] | None = None

    def caption_arguments(self) -> dict[str, Any]:
        """Return PTB's caption arguments for the next message."""
        if not self.caption:
            return {}
        return {"caption": self.caption, "parse_mode": ParseMode.HTML if self.html else None}

    def count(self, stories: int) -> None:
        """Name this number of stories in the caption."""
        if self.caption and self.html and self.with_count:
            self.caption = self.with_count(stories)

    def simplify(self) -> bool:
        """Simplify the caption after a refusal: first remove the markup, then the caption.

        Return False if there was no caption left to simplify.
        """
        if not self.caption:
            return False
        self.caption = shorten(plain(self.caption), _CAPTION) if self.html else None
        self.html = False
        return True


def as_media(
    item: Item, text: dict[str, Any], options: SendOptions
) -> InputMediaDocument | InputMediaPhoto | InputMediaVideo | dict[str, Any]:
    """Return the item as an element of a media group. PTB objects are used for uploads only."""
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
    """Return the arguments of the ``METHODS`` call for the item."""
    arguments = {item.kind: _file_argument(item, attach=False), **text}
    if item.kind != "document":
        arguments["has_spoiler"] = options.spoiler or None
    elif item.as_file and isinstance(item.source, ByUpload):
        arguments["disable_content_type_detection"] = True  # prevents a conversion to a video
    if item.kind == "video":
        arguments |= _measures(item)
    if options.buttons:
        arguments["reply_markup"] = {"inline_keyboard": options.buttons}
    return arguments


def common_arguments(thread_id: int | None, options: SendOptions) -> dict[str, Any]:
    """Return the arguments that all send methods share."""
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
    """Return the sent item and, if the file can be reused, the file.

    A video without sound that was sent alone is returned as an animation, which is not allowed in
    albums.
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
    # A message with an animation also has the field ``document``, so the document comes last.
    kinds: tuple[FileKind, ...] = ("video", "animation", "document")
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
    """Return the filename of an original. The time is in UTC, because all chats share the file."""
    username = story.profile.username or "instagram"
    return f"{story.taken_at:%Y-%m-%d_%H-%M}_{username}_{story.pk}{suffix}"


def file_from_disk(path: Path, *, attach: bool, name: str | None = None) -> InputFile:
    """Return a file that the transport opens only when the file is sent."""
    return InputFile(cast("IO[bytes]", path), filename=name, attach=attach, read_file_handle=False)


def _measures(item: Item) -> dict[str, Any]:
    duration = item.story.duration
    measures: dict[str, Any] = {"supports_streaming": True}
    if isinstance(item.source, ByFileId):
        return {}  # Telegram already knows the dimensions of the file
    if isinstance(item.source, ByUpload):
        file = item.source.file
        duration = file.duration or duration
        measures |= {"width": file.width, "height": file.height}
    if duration:
        measures["duration"] = max(round(duration), 1)
    return measures
