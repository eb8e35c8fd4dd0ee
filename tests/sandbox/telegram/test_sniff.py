"""What files are, by their bytes."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import media
from sandbox.telegram import sniff
from sandbox.telegram.sniff import Picture

PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", 3, 4)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (PNG, Picture("png", 3, 4)),
        (b"GIF89a" + struct.pack("<HH", 5, 6), Picture("gif", 5, 6)),
        (b"BM" + bytes(16) + struct.pack("<ii", 7, -8), Picture("bmp", 7, 8)),
        (
            b"RIFF....WEBPVP8X" + bytes(8) + b"\x08\0\0\x09\0\0",
            Picture("webp", 9, 10),
        ),
        (
            b"RIFF....WEBPVP8L" + bytes(5) + struct.pack("<I", 10 | 11 << 14),
            Picture("webp", 11, 12),
        ),
        (b"RIFF....WAVE", None),
        (b"\xff\xd8\xff\xff\xd9", None),
        (b"words", None),
    ],
)
def test_pictures(data: bytes, expected: Picture | None) -> None:
    assert sniff.picture(data) == expected


def test_our_own_media() -> None:
    assert sniff.picture(media.photo("1", 0).data()) == Picture("jpeg", 1080, 1920)
    assert sniff.picture(media.webp("1").data()) is not None
    film = sniff.film(media.video("1", 0).data())
    assert film is not None
    assert (film.width, film.height) == (720, 1280)
    assert film.duration == round(media.seconds_of(0))


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\xff\xd8\xff", b"RIFF", PNG, b"\0\0\0\x08ftyp"]),
)
def test_no_bytes_break_it(data: bytes, head: bytes) -> None:
    sniff.picture(head + data)
    sniff.film(head + data)
