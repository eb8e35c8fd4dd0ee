"""The media of the stories: real files, each with the pk of its story in the file."""

import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "media"
_MARK = b"storybell story pk="
_MARKED = re.compile(re.escape(_MARK) + rb"(\d{1,30});")
_SEGMENT = 65_535  # maximum bytes of a JPEG segment, including its length field
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Video:
    """A video clip and its poster, by file name."""

    file: str
    poster: str
    seconds: float


@dataclass(frozen=True)
class Index:
    """The contents of the media folder."""

    photos: tuple[str, ...]
    videos: tuple[Video, ...]
    avatars: int
    webp: str


@dataclass(frozen=True)
class Blob:
    """A body in pieces. Each piece has a repeat count, so that large bodies need little memory."""

    content_type: str
    pieces: tuple[tuple[bytes, int], ...]

    def __len__(self) -> int:
        """Return the total number of bytes."""
        return sum(len(data) * times for data, times in self.pieces)

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from `start` to `stop` in chunks of at most 64 KiB."""
        left = (len(self) if stop is None else stop) - start
        for data, times in self.pieces:
            skipped = min(times, start // len(data)) if data else times
            start -= skipped * len(data)
            for _ in range(times - skipped):
                for at in range(start, len(data), _CHUNK):
                    if left <= 0:
                        return
                    chunk = data[at : at + min(_CHUNK, left)]
                    left -= len(chunk)
                    yield chunk
                start = 0

    def data(self) -> bytes:
        """Return the whole body. Use this only for small bodies."""
        return b"".join(self.chunks())


@cache
def index() -> Index:
    """Return the index of the media folder, which is read once."""
    raw = json.loads((FOLDER / "index.json").read_text())
    videos = tuple(Video(**video) for video in raw["videos"])
    return Index(tuple(raw["photos"]), videos, raw["avatars"], raw["webp"])


@cache
def _file(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def photo(pk: str, variant: int, size: int | None = None) -> Blob:
    """Return a JPEG of 1080x1920 pixels with the story's pk in a comment.

    A JPEG that is smaller than `size` bytes is padded to about `size` bytes.
    """
    return _jpeg(_file(index().photos[variant % len(index().photos)]), pk, size)


def poster(pk: str, variant: int) -> Blob:
    """Return the poster of a video: a JPEG of 640x1136 pixels with the story's pk."""
    return _jpeg(_file(index().videos[variant % len(index().videos)].poster), pk, None)


def avatar(variant: int) -> Blob:
    """Return a profile picture of 150x150 pixels."""
    return Blob("image/jpeg", ((_file(f"avatar-{variant % index().avatars}.jpg"), 1),))


def webp(pk: str) -> Blob:
    """Return a WebP file with the story's pk. The CDN sometimes sends such a file as `.jpg`."""
    body = _file(index().webp)
    note = _mark(pk)
    note += b" " * (len(note) % 2)
    grown = body[8:] + b"NOTE" + struct.pack("<I", len(note)) + note
    return Blob("image/webp", ((b"RIFF" + struct.pack("<I", len(grown)) + grown, 1),))


def video(pk: str, variant: int, size: int | None = None, *, silent: bool = False) -> Blob:
    """Return an MP4 of 720x1280 pixels with the story's pk in a `free` box.

    An MP4 that is smaller than `size` bytes is padded to about `size` bytes. If `silent` is True,
    the MP4 has no audio track.
    """
    body = _file(index().videos[variant % len(index().videos)].file)
    if silent:
        at = body.rindex(b"trak", 0, body.index(b"soun"))
        body = body[:at] + b"free" + body[at + 4 :]
    note = _mark(pk)
    head = body + struct.pack(">I4s", 8 + len(note), b"free") + note
    missing = max(0, (size or 0) - len(head) - 8)
    if not missing:
        return Blob("video/mp4", ((head, 1),))
    head += struct.pack(">I4s", 8 + missing, b"free")
    whole, rest = divmod(missing, _CHUNK)
    return Blob("video/mp4", ((head, 1), (bytes(_CHUNK), whole), (bytes(rest), 1)))


def seconds_of(variant: int) -> float:
    """Return the duration of the clip of `video(…, variant)` in seconds."""
    return index().videos[variant % len(index().videos)].seconds


def story_pk_of(data: bytes) -> str | None:
    """Return the pk of a story in a file of the sandbox. Return None for any other file.

    The pk may be at any position in the file.
    """
    found = _MARKED.search(data)
    return found[1].decode() if found else None


def _jpeg(body: bytes, pk: str, size: int | None) -> Blob:
    head = body[:2] + _comment(_mark(pk))
    missing = max(0, (size or 0) - len(head) - len(body) + 2)
    whole, rest = divmod(missing, _SEGMENT + 2)
    pieces = [(head, 1), (_comment(bytes(_SEGMENT - 2)), whole)]
    pieces.append((_comment(bytes(rest - 4)) if rest >= 4 else b"", 1))
    return Blob("image/jpeg", (*pieces, (body[2:], 1)))


def _comment(text: bytes) -> bytes:
    return b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text


def _mark(pk: str) -> bytes:
    return _MARK + pk.encode() + b";"
