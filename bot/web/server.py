"""One small web server: the webhook, and what an owner's tools ask."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import structlog
from aiohttp import web, web_response
from pydantic import SecretStr

from bot.runtime.metrics import CONTENT_TYPE, Metrics
from bot.runtime.workers import reason_of
from bot.store.inbox import is_update_id
from bot.web.connections import MOST, accept_and_close_oldest, disable_write_buffer, refusal
from bot.web.failed_requests import FailedRequests
from bot.web.webhook import Webhook

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()

# Else each response names the versions of aiohttp and Python.
web_response.SERVER_SOFTWARE = "Storybell"  # type: ignore[attr-defined] # the library's own name

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
_LARGEST_UPDATE = 2**20  # bytes
_COME_BACK_S = "5"  # Telegram honours Retry-After; Bot API server, WebhookActor.cpp
_SHUTDOWN_S = 2.0
_HEADERS_S = 10.0  # in which a connection must send the headers of a request


@dataclass(frozen=True, slots=True)
class Door:
    """Takes updates in; ``add`` stores one, and only then the webhook says 200.

    While ``is_behind`` is true, Telegram is asked to come back later; it keeps its updates.
    """

    webhook: Webhook
    add: Callable[[list[dict[str, Any]]], Awaitable[None]]
    is_behind: Callable[[], bool] = lambda: False

    async def take_update(self, request: web.Request) -> tuple[str, web.Response]:
        """Take an update in; return the result and the response. A stranger's body is not read."""
        given = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self.webhook.secret.get_secret_value().encode()):
            return "wrong secret", refusal(403)
        if self.is_behind():
            return "behind", _retry_later()
        body = await _body_of(request)
        if body is None:
            return "too large", refusal(413)
        update = _parse_update(body)
        if update is None:
            return "not an update", web.Response()  # sent again, it would be none either
        try:
            await self.add([update])
        except Exception:  # Telegram keeps it and comes again
            log.exception("an update could not be stored")
            return "not stored", _retry_later()
        return "stored", web.Response()


class Web:
    """The server; use as an async context manager."""

    def __init__(
        self,
        metrics: Metrics,
        *,
        checks: Mapping[str, Callable[[], Awaitable[str]]],
        door: Door | None = None,
        is_open: bool = False,
        token: SecretStr | None = None,
        routes: Iterable[web.RouteDef] = (),
        are_routes_held: Callable[[], bool] = lambda: False,
        headers_s: float = _HEADERS_S,
        most_connections: int = MOST,
    ) -> None:
        """``checks`` say what is not ready, in a word or two; nothing when all is well.

        Where the port ``is_open`` to others, who lacks ``token`` sees only whether all is well;
        who has it sees why not, and the metrics.
        ``routes`` are those of others, served beside its own, but not while ``are_routes_held``.
        Who sends no headers within ``headers_s`` is let go.
        """
        self._metrics = metrics
        self._checks = checks
        self._door = door
        self._routes = list(routes)
        self._are_routes_held = are_routes_held
        self._headers_s, self._most_connections = headers_s, most_connections
        self._is_open = is_open
        self._token = token
        self._closing = AsyncExitStack()
        self._posts = metrics.counter("webhook_posts_total", "Posts to the webhook.", "result")
        self.port = 0

    def make_app(self) -> web.Application:
        """Return the routes."""
        app = web.Application(client_max_size=_LARGEST_UPDATE, middlewares=[self._hold_routes])
        app.on_response_prepare.append(disable_write_buffer)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._serve_metrics)
        app.router.add_routes(self._routes)
        if self._door:
            app.router.add_post(self._door.webhook.path, partial(self._receive, self._door))
        return app

    async def start(self, host: str, port: int) -> Self:
        """Listen on ``port``; ``self.port`` tells which one when it was 0."""
        app = self.make_app()
        runner = web.AppRunner(
            app,
            access_log=None,
            logger=FailedRequests(),
            shutdown_timeout=_SHUTDOWN_S,
            lingering_time=0,
            keepalive_timeout=self._headers_s,
        )
        await runner.setup()
        self._closing.push_async_callback(runner.cleanup)
        assert runner.server is not None  # noqa: S101 - it was set up
        serve = partial(accept_and_close_oldest, runner.server, self._most_connections)
        server = await asyncio.get_running_loop().create_server(serve, host, port)
        self._closing.callback(server.close)
        self.port = int(server.sockets[0].getsockname()[1])
        return self

    async def close(self) -> None:
        """Stop listening, when the updates that are being stored are stored."""
        await self._closing.aclose()

    @web.middleware
    async def _hold_routes(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer 503 on the routes of others while they are held."""
        if self._are_routes_held() and request.path in {route.path for route in self._routes}:
            return _retry_later()
        return await handler(request)

    async def _receive(self, door: Door, request: web.Request) -> web.Response:
        result, answer = await door.take_update(request)
        self._posts.labels(result).inc()
        return answer

    async def _healthz(self, _: web.Request) -> web.Response:
        """Alive: this loop turns; nothing outside of the process counts."""
        return web.json_response({"ok": True})

    def _may_see_details(self, request: web.Request) -> bool:
        """Return whether who asks may see the metrics, and why something is wrong."""
        if not self._is_open:
            return True
        if self._token is None:
            return False
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, f"Bearer {self._token.get_secret_value()}".encode())

    async def _readyz(self, request: web.Request) -> web.Response:
        """Ready: no check says that something is wrong."""
        reasons = {}
        for name, check in self._checks.items():
            try:
                reason = await check()
            except Exception as error:  # noqa: BLE001 - a failing check is the answer
                reason = reason_of(error)
            if reason:
                reasons[name] = reason
        body: dict[str, object] = {"ready": not reasons}
        if self._may_see_details(request):
            body["reasons"] = reasons
        return web.json_response(body, status=503 if reasons else 200)

    async def _serve_metrics(self, request: web.Request) -> web.Response:
        if not self._may_see_details(request):
            return web.Response(status=404)
        return web.Response(
            body=self._metrics.render().encode(), headers={"Content-Type": CONTENT_TYPE}
        )


def _retry_later() -> web.Response:
    return web.Response(status=503, headers={"Retry-After": _COME_BACK_S})


async def _body_of(request: web.Request) -> bytes | None:
    """Return the body, None when it is larger than any update."""
    if (request.content_length or 0) > _LARGEST_UPDATE:
        return None
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        return None


def _parse_update(body: bytes) -> dict[str, Any] | None:
    try:
        update = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return update if isinstance(update, dict) and is_update_id(update.get("update_id")) else None
