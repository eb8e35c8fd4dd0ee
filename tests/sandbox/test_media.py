"""The media: real files that know their story."""

import io
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sandbox import media
from sandbox.media import Blob

PK = "4037794873496091555"


def _boxes(data: bytes) -> Iterator[tuple[bytes, int]]:
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        assert size >= 8
        yield kind, size
        at += size
    assert at == len(data)


@pytest.mark.parametrize("variant", range(6))
def test_photos_are_jpegs_of_a_story_s_size(variant: int) -> None:
    data = media.photo(PK, variant).data()
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert (image.format, image.size) == ("JPEG", (1080, 1920))
    assert media.story_pk_of(data) == PK


@pytest.mark.parametrize("variant", range(4))
def test_videos_start_fast_and_hold_h264(variant: int) -> None:
    data = media.video(PK, variant).data()
    kinds = [kind for kind, _ in _boxes(data)]
    assert kinds[0] == b"ftyp"
    assert kinds.index(b"moov") < kinds.index(b"mdat")
    assert b"avc1" in data
    assert media.story_pk_of(data) == PK


@given(
    pieces=st.lists(st.tuples(st.binary(max_size=9), st.integers(0, 4)), max_size=5),
    cut=st.tuples(st.integers(0, 60), st.integers(0, 60)),
)
def test_any_part_of_a_blob_is_that_part_of_its_bytes(
    pieces: list[tuple[bytes, int]], cut: tuple[int, int]
) -> None:
    blob = Blob("x", tuple(pieces))
    whole = b"".join(data * times for data, times in pieces)
    start, stop = min(*cut, len(whole)), min(max(cut), len(whole))
    assert blob.data() == whole
    assert len(blob) == len(whole)
    assert b"".join(blob.chunks(start, stop)) == whole[start:stop]
