"""What Telegram's servers can reach."""

from aiohttp import ClientSession

from sandbox.fetching import LIMIT, fetcher
from tests.support.sandbox import Box


async def test_fetches_from_the_cdn_and_nowhere_else(sandbox: Box) -> None:
    async with ClientSession() as session:
        fetch = fetcher(session, lambda: sandbox.urls.cdn)
        story = (await sandbox.control.stories("prada"))[0]
        got = await fetch(story["thumbnail_url"])
        assert got is not None
        assert (got.status, got.content_type) == (200, "image/jpeg")
        assert got.length == len(got.data)
        assert await fetch(sandbox.urls.page + "/control/state") is None
        assert await fetch(sandbox.urls.cdn + ".evil.example/v/x.jpg") is None


async def test_reports_refusals_and_stops_at_the_limit(sandbox: Box) -> None:
    async with ClientSession() as session:
        fetch = fetcher(session, lambda: sandbox.urls.cdn)
        missing = await fetch(sandbox.urls.cdn + "/nothing")
        assert missing is not None
        assert missing.status == 404
        big = await fetch((await sandbox.control.stories("bigvideo"))[0]["video_url"])
        assert big is not None
        assert (len(big.data), big.length) == (LIMIT + 1, 52_500_000)


async def test_a_broken_connection_is_no_answer(sandbox: Box) -> None:
    async with ClientSession() as session:
        fetch = fetcher(session, lambda: sandbox.urls.cdn)
        await sandbox.control.fault("cdn", {"reset": "before"}, times=None)
        assert await fetch((await sandbox.control.stories("prada"))[0]["thumbnail_url"]) is None
