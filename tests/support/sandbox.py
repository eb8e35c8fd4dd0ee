"""A sandbox in this process with a control client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession

from sandbox.app import running
from sandbox.state import Sandbox
from tests.support.control import Control


class Box:
    """A running sandbox: the parts, the control client, and a session for calls."""

    def __init__(self, parts: Sandbox, session: ClientSession) -> None:
        """Wrap a running sandbox."""
        self.parts = parts
        self.urls = parts.urls
        self.session = session
        self.control = Control(session, parts.urls.page)


@asynccontextmanager
async def sandbox_box(*, speed: float = 1.0, seed: int = 0) -> AsyncIterator[Box]:
    """Run a sandbox on free ports within the block."""
    async with running(speed=speed, seed=seed) as parts, ClientSession() as session:
        yield Box(parts, session)
