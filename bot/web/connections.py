"""Who keeps a connection when there are too many: whoever has proven who they are.

A stranger can hold one by silence, by headers or a body that drip, by asking again and again for
what is open to all, or by never reading the answers. So of the strangers whoever came first makes
room, whatever they do. What is proven holds until the next request: a proxy sends those of others
by the same connection.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

MOST = 100  # Telegram makes 40; without a bound all files of the process may be theirs

PROVEN = web.AppKey("proven", set[web.RequestHandler])


def recognise(request: web.Request) -> None:
    """Keep the connection on which somebody has proven who they are."""
    request.app[PROVEN].add(request.protocol)


@web.middleware
async def forget_proof(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Count the connection as a stranger's again: each request must prove itself."""
    request.app[PROVEN].discard(request.protocol)
    return await handler(request)


def refused(status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    """Refuse a request and close its connection, without reading the rest of it."""
    answer = web.Response(status=status, headers=headers)
    answer.force_close()
    return answer


async def busy_until_read(request: web.Request, _answer: web.StreamResponse) -> None:
    """Let an answer count as under way until all of it has left.

    A connection that is closed before that stays open for as long as nobody reads, and no list
    has it any more.
    """
    if request.transport is not None:
        request.transport.set_write_buffer_limits(high=0)


def accept(server: web.Server, proven: set[web.RequestHandler], most: int) -> asyncio.BaseProtocol:
    """Return what serves a new connection; ``most`` may be open at a time."""
    there = [one for one in server.connections if one.transport is not None]
    proven.intersection_update(there)
    too_many = len(there) - most + 1
    if too_many > 0:
        strangers = [one for one in there if one not in proven]  # in the order in which they came
        if not strangers:
            return _Refused()
        for one in strangers[:too_many]:
            transport = one.transport
            one.force_close()
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()  # a close waits until what was answered is read
    return server()


class _Refused(asyncio.Protocol):
    """Ends a connection that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Drop it."""
        transport.close()
