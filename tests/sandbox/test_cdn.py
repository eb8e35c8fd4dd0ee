"""The CDN: signatures, expiry, ranges."""

import re

import pytest
from yarl import URL

from sandbox import media
from sandbox.cdn import IMAGE_LIFE_S, VIDEO_LIFE_S
from tests.support.sandbox import Box


async def _get(box: Box, url: str | URL, **headers: str) -> tuple[int, dict[str, str], bytes]:
    async with box.session.get(url, headers=headers) as answer:
        return answer.status, dict(answer.headers), await answer.read()


async def _links(box: Box) -> tuple[str, str]:
    story = (await box.control.stories("natgeo"))[0]
    return story["thumbnail_url"], story["video_url"]


async def test_links_look_like_the_real_ones(box: Box) -> None:
    image, video = await _links(box)
    photo = (await box.control.stories("prada"))[0]["thumbnail_url"]
    assert re.search(r"/v/t51\.71878-15/\d+_\d+_\d+_n\.jpg\?", image)
    assert re.search(r"/v/t51\.82787-15/\d+_\d+_\d+_n\.jpg\?", photo)
    assert re.search(r"/o1/v/t2/f2/m78/AQ[\w-]+\.mp4\?", video)
    now = (await box.control.state())["now"]
    for link, life in ((image, IMAGE_LIFE_S), (video, VIDEO_LIFE_S)):
        assert abs(int(URL(link).query["oe"], 16) - now - life) < life * 0.06
        assert "_nc_ht" in URL(link).query


async def test_serves_the_story_s_own_bytes(box: Box) -> None:
    story = (await box.control.stories("natgeo"))[0]
    for link, kind in ((story["thumbnail_url"], "image/jpeg"), (story["video_url"], "video/mp4")):
        status, headers, body = await _get(box, link)
        assert (status, headers["Content-Type"]) == (200, kind)
        assert int(headers["Content-Length"]) == len(body)
        assert media.story_pk_of(body) == story["pk"]
    assert (await _get(box, story["user"]["profile_pic_url"]))[0] == 200


@pytest.mark.parametrize(
    ("asked", "span"),
    [("bytes=0-99", (0, 100)), ("bytes=500-", (500, None)), ("bytes=-7", (-7, None))],
)
async def test_ranges(box: Box, asked: str, span: tuple[int, int | None]) -> None:
    _, video = await _links(box)
    _, _, whole = await _get(box, video)
    status, headers, part = await _get(box, video, Range=asked)
    assert (status, part) == (206, whole[slice(*span)])
    start = whole.index(part)
    assert headers["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{len(whole)}"


async def test_links_expire(box: Box) -> None:
    image, video = await _links(box)
    await box.control.advance(VIDEO_LIFE_S * 1.06)
    assert (await _get(box, video))[::2] == (403, b"URL signature expired")
    assert (await _get(box, image))[0] == 200
    await box.control.advance(IMAGE_LIFE_S)
    assert (await _get(box, image))[::2] == (403, b"URL signature expired")


async def test_a_link_altered_in_any_part_is_refused(box: Box) -> None:
    _, video = await _links(box)
    link = URL(video)
    other = URL((await box.control.stories("natgeo"))[1]["video_url"])
    altered = [link.update_query({name: value + "0"}) for name, value in link.query.items()]
    altered += [link.without_query_params(name) for name in link.query]
    altered += [link.extend_query(more="1"), link.extend_query(oe="7FFFFFFF")]
    altered += [link.with_path(other.path, keep_query=True), link.with_query(None)]
    for url in altered:
        assert (await _get(box, url))[::2] == (403, b"Bad URL hash")
