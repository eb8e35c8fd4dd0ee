"""Albums, the viewer, videos and spoilers in a real browser."""

import pytest
from playwright.async_api import expect

from tests.sandbox.page.browser import ScriptedBot, Tab, started

pytestmark = pytest.mark.asyncio(loop_scope="package")

LAYOUTS = """async () => {
  const { mosaic } = await import("/page/static/js/mosaic.js");
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const all = [];
  for (let round = 0; round < 400; round += 1) {
    const ratios = Array.from({ length: 1 + (round % 10) }, () => 0.3 + random() * 2.5);
    all.push({ ratios, ...mosaic(ratios) });
  }
  for (const ratio of [0, NaN, 0.01, 90]) all.push({ ratios: [ratio], ...mosaic([ratio]) });
  return all.map(({ ratios, height, tiles }) => ({ count: ratios.length, height, tiles }));
}"""


async def test_tiles_fill_the_album_without_overlap(me: Tab) -> None:
    for layout in await me.page.evaluate(LAYOUTS):
        tiles: list[dict[str, float]] = layout["tiles"]
        assert len(tiles) == layout["count"]
        assert sum(tile["w"] * tile["h"] for tile in tiles) == pytest.approx(1)
        assert (0.25 if len(tiles) == 1 else 0.4) <= layout["height"] <= 2.1
        for index, tile in enumerate(tiles):
            assert tile["x"] >= 0
            assert tile["y"] >= 0
            assert tile["x"] + tile["w"] <= 1 + 1e-9
            assert tile["y"] + tile["h"] <= 1 + 1e-9
            assert not any(_overlap(tile, other) for other in tiles[index + 1 :])


def _overlap(a: dict[str, float], b: dict[str, float]) -> bool:
    wide = min(a["x"] + a["w"], b["x"] + b["w"]) - max(a["x"], b["x"])
    high = min(a["y"] + a["h"], b["y"] + b["h"]) - max(a["y"], b["y"])
    return wide > 1e-9 and high > 1e-9


@pytest.mark.parametrize("count", [2, 3, 7, 10])
async def test_an_album_is_one_bubble_with_its_caption(
    me: Tab, bot: ScriptedBot, count: int
) -> None:
    await bot.album(await started(me, bot), count, caption="<b>National</b>", parse_mode="HTML")
    bubble = me.page.locator("article.theirs")
    await expect(bubble).to_have_count(1)
    await expect(bubble.locator(".album .tile")).to_have_count(count)
    await expect(bubble.locator(".text strong")).to_have_text("National")
    await expect(bubble.locator(".loaded")).to_have_count(count)


async def test_the_viewer_goes_by_keys_and_gives_the_focus_back(me: Tab, bot: ScriptedBot) -> None:
    await bot.album(await started(me, bot), 4, caption="Four")
    tile = me.page.get_by_role("button", name="Photo 1 of 4")
    await tile.focus()
    await tile.press("Enter")
    viewer = me.page.locator("#viewer")
    await expect(viewer).to_be_visible()
    await expect(viewer.locator("img.full")).to_be_visible()
    await expect(viewer.locator(".viewer-caption")).to_have_text("Four")
    for key, place in [
        ("ArrowLeft", 1), ("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("End", 4),
        ("ArrowRight", 4), ("Home", 1),
    ]:  # fmt: skip
        await me.page.keyboard.press(key)
        await expect(viewer.locator(".who")).to_contain_text(f"{place} of 4")
    await viewer.get_by_role("button", name="Item 3").click()
    await expect(viewer.locator(".who")).to_contain_text("3 of 4")
    await me.page.keyboard.press("Escape")
    await expect(viewer).to_be_hidden()
    await expect(tile).to_be_focused()


async def test_a_video_plays_muted_in_its_bubble_and_aloud_at_full_size(
    me: Tab, bot: ScriptedBot
) -> None:
    await bot.album(await started(me, bot), 2)
    inline = me.page.locator(".tile video")
    await expect(inline).to_have_js_property("muted", value=True)
    await _plays(me, ".tile video")
    await me.page.get_by_role("button", name="Video 2 of 2").click()
    full = me.page.locator("#viewer video.full")
    await expect(full).to_have_js_property("muted", value=False)
    assert await full.get_attribute("controls") is not None
    await _plays(me, "#viewer video.full")


async def _plays(me: Tab, where: str) -> None:
    playing = "where => { const v = document.querySelector(where); return v.currentTime > 0; }"
    await me.page.wait_for_function(playing, arg=where)


async def test_a_hidden_photo_is_shown_at_the_first_click(me: Tab, bot: ScriptedBot) -> None:
    await bot.photo(await started(me, bot), has_spoiler=True)
    tile = me.page.locator(".tile")
    await expect(tile).to_have_attribute("aria-label", "Photo, hidden: show")
    await tile.click()
    await expect(me.page.locator("#viewer")).to_be_hidden()
    await expect(tile.locator(".veil")).to_have_count(0)
    await tile.click()
    await expect(me.page.locator("#viewer")).to_be_visible()
