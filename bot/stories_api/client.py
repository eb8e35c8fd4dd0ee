"""The Stories API in the project's words."""

import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import aiohttp
from pydantic import SecretStr

from bot.domain.errors import (
    MediaError,
    MediaRefusedError,
    NoStoriesError,
    OutOfServiceError,
    ProfilePrivateError,
)
from bot.domain.links import PAGE
from bot.domain.model import LARGEST_FILE, Highlight, Profile, Story
from bot.media.spool import MediaFile, Spool
from bot.runtime.clock import steady
from bot.runtime.metrics import Metrics
from bot.stories_api import schema
from bot.stories_api.downloads import Elsewhere, read_download
from bot.stories_api.endpoints import BALANCE, Answer, Balance, Endpoint, cost
from bot.stories_api.limit_state import AccountLimits, AccountState
from bot.stories_api.response import read_json
from bot.stories_api.transport import DEADLINE, Query, Read, Transport

T = TypeVar("T")

_RATE = 15.0  # calls a second of every paid plan; the balance knows better
_DOWNLOAD_DEADLINE = 120.0  # seconds
_PROBE_DEADLINE = 10.0  # seconds


class FetchMedia(Protocol):
    """Fetches an address from the media hosts, without the key."""

    async def __call__(self, url: str, *, limit: int) -> MediaFile:
        """Return the file at ``url``, at most ``limit`` bytes."""


class StoriesApi:
    """The paid API of stories; every method but ``balance`` costs what ``cost`` says.

    All raise the StoriesError family, whose ``credits`` tell what the failed call was billed
    (None: nobody knows). Nothing that may have been billed is asked again.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        url: str,
        key: SecretStr,
        skip_privacy_check: bool = False,
        fetch_media: FetchMedia | None = None,
        metrics: Metrics | None = None,
        on_out_of_service: Callable[[OutOfServiceError], Awaitable[object]] | None = None,
        limits: Callable[[AccountState], AccountLimits] | None = None,
        largest_file: int = LARGEST_FILE,
        deadline: float = DEADLINE,
        download_deadline: float = _DOWNLOAD_DEADLINE,
        rate: float = _RATE,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = steady,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Ask at ``url`` with ``key``, each call at most ``deadline`` seconds.

        The key goes to that origin and to no other.
        ``limits`` shares rate, breaker and refused subjects with other processes.
        ``fetch_media`` fetches where a download endpoint names an address instead of a file;
        ``on_out_of_service`` is called once when a 401 or 402 stops all paid calls.
        """
        self.transport = Transport(
            session,
            url=url,
            key=key,
            limits=limits,
            rate=rate,
            metrics=metrics or Metrics(),
            on_out_of_service=on_out_of_service,
            now=now,
            clock=clock,
            jitter=jitter,
        )
        self._skip_privacy_check = skip_privacy_check
        self._fetch_media = fetch_media
        self._largest_file = largest_file
        self._deadline = deadline
        self._download_deadline = download_deadline

    @property
    def is_in_service(self) -> bool:
        """Return whether paid calls are made: no 401 or 402 since the last good balance."""
        return self.transport.out_of_service is None

    def probe_by(self, probe: Callable[[], Awaitable[bool | None]]) -> None:
        """Let ``probe`` tell whether the API fails for everybody.

        It asks what no person asked for: true if the API answered, None where it can't be asked.
        """
        self.transport.probe = probe

    @property
    def is_failing(self) -> bool:
        """Return whether the breaker holds calls back."""
        return self.transport.state.breaker.is_open

    async def story(self, story_id: str) -> Answer[Story]:
        """Return a live story by its pk; 1 credit.

        Raises:
            StoryGoneError: It is over or was deleted.
        """
        return await self._story(Endpoint.STORY_BY_ID, {"id": story_id})

    async def story_by_url(self, url: str) -> Answer[Story]:
        """Return a live story by the address of its page; 1 credit.

        Raises:
            StoryGoneError: It is over or was deleted.
        """
        return await self._story(Endpoint.STORY_BY_URL, {"url": url})

    async def stories(
        self, profile_id: str, *, forced: bool = False, probe: bool = False
    ) -> Answer[list[Story]]:
        """Return a profile's live stories, oldest first; 2 credits, 1 without the privacy check.

        ``forced`` goes without it: then a refusal, a 404 and an empty list prove nothing. A
        ``probe`` goes out even while the API fails, and is given up soon.

        Raises:
            ProfilePrivateError: The account is private (only told with the privacy check).
            ProfileNotFoundError: There is no such account.
        """
        query = self._query(
            Endpoint.USER_STORIES, {"user_id": profile_id}, forced=forced, probe=probe
        )

        def read(value: object) -> list[Story]:
            return schema.stories_from(value, profile_id=profile_id)

        try:
            answer = await self._ask(query, read)
        except NoStoriesError as none:
            return Answer([], query.nominal if none.credits is None else none.credits)
        _refuse_private(answer.value, answer.credits)
        return answer

    async def profile(self, username: str, *, probe: bool = False) -> Answer[Profile]:
        """Return the account behind a name, and whether it is private; 1 credit.

        Raises:
            ProfileNotFoundError: There is no such account.
        """
        query = self._query(
            Endpoint.USER_BY_USERNAME, {"username": username}, subject=username, probe=probe
        )
        return await self._ask(query, schema.profile_from)

    async def highlights(self, profile_id: str) -> Answer[list[Highlight]]:
        """Return a profile's highlights, without their stories; 2 credits.

        Raises:
            ProfilePrivateError: The account is private.
            ProfileNotFoundError: There is no such account.
            HighlightsUnavailableError: The key's plan has none.
        """
        query = self._query(Endpoint.USER_HIGHLIGHTS, {"user_id": profile_id})
        try:
            return await self._ask(query, schema.highlights_from)
        except NoStoriesError as none:
            return Answer([], query.nominal if none.credits is None else none.credits)

    async def highlight(self, highlight_id: str) -> Answer[Highlight]:
        """Return a highlight with its stories, oldest first; 1 credit.

        Raises:
            HighlightGoneError: It is not there (any more).
            ProfilePrivateError: The account is private.
            HighlightsUnavailableError: The key's plan has none.
        """
        url = f"{PAGE}/stories/highlights/{highlight_id}/"
        answer = await self._ask(
            self._query(Endpoint.HIGHLIGHT_BY_URL, {"url": url}), schema.highlight_from
        )
        _refuse_private([answer.value, *answer.value.stories], answer.credits)
        return answer

    async def download(self, story_id: str, spool: Spool) -> Answer[MediaFile]:
        """Return a story's file by its pk; 1 credit. The caller removes it."""
        return await self._download(Endpoint.DOWNLOAD, {"id": story_id}, spool)

    async def download_by_story_url(self, url: str, spool: Spool) -> Answer[MediaFile]:
        """Return a story's file by the address of its page; 1 credit. The caller removes it."""
        return await self._download(Endpoint.DOWNLOAD_BY_STORY_URL, {"url": url}, spool)

    async def balance(self) -> Balance:
        """Return the account's balance; free. A good one puts us back in service.

        Raises:
            OutOfServiceError: The key is bad, or there is nothing left.
        """
        query = Query(BALANCE, deadline=self._deadline)
        balance = (await self._ask(query, schema.balance_from)).value
        self.transport.state.call_rate.rate = balance.rate
        if balance.credits > 0:
            self.transport.out_of_service = None
        return balance

    def _query(
        self,
        endpoint: Endpoint,
        params: dict[str, str],
        *,
        subject: str = "",
        forced: bool = False,
        probe: bool = False,
    ) -> Query:
        nominal = cost(endpoint, skip_privacy_check=self._skip_privacy_check or forced)
        if nominal < cost(endpoint):
            params = {**params, "force": "on"}
        deadline = min(self._deadline, _PROBE_DEADLINE) if probe else self._deadline
        return Query(endpoint, params, nominal, subject, deadline, probe)

    async def _ask(self, query: Query, read: Callable[[object], T]) -> Answer[T]:
        async def reader(response: aiohttp.ClientResponse) -> T:
            return read(await read_json(response))

        return await self.transport.ask(query, reader)

    async def _story(self, endpoint: Endpoint, params: dict[str, str]) -> Answer[Story]:
        answer = await self._ask(self._query(endpoint, params), schema.story_from)
        _refuse_private([answer.value], answer.credits)
        return answer

    async def _download(
        self, endpoint: Endpoint, params: dict[str, str], spool: Spool
    ) -> Answer[MediaFile]:
        query = Query(endpoint, params, cost(endpoint), deadline=self._download_deadline)

        async def read(response: aiohttp.ClientResponse) -> MediaFile | Elsewhere:
            return await read_download(response, spool, self._largest_file)

        reader: Read[MediaFile | Elsewhere] = read
        answer = await self.transport.ask(query, reader)
        if isinstance(answer.value, MediaFile):
            return Answer(answer.value, answer.credits)
        try:
            if self._fetch_media is None:
                raise MediaRefusedError("nobody fetches from elsewhere")
            return Answer(
                await self._fetch_media(answer.value.url, limit=self._largest_file), answer.credits
            )
        except MediaError as error:
            error.credits = answer.credits
            raise


def _refuse_private(result: Sequence[Story | Highlight], billed: int) -> None:
    """Keep what a private account shows to its followers only, however we came by it.

    Raises:
        ProfilePrivateError: A story says that its account is private.
    """
    for one in result:
        if one.profile.is_private:
            raise ProfilePrivateError(
                "a story of a private account",
                credits=billed,
                username=one.profile.username,
            )
