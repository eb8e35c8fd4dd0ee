"""Reading an answer: a bounded body, its JSON, its price, the error that it holds."""

import json
import re
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass

import aiohttp

_BUDGET = 4 * 1024 * 1024  # bytes of JSON, unpacked; a hundred stories have about 0.5 MB
ERROR_BUDGET = 256 * 1024  # bytes of an error's body
CHUNK = 64 * 1024
OK = 200
_SHOWN = 200  # characters of a body that a log may hold
_REQS = re.compile(r'(?<!\w)"?reqs"?\s*[:=]\s*"?(\d+)(?![\w.])')
_DIGITS = 9  # of a price; more are absurd in any case


class NonsenseError(ValueError):
    """The body can't be what it should be."""


class ComplainedError(Exception):
    """An answer with status 200 whose body is an error."""

    def __init__(self, body: bytes) -> None:
        """Keep the body, which is read like that of an error."""
        super().__init__("a complaint")
        self.body = body


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the body of an error says; both empty when it is none of the API's shapes."""

    name: str = ""
    message: str = ""

    def __bool__(self) -> bool:
        """Return whether the API itself spoke."""
        return bool(self.name or self.message)


def complaint_in(value: object) -> Complaint | None:
    """Return the complaint in a decoded body, None where it is no complaint."""
    if not isinstance(value, dict):
        return None
    detail = value.get("detail")
    if isinstance(detail, list):  # FastAPI's validation errors
        detail = "; ".join(str(item.get("msg", "")) for item in detail if isinstance(item, dict))
    message = detail or value.get("error") or value.get("message") or ""
    name = value.get("exc_type")
    if name or value.get("state") is False or (detail and "pk" not in value):
        return Complaint(storable(str(name or ""))[:_SHOWN], storable(str(message))[:_SHOWN])
    return None


async def read_body(response: aiohttp.ClientResponse, budget: int = _BUDGET) -> bytes:
    """Return the whole body.

    Raises:
        NonsenseError: It has more than ``budget`` bytes; at most one chunk more was read.
    """
    if response.content_length is not None and response.content_length > budget:
        raise NonsenseError("the body is too long")
    return await join_chunks(response.content.iter_chunked(CHUNK), budget)


async def join_chunks(chunks: AsyncIterable[bytes], budget: int = _BUDGET) -> bytes:
    """Return what comes in ``chunks``; errors as ``read_body``."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > budget:
            raise NonsenseError("the body is too long")
    return bytes(body)


def decode_json(body: bytes) -> object:
    """Return the JSON value in ``body``.

    Raises:
        NonsenseError: It is no JSON: cut, too deep, a number without end, NaN, bad UTF-8.
    """
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_nan)
    except (ValueError, RecursionError) as error:
        raise NonsenseError(type(error).__name__) from None


async def read_json(response: aiohttp.ClientResponse) -> object:
    """Return the JSON of a good answer.

    Raises:
        NonsenseError: It is none, or leads elsewhere.
        ComplainedError: It is an error under a status 200.
    """
    if response.status != OK:
        raise NonsenseError("a redirect")
    body = await read_body(response)
    value = decode_json(body)
    if complaint_in(value):
        raise ComplainedError(body)
    return value


async def read_error_body(response: aiohttp.ClientResponse) -> bytes | None:
    """Return the body of an error, None when it can't be read."""
    try:
        return await read_body(response, ERROR_BUDGET)
    except (NonsenseError, aiohttp.ClientError, OSError):
        return None  # the status says enough


def credits_in(headers: Mapping[str, str]) -> int | None:
    """Return what ``x-hiker-info`` says was billed (``reqs=2`` or ``{"reqs": 2}``)."""
    match = _REQS.search(headers.get("x-hiker-info", ""))
    return int(match[1].lstrip("0")[:_DIGITS] or 0) if match else None


def storable(text: str) -> str:
    """Return ``text`` without what no database and no message can hold: NUL, lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def _refuse_nan(constant: str) -> object:
    raise ValueError(constant)
