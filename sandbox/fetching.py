"""Web access of the simulated Telegram servers, which is limited to the sandbox's CDN."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, ClientTimeout

# Maximum bytes of a file that is sent by URL; Bot API, "Sending files": 20 MB.
LIMIT = 20 * 1024 * 1024


@dataclass(frozen=True)
class Fetched:
    """A response from the web. At most 20 MiB and one byte of the body are kept in `data`."""

    status: int
    content_type: str
    data: bytes
    length: int | None  # value of the Content-Length header, or None without the header


Fetch = Callable[[str], Awaitable[Fetched | None]]


def fetcher(session: ClientSession, origin: Callable[[], str]) -> Fetch:
    """Return a function `fetch(url)` that requests URLs of the origin `origin()` by HTTP.

    The returned function returns None for URLs of other origins and for failed requests.
    """

    async def fetch(url: str) -> Fetched | None:
        if not url.startswith(origin() + "/"):
            return None
        headers = {"User-Agent": "TelegramBot (like TwitterBot)"}
        try:
            async with session.get(url, headers=headers, timeout=ClientTimeout(20)) as answer:
                data = bytearray()
                async for chunk in answer.content.iter_chunked(65536):
                    data += chunk
                    if len(data) > LIMIT:
                        break
                cut = bytes(data[: LIMIT + 1])
                return Fetched(answer.status, answer.content_type, cut, answer.content_length)
        except (ClientError, TimeoutError, ValueError):
            return None

    return fetch
