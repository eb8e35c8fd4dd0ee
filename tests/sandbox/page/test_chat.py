"""The conversation in a real browser: both directions, edits, chats side by side, reload."""

import pytest
from playwright.async_api import expect

from tests.sandbox.page.browser import ScriptedBot, Tab, chat_titled, started
from tests.support.sandbox import Box

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_first_visit_says_what_to_do(me: Tab, bot: ScriptedBot) -> None:
    await expect(me.page.locator("#empty")).to_contain_text("/stories natgeo")
    await expect(me.page.locator("#chat-title")).to_have_text("Storybell")
    names = await me.page.locator("#chats strong").all_text_contents()
    assert sorted(names) == ["Friends", "Story news", "Storybell", "Travel club"]
    await me.page.click("#start")
    message = await bot.update("message")
    assert message["text"] == "/start"
    assert message["from"]["language_code"] == "en"
    await expect(me.page.locator("#empty")).to_be_hidden()


async def test_typed_text_reaches_the_bot_and_its_reply_reaches_the_page(
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


async def test_formatting_has_the_right_ends_after_emoji(me: Tab, bot: ScriptedBot) -> None:
    html = (
        "👩‍👩‍👧 <b>bold <i>both</i></b> <code>x&lt;1</code> "
        "<a href='https://example.org/'>link</a> "
        "<tg-spoiler>secret</tg-spoiler><blockquote>quoted</blockquote><s>old</s> #tag"
        " see example.org/x?y=1, or me@example.org"
    )
    await bot.say(await started(me, bot), html, parse_mode="HTML")
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
    chat = await started(me, bot)
    sent = await bot.say(chat, "Looking…")
    bubble = me.page.locator(f"article[data-id='{sent}']")
    await expect(bubble).to_contain_text("Looking…")
    await bot.call("editMessageText", chat_id=chat, message_id=sent, text="3 stories")
    await expect(bubble).to_contain_text("3 stories")
    await expect(bubble.locator(".meta")).to_contain_text("edited")
    await bot.call("deleteMessage", chat_id=chat, message_id=sent)
    await expect(bubble).to_have_count(0)


async def test_messages_elsewhere_are_counted_until_read(
    me: Tab, bot: ScriptedBot, box: Box
) -> None:
    await started(me, bot)
    friends = await chat_titled(box, "Friends")
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
    await box.control.privacy_mode(on=False)
    await me.open("Friends")
    await me.say("/stories natgeo")
    assert (await bot.update("message"))["chat"]["id"] == await chat_titled(box, "Friends")
    await me.open("Story news")
    await me.say("/subscribe natgeo")
    post = await bot.update("channel_post")
    assert post["sender_chat"]["title"] == "Story news"
    assert post["text"] == "/subscribe natgeo"


async def test_a_forum_has_a_tab_for_each_topic(me: Tab, bot: ScriptedBot, box: Box) -> None:
    await box.control.privacy_mode(on=False)
    await me.open("Travel club")
    tabs = me.page.locator("#topics button")
    await expect(tabs).to_have_text(["All", "Photos", "Small talk"])
    await tabs.nth(1).click()
    await me.say("/subscribe natgeo")
    told = await bot.update("message")
    assert (told["is_topic_message"], told["message_thread_id"]) == (True, 2)
    forum = await chat_titled(box, "Travel club")
    await bot.say(forum, "in Photos", message_thread_id=2)
    await bot.say(forum, "in Small talk", message_thread_id=3)
    await expect(me.page.locator("article")).to_have_count(2)
    await tabs.nth(2).click()
    await expect(me.page.locator("article .text")).to_contain_text(["in Small talk"])
    await expect(tabs.nth(2)).to_have_attribute("aria-pressed", "true")
    await tabs.nth(0).click()
    await expect(me.page.locator("article")).to_have_count(3)
    made = await bot.call("createForumTopic", chat_id=forum, name="natgeo")
    thread = made["message_thread_id"]
    await bot.say(forum, "in its own", message_thread_id=thread)
    await tabs.nth(3).click()
    await expect(me.page.locator("article .text")).to_contain_text(["in its own"])
    await bot.call("editForumTopic", chat_id=forum, name="new", message_thread_id=thread)
    await expect(tabs).to_have_text(["All", "Photos", "Small talk", "new"])
    await me.open("Friends")
    await expect(me.page.locator("#topics")).to_be_hidden()


async def test_a_reply_points_at_its_message(me: Tab, bot: ScriptedBot) -> None:
    sent = await bot.say(await started(me, bot), "Which profile?")
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
    chat = await started(me, bot)
    usual = str(await me.page.get_attribute("#box", "placeholder"))
    asked = {"force_reply": True, "input_field_placeholder": "A name"}
    sent = await bot.say(chat, "Which profile?", reply_markup=asked)
    await expect(me.page.locator("#reply-line")).to_have_text("Which profile?")
    await expect(me.page.locator("#box")).to_have_attribute("placeholder", "A name")
    await me.say("natgeo")
    assert (await bot.update("message"))["reply_to_message"]["message_id"] == sent
    await expect(me.page.locator("#box")).to_have_attribute("placeholder", usual)


async def test_the_bots_language_is_the_persons_choice(me: Tab, bot: ScriptedBot) -> None:
    chat = await started(me, bot)
    await me.page.select_option("#language", "pt-br")
    await expect(me.page.locator(".toast")).to_be_visible()
    await me.say("olá")
    message = await bot.update("message")
    assert message["from"]["language_code"] == "pt-br"
    assert message["chat"]["id"] == chat


async def test_a_reaction_stands_below_its_message(me: Tab, bot: ScriptedBot) -> None:
    await me.say("again")
    message = await bot.update("message")
    reaction = [{"type": "emoji", "emoji": "🤷"}]
    where = {"chat_id": message["chat"]["id"], "message_id": message["message_id"]}
    await bot.call("setMessageReaction", **where, reaction=reaction)
    await expect(me.page.locator("article.mine .reactions")).to_have_text("🤷")


async def test_a_time_is_shown_relative_to_now(me: Tab, bot: ScriptedBot) -> None:
    chat = await started(me, bot)
    now = await me.page.evaluate("Date.now() / 1000")
    for ago in (20, 90):
        stamp = f'<tg-time unix="{now - ago:.0f}" format="r">today</tg-time>'
        await bot.say(chat, f"Last check: {stamp}", parse_mode="HTML")
    times = me.page.locator("article.theirs time[title=today]")
    await expect(times).to_have_text(["now", "1 minute ago"])
