"""What an answer that is not the wanted one means: status first, then the body, leniently.

Pure. Five shapes of error body are about; the status decides, ``exc_type`` only refines.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from bot.domain.errors import (
    ApiRefusedError,
    ApiUnavailableError,
    NoStoriesError,
    OutOfServiceError,
    ProfileNotFoundError,
    ProfilePrivateError,
    StoriesError,
    StoryGoneError,
)
from bot.stories_api.endpoints import Endpoint
from bot.stories_api.response import NonsenseError, clean, credits_in, decode

BILLED = frozenset({200, 400, 403, 404, 422})
FREE_CLIENT_ERRORS = frozenset({401, 402, 408, 410, 429})
AGAIN = frozenset({408, 429, 500, 502, 503, 504})  # nothing was billed
LONGEST_WAIT = 300.0  # seconds of a Retry-After that we honour
SHOWN = 200  # characters of a body that a log may hold

ABOUT_PROFILE = frozenset(
    {Endpoint.USER_STORIES, Endpoint.USER_STORIES_BY_USERNAME, Endpoint.USER_BY_USERNAME}
)
BY_NAME: Mapping[str, type[StoriesError]] = {
    "UserNotFound": ProfileNotFoundError,
    "AccountNotFound": ProfileNotFoundError,
    "PrivateAccount": ProfilePrivateError,
    "StoryNotFound": StoryGoneError,
    "MediaNotFound": StoryGoneError,
    "MediaUnavailable": StoryGoneError,
    "InsufficientFunds": OutOfServiceError,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A typed error; ``again`` when nothing was billed, ``after`` so many seconds if told."""

    error: StoriesError
    again: bool = False
    after: float | None = None
    status: int = 0


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the body of an error says; both empty when it is none of the API's shapes."""

    name: str = ""
    message: str = ""

    def __bool__(self) -> bool:
        """Tell whether the API itself spoke."""
        return bool(self.name or self.message)


def complaint_in(value: object) -> Complaint | None:
    """Return the complaint in a decoded body, None where it is no complaint."""
    if not isinstance(value, dict):
        return None
    detail = value.get("detail")
    if isinstance(detail, list):  # FastAPI's validation errors
        detail = "; ".join(str(item.get("msg", "")) for item in detail if isinstance(item, dict))
    message = detail or value.get("error") or value.get("message") or ""
    name = value.get("exc_type")
    if name or value.get("state") is False or (detail and "pk" not in value):
        return Complaint(clean(str(name or ""))[:SHOWN], clean(str(message))[:SHOWN])
    return None


def failure_of(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    endpoint: str,
    nominal: int,
    now: datetime,
    subject: str = "",
) -> Failure:
    """Return what an answer with ``status``, or a 200 that complains, means.

    ``nominal`` is what the call costs by the table; ``subject`` is the name that was asked about.
    """
    try:
        complaint = complaint_in(decode(body)) or Complaint()
    except NonsenseError:
        complaint = Complaint()
    kind = _kind(status, complaint, endpoint)
    error = kind(
        f"{endpoint}: {status} {complaint.name} {complaint.message}".rstrip(),
        credits=_billed(status, headers, body, nominal),
        username=subject,
    )
    after = retry_after(headers, now)
    return Failure(error, again=status in AGAIN, after=after, status=status)


def _kind(status: int, complaint: Complaint, endpoint: str) -> type[StoriesError]:  # noqa: PLR0911 - a table
    if status in {401, 402}:
        return OutOfServiceError
    if status in {408, 425, 429} or status >= 500:  # noqa: PLR2004 - HTTP's classes
        return ApiUnavailableError
    if status == 403 and not complaint:  # noqa: PLR2004 - the edge speaks, not the API
        return ApiUnavailableError
    if status == 404 or complaint.name == "NotFoundError":  # noqa: PLR2004
        return _not_found(complaint, endpoint)
    if complaint.name in BY_NAME:
        return BY_NAME[complaint.name]
    if status == 403:  # noqa: PLR2004
        blocked = complaint.name in {"LoginRequired", "ChallengeRequired"}
        return ApiUnavailableError if blocked else ProfilePrivateError
    if 400 <= status < 500:  # noqa: PLR2004
        return ApiRefusedError
    return ApiUnavailableError


def _not_found(complaint: Complaint, endpoint: str) -> type[StoriesError]:
    if not complaint:  # a page of somebody between us and the API
        return ApiUnavailableError
    if complaint.name in BY_NAME:
        return BY_NAME[complaint.name]
    if not complaint.name and complaint.message == "Not Found":
        return ApiRefusedError  # FastAPI: no such path
    if endpoint not in ABOUT_PROFILE:
        return StoryGoneError
    is_empty = complaint.name == "NotFoundError" or complaint.message == "Entries not found"
    is_list = endpoint != Endpoint.USER_BY_USERNAME
    return NoStoriesError if is_empty and is_list else ProfileNotFoundError


def _billed(status: int, headers: Mapping[str, str], body: bytes, nominal: int) -> int | None:
    """Return the credits of an answer; None, which counts as spent, where nobody knows."""
    if status >= 500 or status in FREE_CLIENT_ERRORS:  # noqa: PLR2004 - x-hiker-info is nominal here
        return 0
    if status == 403 and body.lstrip().startswith(b"error code:"):  # noqa: PLR2004 - the edge's refusal
        return 0
    told = credits_in(headers)
    if told is not None:
        return told
    return nominal if status in BILLED else None


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds of ``Retry-After`` (a number or a date), within 0 to 300."""
    raw = headers.get("Retry-After", "").strip()
    if not raw:
        return None
    try:
        seconds = float(raw)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(raw) - now).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT) if seconds == seconds else None  # noqa: PLR0124 - not NaN
