"""Upload once: who sends a story first makes its file_id known, and all others wait for that."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime, timedelta

import structlog

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.records import KnownFile
from bot.runtime.background import renewed
from bot.runtime.recent import Recent
from bot.store import file_ids as store
from bot.store.engine.database import Database
from bot.store.file_ids import ANIMATION

log = structlog.get_logger()

_REMEMBERED = 20_000  # in memory; the store has them all
_UPLOAD_LEASE = timedelta(
    seconds=9
)  # kept up while an upload takes longer; of the dead it ends soon
PATIENCE = timedelta(seconds=5)  # from its begin, that an alert waits for what another uploads
_NAMELESS_FOR = timedelta(minutes=10)  # how long nobody waits for a file_id that did not come
_ELSEWHERE_FOR = timedelta(minutes=10)  # how long it is known that another replica is at it
_READ_AGAIN_S = 0.2  # between two reads of the file of another replica


class StillUploadedError(Exception):
    """Another is at a story for long: an alert waits for that in the outbox."""


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
        # Since when each is sent; None where the store is asked for it.
        self._in_flight: dict[str, tuple[asyncio.Future[None], datetime | None]] = {}
        self._elsewhere = Recent[datetime]()  # since when another replica is seen at it
        self._nameless = Recent[str]()

    async def known(self, pks: Collection[str]) -> dict[str, KnownFile]:
        """Return the files of those stories that have one which will do for all together."""
        here = self._usable(pks)
        missing = [pk for pk in pks if pk not in here]
        if not missing:
            return here
        async with self._db.read() as tx:
            self._memorise(await store.known(tx, self._bot_id(), missing, now=self._now()))
        return self._usable(pks)

    def at_hand(self, pks: Collection[str]) -> dict[str, KnownFile]:
        """Return the known files without reading the store."""
        now = self._now()
        files = {pk: self._memory[pk] for pk in pks if pk in self._memory}
        return {pk: file for pk, file in files.items() if file.until > now}

    @asynccontextmanager
    async def first(
        self, pks: Collection[str], *, patience: timedelta | None = None
    ) -> AsyncIterator[dict[str, KnownFile]]:
        """Yield the known files; the unknown are the caller's to send, and nobody else does.

        Waits while others are sending any of them. All are taken at once or none, so that two
        albums with the same stories can't wait for each other. Nobody waits for what came back
        without a file_id once.

        Raises:
            StillUploadedError: Another began to send it ``patience`` ago.
        """
        known, ours = await self._turn(pks, patience)
        if not ours:
            yield known
            return
        is_claimed = False  # among replicas; else the right to upload is another's
        try:
            with self._taken(ours, since=self._now()):
                if self._db.is_sqlite:
                    yield known
                else:
                    is_claimed = await self._wait_for_replicas(ours, pks, patience)
                    third = _UPLOAD_LEASE.total_seconds() / 3
                    async with renewed(lambda: self._renew(ours), every_s=third):
                        yield self._usable(pks)
        finally:
            unsent = [pk for pk in ours if pk not in self._usable(pks)]
            if unsent and is_claimed:
                with suppress(DatabaseUnavailableError):  # then the lease ends by itself
                    async with self._db.begin() as tx:
                        await store.release(tx, self._bot_id(), unsent)

    async def _turn(
        self, pks: Collection[str], patience: timedelta | None
    ) -> tuple[dict[str, KnownFile], list[str]]:
        """Return the known files, and which of the others nobody here sends by now."""
        has_read = False
        while True:
            known = self._usable(pks)
            ours = [
                pk
                for pk in pks
                if pk not in known
                and not self._nameless.get(pk, within=_NAMELESS_FOR, now=self._now())
            ]
            busy = dict(self._in_flight[pk] for pk in ours if pk in self._in_flight)
            if not busy:
                if has_read or len(known) == len(pks):
                    return known, ours
                with self._taken(ours, since=None):  # else all who want it now read it
                    await self.known(pks)
                has_read = True
                continue
            seconds = None
            begun = [since for since in busy.values() if since]
            if patience is not None and begun:
                seconds = (min(begun) + patience - self._now()).total_seconds()
                if seconds <= 0:
                    raise StillUploadedError
            done, _ = await asyncio.wait(busy, timeout=seconds)
            for one in done:
                one.result()  # a store that can't be read fails all who wait, not each in turn

    @contextmanager
    def _taken(self, pks: list[str], *, since: datetime | None) -> Iterator[None]:
        """Let nobody else here ask for these, or send them, while the block runs.

        A failure of who only asks is of all who wait for that; of who sends, it is its own.
        """
        future = asyncio.get_running_loop().create_future()
        self._in_flight |= dict.fromkeys(pks, (future, since))
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            failure = error if since is None else None
            raise
        finally:
            for pk in pks:
                del self._in_flight[pk]
            if failure:
                future.set_exception(failure)
                future.exception()  # seen: it may be that nobody waits
            else:
                future.set_result(None)

    async def remember(
        self, files: dict[str, KnownFile | None], *, anew: Collection[str] = ()
    ) -> None:
        """Keep files by their story's pk, here and for the other replicas.

        None where a story arrived, and Telegram named no file that can be used again. Those
        ``anew`` came by another source, so they replace one that may be bad. Without a database
        they are kept here alone: what is in a chat must not seem to have failed.
        """
        now = self._now()
        nameless = [pk for pk, file in files.items() if file is None]
        for pk in nameless:
            self._nameless.record(pk, "nameless", now=now)
        new = {
            pk: file
            for pk, file in files.items()
            if file and (pk in anew or not self._has(pk, file))
        }
        if new:
            self._memorise(new)
            try:
                async with self._db.begin() as tx:
                    await store.remember(tx, self._bot_id(), new)
            except DatabaseUnavailableError as error:
                log.warning("files can't be kept for the others", count=len(new), why=str(error))

    async def forget(self, pk: str) -> None:
        """Drop a file_id that Telegram refused."""
        self._memory.pop(pk, None)
        async with self._db.begin() as tx:
            await store.forget(tx, self._bot_id(), pk)

    def _usable(self, pks: Collection[str]) -> dict[str, KnownFile]:
        return {pk: file for pk, file in self.at_hand(pks).items() if is_good_for(file, len(pks))}

    async def _wait_for_replicas(
        self, pks: list[str], all_pks: Collection[str], patience: timedelta | None
    ) -> bool:
        """Return when each story has a file (false) or is ours to upload."""
        while True:
            known = await self.known(all_pks)
            ours = [pk for pk in pks if pk not in known]
            if not ours or await self._is_claimed(ours):
                for pk in pks:
                    self._elsewhere.forget(pk)
                return bool(ours)
            now = self._now()
            began = min(self._seen_elsewhere(pk, now) for pk in ours)
            if patience is not None and now >= began + patience:
                raise StillUploadedError
            await asyncio.sleep(_READ_AGAIN_S)

    def _seen_elsewhere(self, pk: str, now: datetime) -> datetime:
        """Return since when another replica is seen at a story."""
        since = self._elsewhere.get(pk, within=_ELSEWHERE_FOR, now=now)
        if since is None:
            self._elsewhere.record(pk, now, now=now)
        return since or now

    async def _is_claimed(self, pks: list[str]) -> bool:
        async with self._db.begin() as tx:
            return await store.claim(tx, self._bot_id(), pks, now=self._now(), lease=_UPLOAD_LEASE)

    async def _renew(self, pks: list[str]) -> bool:
        """Keep other replicas from uploading what we still upload."""
        async with self._db.begin(durable=False) as tx:
            await store.renew(tx, self._bot_id(), pks, until=self._now() + _UPLOAD_LEASE)
        return True

    def _has(self, pk: str, file: KnownFile) -> bool:
        """Return whether it is known, or something better: a video serves alone and in albums."""
        known = self.at_hand([pk]).get(pk)
        return known is not None and (
            known.file_unique_id == file.file_unique_id
            or (known.kind, file.kind) == ("video", ANIMATION)
        )

    def _memorise(self, files: dict[str, KnownFile]) -> None:
        self._memory |= files
        while len(self._memory) > _REMEMBERED:
            del self._memory[next(iter(self._memory))]


def is_good_for(file: KnownFile, count: int) -> bool:
    """Return whether a file may go out as one of ``count``: an animation goes alone."""
    return count == 1 or file.kind != ANIMATION
