"""Resolution of names: owner, privacy and stories of an account, proved by two answers.

The lookup of 1 credit is made before the more expensive calls. The lookup is also the second proof
of a refusal, because 403 and 404 occur from time to time for accounts that are public and exist.
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
"""The time for which a refusal is repeated from the cache, to every person and by every path."""

# After this time the name is resolved again, because the owner may have changed.
_VALID_FOR = timedelta(days=30)
# Locks that serialise the lookups of a name, shared by all instances of ``Names``.
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

    async def last_known(self, username: str, *, within: timedelta = _VALID_FOR) -> Known | None:
        """Return the last owner of a name, or None if the last observation is too old; free.

        Raises:
            NoSuchProfileError: A recent answer found no account with this name.
            ProfilePrivateError: A recent answer found the account private.
            ApiRefusedError: The API refused the name recently.
        """
        key, now = answers.verdict_key(username), self._now()
        async with self._db.read() as tx:
            if verdict := (await answers.get_fresh(tx, key, now=now)).get(key):
                raise _VERDICTS[verdict]("known from the last answer", username=username)
            return await profiles.named(tx, username, since=now - within)

    async def resolve(self, username: str, charge: Charge) -> Profile:
        """Return the current owner of a name; 1 credit, 2 if the first answer is a refusal.

        A private account is returned as private. The subscribers are not notified here.

        Raises:
            NoSuchProfileError: Two answers agree that the account does not exist.
            ProfilePrivateError: Two answers agree that even the page of the account is hidden.
            SpendingError: The credits may not be spent.
            StoriesError: The API failed.
        """
        try:
            try:
                profile = await self._ask_profile(username, charge)
            except (NoSuchProfileError, ProfilePrivateError):
                # The API sometimes answers 404 or 403 for an account that exists and is public.
                profile = await self._ask_profile(username, charge)
        except _REFUSALS as error:
            async with self._db.begin() as tx:
                await self._store_verdict(tx, username, type(error))
            raise
        await self._store_profile(username, profile)
        return profile

    async def look_up(self, username: str, charge: Charge) -> Profile:
        """Return the current owner of a name; 1 credit.

        A refusal is not confirmed by a second answer, and is therefore not stored.

        Raises:
            NoSuchProfileError: The answer is that the account does not exist.
            ProfilePrivateError: Even the page of the account is hidden.
            SpendingError: The credit may not be spent.
            StoriesError: The API failed.
        """
        profile = await self._ask_profile(username, charge)
        await self._store_profile(username, profile)
        return profile

    async def _store_profile(self, username: str, profile: Profile) -> None:
        async with self._db.begin() as tx:
            await snapshots.record_name(tx, profile, now=self._now())
            checked_at = None if profile.is_private else self._now()
            await profiles.change(tx, profile.profile_id, checked_at=checked_at)
            if profile.is_private:
                await self._store_verdict(tx, username, ProfilePrivateError)

    async def resolve_public(self, username: str, charge: Charge) -> Profile:
        """Return the current owner of a name as ``resolve`` does, if the account is public.

        Raises:
            ProfilePrivateError: The account is visible to followers only.
        """
        began = self._now()
        async with _asking.setdefault(username, asyncio.Lock()):
            known = await self.last_known(username, within=self._now() - began)
            # Another request may have resolved the name in the meantime.
            if known and known.state == "active":
                return known.profile
            profile = await self.resolve(username, charge)
            if profile.is_private:
                await self.record_private(profile.profile_id)
                raise ProfilePrivateError(username=username)
            return profile

    async def _store_verdict(self, tx: Tx, username: str, verdict: type[StoriesError]) -> None:
        key, until = answers.verdict_key(username), self._now() + NEGATIVE_FOR
        await answers.store(tx, key, verdict.__name__, until=until)

    async def check_refusal(self, username: str, charge: Charge, *, profile_id: str = "") -> Proof:
        """Check a refusal with the lookup of the name; 1 or 2 credits.

        ``profile_id`` is the id of the refused account, if known.

        Return ``unknown`` if the lookup cannot be made or has no result for this account.
        ``private`` depends on the account's page: a page that is refused as private may belong to
        a public account.
        """
        if not username:
            return "unknown"
        try:
            answer = await self.resolve(username, charge)
        except NoSuchProfileError:
            return "gone"
        except (SpendingError, StoriesError):
            return "unknown"
        if profile_id and answer.profile_id != profile_id:
            return "gone"  # the name now belongs to a different account
        return "private" if answer.is_private else "public"

    async def fetch_stories(
        self, profile: Profile, charge: Charge, *, is_just_named: bool = False
    ) -> list[Story] | None:
        """Return the live stories of an account, or None if the name has a different owner now.

        2 credits. A refusal is accepted only if the lookup of the name agrees. Otherwise a 404 is
        retried, because a 404 is temporary. An account that is refused as private although its
        page is public hides this list permanently. ``is_just_named``: a recent lookup found the
        account public.

        Raises:
            NoSuchProfileError: The account does not exist.
            ProfilePrivateError: The stories are visible to the account's followers only.
            ProfileUnavailableError: The account is not available now, for an unknown reason.
            SpendingError: The credits may not be spent.
            StoriesError: The API failed.
        """
        call = self._api.stories(profile.profile_id)
        try:
            return await self._ledger.spend(charge, call)
        except (ProfilePrivateError, NoSuchProfileError) as error:
            if not is_just_named:
                shown = await self.resolve(profile.username, charge)
                if shown.profile_id != profile.profile_id:
                    return None
                if shown.is_private and isinstance(error, ProfilePrivateError):
                    await self.record_private(profile.profile_id)
                    raise
            if isinstance(error, ProfilePrivateError):
                raise ProfileUnavailableError(str(error), credits=error.credits) from None
            try:
                return await self._ledger.spend(charge, call)
            except (ProfilePrivateError, NoSuchProfileError) as again:
                raise ProfileUnavailableError(str(again), credits=again.credits) from None
            except SpendingError:  # the next person who requests the profile may be able to pay
                raise ProfileUnavailableError(str(error)) from None

    async def record_private(self, profile_id: str, *, token: int | None = None) -> None:
        """Record that two answers agree that the account is private.

        ``token``: the claim of a check, as in ``snapshots.record_failure``.
        """
        async with self._db.begin() as tx:
            await snapshots.record_failure(tx, profile_id, "private", now=self._now(), token=token)

    async def _ask_profile(self, username: str, charge: Charge) -> Profile:
        return await self._ledger.spend(charge, self._api.profile(username))
