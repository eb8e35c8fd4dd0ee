"""The admin page on the bot's own web server: what it does, and how it looks."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from bot.store import incidents, samples
from bot.store.engine.database import Database
from tests.sandbox.page.browser import DESKTOP, PHONE, findings_in, tab
from tests.support.killing import free_port
from tests.support.sandbox import sandbox_box
from tests.support.storybell import TOKEN, Bell, running_bell

pytestmark = pytest.mark.asyncio(loop_scope="module")

READY = "html[data-ready]"
_CUT = """[...document.querySelectorAll(".wide, td")].filter(
  (one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.className + one.textContent)"""
# The colours of the kinds of spending: in the bars of the chart and in the legend.
_COLOURS = """(() => {
  const colour = (one, name) => getComputedStyle(one)[name];
  const bars = [...document.querySelectorAll("#spent rect")].map((one) => colour(one, "fill"));
  const legend = [...document.querySelectorAll("#spent .legend i")];
  return legend.map((one) => colour(one, "backgroundColor")).filter((one) => bars.includes(one));
})()"""


class Site:
    """A bot with its page."""

    def __init__(self, bell: Bell, boss: int, url: str, folder: Path) -> None:
        self.bell, self.boss, self.url, self.folder = bell, boss, url, folder

    async def link(self) -> str:
        """Ask for a link to the page, as its owner does."""
        (told,) = await self.bell.ask(self.boss, "/admin")
        return str(re.findall(r"http://127.0.0.1:\d+/admin#key=[\w-]+", told["text"])[0])

    async def proof(self) -> str:
        """Open the page by a link; what proves that."""
        key = (await self.link()).partition("#key=")[2]
        _, opened = await self.call("session", body={"key": key})
        return f"Bearer {opened['session']}"

    async def call(
        self, path: str, proof: str = "", body: Any = None, **more: Any
    ) -> tuple[int, Any]:
        """Call the page's API; the status, and the JSON of a good answer."""
        headers = {"Authorization": proof} if proof else {}
        method = "GET" if body is None else "POST"
        url = f"{self.url}/admin/api/{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, headers=headers, json=body, **more) as answer,
        ):
            return answer.status, await answer.json() if answer.status == 200 else None


@asynccontextmanager
async def site_in(folder: Path, **changed: Any) -> AsyncIterator[Site]:
    """Run a bot whose owner is the first person of the sandbox."""
    async with sandbox_box() as box:
        boss, port = await box.control.person("Boss"), free_port()
        values = {"admin_ids": str(boss), "port": port, **changed}
        async with running_bell(folder, box, **values) as bell:
            await bell.ask(boss, "/help")
            yield Site(bell, boss, f"http://127.0.0.1:{port}", folder)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with site_in(tmp_path_factory.mktemp("admin")) as running:
        yield running


async def test_a_link_opens_once(site: Site) -> None:
    key = (await site.link()).partition("#key=")[2]
    assert (await site.call("session", body={"key": "another"}))[0] == 401
    status, opened = await site.call("session", body={"key": key})
    assert status == 200
    assert (await site.call("session", body={"key": key}))[0] == 401
    status, state = await site.call("state", f"Bearer {opened['session']}")
    assert (status, state["stopped"]) == (200, False)
    assert (await site.call("state", f"Bearer {opened['session']}x"))[0] == 401


async def test_a_session_ends_with_a_new_link_and_by_its_button(site: Site) -> None:
    for ending in ("link", "button"):
        proof = await site.proof()
        assert (await site.call("state", proof))[0] == 200
        if ending == "link":
            await site.link()
        else:
            assert (await site.call("do", proof, {"action": "end_session"}))[0] == 401
        assert (await site.call("state", proof))[0] == 401


async def test_the_switch_stops_spending_and_people_are_limited_and_blocked(site: Site) -> None:
    proof, bell = await site.proof(), site.bell
    ann = await bell.control.person("Ann")
    await bell.ask(ann, "/stories natgeo")
    _, state = await site.call("do", proof, {"action": "stop"})
    assert state["stopped"]
    (refused,) = await bell.ask(ann, "/stories prada")
    assert "paused" in refused["text"]
    _, state = await site.call("do", proof, {"action": "resume"})
    assert not state["stopped"]
    _, state = await site.call("do", proof, {"action": "limit", "id": ann, "value": 0})
    (mine,) = [one for one in state["people"] if one["id"] == ann]
    assert (mine["name"], mine["limit"], mine["credits"]) == ("Ann", 0, 3)
    _, state = await site.call("do", proof, {"action": "block", "id": ann})
    (mine,) = [one for one in state["people"] if one["id"] == ann]
    assert mine["state"] == "blocked"
    (refused,) = await bell.ask(ann, "/help")
    assert refused["text"].startswith("Sorry")
    assert (await site.call("do", proof, {"action": "block", "id": site.boss}))[0] == 400
    await site.call("do", proof, {"action": "unblock", "id": ann})
    assert "all stories from a profile" in (await bell.ask(ann, "/help"))[0]["text"]


@pytest.mark.parametrize(
    "body",
    [
        {}, [], "x", {"action": "x"}, {"action": "limit", "id": 5, "value": -1},
        {"action": "limit", "id": 5, "value": True}, {"action": "block", "id": True},
        {"action": "block", "id": "5"}, {"action": "block", "id": 2**60},
        {"action": ["stop"]}, {"action": {"a": 1}, "id": 5}, {"action": "drop", "id": 1.5},
    ],
)  # fmt: skip
async def test_what_no_button_sends_is_refused(site: Site, body: Any) -> None:
    status, _ = await site.call("do", await site.proof(), body)
    assert status == 400


async def test_the_page_has_a_strict_policy_no_cookie_and_no_outside_file(site: Site) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("/admin", "/admin/admin.js", "/admin/admin.css", "/admin/api/state"):
            async with session.get(site.url + path) as answer:
                text = await answer.text()
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert "Set-Cookie" not in answer.headers
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                outside = re.findall(r"(?:https?:)?//[a-z][\w.-]+", text)
                assert set(outside) <= {"http://www.w3.org"}  # a name of SVG, not an address
                assert TOKEN.partition(":")[2] not in text


async def test_with_a_public_address_the_link_leads_there(tmp_path: Path) -> None:
    async with site_in(tmp_path, public_url="https://bell.example/") as public:
        (told,) = await public.bell.ask(public.boss, "/admin")
        assert "https://bell.example/admin#key=" in told["text"]
        assert "PUBLIC_URL" not in told["text"]


async def furnish(site: Site) -> None:
    """Let there be something of everything on the page."""
    bell, now = site.bell, datetime.now(UTC)
    for name, profile in (("A person with quite a long name indeed", "natgeo"), ("Zoë", "prada")):
        await bell.ask(await bell.control.person(name), f"/stories {profile}")
    await bell.ask(site.boss, "/subscribe busy")
    async with Database(f"sqlite:///{site.folder}/bot.db") as db, db.begin() as tx:
        await incidents.add(
            tx, "disk", "The disk is nearly full: {megabytes} MB are free.", {"megabytes": 120},
            opened_at=now,
        )  # fmt: skip
        for back in range(30 * 24):
            hour = (now - timedelta(hours=back + 1)).replace(minute=0, second=0, microsecond=0)
            spent = {"schedule": 5 + back % 7, "stories": back % 5, "link": back % 3, "media": 1}
            figures = {"spent": spent, "alerts": 3, "timed": 2}
            figures |= {"delay_s": 300 + back, "waiting": back % 9}
            await samples.add(tx, hour, figures)


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        (PHONE, "light"),
        (PHONE, "dark"),
        (DESKTOP, "light"),
        pytest.param(DESKTOP, "dark", marks=pytest.mark.slow),
    ],
)
async def test_in_a_browser_it_shows_all_and_its_switch_works(
    browser: Browser, tmp_path: Path, size: Any, scheme: Any
) -> None:
    async with site_in(tmp_path) as site:
        await furnish(site)
        async with tab(
            browser, await site.link(), size, wait=READY, color_scheme=scheme, bypass_csp=True
        ) as opened:
            page = opened.page
            text = await page.inner_text("body")
            for words in ("Spending is on.", "120 MB are free", "busy", "Zoë", "Links"):
                assert words in text
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size["width"]
            cut = await page.evaluate(_CUT)
            assert cut == [], cut
            assert await findings_in(opened) == []
            colours = await page.evaluate(_COLOURS)
            assert len(colours) == len(set(colours)) == 4, colours
            names = await page.get_by_role("button").all_text_contents()
            assert len(names) == len(set(names))
            assert names[0] == "Stop spending"
            assert names[-1] == "End this session"
            assert any(one.startswith("Block Zoë, ID ") for one in names), names
            await page.click("#switch")
            await expect(page.locator("#switch")).to_have_text("Stop spending: sure?")
            await page.click("#switch")
            await expect(page.locator("#switch")).to_have_text("Resume spending", timeout=60_000)
            await site.bell.control.profile("nobody.asked")
            (refused,) = await site.bell.ask(site.boss, "/stories nobody.asked")
            assert "paused" in refused["text"]
            await page.click("#switch")
            await expect(page.locator("#switch")).to_have_text("Resume spending: sure?")
            (refused,) = await site.bell.ask(site.boss, "/stories nobody.asked")
            assert "paused" in refused["text"]  # it asks once
            await page.click("#switch")
            await expect(page.locator("#switch")).to_have_text("Stop spending", timeout=60_000)
            block = page.locator("#people button.danger").first
            await block.click()
            await expect(block).to_contain_text("Block: sure?")
            await block.click()
            await expect(page.locator("#people")).to_contain_text("blocked", timeout=60_000)
            shown = tmp_path.parent / f"admin-{size['width']}-{scheme}.png"
            await page.screenshot(path=shown, full_page=True)
            assert shown.stat().st_size > 10_000


async def test_in_a_browser_a_page_that_is_read_anew_stays_open(
    browser: Browser, site: Site
) -> None:
    async with tab(browser, await site.link(), wait=READY) as opened:
        page = opened.page
        assert "Spending is on." in await page.inner_text("body")
        assert "key" not in page.url
        await page.reload()
        await page.wait_for_selector(READY)
        assert "Spending is on." in await page.inner_text("body")


async def test_in_a_browser_a_stranger_sees_how_to_open_it_and_nothing_else(
    browser: Browser, site: Site
) -> None:
    async with tab(browser, f"{site.url}/admin", PHONE, wait=READY) as opened:
        text = await opened.page.inner_text("body")
        assert "Please open it again" in text
        assert "Balance" not in text
        opened.complaints.clear()  # the browser tells of the refusal
