"""How the page looks and reads: on a phone, in a narrow window, by the keyboard alone."""

import pytest
from playwright.async_api import Browser, expect

from tests.sandbox.page.browser import PHONE, ScriptedBot, Tab, tab
from tests.support.sandbox import Box

pytestmark = pytest.mark.asyncio(loop_scope="package")


# What stands out of the window, or out of the messages' own column.
WIDER = """(width) => {
  const log = document.querySelector("#log");
  const parts = "nav, main, #chat-head, #log, form, .typing, #send, .bubble, .key, .text, select";
  const wide = [...document.querySelectorAll(parts)].filter((node) => {
    const { left, right } = node.getBoundingClientRect();
    return left < 0 || right > width;
  });
  if (log.scrollWidth > log.clientWidth) wide.push(log);
  return wide.map((node) => node.id || node.className || node.tagName);
}"""


async def _talk(one: Tab, bot: ScriptedBot) -> None:
    await one.say("https://www.instagram.com/stories/natgeo/3456789012345678901/")
    chat = int((await bot.update("message"))["chat"]["id"])
    await bot.album(chat, 5, caption="<b>National Geographic</b>\n2 h ago", parse_mode="HTML")
    stories = {"text": "All stories from natgeo", "callback_data": "a"}
    link = {"text": "Open on Instagram", "url": "https://www.instagram.com/natgeo/"}
    keys = {"inline_keyboard": [[stories, link]]}
    await bot.say(chat, "What " + "a very long word " * 12, reply_markup=keys)
    await bot.say(chat, "W" * 300)
    await expect(one.page.locator("article.theirs")).to_have_count(3)


async def test_a_phone_shows_one_pane_at_a_time(
    browser: Browser, box: Box, bot: ScriptedBot
) -> None:
    async with tab(browser, box.urls.page, PHONE) as one:
        chats, chat = one.page.locator("#sidebar"), one.page.locator("#chat")
        await expect(chats).to_be_visible()
        await expect(chat).to_be_hidden()
        await one.page.locator("#chats a", has_text="Storybell").tap()
        await expect(chats).to_be_hidden()
        await expect(chat).to_be_visible()
        await _talk(one, bot)
        assert await one.page.evaluate(WIDER, PHONE["width"]) == []
        await one.page.get_by_role("button", name="Sandbox panel").tap()
        await one.page.get_by_role("button", name="Send /spending").tap()
        await expect(one.page.locator("#panel")).to_be_hidden()
        await expect(one.page.locator("article.mine")).to_have_count(2)
        await one.page.get_by_role("button", name="Back to the chats").tap()
        await expect(chats).to_be_visible()
        await expect(chat).to_be_hidden()


@pytest.mark.parametrize("width", [320, 380, 761, 1280])
async def test_nothing_is_wider_than_the_window(
    browser: Browser, box: Box, bot: ScriptedBot, width: int
) -> None:
    async with tab(browser, box.urls.page, {"width": width, "height": 700}) as one:
        await one.page.evaluate("id => (location.hash = `#${id}`)", await one.me())
        await _talk(one, bot)
        assert await one.page.evaluate(WIDER, width) == []
        await expect(one.page.locator("article").last).to_be_in_viewport()


GAPS = """[...document.querySelectorAll("article .bubble")].map((node, n, all) =>
  n ? Math.round(node.getBoundingClientRect().top - all[n - 1].getBoundingClientRect().bottom) : 0
).slice(1)"""


async def test_short_messages_follow_each_other_closely(me: Tab, bot: ScriptedBot) -> None:
    await me.say("Hm")
    chat = int((await bot.update("message"))["chat"]["id"])
    await bot.say(chat, "Yes?")
    await expect(me.page.locator("article.theirs")).to_have_count(1)
    await me.say("Never mind")
    await expect(me.page.locator("article")).to_have_count(3)
    assert all(gap < 12 for gap in await me.page.evaluate(GAPS))


async def test_the_keyboard_alone_is_enough(me: Tab, bot: ScriptedBot) -> None:
    await me.say("/start")
    chat = (await bot.update("message"))["chat"]["id"]
    keys = {"inline_keyboard": [[{"text": "Press me", "callback_data": "x"}]]}
    await bot.say(chat, "Choose", reply_markup=keys)
    await expect(me.page.get_by_role("button", name="Press me")).to_be_visible()
    for _ in range(12):
        await me.page.keyboard.press("Shift+Tab")
        if await me.page.evaluate("document.activeElement.textContent") == "Press me":
            break
    ring = "getComputedStyle(document.activeElement).outlineStyle"
    assert await me.page.evaluate(ring) == "solid"
    await me.page.keyboard.press("Enter")
    assert (await bot.update("callback_query"))["data"] == "x"
