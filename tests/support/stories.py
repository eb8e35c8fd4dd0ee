"""Calls to the Stories API without the bot's client."""

from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession
from multidict import CIMultiDictProxy


@dataclass(frozen=True)
class Said:
    """A complete response."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    json: Any


class Raw:
    """A client of the Stories API at `url` with a valid key."""

    def __init__(self, session: ClientSession, url: str) -> None:
        """Use `session` for calls."""
        self._session, self._url = session, url

    async def get(
        self, path: str, *, key: str | None = "some-key", method: str = "GET", **params: str
    ) -> Said:
        """Make a call. Redirects are returned, not followed."""
        headers = {} if key is None else {"x-access-key": key}
        async with self._session.request(
            method, self._url + path, params=params, headers=headers, allow_redirects=False
        ) as answer:
            body = await answer.read()
            is_json = answer.content_type == "application/json" and body
            parsed = await answer.json() if is_json else None
            return Said(answer.status, answer.headers, body, parsed)
