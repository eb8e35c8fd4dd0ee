"""A shared browser for all tests of the page, with a sandbox, a bot and a page for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from tests.sandbox.page.browser import ScriptedBot, Tab, chromium, tab
from tests.support.sandbox import Box, sandbox_box


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    """Run a real Chromium, or skip."""
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="package")
async def box() -> AsyncIterator[Box]:
    """Run a sandbox."""
    async with sandbox_box() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="package")
async def bot(box: Box) -> ScriptedBot:
    """Return a scripted bot."""
    return ScriptedBot(box)


@pytest_asyncio.fixture(loop_scope="package")
async def me(browser: Browser, box: Box, bot: ScriptedBot) -> AsyncIterator[Tab]:
    """Open the page as a new person in a desktop window, on the private chat with the bot."""
    await bot.call("getMe")
    async with tab(browser, box.urls.page) as opened:
        yield opened
