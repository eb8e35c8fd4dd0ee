"""A proxy between a process and a PostgreSQL server, whose connections a test can cut."""

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from tests.support.postgres import Postgres

SOCKET = ".s.PGSQL.5432"


class Cable:
    """A proxy of the server's socket. ``url`` is the database's address through the proxy."""

    def __init__(self, folder: Path, server: Postgres) -> None:
        """Prepare the proxy. ``cable`` starts the listener."""
        self.url = f"postgresql://postgres@/postgres?host={folder}"
        self.there = str(server.folder / SOCKET)
        self.here = str(folder / SOCKET)
        self.ends: set[_End] = set()
        self.opening: set[asyncio.Task[None]] = set()

    def cut(self, chance: random.Random) -> bool:
        """Abort a random connection in both directions. Return False if no connection exists."""
        ends = [end for end in self.ends if end.peer is not None]
        if not ends:
            return False
        end = chance.choice(ends)
        for one in (end, end.peer):
            if one is not None and one.transport is not None:
                one.transport.abort()
        return True


class _End(asyncio.Protocol):
    """One end of a connection. Received data is sent at the other end."""

    def __init__(self, cable: Cable, peer: "_End | None" = None) -> None:
        self._cable = cable
        self.peer = peer
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        if self.peer is not None:  # this end is connected to the server
            return
        self.transport.pause_reading()
        task = asyncio.get_running_loop().create_task(self._open())
        self._cable.opening.add(task)
        task.add_done_callback(self._cable.opening.discard)

    async def _open(self) -> None:
        assert self.transport is not None
        loop = asyncio.get_running_loop()
        try:
            _, self.peer = await loop.create_unix_connection(
                lambda: _End(self._cable, self), self._cable.there
            )
        except OSError:  # the server is down
            self.transport.abort()
            return
        self._cable.ends.add(self)
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.write(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self._cable.ends.discard(self)
        peer, self.peer = self.peer, None
        if peer is not None and peer.transport is not None:
            peer.transport.close()


@asynccontextmanager
async def cable(server: Postgres) -> AsyncIterator[Cable]:
    """Run a proxy of a server within the block."""
    with tempfile.TemporaryDirectory(prefix="pg") as folder:  # sockets need a short path
        one = Cable(Path(folder), server)
        loop = asyncio.get_running_loop()
        listener = await loop.create_unix_server(lambda: _End(one), one.here)
        try:
            yield one
        finally:
            listener.close()
            for end in list(one.ends):
                if end.transport is not None:
                    end.transport.abort()
