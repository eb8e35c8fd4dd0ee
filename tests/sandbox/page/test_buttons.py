"""Inline buttons, commands and the Sandbox panel in a real browser."""

import pytest
from playwright.async_api import expect

from tests.sandbox.page.browser import ScriptedBot, Tab
from tests.support.control import wait_for
from tests.support.sandbox import Box

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def _buttons(me: Tab, bot: ScriptedBot, *row: dict[str, object]) -> int:
    await me.say("/start")
    chat = int((await bot.update("message"))["chat"]["id"])
    return await bot.say(chat, "Choose", reply_markup={"inline_keyboard": [list(row)]})


async def test_a_press_reaches_the_bot_and_its_answer_is_a_toast(
    me: Tab, bot: ScriptedBot
) -> None:
    sent = await _buttons(me, bot, {"text": "All stories", "callback_data": "all:natgeo"})
    button = me.page.get_by_role("button", name="All stories")
    await button.click()
    await expect(button).to_have_attribute("aria-busy", "true")
    query = await bot.update("callback_query")
    assert (query["data"], query["message"]["message_id"]) == ("all:natgeo", sent)
    assert query["from"]["id"] == await me.me()
    await bot.call("answerCallbackQuery", callback_query_id=query["id"], text="3 stories come")
    await expect(me.page.locator(".toast")).to_have_text("3 stories come")
    await expect(button).not_to_have_attribute("aria-busy", "true")


async def test_an_alert_stays_until_it_is_closed(me: Tab, bot: ScriptedBot) -> None:
    await _buttons(me, bot, {"text": "Stop", "callback_data": "stop", "style": "danger"})
    await me.page.get_by_role("button", name="Stop").click()
    query = await bot.update("callback_query")
    answer = {"callback_query_id": query["id"], "text": "Really?", "show_alert": True}
    await bot.call("answerCallbackQuery", **answer)
    alert = me.page.locator("dialog.alert")
    await expect(alert).to_contain_text("Really?")
    await me.page.keyboard.press("Enter")
    await expect(alert).to_have_count(0)


async def test_a_link_button_opens_elsewhere_but_the_bots_own_link_stays_here(
    me: Tab, bot: ScriptedBot
) -> None:
    name = (await bot.call("getMe"))["username"]
    await _buttons(
        me,
        bot,
        {"text": "Open on Instagram", "url": "https://www.instagram.com/natgeo/"},
        {"text": "Begin", "url": f"https://t.me/{name}?start=stories_natgeo"},
    )
    link = me.page.get_by_role("link", name="Open on Instagram")
    assert await link.get_attribute("href") == "https://www.instagram.com/natgeo/"
    assert await link.get_attribute("target") == "_blank"
    await me.page.get_by_role("link", name="Begin").click()
    assert (await bot.update("message"))["text"] == "/start stories_natgeo"


async def test_a_command_in_a_text_is_sent_by_a_click(me: Tab, bot: ScriptedBot) -> None:
    await me.say("/start")
    chat = (await bot.update("message"))["chat"]["id"]
    await bot.say(chat, "Try /help now")
    await me.page.locator(".command-link", has_text="/help").last.click()
    assert (await bot.update("message"))["text"] == "/help"


async def test_the_menu_shows_the_commands_of_the_persons_language(
    me: Tab, bot: ScriptedBot
) -> None:
    english = [{"command": "stories", "description": "Stories as an album"},
               {"command": "start", "description": "Begin"},
               {"command": "help", "description": "Help"}]  # fmt: skip
    spanish = [{"command": "stories", "description": "Historias en un álbum"}]
    await bot.call("setMyCommands", commands=english)
    await bot.call("setMyCommands", commands=spanish, language_code="es")
    options = me.page.locator("#commands li")
    await me.page.get_by_role("button", name="Commands").click()
    await expect(options).to_have_count(3)
    await me.page.keyboard.press("Escape")
    await expect(options).to_have_count(0)
    await me.page.locator("#box").press_sequentially("/st")
    await expect(options).to_have_count(2)
    await me.page.keyboard.press("ArrowDown")
    await expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    await me.page.keyboard.press("Tab")
    await expect(me.page.locator("#box")).to_have_value("/start ")
    await me.page.fill("#box", "")
    await me.page.select_option("#language", "es")
    await me.page.fill("#box", "/")
    await expect(options).to_contain_text(["Historias en un álbum"])
    await me.page.fill("#box", "/stories")
    await me.page.press("#box", "Enter")
    assert (await bot.update("message"))["text"] == "/stories"


async def test_the_panel_publishes_and_moves_the_clock(me: Tab, box: Box) -> None:
    before = await box.control.stories("quiet")
    assert before == []
    await me.page.select_option("#publish-as", "quiet")
    await me.page.get_by_role("button", name="Video", exact=True).click()
    await expect(me.page.locator(".toast")).to_have_text("quiet has posted a video.")
    assert [story["media_type"] for story in await box.control.stories("quiet")] == [2]
    start = (await box.control.state())["now"]
    await me.page.get_by_role("button", name="Move the clock on by 1 day").click()

    async def gone() -> bool:
        return await box.control.stories("quiet") == []

    await wait_for(gone)
    assert (await box.control.state())["now"] >= start + 86_400


async def test_the_panel_shows_the_bill(me: Tab, box: Box) -> None:
    await expect(me.page.locator("#bill-total")).to_have_text("0")
    url = f"{box.urls.stories_api}/v1/user/by/username?username=natgeo"
    async with box.session.get(url, headers={"x-access-key": "any"}) as answer:
        assert answer.status == 200
    await expect(me.page.locator("#bill-total")).to_have_text("1")
    await expect(me.page.locator("#bill-paths")).to_contain_text("/v1/user/by/username")
