"""The conversation in a real browser: both directions, edits, chats side by side, reload."""

import pytest
from playwright.async_api import Browser, expect

from tests.sandbox.page.browser import READY, ScriptedBot, Tab, tab
from tests.support.sandbox import Box

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_first_visit_says_what_to_do(me: Tab, bot: ScriptedBot) -> None:
    await expect(me.page.locator("#empty")).to_contain_text("/stories natgeo")
    await expect(me.page.locator("#chat-title")).to_have_text("Storybell")
    names = await me.page.locator("#chats strong").all_text_contents()
    assert sorted(names) == ["Friends", "Story news", "Storybell"]
    await me.page.click("#start")
    message = await bot.update("message")
    assert message["text"] == "/start"
    assert message["from"]["language_code"] == "en"
    await expect(me.page.locator("#empty")).to_be_hidden()


async def test_what_one_types_reaches_the_bot_and_its_answer_the_page(
    me: Tab, bot: ScriptedBot
) -> None:
    await me.say("Hello <b>bot</b> & co\nsecond line")
    message = await bot.update("message")
    assert message["text"] == "Hello <b>bot</b> & co\nsecond line"
    mine = me.page.locator("article.mine .text")
    await expect(mine).to_contain_text("Hello <b>bot</b> & co")
    await bot.say(message["chat"]["id"], "Hello <i>you</i>")
    await expect(me.page.locator("article.theirs .text")).to_contain_text("Hello <i>you</i>")
    assert await me.page.input_value("#box") == ""


async def test_shift_enter_begins_a_line_and_blank_is_not_sent(me: Tab, bot: ScriptedBot) -> None:
    await me.page.fill("#box", "   ")
    assert await me.page.locator("#send").is_disabled()
    await me.page.press("#box", "Enter")
    await me.page.fill("#box", "one")
    await me.page.press("#box", "Shift+Enter")
    await me.page.locator("#box").press_sequentially("two")
    await me.page.click("#send")
    assert (await bot.update("message"))["text"] == "one\ntwo"


async def test_formatting_has_the_right_ends_after_emoji(me: Tab, bot: ScriptedBot) -> None:
    html = (
        "👩‍👩‍👧 <b>bold <i>both</i></b> <code>x&lt;1</code> "
        "<a href='https://example.org/'>link</a> "
        "<tg-spoiler>secret</tg-spoiler><blockquote>quoted</blockquote><s>old</s> #tag"
        " see example.org/x?y=1, or me@example.org"
    )
    await bot.say(await _started(me, bot), html, parse_mode="HTML")
    text = me.page.locator("article.theirs .text")
    await expect(text.locator("strong")).to_have_text("bold both")
    await expect(text.locator("strong em")).to_have_text("both")
    await expect(text.locator("code")).to_have_text("x<1")
    await expect(text.locator("blockquote")).to_have_text("quoted")
    await expect(text.locator("s")).to_have_text("old")
    await expect(text.locator(".tagged")).to_have_text("#tag")
    found = await text.get_by_role("link").evaluate_all("all => all.map((one) => one.href)")
    assert found[1:] == ["https://example.org/x?y=1", "mailto:me@example.org"]
    link = text.get_by_role("link", name="link")
    assert await link.get_attribute("href") == "https://example.org/"
    assert "noopener" in (await link.get_attribute("rel") or "")
    spoiler = text.get_by_role("button", name="Hidden text")
    await spoiler.click()
    await expect(text.locator(".spoiler.shown")).to_have_text("secret")


async def test_edits_and_deletes_are_live(me: Tab, bot: ScriptedBot) -> None:
    chat = await _started(me, bot)
    sent = await bot.say(chat, "Looking…")
    bubble = me.page.locator(f"article[data-id='{sent}']")
    await expect(bubble).to_contain_text("Looking…")
    await bot.call("editMessageText", chat_id=chat, message_id=sent, text="3 stories")
    await expect(bubble).to_contain_text("3 stories")
    await expect(bubble.locator(".meta")).to_contain_text("edited")
    await bot.call("deleteMessage", chat_id=chat, message_id=sent)
    await expect(bubble).to_have_count(0)


async def test_the_header_says_what_the_bot_is_doing(me: Tab, bot: ScriptedBot) -> None:
    chat = await _started(me, bot)
    await bot.call("sendChatAction", chat_id=chat, action="upload_photo")
    await expect(me.page.locator("#chat-sub")).to_contain_text("is sending a photo…")
    await bot.say(chat, "done")
    await expect(me.page.locator("#chat-sub")).to_have_text("bot")


async def test_messages_elsewhere_are_counted_until_read(
    me: Tab, bot: ScriptedBot, box: Box
) -> None:
    await _started(me, bot)
    friends = await _chat(box, "Friends")
    await bot.say(friends, "one")
    await bot.say(friends, "two")
    row = me.page.locator("#chats li", has_text="Friends")
    await expect(row.locator(".unread")).to_have_text("2")
    await expect(row.locator(".line")).to_have_text("Storybell: two")
    assert await me.page.title() == "(2) Storybell"
    await row.locator("a").click()
    await expect(row.locator(".unread")).to_have_count(0)
    await expect(me.page.locator("#chat-title")).to_have_text("Friends")
    await expect(me.page.locator("article")).to_have_count(2)
    await expect(me.page.locator("article .name")).to_have_text(["Storybell"])


async def test_one_writes_in_groups_and_as_the_channel(
    me: Tab, bot: ScriptedBot, box: Box
) -> None:
    await me.page.locator("#chats a", has_text="Friends").click()
    await me.say("/stories natgeo")
    assert (await bot.update("message"))["chat"]["id"] == await _chat(box, "Friends")
    await me.page.locator("#chats a", has_text="Story news").click()
    await me.say("/subscribe natgeo")
    post = await bot.update("channel_post")
    assert post["sender_chat"]["title"] == "Story news"
    assert post["text"] == "/subscribe natgeo"


async def test_a_reply_points_at_its_message(me: Tab, bot: ScriptedBot) -> None:
    sent = await bot.say(await _started(me, bot), "Which profile?")
    bubble = me.page.locator(f"article[data-id='{sent}']")
    await bubble.hover()
    await bubble.get_by_role("button", name="Reply").click()
    await expect(me.page.locator("#reply-line")).to_have_text("Which profile?")
    await me.say("natgeo")
    message = await bot.update("message")
    assert message["reply_to_message"]["message_id"] == sent
    quote = me.page.locator("article.mine .quote")
    await expect(quote).to_contain_text("Which profile?")
    await expect(me.page.locator("#reply-bar")).to_be_hidden()


async def test_a_question_with_force_reply_is_answered_as_a_reply(
    me: Tab, bot: ScriptedBot
) -> None:
    chat = await _started(me, bot)
    sent = await bot.say(chat, "Which profile?", reply_markup={"force_reply": True})
    await expect(me.page.locator("#reply-line")).to_have_text("Which profile?")
    await me.say("natgeo")
    assert (await bot.update("message"))["reply_to_message"]["message_id"] == sent


async def test_a_reply_keyboard_types_for_one(me: Tab, bot: ScriptedBot) -> None:
    rows = {"keyboard": [[{"text": "natgeo"}, {"text": "prada"}]], "one_time_keyboard": True}
    await bot.say(await _started(me, bot), "Which profile?", reply_markup=rows)
    await me.page.locator("#replies").get_by_role("button", name="prada").click()
    assert (await bot.update("message"))["text"] == "prada"
    await expect(me.page.locator("#replies")).to_be_hidden()


async def test_reload_brings_back_the_person_the_chat_and_its_history(
    me: Tab, bot: ScriptedBot
) -> None:
    chat = await _started(me, bot)
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
    for kept in ('{"id": 999999999}', '{"id": "<img>"}', "not json", "null"):
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
    chat = await _started(me, bot)
    async with tab(browser, box.urls.page) as other:
        await bot.say(chat, "for one pair of eyes")
        friends = other.page.locator("#chats a", has_text="Friends")
        await expect(friends).to_have_count(1)
        await friends.click()
        await other.say("hello all")
        await expect(me.page.locator("#chats li", has_text="Friends")).to_contain_text("hello all")
        assert await other.page.locator("#chats").get_by_text("for one pair of eyes").count() == 0
        assert await other.me() != await me.me()


async def test_the_bots_language_is_the_persons_choice(me: Tab, bot: ScriptedBot) -> None:
    chat = await _started(me, bot)
    await me.page.select_option("#language", "pt-br")
    await expect(me.page.locator(".toast")).to_be_visible()
    await me.say("olá")
    message = await bot.update("message")
    assert message["from"]["language_code"] == "pt-br"
    assert message["chat"]["id"] == chat


async def test_a_flood_is_drawn_without_falling_behind(me: Tab, bot: ScriptedBot) -> None:
    chat = await _started(me, bot)
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
    chat = await _started(me, bot)
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
    await _started(me, bot)
    ann = await box.control.person("Ann")
    await box.control.member(await _chat(box, "Friends"), ann, "member")
    row = me.page.locator("#chats li", has_text="Friends")
    await expect(row.locator(".line")).to_have_text("Ann joined")
    await expect(row.locator(".unread")).to_have_count(0)
    await row.locator("a").click()
    await expect(me.page.locator(".pill", has_text="Ann joined")).to_be_visible()
    await expect(me.page.locator("#chat-sub")).to_have_text("3 members")


async def test_a_group_that_migrates_is_followed(me: Tab, box: Box, bot: ScriptedBot) -> None:
    await _started(me, bot)
    old = await _chat(box, "Friends")
    await me.page.locator("#chats a", has_text="Friends").click()
    new = await box.control.migrate(old)
    await expect(me.page.locator("#chats a", has_text="Friends")).to_have_count(1)
    moved = me.page.locator(f"#chats a[href='#{new}']")
    await expect(moved).to_have_attribute("aria-current", "page")
    await me.say("still here?")
    assert await _heard(bot, "still here?") == new


async def _started(me: Tab, bot: ScriptedBot) -> int:
    await me.say("/start")
    return int((await bot.update("message"))["chat"]["id"])


async def _chat(box: Box, title: str) -> int:
    chats = await box.control.call("GET", "/chats")
    return next(int(chat["id"]) for chat in chats if chat.get("title") == title)


async def _heard(bot: ScriptedBot, text: str) -> int:
    while (message := await bot.update("message")).get("text") != text:
        pass
    return int(message["chat"]["id"])
