"""The cache of the Stories API's answers for all chats and processes, in the database.

Single stories are also cached in memory. Within a process, concurrent requests for the same key
share one call.
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
from bot.domain.model import Profile, Story
from bot.domain.serialization import dump_stories
from bot.fetching import snapshots
from bot.fetching.names import NEGATIVE_FOR
from bot.media.urls import expires_at
from bot.runtime import transaction_guard
from bot.runtime.timed_cache import TimedCache
from bot.store import answers
from bot.store.engine.database import Database, Tx

log = structlog.get_logger()

T = TypeVar("T")

# The delay in seconds before an answer is stored, so that the person gets the story first.
_STORED_AFTER_S = 0.05
_URL_MARGIN = timedelta(seconds=60)
# Errors of paid calls that are cached here. The module ``names`` caches errors about a name, so
# the answer that an account is private is cached here only if the request has no name.
_NEGATIVE: dict[str, type[StoriesError]] = {
    kind.__name__: kind
    for kind in (
        ApiRefusedError,
        ProfilePrivateError,
        ProfileUnavailableError,
        StoryGoneError,
        HighlightGoneError,
        HighlightsUnavailableError,
    )
}


@dataclass(frozen=True, slots=True)
class Fetched(Generic[T]):
    """The result of a call of the API.

    If ``profile`` is not None, the result is also recorded as a snapshot. ``partial`` means that
    the profile may have further live stories. ``is_checked`` is False without the API's privacy
    check.
    """

    profile: Profile | None
    result: list[T]
    partial: bool = False
    is_checked: bool = True
    # The bill of the call, which is settled in the transaction that stores the result.
    bill: Bill | None = None


Fetch = Callable[[], Awaitable[Fetched[T]]]
Until = Callable[[list[T], datetime], datetime]


class AnswerCache:
    """Caches the answers of the API, and shares calls that are in progress."""

    def __init__(
        self,
        db: Database,
        ledger: Ledger,
        *,
        now: Callable[[], datetime],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """Store answers in ``db``, and settle bills in ``ledger``.

        ``wake`` is called after a snapshot is recorded, because alerts may be due.
        """
        self._db = db
        self._ledger = ledger
        self._now = now
        self._wake = wake
        self._cache = TimedCache[str, list[Any]]()
        self._in_flight: dict[str, asyncio.Future[list[Any]]] = {}
        self._storing: dict[str, asyncio.Task[None]] = {}
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        """Start the task group that stores answers."""
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait until all answers are stored.

        If an exception ends the block, the unfinished writes are cancelled.
        """
        await self._group.__aexit__(kind, error, trace)

    async def get_or_fetch(
        self,
        key: str,
        fetch: Fetch[T],
        until: Until[T],
        codec: TypeAdapter[list[T]],
        username: str = "",
        *,
        has_name: bool = True,
    ) -> list[T]:
        """Return the cached answer for ``key``, or call ``fetch`` and cache the result.

        A cached answer costs 0 credits, and any other answer the price of ``fetch``. Concurrent
        requests for the same key in this process share one call. ``until`` returns the end of the
        caching. ``codec`` must always be the same for a given key. ``has_name`` is False if the
        request names no account.

        Raises:
            ProfilePrivateError: The account with the name ``username`` is private.
            StoriesError: A call for ``key`` has failed within the last 5 minutes with an error in
                ``_NEGATIVE``, and was not free.
            BotError: ``fetch`` failed. If the error is a ``StoriesError``, all waiting requests
                fail too. After any other error, a waiting request calls ``fetch``.
        """
        while (future := self._in_flight.get(key)) is not None:
            await asyncio.wait([future])
            if not future.cancelled():
                return future.result()
            # The future was cancelled, because the call failed for a reason that concerns only the
            # request that made the call, for example a spending limit. One of the waiting requests
            # makes the next call.
        future = self._in_flight[key] = asyncio.get_running_loop().create_future()
        try:
            result = await self._load_or_fetch(
                key, fetch, until, codec, username, has_name=has_name
            )
        except StoriesError as error:
            future.set_exception(error)
            # Retrieve the exception, because asyncio logs each exception that is never retrieved.
            future.exception()
            raise
        else:
            future.set_result(result)
            return result
        finally:
            del self._in_flight[key]
            if not future.done():
                future.cancel()

    async def _load_or_fetch(
        self,
        key: str,
        fetch: Fetch[T],
        until: Until[T],
        codec: TypeAdapter[list[T]],
        username: str,
        *,
        has_name: bool,
    ) -> list[T]:
        cached = self._cache.get(key, now=self._now())
        if cached is not None:
            return cached
        if (storing := self._storing.get(key)) is not None:
            # Wait for the write that is in progress, because the write may store this answer, or
            # the profile with this username.
            await asyncio.wait([storing])
        verdict = answers.refusal_key(username)
        now = self._now()
        kept = await self._db.fetch(lambda tx: answers.get_fresh(tx, key, verdict, now=now))
        if key in kept:
            return _cached_list_or_raise(kept[key], codec)
        if kept.get(verdict) == ProfilePrivateError.__name__:
            raise ProfilePrivateError("known from the last answer", username=username)
        try:
            fetched = await fetch()
        except StoriesError as error:
            is_cached_by_name = has_name and isinstance(error, ProfilePrivateError)
            is_negative = type(error).__name__ in _NEGATIVE and not is_cached_by_name
            if is_negative and error.credits != 0:
                failure = {"error": type(error).__name__, "fields": error.fields}
                end = self._now() + NEGATIVE_FOR
                self._start_storing_task(key, failure, Fetched(None, []), until=end)
            raise
        value = codec.dump_python(fetched.result, mode="json")
        end = until(fetched.result, self._now())
        self._start_storing_task(key, value, fetched, until=end)
        if fetched.partial:
            # Only single stories are cached in memory, because lists need too much memory.
            self._cache.put(key, fetched.result, until=end)
        return fetched.result

    def _start_storing_task(
        self, key: str, value: object, fetched: Fetched[Any], *, until: datetime
    ) -> None:
        store = self._store_answer_and_settle_bill(
            key, value, fetched, until=until, now=self._now()
        )
        storing = self._group.create_task(store)
        keys = {key, *_profile_and_story_keys(fetched)}
        self._storing |= dict.fromkeys(keys, storing)
        storing.add_done_callback(partial(self._remove_finished_storing_task, keys))

    async def _store_answer_and_settle_bill(
        self, key: str, value: object, fetched: Fetched[Any], *, until: datetime, now: datetime
    ) -> None:
        """Store the answer and the snapshot, and settle the bill, in one transaction. Log errors.

        The commit is durable only if the bill exceeds the reserved credits, which count as spent
        after a power failure.
        """
        bill = fetched.bill
        durable = bill is not None and bill.credits > bill.reservation.credits

        async def write(tx: Tx) -> None:
            await answers.store(tx, key, value, until=until)
            if fetched.profile:
                await _record_snapshot_and_cache_stories(tx, fetched.profile, fetched, now=now)
            if bill:
                await self._ledger.settle(tx, bill.reservation, bill.credits)

        try:
            await asyncio.sleep(_STORED_AFTER_S)
            # The caller may have an open transaction, in which slow operations are forbidden. This
            # write does not belong to the transaction, so slow operations are allowed here.
            with transaction_guard.refusing_slow_operations_while(None):
                await self._db.run(write, durable=durable)
        except Exception:
            # The person already has the answer. Because the answer is not stored, the next request
            # may be paid again.
            log.exception("an answer could not be kept", key=key)
        else:
            if fetched.profile:
                self._wake()  # alerts may be due because of the snapshot

    def _remove_finished_storing_task(self, keys: set[str], storing: asyncio.Task[None]) -> None:
        for key in keys:
            if self._storing.get(key) is storing:
                del self._storing[key]


async def _record_snapshot_and_cache_stories(
    tx: Tx, profile: Profile, fetched: Fetched[Story], *, now: datetime
) -> None:
    """Record the fetched stories of a profile as a snapshot, and enqueue alerts for new stories.

    If ``fetched`` has all stories of the profile, also cache each story by its id.
    """
    if not fetched.partial:
        for story in fetched.result:
            until = first_story_cacheable_until([story], now)
            await answers.store(tx, story_key(story.pk), dump_stories([story]), until=until)
    snapshot = snapshots.Snapshot(
        profile, tuple(fetched.result), partial=fetched.partial, is_checked=fetched.is_checked
    )
    await snapshots.record_snapshot_and_enqueue_alerts(tx, snapshot, now=now)


def _profile_and_story_keys(fetched: Fetched[Any]) -> set[str]:
    """Return the cache keys of other requests that must wait until a result is stored.

    The keys are those of the stories in the result, and of the profile's live stories.
    """
    if fetched.profile is None:
        return set()
    return {
        live_stories_key(fetched.profile.username),
        *(story_key(one.pk) for one in fetched.result),
    }


def live_stories_key(username: str) -> str:
    """Return the cache key of a profile's live stories."""
    return f"profile:{username}"


def story_key(pk: str) -> str:
    """Return the cache key of a story."""
    return f"story:{pk}"


def first_story_cacheable_until(stories: list[Story], now: datetime) -> datetime:
    """Return the time until which the first of ``stories`` may be shown from the cache.

    The time is the expiry of the story, or 60 seconds before the expiry of its signed URL, if
    earlier.
    """
    story = stories[0]
    return max(min([story.expires_at, *signed_url_end_or_empty(story)]), now)


def signed_url_end_or_empty(story: Story) -> list[datetime]:
    """Return a list with the time until which the story's signed URL may be used.

    The time is 60 seconds before the URL expires. The list is empty if the URL is not signed.
    """
    end = expires_at(story.media_url or "")
    return [end - _URL_MARGIN] if end else []


def _cached_list_or_raise(answer: Any, codec: TypeAdapter[list[T]]) -> list[T]:  # noqa: ANN401 - a JSON value
    if isinstance(answer, dict):
        raise _NEGATIVE[answer["error"]]("known from the last answer", **answer["fields"])
    return codec.validate_python(answer)
