"""Highlights, several profiles at once, rules, topics: on the demo's page, in three languages."""

import pytest
from playwright.async_api import Browser, expect

from bot.presentation.html import Safe, plain
from bot.presentation.translation import translator_for
from handlers import rules
from tests.sandbox.page.browser import tab
from tests.support.demo import running_demo

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

PATIENCE_MS = 60_000


@pytest.mark.parametrize("locale", ["en-GB", "ru-RU", "ar"])
async def test_highlights_several_at_once_and_rules(
    browser: Browser, url: str, locale: str
) -> None:
    t = translator_for(locale)
    async with tab(browser, url, locale=locale) as me:
        me.page.set_default_timeout(PATIENCE_MS)
        theirs = me.page.locator("article.theirs")

        async def press(text: str) -> None:
            await me.page.get_by_role("button", name=text).last.click()

        async def told(*words: str) -> None:
            found = theirs.locator(".text")
            for word in words:
                found = found.filter(has_text=word)
            await expect(found.last).to_be_visible(timeout=PATIENCE_MS)

        await me.say("/highlights natgeo")
        await press("Oceans")
        album = theirs.filter(has=me.page.locator(".album")).last
        await expect(album.locator(".tile")).to_have_count(10, timeout=PATIENCE_MS)
        await expect(album.locator(".text")).to_contain_text("Oceans")
        await press(t.plain("Show more"))
        await told("Oceans", "2/3")

        await me.say("natgeo, prada")
        await press(t.plain("Subscribe to all"))
        await told("🔔", "natgeo", "prada")

        await me.say("/rules natgeo only: #sale not: video")
        for sentence, term in ((rules.ONLY, "#sale"), (rules.WITHOUT, "video")):
            await told(t(sentence, terms=t.apart(Safe(term))))
        await press(t.plain("Remove all rules"))
        await told(plain(t(rules.ALL)))


@pytest.mark.parametrize("locale", ["en-GB", "ru-RU", "ar"])
async def test_a_topic_of_its_own_in_the_forum(browser: Browser, locale: str) -> None:
    """The forum speaks the language of its first visitor, so each has a demo of their own."""
    t = translator_for(locale)
    async with running_demo() as url, tab(browser, url, locale=locale) as me:
        me.page.set_default_timeout(PATIENCE_MS)
        theirs, topics = me.page.locator("article.theirs"), me.page.locator("#topics button")
        await me.open("Travel club")
        await expect(topics).to_have_text(["All", "Photos", "Small talk"], timeout=PATIENCE_MS)
        await me.say("/subscribe quiet topic")
        told = theirs.locator(".text").filter(has_text="🔔").filter(has_text="quiet")
        await expect(told).to_be_visible(timeout=PATIENCE_MS)
        await expect(topics).to_have_text(
            ["All", "Photos", "Small talk", "quiet"], timeout=PATIENCE_MS
        )
        await me.page.select_option("#publish-as", "quiet")
        await me.page.get_by_role("button", name="Photo", exact=True).click()
        await topics.last.click()
        alert = theirs.filter(has=me.page.locator(".media"))
        await expect(alert.locator(".loaded")).to_have_count(1, timeout=PATIENCE_MS)
        await expect(alert.locator(".text")).to_contain_text("quiet", timeout=PATIENCE_MS)
        await expect(theirs).to_have_count(1, timeout=PATIENCE_MS)
        await topics.first.click()
        await me.say("/subscriptions")
        own = t.plain("{username} (own topic)", username="quiet")
        await me.page.get_by_role("button", name=own).click()
        how = t.plain("How: {value}", value="").strip(
            "\u2068\u2069 "
        )  # no value, nothing isolated
        await me.page.get_by_role("button", name=how).click()
        switch = me.page.get_by_role("button", name=t.plain("In its own topic"))
        await expect(switch).to_contain_text("✅", timeout=PATIENCE_MS)
        await switch.click()
        await expect(switch).to_contain_text("▫️", timeout=PATIENCE_MS)
        await me.page.get_by_role("button", name="Photo", exact=True).click()
        await expect(alert).to_have_count(2, timeout=PATIENCE_MS)
        await topics.last.click()
        # What came since is in the chat itself.
        await expect(theirs).to_have_count(1, timeout=PATIENCE_MS)
