"""The limit on connections: a new connection closes the oldest connections above the limit.

A client without credentials can keep a connection open in several ways: send nothing, send headers
or a body slowly, repeat public requests without end, or never read the responses.
"""

import asyncio
from collections.abc import Mapping

from aiohttp import web

# The maximum number of connections. Telegram opens 40. The limit leaves open files for the other
# parts of the process.
MOST = 100


def refusal(status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a response that closes the connection without reading the rest of the request."""
    answer = web.Response(status=status, headers=headers)
    answer.force_close()
    return answer


async def disable_write_buffer(request: web.Request, _answer: web.StreamResponse) -> None:
    """Set the write buffer limit to 0, so that a response is pending until all bytes are sent.

    Otherwise aiohttp could close a connection before all bytes are sent. The closed connection
    would stay open until the client reads the bytes, and would not be counted.
    """
    if request.transport is not None:
        request.transport.set_write_buffer_limits(high=0)


def accept_and_close_oldest(server: web.Server, most: int) -> asyncio.BaseProtocol:
    """Return the protocol of a new connection; close the oldest connections above ``most``."""
    there = [one for one in server.connections if one.transport is not None]
    for one in there[: max(0, len(there) - most + 1)]:  # ordered by the time of the connection
        transport = one.transport
        one.force_close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()  # ``close`` would wait until the client has read the response
    return server()
