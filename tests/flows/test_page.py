"""The demo as a person meets it: `python -m bot demo`, and its page in a real browser."""

import re

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, expect

from bot.domain.errors import ProfilePrivateError
from bot.presentation.html import plain
from bot.presentation.translation import translator_for
from tests.sandbox.page.browser import DESKTOP, PHONE, tab
from tests.support.control import Control

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLOW_MS = 30_000


async def test_a_pasted_link_becomes_the_story_and_its_button_the_album(
    browser: Browser, url: str
) -> None:
    async with tab(browser, url) as me:
        me.page.set_default_timeout(SLOW_MS)
        link = await me.page.locator(".sample code").first.text_content()
        assert link
        await me.say(link)
        story = me.page.locator("article.theirs").filter(has=me.page.locator(".media.single"))
        await expect(story.locator(".loaded")).to_have_count(1, timeout=SLOW_MS)
        await expect(story.locator(".text")).to_contain_text("natgeo")
        await expect(me.page.locator("#bill-total")).to_have_text("1")
        await story.get_by_role("button", name="All stories from natgeo").click()
        album = me.page.locator("article.theirs").filter(has=me.page.locator(".album"))
        await expect(album.locator(".tile")).to_have_count(3, timeout=SLOW_MS)
        await expect(album.locator(".loaded")).to_have_count(3)
        await expect(me.page.locator(".key[aria-busy=true]")).to_have_count(0)
        await album.locator(".tile").first.click()
        await expect(me.page.locator("#viewer .who")).to_contain_text("1 of 3")


@pytest.mark.slow
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
        await me.say("/subscribe @quiet")
        await expect(me.page.locator("article.theirs .text")).to_contain_text("quiet")
        await me.page.get_by_role("button", name="Sandbox panel").tap()
        await me.page.select_option("#publish-as", "quiet")
        await me.page.get_by_role("button", name="Photo").tap()
        await me.page.get_by_role("button", name="Close the sandbox panel").tap()
        alert = me.page.locator("article.theirs").filter(has=me.page.locator(".media"))
        await expect(alert.locator(".loaded")).to_have_count(1, timeout=240_000)
        await expect(alert.locator(".text")).to_contain_text("quiet")


async def test_a_story_is_found_by_typing_and_sent_into_a_group(
    browser: Browser, url: str
) -> None:
    async with tab(browser, url) as me:
        me.page.set_default_timeout(SLOW_MS)
        await me.say("/stories prada")
        shown = me.page.locator("article.theirs")
        await expect(shown.filter(has=me.page.locator(".media")).last).to_be_visible()
        share = me.page.get_by_role("button", name="Share")
        await share.last.click()
        name = (await me.page.locator("#box").input_value()).split()[0]
        results = me.page.locator("#inline .result")
        await expect(results).to_have_count(1)
        await me.page.fill("#box", "")
        await expect(me.page.locator("#inline")).to_be_hidden()
        await me.open("Travel club")
        await me.page.locator("#box").press_sequentially(f"{name} prada", delay=10)
        await expect(results).to_have_count(1)
        await results.first.click()
        mine = me.page.locator("article.mine").filter(has=me.page.locator(".media"))
        await expect(mine.locator(".via")).to_have_text(f"via {name}")
        await expect(mine.get_by_role("link", name="Open on Instagram")).to_be_visible()
        await me.page.fill("#box", f"{name} nobody.at.all")
        await me.page.locator("#inline").get_by_role("button").click()
        await expect(me.page.locator("article.theirs").last).to_contain_text("nobody.at.all")
        await expect(me.page.locator("#chat-title")).to_have_text("Storybell")


TOPIC = "/subscribe prada topic"


async def test_a_later_visitor_can_do_the_whole_tour(browser: Browser, url: str) -> None:
    async with ClientSession() as session:
        for name in ("Ann", "Bob", "Cleo"):
            await Control(session, url).person(name)
    async with tab(browser, url) as first, tab(browser, url) as later:
        for me in (first, later):
            me.page.set_default_timeout(SLOW_MS)
            await me.page.get_by_role("button", name=f"Send {TOPIC}", exact=True).click()
            await expect(me.page.locator("#chat-title")).to_have_text("Travel club")
            answer = me.page.locator("article.theirs .text").last
            await expect(answer).to_contain_text("prada", timeout=SLOW_MS)
            await expect(answer).not_to_contain_text("admin")
            await expect(me.page.locator(".samples li.tried")).to_have_count(1)
        await later.page.get_by_role("button", name="Send /spending", exact=True).click()
        await expect(later.page.locator("#chat-title")).to_have_text("Storybell")
        await expect(later.page.locator("article.theirs .text").last).to_contain_text("7 days:")


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("locale", ["en-GB", "ru-RU", "ar"])
async def test_the_tour_is_ticked_off_in_the_visitors_language(
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
            title = "Travel club" if text == TOPIC else "Storybell"
            await expect(me.page.locator("#chat-title")).to_have_text(title)
            await expect(me.page.locator("article.mine").last).to_contain_text(text)
            await expect(me.page.locator("article").last).to_have_class(
                re.compile("theirs"), timeout=120_000
            )
            await expect(me.page.locator(".samples li.tried")).to_have_count(number)
        await expect(me.page.locator("ol.samples")).to_be_hidden()
        private = translator_for(locale)(ProfilePrivateError.text, username="locked")
        said = me.page.locator("article.theirs .text", has_text=plain(private))
        await expect(said).to_have_count(1)


async def test_the_button_that_adds_the_bot_makes_a_group_in_the_demo(
    browser: Browser, url: str
) -> None:
    async with tab(browser, url) as me:
        me.page.set_default_timeout(SLOW_MS)
        await me.say("/help")
        await me.page.get_by_role("button", name="Channels and groups").click()
        await me.page.get_by_role("link", name="Add me to a group").click()
        await expect(me.page.locator("#chat-title")).to_have_text("My group")
        await expect(me.page.locator("article.theirs").first).to_contain_text("/subscribe")
