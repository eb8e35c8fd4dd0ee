"""What an answer means that does not bring what was asked for: which error, and its price.

Pure. The API has five shapes of error body; the status decides, ``exc_type`` only refines.
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
from bot.stories_api.endpoints import Endpoint
from bot.stories_api.response import (
    Complaint,
    NonsenseError,
    complaint_in,
    decode_json,
)

_BILLED = frozenset({200, 400, 403, 404, 422})
# Promised for 500, 503 and 504. Of all others, as of 429, nobody has said that they are free.
_FREE = frozenset({401, 402, 410, 500, 503, 504})
_AGAIN = frozenset({500, 503, 504})
_LONGEST_WAIT = 300.0  # seconds of a Retry-After that we honour
TOO_MANY = 429

_LISTS = frozenset({Endpoint.USER_STORIES, Endpoint.USER_HIGHLIGHTS})
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
    """An error; ``again``: it was free, so ask once more, ``after`` so many seconds if told."""

    error: StoriesError
    again: bool = False
    after: float | None = None
    status: int = 0
    is_local: bool = False  # the request could not leave this machine

    @property
    def is_outage(self) -> bool:
        """Return whether the whole API may be failing, which a 403 in its own words denies."""
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
    """Return what an answer with ``status``, or a 200 that complains, means.

    ``price`` is what it cost, if it was billed; ``subject`` is the name that was asked about.
    ``body`` is None where it could not be read.
    """
    try:
        complaint = complaint_in(decode_json(body or b"")) or Complaint()
    except NonsenseError:
        complaint = Complaint()
    kind = _error_type(status, complaint, endpoint)
    error = kind(
        f"{endpoint}: {status} {complaint.name} {complaint.message}".rstrip(),
        credits=_billed_credits(status, body, price),
    )
    error.name_account(subject)
    return Failure(error, status in _AGAIN, retry_after(headers, now), status)


def _error_type(status: int, complaint: Complaint, endpoint: str) -> type[StoriesError]:  # noqa: PLR0911 - a table
    if status in {401, 402}:
        return OutOfServiceError
    if status in {408, 425, 429} or status >= 500:  # noqa: PLR2004 - HTTP's classes
        return ApiUnavailableError
    if status == 403 and not complaint:  # noqa: PLR2004 - the edge speaks, not the API
        return ApiUnavailableError
    if status == 404 or complaint.name == "NotFoundError":  # noqa: PLR2004
        return _error_type_of_404(complaint, endpoint)
    if complaint.name in _BY_NAME:
        return _BY_NAME[complaint.name]
    if status == 403:  # noqa: PLR2004 - Instagram's own: walled, gated or throttled
        return (
            ProfilePrivateError if _PRIVATE.search(complaint.message) else ProfileUnavailableError
        )
    if 400 <= status < 500:  # noqa: PLR2004
        return ApiRefusedError
    return ApiUnavailableError


def _error_type_of_404(complaint: Complaint, endpoint: str) -> type[StoriesError]:
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
    return NoSuchProfileError if endpoint in _ABOUT_PROFILE else StoryGoneError


def _billed_credits(status: int, body: bytes | None, price: int) -> int | None:
    """Return the credits of an answer; None, which counts until the balance tells, if unknown.

    What is free costs nothing, whatever its header says, and so do the edge's pages, but where
    they stand for an answer of the API that may have been billed (502, 520).
    """
    if status in _FREE or (status in {403, 404} and _is_edge_page(body)):
        return 0
    return price if status in _BILLED else None


def _is_edge_page(body: bytes | None) -> bool:
    """Return whether a proxy before the API wrote this: a web page, or its short text."""
    begin = (body or b"")[:64].lstrip().lower()
    return begin.startswith((b"<!doctype html", b"<html", b"error code:"))


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
