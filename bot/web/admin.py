"""The admin page: its files, what it shows, and what its buttons do; for the bot's owners only.

Each call is proven by itself, in a header: no cookie, so no other page can make a browser call.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

import structlog
from aiohttp import web
from pydantic import SecretStr

from bot.domain.errors import BotError
from bot.store import key_values
from bot.store.engine.database import Database, Tx
from bot.web.connections import refused
from bot.web.signed import OWN, TELEGRAM, signed_by_telegram

log = structlog.get_logger()

_KEY, _SESSION = "admin_key", "admin_session"  # of the one-time link, and who used it
KEY_VALID_FOR, _SESSION_VALID_FOR = timedelta(minutes=10), timedelta(hours=1)
_LARGEST_BODY = 4096  # bytes
_BODY_S = 5.0  # seconds that a body may take
PATH = "/admin"
_FILES = {
    PATH: ("admin.html", "text/html"),
    f"{PATH}/admin.js": ("admin.js", "text/javascript"),
    f"{PATH}/admin.css": ("admin.css", "text/css"),
    f"{PATH}/admin.svg": ("admin.svg", "image/svg+xml"),
}
_HEADERS = {
    # Telegram's web clients show Mini Apps in a frame; nobody else may.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors https://web.telegram.org",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_Json = dict[str, Any]


class AdminPage:
    """The routes of the page."""

    def __init__(
        self,
        show: Callable[[], Awaitable[_Json]],
        do: Callable[[Mapping[str, Any]], Awaitable[None]],
        db: Database,
        *,
        token: SecretStr,
        owners: Callable[[], Awaitable[Collection[int]]],
        now: Callable[[], datetime],
    ) -> None:
        """``show`` returns all that is shown; ``do`` does what a button says.

        It raises ``BotError`` where that can't be done. ``owners`` are the people whose signature
        is taken.
        """
        self._show_all = show
        self._act = do
        self._db = db
        self._token = token
        self._owners = owners
        self._now = now
        folder = resources.files("bot.web") / "page"
        self._files = {name: (folder / name).read_bytes() for name, _ in _FILES.values()}

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for ``bot.web.server``."""
        return [
            *(web.get(path, self._file) for path in _FILES),
            web.get(f"{PATH}/api/state", self._state),
            web.post(f"{PATH}/api/do", self._do),
            web.post(f"{PATH}/api/session", self._session),
        ]

    async def _file(self, request: web.Request) -> web.Response:
        name, kind = _FILES[request.path]
        return web.Response(
            body=self._files[name], content_type=kind, charset="utf-8", headers=_HEADERS
        )

    async def _state(self, request: web.Request) -> web.Response:
        if not await self._is_admin(request):
            return refused(401, _HEADERS)
        return _answer(await self._show_all())

    async def _do(self, request: web.Request) -> web.Response:
        if not await self._is_admin(request):
            return refused(401, _HEADERS)
        wanted = await _body(request)
        if wanted is None:
            return refused(400, _HEADERS)
        if wanted.get("action") == "end_session":
            async with self._db.begin() as tx:
                await key_values.remove(tx, _SESSION)
            return refused(401, _HEADERS)
        try:
            await self._act(wanted)
        except BotError as error:
            log.info("an action was refused", why=str(error))
            return refused(400, _HEADERS)
        log.info("an action on the admin page", action=str(wanted.get("action"))[:20])
        return _answer(await self._show_all())

    async def _session(self, request: web.Request) -> web.Response:
        """Exchange the key of a one-time link for a session of an hour."""
        wanted = await _body(request)
        word, session = wanted.get("key") if wanted else None, secrets.token_urlsafe()
        async with self._db.begin() as tx:
            is_known = isinstance(word, str) and await _is(tx, _KEY, word, now=self._now())
            if not (is_known and await key_values.remove(tx, _KEY)):
                return refused(401, _HEADERS)
            await _put(tx, _SESSION, session, valid_for=_SESSION_VALID_FOR, now=self._now())
        log.info("the admin page was opened by a link")
        return _answer({"session": session})

    async def _is_admin(self, request: web.Request) -> bool:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme == OWN:
            async with self._db.read() as tx:
                is_known = await _is(tx, _SESSION, given, now=self._now())
        elif scheme == TELEGRAM:
            person = signed_by_telegram(given, self._token, self._now())
            is_known = person is not None and person in await self._owners()
        else:
            is_known = False
        return is_known


async def make_key(db: Database, word: str, *, now: datetime) -> None:
    """Let the page be opened once with the key ``word``, within ten minutes.

    It ends the key and the session of an earlier link.
    """
    async with db.begin() as tx:
        await key_values.remove(tx, _SESSION)
        await _put(tx, _KEY, word, valid_for=KEY_VALID_FOR, now=now)


async def _put(tx: Tx, key: str, word: str, *, valid_for: timedelta, now: datetime) -> None:
    value = {"digest": _digest_of(word), "until": (now + valid_for).timestamp()}
    await key_values.put(tx, key, value)


async def _is(tx: Tx, key: str, word: str, *, now: datetime) -> bool:
    """Return whether a word is the key or session that is stored, and still valid."""
    kept = await key_values.get(tx, key)
    if not isinstance(kept, dict) or kept["until"] <= now.timestamp():
        return False
    return hmac.compare_digest(str(kept["digest"]), _digest_of(word))


def _digest_of(word: str) -> str:
    """Return what is stored in place of a key or session."""
    return hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()


def _answer(value: _Json) -> web.Response:
    return web.json_response(value, headers=_HEADERS)


async def _body(request: web.Request) -> _Json | None:
    """Return the JSON object that was sent; None where it is none, too large or too slow."""
    if (request.content_length or 0) > _LARGEST_BODY:
        return None
    try:
        async with asyncio.timeout(_BODY_S):
            body = await request.content.read(_LARGEST_BODY + 1)
            while not request.content.at_eof() and len(body) <= _LARGEST_BODY:
                body += await request.content.read(_LARGEST_BODY + 1)
    except (TimeoutError, ConnectionError):
        return None
    if len(body) > _LARGEST_BODY:
        return None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
