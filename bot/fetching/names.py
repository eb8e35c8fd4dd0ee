"""Who has a name, whether the account is private, and its stories: two answers that agree.

The lookup of 1 credit is made before the dearer calls, and is the second proof of what they
refuse: 403 and 404 come and go for accounts that are public and exist.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal
from weakref import WeakValueDictionary

from bot.billing.ledger import Ledger, Payer
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
"""How long a refusal is repeated without asking, to whoever asks and by whatever way."""

_VALID_FOR = timedelta(days=30)  # after that we ask by name again, it may be another's
# One lookup of a name at a time, whichever instance makes it.
_asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
_REFUSALS = (ProfilePrivateError, NoSuchProfileError, ApiRefusedError)
_VERDICTS: dict[str, type[StoriesError]] = {kind.__name__: kind for kind in _REFUSALS}
Proof = Literal["private", "gone", "public", "unknown"]


class Names:
    """Looks names up, keeps whose they are, and asks for the stories of who has them."""

    def __init__(
        self, db: Database, api: StoriesService, ledger: Ledger, *, now: Callable[[], datetime]
    ) -> None:
        """Take the parts."""
        self._db = db
        self._api = api
        self._ledger = ledger
        self._now = now

    async def last_known(self, username: str, *, within: timedelta = _VALID_FOR) -> Known | None:
        """Return who had the name when it was last seen, None where that is too long ago; free.

        Raises:
            NoSuchProfileError: It was nobody's a moment ago, whoever asked.
            ProfilePrivateError: The account was private a moment ago.
            ApiRefusedError: The API refused the name a moment ago.
        """
        key, now = answers.verdict_key(username), self._now()
        async with self._db.read() as tx:
            if verdict := (await answers.get_fresh(tx, key, now=now)).get(key):
                raise _VERDICTS[verdict]("known from the last answer", username=username)
            return await profiles.named(tx, username, since=now - within)

    async def resolve(self, username: str, payer: Payer) -> Profile:
        """Return the account that has the name now; 1 credit, 2 where the first answer refuses it.

        A private account is returned as one; nothing is concluded here for who follows it.

        Raises:
            NoSuchProfileError: Two answers agree that there is none.
            ProfilePrivateError: Two answers agree that not even its page is shown.
            SpendingError: The credits for it may not be spent.
            StoriesError: The API failed.
        """
        try:
            try:
                profile = await self._ask_profile(username, payer)
            except (NoSuchProfileError, ProfilePrivateError):
                # Accounts that exist and are public answer 404 and 403 now and then.
                profile = await self._ask_profile(username, payer)
        except _REFUSALS as error:
            async with self._db.begin() as tx:
                await self._store_verdict(tx, username, type(error))
            raise
        async with self._db.begin() as tx:
            await snapshots.record_name(tx, profile, now=self._now())
            checked_at = None if profile.is_private else self._now()
            await profiles.change(tx, profile.profile_id, checked_at=checked_at)
            if profile.is_private:
                await self._store_verdict(tx, username, ProfilePrivateError)
        return profile

    async def resolve_public(self, username: str, payer: Payer) -> Profile:
        """Return the account that has the name now as ``resolve`` does, if all may see it.

        Raises:
            ProfilePrivateError: It is for its followers.
        """
        began = self._now()
        async with _asking.setdefault(username, asyncio.Lock()):
            known = await self.last_known(username, within=self._now() - began)
            if known and known.state == "active":  # somebody has asked meanwhile
                return known.profile
            profile = await self.resolve(username, payer)
            if profile.is_private:
                await self.record_private(profile.profile_id)
                raise ProfilePrivateError(username=username)
            return profile

    async def _store_verdict(self, tx: Tx, username: str, verdict: type[StoriesError]) -> None:
        key, until = answers.verdict_key(username), self._now() + NEGATIVE_FOR
        await answers.store(tx, key, verdict.__name__, until=until)

    async def check_refusal(self, profile: Profile, payer: Payer) -> Proof:
        """Return what the lookup says of an account that was refused; 1 or 2 credits.

        ``unknown`` where it can't be asked or says nothing of this account. Private is what its
        page calls so: a page that is refused as private may be a public account's.
        """
        if not profile.username:
            return "unknown"
        try:
            answer = await self.resolve(profile.username, payer)
        except NoSuchProfileError:
            return "gone"
        except (SpendingError, StoriesError):
            return "unknown"
        if profile.profile_id and answer.profile_id != profile.profile_id:
            return "gone"  # the name is another's now
        return "private" if answer.is_private else "public"

    async def fetch_stories(
        self, profile: Profile, payer: Payer, *, is_just_named: bool = False
    ) -> list[Story] | None:
        """Return the live stories of an account; None where its name is another's by now.

        2 credits. A refusal is believed only where the lookup of the name agrees. Where it does
        not, a 404 is asked again, as it passes; an account that is refused as private though its
        page is public hides this list for good. ``is_just_named``: the lookup was made a moment
        ago, and said that it is public.

        Raises:
            NoSuchProfileError: There is no such account.
            ProfilePrivateError: Its stories are for its followers.
            ProfileUnavailableError: It can't be had now; nothing is known of it.
            SpendingError: The credits for it may not be spent.
            StoriesError: The API failed.
        """
        call = self._api.stories(profile.profile_id)
        try:
            return await self._ledger.spend(payer, call)
        except (ProfilePrivateError, NoSuchProfileError) as error:
            if not is_just_named:
                shown = await self.resolve(profile.username, payer)
                if shown.profile_id != profile.profile_id:
                    return None
                if shown.is_private and isinstance(error, ProfilePrivateError):
                    await self.record_private(profile.profile_id)
                    raise
            if isinstance(error, ProfilePrivateError):
                raise ProfileUnavailableError(str(error), credits=error.credits) from None
            try:
                return await self._ledger.spend(payer, call)
            except (ProfilePrivateError, NoSuchProfileError) as again:
                raise ProfileUnavailableError(str(again), credits=again.credits) from None
            except SpendingError:  # the next asker may be able to pay
                raise ProfileUnavailableError(str(error)) from None

    async def record_private(self, profile_id: str) -> None:
        """Keep that two answers agree: the account is private."""
        async with self._db.begin() as tx:
            await snapshots.record_failure(tx, profile_id, "private", now=self._now())

    async def _ask_profile(self, username: str, payer: Payer) -> Profile:
        return await self._ledger.spend(payer, self._api.profile(username))
