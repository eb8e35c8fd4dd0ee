"""The files stored by Telegram. Each file_id of a content is valid for one bot only."""

import base64
import hashlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.media import story_pk_of
from sandbox.telegram import sniff
from sandbox.telegram.people import Bot
from sandbox.telegram.refusals import Refusal, bad_request

_IN_MEMORY = 2**20  # bytes; larger files are stored on disk
_MARK = {  # the first byte of a file_id, as in Telegram
    "thumbnail": 0,
    "photo": 2,
    "voice": 3,
    "video": 4,
    "document": 5,
    "animation": 10,
}
_KIND = {mark: kind for kind, mark in _MARK.items()}
_SIZES = (("s", 90), ("m", 320), ("x", 800), ("y", 1280), ("w", 2560))
_SUFFIX = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "audio/ogg": "oga",
}
_FOLDER = {"photo": "photos", "video": "videos", "animation": "animations", "voice": "voice",
           "thumbnail": "thumbnails"}  # fmt: skip


@dataclass(slots=True)
class Content:
    """The bytes of an uploaded or fetched file. Equal bytes are stored once."""

    serial: int
    digest: bytes
    size: int
    story_pk: str | None
    picture: sniff.Picture | None
    film: sniff.Film | None
    mime_type: str
    _data: bytes | None
    _path: Path | None = None

    def read(self) -> bytes:
        """Return the bytes."""
        return self._data if self._path is None else self._path.read_bytes()  # type: ignore[return-value]  # the path is None only if the data are set


@dataclass(slots=True)
class Media:
    """A file in a message, with the kind of media of the message."""

    kind: str
    content: Content
    fields: dict[str, Any] = field(default_factory=dict)
    thumbnail: Content | None = None

    def view(self, bot: Bot) -> dict[str, Any]:
        """Return the message's media field with the file_ids of `bot`."""
        if self.kind == "photo":
            return {"photo": [_photo_size(bot, self.content, size) for size in self._sizes()]}
        item = dict(self.fields)
        if self.thumbnail is not None and self.thumbnail.picture is not None:
            shape = self.thumbnail.picture
            size = ("m", *_fit(shape.width, shape.height, 320))
            item["thumbnail"] = _photo_size(bot, self.thumbnail, size, "thumbnail")
        item["file_id"] = file_id(bot, self.kind, self.content)
        item["file_unique_id"] = unique_id(self.kind, self.content)
        item["file_size"] = self.content.size
        if self.kind == "animation":
            return {
                "animation": item,
                "document": {
                    key: item[key] for key in item if key not in {"width", "height", "duration"}
                },
            }
        return {self.kind: item}

    def _sizes(self) -> list[tuple[str, int, int]]:
        shape = self.content.picture
        width, height = (shape.width, shape.height) if shape else (1, 1)
        sizes = []
        for letter, limit in _SIZES:
            sizes.append((letter, *_fit(width, height, limit)))
            if max(width, height) <= limit:
                break
        return sizes


def _fit(width: int, height: int, limit: int) -> tuple[int, int]:
    scale = min(1.0, limit / max(width, height, 1))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _photo_size(
    bot: Bot, content: Content, size: tuple[str, int, int], kind: str = "photo"
) -> dict[str, Any]:
    letter, width, height = size
    return {
        "file_id": file_id(bot, kind, content, letter),
        "file_unique_id": unique_id(kind, content, letter),
        "width": width,
        "height": height,
        "file_size": content.size,
    }


def unique_id(kind: str, content: Content, letter: str = "") -> str:
    """Return the file_unique_id, which is equal for equal bytes and kinds, for every bot."""
    mark = bytes([_MARK[kind]]) + letter.encode()
    return _text(b"\x01" + hashlib.blake2b(content.digest + mark, digest_size=11).digest())


def file_id(bot: Bot, kind: str, content: Content, letter: str = "-") -> str:
    """Return the file_id by which `bot` may send the file again."""
    head = bytes([_MARK[kind], 0, 2]) + content.serial.to_bytes(4, "big") + letter.encode()
    body = head + bot.id.to_bytes(8, "big")
    return _text(body + _check(body) + b"\x04")


def _check(body: bytes) -> bytes:
    return hashlib.blake2b(body, key=b"file_id", digest_size=22).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _wrong(why: str) -> Refusal:
    return bad_request(f"wrong remote file identifier specified: {why}")


class Files:
    """All contents of a sandbox."""

    def __init__(self) -> None:
        """Start without files. The folder for large files is created on first use."""
        self._by_digest: dict[bytes, Content] = {}
        self._by_serial: dict[int, Content] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def store(self, data: bytes, content_type: str = "") -> Content:
        """Store bytes and return the content. Equal bytes are stored once."""
        digest = hashlib.sha256(data).digest()
        known = self._by_digest.get(digest)
        if known is not None:
            return known
        shape, movie = sniff.picture(data), sniff.film(data)
        mime = f"image/{shape.kind}" if shape else "video/mp4" if movie else content_type
        content = Content(
            serial=len(self._by_digest) + 1,
            digest=digest,
            size=len(data),
            story_pk=story_pk_of(data),
            picture=shape,
            film=movie,
            mime_type=mime or "application/octet-stream",
            _data=data,
        )
        if len(data) > _IN_MEMORY:
            self._to_disk(content, data)
        self._by_digest[digest] = self._by_serial[content.serial] = content
        return content

    def _to_disk(self, content: Content, data: bytes) -> None:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="sandbox-telegram-")
        content._path = Path(self._folder.name) / content.digest.hex()  # noqa: SLF001 - Files manages its contents
        content._path.write_bytes(data)  # noqa: SLF001 - Files manages its contents
        content._data = None  # noqa: SLF001 - Files manages its contents

    def close(self) -> None:
        """Delete the files on disk."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def find(self, bot: Bot, text: str) -> tuple[str, Content, str]:
        """Return the kind and the content of the file with a file_id, and the letter of its size.

        Raises:
            Refusal: The text is not a file_id, or the file_id belongs to a different bot.
        """
        raw = _decoded(text)
        body = raw[:16]
        if len(raw) != 39 or raw[16:38] != _check(body):
            raise _wrong("can't unserialize it. Wrong last symbol")
        content = self._by_serial.get(int.from_bytes(body[3:7], "big"))
        if content is None or int.from_bytes(body[8:16], "big") != bot.id:
            raise bad_request("wrong file identifier/HTTP URL specified")
        return _KIND[body[0]], content, chr(body[7])

    def path(self, kind: str, content: Content) -> str:
        """Return the path that the response of getFile has for a file."""
        suffix = _SUFFIX.get(content.mime_type, "bin")
        return f"{_FOLDER.get(kind, 'documents')}/file_{content.serial}.{suffix}"

    def content_at(self, path: str) -> Content | None:
        """Return the content of the file with a path of getFile, or None for an unknown path."""
        stem = path.rpartition("/")[2].partition(".")[0].removeprefix("file_")
        content = self._by_serial.get(int(stem)) if stem.isdecimal() else None
        known = content is not None and any(self.path(k, content) == path for k in _MARK)
        return content if known else None


def _decoded(text: str) -> bytes:
    if not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise _wrong("Wrong character in the string")
    if len(text) % 4 == 1:
        raise _wrong("Wrong string length")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
