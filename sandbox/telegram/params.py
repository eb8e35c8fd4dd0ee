"""Parsing of a request's parameters and files, with limits on their size."""

import json
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any

from aiohttp import BodyPartReader, web
from aiohttp.multipart import MultipartReader
from multidict import MultiDictProxy

from sandbox.telegram.refusals import TOO_LARGE, Refusal, bad_request

BODY_LIMIT = 50 * 2**20 + 2**20  # maximum bytes: a file of 50 MB and 1 MB of other parts
FIELD_LIMIT = 2**20
FILE_LIMIT = 50 * 2**20


@dataclass(slots=True)
class Upload:
    """A file part of a multipart request."""

    name: str  # the file's name
    content_type: str
    data: bytes


@dataclass(slots=True)
class Request:
    """The content of a call: parameters (text, or JSON values of a JSON body) and files."""

    params: dict[str, Any]
    files: dict[str, Upload]


async def read(request: web.Request, largest: int = FILE_LIMIT) -> Request:
    """Return the parameters in the query and in the body. The body has precedence.

    A file may have at most `largest` bytes.

    Raises:
        Refusal: The body is too large or cannot be parsed.
    """
    params: dict[str, Any] = dict(request.query) if request.query_string else {}
    files: dict[str, Upload] = {}
    if request.method != "POST" or not request.can_read_body:
        return Request(params, files)
    if (request.content_length or 0) > largest + BODY_LIMIT - FILE_LIMIT:
        raise TOO_LARGE
    kind = request.content_type
    if kind == "multipart/form-data":
        await _read_multipart(request, params, files, largest)
    elif kind == "application/json":
        params |= _decoded(await _body(request))
    elif kind == "application/x-www-form-urlencoded":
        params |= await _form(request)
    return Request(params, files)


async def _body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise TOO_LARGE from None


async def _form(request: web.Request) -> dict[str, Any]:
    try:
        form: MultiDictProxy[Any] = await request.post()
    except web.HTTPRequestEntityTooLarge:
        raise TOO_LARGE from None
    return dict(form)


def _decoded(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        value = json.loads(body)
    except (JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise bad_request("can't parse JSON object") from None
    if not isinstance(value, dict):
        raise bad_request("expected a JSON object")
    return {name: inner for name, inner in value.items() if inner is not None}


async def _read_multipart(
    request: web.Request, params: dict[str, Any], files: dict[str, Upload], largest: int
) -> None:
    total = 0
    try:
        async for part in await request.multipart():
            if part is None or isinstance(part, MultipartReader) or not part.name:
                continue
            limit = FIELD_LIMIT if part.filename is None else largest
            room = largest + BODY_LIMIT - FILE_LIMIT - total
            data = await _part(part, min(limit, room))
            total += len(data)
            if part.filename is None:
                params[part.name] = data.decode("utf-8", "replace")
            else:
                content_type = part.headers.get("Content-Type", "application/octet-stream")
                files[part.name] = Upload(part.filename, content_type, data)
    except (ValueError, AssertionError):
        raise Refusal(400, "Bad Request: can't parse multipart/form-data request") from None


async def _part(part: BodyPartReader, limit: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(2**18):
        data += chunk
        if len(data) > limit:
            raise TOO_LARGE
    return bytes(data)
