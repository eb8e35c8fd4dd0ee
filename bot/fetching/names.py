"""The lookup of usernames. A lookup returns the owner of a name, and whether the owner is private.

A lookup costs 1 credit. Usually, a lookup must confirm a refusal, because the API sometimes
answers 403 or 404 for public accounts.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal
from weakref import WeakValueDictionary

from bot.billing.ledger import Charge, Ledger
from bot.domain.errors import (
    ApiRefusedError,
    NoSuchProfileError,
    ProfilePrivateError,
    ProfileUnavailableError,
    SpendingError,
    StoriesError,
)
from bot.domain.model import Profile, Story
from bot.domain.paid_calls import StoriesService
from bot.domain.records import Known
from bot.fetching import snapshots
from bot.store import answers, profiles
from bot.store.engine.database import Database, Tx

NEGATIVE_FOR = timedelta(minutes=5)
"""The time for which a refusal is cached.

The cached refusal applies to all people. The refusal of a name applies to all kinds of requests.
"""

# A name that was last seen longer ago is looked up again, because its owner may have changed.
_VALID_FOR = timedelta(days=30)
# A lock for each name, so that ``fetch_and_store_public_profile`` does not look up a name twice at
# the same time. All instances of ``Names`` share the locks.
_asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
_REFUSALS = (ProfilePrivateError, NoSuchProfileError, ApiRefusedError)
_VERDICTS: dict[str, type[StoriesError]] = {kind.__name__: kind for kind in _REFUSALS}
Proof = Literal["private", "gone", "public", "unknown"]


class Names:
    """Looks up names, stores the owners of names, and fetches the stories of an owner."""

    def __init__(
        self, db: Database, api: StoriesService, ledger: Ledger, *, now: Callable[[], datetime]
    ) -> None:
        """Set the dependencies."""
        self._db = db
        self._api = api
        self._ledger = ledger
        self._now = now

    @property
    def checks_privacy(self) -> bool:
        """Return whether ``fetch_stories_if_same_owner`` checks that the account is public."""
        return self._api.checks_privacy

    async def read_last_known_owner(
        self, username: str, *, within: timedelta = _VALID_FOR
    ) -> Known | None:
        """Return the stored owner of a name, or None if the name was not seen recently.

        The cost is 0 credits. ``within`` is the maximum age of the last answer with this name. The
        stored time of the answer can be up to an hour too early.

        Raises:
            NoSuchProfileError: According to a recent answer, no account has this name.
            ProfilePrivateError: According to a recent answer, the account is private.
            ApiRefusedError: The API refused the name recently.
        """
        key = answers.refusal_key(username)
        now = self._now()
        async with self._db.read() as tx:
            if verdict := (await answers.get_fresh(tx, key, now=now)).get(key):
                raise _VERDICTS[verdict]("known from the last answer", username=username)
            return await profiles.find_by_username(tx, username, named_since=now - within)

    async def fetch_and_store_profile_with_retry(self, username: str, charge: Charge) -> Profile:
        """Return and store the current owner of a name, who may be private.

        The cost is 1 credit, or usually 2 credits if the first answer is a refusal. A refusal, and
        a private account, are cached for five minutes.

        Raises:
            NoSuchProfileError: The second answer is that the account does not exist.
            ProfilePrivateError: The second answer is that even the page of the account is hidden.
            SpendingError: The credits are not allowed to be spent.
            StoriesError: The API failed.
        """
        try:
            try:
                profile = await self._fetch_profile(username, charge)
            except (NoSuchProfileError, ProfilePrivateError):
                # The lookup is repeated, because the API sometimes answers 404 or 403 for an
                # account that exists and is public.
                profile = await self._fetch_profile(username, charge)
        except _REFUSALS as error:
            async with self._db.begin() as tx:
                await self._cache_refusal(tx, username, type(error))
            raise
        await self._store_profile(username, profile)
        return profile

    async def fetch_and_store_profile_once(self, username: str, charge: Charge) -> Profile:
        """Return and store the current owner of a name, for 1 credit.

        The answer that the account is private is cached for five minutes. A failed lookup is not
        stored, because no second answer confirms the failure.

        Raises:
            NoSuchProfileError: The answer is that the account does not exist.
            ProfilePrivateError: Even the page of the account is hidden.
            SpendingError: The credit is not allowed to be spent.
            StoriesError: The API failed.
        """
        profile = await self._fetch_profile(username, charge)
        await self._store_profile(username, profile)
        return profile

    async def _store_profile(self, username: str, profile: Profile) -> None:
        async with self._db.begin() as tx:
            await snapshots.record_name_notify_and_return_previous(tx, profile, now=self._now())
            checked_at = None if profile.is_private else self._now()
            await profiles.change(tx, profile.profile_id, checked_at=checked_at)
            if profile.is_private:
                await self._cache_refusal(tx, username, ProfilePrivateError)

    async def fetch_and_store_public_profile(
        self, username: str, charge: Charge, *, looked_up_since: datetime | None = None
    ) -> Profile:
        """Return the current owner of a name, but only if the account is public.

        The lookup costs 1 or 2 credits. The cost is 0 credits if a lookup after
        ``looked_up_since`` (by default, the time of this call) found the owner public, or if the
        name was refused in the last five minutes. Concurrent requests for the same name wait for
        each other.

        Raises:
            ProfilePrivateError: The account is visible to followers only.
            NoSuchProfileError: No account has the name, now or according to a recent refusal.
            SpendingError: The credits are not allowed to be spent.
            StoriesError: The API failed, or refused the name recently.
        """
        looked_up_since = looked_up_since or self._now()
        async with _asking.setdefault(username, asyncio.Lock()):
            known = await self.read_last_known_owner(username)
            # Only ``checked_at`` shows that a concurrent request has already looked up the name: a
            # lookup does not change the state, and updates the time of the last answer at most
            # once an hour.
            if known and known.checked_at and known.checked_at > looked_up_since:
                return known.profile
            profile = await self.fetch_and_store_profile_with_retry(username, charge)
            if profile.is_private:
                await self.record_private_and_notify_if_proven(profile.profile_id)
                raise ProfilePrivateError(username=username)
            return profile

    async def _cache_refusal(self, tx: Tx, username: str, verdict: type[StoriesError]) -> None:
        until = self._now() + NEGATIVE_FOR
        await answers.store(tx, answers.refusal_key(username), verdict.__name__, until=until)

    async def fetch_proof_of_refusal(
        self, username: str, charge: Charge, *, profile_id: str = ""
    ) -> Proof:
        """Return the state that a lookup of a refused name proves, for 1 or 2 credits.

        - "private" or "public": The lookup shows the account as private or public.
        - "gone": No account has the name, or a different account than ``profile_id`` has the name.
        - "unknown": The lookup proves nothing. An empty ``username`` costs 0 credits.
        """
        if not username:
            return "unknown"
        try:
            answer = await self.fetch_and_store_profile_with_retry(username, charge)
        except NoSuchProfileError:
            return "gone"
        except (SpendingError, StoriesError):
            return "unknown"
        if profile_id and answer.profile_id != profile_id:
            return "gone"  # a different account has the name now
        return "private" if answer.is_private else "public"

    async def fetch_stories_if_same_owner(
        self, profile: Profile, charge: Charge, *, is_just_named: bool = False
    ) -> list[Story] | None:
        """Return the live stories of an account, or None if the name has a different owner now.

        The cost is 2 credits, or 1 credit if ``checks_privacy`` is False. A refusal is confirmed
        by a lookup for 1 or 2 more credits, unless the caller has just looked up the name
        (``is_just_named``). After a wrong 404, the call is repeated for the same price.

        Raises:
            NoSuchProfileError: The account does not exist.
            ProfilePrivateError: The stories are visible to the account's followers only.
            ProfileUnavailableError: The account is not available now, for an unknown reason.
            SpendingError: The credits are not allowed to be spent.
            StoriesError: The API failed.
        """
        call = self._api.stories(profile.profile_id)
        try:
            return await self._ledger.reserve_call_and_settle(charge, call)
        except (ProfilePrivateError, NoSuchProfileError) as error:
            if not is_just_named:
                shown = await self.fetch_and_store_profile_with_retry(profile.username, charge)
                if shown.profile_id != profile.profile_id:
                    return None
                if shown.is_private and isinstance(error, ProfilePrivateError):
                    await self.record_private_and_notify_if_proven(profile.profile_id)
                    raise
            if isinstance(error, ProfilePrivateError):
                raise ProfileUnavailableError(str(error), credits=error.credits) from None
            try:
                return await self._ledger.reserve_call_and_settle(charge, call)
            except (ProfilePrivateError, NoSuchProfileError) as again:
                raise ProfileUnavailableError(str(again), credits=again.credits) from None
            except SpendingError:
                # The error is not a ``SpendingError``, because a different person may be able to
                # pay for the repeated call.
                raise ProfileUnavailableError(str(error)) from None

    async def record_private_and_notify_if_proven(
        self, profile_id: str, *, token: int | None = None
    ) -> None:
        """Record that a lookup has shown an account as private.

        ``token`` identifies the claim of the profile, or is None if this process has no claim.
        """
        async with self._db.begin() as tx:
            await snapshots.record_failure_and_notify_if_proven(
                tx, profile_id, "private", now=self._now(), token=token
            )

    async def _fetch_profile(self, username: str, charge: Charge) -> Profile:
        return await self._ledger.reserve_call_and_settle(charge, self._api.profile(username))
