"""axe-core finds nothing serious on the page: both themes, both directions, desktop and phone."""

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from tests.sandbox.page.browser import DESKTOP, PHONE, Json, ScriptedBot, started, tab
from tests.support.sandbox import Box

pytestmark = pytest.mark.asyncio(loop_scope="package")

GRAVE = {"serious", "critical"}
ARABIC = "👋 أهلًا! أرسل رابط قصة، أو اكتب <b>natgeo</b>"


async def told(bot: ScriptedBot, chat: int, text: str) -> None:
    """Fill a chat with all kinds of messages."""
    keys = {"inline_keyboard": [[{"text": "Show", "callback_data": "a"}]]}
    await bot.say(chat, text, parse_mode="HTML", reply_markup=keys)
    await bot.album(chat, 3, caption="Three stories")
    await bot.photo(chat, caption=text, reply_markup=keys)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("device", ["desktop", "phone"])
async def test_axe_finds_nothing_serious(
    browser: Browser, box: Box, bot: ScriptedBot, theme: str, device: str
) -> None:
    size, text = {"desktop": (DESKTOP, "Hi! Send me a name"), "phone": (PHONE, ARABIC)}[device]
    await bot.call("getMe")
    context: Json = {"color_scheme": theme, "bypass_csp": True}
    async with tab(browser, box.urls.page, size, **context) as me:
        if size is PHONE:
            await me.page.locator("#chats a").first.tap()
        chat = await started(me, bot)
        await told(bot, chat, text)
        await expect(me.page.locator("article.theirs")).to_have_count(3)
        results = await Axe().run(me.page)
    grave = [one for one in results.response["violations"] if one["impact"] in GRAVE]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in grave] == []
