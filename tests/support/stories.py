"""The Stories API called bare, with no client of ours in between."""

from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession
from multidict import CIMultiDictProxy


@dataclass(frozen=True)
class Said:
    """One answer, read to the end."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    json: Any


class Raw:
    """A caller of one Stories API at `url`, with a key that is accepted."""

    def __init__(self, session: ClientSession, url: str) -> None:
        """Call over `session`."""
        self._session, self._url = session, url

    async def get(
        self, path: str, *, key: str | None = "some-key", method: str = "GET", **params: str
    ) -> Said:
        """One call; redirects are shown, not followed."""
        headers = {} if key is None else {"x-access-key": key}
        async with self._session.request(
            method, self._url + path, params=params, headers=headers, allow_redirects=False
        ) as answer:
            body = await answer.read()
            is_json = answer.content_type == "application/json" and body
            parsed = await answer.json() if is_json else None
            return Said(answer.status, answer.headers, body, parsed)
