"""The chat page's static files and the media of messages."""

from pathlib import Path

from aiohttp import web

STATIC = Path(__file__).with_name("static")
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
# The content security policy forbids resources of other origins and inline scripts.
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def static_file(name: str) -> web.StreamResponse:
    """Return a static file of the page.

    Raises:
        web.HTTPNotFound: The file does not exist.
    """
    path = (STATIC / name).resolve()
    if not path.is_relative_to(STATIC) or path.suffix not in TYPES or not path.is_file():
        raise web.HTTPNotFound
    response = web.FileResponse(path, headers=HEADERS)
    response.content_type = TYPES[path.suffix]
    response.charset = "utf-8"
    return response


def media(request: web.Request, data: bytes, content_type: str) -> web.Response:
    """Return the media of a message. If the request has a range, return only this range.

    Video players need ranges. If the range can't be satisfied, return a 416 response.
    """
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "private, max-age=86400"}
    try:
        wanted = request.http_range
    except ValueError:
        wanted = slice(0, None)  # RFC 9110, 14.2: an invalid Range is ignored
    if "Range" not in request.headers or wanted == slice(0, None):
        return web.Response(body=data, content_type=content_type, headers=headers)
    start, stop, _ = wanted.indices(len(data))
    if start >= stop:
        headers["Content-Range"] = f"bytes */{len(data)}"
        return web.Response(status=416, headers=headers)
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return web.Response(
        status=206, body=data[start:stop], content_type=content_type, headers=headers
    )
