"""The endpoints of the Stories API and what they cost."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from bot.domain.budget import CHECK_COST

T_co = TypeVar("T_co", covariant=True)


class Endpoint(StrEnum):
    """The path of each paid endpoint that we use."""

    STORY_BY_ID = "/v1/story/by/id"
    STORY_BY_URL = "/v1/story/by/url"
    DOWNLOAD = "/v1/story/download"
    DOWNLOAD_BY_STORY_URL = "/v1/story/download/by/story/url"
    USER_STORIES = "/v1/user/stories"
    USER_BY_USERNAME = "/v1/user/by/username"
    USER_HIGHLIGHTS = "/v1/user/highlights"
    HIGHLIGHT_BY_URL = "/v1/highlight/by/url"


BALANCE = "/sys/balance"  # free

# Two requests a call: the privacy check, and what is asked for.
_COSTS = {Endpoint.USER_STORIES: CHECK_COST, Endpoint.USER_HIGHLIGHTS: 2}


def cost(endpoint: Endpoint, *, skip_privacy_check: bool = False) -> int:
    """Return the nominal credits of a call."""
    nominal = _COSTS.get(endpoint, 1)
    return nominal - 1 if skip_privacy_check and endpoint is Endpoint.USER_STORIES else nominal


@dataclass(frozen=True, slots=True)
class Answer(Generic[T_co]):
    """What was asked for, and the credits that it was billed."""

    value: T_co
    credits: int


@dataclass(frozen=True, slots=True)
class Balance:
    """The account: credits left, and calls a second."""

    credits: int
    rate: float
