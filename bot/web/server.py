"""The web server with the webhook, the health checks, the metrics and the admin page."""

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
from bot.runtime.workers import public_reason_of
from bot.store.inbox import is_update_id
from bot.web.connections import (
    MOST,
    accept_and_close_oldest,
    closing_response,
    disable_write_buffer,
)
from bot.web.failed_requests import FailedRequests
from bot.web.webhook import Webhook

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()

# By default, each response shows the versions of aiohttp and Python. This name hides the versions.
web_response.SERVER_SOFTWARE = "Storybell"  # type: ignore[attr-defined] # a private name of the library

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
_LARGEST_UPDATE = 2**20  # maximum bytes of an update
# Seconds in the header Retry-After. Telegram waits for this time before a repetition (Bot API
# server, WebhookActor.cpp).
_COME_BACK_S = "5"
_SHUTDOWN_S = 2.0
_HEADERS_S = 10.0  # seconds in which a client must send the headers of a request


@dataclass(frozen=True, slots=True)
class WebhookReceiver:
    """The webhook, which receives updates from Telegram.

    The webhook answers 200 to an update only after ``add`` has stored the update. While
    ``must_refuse_updates`` returns True, or if ``add`` fails, the webhook answers 503, and
    Telegram keeps the updates. A wrong secret gets 403, and content over 1 MiB gets 413.
    """

    webhook: Webhook
    add: Callable[[list[dict[str, Any]]], Awaitable[None]]
    must_refuse_updates: Callable[[], bool] = lambda: False

    async def store_update(self, request: web.Request) -> tuple[str, web.Response]:
        """Store the update in a request. Return the result for the metrics, and the response.

        The secret is checked before the body is read.
        """
        given = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self.webhook.secret.get_secret_value().encode()):
            return "wrong secret", closing_response(403)
        if self.must_refuse_updates():
            return "behind", _retry_later_response()
        body = await _body_of(request)
        if body is None:
            return "too large", closing_response(413)
        update = _parse_update(body)
        if update is None:
            # The status is 200, because Telegram would send the same content again after an error
            # status.
            return "not an update", web.Response()
        try:
            await self.add([update])
        except Exception:  # Telegram keeps the update and sends the update again.
            log.exception("an update could not be stored")
            return "not stored", _retry_later_response()
        return "stored", web.Response()


class Web:
    """The web server, used as an async context manager."""

    def __init__(
        self,
        metrics: Metrics,
        *,
        checks: Mapping[str, Callable[[], Awaitable[str]]],
        receiver: WebhookReceiver | None = None,
        is_open: bool = False,
        token: SecretStr | None = None,
        routes: Iterable[web.RouteDef] = (),
        are_routes_held: Callable[[], bool] = lambda: False,
        headers_s: float = _HEADERS_S,
        most_connections: int = MOST,
    ) -> None:
        """Create the server, which does not listen yet.

        - ``checks``: each function returns a reason why the process is not ready, or "".
        - ``is_open``: other machines can reach the port, so the reasons and metrics need
          ``token``.
        - ``routes``: additional routes, which answer 503 while ``are_routes_held`` returns True.
        - ``headers_s``: the time for the headers of a request in seconds.
        """
        self._metrics = metrics
        self._checks = checks
        self._receiver = receiver
        self._routes = list(routes)
        self._are_routes_held = are_routes_held
        self._headers_s, self._most_connections = headers_s, most_connections
        self._is_open = is_open
        self._token = token
        self._closing = AsyncExitStack()
        self._posts = metrics.get_or_create_counter(
            "webhook_posts_total", "Posts to the webhook.", "result"
        )
        self.port = 0

    def make_app(self) -> web.Application:
        """Return the aiohttp application with all routes."""
        app = web.Application(
            client_max_size=_LARGEST_UPDATE, middlewares=[self._refuse_held_routes]
        )
        app.on_response_prepare.append(disable_write_buffer)
        app.router.add_get("/healthz", self._always_answer_200)
        app.router.add_get("/readyz", self._answer_readiness)
        app.router.add_get("/metrics", self._serve_metrics)
        app.router.add_routes(self._routes)
        if self._receiver:
            app.router.add_post(
                self._receiver.webhook.path, partial(self._store_and_count, self._receiver)
            )
        return app

    async def start(self, host: str, port: int) -> Self:
        """Listen on ``port``, and set ``self.port``. Port 0 means any free port.

        Raises:
            OSError: The bot can't listen on the host or port.
        """
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
        assert runner.server is not None  # noqa: S101 - set by ``setup``
        serve = partial(accept_and_close_oldest, runner.server, self._most_connections)
        server = await asyncio.get_running_loop().create_server(serve, host, port)
        self._closing.callback(server.close)
        self.port = int(server.sockets[0].getsockname()[1])
        return self

    async def close(self) -> None:
        """Stop listening. Running requests get about 2 seconds to end."""
        await self._closing.aclose()

    @web.middleware
    async def _refuse_held_routes(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        """Answer 503 for the additional routes while ``are_routes_held`` returns True."""
        if self._are_routes_held() and request.path in {route.path for route in self._routes}:
            return _retry_later_response()
        return await handler(request)

    async def _store_and_count(
        self, receiver: WebhookReceiver, request: web.Request
    ) -> web.Response:
        result, answer = await receiver.store_update(request)
        self._posts.labels(result).inc()
        return answer

    async def _always_answer_200(self, _: web.Request) -> web.Response:
        """Answer 200 as long as the event loop runs. Failures of other services change nothing."""
        return web.json_response({"ok": True})

    def _may_see_details(self, request: web.Request) -> bool:
        """Return whether a request may get the metrics and the reasons of failures."""
        if not self._is_open:
            return True
        if self._token is None:
            return False
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, f"Bearer {self._token.get_secret_value()}".encode())

    async def _answer_readiness(self, request: web.Request) -> web.Response:
        """Answer 200 if all checks pass. Otherwise answer 503."""
        reasons = {}
        for name, check in self._checks.items():
            try:
                reason = await check()
            except Exception as error:  # noqa: BLE001 - the error is reported as the reason of a failed check
                reason = public_reason_of(error)
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
            body=self._metrics.prometheus_text().encode(), headers={"Content-Type": CONTENT_TYPE}
        )


def _retry_later_response() -> web.Response:
    return web.Response(status=503, headers={"Retry-After": _COME_BACK_S})


async def _body_of(request: web.Request) -> bytes | None:
    """Return the body of a request, or None if the body is larger than 1 MiB."""
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
