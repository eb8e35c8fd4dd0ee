"""The limit on connections, because a client without a password can keep connections open.

If the number of connections exceeds the limit, a new connection closes the oldest connections.
"""

import asyncio
from collections.abc import Mapping

from aiohttp import web

# The maximum number of connections. Telegram opens 40. A higher limit would use up the open files
# that other parts of the process need.
MOST = 100


def closing_response(status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a response that closes the connection without reading the rest of the request."""
    answer = web.Response(status=status, headers=headers)
    answer.force_close()
    return answer


async def disable_write_buffer(request: web.Request, _answer: web.StreamResponse) -> None:
    """Turn off the write buffer, so that a response is pending until all its bytes are sent.

    Otherwise, an open connection with unread bytes would no longer be counted.
    """
    if request.transport is not None:
        request.transport.set_write_buffer_limits(high=0)


def accept_and_close_oldest(server: web.Server, most: int) -> asyncio.BaseProtocol:
    """Return the protocol for a new connection.

    If more than ``most`` connections are open, including the new connection, close the oldest
    connections.
    """
    connections = [
        connection for connection in server.connections if connection.transport is not None
    ]
    for connection in connections[
        : max(0, len(connections) - most + 1)
    ]:  # the oldest connections come first
        transport = connection.transport
        connection.force_close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()  # ``close`` would wait for the client to read the response
    return server()
