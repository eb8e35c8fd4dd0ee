"""A server that answers as told, byte for byte: what a proxy for wire faults would do."""

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
    """What was asked so far, and where."""

    url: str = ""
    requests: list[str] = field(default_factory=list)  # heads, as they came

    @property
    def count(self) -> int:
        return len(self.requests)


@asynccontextmanager
async def serving(answer: Answerer) -> AsyncIterator[Server]:
    """Serve on a free port; each request's head is kept, then ``answer`` writes what it likes."""
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
        # From Python 3.12 on a server waits for its connections, also for those that hang.
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
    """Return a whole HTTP response; ``length`` is what it claims, the truth by default."""
    lines = {"Content-Type": "application/json", "Connection": "close", **(headers or {})}
    lines["Content-Length"] = str(len(body) if length is None else length)
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body


def says(*answers: bytes) -> Answerer:
    """Answer with these in turn, the last one again and again."""

    async def answer(server: Server, writer: asyncio.StreamWriter) -> None:
        writer.write(answers[min(server.count, len(answers)) - 1])

    return answer


@asynccontextmanager
async def api_at(url: str, **options: object) -> AsyncIterator[StoriesApi]:
    """Open an adapter for ``url`` with a short deadline and no patience between tries."""
    async with aiohttp.ClientSession() as session:
        settings = {"deadline": 5.0, "rate": 10_000.0, "jitter": lambda low, _high: low, **options}
        api = StoriesApi(session, url=url, key=SecretStr(KEY), **settings)  # type: ignore[arg-type] # checked by running
        yield api
