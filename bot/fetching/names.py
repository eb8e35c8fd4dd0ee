"""Who has a name, and whether the account is private: the lookup of 1 credit.

It is asked before the dearer calls, and is the second proof of what they refuse: 403 and 404 come
and go for accounts that are public and exist.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from bot.billing.ledger import Ledger, Payer
from bot.domain.errors import ProfileNotFoundError, SpendingError, StoriesError
from bot.domain.model import Profile
from bot.fetching import snapshots
from bot.store import profiles
from bot.store.database import Database
from bot.stories_api.client import StoriesApi
from bot.stories_api.endpoints import Endpoint

_VALID_FOR = timedelta(days=30)  # after that we ask by name again, it may be another's
Proof = Literal["private", "gone", "public", "unknown"]


class Names:
    """Looks names up, and keeps whose they are."""

    def __init__(
        self, db: Database, api: StoriesApi, ledger: Ledger, *, now: Callable[[], datetime]
    ) -> None:
        """Take the parts."""
        self._db = db
        self._api = api
        self._ledger = ledger
        self._now = now

    async def known(self, username: str) -> Profile | None:
        """Return who had the name when it was last seen, None where that is too long ago; free."""
        row = await self._db.fetch(
            lambda tx: profiles.named(tx, username, since=self._now() - _VALID_FOR)
        )
        return Profile(row.profile_id, row.username, row.full_name) if row else None

    async def resolve(self, username: str, payer: Payer) -> Profile:
        """Return the account that has the name now; 1 credit, 2 where the first answer is 404.

        A private account is returned as one; nothing is concluded here for who follows it.

        Raises:
            ProfileNotFoundError: Two answers agree that there is none.
            SpendingError: The credits for it may not be spent.
            StoriesError: The API failed.
        """
        try:
            profile = await self._ask(username, payer)
        except ProfileNotFoundError:
            # Accounts that exist answer 404 now and then.
            profile = await self._ask(username, payer)
        async with self._db.begin() as tx:
            await snapshots.named(tx, profile, now=self._now())
            checked_at = None if profile.is_private else self._now()
            await profiles.change(tx, profile.profile_id, checked_at=checked_at)
        return profile

    async def proof(self, profile: Profile, payer: Payer) -> Proof:
        """Return what the lookup says of an account that was refused; 1 or 2 credits.

        ``unknown`` where it can't be asked or says nothing of this account.
        """
        if not profile.username:
            return "unknown"
        try:
            answer = await self.resolve(profile.username, payer)
        except ProfileNotFoundError:
            return "gone"
        except (SpendingError, StoriesError):
            return "unknown"
        if profile.profile_id and answer.profile_id != profile.profile_id:
            return "gone"  # the name is another's now
        return "private" if answer.is_private else "public"

    async def record_private(self, profile_id: str) -> None:
        """Keep that two answers agree: the account is private."""
        async with self._db.begin() as tx:
            await snapshots.fail(tx, profile_id, "private", now=self._now())

    async def _ask(self, username: str, payer: Payer) -> Profile:
        return await self._ledger.spend(
            payer, Endpoint.USER_BY_USERNAME, lambda: self._api.profile(username)
        )
