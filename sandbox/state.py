"""The parts of a running sandbox."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from sandbox.beliefs import Switches
from sandbox.cdn import Cdn
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.instagram import Instagram
from sandbox.requestlog import RequestLog
from sandbox.stories_api.server import StoriesApi
from sandbox.telegram.server import Telegram


@dataclass
class Urls:
    """The origins of the four listeners, without a trailing slash."""

    page: str = ""
    telegram: str = ""
    stories_api: str = ""
    cdn: str = ""


@dataclass
class Sandbox:
    """All parts of a running sandbox."""

    clock: Clock
    faults: Faults
    log: RequestLog
    instagram: Instagram
    cdn: Cdn
    stories_api: StoriesApi
    telegram: Telegram
    switches: Switches
    urls: Urls = field(default_factory=Urls)
    closing: AsyncExitStack = field(default_factory=AsyncExitStack)
