"""The stories that people request by link or by profile. The cheapest suitable call is used."""

from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import datetime, timedelta

from bot.billing.ledger import Bill, Charge, Ledger
from bot.domain import alert_rules, links
from bot.domain.errors import (
    PROFILE_BLOCKED,
    ApiUnavailableError,
    OutOfServiceError,
    ProfilePrivateError,
    ProfileUnavailableError,
    SpendingError,
    StoriesError,
    StoryGoneError,
    name_account_in_errors,
)
from bot.domain.links import Link
from bot.domain.model import Asker, Profile, Story
from bot.domain.paid_calls import StoriesService
from bot.domain.records import KnownFile
from bot.domain.serialization import STORIES
from bot.fetching.answer_cache import (
    AnswerCache,
    Fetched,
    first_story_cacheable_until,
    live_stories_key,
    story_key,
)
from bot.fetching.names import Names
from bot.store import cached_stories
from bot.store.engine.database import Database

MOST = 50  # maximum results of an inline query (Bot API, answerInlineQuery)


class Viewer:
    """Returns stories from the cache, or fetches stories from the API for credits."""

    def __init__(
        self,
        db: Database,
        api: StoriesService,
        ledger: Ledger,
        answers: AnswerCache,
        *,
        now: Callable[[], datetime],
        fresh_for: timedelta = timedelta(seconds=60),
        blocked: AbstractSet[str] = frozenset(),
    ) -> None:
        """Set the dependencies. ``blocked`` contains the ids and names of blocked profiles.

        ``fresh_for`` is the time for which the stories of a profile are cached.
        """
        self._db = db
        self._api = api
        self._ledger = ledger
        self._answers = answers
        self._names = Names(db, api, ledger, now=now)
        self._now = now
        self._fresh_for = fresh_for
        self._blocked = blocked

    async def get_or_fetch_story(self, link: Link, asker: Asker) -> Story:
        """Return the story of a link for 1 credit.

        A cached story, and a story whose id shows its expiry, cost 0 credits. The confirmation
        that the story is gone costs 1 more credit. The confirmation that the account is private
        costs 1 or 2 more credits.

        Raises:
            StoryGoneError: The story is over 24 hours old or was deleted.
            ProfilePrivateError: The account is visible to followers only.
            ProfileUnavailableError: No lookup confirmed that the account is private, or the API
                does not show the account now.
            SpendingError: The credits are not allowed to be spent.
            StoriesError: The account is blocked, or the API failed.
        """
        story_id = link.story_id or ""
        if links.has_story_probably_expired(story_id, self._now()):
            raise StoryGoneError
        self._raise_if_blocked(link.username or "")
        charge = Charge("link", asker)
        call = self._api.story(story_id, link.url or "")

        async def ask() -> tuple[Story, Bill]:
            try:
                return await self._ledger.reserve_and_call_unsettled(charge, call)
            except StoryGoneError:
                if links.story_taken_at(story_id) is None:
                    # The id of the story contains no valid posting time, so the story may have
                    # expired long ago. In this case, the answer needs no confirmation by a second
                    # call.
                    raise
                return await self._ledger.reserve_and_call_unsettled(charge, call)

        async def fetch() -> Fetched[Story]:
            try:
                story, bill = await ask()
            except ProfilePrivateError as error:
                if (
                    await self._names.fetch_proof_of_refusal(link.username or "", charge)
                    == "private"
                ):
                    raise
                raise ProfileUnavailableError(str(error), credits=error.credits) from None
            return Fetched(story.profile, [story], partial=True, bill=bill)

        with name_account_in_errors(link.username or ""):
            stories = await self._answers.get_or_fetch(
                story_key(story_id),
                fetch,
                first_story_cacheable_until,
                STORIES,
                username=link.username or "",
            )
        # The username in the link is possibly wrong or missing, so the username of the story is
        # used.
        shown = stories[0].profile
        self._raise_if_blocked(shown.username, shown.profile_id)
        if stories[0].expires_at <= self._now():
            raise StoryGoneError
        return stories[0]

    async def fetch_and_store_profile(self, username: str, asker: Asker) -> Profile:
        """Return the current profile of a name, even if the profile is blocked.

        The cost is 1 credit. A refusal by the API is not verified by a second call.

        Raises:
            NoSuchProfileError: The API answered that the account does not exist.
            ProfilePrivateError: The API answered that even the page of the account is hidden.
            SpendingError: The credits are not allowed to be spent.
            StoriesError: The API failed.
        """
        return await self._names.fetch_and_store_profile_once(username, Charge("stories", asker))

    async def get_or_fetch_stories(self, username: str, asker: Asker) -> list[Story]:
        """Return the live stories of a profile, oldest first. The list can be empty.

        - A cached answer costs 0 credits.
        - The stories of a known profile cost 2 credits, or 1 credit with
          ``SKIP_PRIVACY_CHECK=true``.
        - For a name that was not seen in the last 30 days, or whose profile is not stored as
          active, a lookup costs 1 more credit. Only lookups are paid for a private account (1
          credit) or a missing account (2 credits).
        - If the lookup fails (403 or 500), the stories cost 3 credits, and 1 more credit after a
          403.
        - After a refusal, or for a new owner of the name, each further lookup and each further
          call for stories costs 1 or 2 credits.

        Raises:
            NoSuchProfileError: The account does not exist.
            ProfilePrivateError: The stories are visible to the account's followers only.
            ProfileUnavailableError: The account is not available now, for an unknown reason.
            SpendingError: The credits are not allowed to be spent.
            StoriesError: The account is blocked, or the API failed.
        """
        self._raise_if_blocked(username)
        charge = Charge("stories", asker)

        async def fetch() -> Fetched[Story]:
            known = await self._names.read_last_known_owner(username)
            if known is None or known.state != "active":
                # Look up the name first, because a lookup costs less than the stories.
                return await self._fetch_stories_by_name(username, charge)
            self._raise_if_blocked(username, known.profile_id)
            began = self._now()
            stories = await self._names.fetch_stories_if_same_owner(known.profile, charge)
            if stories is None or (stories and stories[0].profile.username != username):
                # The known account has lost this name, so find the new owner of the name. If a
                # lookup after ``began`` has already found the new owner, ``since`` prevents a
                # second lookup.
                return await self._fetch_stories_by_name(username, charge, looked_up_since=began)
            return self._make_fetched(known.profile, stories)

        def until(_: list[Story], now: datetime) -> datetime:
            return now + self._fresh_for

        with name_account_in_errors(username):
            stories = await self._answers.get_or_fetch(
                live_stories_key(username), fetch, until, STORIES
            )
        if stories:
            self._raise_if_blocked(username, stories[0].profile.profile_id)
            self._raise_if_blocked(stories[0].profile.username)
        now = self._now()
        return [story for story in stories if story.expires_at > now]

    async def read_username_of_file(self, bot_id: int, unique_ids: Collection[str]) -> str | None:
        """Return the username of the profile whose story the bot has sent as one of the files.

        ``unique_ids`` identify the files. The cost is 0 credits. Return None if no such story is
        stored.
        """
        async with self._db.read() as tx:
            return await cached_stories.read_username_of_file(tx, bot_id, unique_ids)

    async def read_cached_stories(
        self, user_id: int, bot_id: int, followed_prefix: str | None, link: Link | None
    ) -> list[tuple[Story, KnownFile]]:
        """Return at most 50 live stories whose files Telegram already has, newest first.

        The cost is 0 credits. The stories are of the profile in ``link``, and of the profiles that
        the person's private chat follows and whose names begin with ``followed_prefix`` (None for
        no such profiles). If ``link`` names a story, only this story is returned.
        """
        known = None
        if link:
            # If a refusal of the name is cached, an error is raised. ``known`` then stays None.
            with suppress(StoriesError):
                known = await self._names.read_last_known_owner(link.username or "")
        async with self._db.read() as tx:
            ids = {known.profile_id} if known else set()
            if followed_prefix is not None:
                ids |= await cached_stories.followed_ids_by_username_prefix(
                    tx, user_id, begins_with=followed_prefix
                )
            pk = link.story_id if link else None
            return await cached_stories.newest_with_file(
                tx, bot_id, ids, pk=pk, blocked=self._blocked, now=self._now(), most=MOST
            )

    async def _fetch_stories_by_name(
        self, username: str, charge: Charge, *, looked_up_since: datetime | None = None
    ) -> Fetched[Story]:
        try:
            profile = await self._names.fetch_and_store_public_profile(
                username, charge, looked_up_since=looked_up_since
            )
        except ApiUnavailableError as error:
            if not error.may_be_account or self._api.is_failing:
                raise
            return await self._fetch_stories_without_lookup(username, charge, error)
        self._raise_if_blocked(username, profile.profile_id)
        stories = await self._names.fetch_stories_if_same_owner(
            profile, charge, is_just_named=True
        )
        return self._make_fetched(profile, stories or [])

    async def _fetch_stories_without_lookup(
        self, username: str, charge: Charge, failed: ApiUnavailableError
    ) -> Fetched[Story]:
        """Return the stories of a name whose lookup failed. The cost is 3 credits.

        A refusal is not taken as proof, because no lookup confirms the refusal.

        Raises:
            ProfileUnavailableError: The call failed and was possibly billed, or the credits are
                not allowed to be spent.
            ApiUnavailableError: The call failed and costs 0 credits.
            OutOfServiceError: The key is refused, or the balance is empty.
            StoriesError: The account is blocked.
        """
        try:
            stories = await self._ledger.reserve_call_and_settle(
                charge, self._api.stories_by_name(username)
            )
        except OutOfServiceError:
            raise
        except SpendingError:
            # The error is not a ``SpendingError``, because a different person may be able to pay
            # for the call.
            raise ProfileUnavailableError(str(failed)) from None
        except StoriesError as again:
            if again.credits == 0:
                raise failed from None
            raise ProfileUnavailableError(str(again), credits=again.credits) from None
        if not stories:
            return Fetched(None, [])
        owner = stories[0].profile
        self._raise_if_blocked(owner.username, owner.profile_id)
        return Fetched(owner, stories)

    def _raise_if_blocked(self, username: str, profile_id: str = "") -> None:
        if alert_rules.is_on_block_list(profile_id, username, self._blocked):
            raise StoriesError(text=PROFILE_BLOCKED, username=username)

    def _make_fetched(self, profile: Profile, stories: list[Story]) -> Fetched[Story]:
        shown = stories[0].profile if stories else profile
        return Fetched(shown, stories, is_checked=self._names.checks_privacy)
