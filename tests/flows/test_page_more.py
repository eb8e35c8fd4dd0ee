"""Highlights, several profiles at once and rules, on the demo's page, in three languages."""

import pytest
from playwright.async_api import Browser, expect

from bot.presentation.html import Safe, plain
from bot.presentation.translation import translator_for
from handlers import rules
from tests.sandbox.page.browser import tab

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
