"""The demo as a person meets it: `python -m bot demo`, and its page in a real browser."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.sandbox.page.browser import DESKTOP, PHONE, chromium, tab

pytestmark = pytest.mark.asyncio(loop_scope="module")

URL = re.compile(r"http://127\.0\.0\.1:\d+")
START_S = 30
STOP_S = 20
SLOW_MS = 30_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Run a real Chromium, or skip."""
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url() -> AsyncIterator[str]:
    """Run the demo as its command does, and end it as Ctrl-C does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROWSER", "true")  # a program that opens nothing
        patch.setenv("COLUMNS", "200")
        demo = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "demo", "--port-base", "0", stdout=asyncio.subprocess.PIPE
        )
    try:
        async with asyncio.timeout(START_S):
            address = await _address(demo)
        yield address
    finally:
        if demo.returncode is None:
            demo.send_signal(signal.SIGINT)
        async with asyncio.timeout(STOP_S):
            await demo.communicate()
    assert demo.returncode == 0


async def _address(demo: asyncio.subprocess.Process) -> str:
    assert demo.stdout
    async for line in demo.stdout:
        if found := URL.search(line.decode()):
            return found[0]
    raise AssertionError("the demo ended before it said where it is")


async def test_a_pasted_link_becomes_the_story_and_its_button_the_album(
    browser: Browser, url: str
) -> None:
    async with tab(browser, url) as me:
        me.page.set_default_timeout(SLOW_MS)
        link = await me.page.locator(".sample code").first.text_content()
        assert link
        await me.say(link)
        story = me.page.locator("article.theirs").filter(has=me.page.locator(".media.single"))
        await expect(story.locator(".loaded")).to_have_count(1)
        await expect(story.locator(".text")).to_contain_text("natgeo")
        await expect(me.page.locator("#bill-total")).to_have_text("1")
        await story.get_by_role("button", name="All stories from natgeo").click()
        album = me.page.locator("article.theirs").filter(has=me.page.locator(".album"))
        await expect(album.locator(".tile")).to_have_count(3)
        await expect(album.locator(".loaded")).to_have_count(3)
        await expect(me.page.locator(".key[aria-busy=true]")).to_have_count(0)
        await album.locator(".tile").first.click()
        await expect(me.page.locator("#viewer .who")).to_contain_text("1 of 3")


async def test_the_menu_and_the_answers_speak_the_persons_language(
    browser: Browser, url: str
) -> None:
    async with tab(browser, url, DESKTOP, locale="es-ES") as me:
        await me.page.fill("#box", "/st")
        await expect(me.page.locator("#commands")).to_contain_text("historias")
        await me.say("/help")
        await expect(me.page.locator("article.theirs")).to_contain_text("historias")
        assert await me.page.locator("article.theirs .text").first.get_attribute("dir") == "auto"


async def test_a_new_story_rings_in_the_chat_that_subscribed(browser: Browser, url: str) -> None:
    async with tab(browser, url, PHONE, color_scheme="dark") as me:
        await me.page.locator("#chats a").first.tap()
        await me.say("/subscribe quiet")
        await expect(me.page.locator("article.theirs .text")).to_contain_text("quiet")
        await me.page.get_by_role("button", name="Sandbox panel").tap()
        await me.page.select_option("#publish-as", "quiet")
        await me.page.get_by_role("button", name="Photo").tap()
        await me.page.get_by_role("button", name="Close the sandbox panel").tap()
        alert = me.page.locator("article.theirs").filter(has=me.page.locator(".media"))
        await expect(alert.locator(".loaded")).to_have_count(1, timeout=240_000)
        await expect(alert.locator(".text")).to_contain_text("quiet")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("locale", "size"), [("en-GB", DESKTOP), ("ru-RU", PHONE), ("ar", DESKTOP), ("ar", PHONE)]
)
async def test_the_tour_is_ticked_off(
    browser: Browser, url: str, locale: str, size: dict[str, int]
) -> None:
    async with tab(browser, url, size, locale=locale) as me:
        me.page.set_default_timeout(SLOW_MS)
        if size is PHONE:
            await me.page.locator("#chats a").first.tap()
        texts = await me.page.locator(".sample code").all_text_contents()
        for number, text in enumerate(texts, 1):
            if size is PHONE:
                await me.page.get_by_role("button", name="Sandbox panel").tap()
            await me.page.get_by_role("button", name=f"Send {text}", exact=True).click()
            await expect(me.page.locator("article.mine")).to_have_count(number)
            await expect(me.page.locator("article").last).to_have_class(
                re.compile("theirs"), timeout=120_000
            )
            await expect(me.page.locator(".samples li.tried")).to_have_count(number)
        await expect(me.page.locator("ol.samples")).to_be_hidden()
