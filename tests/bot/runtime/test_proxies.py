"""By way of a proxy: who resolves the name, what the proxy is told, and what a failure says."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from bot.domain.errors import MediaUnavailableError
from bot.media.download import Media
from bot.media.spool import Spool
from bot.runtime.proxies import connector
from tests.support.sandbox import sandbox_box
from tests.support.storybell import running_bell


@dataclass
class Proxy:
    """A proxy of both kinds that writes down where it was asked to go, and goes to ``leads``."""

    leads: str  # host:port, whatever was asked for; empty: there
    asked: list[str] = field(default_factory=list)
    port: int = 0
    password: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection, of whichever kind."""
        first = await reader.readexactly(1)
        target = await (self._socks if first == b"\x05" else self._http)(reader, writer)
        if target:
            self.asked.append(target)
            await joined(reader, writer, self.leads or target)

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if self.password and "Proxy-Authorization" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return ""
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        return head.split()[1]

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        if self.password:
            assert 2 in methods
            writer.write(b"\x05\x02")
            await reader.readexactly(1)
            await reader.readexactly((await reader.readexactly(1))[0])
            given = await reader.readexactly((await reader.readexactly(1))[0])
            writer.write(b"\x01\x00" if given.decode() == self.password else b"\x01\x01")
        else:
            writer.write(b"\x05\x00")
        kind = (await reader.readexactly(4))[3]
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            family = socket.AF_INET if kind == 1 else socket.AF_INET6
            host = socket.inet_ntop(family, await reader.readexactly(4 if kind == 1 else 16))
        port = int.from_bytes(await reader.readexactly(2), "big")
        writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        return f"{host}:{port}"


async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: str) -> None:
    """Pour what comes in to another server, and what it answers back."""
    host, _, port = to.rpartition(":")
    there, back = await asyncio.open_connection(host.strip("[]"), int(port))
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_pour(reader, back))
            group.create_task(_pour(there, writer))
    finally:
        back.close()


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await source.read(65536):
            target.write(chunk)
            await target.drain()
    target.close()


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve connections for as long as the block lasts; yield the port."""
    tasks: set[asyncio.Task[None] | None] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in filter(None, tasks):
            task.cancel()
        await asyncio.gather(*filter(None, tasks))


@asynccontextmanager
async def proxy(leads: str = "", password: str = "") -> AsyncIterator[Proxy]:
    made = Proxy(leads, password=password)
    async with serving(made.serve) as made.port:
        yield made


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_the_whole_bot_speaks_by_three_proxies(kind: str, tmp_path: Path) -> None:
    async with (
        sandbox_box() as box,
        proxy() as telegram,
        proxy(password="secret") as stories,
        proxy() as media,
    ):
        settings = {
            "telegram_proxy": f"{kind}://127.0.0.1:{telegram.port}",
            "stories_api_proxy": f"{kind}://ann:secret@127.0.0.1:{stories.port}",
            "media_proxy": f"{kind}://127.0.0.1:{media.port}",
        }
        big = await box.control.publish("prada", 2, bytes=21 * 2**20)  # Telegram takes no URL
        async with running_bell(tmp_path, box, **settings) as bell:
            ann = await bell.control.person()
            link = f"https://www.instagram.com/stories/prada/{big['pk']}/"
            (reply,) = await bell.ask(ann, link)
            assert reply["_source"] == "upload"
        ports = [url.rpartition(":")[2] for url in (box.urls.telegram, box.urls.stories_api)]
        assert set(telegram.asked) == {f"127.0.0.1:{ports[0]}"}
        assert set(stories.asked) == {f"127.0.0.1:{ports[1]}"}
        assert set(media.asked) == {box.urls.cdn.removeprefix("http://")}


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_a_proxy_that_refuses_or_is_gone_is_a_connection_that_was_not_made(
    kind: str, tmp_path: Path
) -> None:
    async with proxy(password="right") as by:
        url = f"{kind}://ann:pass-canary@127.0.0.1:{by.port}"
        without = f"{kind}://127.0.0.1:1"
        for one in (url if kind == "socks5" else without, without):
            async with aiohttp.ClientSession(connector=connector(one)) as session:
                with pytest.raises(aiohttp.ClientConnectorError) as failed:
                    await session.get("http://api.example/")
                assert "canary" not in str(failed.value)
                with Spool(tmp_path, limit=10**9) as spool:
                    media = Media(session, spool, trusted_origin="http://x.example")
                    with pytest.raises(MediaUnavailableError):
                        await media.fetch("http://x.example/y", max_bytes=100)
