"""Reading the answers of download endpoints: a file, a redirect, a URL, or JSON with a URL.

The API's documentation does not specify the format, so the content of the answer determines the
format.
"""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import aiohttp

from bot.domain.errors import MediaTooBigError
from bot.domain.model import Profile
from bot.media.sniff import HEAD, detect_media_kind
from bot.media.spool import MediaFile, Spool, write_stream
from bot.stories_api import schema
from bot.stories_api.response import (
    CHUNK,
    OK,
    ComplainedError,
    MalformedBodyError,
    complaint_in,
    decode_json,
    join_chunks,
)

_ADDRESSES = ("video_url", "url", "download_url", "media_url", "href", "thumbnail_url")
_WRAPPERS = ("response", "data", "story", "media", "result")
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class FileUrl:
    """The URL of a file, as the API returned the URL. The host of the URL is not yet checked.

    ``profile`` is the account of the file, or None if the answer names no account.
    """

    url: str
    profile: Profile | None = None


async def save_file_or_read_url(
    response: aiohttp.ClientResponse, spool: Spool, max_bytes: int
) -> MediaFile | FileUrl:
    """Return the file in the answer, or the URL of the file if the answer has a URL instead.

    Raises:
        MalformedBodyError: The answer is neither a file nor a URL, or its JSON is too long.
        ComplainedError: The answer is an error, but has status 200.
        MediaTooBigError: The file has more bytes than ``max_bytes``.
        MediaUnavailableError: The spool stayed full, or the file can't be created or written.
        aiohttp.ClientError: The connection failed during the answer.
        OSError: The answer took too long, or the complete file can't be read or renamed.
    """
    if response.status != OK:
        return FileUrl(_url_or_raise(response.headers.get("Location", "")))
    chunks = response.content.iter_chunked(CHUNK)
    head = b""
    async for chunk in chunks:
        head += chunk
        if len(head) >= HEAD:
            break
    if detect_media_kind(head) is None:
        return _file_url_in_body(await join_chunks(_prepend_head(head, chunks)))
    # The header Content-Length of a compressed body is not used, because the header does not state
    # the size of the file.
    length = None if "Content-Encoding" in response.headers else response.content_length
    if length is not None and length > max_bytes:
        raise MediaTooBigError
    async with spool.draft(max_bytes if length is None else max(length, len(head))) as draft:
        return await write_stream(_prepend_head(head, chunks), draft)


def file_url_in(value: object, depth: int = 0) -> str | None:
    """Return the URL of a file in decoded JSON, or None.

    The search covers the usual field names in four levels, and only the first item of each list.
    """
    if isinstance(value, str):
        return value if value.startswith(("https://", "http://")) else None
    if depth >= _DEEPEST:
        return None
    if isinstance(value, list):
        return file_url_in(value[0], depth + 1) if value else None
    if not isinstance(value, dict):
        return None
    for name in _ADDRESSES:
        if isinstance(value.get(name), str) and (address := file_url_in(value[name])):
            return address
    return next(
        filter(None, (file_url_in(value.get(name), depth + 1) for name in _WRAPPERS)), None
    )


def profile_in(value: object, depth: int = 0) -> Profile | None:
    """Return the account of the story in decoded JSON, or None.

    The account must have an id and a username. The search covers four levels, and only the first
    item of each list.
    """
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, dict) or depth >= _DEEPEST:
        return None
    if isinstance(value.get("user"), dict):
        with suppress(MalformedBodyError):
            return schema.profile_from(value)
    return next(filter(None, (profile_in(value.get(name), depth + 1) for name in _WRAPPERS)), None)


def _file_url_in_body(body: bytes) -> FileUrl:
    value = decode_json(body)
    if complaint_in(value):
        raise ComplainedError(body)
    return FileUrl(_url_or_raise(file_url_in(value) or ""), profile_in(value))


def _url_or_raise(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise MalformedBodyError("no address")
    return url


async def _prepend_head(head: bytes, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in chunks:
        yield chunk
