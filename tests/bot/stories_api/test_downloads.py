"""The three download endpoints, whatever they answer."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.errors import (
    MEDIA_GONE,
    MEDIA_REFUSED,
    ApiUnavailableError,
    BotError,
    MediaError,
    MediaTooBigError,
    OutOfServiceError,
    StoryGoneError,
)
from bot.media.spool import MediaFile, Spool
from bot.stories_api.downloads import file_url_in
from tests.bot.stories_api.server import KEY, api_at, response, says, serving
from tests.support.errors import raises
from tests.support.followed import DATED
from tests.support.spooled import kept

MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(100_000)
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
CDN = "https://scontent-ord5-2.cdninstagram.com/v/1.mp4?oe=7FFFFFFF"
STORY = {"pk": "1", "video_url": CDN, "thumbnail_url": "https://x.example/poster.jpg"}


class Cdn:
    """Stands for the part that fetches from the media hosts."""

    def __init__(self, path: Path, error: Exception | None = None) -> None:
        self.path, self.error = path, error
        self.asked: list[str] = []

    async def fetch(self, url: str, *, max_bytes: int) -> MediaFile:
        self.asked.append(url)
        if self.error:
            raise self.error
        return MediaFile(self.path, "video", "video/mp4", max_bytes)


@pytest.mark.parametrize(
    ("body", "headers", "mime"),
    [
        (MP4, {"Content-Type": "video/mp4"}, "video/mp4"),
        (MP4, {"Content-Type": "application/json"}, "video/mp4"),  # the bytes decide
        (JPEG, {"Content-Type": "application/octet-stream"}, "image/jpeg"),
        (JPEG, {"Content-Type": "text/html"}, "image/jpeg"),
    ],
)
async def test_a_file_is_a_file_whatever_the_header_says(
    body: bytes, headers: dict[str, str], mime: str, tmp_path: Path
) -> None:
    with Spool(tmp_path, limit=10**7) as spool:
        async with (
            serving(says(response(200, body, headers))) as server,
            api_at(server.url) as api,
        ):
            for one in (DATED, replace(DATED, pk="1")):
                answer = await api.download(one, spool)
                with kept(answer.value) as file:
                    assert (file.mime, file.size, answer.credits) == (mime, len(body), 1)
                    assert file.path.read_bytes() == body
        assert server.requests[0].startswith("GET /v1/story/download?id=")
        assert server.requests[1].startswith("GET /v1/story/download/by/story/url?url=")
        assert "url=https://" in server.requests[1]
        assert spool.used == 0


async def test_a_file_that_comes_packed_is_as_large_as_it_unfolds(tmp_path: Path) -> None:
    packed = response(200, gzip.compress(MP4), {"Content-Encoding": "gzip"})
    with Spool(tmp_path, limit=10**9) as spool:
        async with serving(says(packed)) as server, api_at(server.url) as api:
            with kept((await api.download(DATED, spool)).value) as file:
                assert file.path.read_bytes() == MP4
        assert spool.used == 0


@pytest.mark.parametrize(
    "answer",
    [
        response(302, b"", {"Location": CDN}),
        response(307, b"", {"Location": CDN}),
        response(200, json.dumps(CDN).encode()),
        response(200, json.dumps(STORY).encode()),
        response(200, json.dumps({"response": {"story": STORY}}).encode()),
        response(200, json.dumps([{"download_url": CDN}]).encode()),
        response(200, json.dumps({"data": {"href": CDN}}).encode()),
    ],
)
async def test_an_address_is_fetched_without_the_key(answer: bytes, tmp_path: Path) -> None:
    cdn = Cdn(tmp_path)
    with Spool(tmp_path, limit=10**7) as spool:
        async with (
            serving(says(answer)) as server,
            api_at(server.url, fetch_media=cdn.fetch) as api,
        ):
            assert (await api.download(DATED, spool)).credits == 1
    assert cdn.asked == [CDN]
    assert KEY not in CDN


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (response(200, b'"/srv/files/1.mp4"'), ApiUnavailableError),
        (response(200, b'"ftp://x/1.mp4"'), ApiUnavailableError),
        (response(200, b"{}"), ApiUnavailableError),
        (response(200, b"[]"), ApiUnavailableError),
        (response(200, b""), ApiUnavailableError),
        (response(200, b"<html>no</html>"), ApiUnavailableError),
        (response(200, b'{"pk": "1"}' + b" " * 5_000_000), ApiUnavailableError),
        (response(302, b"", {}), ApiUnavailableError),
        (response(200, b'{"detail": "x", "exc_type": "StoryNotFound"}'), StoryGoneError),
        (
            response(200, b'{"state": false, "error": "x", "exc_type": "InsufficientFunds"}'),
            OutOfServiceError,
        ),
        (response(200, MP4, length=60 * 2**20), MediaTooBigError),
        (response(404, b'{"detail": "x", "exc_type": "MediaNotFound"}'), StoryGoneError),
    ],
)
async def test_all_else_is_a_typed_error_that_knows_its_price(
    answer: bytes, kind: type[BotError], tmp_path: Path
) -> None:
    with Spool(tmp_path, limit=10**9) as spool:
        async with serving(says(answer)) as server, api_at(server.url) as api:
            with pytest.raises(kind) as caught:
                await api.download(DATED, spool)
        assert spool.used == 0
        assert vars(caught.value)["credits"] == 1


async def test_what_is_elsewhere_is_billed_even_when_it_is_gone(tmp_path: Path) -> None:
    answer = response(200, json.dumps(CDN).encode(), {"x-hiker-info": "reqs=2"})
    with Spool(tmp_path, limit=10**7) as spool:
        async with serving(says(answer)) as server:
            cdn = Cdn(tmp_path, MediaError("403", text=MEDIA_GONE))
            async with api_at(server.url, fetch_media=cdn.fetch) as api:
                with raises(MediaError, MEDIA_GONE) as caught:
                    await api.download(DATED, spool)
                assert caught.value.credits == 2
            async with api_at(server.url) as api:
                with raises(MediaError, MEDIA_REFUSED) as refused:
                    await api.download(DATED, spool)
                assert refused.value.credits == 2


def test_an_address_is_looked_for_in_places_that_are_known() -> None:
    assert file_url_in({"video_url": None, "thumbnail_url": CDN}) == CDN
    assert file_url_in({"other": CDN}) is None
    assert file_url_in({"data": {"data": {"data": {"data": {"url": CDN}}}}}) is None
    assert file_url_in({"url": 5, "media": {"url": "/x"}}) is None
    assert file_url_in(7) is None
