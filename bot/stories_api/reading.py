"""Reading an answer: JSON of a good one, the few bytes of a bad one that matter."""

import aiohttp

from bot.stories_api.failures import OK, complaint_in
from bot.stories_api.response import NonsenseError, decode, read_body

ERROR_BUDGET = 256 * 1024  # bytes of an error's body


class ComplainedError(Exception):
    """A 200 whose body says that it is none."""

    def __init__(self, body: bytes) -> None:
        """Keep the body, which is judged like that of an error."""
        super().__init__("a complaint")
        self.body = body


async def read_json(response: aiohttp.ClientResponse) -> object:
    """Return the JSON of a good answer.

    Raises:
        NonsenseError: It is none, or leads elsewhere.
        ComplainedError: It is an error in the clothes of a 200.
    """
    if response.status != OK:
        raise NonsenseError("a redirect")
    body = await read_body(response)
    value = decode(body)
    if complaint_in(value):
        raise ComplainedError(body)
    return value


async def body_of_error(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of an error, empty when it can't be read."""
    try:
        return await read_body(response, ERROR_BUDGET)
    except (NonsenseError, aiohttp.ClientError, OSError):
        return b""  # the status says enough
