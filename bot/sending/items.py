"""The items of an album during a send, with the current source and the arguments for PTB."""

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
from bot.presentation.html import plain, truncate_plain

_CAPTION = 1024  # maximum characters of a caption after parsing (Bot API, "caption")
# The minimum time for which the file_id of a story in a highlight is stored.
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
    """A file that Telegram downloads from a URL."""

    url: str


@dataclass(frozen=True, slots=True)
class ByUpload:
    """A file that the bot uploads."""

    file: MediaFile


MessageJson = dict[str, Any]  # the Bot API's object Message as JSON
Source = ByFileId | ByUrl | ByUpload


@dataclass(slots=True)
class Item:
    """A story of an album during a send.

    After the send, at most one of ``sent``, ``failed`` and ``refused`` is set.
    """

    story: Story
    kind: FileKind = field(init=False)
    """The kind of the file that is sent."""
    source: Source | None = None
    tried: int = 0
    """The number of sources, apart from a file_id, that were tried or skipped."""
    reason: str = ""
    """The newest error message of a source."""
    sent: SentItem | None = None
    """The sent message."""
    failed: str = ""
    """The error message of a failure."""
    later: bool = False
    """Whether a retry may succeed after a failure."""
    refused: Right | None = None
    """The right that the item needs and the bot does not have."""
    alone: bool = False
    """Whether the item must be sent alone after Telegram refused the item in an album."""
    as_file: bool = False
    """Whether the photo or video of the item is sent as an uncompressed document."""
    is_free: bool = False
    """Whether the file of the story must not be bought from the Stories API."""
    has_spool_error: bool = False
    """Whether a download failed because the spool is full or can't be written."""
    spooled: list[MediaFile] = field(default_factory=list)
    """The downloaded files, which must be removed after the send."""

    def __post_init__(self) -> None:
        """Set ``kind`` to the expected kind (``expected_kind``)."""
        self.kind = self.expected_kind

    @property
    def file_key(self) -> str:
        """Return the key under which the file_id is stored.

        An uncompressed original has its own key.
        """
        return self.story.pk + (ORIGINAL if self.as_file else "")

    @property
    def expected_kind(self) -> FileKind:
        """Return the kind of file that the bot expects before the download of the file."""
        return "document" if self.as_file else self.story.kind

    @property
    def is_open(self) -> bool:
        """Return whether the item may still be sent in the present send.

        The result is False if the item was sent, has failed, or needs a missing right.
        """
        return self.sent is None and not self.failed and self.refused is None


@dataclass(frozen=True, slots=True)
class SendOptions:
    """The options of the sent messages."""

    silent: bool = False
    spoiler: bool = False
    protect: bool = False
    as_files: bool = False
    in_order: bool = False
    """Whether an item waits if an earlier item will be retried."""
    one_by_one: bool = False
    """Whether no albums are sent."""
    is_free: bool = False
    """Whether no file of a story is bought from the Stories API."""
    reply_to: int | None = None
    buttons: Buttons = field(default_factory=list)
    """The buttons of an item that is sent alone. An album cannot have buttons (Bot API)."""


@dataclass(slots=True)
class Text:
    """The caption of an album, which is sent once, with the first message of the album."""

    caption: str | None
    stories: int
    """The number of stories that the caption states."""
    html: bool = True
    """False after Telegram has refused the caption. A caption that is left is plain text."""
    caption_for_count: Callable[[int], str] | None = None
    """Returns the caption for a number of stories."""

    def caption_arguments(self) -> dict[str, Any]:
        """Return the arguments of the Bot API for the caption of the next message."""
        if not self.caption:
            return {}
        return {"caption": self.caption, "parse_mode": ParseMode.HTML if self.html else None}

    def set_story_count_in_caption(self, stories: int) -> None:
        """Change the number of stories that the caption states to ``stories``.

        A caption in plain text, or without ``caption_for_count``, stays unchanged.
        """
        is_changed = stories != self.stories
        if is_changed and self.caption and self.html and self.caption_for_count:
            self.caption = self.caption_for_count(stories)
            self.stories = stories

    def simplify_caption(self) -> bool:
        """Simplify a caption that Telegram refused. Return False if no caption was left.

        The first call removes the markup and shortens the caption to 1024 characters. The second
        call removes the caption.
        """
        if not self.caption:
            return False
        self.caption = truncate_plain(plain(self.caption), _CAPTION) if self.html else None
        self.html = False
        return True


def as_album_element(
    item: Item, text: dict[str, Any], options: SendOptions
) -> InputMediaDocument | InputMediaPhoto | InputMediaVideo | dict[str, Any]:
    """Return an item as an element of an album.

    The element is an object of PTB if the file is uploaded, and otherwise a dict.

    Raises:
        ValueError: The item has no source.
    """
    media = _file_argument(item, attach=True)
    if item.kind == "document" and not isinstance(media, str):
        return InputMediaDocument(media, disable_content_type_detection=True, **text)
    if isinstance(media, str):
        spoiler = item.kind != "document" and options.spoiler
        fields = {"type": item.kind, "media": media, "has_spoiler": spoiler or None}
        fields |= text | (_video_fields(item) if item.kind != "document" else {})
        return {name: value for name, value in fields.items() if value is not None}
    if item.kind == "photo":
        return InputMediaPhoto(media, has_spoiler=options.spoiler or None, **text)
    return InputMediaVideo(
        media, has_spoiler=options.spoiler or None, **_video_fields(item), **text
    )


def arguments_to_send_alone(
    item: Item, text: dict[str, Any], options: SendOptions
) -> dict[str, Any]:
    """Return the arguments of the method that sends the item alone.

    Raises:
        ValueError: The item has no source.
    """
    arguments = {item.kind: _file_argument(item, attach=False), **text}
    if item.kind != "document":
        arguments["has_spoiler"] = options.spoiler or None
    elif item.as_file and isinstance(item.source, ByUpload):
        # Without this argument, Telegram could convert the document to a video.
        arguments["disable_content_type_detection"] = True
    if item.kind == "video":
        arguments |= _video_fields(item)
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


def parse_sent_item_and_file(
    item: Item, message: MessageJson, now: datetime
) -> tuple[SentItem, KnownFile | None]:
    """Return the sent item, and the file in ``message``, or None if ``message`` has no file.

    The kind of a video without sound can be "animation", because Telegram converts such a video.
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
    # A message with an animation also has the field ``document``, so ``document`` is tried last.
    kinds: tuple[FileKind, ...] = ("video", "animation", "document")
    kind = next((candidate for candidate in kinds if message.get(candidate)), None)
    return kind, message[kind] if kind else None


def _file_argument(item: Item, *, attach: bool) -> str | InputFile:
    match item.source:
        case ByFileId(file_id):
            return file_id
        case ByUrl(url):
            return url
        case ByUpload(file):
            name = _filename(item.story, file.path.suffix) if item.as_file else None
            return input_file_opened_on_send(file.path, attach=attach, name=name)
        case None:
            raise ValueError("an item without a source can't be sent")


def _filename(story: Story, suffix: str) -> str:
    """Return the file name of an uncompressed original.

    The time in the file name is in UTC, because chats in all time zones get the same file.
    """
    username = story.profile.username or "instagram"
    return f"{story.taken_at:%Y-%m-%d_%H-%M}_{username}_{story.pk}{suffix}"


def input_file_opened_on_send(path: Path, *, attach: bool, name: str | None = None) -> InputFile:
    """Return the file at ``path`` for PTB. The file is opened only when the request is sent."""
    return InputFile(cast("IO[bytes]", path), filename=name, attach=attach, read_file_handle=False)


def _video_fields(item: Item) -> dict[str, Any]:
    duration = item.story.duration
    measures: dict[str, Any] = {"supports_streaming": True}
    if isinstance(item.source, ByFileId):
        return {}  # Telegram already has the file, and knows its dimensions
    if isinstance(item.source, ByUpload):
        file = item.source.file
        duration = file.duration or duration
        measures |= {"width": file.width, "height": file.height}
    if duration:
        measures["duration"] = max(round(duration), 1)
    return measures
