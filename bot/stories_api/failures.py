"""The classification of failed answers: the error to raise, and the billed credits.

The API has five formats of error bodies. For some statuses, the body also selects the class of
error.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from bot.domain.errors import (
    ApiRefusedError,
    ApiUnavailableError,
    HighlightGoneError,
    HighlightsUnavailableError,
    NoStoriesError,
    NoSuchProfileError,
    OutOfServiceError,
    ProfilePrivateError,
    ProfileUnavailableError,
    StoriesError,
    StoryGoneError,
)
from bot.domain.model import Unknown
from bot.stories_api.endpoints import Endpoint
from bot.stories_api.response import (
    Complaint,
    MalformedBodyError,
    complaint_in,
    decode_json,
)

_BILLED = frozenset({200, 400, 403, 404, 422})
# Statuses of calls that cost 0 credits. The API's documentation promises this only for 500, 503
# and 504. Free 429 responses were observed, but are not documented, so 429 is not in this set.
_FREE = frozenset({401, 402, 410, 500, 503, 504})
_AGAIN = frozenset({500, 503, 504})
_LONGEST_WAIT = 300.0  # maximum seconds that the bot waits because of a header Retry-After
TOO_MANY = 429
_INTERNAL = 500

_LISTS = frozenset(
    {Endpoint.USER_STORIES, Endpoint.USER_STORIES_BY_USERNAME, Endpoint.USER_HIGHLIGHTS}
)
_ABOUT_PROFILE = _LISTS | {Endpoint.USER_BY_USERNAME}
_HIGHLIGHTS = frozenset({Endpoint.USER_HIGHLIGHTS, Endpoint.HIGHLIGHT_BY_URL})
_NONE_NOW = frozenset({"NotFoundError", "StoryNotFound", "MediaNotFound", "HighlightNotFound"})
_PRIVATE = re.compile(r"privacy settings|private account|account is private", re.IGNORECASE)
_BY_NAME: Mapping[str, type[StoriesError]] = {
    "UserNotFound": NoSuchProfileError,
    "AccountNotFound": NoSuchProfileError,
    "PrivateAccount": ProfilePrivateError,
    "StoryNotFound": StoryGoneError,
    "MediaNotFound": StoryGoneError,
    "MediaUnavailable": StoryGoneError,
    "InsufficientFunds": OutOfServiceError,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call. If ``again`` is True, the call was free and may be retried.

    ``after`` is the wait before the retry in seconds, or None. ``status`` is the HTTP status, 429
    if the bot's own rate limit allowed no request, or 0 without a readable answer.
    """

    error: StoriesError
    again: bool = False
    after: float | None = None
    status: int = 0
    is_local: bool = False  # whether this machine could not send the request

    @property
    def is_outage(self) -> bool:
        """Return whether the failure may affect the whole API.

        Only an ``ApiUnavailableError`` can affect the whole API. A failure because of a single
        profile, the rate limit or this machine does not count.
        """
        if self.is_local:
            return False
        is_failure = isinstance(self.error, ApiUnavailableError) and self.status != TOO_MANY
        return is_failure and not isinstance(self.error, ProfileUnavailableError)


def failure_of(
    status: int,
    headers: Mapping[str, str],
    body: bytes | None,
    *,
    endpoint: str,
    price: int,
    now: datetime,
    subject: str = "",
) -> Failure:
    """Return the failure that an error answer describes.

    ``price`` is the cost in credits if the call is billed. ``subject`` is the requested username.
    ``body`` is None if the body could not be read.
    """
    try:
        complaint = complaint_in(decode_json(body or b"")) or Complaint()
    except MalformedBodyError:
        complaint = Complaint()
    kind = _error_type(status, complaint, endpoint)
    error = kind(
        f"{endpoint}: {status} {complaint.name} {complaint.message}".rstrip(),
        credits=_billed_credits(status, body, price),
    )
    error.set_missing_username(subject)
    if isinstance(error, ApiUnavailableError) and status == _INTERNAL and complaint:
        error.may_be_account = True
    return Failure(error, status in _AGAIN, retry_after_s(headers, now), status)


def _error_type(status: int, complaint: Complaint, endpoint: str) -> type[StoriesError]:  # noqa: PLR0911 - a table
    if status in {401, 402}:
        return OutOfServiceError
    if status in {408, 425, 429} or status >= 500:  # noqa: PLR2004 - HTTP's classes
        return ApiUnavailableError
    if status == 403 and not complaint:  # noqa: PLR2004 - the edge proxy sends this status, not the API
        return ApiUnavailableError
    if status == 404 or complaint.name == "NotFoundError":  # noqa: PLR2004
        return _error_type_of_404(complaint, endpoint)
    if complaint.name in _BY_NAME:
        return _BY_NAME[complaint.name]
    if status == 403:  # noqa: PLR2004 - Instagram causes this status by a login wall, gate or throttle
        return (
            ProfilePrivateError if _PRIVATE.search(complaint.message) else ProfileUnavailableError
        )
    if 400 <= status < 500:  # noqa: PLR2004
        return ApiRefusedError
    return ApiUnavailableError


def _error_type_of_404(complaint: Complaint, endpoint: str) -> type[StoriesError]:
    if not complaint:  # the body is from a proxy in front of the API
        return ApiUnavailableError
    is_empty = complaint.name in _NONE_NOW or complaint.message == "Entries not found"
    if endpoint in _LISTS and is_empty:
        return NoStoriesError
    if not complaint.name and complaint.message == "Not Found":
        # FastAPI, the framework of the API, sends this message for an unknown path. Perhaps the
        # plan of the API key does not include the path.
        return HighlightsUnavailableError if endpoint in _HIGHLIGHTS else ApiRefusedError
    if endpoint == Endpoint.HIGHLIGHT_BY_URL:
        return HighlightGoneError
    return NoSuchProfileError if endpoint in _ABOUT_PROFILE else StoryGoneError


def _billed_credits(status: int, body: bytes | None, price: int) -> int | Unknown:
    """Return the credits billed for a failed call, or None if the credits are unknown.

    Unknown credits count as spent, because a page of a proxy in front of the API (502, 520) may
    hide an answer that was billed.
    """
    if status in _FREE or (status in {403, 404} and _is_proxy_page(body)):
        return 0
    return price if status in _BILLED else None


def _is_proxy_page(body: bytes | None) -> bool:
    """Return whether a proxy in front of the API wrote the body.

    Such a body is a web page, or a short error text.
    """
    begin = (body or b"")[:64].lstrip().lower()
    return begin.startswith((b"<!doctype html", b"<html", b"error code:"))


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds in the header ``Retry-After``, from 0 to 300.

    Return None if the header is missing or invalid. The header contains a number of seconds or a
    date.
    """
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
    return min(max(seconds, 0.0), _LONGEST_WAIT) if seconds == seconds else None  # noqa: PLR0124 - not NaN
