"""Detection of a file's type, a picture's size and a video's duration from the file's bytes."""

import struct
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Picture:
    """The type of a picture and its size in pixels."""

    kind: str  # jpeg, png, gif, webp or bmp
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Film:
    """The size of an MP4 in pixels, the duration in seconds, and whether an audio track exists."""

    width: int
    height: int
    duration: int
    has_sound: bool = False


_SOF = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})


def picture(data: bytes) -> Picture | None:
    """Return the type and the size in a picture's header, or None for other files."""
    for magic, read in _READERS.items():
        if data.startswith(magic):
            try:
                return read(data)
            except (struct.error, IndexError):
                return None
    return None


def _png(data: bytes) -> Picture:
    return Picture("png", *struct.unpack(">II", data[16:24]))


def _gif(data: bytes) -> Picture:
    return Picture("gif", *struct.unpack("<HH", data[6:10]))


def _bmp(data: bytes) -> Picture:
    width, height = struct.unpack("<ii", data[18:26])
    return Picture("bmp", width, abs(height))


def _jpeg(data: bytes) -> Picture | None:
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker in {0xFF, 0x01} or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _SOF:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return Picture("jpeg", width, height)
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return None


def _webp(data: bytes) -> Picture | None:
    kind = data[12:16] if data[8:12] == b"WEBP" else b""
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        return Picture("webp", width, int.from_bytes(data[27:30], "little") + 1)
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", data[26:30])
        return Picture("webp", width & 0x3FFF, height & 0x3FFF)
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return Picture("webp", (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)
    return None


_READERS: dict[bytes, Callable[[bytes], Picture | None]] = {
    b"\x89PNG\r\n\x1a\n": _png,
    b"GIF8": _gif,
    b"BM": _bmp,
    b"RIFF": _webp,
    b"\xff\xd8\xff": _jpeg,
}


def film(data: bytes) -> Film | None:
    """Return an MP4's size and duration, or None for a file without an MP4 movie header."""
    if data[4:8] != b"ftyp":
        return None
    moov = _box(data, 0, len(data), b"moov")
    if moov is None:
        return None
    try:
        return _film(data, *moov)
    except (struct.error, IndexError):
        return None


def _film(data: bytes, start: int, end: int) -> Film:
    header = _box(data, start, end, b"mvhd")
    duration = _duration(data, header[0]) if header else 0
    width = height = 0
    has_sound = False
    for track in _boxes(data, start, end, b"trak"):
        at = _box(data, *track, b"tkhd")
        if at is not None and at[1] - at[0] >= 8:
            wide, high = struct.unpack(">II", data[at[1] - 8 : at[1]])
            width, height = max(width, wide >> 16), max(height, high >> 16)
        media = _box(data, *track, b"mdia")
        handler = _box(data, *media, b"hdlr") if media else None
        has_sound |= handler is not None and data[handler[0] + 8 : handler[0] + 12] == b"soun"
    return Film(width, height, duration, has_sound)


def _duration(data: bytes, at: int) -> int:
    if data[at] == 1:
        scale, length = struct.unpack(">IQ", data[at + 20 : at + 32])
    else:
        scale, length = struct.unpack(">II", data[at + 12 : at + 20])
    return round(length / scale) if scale else 0


def _boxes(data: bytes, start: int, end: int, wanted: bytes) -> list[tuple[int, int]]:
    found, at = [], start
    while at + 8 <= end:
        size, head = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif size == 0:
            size = end - at
        if size < head:
            break
        if data[at + 4 : at + 8] == wanted:
            found.append((at + head, min(at + size, end)))
        at += size
    return found


def _box(data: bytes, start: int, end: int, wanted: bytes) -> tuple[int, int] | None:
    found = _boxes(data, start, end, wanted)
    return found[0] if found else None
