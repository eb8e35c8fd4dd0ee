"""The interface of the paid API: operations, prices, answers."""

from collections.abc import Awaitable, Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from bot.domain.model import Highlight, Profile, Story
from bot.domain.records import Known

T_co = TypeVar("T_co", covariant=True)


class Operation(StrEnum):
    """The kind of a paid call in the ledger; independent of the vendor's API."""

    STORY = "story"
    STORIES = "stories"
    PROFILE = "profile"
    HIGHLIGHTS = "highlights"
    DOWNLOAD = "download"


@dataclass(frozen=True, slots=True)
class Answer(Generic[T_co]):
    """The result of a paid call, and the credits that the call was billed.

    ``is_checked`` is False if the API skipped the privacy check of the account.
    """

    value: T_co
    credits: int
    is_checked: bool = True


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """A call that is made when awaited.

    ``price`` is the highest usual price in credits. The API may state a higher bill, of which the
    bot counts at most five times the usual price.
    """

    operation: Operation
    price: int
    make: Callable[[], Awaitable[Answer[T_co]]]

    def __await__(self) -> Generator[Any, Any, Answer[T_co]]:
        """Make the call."""
        return self.make().__await__()


@dataclass(frozen=True, slots=True)
class Balance:
    """The balance of the account: the credits left, and the allowed calls a second.

    ``amount`` is the value of the credits in US dollars, 0 where the answer does not have it.
    """

    credits: int
    rate: float
    amount: float = 0.0


class StoriesService(Protocol):
    """The paid API of stories. The adapter is ``bot.stories_api.client.StoriesApi``.

    All calls raise subclasses of ``StoriesError``. The ``credits`` of an error are the billed
    credits of the failed call, or None if the bill is unknown.
    """

    @property
    def is_in_service(self) -> bool:
        """Return whether paid calls are possible.

        After a response 401 or 402, paid calls are not made until the balance is positive.
        """

    @property
    def is_failing(self) -> bool:
        """Return whether the API fails for all profiles."""

    @property
    def checks_privacy(self) -> bool:
        """Return whether ``stories`` without ``last_known_public_at`` checks the privacy."""

    def story(self, story_id: str, page_url: str = "") -> Call[Story]:
        """Return the paid call that fetches one live story."""

    def stories(
        self,
        profile_id: str,
        *,
        last_known_public_at: datetime | None = None,
        expects_stories: Callable[[], Awaitable[bool]] | None = None,
    ) -> Call[list[Story]]:
        """Return the paid call that fetches all live stories of a profile, oldest first."""

    def stories_by_name(self, username: str) -> Call[list[Story]]:
        """Return the paid call that fetches all live stories of a profile by its username."""

    def profile(self, username: str) -> Call[Profile]:
        """Return the paid call that fetches the account of a username."""

    def highlights(self, profile_id: str) -> Call[list[Highlight]]:
        """Return the paid call that lists the highlights of a profile, without their stories."""

    def highlight(self, highlight_id: str) -> Call[Highlight]:
        """Return the paid call that fetches one highlight with its stories, oldest first."""

    async def fetch_balance(self) -> Balance:
        """Return the balance of the account; the call is free."""

    async def sync_trust(self) -> None:
        """Load the stored trust in answers without the privacy check."""

    async def compare_with_unchecked(
        self, known: Known, stories: Iterable[Story], new: Iterable[str]
    ) -> None:
        """Compare an answer with earlier answers that skipped the privacy check."""

    async def record_refusal(self, known: Known) -> None:
        """Record that a profile turned out to be private."""
