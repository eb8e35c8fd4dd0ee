"""An HTTP server with scripted responses, byte for byte, as from a proxy with wire faults."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from pydantic import SecretStr

from bot.stories_api.client import StoriesApi

KEY = "canary-key-5f2e"
Answerer = Callable[["Server", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """The URL of the server and the requests so far."""

    url: str = ""
    requests: list[str] = field(default_factory=list)  # request heads in order

    @property
    def count(self) -> int:
        return len(self.requests)


@asynccontextmanager
async def serving(answer: Answerer) -> AsyncIterator[Server]:
    """Serve on a free port; record each request's head, then call ``answer`` for the response."""
    server = Server()
    served: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        served.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            server.requests.append(head.decode("latin-1"))
            await answer(server, writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        # From Python 3.12 on, the server waits for all connections, including hanging connections.
        listener.close()
        for task in served:
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)


def response(
    status: int,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    length: int | None = None,
) -> bytes:
    """Return a complete HTTP response; ``length`` replaces the true Content-Length."""
    lines = {"Content-Type": "application/json", "Connection": "close", **(headers or {})}
    lines["Content-Length"] = str(len(body) if length is None else length)
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body


def says(*answers: bytes) -> Answerer:
    """Return an answerer that sends ``answers`` in turn and then repeats the last answer."""

    async def answer(server: Server, writer: asyncio.StreamWriter) -> None:
        writer.write(answers[min(server.count, len(answers)) - 1])

    return answer


@asynccontextmanager
async def api_at(url: str, **options: object) -> AsyncIterator[StoriesApi]:
    """Open a client for ``url`` with a deadline of 5 s and the shortest pauses before retries."""
    async with aiohttp.ClientSession() as session:
        settings = {"deadline": 5.0, "rate": 10_000.0, "jitter": lambda low, _high: low, **options}
        api = StoriesApi(session, url=url, key=SecretStr(KEY), **settings)  # type: ignore[arg-type] # the test run checks the options
        yield api
