"""A relay of TCP connections between a bot and a server, which a test can cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Relay:
    """Relay to the server at ``address`` until ``cut``. ``url`` is the relay's address."""

    def __init__(self, address: str) -> None:
        """Prepare the relay. ``relay_to`` starts the listener."""
        there = urlsplit(address)
        self._host, self._port = str(there.hostname), int(there.port or 80)
        self._writers: set[asyncio.StreamWriter] = set()
        self.is_cut = False
        self.is_silent = False
        self.url = ""

    def cut(self) -> None:
        """Abort all connections, and all new connections until ``mend``."""
        self.is_cut = True
        for writer in list(self._writers):
            writer.transport.abort()

    def silence(self) -> None:
        """Drop all data without an error, as a network does that loses all packets."""
        self.is_silent = True

    def mend(self) -> None:
        """Relay data again."""
        self.is_cut = self.is_silent = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay the data of a connection in both directions."""
        if self.is_cut:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(self._host, self._port)
        self._writers |= {writer, back}
        try:
            await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))
        finally:
            self._writers -= {writer, back}

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while some := await reader.read(65_536):
                if not self.is_silent:
                    writer.write(some)
                    await writer.drain()
        writer.close()


@asynccontextmanager
async def relay_to(address: str) -> AsyncIterator[Relay]:
    """Yield a relay to the server at ``address``."""
    relay = Relay(address)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    relay.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield relay
    finally:
        server.close()
        relay.cut()
