"""What an answer that is not the wanted one means: status first, then the body, leniently.

Pure. Five shapes of error body are about; the status decides, ``exc_type`` only refines.
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
    OutOfServiceError,
    ProfileNotFoundError,
    ProfilePrivateError,
    ProfileUnavailableError,
    StoriesError,
    StoryGoneError,
)
from bot.stories_api.endpoints import Endpoint
from bot.stories_api.response import (
    OK,
    Complaint,
    NonsenseError,
    complaint_in,
    credits_in,
    decode,
)

_BILLED = frozenset({200, 400, 403, 404, 422})
_FREE_CLIENT_ERRORS = frozenset({401, 402, 408, 410, 429})
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})  # nothing was billed
_LONGEST_WAIT = 300.0  # seconds of a Retry-After that we honour
TOO_MANY = 429

_LISTS = frozenset({Endpoint.USER_STORIES, Endpoint.USER_HIGHLIGHTS})
_ABOUT_PROFILE = _LISTS | {Endpoint.USER_BY_USERNAME}
_HIGHLIGHTS = frozenset({Endpoint.USER_HIGHLIGHTS, Endpoint.HIGHLIGHT_BY_URL})
_NONE_NOW = frozenset({"NotFoundError", "StoryNotFound", "MediaNotFound", "HighlightNotFound"})
_PRIVATE = re.compile(r"privacy settings|private account|account is private", re.IGNORECASE)
_BY_NAME: Mapping[str, type[StoriesError]] = {
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
    at_edge: bool = False
    """What stands before the API answered, or nobody: it was not asked and billed nothing."""

    @property
    def is_the_subjects(self) -> bool:
        """Return whether the API was asked and could not answer, perhaps for this subject only."""
        is_failure = isinstance(self.error, ApiUnavailableError) and self.status != TOO_MANY
        return is_failure and not self.at_edge

    @property
    def is_outage(self) -> bool:
        """Return whether it may be one of the whole API, which a 403 in its own words is not."""
        is_failure = isinstance(self.error, ApiUnavailableError) and self.status != TOO_MANY
        return is_failure and not isinstance(self.error, ProfileUnavailableError)


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
        credits=_billed(status, headers, body, complaint, nominal),
    )
    error.about(subject)
    after = retry_after(headers, now)
    at_edge = _is_edge_page(body) or (status in {403, 404} and not complaint)
    return Failure(
        error, again=status in _AGAIN, after=after, status=status, at_edge=at_edge and status != OK
    )


def _kind(status: int, complaint: Complaint, endpoint: str) -> type[StoriesError]:  # noqa: PLR0911 - a table
    if status in {401, 402}:
        return OutOfServiceError
    if status in {408, 425, 429} or status >= 500:  # noqa: PLR2004 - HTTP's classes
        return ApiUnavailableError
    if status == 403 and not complaint:  # noqa: PLR2004 - the edge speaks, not the API
        return ApiUnavailableError
    if status == 404 or complaint.name == "NotFoundError":  # noqa: PLR2004
        return _of_404(complaint, endpoint)
    if complaint.name in _BY_NAME:
        return _BY_NAME[complaint.name]
    if status == 403:  # noqa: PLR2004 - Instagram's own: walled, gated or throttled
        return (
            ProfilePrivateError if _PRIVATE.search(complaint.message) else ProfileUnavailableError
        )
    if 400 <= status < 500:  # noqa: PLR2004
        return ApiRefusedError
    return ApiUnavailableError


def _of_404(complaint: Complaint, endpoint: str) -> type[StoriesError]:
    if not complaint:  # a page of somebody between us and the API
        return ApiUnavailableError
    is_empty = complaint.name in _NONE_NOW or complaint.message == "Entries not found"
    if endpoint in _LISTS and is_empty:
        return NoStoriesError
    if not complaint.name and complaint.message == "Not Found":
        # FastAPI: no such path, which the key's plan may not have.
        return HighlightsUnavailableError if endpoint in _HIGHLIGHTS else ApiRefusedError
    if endpoint == Endpoint.HIGHLIGHT_BY_URL:
        return HighlightGoneError
    return ProfileNotFoundError if endpoint in _ABOUT_PROFILE else StoryGoneError


def _billed(
    status: int, headers: Mapping[str, str], body: bytes, complaint: Complaint, nominal: int
) -> int | None:
    """Return the credits of an answer; None, which counts as spent, where nobody knows.

    The edge's pages and 5xx cost nothing, whatever their headers say; an answer that is not the
    API's and names no price was not billed by it. The balance tells if that is wrong.
    """
    if status >= 500 or status in _FREE_CLIENT_ERRORS:  # noqa: PLR2004 - x-hiker-info is nominal here
        return 0
    if status != OK and _is_edge_page(body):
        return 0
    stated = credits_in(headers)
    if stated is not None:
        return stated
    if status in {403, 404} and not complaint:
        return 0
    return nominal if status in _BILLED else None


def _is_edge_page(body: bytes) -> bool:
    """Return whether what stands before the API wrote this: a web page, or its short text."""
    return body[:64].lstrip().lower().startswith((b"<!doctype html", b"<html", b"error code:"))


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
    return min(max(seconds, 0.0), _LONGEST_WAIT) if seconds == seconds else None  # noqa: PLR0124 - not NaN
