"""Downloads from a CDN that behaves, and from one that does not."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import (
    MEDIA_GONE,
    MEDIA_REFUSED,
    MediaError,
    MediaTooBigError,
    MediaUnavailableError,
)
from bot.media.download import Media, PublicResolver, is_public
from bot.media.spool import Spool
from tests.bot.media.test_spool import files_in
from tests.bot.stories_api.server import Answerer, response, says, serving
from tests.support.errors import raises
from tests.support.spooled import kept

MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(50_000)
MIB = 2**20
NOW = datetime(2026, 4, 8, tzinfo=UTC)


@asynccontextmanager
async def media_at(origin: str, folder: Path, deadline: float = 60) -> AsyncIterator[Media]:
    async with aiohttp.ClientSession() as session:
        with Spool(folder, limit=100 * MIB) as spool:
            yield Media(session, spool, trusted_origin=origin, deadline=deadline, now=lambda: NOW)
            assert (spool.used, files_in(folder)) == (0, [])


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (response(403, b"URL signature expired"), MEDIA_GONE),
        (response(404), MEDIA_GONE),
        (response(410), MEDIA_GONE),
        (response(401), MediaUnavailableError.text),
        (response(429), MediaUnavailableError.text),
        (response(500), MediaUnavailableError.text),
        (response(503), MediaUnavailableError.text),
        (response(204), MediaUnavailableError.text),
        (response(200, b""), MEDIA_REFUSED),
        (response(200, b"<html>sorry</html>", {"Content-Type": "image/jpeg"}), MEDIA_REFUSED),
        (response(200, b"<svg xmlns='x'/>" + bytes(100)), MEDIA_REFUSED),
        (response(200, MP4, length=10 * 2**30), MediaTooBigError.text),
        (response(200, MP4, length=len(MP4) + 10), MediaUnavailableError.text),
        (response(302, b"", {"Location": "http://127.0.0.1:1/x"}), MEDIA_REFUSED),
        (response(302, b"", {"Location": "https://evil.example/x"}), MEDIA_REFUSED),
        (response(302, b"", {"Location": "file:///etc/passwd"}), MEDIA_REFUSED),
        (response(302, b"", {"Location": "http://[broken"}), MediaUnavailableError.text),
        (response(302, b"", {"Location": "https://[a]@"}), MediaUnavailableError.text),
        (response(302, b"", {}), MEDIA_REFUSED),
        (b"SSH-2.0\r\n\r\n", MediaUnavailableError.text),
    ],
)
async def test_each_failure_has_its_kind(answer: bytes, text: str, tmp_path: Path) -> None:
    async with serving(says(answer)) as server, media_at(server.url, tmp_path) as media:
        with pytest.raises(MediaError) as caught:
            await media.fetch(f"{server.url}/v/1.mp4", max_bytes=MIB)
        assert caught.value.text == text


async def test_a_redirect_within_the_hosts_is_followed(tmp_path: Path) -> None:
    moved = response(302, b"", {"Location": "/v/2.mp4?a=%2F"})
    async with serving(says(moved, response(200, MP4))) as server:
        async with media_at(server.url, tmp_path) as media:
            with kept(await media.fetch(f"{server.url}/v/1.mp4", max_bytes=MIB)) as file:
                assert file.size == len(MP4)
        assert server.requests[1].startswith("GET /v/2.mp4?a=%2F ")
        assert "x-access-key" not in server.requests[0]


async def test_bytes_without_a_length_stop_at_the_limit(tmp_path: Path) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    def endless() -> Answerer:
        async def answer(_: object, writer: asyncio.StreamWriter) -> None:
            writer.write(chunked + b"%x\r\n" % len(MP4) + MP4 + b"\r\n")
            while True:
                writer.write(b"8000\r\n" + bytes(0x8000) + b"\r\n")
                await writer.drain()

        return answer

    async with serving(endless()) as server, media_at(server.url, tmp_path) as media:
        with pytest.raises(MediaTooBigError):
            await media.fetch(f"{server.url}/v/1.mp4", max_bytes=MIB)


async def test_a_slow_server_is_left_at_the_deadline(tmp_path: Path) -> None:
    async def drip(_: object, writer: asyncio.StreamWriter) -> None:
        writer.write(response(200, MP4[:100], length=len(MP4)))
        while True:
            writer.write(b"\x00")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with serving(drip) as server, media_at(server.url, tmp_path, deadline=0.3) as media:
        started = time.monotonic()
        with pytest.raises(MediaUnavailableError):
            await media.fetch(f"{server.url}/v/1.mp4", max_bytes=MIB)
        assert time.monotonic() - started < 60


async def test_an_address_that_has_expired_is_not_asked(tmp_path: Path) -> None:
    async with serving(says(response(200, MP4))) as server:
        async with media_at(server.url, tmp_path) as media:
            with raises(MediaError, MEDIA_GONE):
                await media.fetch(f"{server.url}/v/1.mp4?oe=60000000", max_bytes=MIB)
            assert not media.may_fetch("https://evil.example/1.mp4")
            with raises(MediaError, MEDIA_REFUSED):
                await media.fetch("https://evil.example/1.mp4", max_bytes=MIB)
        assert server.count == 0


PRIVATE = [
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1"),  # noqa: S104 - to be refused
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1"),
    *("::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::", "2001:db8::1"),
    *("2001:0:4136:e378:8000:63bf:80ff:fffe", "100::1", "", "localhost", "0x7f.1"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "157.240.1.1", "2a03:2880:f12f:83:face::25de"])
def test_public_ones_are(address: str) -> None:
    assert is_public(address)


class Rebinding(AbstractResolver):
    """Says a public address first and a private one then."""

    def __init__(self) -> None:
        self.answers = [["157.240.1.1", "127.0.0.1"], ["127.0.0.1"]]

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=ip, port=port, family=family, proto=0, flags=0)
            for ip in self.answers.pop(0)
        ]

    async def close(self) -> None:
        self.answers.clear()


@given(
    address=st.ip_addresses(v=4),
    prefix=st.sampled_from(
        [
            "::",
            "::ffff:0:0:0",
            "64:ff9b:1::",
            "fec0::",
            "fc00::",
            "fe80::",
            "::ffff:0:0",
            "64:ff9b::",
        ]
    ),
)
def test_no_form_of_ipv6_hides_a_private_address(
    address: ipaddress.IPv4Address, prefix: str
) -> None:
    """Only the two forms that lead to the internet are as public as the address in them."""
    whole = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(address))
    leads_out = prefix in {"::ffff:0:0", "64:ff9b::"}
    assert is_public(str(whole)) == (leads_out and is_public(str(address)))


async def test_a_name_leads_to_public_addresses_only() -> None:
    resolver = PublicResolver(Rebinding())
    assert [found["host"] for found in await resolver.resolve("x.fbcdn.net", 443)] == [
        "157.240.1.1"
    ]
    with pytest.raises(OSError, match="public"):
        await resolver.resolve("x.fbcdn.net", 443)
    await resolver.close()
