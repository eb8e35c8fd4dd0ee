"""A body off the wire: its bytes are counted, its nonsense is one error, its bill is read."""

import asyncio
import json

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.stories_api.response import (
    CHUNK,
    MalformedBodyError,
    billed_credits_in,
    decode_json,
    read_body,
    without_unstorable_characters,
)
from tests.bot.stories_api.server import Answerer, Server, response, says, serving

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_json_comes_back_with_or_without_a_mark(value: object) -> None:
    body = json.dumps(value).encode()
    assert decode_json(body) == decode_json(b"\xef\xbb\xbf" + body) == value


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b'{"a": 1', b"[1] [2]", b"<html>", b"'a'"),
        *(b"NaN", b"[Infinity]", b"-Infinity", b'"\xff"', b"1" * 5000, b"[" * 100_000),
    ],
    ids=lambda body: repr(body[:12]),
)
def test_nonsense_is_one_error_that_shows_nothing_of_it(body: bytes) -> None:
    with pytest.raises(MalformedBodyError) as caught:
        decode_json(body)
    assert str(caught.value).endswith("Error")
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("told", "billed"),
    [
        ("reqs=2", 2),
        ('{"reqs": 3, "left": 9}', 3),
        ("left=7; reqs: 1", 1),
        ("reqs=0", 0),
        ("", None),
        ("requests=4", None),
        ("reqs=", None),
        ("reqs=-1", None),
        ("reqs=1e309", None),
        ("reqs=0x2", None),
        ("reqs=1.9", None),
        ("total_reqs=900; reqs=2", 2),
        ("reqs=00000002", 2),
        ("reqs=" + "9" * 5_000, 999_999_999),
    ],
)
def test_the_bill_is_told_or_nobody_knows(told: str, billed: int | None) -> None:
    assert billed_credits_in({"x-hiker-info": told}) == billed
    assert billed_credits_in({}) is None


@given(st.text(st.characters(exclude_categories=())))
def test_clean_text_can_be_stored_and_nothing_else_is_lost(text: str) -> None:
    cleaned = without_unstorable_characters(text)
    cleaned.encode()
    assert cleaned == "".join(c for c in text if c != "\x00" and not "\ud800" <= c <= "\udfff")


async def body_of(answer: Answerer, budget: int) -> bytes:
    async with (
        serving(answer) as server,
        aiohttp.ClientSession() as session,
        session.get(server.url) as got,
    ):
        return await read_body(got, budget)


async def test_a_body_may_be_as_long_as_its_budget() -> None:
    body = bytes(2 * CHUNK)
    assert await body_of(says(response(200, body)), len(body)) == body
    with pytest.raises(MalformedBodyError, match="too long"):
        await body_of(says(response(200, body)), len(body) - 1)


async def test_a_body_without_an_end_is_left_at_its_budget() -> None:
    written = 0

    async def pour(_: Server, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(bytes(CHUNK))
            written += CHUNK
            await writer.drain()

    with pytest.raises(MalformedBodyError, match="too long"):
        await body_of(pour, 10 * CHUNK)
    assert written > 10 * CHUNK
