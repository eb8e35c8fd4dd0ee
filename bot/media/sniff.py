"""The detection of a file's type and dimensions from the content of the file.

The first 32 bytes decide the type. No picture is decoded, so that a small file that would
decompress to a huge picture is harmless.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

HEAD = 32  # the number of bytes at the start of a file that are needed to detect its type
_STILL_BRANDS = frozenset({b"heic", b"heix", b"heif", b"mif1", b"msf1", b"avif", b"avis"})
EXTENSIONS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "video/mp4": ".mp4",
}
_CONTAINERS = frozenset({b"moov", b"trak"})
_DEEPEST = 4  # the maximum depth of nested boxes
_MOST_BOXES = 4096  # the maximum number of boxes that are read at one depth


@dataclass(frozen=True, slots=True)
class MediaKind:
    """A media type that the bot sends."""

    kind: Literal["photo", "video"]
    mime: str


@dataclass(frozen=True, slots=True)
class Measures:
    """The dimensions of a video in pixels and its duration in seconds. Unknown values are None."""

    width: int | None = None
    height: int | None = None
    duration: float | None = None


def detect_media_kind(head: bytes) -> MediaKind | None:
    """Return the type of the photo or video whose first bytes are ``head``, or None.

    Every MP4 file that is not a still image counts as a video.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return MediaKind("photo", "image/jpeg")
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return MediaKind("photo", "image/png")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return MediaKind("photo", "image/webp")
    if head[4:8] == b"ftyp":
        still = head[8:12] in _STILL_BRANDS
        return MediaKind("photo", "image/heic") if still else MediaKind("video", "video/mp4")
    return None


def measure_video(path: Path) -> Measures:
    """Return the dimensions (pixels) and the duration (seconds) in the header of a video.

    Unknown values are None.

    Raises:
        OSError: The file can't be read.
    """
    try:
        with path.open("rb") as file:
            return _measure_mp4(file)
    except (struct.error, ValueError, IndexError, OverflowError):
        return Measures()


def _measure_mp4(file: BinaryIO) -> Measures:
    size = file.seek(0, 2)
    width = height = 0
    duration: float | None = None
    for name, start, end in _boxes(file, 0, size, 0):
        file.seek(start)
        body = file.read(min(end - start, 120))
        if name == b"mvhd":
            duration = _duration(body)
        elif name == b"tkhd":
            # The width begins at byte 76. In version 1 of the box, the width begins at byte 88,
            # because the three times before the width then have 8 bytes each instead of 4.
            at = 88 if body[0] else 76
            w, h = (value >> 16 for value in struct.unpack(">II", body[at:][:8]))
            if w * h > width * height:
                width, height = w, h
    return Measures(width or None, height or None, duration)


def _duration(mvhd: bytes) -> float | None:
    scale, length = struct.unpack(
        ">IQ" if mvhd[0] else ">II", mvhd[20:32] if mvhd[0] else mvhd[12:20]
    )
    return length / scale if scale else None


def _boxes(file: BinaryIO, start: int, end: int, depth: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each box in a file, and the start and end of the box's content in bytes.

    At a ``depth`` below ``_DEEPEST``, ``moov`` and ``trak`` are replaced by their boxes. Boxes are
    defined in ISO/IEC 14496-12.
    """
    for _ in range(_MOST_BOXES):
        if start + 8 > end:
            return
        file.seek(start)
        size, name = struct.unpack(">I4s", file.read(8))
        body = start + 8
        if size == 1:
            size, body = struct.unpack(">Q", file.read(8))[0], body + 8
        stop = end if size == 0 else min(start + size, end)
        if stop < body:
            return
        if name in _CONTAINERS and depth < _DEEPEST:
            yield from _boxes(file, body, stop, depth + 1)
        else:
            yield name, body, stop
        start = stop
