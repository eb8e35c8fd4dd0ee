"""Highlights: the collections of a profile, and the stories of one, kept by their ids."""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import datetime, timedelta

from bot.billing.ledger import Ledger, Payer
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
    naming_account,
)
from bot.domain.model import Asker, Highlight, Profile
from bot.domain.paid_calls import StoriesService
from bot.domain.serialization import HIGHLIGHTS
from bot.fetching.answer_cache import AnswerCache, Fetched, url_expiries
from bot.fetching.names import Names
from bot.store.engine.database import Database

_LIST_KEPT = timedelta(hours=1)
_OPENED_KEPT = timedelta(days=1)  # its addresses are signed for about as long
_REFUSED_FOR = timedelta(hours=1)  # a plan without highlights does not get them sooner


class Highlights:
    """Highlights that people ask for, from the cache or for credits."""

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
        """Take the parts; ``blocked`` holds ids and names of profiles that are never shown."""
        self._api = api
        self._ledger = ledger
        self._answers = answers
        self._names = Names(db, api, ledger, now=now)
        self._now = now
        self._blocked = blocked
        self._asked_from = now()

    async def of_profile(self, username: str, asker: Asker) -> list[Highlight]:
        """Return the highlights of a profile, without their stories; 2 credits.

        3 for a name that was not seen in 30 days, 0 within an hour. A list of another account than
        the one that has the name now is not shown: then that account is asked for, at the same
        price.

        Raises:
            NoSuchProfileError: There is no such account.
            ProfilePrivateError: It is for the account's followers.
            HighlightsUnavailableError: The key's plan has none.
            SpendingError: The credits for it may not be spent.
            StoriesError: The account has no highlights, or the API failed.
        """
        self._refuse_blocked(Profile("", username))
        payer = Payer("highlight", asker)

        async def fetch() -> Fetched[Highlight]:
            with self._remembering_refusal():
                known = await self._known_profile(username)
                result = await self._ask_list(known or await self._resolve(username, payer), payer)
                if known and result and result[0].profile.username not in {"", username}:
                    result = await self._ask_list(await self._resolve(username, payer), payer)
            return Fetched(None, result)

        with naming_account(username):
            result = await self._answers.get(f"highlights:{username}", fetch, _expiry, HIGHLIGHTS)
            if not await self._is_current(result, username):
                known = await self._known_profile(username)
                owner = known or await self._resolve(username, payer)
                key = f"highlights:{username}:{owner.profile_id}"
                result = await self._answers.get(key, fetch, _expiry, HIGHLIGHTS)
        for one in result:
            self._refuse_blocked(one.profile)
        if not result:
            raise StoriesError(text=NO_HIGHLIGHTS, username=username)
        return result

    async def open(self, highlight_id: str, asker: Asker) -> Highlight:
        """Return a highlight with its stories, oldest first; 1 credit, 0 within a day.

        Raises:
            HighlightGoneError: It is not there (any more), or shows nothing.
            ProfilePrivateError: It is for the account's followers.
            HighlightsUnavailableError: The key's plan has none.
            SpendingError: The credits for it may not be spent.
            StoriesError: The account has no highlights, or the API failed.
        """
        payer = Payer("highlight", asker)

        async def fetch() -> Fetched[Highlight]:
            with self._remembering_refusal():
                call = self._api.highlight(highlight_id)
                result, bill = await self._ledger.pay_unsettled(payer, call)
            return Fetched(None, [result], bill=bill)

        def until(result: list[Highlight], now: datetime) -> datetime:
            ends = [end for story in result[0].stories for end in url_expiries(story)]
            return max(min([now + _OPENED_KEPT, *ends]), now)

        (result,) = await self._answers.get(f"highlight:{highlight_id}", fetch, until, HIGHLIGHTS)
        for profile in (result.profile, *(story.profile for story in result.stories)):
            self._refuse_blocked(profile)
        if not result.stories:
            raise HighlightGoneError
        return result

    async def _resolve(self, username: str, payer: Payer) -> Profile:
        """Return who has the name now; the lookup of 1 credit."""
        profile = await self._names.resolve_public(username, payer)
        self._refuse_blocked(profile)
        return profile

    async def _known_profile(self, username: str) -> Profile | None:
        """Return who has the name, None where the lookup is to tell, which is cheaper."""
        known = await self._names.last_known(username)
        return known.profile if known and known.state == "active" else None

    async def _ask_list(self, profile: Profile, payer: Payer) -> list[Highlight]:
        self._refuse_blocked(profile)
        try:
            return await self._ledger.spend(payer, self._api.highlights(profile.profile_id))
        except (ProfilePrivateError, NoSuchProfileError) as error:
            agrees = "private" if isinstance(error, ProfilePrivateError) else "gone"
            if await self._names.check_refusal(profile, payer) == agrees:
                raise
            raise ProfileUnavailableError(str(error), credits=error.credits) from None

    async def _is_current(self, result: list[Highlight], username: str) -> bool:
        """Return whether a list, which may have been kept, is of who has the name by now."""
        if not result or not result[0].profile.profile_id:
            return True
        owner = await self._known_profile(username)
        return owner is not None and owner.profile_id == result[0].profile.profile_id

    @contextmanager
    def _remembering_refusal(self) -> Iterator[None]:
        """Ask for nothing for some time after the API has said that the plan has no highlights.

        A refusal that is repeated from the cache does not begin that time anew.
        """
        if self._asked_from > self._now():
            raise HighlightsUnavailableError("known from the last answer")
        try:
            yield
        except HighlightsUnavailableError:
            self._asked_from = self._now() + _REFUSED_FOR
            raise

    def _refuse_blocked(self, profile: Profile) -> None:
        if alert_rules.is_on_block_list(profile.profile_id, profile.username, self._blocked):
            name = profile.username
            raise StoriesError(text=PROFILE_BLOCKED, username=name) if name else HighlightGoneError


def _expiry(_: list[Highlight], now: datetime) -> datetime:
    return now + _LIST_KEPT
