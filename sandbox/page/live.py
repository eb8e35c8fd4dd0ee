"""Live events for the chat page: one WebSocket a page, each with a bounded queue of its own."""

import asyncio
from collections.abc import Callable

from aiohttp import WSMsgType, web

QUEUE = 2_000  # events a page may be behind; then it is told to ask for everything anew
HEARTBEAT_S = 20.0
Event = dict[str, object]
Subscribe = Callable[[Callable[[Event], None]], Callable[[], None]]


class Live:
    """Passes what happens in Telegram on to every open page."""

    def __init__(self, subscribe: Subscribe) -> None:
        """`subscribe` is where the events come from."""
        self._subscribe = subscribe

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one page until it goes away."""
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S)
        queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE)
        unsubscribe = self._subscribe(lambda event: offer(queue, event))
        try:
            await socket.prepare(request)  # a page that knows itself connected misses nothing
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(_send(socket, queue))
                await _until_closed(socket)
                sending.cancel()
        finally:
            unsubscribe()
        return socket


def offer(queue: "asyncio.Queue[Event]", event: Event) -> None:
    """Queue an event; a page that is too far behind gets `resync` instead of its backlog."""
    if queue.full():
        while not queue.empty():
            queue.get_nowait()
        event = {"kind": "resync"}
    queue.put_nowait(event)


async def _send(socket: web.WebSocketResponse, queue: "asyncio.Queue[Event]") -> None:
    while True:
        try:
            await socket.send_json(await queue.get())
        except ConnectionError:
            return  # the reading side sees the end as well


async def _until_closed(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        if message.type is WSMsgType.ERROR:
            return
