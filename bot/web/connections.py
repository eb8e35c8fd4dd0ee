"""Who keeps a connection when there are too many: whoever has proven who they are.

A stranger can hold one by silence, by headers or a body that drip, or by asking again and again
for what is open to all. So of the strangers whoever came first makes room, whatever they do.
"""

import asyncio
from functools import partial

from aiohttp import web

MOST = 100  # Telegram makes 40; without a bound all files of the process may be theirs

KNOWN = web.AppKey("known", set[web.RequestHandler])


def recognise(request: web.Request) -> None:
    """Let the connection stay on which somebody has proven who they are."""
    request.app[KNOWN].add(request.protocol)


def accepting(
    server: web.Server, known: set[web.RequestHandler], most: int
) -> "partial[asyncio.BaseProtocol]":
    """Return what serves each new connection, of which ``most`` may be there."""
    return partial(_accept, server, known, most)


def _accept(server: web.Server, known: set[web.RequestHandler], most: int) -> asyncio.BaseProtocol:
    there = [one for one in server.connections if one.transport is not None]
    known.intersection_update(there)
    too_many = len(there) - most + 1
    if too_many > 0:
        strangers = [one for one in there if one not in known]  # in the order in which they came
        if not strangers:
            return _Refused()
        for one in strangers[:too_many]:
            one.force_close()
    return server()


class _Refused(asyncio.Protocol):
    """Ends a connection that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Drop it."""
        transport.close()
