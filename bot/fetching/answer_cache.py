"""A cache of the Stories API's answers: a question is asked once, whoever asks it.

Answers are kept in the store, so that they serve all chats and all replicas; the story of a link
also in memory. While a question is in flight, others who ask the same of this process wait for its
answer.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import structlog
from pydantic import TypeAdapter

from bot.billing.ledger import Bill, Ledger
from bot.domain.errors import (
    ApiRefusedError,
    HighlightGoneError,
    HighlightsUnavailableError,
    ProfilePrivateError,
    ProfileUnavailableError,
    StoriesError,
    StoryGoneError,
)
from bot.domain.model import STORY_LIFE, Profile, Story
from bot.domain.serialization import dump_stories
from bot.fetching import snapshots
from bot.fetching.names import NEGATIVE_FOR
from bot.media.urls import expires_at
from bot.runtime import transaction_guard
from bot.runtime.recent import Recent
from bot.store import answers
from bot.store.engine.database import Database, Tx

log = structlog.get_logger()

T = TypeVar("T")

_STORED_AFTER_S = 0.05  # so that who asked is served before the answer is written
_URL_MARGIN = timedelta(seconds=60)
# What a negative answer may be, kept for a while so that asking again costs nothing. What is said
# of a name is kept by ``names``, for all ways that ask for it.
_NEGATIVE: dict[str, type[StoriesError]] = {
    kind.__name__: kind
    for kind in (
        ApiRefusedError,
        ProfileUnavailableError,
        StoryGoneError,
        HighlightGoneError,
        HighlightsUnavailableError,
    )
}


@dataclass(frozen=True, slots=True)
class Fetched(Generic[T]):
    """What a question brought, and of which profile, as far as that is known.

    With a ``profile`` it is a snapshot of it: then it holds stories.
    """

    profile: Profile | None
    result: list[T]
    partial: bool = False
    bill: Bill | None = None  # to be settled where the answer is kept


Fetch = Callable[[], Awaitable[Fetched[T]]]
Until = Callable[[list[T], datetime], datetime]


class AnswerCache:
    """Questions in flight, and the kept answers of earlier ones."""

    def __init__(
        self,
        db: Database,
        ledger: Ledger,
        *,
        now: Callable[[], datetime],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """Keep answers in ``db``, settle their bills in ``ledger``.

        ``wake`` is called when an answer showed stories that may be owed to subscribers.
        """
        self._db = db
        self._ledger = ledger
        self._now = now
        self._wake = wake
        self._shown = Recent[list[Any]]()  # of which the store has all
        self._in_flight: dict[str, asyncio.Future[list[Any]]] = {}
        self._storing: dict[str, asyncio.Task[None]] = {}
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

    async def get(
        self, key: str, fetch: Fetch[T], until: Until[T], codec: TypeAdapter[list[T]], of: str = ""
    ) -> list[T]:
        """Return the answer to ``key``, by ``fetch`` if nobody has it; it may be shown ``until``.

        It is kept by ``codec``; a key is always asked by the same one. Nothing is fetched where
        the account of the name ``of`` was private a moment ago.

        Raises:
            ProfilePrivateError: It was.
            BotError: What ``fetch`` raised, to whoever asked the same meanwhile as well, unless
                only the one who asked may not spend.
        """
        while (future := self._in_flight.get(key)) is not None:
            await asyncio.wait([future])
            if not future.cancelled():
                return future.result()
            # Who asked may not spend, or was cancelled: now we ask.
        future = self._in_flight[key] = asyncio.get_running_loop().create_future()
        try:
            result = await self._load_or_fetch(key, fetch, until, codec, of)
        except StoriesError as error:
            future.set_exception(error)
            future.exception()  # nobody else may have asked; that is no mistake
            raise
        else:
            future.set_result(result)
            return result
        finally:
            del self._in_flight[key]
            if not future.done():
                future.cancel()

    async def _load_or_fetch(
        self, key: str, fetch: Fetch[T], until: Until[T], codec: TypeAdapter[list[T]], of: str
    ) -> list[T]:
        now = self._now()
        shown = self._shown.get(key, within=STORY_LIFE, now=now)
        if shown and until(shown, now) > now:
            return shown
        if (storing := self._storing.get(key)) is not None:
            await asyncio.wait([storing])  # its write may hold the answer, or who has the name
        verdict, now = answers.verdict_key(of), self._now()
        kept = await self._db.fetch(lambda tx: answers.get_fresh(tx, key, verdict, now=now))
        if key in kept:
            return _value_or_raise(kept[key], codec)
        if kept.get(verdict) == ProfilePrivateError.__name__:
            raise ProfilePrivateError("known from the last answer", username=of)
        try:
            fetched = await fetch()
        except StoriesError as error:
            if type(error).__name__ in _NEGATIVE and error.credits != 0:
                failure = {"error": type(error).__name__, "fields": error.fields}
                end = self._now() + NEGATIVE_FOR
                self._begin_storing(key, failure, Fetched(None, []), until=end)
            raise
        value = codec.dump_python(fetched.result, mode="json")
        self._begin_storing(key, value, fetched, until=until(fetched.result, self._now()))
        if fetched.partial:  # one story: lists would fill the memory
            self._shown.record(key, fetched.result, now=self._now())
        return fetched.result

    def _begin_storing(
        self, key: str, value: object, fetched: Fetched[Any], *, until: datetime
    ) -> None:
        store = self._store(key, value, fetched, until=until, now=self._now())
        storing = self._group.create_task(store)
        keys = {key, *_keys_answered(fetched)}
        self._storing |= dict.fromkeys(keys, storing)
        storing.add_done_callback(partial(self._end_storing, keys))

    async def _store(
        self, key: str, value: object, fetched: Fetched[Any], *, until: datetime, now: datetime
    ) -> None:
        """Keep the answer, what it teaches, and what it cost: all or nothing.

        If that is lost with the power, the reservation still counts; more than it must not be.
        """
        bill = fetched.bill
        durable = bill is not None and bill.credits > bill.reservation.credits

        async def write(tx: Tx) -> None:
            await answers.store(tx, key, value, until=until)
            if fetched.profile:
                await _record(tx, fetched.profile, fetched, now=now)
            if bill:
                await self._ledger.settle(tx, bill.reservation, bill.credits)

        try:
            await asyncio.sleep(_STORED_AFTER_S)
            # The update that asked may have an open transaction by now, and doesn't wait for us.
            with transaction_guard.refusing_while(None):
                await self._db.run(write, durable=durable)
        except Exception:  # it was shown; who asks again pays again
            log.exception("an answer could not be kept", key=key)
        else:
            if fetched.profile:
                self._wake()  # who asked may have been answered before

    def _end_storing(self, keys: set[str], storing: asyncio.Task[None]) -> None:
        for key in keys:
            if self._storing.get(key) is storing:
                del self._storing[key]


async def _record(tx: Tx, profile: Profile, fetched: Fetched[Story], *, now: datetime) -> None:
    """Keep each story by its pk, and the snapshot that it is, whoever asked."""
    if not fetched.partial:
        for story in fetched.result:
            until = until_urls_expire([story], now)
            await answers.store(tx, story_key(story.pk), dump_stories([story]), until=until)
    snapshot = snapshots.Snapshot(profile, tuple(fetched.result), partial=fetched.partial)
    await snapshots.record(tx, snapshot, now=now)


def _keys_answered(fetched: Fetched[Any]) -> set[str]:
    """Return the keys of all questions that this answers."""
    if fetched.profile is None:
        return set()
    return {profile_key(fetched.profile.username), *(story_key(one.pk) for one in fetched.result)}


def profile_key(username: str) -> str:
    """Return under which key the live stories of a profile are kept."""
    return f"profile:{username}"


def story_key(pk: str) -> str:
    """Return under which key a story is kept, whoever asked for it."""
    return f"story:{pk}"


def until_urls_expire(stories: list[Story], now: datetime) -> datetime:
    """Return until when a story may be shown again: its addresses are signed."""
    story = stories[0]
    return max(min([story.expires_at, *url_expiries(story)]), now)


def url_expiries(story: Story) -> list[datetime]:
    """Return until when the signed address of a story can be fetched, with a margin."""
    end = expires_at(story.media_url or "")
    return [end - _URL_MARGIN] if end else []


def _value_or_raise(answer: Any, codec: TypeAdapter[list[T]]) -> list[T]:  # noqa: ANN401 - a JSON value
    if isinstance(answer, dict):
        raise _NEGATIVE[answer["error"]]("known from the last answer", **answer["fields"])
    return codec.validate_python(answer)
