"""A profile that always has stories: when it shows none, the API is down and nobody is silent."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.billing.ledger import Ledger, Payer
from bot.domain.errors import SpendingError, StoriesError
from bot.stories_api import Endpoint, StoriesApi

FRESH = timedelta(minutes=5)


class Canary:
    """Looks at the canary when somebody doubts an empty answer; at most once in 5 minutes."""

    def __init__(
        self,
        api: StoriesApi,
        ledger: Ledger,
        username: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Watch ``username``; with an empty one every answer is believed."""
        self._api = api
        self._ledger = ledger
        self._username = username.strip().lstrip("@").lower()
        self._now = now
        self._profile_id: str | None = None
        self._looked_at: datetime | None = None
        self._is_down = False
        self._one_look = asyncio.Lock()

    async def says_down(self) -> bool:
        """Tell whether even the canary has no stories; 2 credits a look (3 the first time)."""
        if not self._username:
            return False
        async with self._one_look:
            now = self._now()
            if self._looked_at is None or now - self._looked_at >= FRESH:
                self._is_down = await self._look()
                self._looked_at = now
            return self._is_down

    async def _look(self) -> bool:
        payer = Payer("schedule")
        name = self._username
        try:
            if self._profile_id is None:
                profile = await self._ledger.spend(
                    payer, Endpoint.USER_BY_USERNAME, lambda: self._api.profile(name)
                )
                self._profile_id = profile.profile_id
            profile_id = self._profile_id
            stories = await self._ledger.spend(
                payer, Endpoint.USER_STORIES, lambda: self._api.stories(profile_id)
            )
        except SpendingError:
            return False  # no money for a look: the answer in doubt is believed
        except StoriesError:
            return True
        return not stories
