"""The client of the Stories API. The results are objects of the domain model, or files."""

import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

import aiohttp
from pydantic import SecretStr

from bot.domain.errors import (
    MEDIA_REFUSED,
    MediaError,
    NoStoriesError,
    NoSuchProfileError,
    OutOfServiceError,
    ProfilePrivateError,
    StoriesError,
)
from bot.domain.links import PAGE, story_taken_at
from bot.domain.model import LARGEST_FILE, Highlight, Profile, Story, Unknown
from bot.domain.paid_calls import Answer, Balance, Operation, PaidCall
from bot.domain.records import Known
from bot.media.spool import MediaFile, Spool
from bot.runtime.clock import event_loop_time_s, utc_now
from bot.runtime.metrics import UNSEEN, Metrics
from bot.stories_api import schema
from bot.stories_api.downloads import FileUrl, save_file_or_read_url
from bot.stories_api.endpoints import BALANCE, Endpoint
from bot.stories_api.privacy import PrivacyCheck, Refused
from bot.stories_api.response import read_json
from bot.stories_api.transport import DEADLINE, Query, Read, Transport

T = TypeVar("T")

# The number of calls per second until ``fetch_balance_and_resume`` reads the rate of the account.
# All paid plans allow this rate.
_RATE = 15.0
_DOWNLOAD_DEADLINE = 120.0  # maximum seconds of the API's answer to a download call


class FetchMedia(Protocol):
    """A function that downloads a URL from the media hosts, without sending the API key."""

    async def __call__(self, url: str, *, max_bytes: int) -> MediaFile:
        """Return the file at ``url``, if the file has at most ``max_bytes`` bytes.

        Raises:
            MediaError: The bot is not allowed to fetch the URL, the download failed, or the file
                has more than ``max_bytes`` bytes.
        """


class StoriesApi:
    """The client of the paid API.

    Most methods return a ``PaidCall``, which sends the request when awaited. A failed call raises
    a ``StoriesError``, and a failed download may raise a ``MediaError``. The field ``credits`` of
    the error has the billed credits, or None if unknown. A request that may have been billed is
    never sent again unchanged.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        url: str,
        key: SecretStr,
        privacy: PrivacyCheck | None = None,
        fetch_media: FetchMedia | None = None,
        metrics: Metrics = UNSEEN,
        on_out_of_service: Callable[[OutOfServiceError], Awaitable[object]] | None = None,
        replicas: Callable[[], Awaitable[int]] | None = None,
        largest_file: int = LARGEST_FILE,
        deadline: float = DEADLINE,
        download_deadline: float = _DOWNLOAD_DEADLINE,
        rate: float = _RATE,
        now: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = event_loop_time_s,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Create a client of the API at ``url``. The API key ``key`` is sent only to this origin.

        - ``deadline``, ``download_deadline``: the seconds for a request with its waits and one
          retry.
        - ``privacy``: decides whether to skip the API's privacy check. By default, no check is
          skipped.
        - ``rate``: the calls per second, until ``fetch_balance_and_resume`` sets the rate.
        - ``replicas``: returns the number of processes that share the rate.
        - ``fetch_media``: downloads a file if the API answers with a URL.
        - ``largest_file``: the maximum size of a file in bytes.
        - ``on_out_of_service``: called once when an error stops all paid calls.
        """
        self.transport = Transport(
            session,
            url=url,
            key=key,
            replicas=replicas,
            rate=rate,
            metrics=metrics,
            on_out_of_service=on_out_of_service,
            now=now,
            clock=clock,
            jitter=jitter,
        )
        self._privacy = privacy
        self._now = now
        self._fetch_media = fetch_media
        self._largest_file = largest_file
        self._deadline = deadline
        self._download_deadline = download_deadline

    @property
    def is_in_service(self) -> bool:
        """Return whether paid calls are allowed.

        An ``OutOfServiceError`` stops paid calls until ``fetch_balance_and_resume`` returns a
        positive balance.
        """
        return self.transport.out_of_service is None

    @property
    def is_failing(self) -> bool:
        """Return whether the API seems to be down for everyone."""
        return self.transport.failing.is_on

    @property
    def checks_privacy(self) -> bool:
        """Return whether a call of ``stories`` includes the privacy check.

        The result is for a call without ``last_known_public_at``.
        """
        return self._privacy is None or self._privacy.mode != "true"

    def seems_down_for_everyone(self) -> bool | Unknown:
        """Return whether the API seems to be down for everyone, or None if unknown.

        The result is unknown if this process has detected no outage, and no paid call has shown in
        the last 30 minutes that the API works.
        """
        return self.transport.seems_down_for_everyone()

    def story(self, story_id: str, page_url: str = "") -> PaidCall[Story]:
        """Return the paid call that fetches a live story by its id (pk), for 1 credit.

        If the id does not contain the time of the story, the request contains ``page_url``, if
        given.

        Raises:
            StoryGoneError: The story has expired or was deleted.
            ProfilePrivateError: The account is private.
        """
        if page_url and story_taken_at(story_id) is None:
            query = self._query(Endpoint.STORY_BY_URL, {"url": page_url})
        else:
            query = self._query(Endpoint.STORY_BY_ID, {"id": story_id})

        async def ask_story() -> Answer[Story]:
            answer = await self._ask(query, schema.story_from)
            _raise_if_any_private([answer.value], answer.credits)
            return answer

        return PaidCall(Operation.STORY, query.nominal, ask_story)

    def stories(
        self,
        profile_id: str,
        *,
        last_known_public_at: datetime | None = None,
        expects_stories: Callable[[], Awaitable[bool]] | None = None,
    ) -> PaidCall[list[Story]]:
        """Return the paid call that fetches a profile's live stories, oldest first.

        - In mode "false" of ``PrivacyCheck``, the call includes the privacy check, and costs 2
          credits.
        - In mode "true", the call skips the check, and costs 1 credit.
        - In mode "auto", the call skips the check if ``last_known_public_at`` is less than a day
          ago and unchecked answers are trusted. A refusal, or an empty answer although
          ``expects_stories`` returns True, may cause a second request, for 3 credits in total.

        Raises:
            ProfilePrivateError: The account is private: the API refused the call, or a returned
                story states this.
            NoSuchProfileError: The account does not exist.
        """
        full = self._query(Endpoint.USER_STORIES, {"user_id": profile_id})
        quick = self._query_without_check(profile_id)
        privacy = self._privacy
        if (
            privacy
            and privacy.mode == "auto"
            and privacy.may_skip_privacy_check(last_known_public_at)
        ):
            make = partial(
                self._ask_unchecked_then_checked_if_needed, privacy, quick, full, expects_stories
            )
            return PaidCall(Operation.STORIES, quick.nominal + full.nominal, make)
        return self._call_for_stories(quick if privacy and privacy.mode == "true" else full)

    def stories_by_name(self, username: str) -> PaidCall[list[Story]]:
        """Return the paid call that fetches the live stories of a username, oldest first.

        The call costs 3 credits, and includes the privacy check. An answer without stories does
        not contain the id of the account.

        Raises:
            ProfilePrivateError: The account is private.
            NoSuchProfileError: The account does not exist.
        """
        query = self._query(
            Endpoint.USER_STORIES_BY_USERNAME, {"username": username}, subject=username
        )
        return self._call_for_stories(query)

    def profile(self, username: str) -> PaidCall[Profile]:
        """Return the paid call that fetches the account of a username, for 1 credit.

        A private account is returned with ``is_private``.

        Raises:
            NoSuchProfileError: The account does not exist.
            ProfilePrivateError: Even the page of the account is hidden.
        """
        query = self._query(Endpoint.USER_BY_USERNAME, {"username": username}, subject=username)
        make = partial(self._ask, query, schema.profile_from)
        return PaidCall(Operation.PROFILE, query.nominal, make)

    def highlights(self, profile_id: str) -> PaidCall[list[Highlight]]:
        """Return the paid call that fetches a profile's highlights without their stories.

        The call costs 2 credits.

        Raises:
            ProfilePrivateError: The account is private.
            NoSuchProfileError: The account does not exist.
            HighlightsUnavailableError: The key's plan seems not to include highlights.
        """
        query = self._query(Endpoint.USER_HIGHLIGHTS, {"user_id": profile_id})
        make = partial(self._ask_list, query, schema.highlights_from)
        return PaidCall(Operation.HIGHLIGHTS, query.nominal, make)

    def highlight(self, highlight_id: str) -> PaidCall[Highlight]:
        """Return the paid call that fetches a highlight with its stories, oldest first.

        The call costs 1 credit.

        Raises:
            HighlightGoneError: The highlight does not exist or was deleted.
            ProfilePrivateError: The account is private.
            HighlightsUnavailableError: The key's plan seems not to include highlights.
        """
        url = f"{PAGE}/stories/highlights/{highlight_id}/"
        query = self._query(Endpoint.HIGHLIGHT_BY_URL, {"url": url})

        async def ask_highlight() -> Answer[Highlight]:
            answer = await self._ask(query, schema.highlight_from)
            _raise_if_any_private([answer.value, *answer.value.stories], answer.credits)
            return answer

        return PaidCall(Operation.HIGHLIGHTS, query.nominal, ask_highlight)

    def download(self, story: Story, spool: Spool) -> PaidCall[MediaFile]:
        """Return the paid call that downloads the file of a story into ``spool``, for 1 credit.

        The code that awaits the call must remove the file.

        Raises:
            StoryGoneError: The story has expired or was deleted.
            MediaError: The file is too large, cannot be fetched or stored, or is neither a photo
                nor a video. The download is billed nevertheless.
        """
        if story_taken_at(story.pk) is None:
            endpoint, params = Endpoint.DOWNLOAD_BY_STORY_URL, {"url": story.page_url}
        else:
            endpoint, params = Endpoint.DOWNLOAD, {"id": story.pk}
        return self._call_for_download(endpoint, params, spool)

    def download_url(
        self, url: str, spool: Spool, *, refuse: Callable[[Profile | None], None]
    ) -> PaidCall[MediaFile]:
        """Return the paid call that downloads the file at a URL of a media host, for 1 credit.

        The caller must remove the file. ``refuse`` gets the account of the file, or None, and
        raises a ``StoriesError`` or ``MediaError`` to refuse the file. A refused file is billed
        nevertheless.

        Raises:
            StoryGoneError: The API does not find the file.
            MediaError: The same as in ``download``.
        """
        params = {"url": url}
        return self._call_for_download(Endpoint.DOWNLOAD_BY_FILE_URL, params, spool, refuse)

    async def fetch_balance_and_resume(self) -> Balance:
        """Return the balance of the API account, for 0 credits.

        If paid calls are stopped, a positive balance allows paid calls again. The rate limit in
        the answer becomes the rate limit of all calls.

        Raises:
            OutOfServiceError: The API refuses the key, or refuses the call because the balance is
                empty. All paid calls are then stopped.
            StoriesError: The API failed.
        """
        query = Query(BALANCE, deadline=self._deadline)
        balance = (await self._ask(query, schema.balance_from)).value
        self.transport.call_rate.rate = balance.rate
        if balance.credits > 0:
            self.transport.out_of_service = None
        return balance

    async def load_or_delete_trust_in_unchecked(self) -> None:
        """Load from the database whether answers that skipped the privacy check are still trusted.

        Nothing is loaded except in mode "auto". In mode "false", the stored history is deleted.
        """
        if self._privacy is not None:
            await self._privacy.load_or_delete_trust_in_unchecked()

    def call_to_verify_last_answer(
        self, known: Known, stories: Sequence[Story], new: Collection[str]
    ) -> PaidCall[list[Story]] | None:
        """Return the paid call that verifies the last answer, or None if no call is necessary.

        The call costs 1 credit, skips the privacy check, and records a contradiction. ``stories``
        are the latest answer with the check. ``new`` has the ids of unknown stories. ``known`` is
        the profile as stored before the latest answer.
        """
        if self._privacy is None or not self._privacy.doubts_last_answer(known, stories, new):
            return None
        return self._call_to_verify(self._privacy, known.profile_id, stories)

    def call_to_verify_after_refusal(self, known: Known) -> PaidCall[list[Story]] | None:
        """Return the paid call that verifies the last answer, or None if no call is necessary.

        The call costs 1 credit. The API must have just answered, with the privacy check, that the
        account is private. A result with stories is recorded as a contradiction.

        Raises:
            ProfilePrivateError: The answer without the check also states that the account is
                private.
        """
        if self._privacy is None or not self._privacy.doubts_last_answer_after_refusal(known):
            return None
        return self._call_to_verify(self._privacy, known.profile_id, None)

    def _call_to_verify(
        self, privacy: PrivacyCheck, profile_id: str, checked: Sequence[Story] | Refused
    ) -> PaidCall[list[Story]]:
        query = self._query_without_check(profile_id)

        async def ask_and_compare() -> Answer[list[Story]]:
            at = self._now()
            answer = await self._request_public_stories(query)
            await privacy.record_if_unchecked_was_wrong(
                profile_id, unchecked=answer.value, checked=checked, at=at
            )
            return answer

        return PaidCall(Operation.STORIES, query.nominal, ask_and_compare)

    def _query_without_check(self, profile_id: str) -> Query:
        full = self._query(Endpoint.USER_STORIES, {"user_id": profile_id})
        return replace(full, checks_privacy=False, nominal=full.nominal - 1)

    def _query(self, endpoint: Endpoint, params: dict[str, str], *, subject: str = "") -> Query:
        return Query(endpoint, params, endpoint.price, subject, self._deadline)

    async def _ask(self, query: Query, read: Callable[[object], T]) -> Answer[T]:
        async def reader(response: aiohttp.ClientResponse) -> T:
            return read(await read_json(response))

        return await self.transport.ask(query, reader)

    async def _ask_list(self, query: Query, read: Callable[[object], list[T]]) -> Answer[list[T]]:
        try:
            return await self._ask(query, read)
        except NoStoriesError as none:
            return Answer([], query.nominal if none.credits is None else none.credits)

    def _call_for_stories(self, query: Query) -> PaidCall[list[Story]]:
        return PaidCall(
            Operation.STORIES, query.nominal, partial(self._request_public_stories, query)
        )

    async def _request_public_stories(self, query: Query) -> Answer[list[Story]]:
        of, named = query.params.get("user_id", ""), query.params.get("username", "")
        read = partial(schema.stories_from, profile_id=of, username=named)
        answer = await self._ask_list(query, read)
        _raise_if_any_private(answer.value, answer.credits)
        return replace(answer, is_checked=query.checks_privacy)

    async def _ask_unchecked_then_checked_if_needed(
        self,
        privacy: PrivacyCheck,
        quick: Query,
        full: Query,
        expects_stories: Callable[[], Awaitable[bool]] | None,
    ) -> Answer[list[Story]]:
        """Ask for stories without the API's privacy check, and again with the check if needed.

        The credits of the result or error are the sum of the requests. If the credits of a failed
        second request are unknown, the credits of the error are None.
        """
        profile_id = full.params["user_id"]
        silent_at = None
        asked_at = self._now()
        try:
            first = await self._request_public_stories(quick)
        except (ProfilePrivateError, NoSuchProfileError) as refusal:
            spent = quick.nominal if refusal.credits is None else refusal.credits
        else:
            if first.value or not privacy.must_confirm_empty(profile_id):
                return first
            if expects_stories is None or not await expects_stories():
                return first
            spent, silent_at = first.credits, asked_at
        try:
            answer = await self._request_public_stories(full)
        except StoriesError as error:
            if error.credits is not None:
                error.credits += spent
            raise
        if silent_at is not None and not answer.value:
            privacy.record_confirmed_empty(profile_id)
        elif silent_at is not None:
            await privacy.record_if_unchecked_was_wrong(
                profile_id, unchecked=[], checked=answer.value, at=silent_at
            )
        return Answer(answer.value, spent + answer.credits)

    def _call_for_download(
        self,
        endpoint: Endpoint,
        params: dict[str, str],
        spool: Spool,
        refuse: Callable[[Profile | None], None] | None = None,
    ) -> PaidCall[MediaFile]:
        query = replace(self._query(endpoint, params), deadline=self._download_deadline)
        make = partial(self._ask_download, query, spool, refuse)
        return PaidCall(Operation.DOWNLOAD, query.nominal, make)

    async def _ask_download(
        self, query: Query, spool: Spool, refuse: Callable[[Profile | None], None] | None
    ) -> Answer[MediaFile]:
        read: Read[MediaFile | FileUrl] = partial(
            save_file_or_read_url, spool=spool, max_bytes=self._largest_file
        )
        answer = await self.transport.ask(query, read)
        found = answer.value
        try:
            if refuse is not None:
                refuse(None if isinstance(found, MediaFile) else found.profile)
            if not isinstance(found, MediaFile):
                found = await self._fetch_outside_api(found.url)
        except (MediaError, StoriesError) as error:
            if isinstance(found, MediaFile):
                found.remove()
            error.credits = answer.credits
            raise
        return Answer(found, answer.credits)

    async def _fetch_outside_api(self, url: str) -> MediaFile:
        if self._fetch_media is None:
            raise MediaError("nobody fetches from elsewhere", text=MEDIA_REFUSED)
        return await self._fetch_media(url, max_bytes=self._largest_file)


def _raise_if_any_private(result: Sequence[Story | Highlight], billed: int) -> None:
    """Raise an error if any returned story or highlight is of a private account.

    Raises:
        ProfilePrivateError: A story or highlight states that its account is private.
    """
    for one in result:
        if one.profile.is_private:
            raise ProfilePrivateError(
                "a story of a private account",
                credits=billed,
                username=one.profile.username,
            )
