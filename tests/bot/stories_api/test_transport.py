"""Wire faults, redirects, retries, outages, the key: what a billed API needs of a client."""

import asyncio
import gzip
import json
import socket
import struct
import time
import tracemalloc
from collections.abc import Callable
from functools import cache
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from bot.domain.errors import ApiUnavailableError, BotError, OutOfServiceError, StoriesError
from bot.media.spool import Spool
from bot.runtime.metrics import Metrics
from bot.stories_api.client import StoriesApi
from tests.bot.stories_api.server import KEY, Answerer, Server, api_at, response, says, serving
from tests.support.followed import DATED

STORIES = Path("tests/data/stories/user_stories.json").read_bytes()
STORY = json.dumps(json.loads(STORIES)[0]).encode()
GOOD = response(200, STORY, {"x-hiker-info": "reqs=1"})
MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(20_000)


def reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def after(head: bytes, then: Callable[[asyncio.StreamWriter], None]) -> Answerer:
    async def answer(_: Server, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        await writer.drain()
        then(writer)

    return answer


def dripping(head: bytes, piece: bytes, pause: float) -> Answerer:
    async def answer(_: Server, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return answer


def files_in(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))


async def silence(_: Server, writer: asyncio.StreamWriter) -> None:
    await writer.drain()
    await asyncio.sleep(60)


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
)
GZIP = {"Content-Encoding": "gzip"}


@cache
def bomb_response() -> bytes:
    """Return 200 MB of zeros, compressed. Compression takes a second, so it waits for its test."""
    return response(200, gzip.compress(bytes(200 * 2**20), 9), GZIP)


async def bomb(server: Server, writer: asyncio.StreamWriter) -> None:
    await says(bomb_response())(server, writer)


FAULTS: dict[str, Answerer] = {
    "reset before the answer": after(b"", reset),
    "closed before the answer": after(b"", lambda _: None),
    "reset in the head": after(b"HTTP/1.1 200 OK\r\nContent-Le", reset),
    "reset in the body": after(GOOD[: len(GOOD) // 2], reset),
    **{
        f"cut at {eighth}/8": after(GOOD[: -len(STORY) * eighth // 8], lambda _: None)
        for eighth in range(1, 8)
    },
    "length too long": says(response(200, STORY, length=len(STORY) + 100)),
    "length too short": says(response(200, STORY, length=len(STORY) - 100)),
    "length of 10 GiB": says(response(200, STORY, length=10 * 2**30)),
    "negative length": says(response(200, STORY, length=-5)),
    "chunk cut": after(CHUNKED + b"40\r\n{", lambda _: None),
    "chunk without a size": says(CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n"),
    "endless chunks": dripping(CHUNKED, b"8000\r\n" + b" " * 0x8000 + b"\r\n", 0),
    "bad gzip": says(response(200, STORY, GZIP)),
    "cut gzip": says(response(200, gzip.compress(STORY)[:-40], GZIP)),
    "gzip bomb": bomb,
    "20 kB header": says(response(200, STORY, {"X-Big": "x" * 20_000})),
    "garbage": says(b"\x16\x03\x01\x00nonsense\r\n\r\n"),
    "HTTP/0.9": says(STORY),
    "another protocol": says(b"SSH-2.0-OpenSSH\r\n\r\n"),
    "one byte in a while": dripping(response(200, b"", length=10_000), b" ", 0.05),
    "no answer at all": silence,
    "empty": says(response(200, b"")),
    "html": says(response(200, b"<html>", {"Content-Type": "text/html"})),
}
STALLING = {"endless chunks", "one byte in a while", "no answer at all"}
"""Faults that only the deadline of the client ends."""
CALLS = ("story", "stories", "download")


async def called(api: StoriesApi, call: str, folder: Path) -> object:
    if call == "download":
        with Spool(folder, limit=10**7) as spool:
            return await api.download(DATED, spool)
    return await getattr(api, call)("1")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", list(FAULTS))
async def test_a_wire_fault_is_one_typed_error_in_time_and_is_not_asked_again(
    name: str, call: str, tmp_path: Path
) -> None:
    deadline = 0.6 if name in STALLING else 60.0
    deadlines = {"deadline": deadline, "download_deadline": deadline}
    started = time.monotonic()
    async with serving(FAULTS[name]) as server, api_at(server.url, **deadlines) as api:
        with pytest.raises(BotError) as caught:
            await called(api, call, tmp_path)
        if name in STALLING:
            # On a busy machine, the deadline may pass before the first byte.
            assert server.count <= 1
        else:
            assert server.count == 1
    assert time.monotonic() - started < 60
    assert KEY not in repr(caught.value)
    if isinstance(caught.value, StoriesError):
        assert caught.value.credits != 0  # it may have been billed
    assert not files_in(tmp_path)


async def test_a_bomb_is_not_unfolded() -> None:
    tracemalloc.start()
    try:
        async with serving(FAULTS["gzip bomb"]) as server, api_at(server.url) as api:
            tracemalloc.reset_peak()
            with pytest.raises(ApiUnavailableError):
                await api.story("1")
            assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


async def test_a_whole_answer_is_a_story_with_its_price() -> None:
    async with serving(says(GOOD)) as server, api_at(server.url) as api:
        answer = await api.story("3870828041672894129")
    assert (answer.credits, answer.value.pk) == (1, "3870828041672894129")
    head = server.requests[0]
    assert head.startswith("GET /v1/story/by/id?id=3870828041672894129 ")
    assert f"x-access-key: {KEY}" in head
    assert "force" not in head


async def test_an_http_client_that_repeats_by_itself_is_stopped() -> None:
    """The HTTP client sends a GET twice when the connection breaks; both may be billed."""
    async with serving(after(b"", reset)) as server:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientError):
                await session.get(server.url)
        assert server.count == 2  # the habit that is undone below
        async with api_at(server.url) as api:
            with pytest.raises(ApiUnavailableError):
                await api.story("1")
        assert server.count == 3


# --- what may be asked again --------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 503, 504])
async def test_what_was_not_billed_is_asked_again(status: int) -> None:
    bad = response(status, b"{}", {"Retry-After": "0"})
    async with serving(says(bad, GOOD)) as server, api_at(server.url) as api:
        assert (await api.story("1")).credits == 1
        assert server.count == 2


async def test_two_tries_are_the_most() -> None:
    bad = response(500, b"{}", {"Retry-After": "0"})
    async with serving(says(bad)) as server, api_at(server.url) as api:
        with pytest.raises(ApiUnavailableError) as caught:
            await api.story("1")
        assert server.count == 2
    assert caught.value.credits == 0


async def test_a_refused_connection_is_tried_again_and_costs_nothing() -> None:
    async with serving(says(GOOD)) as server:
        url = server.url
    metrics = Metrics()
    async with api_at(url, metrics=metrics) as api:  # nobody listens there any more
        with pytest.raises(ApiUnavailableError) as caught:
            await api.story("1")
    assert caught.value.credits == 0
    labels = {"endpoint": "/v1/story/by/id", "outcome": "ApiUnavailableError"}
    assert metrics.registry.get_sample_value("api_requests_total", labels) == 2


@pytest.mark.parametrize("wait", ["60", "1000000000"])
async def test_a_429_holds_everybody_for_as_long_as_it_says(wait: str) -> None:
    async with (
        serving(says(response(429, b"{}", {"Retry-After": wait}))) as server,
        api_at(server.url) as api,
    ):
        for billed in (None, 0, 0, 0, 0):  # the others are not even asked
            with pytest.raises(ApiUnavailableError) as caught:
                await api.story("1")
            assert caught.value.credits == billed
        assert server.count == 1


async def test_calls_are_paced(tmp_path: Path) -> None:
    async with serving(says(GOOD)) as server, api_at(server.url, rate=50.0) as api:
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(11):
                group.create_task(called(api, "story", tmp_path))
        assert time.monotonic() - started >= 10 / 50


# --- outages and the stop ------------------------------------------------------------------------


async def test_an_outage_ends_with_the_first_answer_and_is_nobodys_fault() -> None:
    answers = {"now": response(500)}

    async def answer(_: Server, writer: asyncio.StreamWriter) -> None:
        writer.write(answers["now"])

    async with serving(answer) as server, api_at(server.url, clock=lambda: 0.0) as api:
        for n in range(3):
            assert not api.is_failing
            with pytest.raises(ApiUnavailableError):
                await api.story(str(n))
        assert api.is_failing
        answers["now"] = GOOD
        await api.story("1")
        assert not api.is_failing


async def test_one_sick_subject_costs_nothing_and_harms_no_other() -> None:
    async def answer(server: Server, writer: asyncio.StreamWriter) -> None:
        writer.write(response(500) if "id=666" in server.requests[-1] else GOOD)

    async with serving(answer) as server, api_at(server.url) as api:
        for _ in range(5):
            with pytest.raises(ApiUnavailableError) as caught:
                await api.story("666")
            assert caught.value.credits == 0
        assert not api.is_failing
        await api.story("1")


@pytest.mark.parametrize("status", [401, 402])
async def test_a_bad_key_or_an_empty_account_stops_paid_calls_at_once(status: int) -> None:
    told: list[OutOfServiceError] = []

    async def tell(error: OutOfServiceError) -> None:
        told.append(error)

    answers = {"story": response(status), "balance": response(status)}

    async def answer(server: Server, writer: asyncio.StreamWriter) -> None:
        writer.write(answers["balance" if "/sys/" in server.requests[-1] else "story"])

    async with serving(answer) as server, api_at(server.url, on_out_of_service=tell) as api:
        for _ in range(20):
            with pytest.raises(OutOfServiceError) as caught:
                await api.story("1")
            assert caught.value.credits == 0
        assert server.count == 1
        assert len(told) == 1
        with pytest.raises(OutOfServiceError):
            await api.fetch_balance_and_resume()
        answers["balance"] = response(200, b'{"requests": 0, "rate": 15}')
        await api.fetch_balance_and_resume()
        with pytest.raises(OutOfServiceError):
            await api.story("1")
        answers.update(
            balance=response(200, b'{"requests": 100, "rate": 1000, "amount": 0.1}'), story=GOOD
        )
        assert (await api.fetch_balance_and_resume()).credits == 100
        assert api.is_in_service
        await api.story("1")
        answers["story"] = response(402)
        with pytest.raises(OutOfServiceError):
            await api.story("1")
        assert len(told) == 2


# --- the key -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["http", "ip", "login", "port", "relative-host"])
async def test_the_key_goes_to_one_origin_only(status: int, target: str) -> None:
    async with serving(says(GOOD)) as thief:
        port = thief.url.rpartition(":")[2]
        location = {
            "http": f"http://localhost:{port}/v1/story/by/id",
            "ip": f"http://[::ffff:127.0.0.1]:{port}/x",
            "login": f"http://user:pass@127.0.0.1:{port}/x",
            "port": f"{thief.url}/v1/story/by/id?id=1",
            "relative-host": f"//127.0.0.1:{port}/x",
        }[target]
        bad = response(status, b"", {"Location": location})
        async with serving(says(bad)) as server, api_at(server.url) as api:
            with pytest.raises(ApiUnavailableError) as caught:
                await api.story("1")
        assert server.count == 1
        assert thief.count == 0
        assert caught.value.credits == 1  # nobody knows better


async def test_a_redirect_at_home_is_not_followed_as_each_hop_may_be_billed() -> None:
    moved = response(307, b"", {"Location": "/v1/story/by/id/?id=1"})
    async with serving(says(moved, GOOD)) as server, api_at(server.url) as api:
        with pytest.raises(ApiUnavailableError) as caught:
            await api.story("1")
        assert server.count == caught.value.credits == 1


async def test_no_error_and_no_part_shows_the_key() -> None:
    session = aiohttp.ClientSession()
    api = StoriesApi(
        session,
        url="http://127.0.0.1:9",
        key=SecretStr(KEY),
        deadline=1,
        jitter=lambda low, _high: low,
    )
    with pytest.raises(ApiUnavailableError) as caught:
        await api.story("1")
    await session.close()
    chain: BaseException | None = caught.value
    while chain is not None:
        assert KEY not in repr(chain) + str(chain)
        chain = chain.__cause__ or chain.__context__
    assert KEY not in repr(api) + repr(vars(api.transport))
