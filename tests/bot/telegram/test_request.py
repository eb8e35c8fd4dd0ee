"""The transport against real sockets: what is sent, what is known, what is never shown."""

import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from telegram.error import BadRequest, ChatMigrated, InvalidToken, NetworkError, RetryAfter

from bot.runtime.metrics import Metrics
from bot.sending.items import input_file_opened_on_send
from bot.telegram.outcomes import demanded_wait
from bot.telegram.request import (
    AiohttpRequest,
    CutOffError,
    LateFloodError,
    NotSentError,
    Timeouts,
    UnknownOutcomeError,
)
from tests.support.telegram import TOKEN, bot_at

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
ME = {"id": 1, "is_bot": True, "first_name": "B", "username": "b"}


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    """Serve getMe, and ``answer`` for all else."""

    async def serve(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/getMe"):
            return web.json_response({"ok": True, "result": ME})
        return await answer(request)

    app = web.Application(client_max_size=2**30)
    app.router.add_route("*", "/{rest:.*}", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def saying(status: int, body: Any, headers: dict[str, str] | None = None) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=status, text=text, headers=headers)

    return answer


def refusal(status: int, text: str, **parameters: int) -> Answer:
    body = {"ok": False, "error_code": status, "description": text}
    return saying(status, body | ({"parameters": parameters} if parameters else {}))


async def error_of(answer: Answer, **options: Any) -> BaseException:
    """Return what a sendMessage raises; the token is nowhere in it."""
    async with server(answer) as url, bot_at(url, paced=False, **options) as bot:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - the caller looks at it
            await bot.send_message(1, "hi")
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert TOKEN not in shown
    return caught.value


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(400, "Bad Request: chat not found"), BadRequest),
        (refusal(401, "Unauthorized"), InvalidToken),
        (refusal(400, "x", migrate_to_chat_id=-5), ChatMigrated),
        (refusal(429, "Too Many Requests: retry after 7", retry_after=7), RetryAfter),
        (saying(429, "slow down", {"Retry-After": "7"}), RetryAfter),
        (saying(429, ""), RetryAfter),
        (saying(200, {"ok": False, "error_code": 400, "description": "no"}), BadRequest),
        (saying(200, {"ok": False}), UnknownOutcomeError),
        (saying(200, "<html>hello"), UnknownOutcomeError),
        (saying(200, "[" * 5000), UnknownOutcomeError),
        (saying(500, ""), UnknownOutcomeError),
        (saying(502, "<html>bad gateway"), UnknownOutcomeError),
        (saying(413, "Request Entity Too Large"), NetworkError),
    ],
)
async def test_answers_become_the_right_errors(answer: Answer, kind: type[Exception]) -> None:
    assert type(await error_of(answer)) is kind


async def test_a_flood_without_parameters_names_its_time() -> None:
    error = await error_of(saying(429, "slow down", {"Retry-After": "7"}))
    assert isinstance(error, RetryAfter)
    assert demanded_wait(error).total_seconds() == 7


@pytest.mark.jumps
@pytest.mark.parametrize(
    ("wait", "after_s", "kind"),
    [(8, 7.5, LateFloodError), (9, 7.5, RetryAfter), (8, 6.0, RetryAfter)],
)
async def test_a_short_flood_that_comes_late_has_an_unknown_outcome(
    wait: int, after_s: float, kind: type[Exception]
) -> None:
    async def late(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(after_s)
        said = {"ok": False, "description": "x", "parameters": {"retry_after": wait}}
        return web.json_response(said, status=429)

    error = await error_of(late)
    assert type(error) is kind
    assert isinstance(error, RetryAfter)
    assert demanded_wait(error).total_seconds() == wait


async def test_a_broken_or_missing_answer_is_unknown() -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        assert request.transport
        request.transport.abort()
        return web.Response()

    async def silent(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    assert type(await error_of(broken)) is UnknownOutcomeError
    assert type(await error_of(silent, timeouts=Timeouts(call=0.2))) is UnknownOutcomeError


async def test_nothing_sent_is_tried_once_more_and_then_known() -> None:
    async with server(saying(200, {})) as url:
        pass  # nobody listens there any more
    metrics = Metrics()
    request = AiohttpRequest(metrics=metrics)
    async with request:
        with pytest.raises(NotSentError) as caught:
            await request.post(f"{url}/bot{TOKEN}/sendMessage")
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert 'telegram_requests_total{outcome="not sent"} 2' in metrics.prometheus_text()


async def test_connections_are_used_again() -> None:
    seen: set[object] = set()

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.add(request.transport)
        return web.json_response({"ok": True, "result": True})

    async with server(answer) as url, bot_at(url, paced=False) as bot:
        for _ in range(20):
            await bot.delete_message(1, 2)
    assert len(seen) == 1


async def test_half_of_a_pair_of_surrogates_is_for_the_server_to_judge() -> None:
    got: list[Any] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        got.append(await request.json())
        return await refusal(400, "Bad Request: strings must be encoded in utf-8")(request)

    async with server(answer) as url, bot_at(url, paced=False) as bot:
        with pytest.raises(BadRequest, match="utf-8"):
            await bot.set_my_description("a\ud83d")
    assert got == [{"description": "a\ud83d"}]


async def test_uploads_stream_from_disk_and_are_opened_anew_for_a_retry(tmp_path: Path) -> None:
    big = tmp_path / "v.mp4"
    big.write_bytes(b"0123456789abcdef" * 2**16)
    got: list[Any] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.content_length
        form = await request.post()
        video = form["video"]
        assert isinstance(video, web.FileField)
        got.append((video.filename, video.content_type, video.file.read(), form["chat_id"]))
        return web.json_response({"ok": False, "error_code": 400}, status=400)

    async with server(answer) as url, bot_at(url, paced=False) as bot:
        for _ in range(2):
            with pytest.raises(BadRequest):
                await bot.send_video(5, input_file_opened_on_send(big, attach=False))
    assert got == [("v.mp4", "video/mp4", big.read_bytes(), "5")] * 2


async def test_a_closed_transport_says_so_and_opens_again() -> None:
    request = AiohttpRequest()
    with pytest.raises(NotSentError):
        await request.post("http://127.0.0.1:9/x")
    async with server(saying(200, {"ok": True, "result": 1})) as url:
        for _ in range(2):
            async with request:
                assert await request.post(f"{url}/x") == 1


@pytest.mark.parametrize(("taken", "kind"), [(2**16, CutOffError), (None, UnknownOutcomeError)])
async def test_an_upload_that_broke_before_its_last_byte_did_not_arrive(
    tmp_path: Path, taken: int | None, kind: type[BaseException]
) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(bytes(20 * 2**20))

    async def answer(request: web.Request) -> web.StreamResponse:
        await (request.content.readexactly(taken) if taken else request.read())
        assert request.transport
        request.transport.abort()
        return web.Response()

    async with server(answer) as url, bot_at(url, paced=False) as bot:
        with pytest.raises(NetworkError) as caught:
            await bot.send_photo(1, input_file_opened_on_send(file, attach=False))
    assert type(caught.value) is kind
