"""What stays and what comes back: people, history, floods, a connection that breaks."""

import pytest
from playwright.async_api import Browser, WebSocketRoute, expect

from tests.sandbox.page.browser import READY, ScriptedBot, Tab, chat_titled, heard_in, started, tab
from tests.support.sandbox import Box

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_reload_brings_back_the_person_the_chat_and_its_history(
    me: Tab, bot: ScriptedBot
) -> None:
    chat = await started(me, bot)
    await bot.say(chat, "kept")
    await expect(me.page.locator("article.theirs")).to_have_count(1)
    await me.page.reload()
    await me.page.wait_for_selector(READY)
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
        await me.page.reload()
        await me.page.wait_for_selector(READY)
        assert "Guest" in (await bot.update("message"))["new_chat_members"][0]["first_name"]
        await me.say("hello")
        message = await bot.update("message")
        assert (message["text"], message["from"]["id"]) == ("hello", await me.me())


async def test_two_people_share_the_group_but_not_their_private_chats(
    me: Tab, bot: ScriptedBot, box: Box, browser: Browser
) -> None:
    chat = await started(me, bot)
    async with tab(browser, box.urls.page) as other:
        await bot.say(chat, "for one pair of eyes")
        await expect(other.page.locator("#chats a", has_text="Friends")).to_have_count(1)
        await other.open("Friends")
        await other.say("hello all")
        await expect(me.page.locator("#chats li", has_text="Friends")).to_contain_text("hello all")
        assert await other.page.locator("#chats").get_by_text("for one pair of eyes").count() == 0
        assert await other.me() != await me.me()


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


async def test_what_came_while_one_reads_above_is_counted(me: Tab, bot: ScriptedBot) -> None:
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


async def test_who_joins_is_told_but_not_counted(me: Tab, box: Box, bot: ScriptedBot) -> None:
    await started(me, bot)
    ann = await box.control.person("Ann")
    await box.control.member(await chat_titled(box, "Friends"), ann, "member")
    row = me.page.locator("#chats li", has_text="Friends")
    await expect(row.locator(".line")).to_have_text("Ann joined")
    await expect(row.locator(".unread")).to_have_count(0)
    await row.locator("a").click()
    await expect(me.page.locator(".pill", has_text="Ann joined")).to_be_visible()
    await expect(me.page.locator("#chat-sub")).to_have_text("3 members")


async def test_a_group_that_migrates_is_followed(me: Tab, box: Box, bot: ScriptedBot) -> None:
    await started(me, bot)
    await box.control.privacy_mode(on=False)
    old = await chat_titled(box, "Friends")
    await me.open("Friends")
    new = await box.control.migrate(old)
    await expect(me.page.locator("#chats a", has_text="Friends")).to_have_count(1)
    moved = me.page.locator(f"#chats a[href='#{new}']")
    await expect(moved).to_have_attribute("aria-current", "page")
    await me.say("still here?")
    assert await heard_in(bot, "still here?") == new


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
    await me.page.reload()
    await me.page.wait_for_selector(READY)
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
