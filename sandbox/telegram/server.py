"""The Bot API listener: it checks a call, runs the method and writes the response."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from sandbox import faults as faulty
from sandbox.beliefs import Switches
from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.requestlog import RequestLog
from sandbox.telegram import inputs, params, schema
from sandbox.telegram.call import METHODS, Call, Handler
from sandbox.telegram.control import routes
from sandbox.telegram.events import Listener
from sandbox.telegram.limits import Limits, Pacing
from sandbox.telegram.methods import (
    account,
    chats,
    files,
    media,
    messages,
    queries,
    topics,
    updates,
)
from sandbox.telegram.model import Message
from sandbox.telegram.people import Bot
from sandbox.telegram.refusals import METHOD_NOT_FOUND, NOT_FOUND, UNAUTHORIZED, Refusal
from sandbox.telegram.services import Fetch, Services
from sandbox.telegram.webhook import Webhooks
from sandbox.telegram.world import LOCAL_FILE, World

SERVED = (
    account,
    chats,
    files,
    media,
    messages,
    queries,
    topics,
    updates,
)
_TOKEN = re.compile(r"(\d{1,18}):([A-Za-z0-9_-]{30,})")
_LOOKS_LIKE_TOKEN = re.compile(r"\d+:.*")
_SECRET_PARAMS = frozenset({"secret_token", "provider_token"})
_LONGEST_LOGGED = 4096  # maximum logged characters of one parameter
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Telegram:
    """A simulated Telegram in memory.

    `app()` serves the calls of bots. `control_routes()` returns the routes that control persons
    and chats.
    """

    def __init__(
        self,
        clock: Clock,
        faults: Faults,
        log: RequestLog,
        fetch: Fetch,
        switches: Switches | None = None,
    ) -> None:
        """Create the server. `fetch(url)` requests a URL in the way of Telegram's servers.

        If the request fails, `fetch(url)` returns None.
        """
        self.world = World(clock, switches)
        limits = Limits()
        self.services = Services(fetch, limits, Pacing(limits), Webhooks(clock))
        self.faults = faults
        self.log = log
        self._schema = schema.load()
        self._group: asyncio.TaskGroup | None = None
        self._answering: asyncio.Task[None] | None = None

    @property
    def is_local(self) -> bool:
        """Return whether the server is a self-hosted Bot API server."""
        return self.world.largest_file == LOCAL_FILE

    def app(self) -> web.Application:
        """Return the Bot API listener."""
        app = web.Application(client_max_size=params.BODY_LIMIT)
        app.router.add_get("/file/bot{token}/{path:.+}", self._file)
        app.router.add_route("*", "/bot{token:[^/]+}/{method:[^/]*}", self._bot)
        app.router.add_route("*", "/{rest:.*}", _nowhere)
        return app

    def control_routes(self) -> list[web.RouteDef]:
        """Return the routes under /control/ for persons and chats."""
        return routes.routes(self.world, self.services)

    async def start(self) -> None:
        """Start the delivery to webhooks."""
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        await self.services.webhooks.start(self._group)
        self._answering = self._group.create_task(self._webhook_answers())

    async def stop(self) -> None:
        """End deliveries and long polls, and delete the files on disk."""
        for bot in self.world.bots.values():
            if bot.inbox.poll is not None:
                bot.inbox.poll.conflict = True
                bot.inbox.wake()
        await self.services.webhooks.stop()
        if self._group is not None and self._answering is not None:
            self._answering.cancel()
            await self._group.__aexit__(None, None, None)
            self._group = None
        self.world.files.close()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Send the events in chats to `listener`.

        Return a function that unsubscribes the listener.
        """
        return self.world.events.subscribe(listener)

    # -- requests -----------------------------------------------------------------------

    async def _bot(self, request: web.Request) -> web.StreamResponse:
        info = request.match_info
        token, name = unquote(info["token"]), info["method"]
        bot = self._bot_of(token)
        if isinstance(bot, Refusal):
            return self._refused(name, bot)
        known = self._schema.methods.get(name.lower())
        if known is None:
            return self._refused(name, METHOD_NOT_FOUND)
        try:
            sent = await params.read(request, self.world.largest_file)
        except Refusal as refusal:
            self._log_request(known.name, {}, refusal.code)
            return _response(refusal.body(), refusal)
        chat_id, sources = sent.params.get("chat_id"), inputs.sources_of_files(known.name, sent)
        fault = self.faults.match_and_count_down(
            "telegram", known.name, chat_id=chat_id, sources=sources
        )
        if fault is not None:
            early = await faulty.apply_before_effect(fault, request)
            if early is not None:
                self._log_request(known.name, {}, getattr(early, "status", 0), fault=fault.id)
                return early
        made: list[Message] = []
        answer: web.StreamResponse
        answer = response = await self._answered(sent, known, bot, fault, made)
        if fault is not None:
            answer = await faulty.apply_after_effect(fault, request, response)
        if made and (_has_gone(request) or (fault is not None and fault.loses_response)):
            self.world.lost += 1
            for message in made:
                message.answer_lost = True
        return answer

    async def _answered(
        self,
        sent: params.Request,
        known: schema.Method,
        bot: Bot,
        fault: Fault | None,
        made: list[Message],
    ) -> web.Response:
        call = Call(self.services, self.world, bot, known.name, sent.params, sent.files, fault)
        body, refused = await self._run(known, call)
        made += call.made
        extra: dict[str, Any] = {"bot_id": bot.id}
        if unknown := schema.unknown_params(known, sent.params):
            extra["unknown_params"] = unknown
        if missing := schema.missing_params(known, sent.params.keys() | sent.files.keys()):
            extra["missing_params"] = missing
        if refused is not None:
            extra["description"] = refused.description
        elif fault is not None and fault.loses_response:
            extra["lost"] = True  # the call took effect, but the caller gets no response
        status = refused.code if refused else 200
        self._log_request(known.name, _masked(call), status, **extra)
        return _response(body, refused)

    async def _run(
        self, known: schema.Method, call: Call
    ) -> tuple[dict[str, Any], Refusal | None]:
        handler: Handler | None = METHODS.get(known.name.lower())
        if handler is None:
            refusal = Refusal(501, f"Not Implemented: the sandbox does not serve {known.name}")
            return refusal.body(), refusal
        try:
            return {"ok": True, "result": await handler(call)}, None
        except Refusal as refusal:
            return refusal.body(), refusal

    async def _webhook_answers(self) -> None:
        """Execute the method calls in the bots' responses to webhook requests."""
        answered = self.services.webhooks.answered
        while True:
            bot, wanted = await answered.get()
            name = str(wanted.pop("method"))
            known = self._schema.methods.get(name.lower())
            if known is None or name.lower().startswith(("get", "setwebhook", "deletewebhook")):
                continue
            call = Call(self.services, self.world, bot, known.name, wanted, {})
            _, refused = await self._run(known, call)
            status = refused.code if refused else 200
            self._log_request(known.name, _masked(call), status, bot_id=bot.id, by_webhook=True)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        bot = self._bot_of(unquote(request.match_info["token"]))
        if isinstance(bot, Refusal):
            return self._refused("file", bot)
        fault = self.faults.match_and_count_down("telegram", f"file/{request.match_info['path']}")
        if (
            fault is not None
            and (answer := await faulty.apply_before_effect(fault, request)) is not None
        ):
            return answer
        content = self.world.files.content_at(request.match_info["path"])
        self._log_request("file", {"path": request.match_info["path"]}, 200 if content else 404)
        if content is None:
            return _response(NOT_FOUND.body(), NOT_FOUND)
        response = web.Response(body=content.read(), content_type="application/octet-stream")
        return (
            response
            if fault is None
            else await faulty.apply_after_effect(fault, request, response)
        )

    def _bot_of(self, token: str) -> Bot | Refusal:
        match = _TOKEN.fullmatch(token)
        if match is not None:
            return self.world.ensure_bot(int(match[1]))
        return UNAUTHORIZED if _LOOKS_LIKE_TOKEN.fullmatch(token) else NOT_FOUND

    def _refused(self, name: str, refusal: Refusal) -> web.Response:
        self._log_request(name, {}, refusal.code, description=refusal.description)
        return _response(refusal.body(), refusal)

    def _log_request(self, name: str, sent: dict[str, object], status: int, **extra: Any) -> None:  # noqa: ANN401 - JSON
        self.log.add(
            service="telegram",
            path=f"/bot***/{name}",
            params=sent,
            status=status,
            at=self.world.clock.now(),
            method=name,
            **extra,
        )


def _masked(call: Call) -> dict[str, object]:
    shown: dict[str, object] = {}
    for name, value in call.params.items():
        if name in _SECRET_PARAMS:
            shown[name] = "***"
        elif isinstance(value, str) and len(value) > _LONGEST_LOGGED:
            shown[name] = value[:_LONGEST_LOGGED] + "…"
        else:
            shown[name] = value
    for name, upload in call.files.items():
        shown[name] = {"file_name": upload.name, "bytes": len(upload.data)}
    return shown


def _response(body: dict[str, Any], refused: Refusal | None) -> web.Response:
    response = web.Response(
        body=_dumps(body).encode("utf-8", "surrogatepass"),
        status=refused.code if refused else 200,
        headers={"Content-Type": "application/json"},
    )
    if refused is not None and "retry_after" in refused.parameters:
        response.headers["Retry-After"] = str(refused.parameters["retry_after"])
    return response


async def _nowhere(_: web.Request) -> web.Response:
    return _response(NOT_FOUND.body(), NOT_FOUND)


def _has_gone(request: web.Request) -> bool:
    """Return whether the client has disconnected and cannot receive the response."""
    return request.transport is None or request.transport.is_closing()
