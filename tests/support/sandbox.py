"""A sandbox of one's own, in this process, with the verbs that drive it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession

from sandbox.app import running
from sandbox.state import Sandbox
from tests.support.control import Control


class Box:
    """A running sandbox: its parts, its control verbs, and a session to call it with."""

    def __init__(self, parts: Sandbox, session: ClientSession) -> None:
        """Hold a sandbox that runs."""
        self.parts = parts
        self.urls = parts.urls
        self.session = session
        self.control = Control(session, parts.urls.page)


@asynccontextmanager
async def sandbox_box(*, speed: float = 1.0, seed: int = 0) -> AsyncIterator[Box]:
    """Run a sandbox on free ports for as long as the block lasts."""
    async with running(speed=speed, seed=seed) as parts, ClientSession() as session:
        yield Box(parts, session)
