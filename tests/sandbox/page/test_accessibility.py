"""axe-core finds nothing on the page: each theme, direction, size, and what opens."""

import pytest
from playwright.async_api import Browser, expect

from tests.sandbox.page.browser import (
    DESKTOP,
    PHONE,
    Json,
    ScriptedBot,
    chat_titled,
    findings_in,
    started,
    tab,
)
from tests.support.sandbox import Box

pytestmark = pytest.mark.asyncio(loop_scope="package")

ENGLISH = "Hi! Send me a name"
ARABIC = "👋 أهلًا! أرسل رابط قصة، أو اكتب <b>natgeo</b>"


async def told(bot: ScriptedBot, chat: int, text: str) -> None:
    """Fill a chat with all kinds of messages."""
    keys = {"inline_keyboard": [[{"text": "Show", "callback_data": "a"}]]}
    await bot.say(chat, text, parse_mode="HTML", reply_markup=keys)
    await bot.album(chat, 3, caption="Three stories")
    await bot.photo(chat, caption=text, reply_markup=keys)


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        pytest.param(DESKTOP, "light", id="desktop-light"),
        pytest.param(PHONE, "dark", id="phone-dark"),
        pytest.param(DESKTOP, "dark", id="desktop-dark", marks=pytest.mark.slow),
        pytest.param(PHONE, "light", id="phone-light", marks=pytest.mark.slow),
    ],
)
async def test_axe_finds_nothing(
    browser: Browser, box: Box, bot: ScriptedBot, *, theme: str, size: Json
) -> None:
    await bot.call("getMe")
    context: Json = {"color_scheme": theme, "bypass_csp": True}
    async with tab(browser, box.urls.page, size, **context) as me:
        page = me.page
        if size is PHONE:
            await expect(page.locator("#chats a").first).to_be_visible()
            assert await findings_in(me) == []
            await page.locator("#chats a").first.tap()
        chat = await started(me, bot)
        for text in (ENGLISH, ARABIC):
            await told(bot, chat, text)
        friends = await chat_titled(box, "Friends")
        for _ in range(10):  # axe-core passes over a text of one sign
            await bot.say(friends, "Unread")
        await expect(page.locator("article.theirs")).to_have_count(6)
        assert await findings_in(me) == []
        await page.get_by_role("button", name="Photo 1 of 3").last.click()
        await expect(page.locator("#viewer")).to_be_visible()
        assert await findings_in(me) == []
        await page.keyboard.press("Escape")
        await page.fill("#box", "/")
        if size is PHONE:
            await page.get_by_role("button", name="Sandbox panel").tap()
        await expect(page.locator("#panel")).to_be_visible()
        assert await findings_in(me) == []
        if size is PHONE:
            await page.keyboard.press("Escape")
            await expect(page.locator("#panel")).to_be_hidden()
