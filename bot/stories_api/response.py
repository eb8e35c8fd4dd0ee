"""A body off the wire: never more bytes than its budget, and one typed error for all nonsense."""

import json
import re
from collections.abc import Mapping

import aiohttp

BUDGET = 4 * 1024 * 1024  # bytes of JSON, unpacked; a hundred stories have about 0.5 MB
CHUNK = 64 * 1024
_REQS = re.compile(r'"?reqs"?\s*[:=]\s*"?(\d{1,6})')


class NonsenseError(ValueError):
    """The body can't be what it should be."""


async def read_body(response: aiohttp.ClientResponse, budget: int = BUDGET) -> bytes:
    """Return the whole body.

    Raises:
        NonsenseError: It has more than ``budget`` bytes; at most one chunk more was read.
    """
    if response.content_length is not None and response.content_length > budget:
        raise NonsenseError("the body is too long")
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK):
        body += chunk
        if len(body) > budget:
            raise NonsenseError("the body is too long")
    return bytes(body)


def decode(body: bytes) -> object:
    """Return the JSON value in ``body``.

    Raises:
        NonsenseError: It is no JSON: cut, too deep, a number without end, NaN, bad UTF-8.
    """
    try:
        value: object = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NonsenseError(type(error).__name__) from None
    return value


def credits_in(headers: Mapping[str, str]) -> int | None:
    """Return what ``x-hiker-info`` says was billed (``reqs=2`` or ``{"reqs": 2}``)."""
    match = _REQS.search(headers.get("x-hiker-info", ""))
    return int(match[1]) if match else None


def clean(text: str) -> str:
    """Return ``text`` without what no database and no message can hold: NUL, lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def _refuse(constant: str) -> object:
    raise ValueError(constant)
