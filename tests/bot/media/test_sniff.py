"""What a file is, from its bytes; never from its name."""

import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.media.sniff import Measures, detect_media_kind, measure_video

MEDIA = Path("sandbox/media")
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480) + bytes(20)


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"\xff\xd8\xff\xe0xx", "image/jpeg"),
        (PNG, "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b"\x00\x00\x00\x18ftypisom", "video/mp4"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"\x00\x00\x00\x18ftypavif", "image/heic"),
        (b"<html>", None),
        (b"<svg xmlns='x'>", None),
        (b"%PDF-1.7", None),
        (b"PK\x03\x04", None),
        (b"GIF89a", None),
        (b"MZ\x90", None),
        (b"", None),
        (b"\xff\xd8", None),
    ],
)
def test_the_first_bytes_tell(head: bytes, mime: str | None) -> None:
    found = detect_media_kind(head)
    assert (found.mime if found else None) == mime
    if found:
        assert found.kind == ("video" if mime == "video/mp4" else "photo")


def test_a_real_video_has_its_measures() -> None:
    found = measure_video(MEDIA / "video-0.mp4")
    assert (found.width, found.height, found.duration) == (720, 1280, 15.0)


def written(folder: Path, body: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(body)
    return path


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def test_64_bit_boxes_and_times(tmp_path: Path) -> None:
    mvhd = box(b"mvhd", b"\x01\0\0\0" + bytes(16) + struct.pack(">IQ", 1000, 2500) + bytes(80))
    tkhd = box(b"tkhd", b"\x01\0\0\0" + bytes(84) + struct.pack(">II", 720 << 16, 1280 << 16))
    moov = mvhd + box(b"trak", tkhd)
    body = (
        box(b"ftyp", b"mp42" + bytes(12)) + struct.pack(">I4sQ", 1, b"moov", 16 + len(moov)) + moov
    )
    assert measure_video(written(tmp_path, body)) == Measures(720, 1280, 2.5)


def test_what_is_broken_or_unknown_has_no_measures(tmp_path: Path) -> None:
    for body in (b"", b"\xff\xd8\xff\xe0", b"RIFF"):
        assert measure_video(written(tmp_path, body)) == Measures()
    endless = box(b"moov", box(b"moov", box(b"moov", box(b"moov", box(b"moov", b"x" * 9)))))
    assert measure_video(written(tmp_path, endless)) == Measures()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 6000), st.integers(0, 255))
def test_no_broken_file_is_a_surprise(at: int, byte: int) -> None:
    body = bytearray((MEDIA / "video-0.mp4").read_bytes()[:20_000])
    at %= len(body)
    body[at] = byte
    with tempfile.TemporaryDirectory() as folder:
        measure_video(written(Path(folder), bytes(body[: at + 500])))
