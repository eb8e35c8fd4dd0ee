"""What one account, a list without stories, or the edge answers, and what it bills."""

from typing import Any

import pytest

from tests.support.control import RefusedError
from tests.support.sandbox import Box


async def answered(box: Box, path: str, **params: Any) -> tuple[int, str, dict[str, str]]:
    async with box.session.get(
        box.urls.stories_api + path,
        params=params,
        headers={"x-access-key": "k", "User-Agent": "test"},
    ) as answer:
        return answer.status, await answer.text(), dict(answer.headers)


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


async def test_one_service_has_two_addresses_and_a_fault_may_hit_one(box: Box) -> None:
    await box.control.fault("stories", {"status": 502, "body": ""}, host="127.0.0.1")
    second = box.urls.stories_api.replace("127.0.0.1", "localhost")
    headers = {"x-access-key": "k", "User-Agent": "test"}
    for url, status in ((second, 200), (box.urls.stories_api, 502)):
        async with box.session.get(url + "/sys/balance", headers=headers) as answer:
            assert answer.status == status
    with pytest.raises(RefusedError):
        await box.control.change_profile("natgeo", trouble="flu")
