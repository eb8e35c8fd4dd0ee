"""Upload once: who sends a story first makes its file_id known, and all others wait for that.

Among replicas each may be the first: they know of each other's files when those are there.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta

import structlog

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.records import KnownFile
from bot.store import file_ids as store
from bot.store.engine.database import Database
from bot.store.file_ids import ANIMATION

log = structlog.get_logger()

_REMEMBERED = 20_000  # in memory; the store has them all
PATIENCE = timedelta(seconds=5)  # how old an upload gets before alerts wait for it no longer


class StillUploadedError(Exception):
    """Another uploads the story, and takes long: an alert goes back to the outbox."""


class Files:
    """The file_ids of live stories: in memory, in the store, and on their way."""

    def __init__(
        self, db: Database, *, bot_id: Callable[[], int], now: Callable[[], datetime]
    ) -> None:
        """Know nothing yet; ``bot_id`` is asked when it is needed."""
        self._db = db
        self._bot_id = bot_id
        self._now = now
        self._memory: dict[str, KnownFile] = {}
        self._in_flight: dict[str, tuple[asyncio.Future[None], datetime]] = {}  # since when

    async def load_known(self, pks: Collection[str]) -> dict[str, KnownFile]:
        """Return the files of those stories that have one which will do for all together."""
        here = self._usable_cached(pks)
        missing = [pk for pk in pks if pk not in here]
        if not missing:
            return here
        async with self._db.read() as tx:
            self._remember_here(await store.known(tx, self._bot_id(), missing, now=self._now()))
        return self._usable_cached(pks)

    def cached(self, pks: Collection[str]) -> dict[str, KnownFile]:
        """Return the known files without reading the store."""
        now = self._now()
        files = {pk: self._memory[pk] for pk in pks if pk in self._memory}
        return {pk: file for pk, file in files.items() if file.until > now}

    @asynccontextmanager
    async def reserve_unknown(
        self, pks: Collection[str], *, patience: timedelta | None = None
    ) -> AsyncIterator[dict[str, KnownFile]]:
        """Yield the known files; the unknown are the caller's to send, and nobody else does.

        Waits while others are sending any of them. All are taken at once or none, so that two
        albums with the same stories can't wait for each other.

        Raises:
            StillUploadedError: Another began to send it ``patience`` ago.
        """
        known, ours = await self._wait_until_free(pks, patience)
        with self._reserved(ours):
            yield known

    async def _wait_until_free(
        self, pks: Collection[str], patience: timedelta | None
    ) -> tuple[dict[str, KnownFile], list[str]]:
        """Wait while others here send any; return the known files, and which are ours to send."""
        while True:
            known, now = await self.load_known(pks), self._now()
            ours = [pk for pk in pks if pk not in known]
            busy = dict(self._in_flight[pk] for pk in ours if pk in self._in_flight)
            if not busy:
                return known, ours
            seconds = None
            if patience is not None:
                seconds = (min(busy.values()) + patience - now).total_seconds()
                if seconds <= 0:
                    raise StillUploadedError
            await asyncio.wait(busy, timeout=seconds)

    @contextmanager
    def _reserved(self, pks: list[str]) -> Iterator[None]:
        """Let nobody else here send these while the block runs."""
        future = asyncio.get_running_loop().create_future()
        self._in_flight |= dict.fromkeys(pks, (future, self._now()))
        try:
            yield
        finally:
            for pk in pks:
                del self._in_flight[pk]
            future.set_result(None)

    async def remember(self, files: dict[str, KnownFile]) -> None:
        """Keep new files by their story's pk, here and for the other replicas.

        Without a database they are kept here alone: what is in a chat must not seem to have
        failed.
        """
        if files:
            self._remember_here(files)
            try:
                async with self._db.begin() as tx:
                    await store.remember(tx, self._bot_id(), files)
            except DatabaseUnavailableError as error:
                log.warning("files can't be kept for the others", count=len(files), why=str(error))

    async def forget(self, pk: str) -> None:
        """Drop a file_id that Telegram refused."""
        self._memory.pop(pk, None)
        async with self._db.begin() as tx:
            await store.remove(tx, self._bot_id(), pk)

    def _usable_cached(self, pks: Collection[str]) -> dict[str, KnownFile]:
        return {pk: file for pk, file in self.cached(pks).items() if fits_album_of(file, len(pks))}

    def _remember_here(self, files: dict[str, KnownFile]) -> None:
        self._memory |= files
        while len(self._memory) > _REMEMBERED:
            del self._memory[next(iter(self._memory))]


def fits_album_of(file: KnownFile, count: int) -> bool:
    """Return whether a file may go out as one of ``count``: an animation goes alone."""
    return count == 1 or file.kind != ANIMATION
