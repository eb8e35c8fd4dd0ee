"""The spool: a folder of limited size that stores downloaded files until they are uploaded."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from bot.domain.errors import (
    MEDIA_REFUSED,
    MediaError,
    MediaTooBigError,
    MediaUnavailableError,
)
from bot.media.sniff import (
    EXTENSIONS,
    HEAD,
    Measures,
    MediaKind,
    detect_media_kind,
    measure_video,
)

_PROBE = 64 * 1024  # the size in bytes of the file that tests whether the spool can be written
_PATIENCE = 30.0  # the maximum number of seconds that a download waits for free space
# The pattern of subfolder names, which are UUIDs. Folders with other names belong to other
# programs and are not removed.
_SUBFOLDER = "[0-9a-f]" * 32


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A downloaded photo or video. The code that uses the file must call ``remove``.

    ``size`` is in bytes. A video has ``width`` and ``height`` in pixels and ``duration`` in
    seconds. Unknown values are None.
    """

    path: Path
    kind: Literal["photo", "video"]
    mime: str
    size: int
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    on_remove: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)

    def remove(self) -> None:
        """Delete the file, if it still exists, and release its space in the spool.

        A second call does nothing.
        """
        self.path.unlink(missing_ok=True)
        self.on_remove()


class Draft:
    """A file that is being downloaded into reserved space of the spool.

    After the last ``write``, call ``finish`` to get the ``MediaFile``.
    """

    def __init__(self, folder: Path, room: int, release: Callable[[int], None]) -> None:
        """Create a file in ``folder`` that only the Unix user of the bot can read.

        Symbolic links are not followed. ``room`` is the reserved space in bytes. ``release``
        releases a number of reserved bytes.

        Raises:
            OSError: The file cannot be created.
        """
        self.path = folder / uuid.uuid4().hex
        self.size = 0
        self.room = room
        self._release_room = release
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._fd = os.open(self.path, flags, 0o600)
        self._kept = False

    def write(self, chunk: bytes) -> None:
        """Append ``chunk`` to the file.

        Raises:
            MediaTooBigError: The chunk does not fit in the reserved space.
            MediaUnavailableError: The file cannot be written, for example because the disk is
                full.
        """
        if self.size + len(chunk) > self.room:
            raise MediaTooBigError
        try:
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError as error:
            raise _spool_error("the spool can't be written") from error
        self.size += len(chunk)

    async def finish(self, kind: MediaKind) -> MediaFile:
        """Return the complete file, and release the unused part of the reserved space.

        The file gets the extension of its type. Call ``close`` afterwards.

        Raises:
            MediaError: The file is empty.
            OSError: The file can't be read or renamed.
        """
        if not self.size:
            raise MediaError("an empty file", text=MEDIA_REFUSED)
        is_video = kind.kind == "video"
        measures = await asyncio.to_thread(measure_video, self.path) if is_video else Measures()
        path = self.path.rename(self.path.with_suffix(EXTENSIONS[kind.mime]))
        self._kept = True
        self._release_room(self.room - self.size)
        space = contextlib.ExitStack()  # a second ``close`` releases nothing
        space.callback(self._release_room, self.size)
        return MediaFile(
            path=path,
            kind=kind.kind,
            mime=kind.mime,
            size=self.size,
            width=measures.width,
            height=measures.height,
            duration=measures.duration,
            on_remove=space.close,
        )

    def close(self) -> None:
        """Close the file.

        If ``finish`` did not succeed, also remove the file, and release the space that was
        reserved for the file.
        """
        os.close(self._fd)
        if not self._kept:
            self.path.unlink(missing_ok=True)
            self._release_room(self.room)


class Spool:
    """A folder for downloads, used as a context manager.

    All downloads of this process together have at most ``limit`` bytes. Entering the context
    manager removes the subfolders of processes that have ended.
    """

    def __init__(self, folder: Path, *, limit: int, patience: float = _PATIENCE) -> None:
        """Prepare the spool. The disk is not accessed before the context manager is entered.

        ``patience`` is the maximum number of seconds that a download waits for free space.
        """
        self._root = folder
        self._folder = folder / uuid.uuid4().hex
        self.limit = limit
        self.used = 0
        self._patience = patience
        self._freed = asyncio.Event()
        self._lock = -1

    def __enter__(self) -> Self:
        """Create the subfolder of this process, and remove the subfolders of ended processes.

        Raises:
            OSError: The folder can't be used.
        """
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for part in self._root.glob(_SUBFOLDER):
            if part.is_dir() and not part.is_symlink():
                _remove_folder_if_process_has_ended(part)
        self._folder.mkdir(mode=0o700)
        self._lock = os.open(self._folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the subfolder of this process with all its files."""
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._lock)

    @asynccontextmanager
    async def draft(self, size: int) -> AsyncIterator[Draft]:
        """Wait for free space. Yield a file into which at most ``size`` bytes can be written.

        At the end, the file is closed, and is deleted unless ``Draft.finish`` succeeded.

        Raises:
            MediaUnavailableError: No space became free in time, ``size`` exceeds the limit of the
                spool, or the file cannot be created.
        """
        await self._wait_for_room_and_reserve(size)
        try:
            # The operator may have deleted the folder to free space.
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = Draft(self._folder, size, self._release_room)
        except OSError as error:
            self._release_room(size)
            raise _spool_error("the spool can't be written") from error
        try:
            yield draft
        finally:
            draft.close()

    async def raise_if_unwritable(self) -> None:
        """Check that the spool can store a small file, which is deleted at once.

        Raises:
            MediaUnavailableError: The spool is full or can't be written.
        """
        async with self.draft(_PROBE) as draft:
            draft.write(bytes(_PROBE))

    async def _wait_for_room_and_reserve(self, size: int) -> None:
        try:
            async with asyncio.timeout(self._patience if size <= self.limit else 0):
                while self.used + size > self.limit:
                    await self._freed.wait()
        except TimeoutError:
            raise _spool_error("no room in the spool") from None
        self.used += size

    def _release_room(self, size: int) -> None:
        self.used -= size
        self._freed.set()
        self._freed = asyncio.Event()


def _spool_error(reason: str) -> MediaUnavailableError:
    error = MediaUnavailableError(reason)
    error.is_of_spool = True
    return error


async def write_stream(chunks: AsyncIterable[bytes], draft: Draft) -> MediaFile:
    """Write a stream into ``draft``, and return the file. The first bytes decide the file's type.

    Raises:
        MediaError: The stream is empty, or is not a photo or video. In this case only the first
            bytes are read.
        MediaTooBigError: The stream is larger than the draft's reserved space.
        MediaUnavailableError: The file cannot be written, for example because the disk is full.
        OSError: The complete file can't be read or renamed.
    """
    head, kind = b"", None
    async for chunk in chunks:
        if kind is None:
            head += chunk
            if len(head) < HEAD:
                continue
            kind, chunk = _media_kind_or_raise(head), head  # noqa: PLW2901 - the chunks so far, joined
        draft.write(chunk)
    if kind is None:
        kind = _media_kind_or_raise(head)
        draft.write(head)
    return await draft.finish(kind)


def _media_kind_or_raise(head: bytes) -> MediaKind:
    kind = detect_media_kind(head)
    if kind is None:
        raise MediaError("neither photo nor video", text=MEDIA_REFUSED)
    return kind


def _remove_folder_if_process_has_ended(folder: Path) -> None:
    try:
        lock = os.open(folder / "lock", os.O_WRONLY | os.O_NOFOLLOW)
    except OSError:
        return  # a starting process uses the folder, or the bot did not create the folder
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return
    else:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
