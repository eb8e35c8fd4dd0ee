"""The moment when a send leaves: from then on its message may be in the chat.

Before it there may be downloads, uploads of others to wait for, and the flood limits: a crash in
that time leaves nothing behind.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from bot.telegram.request import AiohttpRequest

departing: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("departing", default=None)
"""What is told, in the task that sends, right before each request that sends something."""


class DepartingRequest(AiohttpRequest):
    """The transport, which tells when a message leaves."""

    async def do_request(self, url: str, *args: Any, **kwargs: Any) -> tuple[int, bytes]:  # noqa: ANN401 - PTB's arguments, passed on
        """Tell, then make the call."""
        tell = departing.get()
        if tell is not None and url.rpartition("/")[2].lower().startswith("send"):
            await tell()
        return await super().do_request(url, *args, **kwargs)
