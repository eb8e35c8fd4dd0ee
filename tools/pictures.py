"""Screenshots of every message in every language, for translators: ``python -m tools.pictures``.

The Bot API sends each message to the sandbox's chat page, and a Chromium takes a screenshot. The
pictures are written to ``pictures/``, with an index page that shows the English text beside each
picture. ``--language ru --language ar`` selects languages, and ``--only words`` selects messages
whose English text contains the words.
"""

import argparse
import asyncio
import html
import io
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from babel.messages.catalog import Message
from PIL import Image
from playwright.async_api import Browser, Page, expect

from bot.domain.incidents import CLOSING
from bot.presentation.html import Safe
from bot.presentation.translation import LANGUAGES, Translator, translator_for
from handlers.money import LEFT, PART
from handlers.options import MEDIA, TOGGLES
from handlers.people import KINDS
from tests.sandbox.page.browser import NAMES, PHONE, ScriptedBot, chromium, started, tab
from tests.support.sandbox import sandbox_box
from tools.catalogues import BUTTON, ROOT, comments, extract, fields_in, id_of, ids_of, lengths

FOLDER = ROOT / "pictures"
# Messages per screenshot; the number is limited, because Chromium's maximum height is 16,384
# points.
A_PAGE = 30
HEADER = 300  # the height in points of the areas above and below the messages
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
FIELDS: dict[str, object] = {
    "username": "natgeo", "profile": Safe("<b>natgeo</b>"), "old": "natgeo", "new": "natgeo.wild",
    "names": Safe("<b>natgeo</b>, <b>prada</b>"), "name": "Ann Example", "who": "Ann Example",
    "by": "Ann Example", "until": NOON, "to": NOON, "from_": NOON - timedelta(hours=6),
    "delay": timedelta(minutes=25), "time": timedelta(days=2, hours=3), "percent": 0.8,
    "url": "https://www.instagram.com/stories/natgeo/", "where": "@story_news", "id": 100000001,
    "command": Safe("/subscribe"), "bars": Safe("<code>▁▂▃▅▇</code>"), "bot": "storybell_bot",
    "zone": "Europe/Madrid", "incident": "a1b2c3d4", "words": Safe("<code>cats</code>"),
    "terms": Safe("<code>#sale nike.com</code>"), "since": NOON, "reason": "spam", "group": -77,
    "line": "nat-geo", "word": "nat-geo", "why": "disk full", "date": NOON, "times": 5,
    "title": "Ann's channel", "daily_budget": 1500, "megabytes": 280,
}  # fmt: skip


def _cost(t: Translator) -> Safe:
    return t(PART, n=1.5, amount=t.money(0.0315))


WRITTEN: dict[str, Callable[[Translator], object]] = {
    "clock": lambda t: t.time(NOON), "digest": lambda t: t.time(NOON),
    "at": lambda t: t.time(NOON),
    "quiet": lambda t: t.value_range(t.time(NOON), t.time(NOON + timedelta(hours=9))),
    "when": lambda t: t.relative_time(datetime.now(UTC) - timedelta(hours=5)),
    "ago": lambda t: t.relative_time(datetime.now(UTC) - timedelta(hours=5)),
    "amount": lambda t: t.money(0.0315),
    "kind": lambda t: t.plain(KINDS["alert"]), "value": lambda t: t.plain(TOGGLES["digest"]),
    "options": lambda t: t.plain(MEDIA["photo"]), "text": lambda t: t(CLOSING["backup"]),
    **dict.fromkeys(("cost", "today", "week", "month", "forecast"), _cost),
}  # fmt: skip
"""Functions that return the sample values of fields that contain translated text."""

AHEAD = ("Disappears:", "The first one disappears:", "Next check:")
COUNTS, PARTS = (0, 1, 2, 3, 5, 11, 21, 1000), (0.5, 1.5, 2.5, 1000.5)
STYLE = """body{font:16px/1.4 system-ui,sans-serif;margin:24px;max-width:1100px}
table{border-collapse:collapse}td{border-top:1px solid #ccc;padding:12px;vertical-align:top}
img{max-width:380px;border-radius:8px}small{color:#555}pre{white-space:pre-wrap;margin:0}"""


BOXES = """(ids) => {
  const log = document.getElementById("log");
  log.scrollTop = log.scrollHeight;
  return ids.map((id) => {
    const { left, top, right, bottom } =
      document.querySelector(`article[data-id='${id}'] .column`).getBoundingClientRect();
    return [left, top, right, bottom].map(Math.round);
  });
}"""


@dataclass(frozen=True)
class Shot:
    """A message of the catalogues, and the file name of its pictures in each language."""

    message: Message
    number: int

    @property
    def english(self) -> str:
        """Return the message id, with the plural on a second line."""
        return "\n".join(ids_of(self.message))

    @property
    def file(self) -> str:
        """Return the file name of the pictures."""
        return f"{self.number:04}.png"

    def sent(self, t: Translator) -> dict[str, Any]:
        """Return the arguments of sendMessage that show the message as text or on a button."""
        texts = [*self._texts(t)]
        if lengths().get(ids_of(self.message)[0]) == BUTTON:
            rows = [[{"text": text or "?", "callback_data": "x"}] for text in texts]
            return {"text": "…", "reply_markup": {"inline_keyboard": rows}}
        return {"text": "\n".join(texts) or "?", "parse_mode": "HTML"}

    def _texts(self, t: Translator) -> Iterator[str]:
        ids = ids_of(self.message)
        is_button = lengths().get(ids[0]) == BUTTON
        names = {name for text in ids for name in fields_in(text)}
        fields = {name: _sample(name, t) for name in names}
        if "today" in names:  # the message is a line of the page that shows the spent credits
            fields["left"] = t(LEFT, left=3, n=1000)
        if ids[0].startswith(AHEAD):
            fields = dict.fromkeys(fields, t.relative_time(datetime.now(UTC) + timedelta(hours=5)))
        if len(ids) == 1:
            yield (t.plain if is_button else t)(ids[0], **fields)
            return
        numbers = PARTS if ids[0] == PART else COUNTS
        shown = [(t.plain if is_button else t)(ids[0], **{**fields, "n": n}) for n in numbers]
        yield from dict.fromkeys(shown)


def _sample(name: str, t: Translator) -> object:
    """Return a sample value for a field. The sample value of a count is 3."""
    return WRITTEN[name](t) if name in WRITTEN else FIELDS.get(name, 3)


def shots(only: str = "") -> list[Shot]:
    """Return the messages to take pictures of, in the order of the code."""
    messages = [message for message in extract() if message.id]
    found = [Shot(message, number) for number, message in enumerate(messages, 1)]
    return [one for one in found if only.lower() in one.english.lower()]


async def take(languages: Sequence[str], chosen: Sequence[Shot], folder: Path) -> None:
    """Take the pictures of the messages ``chosen`` in each of the languages."""
    async with chromium() as browser:
        for language in languages:
            await _take(browser, language, chosen, folder / language)
            sys.stdout.write(f"{LANGUAGES[language].name}: {len(chosen)} pictures\n")
            sys.stdout.flush()


def write_pages(languages: Sequence[str], chosen: Sequence[Shot], folder: Path) -> Path:
    """Create the picture folders and the pages that show the pictures. Return the index page."""
    for language in languages:
        (folder / language).mkdir(parents=True, exist_ok=True)
        (folder / f"{language}.html").write_text(_page(language, chosen), encoding="utf-8")
    index = folder / "index.html"
    index.write_text(_index(languages), encoding="utf-8")
    return index


async def _take(browser: Browser, language: str, chosen: Sequence[Shot], folder: Path) -> None:
    t = translator_for(language)
    async with sandbox_box() as box:
        bot = ScriptedBot(box)
        await bot.call("getMe")
        async with tab(browser, box.urls.page, PHONE, locale=language.replace("_", "-")) as me:
            await me.page.locator("#chats a").first.tap()
            chat = await started(me, bot)
            for first in range(0, len(chosen), A_PAGE):
                part = chosen[first : first + A_PAGE]
                sent = [await bot.say(chat, **one.sent(t)) for one in part]
                await expect(me.page.locator(f"article[data-id='{sent[-1]}']")).to_be_visible()
                await _cut(
                    me.page, {n: folder / one.file for n, one in zip(sent, part, strict=True)}
                )


async def _cut(page: Page, paths: Mapping[int, Path]) -> None:
    """Crop the pictures of several messages from one screenshot, and write the pictures.

    A separate screenshot of each message would take hours longer.
    """
    boxes = await page.evaluate(BOXES, list(paths))
    height = boxes[-1][3] - boxes[0][1] + HEADER
    await page.set_viewport_size({"width": PHONE["width"], "height": height})
    boxes = await page.evaluate(BOXES, list(paths))
    whole = Image.open(io.BytesIO(await page.screenshot(animations="disabled")))
    for box, path in zip(boxes, paths.values(), strict=True):
        whole.crop(box).save(path)
    await page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})


def _index(languages: Sequence[str]) -> str:
    links = "".join(f'<li><a href="{code}.html">{LANGUAGES[code].name}</a>' for code in languages)
    return f"<!doctype html><meta charset=utf-8><title>Storybell</title><ul>{links}</ul>"


def _page(language: str, chosen: Sequence[Shot]) -> str:
    rows = "".join(_row(language, one) for one in chosen)
    head = f"<!doctype html><html lang={language.replace('_', '-')}><meta charset=utf-8>"
    title = LANGUAGES[language].name
    return f"{head}<title>{title}</title><style>{STYLE}</style><table>{rows}</table>"


def _row(language: str, one: Shot) -> str:
    places = ", ".join(place for place, _ in one.message.locations)
    notes = " ".join(comments(id_of(one.message)))
    about = f"<pre>{html.escape(one.english)}</pre><small>{html.escape(notes)} {places}</small>"
    return f'<tr><td>{about}<td><img loading=lazy alt="" src="{language}/{one.file}">'


def main() -> int:
    """Run the command line. Return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", action="append", choices=LANGUAGES)
    parser.add_argument("--only", default="")
    parser.add_argument("--to", type=Path, default=FOLDER)
    asked = parser.parse_args()
    if not any(map(shutil.which, NAMES)):
        sys.stderr.write(f"There is no Chromium here ({', '.join(NAMES)}).\n")
        return 1
    languages, chosen = asked.language or list(LANGUAGES), shots(asked.only)
    index = write_pages(languages, chosen, asked.to)
    asyncio.run(take(languages, chosen, asked.to))
    sys.stdout.write(f"{index}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
