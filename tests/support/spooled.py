"""Downloaded files that are kept during a test."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.media.spool import MediaFile


@contextmanager
def kept(file: MediaFile) -> Iterator[MediaFile]:
    """Keep a file during the block, and then delete the file."""
    try:
        yield file
    finally:
        file.remove()
