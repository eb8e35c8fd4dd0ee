"""The file_ids of stories. One sender uploads a story, and other senders may wait.

Only senders of the same process wait for each other.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.records import KnownFile
from bot.runtime.batching import BatchingQueue
from bot.runtime.timed_cache import TimedCache
from bot.store import file_ids as store
from bot.store.engine.database import Database
from bot.store.file_ids import ANIMATION

log = structlog.get_logger()

_CACHED = 20_000  # maximum number of files in memory
MAX_RESERVATION_AGE = timedelta(seconds=5)  # maximum age of an upload that an alert waits for


class Files:
    """The file_ids of stories, in memory and in the database, and the current uploads.

    A file_id is kept until the story expires, or for at least 30 days if the story is in a
    highlight. A file_id that Telegram refuses is removed.
    """

    def __init__(
        self, db: Database, *, bot_id: Callable[[], int], now: Callable[[], datetime]
    ) -> None:
        """Create an empty cache.

        ``bot_id`` returns the bot's id, and is not called before the start.
        """
        self._db = db
        self._bot_id = bot_id
        self._now = now
        self._cache = TimedCache[str, KnownFile](size=_CACHED)
        # For each story that is being uploaded, the future of the upload and its start time.
        self._in_flight: dict[str, tuple[asyncio.Future[None], datetime]] = {}
        # When a story appears, the sends to many chats need the same files at the same moment. A
        # single query loads the files for all these sends.
        self._loads = BatchingQueue(self._load_known_into_cache)

    async def load_known(self, pks: Collection[str]) -> dict[str, KnownFile]:
        """Return the known files of all stories of an album, by ``Item.file_key``.

        Files that are not in memory are read from the database and cached. A file that must not be
        in the album is omitted (``fits_album_of``).

        Raises:
            DatabaseUnavailableError: The database is unavailable.
        """
        cached = self._usable_cached(pks)
        missing = [pk for pk in pks if pk not in cached]
        if not missing:
            return cached
        await self._loads(missing)
        return self._usable_cached(pks)

    async def _load_known_into_cache(self, pks: list[str]) -> None:
        async with self._db.read() as tx:
            self._put_in_cache(
                await store.known_files(tx, self._bot_id(), set(pks), now=self._now())
            )

    def cached(self, pks: Collection[str]) -> dict[str, KnownFile]:
        """Return the files in memory by ``Item.file_key``, without a query of the database."""
        now = self._now()
        files = {pk: self._cache.get(pk, now=now) for pk in pks}
        return {pk: file for pk, file in files.items() if file is not None}

    @asynccontextmanager
    async def wait_and_reserve_unknown(
        self, pks: Collection[str], *, max_reservation_age: timedelta | None = None
    ) -> AsyncIterator[dict[str, KnownFile] | timedelta]:
        """Yield the known files by ``Item.file_key``, and reserve the stories without a file.

        The reservation ends with the ``with`` block. If a different sender has reserved a story,
        wait. If that reservation becomes older than ``max_reservation_age``, reserve nothing and
        yield the age.

        Raises:
            DatabaseUnavailableError: The known files can't be read from the database.
        """
        while True:
            known, now = await self.load_known(pks), self._now()
            unknown_pks = [pk for pk in pks if pk not in known]
            busy = dict(self._in_flight[pk] for pk in unknown_pks if pk in self._in_flight)
            if not busy:
                break
            seconds = None
            if max_reservation_age is not None:
                seconds = (min(busy.values()) + max_reservation_age - now).total_seconds()
                if seconds <= 0:
                    yield now - min(busy.values())
                    return
            await asyncio.wait(busy, timeout=seconds)
        future = asyncio.get_running_loop().create_future()
        self._in_flight |= dict.fromkeys(unknown_pks, (future, now))
        try:
            yield known
        finally:
            for pk in unknown_pks:
                del self._in_flight[pk]
            future.set_result(None)

    async def store_and_cache(self, files: dict[str, KnownFile]) -> None:
        """Store new files by ``Item.file_key``, in memory and in the database.

        If the database is unavailable, no error is raised, and the files are stored in memory
        only.
        """
        if files:
            self._put_in_cache(files)
            try:
                async with self._db.begin() as tx:
                    await store.store_files(tx, self._bot_id(), files)
            except DatabaseUnavailableError as error:
                log.warning("file ids can't be stored", count=len(files), why=str(error))

    async def remove_refused(self, pk: str) -> None:
        """Remove a refused file_id from memory and from the database.

        ``pk`` is the key (``Item.file_key``) of the story whose file_id Telegram has refused.

        Raises:
            DatabaseUnavailableError: The database is unavailable, so the file_id stays in the
                database.
        """
        self._cache.remove(pk)
        async with self._db.begin() as tx:
            await store.remove(tx, self._bot_id(), pk)

    def _usable_cached(self, pks: Collection[str]) -> dict[str, KnownFile]:
        return {pk: file for pk, file in self.cached(pks).items() if fits_album_of(file, len(pks))}

    def _put_in_cache(self, files: dict[str, KnownFile]) -> None:
        for pk, file in files.items():
            self._cache.put(pk, file, until=file.until)


def fits_album_of(file: KnownFile, count: int) -> bool:
    """Return whether a file may be in an album of ``count`` files.

    An animation must be sent alone.
    """
    return count == 1 or file.kind != ANIMATION
