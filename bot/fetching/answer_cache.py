"""Answers of the Stories API, each question asked once: kept, and one flight for all who ask it.

An answer is kept in the store, so that it serves all chats and all replicas; who asks while
somebody else is already asking waits for that answer.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, Self

import structlog

from bot.billing.ledger import Bill, Ledger
from bot.domain.errors import (
    DatabaseUnavailableError,
    ProfileNotFoundError,
    ProfilePrivateError,
    ProfileUnavailableError,
    StoriesError,
    StoryGoneError,
)
from bot.domain.model import Profile, Story
from bot.domain.serialization import dump_stories, load_stories
from bot.fetching import snapshots
from bot.media.urls import expires_at
from bot.runtime import holding
from bot.runtime.places import waiting
from bot.store import answers
from bot.store.answers import View
from bot.store.database import Database, Tx

log = structlog.get_logger()

FLIGHT = timedelta(seconds=10)  # of a process that died; then somebody else may ask
STILL_FLYING_S = 3.0  # who is alive says so
LOOK_AGAIN_S = 0.1  # between two looks at the answer of another replica
LANDS_AFTER_S = 0.05  # who asked is served before the answer is kept
URL_MARGIN = timedelta(seconds=60)
# What a negative answer may be, kept for a while so that asking again costs nothing.
NEGATIVE: dict[str, type[StoriesError]] = {
    kind.__name__: kind
    for kind in (
        ProfileNotFoundError,
        ProfilePrivateError,
        ProfileUnavailableError,
        StoryGoneError,
    )
}
UNAVAILABLE_FOR = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Found:
    """What a question brought: stories, and whose they are as far as that is known."""

    profile: Profile | None
    stories: list[Story]
    partial: bool = False
    bill: Bill | None = None  # to be settled where the answer is kept


Fetch = Callable[[], Awaitable[Found]]
Until = Callable[[list[Story], datetime], datetime]


class Answers:
    """Questions on their way, and what came of earlier ones."""

    def __init__(
        self,
        db: Database,
        ledger: Ledger,
        *,
        now: Callable[[], datetime],
        negative_for: timedelta,
    ) -> None:
        """Keep answers in ``db``, settle their bills in ``ledger``."""
        self._db = db
        self._ledger = ledger
        self._now = now
        self._negative_for = negative_for
        self._flights: dict[str, asyncio.Future[list[Story]]] = {}
        self._landings: dict[str, asyncio.Task[None]] = {}
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait until all that was answered is kept."""
        await self._group.__aexit__(kind, error, trace)

    async def ask(self, key: str, fetch: Fetch, until: Until) -> list[Story]:
        """Return the answer to ``key``, by ``fetch`` if nobody has it; it may be shown ``until``.

        Raises:
            BotError: What ``fetch`` raised, to whoever asked the same meanwhile as well, unless
                only the one who asked may not spend.
        """
        while (flight := self._flights.get(key)) is not None:
            with waiting():
                await asyncio.wait([flight])
            if not flight.cancelled():
                return flight.result()
            # Its asker may not spend, or left; we may and stay.
        flight = self._flights[key] = asyncio.get_running_loop().create_future()
        try:
            found = await self._fly(key, fetch, until)
        except StoriesError as error:
            flight.set_exception(error)
            flight.exception()  # nobody else may have asked; that is no mistake
            raise
        else:
            flight.set_result(found)
            return found
        finally:
            del self._flights[key]
            if not flight.done():
                flight.cancel()

    async def _fly(self, key: str, fetch: Fetch, until: Until) -> list[Story]:
        if (landing := self._landings.get(key)) is not None:
            await asyncio.wait([landing])  # it may hold the answer, or whose the name is
        answer = await self._answer_of_others(key)
        if answer is not None:
            return _unpacked(answer)
        view = View(None, self._now())
        found = Found(None, [])
        try:
            async with self._flying(key):
                found = await fetch()
            view = View(dump_stories(found.stories), until(found.stories, self._now()))
        except StoriesError as error:
            if type(error).__name__ in NEGATIVE:
                value = {"error": type(error).__name__, "fields": error.fields}
                view = View(value, self._now() + self._lasts(error))
            raise
        finally:
            landing = self._group.create_task(self._land(key, view, found, now=self._now()))
            keys = {key, *_told_of(found)}
            self._landings |= dict.fromkeys(keys, landing)
            landing.add_done_callback(partial(self._forget, keys))
        return found.stories

    def _lasts(self, error: StoriesError) -> timedelta:
        """Return how long a failure is said again; what cost nothing may be asked again."""
        if isinstance(error, ProfileUnavailableError):
            return min(UNAVAILABLE_FOR, self._negative_for) * (error.credits != 0)
        return self._negative_for

    @asynccontextmanager
    async def _flying(self, key: str) -> AsyncIterator[None]:
        """Stay the one who asks for ``key``, in the eyes of other processes, however long."""
        if self._db.is_sqlite:  # there are none
            yield
            return
        task = asyncio.get_running_loop().create_task(self._keep_flying(key))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _keep_flying(self, key: str) -> None:
        while True:
            await asyncio.sleep(STILL_FLYING_S)
            try:
                with holding.watched(None):
                    async with self._db.begin(durable=False) as tx:
                        await answers.keep_flying(tx, key, now=self._now(), lease=FLIGHT)
            except DatabaseUnavailableError as error:
                log.warning("others may ask the same again", why=str(error))

    async def _land(self, key: str, view: View, found: Found, *, now: datetime) -> None:
        """Keep the answer, what it teaches, and what it cost: all or nothing.

        If that is lost with the power, the reservation still counts; more than it must not be.
        """
        bill = found.bill
        durable = bill is not None and bill.credits > bill.reservation.credits

        async def keep(tx: Tx) -> None:
            await answers.land(tx, key, view.value, now=now, until=view.until)
            if found.profile:
                await _remember(tx, found.profile, found, now=now)
            if bill:
                await self._ledger.settle(tx, bill.reservation, bill.credits)

        try:
            await asyncio.sleep(LANDS_AFTER_S)
            # The update that asked may have an open transaction by now, and doesn't wait for us.
            with holding.watched(None):
                await self._db.run(keep, durable=durable)
        except Exception:  # it was shown; who asks again pays again
            log.exception("an answer could not be kept", key=key)

    def _forget(self, keys: set[str], landing: asyncio.Task[None]) -> None:
        for key in keys:
            if self._landings.get(key) is landing:
                del self._landings[key]

    async def _answer_of_others(self, key: str) -> Any | None:  # noqa: ANN401 - a JSON value
        """Return a fresh answer, or None when it is ours to ask; waits for who is asking."""
        while True:
            now = self._now()
            async with self._db.read() as tx:
                view = await answers.get(tx, key, now=now)
            if view:
                return view.value
            if self._db.is_sqlite:  # one process, whose flights we know
                return None
            async with self._db.begin(durable=False) as tx:
                if await answers.take_off(tx, key, now=now, lease=FLIGHT):
                    return None
            with waiting():
                await asyncio.sleep(LOOK_AGAIN_S)


async def _remember(tx: Tx, profile: Profile, found: Found, *, now: datetime) -> None:
    """Keep each story by its pk, and what the look teaches: a look is a look, whoever asked."""
    if not found.partial:
        for story in found.stories:
            until = until_urls_expire([story], now)
            await answers.land(
                tx, story_key(story.pk), dump_stories([story]), now=now, until=until
            )
    look = snapshots.Look(profile, tuple(found.stories), partial=found.partial)
    await snapshots.record(tx, look, now=now)


def _told_of(found: Found) -> set[str]:
    """Return the questions that are cheaper once this is kept."""
    stories = {story_key(story.pk) for story in found.stories}
    return stories | ({profile_key(found.profile.username)} if found.profile else set())


def profile_key(username: str) -> str:
    """Return under which key the live stories of a profile are kept."""
    return f"profile:{username}"


def story_key(pk: str) -> str:
    """Return under which key a story is kept, whoever asked for it."""
    return f"story:{pk}"


def until_urls_expire(found: list[Story], now: datetime) -> datetime:
    """Return until when a story may be shown again: its addresses are signed."""
    story = found[0]
    urls = [url for url in (story.media_url, story.thumbnail_url) if url]
    ends = [end - URL_MARGIN for url in urls if (end := expires_at(url))]
    return max(min([story.expires_at, *ends]), now)


def _unpacked(answer: Any) -> list[Story]:  # noqa: ANN401 - a JSON value
    if isinstance(answer, dict):
        raise NEGATIVE[answer["error"]]("known from the last answer", **answer["fields"])
    return load_stories(answer)
