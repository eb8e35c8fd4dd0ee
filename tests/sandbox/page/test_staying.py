"""What stays and what comes back: people, history, floods, a connection that breaks."""

import pytest
from playwright.async_api import WebSocketRoute, expect

from tests.sandbox.page.browser import ScriptedBot, Tab, started

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_reload_brings_back_the_person_the_chat_and_its_history(
    me: Tab, bot: ScriptedBot
) -> None:
    chat = await started(me, bot)
    await bot.say(chat, "kept")
    await expect(me.page.locator("article.theirs")).to_have_count(1)
    await me.reload()
    assert await me.me() == chat
    await expect(me.page.locator("article.theirs")).to_contain_text("kept")
    await expect(me.page.locator("article.mine")).to_have_count(1)
    await expect(me.page.locator(".unread:visible")).to_have_count(0)


async def test_a_person_that_the_sandbox_does_not_know_is_made_anew(
    me: Tab, bot: ScriptedBot
) -> None:
    own = f'{{"id": {await me.me()}, "run": "an earlier run"}}'
    for kept in (own, '{"id": "<img>"}', "not json", "null"):
        await me.page.evaluate("kept => localStorage.setItem('storybell.person', kept)", kept)
        await me.reload()
        for title in ("Friends", "Travel club"):
            joined = await bot.update("message")
            assert joined["chat"]["title"] == title
            assert "Guest" in joined["new_chat_members"][0]["first_name"]
        await me.say("hello")
        message = await bot.update("message")
        assert (message["text"], message["from"]["id"]) == ("hello", await me.me())


async def test_a_flood_is_drawn_without_falling_behind(me: Tab, bot: ScriptedBot) -> None:
    chat = await started(me, bot)
    for number in range(400):
        await bot.say(chat, f"line {number}")
    articles = me.page.locator("article")
    await expect(articles.last).to_contain_text("line 399", timeout=3_000)
    await expect(articles.last).to_be_in_viewport()
    assert await articles.count() == 150
    await me.page.get_by_role("button", name="Earlier messages").click()
    await expect(articles).to_have_count(300)
    await expect(articles.nth(150)).to_be_in_viewport()


async def test_messages_that_arrive_while_scrolled_up_are_counted(
    me: Tab, bot: ScriptedBot
) -> None:
    chat = await started(me, bot)
    for number in range(40):
        await bot.say(chat, f"line {number}")
    await expect(me.page.locator("article").last).to_contain_text("line 39")
    await me.page.evaluate("document.querySelector('#log').scrollTop = 0")
    await expect(me.page.locator("#to-end")).to_be_visible()
    await bot.say(chat, "new one")
    await bot.say(chat, "new two")
    await expect(me.page.locator("#missed")).to_have_text("2")
    await expect(me.page.locator("article").first).to_be_in_viewport()
    await me.page.get_by_role("button", name="To the latest message").click()
    await expect(me.page.locator("article").last).to_be_in_viewport()
    await expect(me.page.locator("#to-end")).to_be_hidden()


async def test_a_lost_connection_comes_back_with_what_was_missed(
    me: Tab, bot: ScriptedBot
) -> None:
    chat = await started(me, bot)
    sockets: list[WebSocketRoute] = []
    deaf = False

    def connect(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        server = socket.connect_to_server()
        server.on_message(lambda said: None if deaf else socket.send(said))

    await me.page.route_web_socket("**/ws", connect)
    await me.reload()
    deaf = True
    await bot.say(chat, "said while nobody heard")
    await expect(me.page.locator("article.mine")).to_have_count(1)
    assert await me.page.locator("article.theirs").count() == 0
    deaf = False
    await sockets[-1].close()
    await expect(me.page.locator("article.theirs")).to_contain_text("while nobody heard")
    await bot.say(chat, "and heard again")
    await expect(me.page.locator("article.theirs").last).to_contain_text("heard again")
    assert len(sockets) == 2
