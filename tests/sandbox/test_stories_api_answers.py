"""What the Stories API says about profiles and stories."""

import base64

import pytest

from tests.support.control import Json
from tests.support.sandbox import Box
from tests.support.stories import Raw

BY_NAME, BY_PK = "/v1/user/stories/by/username", "/v1/user/stories"
DAY = 86_400


def _link(story: Json) -> str:
    return f"https://www.instagram.com/stories/{story['user']['username']}/{story['pk']}/"


async def test_stories_by_name_and_by_number_are_the_same(api: Raw) -> None:
    by_name = await api.get(BY_NAME, username="NatGeo")
    by_pk = await api.get(BY_PK, user_id="787132")
    assert [s["pk"] for s in by_name.json] == [s["pk"] for s in by_pk.json]
    assert [s["media_type"] for s in by_name.json] == [2, 2, 1]


@pytest.mark.parametrize(("amount", "shown"), [("0", 30), ("7", 7), ("99", 30), ("-1", 30)])
async def test_amount_takes_the_first(api: Raw, amount: str, shown: int) -> None:
    said = await api.get(BY_NAME, username="thirty", amount=amount)
    everything = await api.get(BY_NAME, username="thirty")
    assert [s["pk"] for s in said.json] == [s["pk"] for s in everything.json][:shown]


@pytest.mark.parametrize("endpoint", ["/v1/story/by/id", "/v1/story/by/url"])
async def test_one_story(box: Box, api: Raw, endpoint: str) -> None:
    for story in await box.control.stories("12345"):
        asked = (
            [{"id": story["pk"]}, {"id": story["id"]}]
            if endpoint.endswith("id")
            else [{"url": _link(story)}, {"url": _link(story) + "?igsh=x"}]
        )
        for params in asked:
            said = await api.get(endpoint, **params)
            assert said.status == 200
            assert (said.json["pk"], said.json["user"]["username"]) == (story["pk"], "12345")


@pytest.mark.parametrize(
    "url",
    [
        "https://www.instagram.com/stories/highlights/17900000000000000/",
        "https://www.instagram.com/stories/natgeo/",
        "https://www.instagram.com/stories/natgeo/abc/",
        "https://www.instagram.com/p/DW38ZhqiKax/",
        "https://www.instagram.com/s/aGlnaGxpZ2h0OjE3OTAwMDAwMDAwMDAwMDAw",
        "https://instagram.com.evil.example/stories/natgeo/3870828041672894129/",
        "https://[bad/stories/natgeo/3870828041672894129/",
        "",
    ],
)
async def test_other_links_are_refused(api: Raw, url: str) -> None:
    for endpoint in ("/v1/story/by/url", "/v1/story/download/by/story/url"):
        said = await api.get(endpoint, url=url)
        assert (said.status, said.json["exc_type"]) == (400, "ValidationError")


async def test_a_story_is_gone_after_a_day(box: Box, api: Raw) -> None:
    story = await box.control.publish("quiet")
    assert (await api.get("/v1/story/by/id", id=story["pk"])).status == 200
    await box.control.advance(DAY)
    for path, params in (
        ("/v1/story/by/id", {"id": story["pk"]}),
        ("/v1/story/by/url", {"url": _link(story)}),
        ("/v1/story/download", {"id": story["pk"]}),
    ):
        said = await api.get(path, **params)
        assert (said.status, said.json["exc_type"]) == (404, "MediaNotFound")
    assert (await api.get(BY_NAME, username="quiet")).json == []


async def test_unknown_and_deleted_profiles(box: Box, api: Raw) -> None:
    story = (await box.control.stories("prada"))[0]
    await box.control.change_profile("prada", deleted=True)
    for path, params in (
        (BY_NAME, {"username": "nobody"}),
        (BY_NAME, {"username": "prada"}),
        (BY_PK, {"user_id": "304662892"}),
        ("/v1/user/by/username", {"username": "@natgeo"}),
        ("/v1/user/by/id", {"id": "1"}),
    ):
        said = await api.get(path, **params)
        assert said.status == 404
        assert said.json == {"detail": "User not found", "exc_type": "UserNotFound"}
    assert (await api.get("/v1/story/by/id", id=story["pk"])).status == 404


async def test_share_links_are_read(api: Raw) -> None:
    for text, kind in (("highlight:17900000000000000", "highlight"), ("story:12345", "story")):
        code = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        said = await api.get("/v1/share/by/url", url=f"https://www.instagram.com/s/{code}?igsh=1")
        assert said.json == {"pk": text.partition(":")[2], "type": kind}
    for url in ("https://www.instagram.com/s/%%%", "https://www.instagram.com/natgeo/"):
        assert (await api.get("/v1/share/by/url", url=url)).status == 400


async def test_an_expired_link_cannot_be_downloaded(box: Box, api: Raw) -> None:
    link = (await box.control.stories("natgeo"))[0]["video_url"]
    await box.control.advance(2 * DAY)
    said = await api.get("/v1/story/download/by/url", url=link)
    assert (said.status, said.json["exc_type"]) == (404, "MediaUnavailable")
    for bad in (box.urls.cdn + "/v/none.jpg?oh=1", "http://[", "not a link"):
        assert (await api.get("/v1/story/download/by/url", url=bad)).status in {400, 404}
