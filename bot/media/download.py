"""The download of a photo or video from an allowed host, with a size limit and a type check."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable
from datetime import datetime

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from yarl import URL

from bot.domain.errors import (
    MEDIA_GONE,
    MEDIA_REFUSED,
    MediaDeniedError,
    MediaError,
    MediaTooBigError,
    MediaUnavailableError,
)
from bot.media.slow_hosts import Download, SlowHosts
from bot.media.spool import MediaFile, Spool, write_stream
from bot.media.urls import MediaHosts, is_unexpired, parse
from bot.runtime.clock import utc_now

_HEADERS = {
    "User-Agent": "Storybell/1.0",
    "Accept": "image/jpeg,image/png,video/mp4,*/*;q=0.5",
    # Media files are already compressed, so the response needs no further compression.
    "Accept-Encoding": "identity",
}
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# The server answers with this status if the URL's signature has expired or was altered, or if the
# server refuses the bot's network.
_DENIED = 403
_GONE = frozenset({404, 410})
_MOST_HOPS = 5  # the maximum number of requests of a download, including redirects
_CHUNK = 64 * 1024
_DEADLINE = 120.0  # the maximum duration of a whole download in seconds
# The maximum number of seconds without a received byte. The limit is short, because a stalled
# download delays later downloads.
_SILENCE = 15.0


_UNICAST = ipaddress.IPv6Network("2000::/3")
MAPPED, NAT64 = ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv6Network("64:ff9b::/96")
"""The two IPv6 ranges outside of ``2000::/3`` that can lead to the public internet.

Both ranges embed IPv4 addresses. All other ranges outside of ``2000::/3`` that embed an IPv4
address lead into private networks. Sources: RFC 4291, 6052, 8215.
"""


class PublicResolver(AbstractResolver):
    """A resolver that returns only public IP addresses.

    If all addresses of a name are private, an error is raised.
    """

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        """Create a resolver that looks up names with ``resolver``.

        If ``resolver`` is None, names are looked up with the resolver of the system.
        """
        self._resolver = resolver or DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the public IP addresses of ``host``.

        The connection uses exactly these addresses, without a second look-up.

        Raises:
            OSError: The look-up failed, or the host has no public address.
        """
        addresses = await self._resolver.resolve(host, port, family)
        public = [result for result in addresses if is_public(result["host"])]
        if not public:
            raise OSError(None, f"{host} has no public address")
        return public

    async def close(self) -> None:
        """Close the wrapped resolver."""
        await self._resolver.close()


def is_public(address: str) -> bool:
    """Return whether an IP address is on the public internet.

    An IPv4 address inside of an IPv6 address must also be public. The result for an invalid
    address is False.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not ip.is_multicast
    last = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in MAPPED or ip in NAT64:
        return last.is_global and not last.is_multicast
    inner = [ip.sixtofour, *(ip.teredo or ())]
    if any(v4 is not None and not v4.is_global for v4 in inner):
        return False
    return ip in _UNICAST and ip.is_global


class Media:
    """The downloader of files from Instagram's media hosts into the spool."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        spool: Spool,
        *,
        trusted_origin: str = "",
        deadline: float = _DEADLINE,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Create a downloader. The connector of ``session`` should use ``PublicResolver``.

        Downloads from ``trusted_origin`` are allowed in addition to downloads from Instagram's
        hosts. ``deadline`` is the maximum duration of a download in seconds.
        """
        self._session = session
        self._spool = spool
        self._hosts = MediaHosts(trusted_origin)
        self._deadline = deadline
        self._now = now
        self.slow_hosts = SlowHosts(now)

    def may_fetch(self, url: str) -> bool:
        """Return whether ``MediaHosts`` allows a download of ``url``."""
        return self._hosts.allows(url)

    def slow_since(self, url: str) -> datetime | None:
        """Return the time at which the host of ``url`` became slow.

        Return None if the host is not slow now, or if the URL is invalid.
        """
        address = parse(url)
        return self.slow_hosts.slow_since(address.host or "") if address else None

    async def raise_if_spool_is_unwritable(self) -> None:
        """Check that a file can be stored, before credits are spent for a file.

        Raises:
            MediaUnavailableError: The spool is full or can't be written.
        """
        await self._spool.raise_if_unwritable()

    async def fetch(self, url: str, *, max_bytes: int) -> MediaFile:
        """Download the file at ``url`` into the spool. The caller must remove the returned file.

        Raises:
            MediaDeniedError: The server answers with the status 403.
            MediaError: The URL has expired or expires within 60 seconds, the host is not allowed,
                the server redirects too often, the file was deleted, or the content is no photo or
                video.
            MediaTooBigError: The file has more than ``max_bytes`` bytes.
            MediaUnavailableError: The server is slow or fails, or the spool or the disk is full.
        """
        if not is_unexpired(url, self._now()):
            raise MediaError("the address has expired", text=MEDIA_GONE)
        try:
            async with asyncio.timeout(self._deadline):
                return await self._fetch_with_redirects(url, max_bytes)
        except MediaTooBigError:
            raise MediaTooBigError(f"over {max_bytes} bytes", url=url) from None
        except TimeoutError:
            raise MediaUnavailableError("too slow") from None
        # yarl raises ValueError or IndexError for an invalid target of a redirect.
        except (aiohttp.ClientError, OSError, ValueError, IndexError) as error:
            raise MediaUnavailableError(type(error).__name__) from None

    async def _fetch_with_redirects(self, url: str, max_bytes: int) -> MediaFile:
        for _ in range(_MOST_HOPS):
            address = parse(url)
            if address is None or not self._hosts.allows(url):
                raise MediaError("not a host that media may come from", text=MEDIA_REFUSED)
            host = address.host or ""
            asked = self._session.get(
                address,
                headers=_HEADERS,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=_SILENCE),
            )
            with self.slow_hosts.measuring_download(host):
                response = await asked
            async with response:
                if response.status not in REDIRECTS:
                    return await self._save_or_raise_by_status(response, max_bytes, host)
                url = str(address.join(URL(response.headers.get("Location", ""), encoded=True)))
        raise MediaError("too many redirects", text=MEDIA_REFUSED)

    async def _save_or_raise_by_status(
        self, response: aiohttp.ClientResponse, max_bytes: int, host: str
    ) -> MediaFile:
        if response.status == _DENIED:
            raise MediaDeniedError(f"status {response.status}")
        if response.status in _GONE:
            raise MediaError(f"status {response.status}", text=MEDIA_GONE)
        if response.status != 200:  # noqa: PLR2004 - HTTP's OK
            raise MediaUnavailableError(f"status {response.status}")
        length = response.content_length
        if length is not None and length > max_bytes:
            raise MediaTooBigError
        async with self._spool.draft(max_bytes if length is None else length) as draft:
            with self.slow_hosts.measuring_download(host) as download:
                return await write_stream(_yield_and_count_bytes(response, download), draft)


async def _yield_and_count_bytes(
    response: aiohttp.ClientResponse, download: Download
) -> AsyncIterator[bytes]:
    """Yield the parts of the response's body, and count their bytes in ``download``."""
    async for chunk in response.content.iter_chunked(_CHUNK):
        download.received += len(chunk)
        yield chunk
