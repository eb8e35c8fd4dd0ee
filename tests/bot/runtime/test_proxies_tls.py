"""TLS by way of a proxy: between the ends, each name proven, each redirect judged."""

import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.domain.errors import MEDIA_REFUSED, MediaError, MediaUnavailableError
from bot.media.download import Media, PublicResolver
from bot.media.spool import Spool
from bot.runtime.proxies import connector
from tests.bot.runtime.test_proxies import proxy
from tests.support.errors import raises
from tests.support.needs import found, needs
from tests.support.spooled import kept

NAMES = ("telegram.example", "stories.example", "*.cdninstagram.com", "*.fbcdn.net")
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(1000)
KINDS = pytest.mark.parametrize("kind", ["http", "socks5"])

pytestmark = needs("openssl")


@dataclass(frozen=True)
class Trust:
    """An authority of our own, and what it gave to the names of ``NAMES``."""

    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))

    def server(self, seen: list[str]) -> ssl.SSLContext:
        """Return what an origin speaks; the names that it is asked by are added to ``seen``."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "leaf.pem", self.folder / "leaf.key")
        context.sni_callback = lambda _, name, __: seen.append(name or "")
        return context


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    folder = tmp_path_factory.mktemp("authority")
    names = ",".join(f"DNS:{name}" for name in NAMES)
    key = ("-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
           "-days", "2", "-quiet")  # fmt: skip
    for words in (
        (*key, "-subj", "/CN=Ours", "-keyout", "ca.key", "-out", "ca.pem",
         "-addext", "keyUsage=critical,keyCertSign"),
        (*key, "-subj", "/CN=leaf", "-keyout", "leaf.key", "-out", "leaf.pem",
         "-CA", "ca.pem", "-CAkey", "ca.key", "-addext", f"subjectAltName={names}",
         "-addext", "basicConstraints=critical,CA:false"),
    ):  # fmt: skip
        tool = str(found("openssl"))
        subprocess.run([tool, "req", *words], cwd=folder, check=True, capture_output=True)  # noqa: S603 - a tool of ours
    return Trust(folder)


@dataclass
class Origin:
    """An https server; ``seen`` are the names in the greetings of TLS."""

    at: str  # host:port
    seen: list[str] = field(default_factory=list)


@asynccontextmanager
async def origin(trust: Trust) -> AsyncIterator[Origin]:
    """Serve a photo at each path; ``/away?to=…`` leads to another address."""

    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path == "/away":
            return web.Response(status=302, headers={"Location": request.query["to"]})
        return web.Response(body=JPEG)

    made = Origin("")
    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=trust.server(made.seen))
    await site.start()
    made.at = f"127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()


class Book(AbstractResolver):
    """Leads each name to an address of its own."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = {"a": "157.240.1.1", "b": "157.240.2.2"}.get(host.partition(".")[0], "10.0.0.1")
        return [ResolveResult(hostname=host, host=address, port=port, family=family, proto=0,
                              flags=0)]  # fmt: skip

    async def close(self) -> None: ...


@KINDS
async def test_the_name_is_proven_to_us_and_not_to_the_proxy(kind: str, trust: Trust) -> None:
    async with origin(trust) as there, proxy(there.at) as by:
        url = f"{kind}://127.0.0.1:{by.port}"
        async with aiohttp.ClientSession(connector=connector(url, ssl=trust.client)) as session:
            async with session.get("https://telegram.example/") as answer:
                assert await answer.read() == JPEG
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get("https://other.example/")
        async with aiohttp.ClientSession(connector=connector(url)) as session:
            with pytest.raises(aiohttp.ClientConnectorError):  # nobody trusts that authority
                await session.get("https://telegram.example/")
        assert by.asked == [f"{one}.example:443" for one in ("telegram", "other", "telegram")]
        assert there.seen == ["telegram.example", "other.example", "telegram.example"]


@KINDS
async def test_each_redirect_of_media_is_judged_and_resolved_by_us(
    kind: str, trust: Trust, tmp_path: Path
) -> None:
    async with origin(trust) as there, proxy(there.at) as by:
        made = connector(
            f"{kind}://127.0.0.1:{by.port}", resolver=PublicResolver(Book()), ssl=trust.client
        )
        async with aiohttp.ClientSession(connector=made) as session:
            with Spool(tmp_path, limit=10**7) as spool:
                media = Media(session, spool)
                away = "https://a.cdninstagram.com/away?to="
                with kept(
                    await media.fetch(f"{away}https://b.fbcdn.net/x.jpg", max_bytes=10**6)
                ) as file:
                    assert file.kind == "photo"
                asked = ["157.240.1.1:443", "157.240.2.2:443"]  # addresses, never names
                assert (by.asked, there.seen) == (asked, ["a.cdninstagram.com", "b.fbcdn.net"])
                refused = {
                    "https://evil.example/x.jpg": MEDIA_REFUSED,
                    "http://b.fbcdn.net/x.jpg": MEDIA_REFUSED,
                    "https://b.fbcdn.net:8443/x.jpg": MEDIA_REFUSED,
                    "https://10.0.0.1/x.jpg": MEDIA_REFUSED,
                    "https://private.fbcdn.net/x.jpg": MediaUnavailableError.text,
                }
                for target, text in refused.items():
                    with raises(MediaError, text):
                        await media.fetch(away + target, max_bytes=10**6)
                assert set(by.asked) == set(asked)
