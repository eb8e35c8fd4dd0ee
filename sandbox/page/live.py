"""Live events for the chat page: each page has a WebSocket and a bounded queue."""

import asyncio
from collections.abc import Callable

from aiohttp import WSMsgType, web

# Maximum number of pending events of a page; after an overflow, the page reloads everything.
QUEUE = 2_000
HEARTBEAT_S = 20.0
Event = dict[str, object]
Subscribe = Callable[[Callable[[Event], None]], Callable[[], None]]


class Live:
    """Sender of Telegram events to every open page."""

    def __init__(self, subscribe: Subscribe) -> None:
        """Create the sender. `subscribe` is a function that adds a listener for the events."""
        self._subscribe = subscribe

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Send events to a page until the page disconnects."""
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S)
        queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE)
        unsubscribe = self._subscribe(lambda event: offer(queue, event))
        try:
            # The socket is prepared after the subscription, so that no event is missed.
            await socket.prepare(request)
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(_send(socket, queue))
                await _until_closed(socket)
                sending.cancel()
        finally:
            unsubscribe()
        return socket


def offer(queue: "asyncio.Queue[Event]", event: Event) -> None:
    """Queue an event. If the queue is full, replace its contents by a `resync` event."""
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
            return  # _until_closed() also detects the disconnection


async def _until_closed(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        if message.type is WSMsgType.ERROR:
            return
