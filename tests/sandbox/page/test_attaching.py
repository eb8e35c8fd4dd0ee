"""What one sends besides words: a photo, a file, a voice message, a place; and what is sent on."""

import pytest
from playwright.async_api import FilePayload, expect

from sandbox import media
from tests.sandbox.page.browser import ScriptedBot, Tab, chat_titled, started
from tests.support.sandbox import Box

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def choose(me: Tab, name: str, kind: str, data: bytes) -> None:
    """Attach a file by the page's button."""
    await me.page.get_by_role("button", name="Attach").click()
    async with me.page.expect_file_chooser() as chosen:
        await me.page.get_by_role("button", name="Photo or file").click()
    await (await chosen.value).set_files(FilePayload(name=name, mimeType=kind, buffer=data))


async def test_a_photo_and_a_file_take_what_was_typed_as_their_caption(
    me: Tab, bot: ScriptedBot
) -> None:
    photo = media.FOLDER / media.index().photos[0]
    await me.page.fill("#box", "natgeo")
    await choose(me, photo.name, "image/jpeg", photo.read_bytes())
    message = await bot.update("message")
    assert message["photo"]
    assert message["caption"] == "natgeo"
    await expect(me.page.locator("article.mine .loaded")).to_have_count(1)
    assert await me.page.input_value("#box") == ""
    await expect(me.page.locator("#send")).to_be_disabled()
    await me.page.fill("#box", "/import")
    await choose(me, "storybell.json", "application/json", b"{}")
    message = await bot.update("message")
    assert message["document"]["file_name"] == "storybell.json"
    assert message["caption"] == "/import"


async def test_a_post_is_forwarded_to_the_bot(me: Tab, bot: ScriptedBot, box: Box) -> None:
    await started(me, bot)
    channel = await chat_titled(box, "Story news")
    sent = await bot.say(channel, "a post")
    await me.open("Story news")
    bubble = me.page.locator(f"article[data-id='{sent}']")
    await bubble.hover()
    await bubble.get_by_role("button", name="Forward").click()
    message = await bot.update("message")
    assert message["forward_origin"]["type"] == "channel"
    assert message["text"] == "a post"
    await expect(me.page.locator("#chat-title")).to_have_text("Storybell")
