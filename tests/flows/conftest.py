"""A bot and a sandbox for all flow tests of a module; each test creates new people."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.sandbox.page.browser import chromium
from tests.support.control import Control
from tests.support.demo import running_demo
from tests.support.storybell import Bell, storybell


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Bell]:
    """Run the bot for all tests of the module, with the module's ``TIMING`` and ``SETTINGS``."""
    timing = getattr(request.module, "TIMING", None)
    plenty = {"daily_budget": 1_000_000}
    plenty |= {"person_daily_allowance": 10_000, "max_subscriptions": 240}
    plenty |= {"max_new_subscriptions_a_day": 60, "chat_daily_allowance": 1000}
    plenty |= getattr(request.module, "SETTINGS", {})
    async with storybell(tmp_path_factory.mktemp("bell"), timing=timing, **plenty) as running:
        await running.control.privacy_mode(on=False)  # the bot receives plain messages in groups
        yield running


@pytest.fixture
def control(bell: Bell) -> Control:
    """Return the client of the sandbox's control API."""
    return bell.control


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Run a real Chromium, or skip."""
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url() -> AsyncIterator[str]:
    """Run the demo as the demo command does; yield the URL."""
    async with running_demo() as address:
        yield address
