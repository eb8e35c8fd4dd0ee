"""How many connections there may be: whoever came first makes room, whatever they do.

A stranger can hold one by silence, by headers or a body that drip, by asking again and again for
what is open to all, or by never reading the answers.
"""

import asyncio
from collections.abc import Mapping

from aiohttp import web

MOST = 100  # Telegram makes 40; without a bound all files of the process may be theirs


def refusal(status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    """Refuse a request and close its connection, without reading the rest of it."""
    answer = web.Response(status=status, headers=headers)
    answer.force_close()
    return answer


async def disable_write_buffer(request: web.Request, _answer: web.StreamResponse) -> None:
    """Let an answer count as under way until all of it has left.

    A connection that is closed before that stays open for as long as nobody reads, and no list
    has it any more.
    """
    if request.transport is not None:
        request.transport.set_write_buffer_limits(high=0)


def accept_and_close_oldest(server: web.Server, most: int) -> asyncio.BaseProtocol:
    """Return what serves a new connection; those above ``most`` are closed, the oldest first."""
    there = [one for one in server.connections if one.transport is not None]
    for one in there[: max(0, len(there) - most + 1)]:  # in the order in which they came
        transport = one.transport
        one.force_close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()  # a close waits until what was answered is read
    return server()
