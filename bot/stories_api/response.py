"""The reading of an HTTP answer: the body with a size limit, the JSON, the price, the error."""

import json
import re
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass

import aiohttp

# Maximum bytes of decompressed JSON. For comparison, a hundred stories have about 0.5 MB.
_BUDGET = 4 * 1024 * 1024
ERROR_BUDGET = 256 * 1024  # the maximum bytes of an error's body
CHUNK = 64 * 1024
OK = 200
_SHOWN = 200  # maximum characters of a logged name or message of an error
_REQS = re.compile(r'(?<!\w)"?reqs"?\s*[:=]\s*"?(\d+)(?![\w.])')
_DIGITS = 9  # maximum digits of a price that are read


class MalformedBodyError(ValueError):
    """Raised if the body of an answer does not have the expected format."""


class ComplainedError(Exception):
    """Raised for an answer that has status 200 although its body is an error."""

    def __init__(self, body: bytes) -> None:
        """Store ``body``, the body of the answer."""
        super().__init__("a complaint")
        self.body = body


@dataclass(frozen=True, slots=True)
class Complaint:
    """The error that a body contains. Both fields are "" if the format of the error is unknown."""

    name: str = ""
    message: str = ""

    def __bool__(self) -> bool:
        """Return whether the body contains an error in a known format."""
        return bool(self.name or self.message)


def complaint_in(value: object) -> Complaint | None:
    """Return the error that decoded JSON describes, or None if the JSON describes no error.

    The name and the message of the error are cut to 200 characters.
    """
    if not isinstance(value, dict):
        return None
    detail = value.get("detail")
    if isinstance(detail, list):  # a validation error of FastAPI
        detail = "; ".join(str(item.get("msg", "")) for item in detail if isinstance(item, dict))
    message = detail or value.get("error") or value.get("message") or ""
    name = value.get("exc_type")
    if name or value.get("state") is False or (detail and "pk" not in value):
        return Complaint(
            without_unstorable_characters(str(name or ""))[:_SHOWN],
            without_unstorable_characters(str(message))[:_SHOWN],
        )
    return None


async def read_body(response: aiohttp.ClientResponse, max_bytes: int = _BUDGET) -> bytes:
    """Return the whole body of an answer.

    Raises:
        MalformedBodyError: The body has more than ``max_bytes`` bytes. The rest of the body is not
            read.
        aiohttp.ClientError: The connection failed during the answer.
        TimeoutError: The answer took too long.
    """
    if response.content_length is not None and response.content_length > max_bytes:
        raise MalformedBodyError("the body is too long")
    return await join_chunks(response.content.iter_chunked(CHUNK), max_bytes)


async def join_chunks(chunks: AsyncIterable[bytes], max_bytes: int = _BUDGET) -> bytes:
    """Return the joined ``chunks``. The errors are the same as in ``read_body``."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise MalformedBodyError("the body is too long")
    return bytes(body)


def decode_json(body: bytes) -> object:
    """Return the JSON value in ``body``.

    Raises:
        MalformedBodyError: The body is not valid JSON. For example, the body is cut off, is nested
            too deeply, is not valid UTF-8, or contains NaN or an overlong number.
    """
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_nan)
    except (ValueError, RecursionError) as error:
        raise MalformedBodyError(type(error).__name__) from None


async def read_json(response: aiohttp.ClientResponse) -> object:
    """Return the JSON of a successful answer.

    Raises:
        MalformedBodyError: The body is not JSON or has more than 4 MiB, or the status is not
            200, for example for a redirect.
        ComplainedError: The answer is an error, but has status 200.
        aiohttp.ClientError: The connection failed during the answer.
        TimeoutError: The answer took too long.
    """
    if response.status != OK:
        raise MalformedBodyError("a redirect")
    body = await read_body(response)
    value = decode_json(body)
    if complaint_in(value):
        raise ComplainedError(body)
    return value


async def read_error_body(response: aiohttp.ClientResponse) -> bytes | None:
    """Return the body of an error answer.

    Return None if the body cannot be read or has more than 256 KiB.
    """
    try:
        return await read_body(response, ERROR_BUDGET)
    except (MalformedBodyError, aiohttp.ClientError, OSError):
        return None  # the status alone is sufficient to classify the error


def billed_credits_in(headers: Mapping[str, str]) -> int | None:
    """Return the billed credits in the header ``x-hiker-info``.

    Return None if the header is missing or states no credits. The header has the form ``reqs=2``
    or ``{"reqs": 2}``.
    """
    match = _REQS.search(headers.get("x-hiker-info", ""))
    return int(match[1].lstrip("0")[:_DIGITS] or 0) if match else None


def without_unstorable_characters(text: str) -> str:
    """Return ``text`` without NUL and lone surrogates, which databases and Telegram reject."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def _refuse_nan(constant: str) -> object:
    raise ValueError(constant)
