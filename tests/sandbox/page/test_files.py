"""What the page listener serves, without a browser."""

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from yarl import URL

from sandbox import media
from sandbox.page.files import STATIC, TYPES
from tests.sandbox.page.browser import ScriptedBot
from tests.support.sandbox import Box

pytestmark = pytest.mark.asyncio(loop_scope="package")

PHOTO = (media.FOLDER / media.index().photos[0]).read_bytes()


@pytest_asyncio.fixture(loop_scope="package")
async def photo_url(box: Box) -> str:
    person = await box.control.person()
    await box.control.say(person, "hello")
    sent = await ScriptedBot(box).photo(person)
    return f"{box.urls.page}/page/files/{sent['photo'][-1]['file_id']}"


async def test_the_page_loads_nothing_from_elsewhere(box: Box) -> None:
    async with box.session.get(box.urls.page) as answer:
        text = await answer.text()
        assert answer.status == 200
        assert answer.content_type == "text/html"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert "http" not in text


async def test_every_static_file_is_served_with_its_type(box: Box) -> None:
    names = [p.relative_to(STATIC).as_posix() for p in STATIC.rglob("*.*")]
    assert {"index.html", "js/main.js", "css/base.css", "icons.svg"} <= set(names)
    for name in names:
        async with box.session.get(f"{box.urls.page}/page/static/{name}") as answer:
            assert (answer.status, answer.content_type) == (200, TYPES["." + name.split(".")[-1]])


@pytest.mark.parametrize("name", ["none.js", "..%2fpage.py", "%2e%2e/files.py", "js", "page.py"])
async def test_nothing_else_is_served(box: Box, name: str) -> None:
    async with ClientSession() as session:
        url = URL(f"{box.urls.page}/page/static/{name}", encoded=True)
        async with session.get(url) as answer:
            assert answer.status == 404


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-", 0, len(PHOTO)),
        ("bytes=0-99", 0, 100),
        ("bytes=100-199", 100, 200),
        ("bytes=-50", len(PHOTO) - 50, len(PHOTO)),
        ("bytes=100-99999999", 100, len(PHOTO)),
    ],
)
async def test_a_part_of_a_file(
    box: Box, photo_url: str, wanted: str, start: int, stop: int
) -> None:
    async with box.session.get(photo_url, headers={"Range": wanted}) as answer:
        assert answer.status == 206
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(PHOTO)}"
        assert await answer.read() == PHOTO[start:stop]


@pytest.mark.parametrize("file_id", ["nonsense", "AgACAgQAAxkBAAIB", "a.b", "%00"])
async def test_an_unknown_file_is_not_found(box: Box, file_id: str) -> None:
    async with box.session.get(f"{box.urls.page}/page/files/{file_id}") as answer:
        assert answer.status == 404
