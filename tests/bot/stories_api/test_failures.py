"""Every status with every shape of body: one typed outcome each, billed as the table says."""

import itertools
import json
from datetime import UTC, datetime

import pytest

from bot.domain.errors import (
    ApiRefusedError,
    ApiUnavailableError,
    NoStoriesError,
    NoSuchProfileError,
    OutOfServiceError,
    ProfilePrivateError,
    ProfileUnavailableError,
    StoriesError,
    StoryGoneError,
)
from bot.stories_api.endpoints import Endpoint
from bot.stories_api.failures import Failure, failure_of, retry_after_s
from bot.stories_api.response import complaint_in
from tests.bot.stories_api.server import api_at, response, says, serving

NOW = datetime(2026, 4, 8, 15, 0, tzinfo=UTC)
STATUSES = (
    *(200, 201, 301, 307, 400, 401, 402, 403, 404, 405, 408, 410, 418, 422, 425, 429, 430),
    *(500, 502, 503, 504, 520, 522),
)
BODIES = {
    "A": {"detail": "User not found", "exc_type": "UserNotFound"},
    "A private": {"detail": "User hid data", "exc_type": "PrivateAccount"},
    "A unknown": {"detail": "Something new", "exc_type": "BrandNewError"},
    "B": {"state": False, "error": "Top up your account", "exc_type": "InsufficientFunds"},
    "C": {"detail": [{"loc": ["query", "id"], "msg": "field required", "type": "missing"}]},
    "D": {"detail": "Not Found"},
    "F": {"detail": "Not found", "exc_type": "MediaNotFound", "hint": "try another"},
}
RAW = {
    **{name: json.dumps(body).encode() for name, body in BODIES.items()},
    "E edge": b"error code: 1010",
    "E html": b"<html><body>502 Bad Gateway</body></html>",
    "forbidden": b'{"detail": "403 Client Error", "exc_type": "ClientForbiddenError"}',
    "login": b'{"detail": "login_required", "exc_type": "ClientLoginRequired"}',
    "wait": b'{"detail": "Please wait a few minutes", "exc_type": "PleaseWaitFewMinutes"}',
    "nameless": b'{"detail": "Forbidden"}',
    "private in words": b'{"detail": "This account is private"}',
    "empty": b"",
    "number": b"17",
    "list": b"[[1]]",
    "null": b"null",
    "cut": b'{"detail": "User no',
}
FREE = {401, 402, 410, 500, 503, 504}
AGAIN = {500, 503, 504}
BILLED = {200, 400, 403, 404, 422}


def failure(status: int, body: bytes, endpoint: str = Endpoint.USER_STORIES) -> Failure:
    return failure_of(status, {}, body, endpoint=endpoint, price=2, now=NOW, subject="natgeo")


@pytest.mark.parametrize(("status", "name"), list(itertools.product(STATUSES, RAW)))
def test_each_cell_is_one_typed_failure(status: int, name: str) -> None:
    found = failure(status, RAW[name])
    assert isinstance(found.error, StoriesError)
    assert found.again is (status in AGAIN)
    if status in {401, 402}:
        assert type(found.error) is OutOfServiceError
    elif status >= 500 or status in {408, 425, 429}:
        assert type(found.error) is ApiUnavailableError
    is_edge = name.startswith("E ") and status in {403, 404}
    if status in FREE or is_edge:
        assert found.error.credits == 0
    elif status in BILLED:
        assert found.error.credits == 2
    else:
        assert found.error.credits is None  # nobody knows: it counts as spent
    assert not (found.again and found.error.credits)  # nothing that is billed is asked again


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (400, "A unknown", ApiRefusedError),
        (400, "C", ApiRefusedError),
        (403, "A private", ProfilePrivateError),
        (403, "A unknown", ProfileUnavailableError),
        (403, "forbidden", ProfileUnavailableError),
        (403, "login", ProfileUnavailableError),
        (403, "wait", ProfileUnavailableError),
        (403, "nameless", ProfileUnavailableError),
        (403, "private in words", ProfilePrivateError),
        (403, "E edge", ApiUnavailableError),
        (403, "E html", ApiUnavailableError),
        (403, "empty", ApiUnavailableError),
        (404, "A", NoSuchProfileError),
        (404, "A unknown", NoSuchProfileError),
        (404, "F", NoStoriesError),
        (404, "D", ApiRefusedError),
        (404, "E html", ApiUnavailableError),
        (405, "D", ApiRefusedError),
        (410, "A unknown", ApiRefusedError),
        (422, "C", ApiRefusedError),
        (200, "A", NoSuchProfileError),
        (200, "A private", ProfilePrivateError),
        (200, "B", OutOfServiceError),
        (200, "A unknown", ApiUnavailableError),
    ],
)
def test_status_first_then_the_body(status: int, name: str, kind: type[StoriesError]) -> None:
    assert type(failure(status, RAW[name]).error) is kind


@pytest.mark.parametrize(
    ("endpoint", "body", "kind"),
    [
        (Endpoint.STORY_BY_ID, {"detail": "x", "exc_type": "StoryNotFound"}, StoryGoneError),
        (Endpoint.STORY_BY_URL, {"detail": "Media gone"}, StoryGoneError),
        (Endpoint.DOWNLOAD, {"detail": "x", "exc_type": "MediaNotFound"}, StoryGoneError),
        (Endpoint.USER_STORIES, {"detail": "Entries not found"}, NoStoriesError),
        (Endpoint.USER_STORIES, {"detail": "x", "exc_type": "NotFoundError"}, NoStoriesError),
        (Endpoint.USER_STORIES, {"detail": "x", "exc_type": "StoryNotFound"}, NoStoriesError),
        (Endpoint.STORY_BY_ID, {"detail": "x", "exc_type": "UserNotFound"}, StoryGoneError),
        (
            Endpoint.USER_BY_USERNAME,
            {"detail": "x", "exc_type": "NotFoundError"},
            NoSuchProfileError,
        ),
    ],
)
def test_not_found_means_what_was_asked_for(
    endpoint: Endpoint, body: dict[str, str], kind: type[StoriesError]
) -> None:
    assert type(failure(404, json.dumps(body).encode(), endpoint).error) is kind


def test_the_price_that_the_answer_names_counts_where_it_was_billed() -> None:
    def billed(status: int) -> int | None:
        found = failure_of(status, {}, RAW["A"], endpoint="/x", price=3, now=NOW)
        return found.error.credits

    assert billed(404) == 3
    assert billed(503) == 0  # nominal there, says the API
    assert billed(418) is None
    assert billed(502) is None


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("1000000000", 300.0),
        ("1e400", 300.0),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Wed, 08 Apr 2026 15:00:10 GMT", 10.0),
        ("Wed, 08 Apr 2026 14:00:00 GMT", 0.0),
        ("Wed, 99 Apr 2026 14:00:00 GMT", None),
    ],
)
def test_retry_after_is_a_wait_of_0_to_300_seconds(raw: str, seconds: float | None) -> None:
    assert retry_after_s({"Retry-After": raw}, NOW) == seconds


def test_a_story_is_no_complaint() -> None:
    assert complaint_in({"pk": "1", "detail": "x"}) is None
    assert complaint_in([{"exc_type": "x"}]) is None
    assert complaint_in({"url": "https://x"}) is None


@pytest.mark.parametrize("name", list(RAW))
async def test_the_adapter_gives_the_same_cells_over_the_wire(name: str) -> None:
    for status in (400, 403, 404, 422, 500, 418, 200):
        async with serving(says(response(status, RAW[name]))) as server, api_at(server.url) as api:
            with pytest.raises(StoriesError) as caught:
                await api.story("787132")
            assert server.count == (2 if status == 500 else 1), status
            expected = failure(status, RAW[name], Endpoint.STORY_BY_ID).error.credits
            assert caught.value.credits == (1 if expected == 2 else expected)
