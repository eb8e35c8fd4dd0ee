"""What one account, a list without stories, or the edge answers, and what it bills."""

from typing import Any

import pytest

from tests.support.control import RefusedError
from tests.support.sandbox import Box
from tests.support.stories import Raw

KINDS = {
    "error": (500, "InternalError", 0),
    "ClientForbiddenError": (403, "ClientForbiddenError", 2),
    "ClientLoginRequired": (403, "ClientLoginRequired", 2),
    "PleaseWaitFewMinutes": (403, "PleaseWaitFewMinutes", 2),
    "nameless": (403, None, 2),
    "UserNotFound": (404, "UserNotFound", 2),
    "PrivateAccount": (403, "PrivateAccount", 2),
}


async def answered(box: Box, path: str, **params: Any) -> tuple[int, str, dict[str, str]]:
    async with box.session.get(
        box.urls.stories_api + path,
        params=params,
        headers={"x-access-key": "k", "User-Agent": "test"},
    ) as answer:
        return answer.status, await answer.text(), dict(answer.headers)


@pytest.mark.parametrize("kind", KINDS)
async def test_one_account_is_in_trouble_and_no_other(box: Box, api: Raw, kind: str) -> None:
    status, name, billed = KINDS[kind]
    await box.control.change_profile("natgeo", trouble=kind, trouble_times=1)
    answer = await api.get("/v1/user/stories", user_id="787132")
    assert (answer.status, answer.json.get("exc_type")) == (status, name)
    assert await box.control.billed() == billed
    assert (await api.get("/v1/user/stories", user_id="787132")).status == 200
    await box.control.change_profile("natgeo", trouble=kind)
    assert (await api.get("/v1/user/by/username", username="natgeo")).status == status
    pk = (await box.control.stories("natgeo"))[0]["pk"]
    assert (await api.get("/v1/story/by/id", id=pk)).status == status
    assert (await api.get("/v1/user/by/username", username="prada")).status == 200
    await box.control.change_profile("natgeo", trouble=None)
    assert (await api.get("/v1/user/by/username", username="natgeo")).status == 200


@pytest.mark.parametrize("has_info", [False, True])
async def test_the_edge_bills_nothing_whatever_its_page_carries(box: Box, has_info: bool) -> None:
    await box.control.stories_api(edge_info=has_info)
    await box.control.change_profile("natgeo", trouble="edge", trouble_times=1)
    status, text, headers = await answered(box, "/v1/user/stories", user_id="787132")
    assert (status, text[:9]) == (403, "<!DOCTYPE")
    assert ("x-hiker-info" in headers) is has_info
    page = {"status": 404, "body": "<html>", "headers": {"x-hiker-info": "reqs=2"}}
    await box.control.fault("stories", page if has_info else {**page, "headers": {}})
    status, _, headers = await answered(box, "/v1/user/stories", user_id="787132")
    assert (status, "x-hiker-info" in headers) == (404, has_info)
    assert await box.control.billed() == 0


@pytest.mark.parametrize("name", ["StoryNotFound", "MediaNotFound", "NotFoundError"])
async def test_a_list_may_say_none_by_a_404(box: Box, api: Raw, name: str) -> None:
    await box.control.stories_api(none_as=name)
    answer = await api.get("/v1/user/stories/by/username", username="quiet")
    assert (answer.status, answer.json["exc_type"]) == (404, name)
    assert await box.control.billed() == 3


@pytest.mark.parametrize(
    ("shown", "status", "count"),
    [("empty", 200, 0), ("stories", 200, 1), ("UserNotFound", 404, 0), ("PrivateAccount", 403, 0)],
)
async def test_force_shows_of_a_private_account_what_it_is_told(
    box: Box, api: Raw, shown: str, status: int, count: int
) -> None:
    await box.control.profile("hidden", is_private=True)
    await box.control.publish("hidden")
    await box.control.stories_api(forced_private=shown, forced_blind=["natgeo"])
    answer = await api.get("/v1/user/stories/by/username", username="hidden", force="on")
    assert answer.status == status
    if status == 200:
        assert len(answer.json) == count
    blind = await api.get("/v1/user/stories", user_id="787132", force="on")
    assert blind.json == []
    assert len((await api.get("/v1/user/stories", user_id="787132")).json) == 3


async def test_one_service_has_two_addresses_and_a_fault_may_hit_one(box: Box) -> None:
    await box.control.fault("stories", {"status": 502, "body": ""}, host="127.0.0.1")
    second = box.urls.stories_api.replace("127.0.0.1", "localhost")
    headers = {"x-access-key": "k", "User-Agent": "test"}
    for url, status in ((second, 200), (box.urls.stories_api, 502)):
        async with box.session.get(url + "/sys/balance", headers=headers) as answer:
            assert answer.status == status
    with pytest.raises(RefusedError):
        await box.control.change_profile("natgeo", trouble="flu")
