"""A real Chromium with the console output of a page, and a scripted bot."""

import itertools
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import FormData
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    async_playwright,
    expect,
)

from sandbox import media
from tests.support.needs import is_required
from tests.support.sandbox import Box

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")
TOKEN = "123456:AAABBBCCCDDDEEEFFFGGGHHHIIIJJJKKK"
PHONE = {"width": 380, "height": 740}
DESKTOP = {"width": 1280, "height": 860}
READY = "html[data-ready][data-linked=true]"  # connected, with all events received
PATIENCE_MS = 60_000  # long enough for a busy machine
POLLS = 20  # attempts to get an update
expect.set_options(timeout=PATIENCE_MS)
Json = dict[str, Any]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start Chromium. Without Chromium, skip the test, or fail if REQUIRE_BROWSER is set."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        if is_required("browser"):
            pytest.fail("REQUIRE_BROWSER is set and there is no Chromium here")
        pytest.skip("no Chromium found")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Tab:
    """The page of a person, with the errors and warnings of the console."""

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)

    def heard(self, said: ConsoleMessage) -> None:
        """Record errors and warnings of the console."""
        if said.type in {"error", "warning"}:
            self.complaints.append(said.text)

    async def open(self, title: str) -> None:
        """Open a chat; further text is sent to the chat."""
        await self.page.locator("#chats a", has_text=title).click()
        await expect(self.page.locator("#chat-title")).to_have_text(title)

    async def reload(self) -> None:
        """Reload the page. A reload before the page is connected causes a console error."""
        await self.page.reload()
        await self.page.wait_for_selector(READY)

    async def say(self, text: str) -> None:
        """Type a text and press Enter."""
        await self.page.fill("#box", text)
        await self.page.press("#box", "Enter")

    async def me(self) -> int:
        """Return the ID of the person that the page has stored."""
        kept = await self.page.evaluate("localStorage.getItem('storybell.person')")
        return int(json.loads(kept)["id"])


@asynccontextmanager
async def tab(
    browser: Browser, url: str, size: Json = DESKTOP, *, wait: str = READY, **context: Any
) -> AsyncIterator[Tab]:
    """Open the page as a new person. Each console error or warning fails the test."""
    phone = size["width"] < 500
    options = {"viewport": size, "locale": "en-GB", "has_touch": phone, "is_mobile": phone}
    opened = await browser.new_context(**(options | context))
    opened.set_default_timeout(PATIENCE_MS)
    one = Tab(await opened.new_page(), opened)
    one.page.on("pageerror", lambda error: one.complaints.append(str(error)))
    one.page.on("console", one.heard)
    try:
        await one.page.goto(url)
        await one.page.wait_for_selector(wait)
        yield one
    finally:
        await opened.close()
    assert one.complaints == []


STILL = """async () => {
    const ends = (one) => one.effect.getComputedTiming().endTime < Infinity;
    await Promise.allSettled(document.getAnimations().filter(ends).map((one) => one.finished));
}"""


async def findings_in(me: Tab) -> list[tuple[str, list[str]]]:
    """Return what axe-core finds on a page that has stopped moving, with the elements.

    A page with a strict policy is opened with ``bypass_csp=True``.
    """
    await me.page.evaluate(STILL)  # half faded in, a text has less contrast
    results = await Axe().run(me.page)
    found = results.response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


class ScriptedBot:
    """Direct Bot API calls, so that the page is tested without the bot."""

    def __init__(self, box: Box) -> None:
        """Become the only bot of `box`."""
        self._box = box
        self._offset = 0
        self._serial = itertools.count()

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method and return the result."""
        return await self._post(method, params)

    async def _post(self, method: str, body: Json | FormData) -> Any:
        url = f"{self._box.urls.telegram}/bot{TOKEN}/{method}"
        how: Json = {"data": body} if isinstance(body, FormData) else {"json": body}
        async with self._box.session.post(url, **how) as answer:
            got = await answer.json()
        assert got["ok"], got
        return got["result"]

    async def say(self, chat: int, text: str, **more: Any) -> int:
        """Send a text and return the message_id."""
        return int((await self.call("sendMessage", chat_id=chat, text=text, **more))["message_id"])

    async def update(self, kind: str) -> Json:
        """Return the next update of a kind; skip other updates."""
        for _ in range(POLLS):
            for update in await self.call("getUpdates", offset=self._offset, timeout=10):
                self._offset = update["update_id"] + 1
                if kind in update:
                    found: Json = update[kind]
                    return found
        raise AssertionError(f"no {kind} came")

    async def album(self, chat: int, count: int, **first: Any) -> list[Json]:
        """Send photos with a video in each third place; `first` adds fields to the first item."""
        form = FormData()
        items: list[Json] = []
        for index in range(count):
            name, item = self._item(form, index)
            items.append({"media": f"attach://{name}"} | item | (first if index == 0 else {}))
        form.add_field("chat_id", str(chat))
        form.add_field("media", json.dumps(items))
        return list(await self._post("sendMediaGroup", form))

    def _item(self, form: FormData, index: int) -> tuple[str, Json]:
        serial = next(self._serial)
        stock = media.index()
        if index % 3 == 1:
            film = stock.videos[serial % len(stock.videos)]
            form.add_field(f"f{index}", _bytes(film.file), filename=film.file)
            about = {"width": 720, "height": 1280, "duration": round(film.seconds)}
            return f"f{index}", {"type": "video", "supports_streaming": True} | about
        photo = stock.photos[serial % len(stock.photos)]
        form.add_field(f"f{index}", _bytes(photo), filename=photo)
        return f"f{index}", {"type": "photo"}

    async def photo(self, chat: int, **more: Any) -> Json:
        """Send a photo."""
        form = FormData()
        form.add_field("chat_id", str(chat))
        form.add_field("photo", _bytes(media.index().photos[0]), filename="photo.jpg")
        for name, value in more.items():
            form.add_field(name, value if isinstance(value, str) else json.dumps(value))
        sent: Json = await self._post("sendPhoto", form)
        return sent


def _bytes(name: str) -> bytes:
    return (media.FOLDER / name).read_bytes()


async def started(me: Tab, bot: ScriptedBot) -> int:
    """Send /start and return the ID of the private chat."""
    await me.say("/start")
    return int((await bot.update("message"))["chat"]["id"])


async def chat_titled(box: Box, title: str) -> int:
    """Return the ID of the chat with a title."""
    chats = await box.control.call("GET", "/chats")
    return next(int(chat["id"]) for chat in chats if chat.get("title") == title)
