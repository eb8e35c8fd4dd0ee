"""A request leaves once: aiohttp sends a GET again by itself when its connection breaks."""

import aiohttp


class LostError(aiohttp.ClientError):
    """The connection broke after the request may have left."""


async def once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep the HTTP client from sending a request again by itself after a broken connection."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise LostError(type(error).__name__) from None
