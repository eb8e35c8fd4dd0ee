"""Downloaded files, kept for as long as a test looks at them."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.media.spool import MediaFile


@contextmanager
def kept(file: MediaFile) -> Iterator[MediaFile]:
    """Keep a file for the block, and remove it then."""
    try:
        yield file
    finally:
        file.remove()
