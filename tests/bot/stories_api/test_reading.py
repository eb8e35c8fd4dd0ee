"""A good answer is JSON with a good status; of a bad one the bytes are enough that can be had."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from bot.stories_api.response import (
    ERROR_BUDGET,
    ComplainedError,
    MalformedBodyError,
    read_error_body,
    read_json,
)
from tests.bot.stories_api.server import response, says, serving

COMPLAINT = b'{"detail": "Media not found", "exc_type": "MediaNotFound"}'


@asynccontextmanager
async def answer(raw: bytes) -> AsyncIterator[aiohttp.ClientResponse]:
    async with (
        serving(says(raw)) as server,
        aiohttp.ClientSession() as session,
        session.get(server.url, allow_redirects=False) as got,
    ):
        yield got


async def test_a_good_answer_is_its_json() -> None:
    async with answer(response(200, b'[{"pk": 1}]')) as got:
        assert await read_json(got) == [{"pk": 1}]


@pytest.mark.parametrize("status", [201, 204, 301, 302])
async def test_another_status_is_no_answer_however_good_its_body(status: int) -> None:
    async with answer(response(status, b"" if status == 204 else b"[]")) as got:
        with pytest.raises(MalformedBodyError):
            await read_json(got)


async def test_a_complaint_under_a_status_200_keeps_its_body() -> None:
    async with answer(response(200, COMPLAINT)) as got:
        with pytest.raises(ComplainedError) as caught:
            await read_json(got)
    assert caught.value.body == COMPLAINT
    assert "Media" not in str(caught.value)


async def test_the_body_of_an_error_is_read() -> None:
    async with answer(response(404, COMPLAINT)) as got:
        assert await read_error_body(got) == COMPLAINT


@pytest.mark.parametrize(
    "raw",
    [response(500, bytes(ERROR_BUDGET + 1)), response(500, b"cut", length=90)],
    ids=["too long", "cut"],
)
async def test_an_error_whose_body_can_not_be_had_has_none(raw: bytes) -> None:
    async with answer(raw) as got:
        assert await read_error_body(got) is None
