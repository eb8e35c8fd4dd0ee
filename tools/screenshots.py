"""Generate the README's screenshots of the chat page: ``python -m tools.screenshots``.

A Chromium uses the demo in the same way as a person. The emoji depend on the machine's fonts.
Debian's ``fonts-noto-color-emoji`` and ``fonts-noto-core`` cover emoji and all scripts.
"""

import asyncio
import shutil
import subprocess
import sys

from playwright.async_api import Browser, Page, expect

from tests.sandbox.page.browser import NAMES, Tab, chromium, tab
from tests.support.demo import running_demo
from tools.catalogues import ROOT

FOLDER = ROOT / "docs" / "images"
DESKTOP = {"width": 1320, "height": 950}
PHONE = {"width": 412, "height": 1060}
EMOJI = "Noto Color Emoji"
# The maximum wait for an alert in ms; long, because the demo seldom checks its quiet profile.
ALERT_MS = 240_000


async def album(browser: Browser, url: str) -> None:
    """Take a screenshot of the album that answers a command with a profile name."""
    async with tab(browser, url, DESKTOP) as me:
        await me.say("/stories natgeo")
        shown = me.page.locator("article.theirs").filter(has=me.page.locator(".album"))
        await expect(shown.locator(".loaded")).to_have_count(3)
        await _take(me.page, "demo-album")


async def alert(browser: Browser, url: str) -> None:
    """Take a screenshot of a subscription in the format of a phone.

    The screenshot shows a profile name, the two buttons of the reply, and an alert.
    """
    async with tab(browser, url, PHONE, color_scheme="dark", device_scale_factor=2) as me:
        await me.page.locator("#chats a").first.tap()
        await me.say("quiet")
        await me.page.get_by_role("button", name="🔔 Subscribe").tap()
        await expect(me.page.get_by_role("button", name="Options")).to_be_visible()
        await _publish(me, "quiet")
        shown = me.page.locator("article.theirs").filter(has=me.page.locator(".media"))
        await expect(shown.locator(".loaded")).to_have_count(1, timeout=ALERT_MS)
        await _take(me.page, "demo-alert")


async def _publish(me: Tab, name: str) -> None:
    await me.page.get_by_role("button", name="Sandbox panel").tap()
    await me.page.select_option("#publish-as", name)
    await me.page.get_by_role("button", name="Photo").tap()
    await me.page.get_by_role("button", name="Close the sandbox panel").tap()


# Videos play in the messages. A video that is loaded possibly does not show a frame yet, so the
# script waits for a frame.
_FRAMES = """Promise.all([...document.querySelectorAll("video")].map(
  (video) => new Promise((seen) => video.requestVideoFrameCallback(seen))))"""


async def _take(page: Page, name: str) -> None:
    """Write a screenshot after all pop-ups are closed and all pressed buttons have finished."""
    await expect(page.locator(".key[aria-busy=true]")).to_have_count(0)
    await expect(page.locator(".toast")).to_have_count(0)
    await page.evaluate(_FRAMES)
    await page.mouse.move(0, 0)
    path = FOLDER / f"{name}.png"
    await page.screenshot(path=path, animations="disabled")
    sys.stdout.write(f"{path.relative_to(ROOT)}\n")


async def _take_all() -> None:
    async with running_demo() as url, chromium() as browser:
        await album(browser, url)
        await alert(browser, url)


def missing() -> str:
    """Return a sentence about a requirement that this machine lacks, or an empty string."""
    if not any(map(shutil.which, NAMES)):
        return f"There is no Chromium here ({', '.join(NAMES)})."
    fonts = shutil.which("fc-list")
    listed = subprocess.run([fonts], capture_output=True, text=True, check=True) if fonts else None  # noqa: S603 - the path found by the shell
    if listed is None or EMOJI not in listed.stdout:
        return f"There is no font with coloured emoji here ({EMOJI}: fonts-noto-color-emoji)."
    return ""


def main() -> int:
    """Take the screenshots. Return 1 if a requirement is missing, or else 0."""
    if lack := missing():
        sys.stderr.write(f"{lack}\n")
        return 1
    asyncio.run(_take_all())
    return 0


if __name__ == "__main__":
    sys.exit(main())
