"""Services that all methods share: web access, flood limits and webhooks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sandbox.fetching import Fetched
from sandbox.telegram.limits import Limits, Pacing
from sandbox.telegram.webhook import Webhooks

Fetch = Callable[[str], Awaitable[Fetched | None]]


@dataclass
class Services:
    """The services of a server."""

    fetch: Fetch
    limits: Limits
    pacing: Pacing
    webhooks: Webhooks
