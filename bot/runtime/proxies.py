"""Connections by way of a proxy, http (CONNECT) or socks5, as people behind blocks need them.

One connector serves all three remote services. aiohttp's own proxies know no socks5, and would
let the proxy resolve the names of media: those we resolve ourselves, so that none of them leads
into a private network, and the proxy is told an address.
"""

import asyncio
import socket
import ssl
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from python_socks import ProxyError, ProxyTimeoutError
from python_socks.async_.asyncio import Proxy

_CONNECT_S = 10.0


def connector(
    proxy: str = "",
    *,
    resolver: AbstractResolver | None = None,
    **options: Any,  # noqa: ANN401 - aiohttp's
) -> aiohttp.TCPConnector:
    """Return what makes the connections of a session, by way of ``proxy`` where one is named.

    With a ``resolver`` names are resolved by it, and the proxy gets the address; without, the
    proxy resolves them, since where a service is blocked its name often is as well.
    """
    if not proxy:
        return aiohttp.TCPConnector(resolver=resolver, **options)
    return _ByProxy(proxy, resolver=resolver or _Unresolved(), **options)


class _Unresolved(AbstractResolver):
    """Leaves names as they are, for the proxy to resolve."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the name in the place of an address."""
        return [
            ResolveResult(hostname=host, host=host, port=port, family=family, proto=0, flags=0)
        ]

    async def close(self) -> None:
        """Nothing is held."""


class _ByProxy(aiohttp.TCPConnector):
    """Asks a proxy for the connection; what is spoken over it, TLS too, is between the ends."""

    def __init__(self, proxy: str, **options: Any) -> None:  # noqa: ANN401 - aiohttp's
        """Connect by way of ``proxy``, an address that may hold a user and a password."""
        super().__init__(**options)
        self._proxy = proxy

    async def _wrap_create_connection(
        self,
        *args: Any,  # noqa: ANN401 - aiohttp's own signature
        addr_infos: list[Any],
        req: aiohttp.ClientRequest,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own signature
        client_error: type[Exception] = aiohttp.ClientConnectorError,
        **kwargs: Any,  # noqa: ANN401 - the same
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        """Take aiohttp's step from an address to a connection; its public ways know no proxy."""
        host, port = addr_infos[0][4][:2]
        try:
            made = await Proxy.from_url(self._proxy, rdns=True).connect(
                host, port, timeout=timeout.sock_connect or _CONNECT_S
            )
        except (ProxyError, ProxyTimeoutError, OSError, TimeoutError) as error:
            # Its own text may hold the proxy's address, and so a password.
            payload = OSError(None, f"the proxy makes no connection ({type(error).__name__})")
            raise client_error(req.connection_key, payload) from None
        try:
            return await self._loop.create_connection(*args, **kwargs, sock=made)
        except ssl.CertificateError as error:
            made.close()
            raise aiohttp.ClientConnectorCertificateError(req.connection_key, error) from error
        except OSError as error:
            made.close()
            raise client_error(req.connection_key, error) from error
