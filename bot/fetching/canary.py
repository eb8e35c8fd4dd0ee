"""Witnesses for the API: profiles that no person asked for tell an outage from a sick account.

The canary always has stories: when it shows none, and nobody else does, the API is down and the
profile in question may not be silent.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from bot.billing.ledger import Ledger, Payer
from bot.domain.errors import (
    ApiUnavailableError,
    OutOfServiceError,
    ProfileUnavailableError,
    SpendingError,
    StoriesError,
)
from bot.stories_api.client import StoriesApi
from bot.stories_api.endpoints import Answer, Endpoint

_FRESH = timedelta(minutes=5)
_WELL_KNOWN = "instagram"  # its own account; asked only where no other witness is answered
_PAYER = Payer("schedule")


class Canary:
    """Asks the canary when somebody doubts an empty answer, and a witness when calls fail.

    A canary that is itself sick, private or silent makes no outage.
    """

    def __init__(
        self,
        api: StoriesApi,
        ledger: Ledger,
        username: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Watch ``username``; with an empty one every empty answer is believed."""
        self._api = api
        self._ledger = ledger
        self._username = username.strip().lstrip("@").lower()
        self._now = now
        self._profile_id: str | None = None
        self._checked_at: datetime | None = None
        self._silent_since: datetime | None = None
        self._worked: str | None = None
        self._one_probe = asyncio.Lock()

    def worked(self, profile_id: str) -> None:
        """Note that the schedule's call about a profile was answered: a witness for later."""
        self._worked = profile_id

    async def is_answered(self) -> bool | None:
        """Return whether the API answers about a witness; None where that can't be paid.

        The canary is asked first, then what worked last, then a well-known account, since each
        witness may be sick itself; 0 credits while the API fails, else 1 or 2.
        """
        asked = False
        for endpoint, call in self._witnesses():
            try:
                await self._ledger.spend(_PAYER, endpoint, call)
            except (SpendingError, OutOfServiceError):
                return False if asked else None
            except ProfileUnavailableError:
                return True  # of this account; the API answered
            except ApiUnavailableError:
                asked = True
            except StoriesError:
                return True  # not the wanted answer, but the API's
            else:
                return True
        return False

    def _witnesses(self) -> list[tuple[Endpoint, Callable[[], Awaitable[Answer[object]]]]]:
        api, worked, canary = self._api, self._worked, self._profile_id
        witnesses: list[tuple[Endpoint, Callable[[], Awaitable[Answer[object]]]]] = []
        if canary is not None:
            witnesses.append((Endpoint.USER_STORIES, lambda: api.stories(canary, probe=True)))
        elif self._username:
            name = self._username
            witnesses.append((Endpoint.USER_BY_USERNAME, lambda: api.profile(name, probe=True)))
        if worked is not None and worked != canary:
            witnesses.append((Endpoint.USER_STORIES, lambda: api.stories(worked, probe=True)))
        witnesses.append((Endpoint.USER_BY_USERNAME, lambda: api.profile(_WELL_KNOWN, probe=True)))
        return witnesses

    async def says_down(self) -> bool:
        """Return whether even the canary has no stories; 2 credits a check (3 the first time).

        It is asked at most once in 5 minutes. While it is silent, any profile that shows stories
        proves that the silence is its own.
        """
        if not self._username:
            return False
        async with self._one_probe:
            now = self._now()
            if self._checked_at is None or now - self._checked_at >= _FRESH:
                is_silent = await self._is_silent()
                self._silent_since = (self._silent_since or now) if is_silent else None
                self._checked_at = now
            since, shown_at = self._silent_since, self._api.shown_at
            return since is not None and (shown_at is None or shown_at < since)

    async def _is_silent(self) -> bool:
        name = self._username
        try:
            if self._profile_id is None:
                profile = await self._ledger.spend(
                    _PAYER, Endpoint.USER_BY_USERNAME, lambda: self._api.profile(name)
                )
                self._profile_id = profile.profile_id
            profile_id = self._profile_id
            stories = await self._ledger.spend(
                _PAYER, Endpoint.USER_STORIES, lambda: self._api.stories(profile_id)
            )
        except (SpendingError, StoriesError):
            return False  # it can't testify: the answer in doubt is believed
        return not stories
