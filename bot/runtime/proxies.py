"""Connections through an http (CONNECT) or socks5 proxy, for networks that block a service.

The proxy support of aiohttp lacks socks5, and lets the proxy resolve names. The bot resolves the
names of media hosts itself, so that no name can lead into a private network.
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
    **options: Any,  # noqa: ANN401 - aiohttp's options
) -> aiohttp.TCPConnector:
    """Return a connector for an ``aiohttp.ClientSession``.

    ``proxy`` is the URL of the proxy, or empty. With a proxy and without ``resolver``, the proxy
    resolves the names, because a network that blocks a service often also blocks the lookup.
    """
    if not proxy:
        return aiohttp.TCPConnector(resolver=resolver, **options)
    return _ByProxy(proxy, resolver=resolver or _Unresolved(), **options)


class _Unresolved(AbstractResolver):
    """A resolver that returns host names unchanged, so that the proxy resolves the names."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the host name itself instead of an IP address."""
        return [
            ResolveResult(hostname=host, host=host, port=port, family=family, proto=0, flags=0)
        ]

    async def close(self) -> None:
        """Do nothing, because this resolver has no open resources."""


class _ByProxy(aiohttp.TCPConnector):
    """A connector that connects through a proxy.

    With https, the proxy cannot read the data.
    """

    def __init__(self, proxy: str, **options: Any) -> None:  # noqa: ANN401 - aiohttp's options
        """Create a connector for the proxy with the URL ``proxy``.

        The URL can contain a user and a password. ``options`` are further arguments of
        ``aiohttp.TCPConnector``.
        """
        super().__init__(**options)
        self._proxy = proxy

    async def _wrap_create_connection(
        self,
        *args: Any,  # noqa: ANN401 - aiohttp's own signature
        addr_infos: list[Any],
        req: aiohttp.ClientRequest,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own signature
        client_error: type[Exception] = aiohttp.ClientConnectorError,
        **kwargs: Any,  # noqa: ANN401 - aiohttp's own signature
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        """Connect to an address through the proxy. aiohttp has no public hook for this step.

        Raises:
            ClientConnectorCertificateError: The certificate of the server is invalid.
            ClientConnectorError: The proxy or the server makes no connection. ``client_error`` can
                be a different class.
        """
        host, port = addr_infos[0][4][:2]
        try:
            made = await Proxy.from_url(self._proxy, rdns=True).connect(
                host, port, timeout=timeout.sock_connect or _CONNECT_S
            )
        except (ProxyError, ProxyTimeoutError, OSError, TimeoutError) as error:
            # The text of the original error is not used, because the text can contain the proxy's
            # URL with a password.
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
