"""Deliveries to a webhook: queues, retries, the secret."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from tests.sandbox.telegram.harness import Api
from tests.support.control import wait_for

DEADLINE_S = 10.0


@dataclass
class Receiver:
    """A webhook that answers as it is told."""

    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        """One delivery."""
        self.headers.append(dict(request.headers))
        body = await request.json()
        async with self.heard:
            self.got.append(body)
            self.heard.notify_all()
        return self.answers.pop(0) if self.answers else web.Response()

    async def until(self, count: int) -> None:
        """Wait for so many deliveries."""
        async with asyncio.timeout(DEADLINE_S), self.heard:
            await self.heard.wait_for(lambda: len(self.got) >= count)

    def texts(self) -> list[str]:
        """What was delivered."""
        return [update["message"]["text"] for update in self.got if "message" in update]


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    hook = Receiver()
    app = web.Application()
    app.router.add_post("/hook", hook.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield hook
    finally:
        await runner.cleanup()


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as hook:
        yield hook


async def _info(api: Api, **wanted: Any) -> bool:
    info = await api.ok("getWebhookInfo")
    return all(info.get(name) == value for name, value in wanted.items())


async def _until_empty(api: Api) -> None:
    await wait_for(lambda: _info(api, pending_update_count=0))


async def _failed(api: Api, times: int) -> None:
    """Wait until a delivery has failed so often and waits for its next turn."""
    inbox = api.telegram.world.bot.inbox
    await wait_for(lambda: inbox.pending[0].attempts == times)


async def test_an_update_is_delivered_once_with_the_secret(api: Api, hook: Receiver) -> None:
    await api.ok("setWebhook", url=hook.url, secret_token="se-cret_1", max_connections=5)
    await api.person()
    await hook.until(1)
    await _until_empty(api)
    assert hook.texts() == ["/start"]
    assert hook.headers[0]["X-Telegram-Bot-Api-Secret-Token"] == "se-cret_1"
    assert hook.headers[0]["Content-Type"] == "application/json"
    info = await api.ok("getWebhookInfo")
    assert (info["url"], info["max_connections"]) == (hook.url, 5)
    assert "se-cret_1" not in str(api.telegram.log.since(0))


async def test_get_updates_and_webhooks_exclude_each_other(api: Api, hook: Receiver) -> None:
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(api.refusal("getUpdates", timeout=30))
        await wait_for(lambda: api.telegram.world.bot.inbox.poll is not None)
        await api.ok("setWebhook", url=hook.url)
    assert poll.result() == (409, "Conflict: terminated by setWebhook request")
    code, words = await api.refusal("getUpdates")
    assert code == 409
    assert words == (
        "Conflict: can't use getUpdates method while webhook is active; "
        "use deleteWebhook to delete the webhook first"
    )
    await api.ok("deleteWebhook", drop_pending_updates=True)
    assert await api.ok("getUpdates", offset=-1) == []


async def test_retries_at_once_then_after_2_s_and_4_s(api: Api, hook: Receiver) -> None:
    ann = await api.person("Ann", started=False)
    hook.answers = [web.Response(status=500) for _ in range(4)]
    await api.ok("setWebhook", url=hook.url)
    await api.says(ann, "x")
    await hook.until(2)
    clock = api.telegram.world.clock
    for wait, count in ((2, 3), (4, 4), (8, 5)):
        await _failed(api, count - 1)
        assert len(hook.got) == count - 1
        info = await api.ok("getWebhookInfo")
        assert info["last_error_message"].startswith("Wrong response from the webhook: 500")
        clock.advance(wait)
        await hook.until(count)
    await _until_empty(api)
    assert {update["update_id"] for update in hook.got} == {hook.got[0]["update_id"]}
