"""The file in a call: uploaded, fetched from a URL, or identified by a file_id."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sandbox.telegram.call import Call, parse_int
from sandbox.telegram.files import Content, Media
from sandbox.telegram.params import Request, Upload
from sandbox.telegram.refusals import Refusal, bad_request

PHOTO_LIMIT = 10 * 2**20
URL_LIMITS = {"photo": 5 * 2**20}
URL_LIMIT = 20 * 2**20
_THUMBNAIL_LIMIT = 200 * 1024
_MEDIA_FIELDS = frozenset({"photo", "video", "document", "animation", "audio", "voice"})
_URL_TYPES = {
    "photo": ("image/",),
    "video": ("video/",),
    "document": ("application/pdf", "application/zip", "image/gif"),
    "animation": ("image/gif", "video/mp4"),
}


@dataclass(frozen=True, slots=True)
class Given:
    """A file in a call: the content, its source, and the name of the upload."""

    content: Content
    source: str
    name: str = ""
    kind: str = ""  # the kind of media, if the file was given by a file_id


_SENTENCES = {  # source: telegram-bot-api, Client::fail_query_with_error
    "WEBPAGE_CURL_FAILED": "Failed to get HTTP URL content",
    "WEBPAGE_MEDIA_EMPTY": "Wrong type of the web page content",
    "EXTERNAL_URL_INVALID": "Wrong HTTP URL specified",
    "MEDIA_GROUPED_INVALID": "Can't use the media of the specified type in the album",
}


class MediaFailure(Exception):  # noqa: N818 - not an error of the program, but an answer of Telegram's media servers
    """Raised if Telegram's servers refuse a file after the Bot API server's own checks."""

    def __init__(self, text: str) -> None:
        """Store the error `text` of Telegram's servers: a CODE, or a sentence of TDLib."""
        super().__init__(text)
        self.text = text

    def refusal(self) -> Refusal:
        """Return the refusal of a call that sends only this file.

        The refusal has a sentence instead of the code for some codes.
        """
        return bad_request(_SENTENCES.get(self.text, self.text))


def has_file(call: Call, value: str, field: str = "") -> bool:
    """Return whether a call has a file.

    The content of the file is not checked, because the chat is checked before the content.
    """
    if _upload(call, value, field) is not None:
        return True
    return bool(value) and not value.startswith("attach://")


def parse_file(call: Call, kind: str, value: str, field: str = "") -> Given | str:
    """Return the file in a call after the checks that need no web access.

    The result is a `Given` for an upload or a file_id, and a text for a URL.

    Raises:
        Refusal: An upload is empty or too big, or a file_id is invalid.
    """
    upload = _upload(call, value, field)
    if upload is not None:
        return _from_upload(call, kind, upload)
    if "." in value:
        _check_url(value)
        return value
    return _from_file_id(call, kind, value)


def _upload(call: Call, value: str, field: str) -> Upload | None:
    if value.startswith("attach://"):
        return call.files.get(value.removeprefix("attach://"))
    return call.files.get(field) if field else None


def _from_upload(call: Call, kind: str, upload: Upload) -> Given:
    size = len(upload.data)
    if size == 0:
        raise bad_request("file must be non-empty")
    if kind == "photo" and size > PHOTO_LIMIT:
        raise bad_request(
            f"file of size {size} bytes is too big for a photo; "
            f"the maximum size is {PHOTO_LIMIT} bytes"
        )
    content = call.world.files.store(upload.data, upload.content_type)
    return Given(content, "upload", upload.name)


def _check_url(url: str) -> None:
    scheme, separator, _ = url.partition("://")
    if separator and scheme.lower() not in {"http", "https"}:
        raise bad_request("invalid file HTTP URL specified: Unsupported URL protocol")
    try:
        host = urlsplit(url if separator else f"http://{url}").hostname
    except ValueError:
        host = None
    if not host or " " in url:
        raise bad_request("invalid file HTTP URL specified: URL host is empty")


def _from_file_id(call: Call, kind: str, value: str) -> Given:
    real, content, _ = call.world.files.find(call.bot, value)
    if real == "thumbnail":
        raise bad_request(f"can't use file of type Thumbnail as {kind.capitalize()}")
    if real != kind and {real, kind} != {"document", "animation"}:
        raise bad_request(f"can't use file of type {real.capitalize()} as {kind.capitalize()}")
    return Given(content, "file_id", kind=real)


def media_of_file_id(call: Call, kind: str, file_id: str) -> Media:
    """Return the file of a file_id as media of a kind.

    Raises:
        Refusal: The file_id is invalid, or the file is of a different kind.
    """
    return _media(call, kind, _from_file_id(call, kind, file_id), {})


async def fetch_and_check(
    call: Call, kind: str, given: Given | str, options: dict[str, Any]
) -> tuple[Media, str]:
    """Return the media to send and their source. A URL is fetched, and a photo is checked.

    Raises:
        MediaFailure: Telegram's servers refuse the file.
    """
    if isinstance(given, str):
        given = await _fetched(call, kind, given)
    if kind == "photo":
        _check_photo(given)
    return _media(call, kind, given, options), given.source


async def _fetched(call: Call, kind: str, url: str) -> Given:
    answer = await call.services.fetch(url)
    if answer is None or answer.status != 200 or not answer.data:
        raise MediaFailure("WEBPAGE_CURL_FAILED")
    if max(len(answer.data), answer.length or 0) > URL_LIMITS.get(kind, URL_LIMIT):
        raise MediaFailure("WEBPAGE_CURL_FAILED")
    if not answer.content_type.startswith(_URL_TYPES[kind]):
        raise MediaFailure("WEBPAGE_MEDIA_EMPTY")
    content = call.world.files.store(answer.data, answer.content_type)
    name = urlsplit(url).path.rpartition("/")[2]
    return Given(content, "url", name)


def _check_photo(given: Given) -> None:
    shape = given.content.picture
    if shape is None:
        raise MediaFailure("IMAGE_PROCESS_FAILED")
    width, height = shape.width, shape.height
    narrow = max(width, height) > 20 * max(1, min(width, height))
    if width + height > 10_000 or narrow or not width or not height:
        raise MediaFailure("PHOTO_INVALID_DIMENSIONS")


def _media(call: Call, kind: str, given: Given, options: dict[str, Any]) -> Media:
    content = given.content
    if kind == "photo":
        return Media("photo", content)
    fields: dict[str, Any] = {}
    if kind in {"video", "animation"}:
        film = content.film
        for name, real in (("width", film.width if film else 0),
                           ("height", film.height if film else 0),
                           ("duration", film.duration if film else 0)):  # fmt: skip
            fields[name] = parse_int(options.get(name) or 0) or real
    if given.name:
        fields["file_name"] = given.name
    fields["mime_type"] = content.mime_type
    return Media(kind, content, fields, thumbnail(call, options))


def thumbnail(call: Call, options: dict[str, Any]) -> Content | None:
    """Store and return the thumbnail in a call, or return None without a valid thumbnail.

    A valid thumbnail is an uploaded picture of less than 200 KiB.
    """
    upload = _upload(call, str(options.get("thumbnail") or ""), "thumbnail")
    if upload is None or not 0 < len(upload.data) < _THUMBNAIL_LIMIT:
        return None
    content = call.world.files.store(upload.data, upload.content_type)
    return content if content.picture else None


def sources_of_files(method: str, sent: Request) -> set[str]:
    """Return the sources of a call's files (file_id, url, upload), for fault selection."""
    if method == "sendMediaGroup":
        items = sent.params.get("media", "[]")
        try:
            items = json.loads(items) if isinstance(items, str) else items
            given = [str(item.get("media", "")) for item in items]
        except (TypeError, ValueError, AttributeError, RecursionError):
            given = []
    else:
        field = method.removeprefix("send").lower()
        given = [str(sent.params.get(field, ""))] if field in _MEDIA_FIELDS else []
    ways = {"url" if "." in value else "file_id" for value in given
            if value and not value.startswith("attach://")}  # fmt: skip
    return ways | ({"upload"} if sent.files else set())


def upload_bytes(call: Call) -> int:
    """Return the total size of a call's uploads in bytes."""
    return sum(len(upload.data) for upload in call.files.values())
