"""The interface of the paid Stories API: its operations, prices and answers."""

from collections.abc import Awaitable, Callable, Collection, Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from bot.domain.model import Highlight, Profile, Story
from bot.domain.records import Known

T_co = TypeVar("T_co", covariant=True)


class Operation(StrEnum):
    """The kind of a paid call in the ledger. The kinds do not depend on the API's vendor."""

    STORY = "story"
    STORIES = "stories"
    PROFILE = "profile"
    HIGHLIGHTS = "highlights"
    DOWNLOAD = "download"


@dataclass(frozen=True, slots=True)
class Answer(Generic[T_co]):
    """The result of a paid call, and the credits that the API billed for the call.

    ``is_checked`` is False if the API did not check whether the account is private.
    """

    value: T_co
    credits: int
    is_checked: bool = True


@dataclass(frozen=True, slots=True)
class PaidCall(Generic[T_co]):
    """A paid call that is made when the object is awaited.

    ``price`` is the highest usual price in credits. A higher bill counts as at most five times the
    usual price.
    """

    operation: Operation
    price: int
    make: Callable[[], Awaitable[Answer[T_co]]]

    def __await__(self) -> Generator[Any, Any, Answer[T_co]]:
        """Make the call, and return its answer.

        The methods of ``StoriesService`` that return a ``PaidCall`` list the errors of the call. A
        failed download may also raise a ``MediaError``.
        """
        return self.make().__await__()


@dataclass(frozen=True, slots=True)
class Balance:
    """The balance of the bot's account at the Stories API.

    ``credits`` are the credits left, and ``rate`` is the maximum number of calls per second.
    ``amount`` is the value in US dollars, or 0 if unknown.
    """

    credits: int
    rate: float
    amount: float = 0.0


class StoriesService(Protocol):
    """The interface of the Stories API. The adapter is ``bot.stories_api.client.StoriesApi``.

    A failed call raises a subclass of ``StoriesError``. The error's ``credits`` is the number of
    billed credits of the call, or None if the bill is unknown.
    """

    @property
    def is_in_service(self) -> bool:
        """Return whether paid calls are possible.

        After an ``OutOfServiceError``, no paid calls are made until ``fetch_balance_and_resume``
        returns a positive balance.
        """

    @property
    def is_failing(self) -> bool:
        """Return whether the API seems to fail now, independently of the requested profile."""

    @property
    def checks_privacy(self) -> bool:
        """Return whether a call of ``stories`` checks that the account is public.

        The result applies to a call without ``last_known_public_at``.
        """

    def story(self, story_id: str, page_url: str = "") -> PaidCall[Story]:
        """Return the paid call that fetches one live story, for 1 credit.

        Raises:
            StoryGoneError: The story has expired or was deleted.
            ProfilePrivateError: The account is private.
        """

    def stories(
        self,
        profile_id: str,
        *,
        last_known_public_at: datetime | None = None,
        expects_stories: Callable[[], Awaitable[bool]] | None = None,
    ) -> PaidCall[list[Story]]:
        """Return the paid call that fetches all live stories of a profile, oldest first.

        The setting ``SKIP_PRIVACY_CHECK`` decides about the privacy check. The call costs 2
        credits with the check, 1 credit without the check, and up to 3 credits if an answer is
        verified.
        ``last_known_public_at`` and ``expects_stories`` (whether an empty answer is verified)
        matter only with "auto".

        Raises:
            ProfilePrivateError: The account is private.
            NoSuchProfileError: The account does not exist.
        """

    def stories_by_name(self, username: str) -> PaidCall[list[Story]]:
        """Return the paid call that fetches all live stories of a username, for 3 credits.

        Raises:
            ProfilePrivateError: The account is private.
            NoSuchProfileError: The account does not exist.
        """

    def profile(self, username: str) -> PaidCall[Profile]:
        """Return the paid call that fetches the account of a username, for 1 credit.

        Raises:
            NoSuchProfileError: The account does not exist.
            ProfilePrivateError: The page of the account is hidden. Other private accounts are
                returned.
        """

    def highlights(self, profile_id: str) -> PaidCall[list[Highlight]]:
        """Return the paid call that lists the highlights of a profile, without their stories.

        The call costs 2 credits.

        Raises:
            ProfilePrivateError: The account is private.
            NoSuchProfileError: The account does not exist.
            HighlightsUnavailableError: The plan of the API key does not include highlights.
        """

    def highlight(self, highlight_id: str) -> PaidCall[Highlight]:
        """Return the paid call that fetches one highlight with its stories, oldest first.

        The call costs 1 credit.

        Raises:
            HighlightGoneError: The highlight does not exist.
            ProfilePrivateError: The account is private.
            HighlightsUnavailableError: The plan of the API key does not include highlights.
        """

    async def fetch_balance_and_resume(self) -> Balance:
        """Return the balance of the bot's account. The call costs 0 credits.

        A positive balance allows paid calls again.

        Raises:
            OutOfServiceError: The API refuses the key, or no credits are left.
            StoriesError: The API failed.
        """

    async def load_or_delete_trust_in_unchecked(self) -> None:
        """Load from the database whether answers without a privacy check can be trusted.

        If the setting ``SKIP_PRIVACY_CHECK`` is "true", nothing is loaded. If the setting is
        "false", the stored value is deleted instead.
        """

    def call_to_verify_last_answer(
        self, known: Known, stories: Sequence[Story], new: Collection[str]
    ) -> PaidCall[list[Story]] | None:
        """Return the paid call that verifies the previous answer about a profile, for 1 credit.

        If the previous answer is not in doubt, return None. ``stories`` are in a later answer with
        the privacy check, and ``new`` has the ids of new stories. ``known`` is the profile as
        stored before the later answer.

        Raises:
            ProfilePrivateError: The answer without the check states that the account is private.
        """

    def call_to_verify_after_refusal(self, known: Known) -> PaidCall[list[Story]] | None:
        """Return the paid call that verifies the last answer about a profile that became private.

        The call costs 1 credit, and records whether answers without the privacy check are wrong.
        Return None if the last answer is not in doubt.

        Raises:
            ProfilePrivateError: The answer without the check also states that the account is
                private.
        """
