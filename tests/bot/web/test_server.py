"""The web server: who may post an update, and what an operator's tools are told."""

import asyncio
import contextlib
import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.runtime.metrics import Metrics
from bot.web.server import SECRET_HEADER, Web, WebhookReceiver
from bot.web.webhook import derive_webhook

TOKEN = SecretStr("123456789:AAtestTokenThatNobodyMaySeeInAnyLogLine")
HOOK = derive_webhook(TOKEN)
RIGHT = {SECRET_HEADER: HOOK.secret.get_secret_value()}
UPDATE = {"update_id": 1, "message": {}}


class Served:
    """A running server and what it stored."""

    def __init__(self) -> None:
        self.stored: list[Any] = []
        self.behind = False
        self.broken = False
        self.reason = ""
        self.metrics = Metrics()
        self.web = Web(
            self.metrics,
            checks={"database": self.check},
            receiver=WebhookReceiver(HOOK, self.add, lambda: self.behind),
        )

    async def add(self, updates: list[dict[str, Any]]) -> None:
        if self.broken:
            raise OSError
        self.stored += updates

    async def check(self) -> str:
        if self.reason == "raise":
            raise OSError
        return self.reason

    def counted(self, result: str) -> int:
        found = re.search(
            rf'webhook_posts_total{{result="{result}"}} (\d+)', self.metrics.prometheus_text()
        )
        return int(found[1]) if found else 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web.port}"


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Served, aiohttp.ClientSession]]:
    served = Served()
    await served.web.start("127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as session:
            yield served, session
    finally:
        await served.web.close()


@pytest.fixture
async def at() -> AsyncIterator[tuple[Served, aiohttp.ClientSession]]:
    async with serving() as both:
        yield both


At = tuple[Served, aiohttp.ClientSession]


async def post(at: At, body: Any, headers: dict[str, str], kind: str = "application/json") -> int:
    """Post; 0 when the server had closed the connection before all was sent."""
    served, session = at
    headers = headers | {"Content-Type": kind}
    data = io.BytesIO(body.encode()) if isinstance(body, str) else body
    try:
        async with session.post(served.url + HOOK.path, data=data, headers=headers) as answer:
            if answer.status == 503:
                assert int(answer.headers["Retry-After"]) > 0
            return answer.status
    except aiohttp.ClientOSError:
        return 0


def test_path_and_secret_tell_nothing_of_the_token() -> None:
    assert TOKEN.get_secret_value() not in HOOK.path + HOOK.secret.get_secret_value()
    assert derive_webhook(TOKEN) == HOOK
    assert HOOK.path != derive_webhook(SecretStr("2:other")).path
    assert HOOK.secret.get_secret_value() not in repr(HOOK)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "text/x"])
async def test_an_update_is_stored_whatever_its_type_is_called(at: At, kind: str) -> None:
    assert await post(at, json.dumps(UPDATE), RIGHT, kind) == 200
    assert at[0].stored == [UPDATE]


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '{"update_id": "x"}', "[" * 10_000, b"\xff"]
)
async def test_nonsense_is_confirmed_so_that_it_is_not_repeated(at: At, body: Any) -> None:
    assert await post(at, body, RIGHT) == 200
    assert not at[0].stored
    assert at[0].counted("not an update") == 1


async def test_telegram_is_asked_to_come_back(at: At) -> None:
    at[0].behind = True
    assert await post(at, json.dumps(UPDATE), RIGHT) == 503
    at[0].behind, at[0].broken = False, True
    assert await post(at, json.dumps(UPDATE), RIGHT) == 503
    assert not at[0].stored


async def test_other_methods_and_paths_are_nothing(at: At) -> None:
    served, session = at
    async with session.get(served.url + HOOK.path, headers=RIGHT) as answer:
        assert answer.status == 405
    async with session.post(served.url + "/telegram/other", headers=RIGHT) as answer:
        assert answer.status == 404


async def test_readiness_names_its_reasons(at: At) -> None:
    served, session = at

    async def ready() -> tuple[int, Any]:
        async with session.get(served.url + "/readyz") as answer:
            return answer.status, await answer.json()

    assert await ready() == (200, {"ready": True, "reasons": {}})
    served.reason = "not written for 9 s"
    assert await ready() == (503, {"ready": False, "reasons": {"database": served.reason}})
    served.reason = "raise"
    assert await ready() == (503, {"ready": False, "reasons": {"database": "OSError"}})


async def test_an_open_port_tells_strangers_only_whether_all_is_well() -> None:
    async def check() -> str:
        return "the disk is full"

    web = Web(Metrics(), checks={"database": check}, is_open=True, token=SecretStr("a-token"))
    await web.start("127.0.0.1", 0)
    whole = {"ready": False, "reasons": {"database": "the disk is full"}}
    try:
        async with aiohttp.ClientSession() as session:

            async def told(path: str, token: str = "") -> tuple[int, str]:
                headers = {"Authorization": token} if token else {}
                url = f"http://127.0.0.1:{web.port}{path}"
                async with session.get(url, headers=headers) as answer:
                    return answer.status, await answer.text()

            for token in ("", "a-token", "Bearer", "Bearer other", "Basic a-token", "Bearer é"):
                status, text = await told("/readyz", token)
                assert (status, json.loads(text)) == (503, {"ready": False})
                assert await told("/metrics", token) == (404, "")
            assert json.loads((await told("/readyz", "Bearer a-token"))[1]) == whole
            assert "webhook_posts_total" in (await told("/metrics", "Bearer a-token"))[1]
            assert (await told("/healthz"))[0] == 200
    finally:
        await web.close()


async def test_who_sends_no_headers_is_let_go_and_a_flood_of_them_shuts_nobody_out() -> None:
    web = Web(Metrics(), checks={}, headers_s=0.3, most_connections=5)
    await web.start("127.0.0.1", 0)
    try:
        halves = [await asyncio.open_connection("127.0.0.1", web.port) for _ in range(9)]
        for _, writer in halves:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        async with asyncio.timeout(60):
            for reader, writer in halves:
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
                writer.close()
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{web.port}/healthz") as answer,
        ):
            assert answer.status == 200
    finally:
        await web.close()
