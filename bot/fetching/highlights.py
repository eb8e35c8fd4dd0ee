"""The fetching of a profile's list of highlights, and of the stories of a highlight."""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import datetime, timedelta

from bot.billing.ledger import Charge, Ledger
from bot.domain import alert_rules
from bot.domain.errors import (
    NO_HIGHLIGHTS,
    PROFILE_BLOCKED,
    HighlightGoneError,
    HighlightsUnavailableError,
    NoSuchProfileError,
    ProfilePrivateError,
    ProfileUnavailableError,
    StoriesError,
    name_account_in_errors,
)
from bot.domain.model import Asker, Highlight, Profile
from bot.domain.paid_calls import StoriesService
from bot.domain.serialization import HIGHLIGHTS
from bot.fetching.answer_cache import AnswerCache, Fetched, signed_url_end_or_empty
from bot.fetching.names import Names
from bot.store.engine.database import Database

_LIST_KEPT = timedelta(hours=1)
_OPENED_KEPT = timedelta(days=1)  # the signed URLs of the stories are valid for about a day
# The pause in calls after the API has refused a call, because the plan of the API key does not
# include highlights.
_REFUSED_FOR = timedelta(hours=1)


class Highlights:
    """Returns highlights from the cache, or fetches highlights from the API for credits."""

    def __init__(
        self,
        db: Database,
        api: StoriesService,
        ledger: Ledger,
        answers: AnswerCache,
        *,
        now: Callable[[], datetime],
        blocked: AbstractSet[str] = frozenset(),
    ) -> None:
        """Set the dependencies. ``blocked`` contains the ids and names of blocked profiles."""
        self._api = api
        self._ledger = ledger
        self._answers = answers
        self._names = Names(db, api, ledger, now=now)
        self._now = now
        self._blocked = blocked
        self._next_call_at = now()

    async def get_or_fetch_of_profile(self, username: str, asker: Asker) -> list[Highlight]:
        """Return the highlights of a profile, without their stories.

        - A list of the known owner from the last hour costs 0 credits.
        - Any other list costs 2 credits.
        - For a name that was not seen in the last 30 days, or is not stored as public, a lookup
          costs 1 or 2 more credits. A private or missing account costs only the lookup.
        - A refusal is checked by a lookup, for 1 or 2 more credits.
        - The list of a new owner of the name costs 2 to 4 more credits.

        Raises:
            NoSuchProfileError: The account does not exist.
            ProfilePrivateError: The account is visible to followers only.
            ProfileUnavailableError: The lookup did not confirm the answer, or the API does not
                show the account now.
            HighlightsUnavailableError: The plan of the API key does not include highlights.
            SpendingError: The credits are not allowed to be spent.
            StoriesError: The account is blocked or has no highlights, or the API failed.
        """
        self._raise_if_blocked(Profile("", username))
        charge = Charge("highlight", asker)

        async def fetch() -> Fetched[Highlight]:
            with self._stopping_calls_after_refusal():
                known = await self._read_public_profile(username)
                result = await self._fetch_highlights_of_profile(
                    known or await self._fetch_public_unblocked_profile(username, charge), charge
                )
                if known and result and result[0].profile.username not in {"", username}:
                    result = await self._fetch_highlights_of_profile(
                        await self._fetch_public_unblocked_profile(username, charge), charge
                    )
            return Fetched(None, result)

        with name_account_in_errors(username):
            result = await self._answers.get_or_fetch(
                f"highlights:{username}", fetch, _highlights_cacheable_until, HIGHLIGHTS
            )
            if not await self._is_list_of_known_owner(result, username):
                known = await self._read_public_profile(username)
                owner = known or await self._fetch_public_unblocked_profile(username, charge)
                key = f"highlights:{username}:{owner.profile_id}"
                result = await self._answers.get_or_fetch(
                    key, fetch, _highlights_cacheable_until, HIGHLIGHTS
                )
        for highlight in result:
            self._raise_if_blocked(highlight.profile)
        if not result:
            raise StoriesError(text=NO_HIGHLIGHTS, username=username)
        return result

    async def get_or_fetch(self, highlight_id: str, asker: Asker) -> Highlight:
        """Return a highlight with its stories, oldest first, for 1 credit.

        A cached highlight costs 0 credits. A highlight is cached for at most a day, and at most
        until 60 seconds before the first URL of its stories expires.

        Raises:
            HighlightGoneError: The highlight does not exist, or contains no stories.
            ProfilePrivateError: The account is visible to followers only.
            HighlightsUnavailableError: The plan of the API key does not include highlights.
            SpendingError: The credits are not allowed to be spent.
            StoriesError: The account is blocked, or the API failed.
        """
        charge = Charge("highlight", asker)

        async def fetch() -> Fetched[Highlight]:
            with self._stopping_calls_after_refusal():
                call = self._api.highlight(highlight_id)
                result, bill = await self._ledger.reserve_and_call_unsettled(charge, call)
            return Fetched(None, [result], bill=bill)

        def until(result: list[Highlight], now: datetime) -> datetime:
            ends = [now + _OPENED_KEPT]
            for story in result[0].stories:
                ends += signed_url_end_or_empty(story)
            return max(min(ends), now)

        (result,) = await self._answers.get_or_fetch(
            f"highlight:{highlight_id}", fetch, until, HIGHLIGHTS, has_name=False
        )
        for profile in (result.profile, *(story.profile for story in result.stories)):
            self._raise_if_blocked(profile)
        if not result.stories:
            raise HighlightGoneError
        return result

    async def _fetch_public_unblocked_profile(self, username: str, charge: Charge) -> Profile:
        """Return the current owner of a name, if the account is public and not blocked.

        The cost and the errors are those of ``Names.fetch_and_store_public_profile``. A blocked
        account raises a ``StoriesError``.
        """
        profile = await self._names.fetch_and_store_public_profile(username, charge)
        self._raise_if_blocked(profile)
        return profile

    async def _read_public_profile(self, username: str) -> Profile | None:
        """Return the stored owner of a username, or None if the username must be looked up.

        The owner must be active, or public in a lookup after the last refusal. The errors are
        those of ``Names.read_last_known_owner``.
        """
        known = await self._names.read_last_known_owner(username)
        is_public = known is not None and (known.state == "active" or known.checked_at is not None)
        return known.profile if known and is_public else None

    async def _fetch_highlights_of_profile(
        self, profile: Profile, charge: Charge
    ) -> list[Highlight]:
        self._raise_if_blocked(profile)
        try:
            return await self._ledger.reserve_call_and_settle(
                charge, self._api.highlights(profile.profile_id)
            )
        except (ProfilePrivateError, NoSuchProfileError) as error:
            agrees = "private" if isinstance(error, ProfilePrivateError) else "gone"
            proof = await self._names.fetch_proof_of_refusal(
                profile.username, charge, profile_id=profile.profile_id
            )
            if proof == agrees:
                raise
            raise ProfileUnavailableError(str(error), credits=error.credits) from None

    async def _is_list_of_known_owner(self, result: list[Highlight], username: str) -> bool:
        """Return whether a list of highlights belongs to the known, public owner of the name.

        A list that is empty or has no profile id counts as a list of the owner. The errors are
        those of ``Names.read_last_known_owner``.
        """
        if not result or not result[0].profile.profile_id:
            return True
        owner = await self._read_public_profile(username)
        return owner is not None and owner.profile_id == result[0].profile.profile_id

    @contextmanager
    def _stopping_calls_after_refusal(self) -> Iterator[None]:
        """Raise an error instead of a call, if a call was refused within the last hour.

        A call is refused if the plan of the API key does not include highlights.

        Raises:
            HighlightsUnavailableError: A call was refused within the last hour, or is refused now.
        """
        if self._next_call_at > self._now():
            raise HighlightsUnavailableError("known from the last answer")
        try:
            yield
        except HighlightsUnavailableError:
            self._next_call_at = self._now() + _REFUSED_FOR
            raise

    def _raise_if_blocked(self, profile: Profile) -> None:
        if alert_rules.is_on_block_list(profile.profile_id, profile.username, self._blocked):
            name = profile.username
            raise StoriesError(text=PROFILE_BLOCKED, username=name) if name else HighlightGoneError


def _highlights_cacheable_until(_: list[Highlight], now: datetime) -> datetime:
    return now + _LIST_KEPT
