"""Stories on demand, each question paid once: cached, and one flight for all who ask the same.

An answer is kept in the store, so that it serves all chats and all replicas; who asks while
somebody else is already asking waits for that answer.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot import links
from bot.canary import Canary
from bot.codec import dump_stories, load_stories
from bot.domain import Asker, Profile, Story
from bot.errors import (
    ApiUnavailableError,
    ProfileNotFoundError,
    ProfilePrivateError,
    StoriesError,
    StoryGoneError,
)
from bot.hosts import expires_at
from bot.ledger import Bill, Ledger, Payer, to_the_end
from bot.links import Link
from bot.store import looks, profiles, views
from bot.store.database import Database, Tx
from bot.store.profiles import Known
from bot.stories_api import Answer, Endpoint, StoriesApi

log = structlog.get_logger()

FLIGHT = timedelta(seconds=60)  # no call takes longer; then somebody else may ask
LOOK_AGAIN_S = 0.1  # between two looks at the answer of another replica
URL_MARGIN = timedelta(seconds=60)
# What a negative answer may be, kept for a while so that asking again costs nothing.
NEGATIVE: dict[str, type[StoriesError]] = {
    kind.__name__: kind for kind in (ProfileNotFoundError, ProfilePrivateError, StoryGoneError)
}
NAME_HOLDS_FOR = timedelta(days=30)  # after that we ask by name again, it may be another's


@dataclass(frozen=True, slots=True)
class Found:
    """What a question brought: stories, and whose they are as far as that is known."""

    profile: Profile | None
    stories: list[Story]
    partial: bool = False
    bill: Bill | None = None  # to be settled where the answer is kept


Fetch = Callable[[], Awaitable[Found]]
Until = Callable[[list[Story], datetime], datetime]


class Viewer:
    """What people ask for, from the cache or for credits."""

    def __init__(
        self,
        db: Database,
        api: StoriesApi,
        ledger: Ledger,
        *,
        now: Callable[[], datetime],
        fresh_for: timedelta = timedelta(seconds=60),
        negative_for: timedelta = timedelta(minutes=5),
        blocked: frozenset[str] = frozenset(),
        canary: Canary | None = None,
    ) -> None:
        """Take the parts; ``blocked`` holds ids and names of profiles that are never shown.

        ``canary`` is asked when a profile seems to have no stories.
        """
        self._db = db
        self._api = api
        self._ledger = ledger
        self._now = now
        self._fresh_for = fresh_for
        self._negative_for = negative_for
        self._blocked = blocked
        self._canary = canary
        self._flights: dict[str, asyncio.Future[list[Story]]] = {}

    async def story(self, link: Link, asker: Asker) -> Story:
        """Return the story of a link; 1 credit, 0 when it was seen before or must be gone.

        Raises:
            StoryGoneError: It is over 24 hours old or deleted.
            SpendingError: The credits for it may not be spent.
            StoriesError: The API failed.
        """
        story_id = link.story_id or ""
        if links.is_probably_gone(story_id, self._now()):
            raise StoryGoneError
        self._refuse_blocked(link.username or "")
        payer = Payer("link", asker)
        # An id that holds no date is none that the API could look up; it may know the page.
        by_url = links.story_taken_at(story_id) is None

        async def fetch() -> Found:
            if by_url:
                story, bill = await self._ledger.pay(
                    payer,
                    Endpoint.STORY_BY_URL,
                    lambda: self._api.story_by_url(link.url or ""),
                )
            else:
                story, bill = await self._ledger.pay(
                    payer, Endpoint.STORY_BY_ID, lambda: self._api.story(story_id)
                )
            return Found(story.profile, [story], partial=True, bill=bill)

        found = await self._ask(f"story:{story_id}", fetch, _until_urls_expire)
        self._refuse_blocked(found[0].profile.profile_id)
        if found[0].expires_at <= self._now():
            raise StoryGoneError
        return found[0]

    async def stories(self, username: str, asker: Asker) -> list[Story]:
        """Return the live stories of a profile, oldest first; 2 credits when its id is known.

        3 for a name seen for the first time (each one less without the privacy check), 0 within
        the cache time. Empty when there are none.

        Raises:
            ProfileNotFoundError: There is no such account.
            ProfilePrivateError: Its stories are for its followers.
            SpendingError: The credits for it may not be spent.
            StoriesError: The API failed.
        """
        self._refuse_blocked(username)
        payer = Payer("stories", asker)

        async def fetch() -> Found:
            async with self._db.read() as tx:
                since = self._now() - NAME_HOLDS_FOR
                known = await profiles.named(tx, username, since=since)
            if known is None:
                return await self._by_name(username, payer)
            self._refuse_blocked(known.profile_id)
            found = await self._by_id(known, payer)
            if found.stories and found.stories[0].profile.username != username:
                # The name has a new owner; the one we knew goes by another now.
                return await self._by_name(username, payer)
            return found

        def until(_: list[Story], now: datetime) -> datetime:
            return now + self._fresh_for

        try:
            found = await self._ask(f"profile:{username}", fetch, until)
        except StoriesError as error:
            error.fields.setdefault("username", username)
            raise
        if found:
            self._refuse_blocked(found[0].profile.profile_id)
        now = self._now()
        return [story for story in found if story.expires_at > now]

    async def _by_id(self, known: Known, payer: Payer) -> Found:
        def call() -> Awaitable[Answer[list[Story]]]:
            return self._api.stories(known.profile_id)

        try:
            stories = await self._ledger.spend(payer, Endpoint.USER_STORIES, call)
        except ProfilePrivateError:
            async with self._db.begin() as tx:
                await looks.fail(tx, known.profile_id, "private", now=self._now())
            raise
        await self._doubt(stories)
        profile = Profile(known.profile_id, known.username, known.full_name)
        return Found(stories[0].profile if stories else profile, stories)

    async def _by_name(self, username: str, payer: Payer) -> Found:
        def call() -> Awaitable[Answer[list[Story]]]:
            return self._api.stories_by_username(username)

        endpoint = Endpoint.USER_STORIES_BY_USERNAME
        try:
            stories = await self._ledger.spend(payer, endpoint, call)
        except ProfileNotFoundError:
            # Accounts that exist answer 404 now and then; the second time it is true.
            stories = await self._ledger.spend(payer, endpoint, call)
        await self._doubt(stories)
        return Found(stories[0].profile if stories else None, stories)

    async def _doubt(self, stories: list[Story]) -> None:
        """Refuse to believe in silence when even the canary is silent."""
        if not stories and self._canary and await self._canary.says_down():
            raise ApiUnavailableError("even the canary has no stories")

    async def _ask(self, key: str, fetch: Fetch, until: Until) -> list[Story]:
        while (flight := self._flights.get(key)) is not None:
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
        answer = await self._answer_of_others(key)
        if answer is not None:
            return _unpacked(answer)
        value: Any = None
        keep_for = timedelta(0)
        found = Found(None, [])
        try:
            found = await fetch()
            now = self._now()
            value, keep_for = dump_stories(found.stories), until(found.stories, now) - now
        except StoriesError as error:
            if type(error).__name__ in NEGATIVE:
                value = {"error": type(error).__name__, "fields": error.fields}
                keep_for = self._negative_for
            raise
        finally:
            await to_the_end(self._land(key, value, keep_for, found))
        return found.stories

    async def _land(self, key: str, value: Any, keep_for: timedelta, found: Found) -> None:  # noqa: ANN401 - a JSON value
        """Keep the answer, what it teaches, and what it cost: all or nothing.

        If that is lost with the power, the reservation still counts; more than it must not be.
        """
        now = self._now()
        bill = found.bill
        durable = bill is not None and bill.credits > bill.reservation.credits
        async with self._db.begin(durable=durable) as tx:
            await views.land(tx, key, value, now=now, until=now + keep_for)
            if found.profile:
                await _remember(tx, found.profile, found, now=now)
            if bill:
                await self._ledger.settle(tx, bill.reservation, bill.credits)

    async def _answer_of_others(self, key: str) -> Any | None:  # noqa: ANN401 - a JSON value
        """Return a fresh answer, or None when it is ours to ask; waits for who is asking."""
        while True:
            now = self._now()
            async with self._db.read() as tx:
                view = await views.get(tx, key, now=now)
            if view:
                return view.value
            async with self._db.begin(durable=False) as tx:
                if await views.take_off(tx, key, now=now, lease=FLIGHT):
                    return None
            await asyncio.sleep(LOOK_AGAIN_S)

    def _refuse_blocked(self, name: str) -> None:
        if name in self._blocked:
            raise ProfileNotFoundError(username=name)


async def _remember(tx: Tx, profile: Profile, found: Found, *, now: datetime) -> None:
    """Keep each story by its pk, and what the look teaches: a look is a look, whoever asked."""
    if not found.partial:
        for story in found.stories:
            until = _until_urls_expire([story], now)
            await views.land(tx, f"story:{story.pk}", dump_stories([story]), now=now, until=until)
    look = looks.Look(profile, tuple(found.stories), partial=found.partial)
    await looks.record(tx, look, now=now)


def _until_urls_expire(found: list[Story], now: datetime) -> datetime:
    """Return until when a story may be shown from the cache: its addresses are signed."""
    story = found[0]
    urls = [url for url in (story.media_url, story.thumbnail_url) if url]
    ends = [end - URL_MARGIN for url in urls if (end := expires_at(url))]
    return max(min([story.expires_at, *ends]), now)


def _unpacked(answer: Any) -> list[Story]:  # noqa: ANN401 - a JSON value
    if isinstance(answer, dict):
        raise NEGATIVE[answer["error"]]("known from the last answer", **answer["fields"])
    return load_stories(answer)
