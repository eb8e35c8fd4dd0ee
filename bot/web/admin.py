"""The admin page for the bot's owners: static files, the bot's state, and actions.

A one-time link opens a session. Further API calls need the secret of the session in the
``Authorization`` header, so a page of another site can't make an authorized call.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from importlib import resources
from typing import Any

import structlog
from aiohttp import web

from bot.domain.errors import BotError
from bot.operations import admin_sessions
from bot.store.engine.database import Database
from bot.web.connections import closing_response

log = structlog.get_logger()

_LARGEST_BODY = 4096  # maximum bytes of a request's body
PATH = "/admin"
_FILES = {
    PATH: ("admin.html", "text/html"),
    f"{PATH}/admin.js": ("admin.js", "text/javascript"),
    f"{PATH}/admin.css": ("admin.css", "text/css"),
    f"{PATH}/admin.svg": ("admin.svg", "image/svg+xml"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_Json = dict[str, Any]


class AdminPage:
    """The routes of the admin page."""

    def __init__(
        self,
        read_state: Callable[[], Awaitable[_Json]],
        do_action: Callable[[Mapping[str, Any]], Awaitable[None]],
        db: Database,
        *,
        owners: Callable[[], Collection[int]],
        now: Callable[[], datetime],
    ) -> None:
        """Read the files of the page from the disk.

        ``read_state`` returns the state to display. ``do_action`` raises ``BotError`` to refuse an
        action. A session is valid only while ``owners`` contains the owner who opened the session.
        """
        self._read_state = read_state
        self._execute = do_action
        self._db = db
        self._owners = owners
        self._now = now
        folder = resources.files("bot.web") / "page"
        self._files = {name: (folder / name).read_bytes() for name, _ in _FILES.values()}

    def routes(self) -> list[web.RouteDef]:
        """Return the routes for ``bot.web.server``."""
        return [
            *(web.get(path, self._serve_file) for path in _FILES),
            web.get(f"{PATH}/api/state", self._serve_state),
            web.post(f"{PATH}/api/do", self._do_action),
            web.post(f"{PATH}/api/session", self._exchange_key_for_session),
        ]

    async def _serve_file(self, request: web.Request) -> web.Response:
        name, kind = _FILES[request.path]
        return web.Response(
            body=self._files[name], content_type=kind, charset="utf-8", headers=_HEADERS
        )

    async def _serve_state(self, request: web.Request) -> web.Response:
        if not await self._has_session(request):
            return closing_response(401, _HEADERS)
        return _json_response(await self._read_state())

    async def _do_action(self, request: web.Request) -> web.Response:
        if not await self._has_session(request):
            return closing_response(401, _HEADERS)
        wanted = await _json_body(request)
        if wanted is None:
            return closing_response(400, _HEADERS)
        if wanted.get("action") == "end_session":
            async with self._db.begin() as tx:
                await admin_sessions.end_session(tx)
            return closing_response(401, _HEADERS)
        try:
            await self._execute(wanted)
        except BotError as error:
            log.info("an action was refused", why=str(error))
            return closing_response(400, _HEADERS)
        log.info("an action on the admin page", action=str(wanted.get("action"))[:20])
        return _json_response(await self._read_state())

    async def _exchange_key_for_session(self, request: web.Request) -> web.Response:
        """Exchange the key in a one-time link for a session of one hour.

        Answer 401 if the key is invalid, or if the person for whom the key was made is no longer
        an owner.
        """
        wanted = await _json_body(request)
        async with self._db.begin() as tx:
            key = wanted.get("key") if wanted else None
            session = await admin_sessions.exchange_key_for_session(tx, key, now=self._now())
            owner = await admin_sessions.owner_of_session(tx, session or "", now=self._now())
        if owner not in self._owners():
            session = None
        if session is None:
            return closing_response(401, _HEADERS)
        log.info("the admin page was opened by a link")
        return _json_response({"session": session})

    async def _has_session(self, request: web.Request) -> bool:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        async with self._db.read() as tx:
            owner = await admin_sessions.owner_of_session(tx, given, now=self._now())
        return scheme == "Bearer" and owner in self._owners()


def _json_response(value: _Json) -> web.Response:
    return web.json_response(value, headers=_HEADERS)


async def _json_body(request: web.Request) -> _Json | None:
    """Return the JSON object in a request, or None if the body is too large or not an object.

    A body without a declared length is refused, because browsers always send the length.
    """
    if request.content_length is None or request.content_length > _LARGEST_BODY:
        return None
    try:
        value = json.loads(await request.read())
    except (ValueError, RecursionError, web.RequestPayloadError):
        return None
    return value if isinstance(value, dict) else None
