"""The Stories API's listener: the order of the checks, what is billed, and its settings."""

import json

import pytest
from aiohttp import ClientSession
from aiohttp.hdrs import USER_AGENT

from sandbox.stories_api.endpoints import ENDPOINTS
from tests.support.sandbox import Box
from tests.support.stories import Raw

MINE = "/v1/user/stories/by/username"
BY_NAME = {"username": "natgeo"}


def _paid() -> list[str]:
    return [path for path in ENDPOINTS if path != "/sys/balance"]


async def test_the_order_of_the_checks(box: Box, api: Raw) -> None:
    """Each call breaks one rule fewer than the one before; the earliest rule answers."""
    await box.control.stories_api(rate=0.001, balance=0)
    unknown = await api.get("/v1/nowhere", method="POST", key=None)
    assert (unknown.status, unknown.json) == (404, {"detail": "Not Found"})
    wrong_method = await api.get(MINE, method="POST", key=None)
    assert (wrong_method.status, wrong_method.json) == (405, {"detail": "Method Not Allowed"})
    no_key = await api.get(MINE, key=None)
    assert no_key.status == 401
    assert set(no_key.json) == {"detail", "exc_type"}
    too_fast = await api.get(MINE)
    assert (too_fast.status, too_fast.headers["Retry-After"]) == (429, "999")
    await box.control.stories_api(rate=None)
    no_name = await api.get(MINE)
    assert no_name.status == 422
    assert no_name.json["detail"][0]["loc"] == ["query", "username"]
    unfunded = await api.get(MINE, username="nobody")
    assert unfunded.status == 402
    assert unfunded.json["exc_type"] == "InsufficientFunds"
    assert unfunded.json["state"] is False
    assert "detail" not in unfunded.json
    await box.control.stories_api(balance=100)
    assert (await api.get(MINE, username="nobody")).status == 404


@pytest.mark.parametrize("path", _paid())
async def test_every_path_wants_a_key_and_its_parameters(api: Raw, path: str) -> None:
    assert (await api.get(path, key=None)).status == 401
    assert (await api.get(path, key="bad-key")).status == 401
    assert (await api.get(path)).status == 422
    first = ENDPOINTS[path].params[0].name
    assert (await api.get(path, key="empty-key", **{first: "1"})).status == 402


@pytest.mark.parametrize(
    ("path", "params", "status", "cost"),
    [
        ("/v1/user/stories", {"user_id": "787132"}, 200, 2),
        ("/v1/user/stories", {"user_id": "787132", "force": "on"}, 200, 1),
        ("/v1/user/stories", {"user_id": "787132", "force": "true"}, 200, 1),
        ("/v1/user/stories", {"user_id": "787132", "force": "off"}, 200, 2),
        ("/v1/user/highlights", {"user_id": "787132"}, 200, 2),
        ("/v1/user/highlights", {"user_id": "787132", "force": "on"}, 200, 1),
        ("/v1/user/stories", {"user_id": "787132", "amount": "1"}, 200, 2),
        ("/v1/user/stories", {"user_id": "1"}, 404, 2),
        ("/v1/user/stories", {"user_id": "natgeo"}, 400, 2),
        ("/v1/user/stories", {"user_id": "787132", "amount": "few"}, 422, 2),
        ("/v1/user/stories", {"user_id": "40404040404"}, 403, 2),
        (MINE, {"username": "natgeo"}, 200, 3),
        (MINE, {"username": "natgeo", "force": "on"}, 200, 2),
        (MINE, {"username": "locked"}, 403, 3),
        (MINE, {"username": "locked", "force": "on"}, 200, 2),
        (MINE, {"username": "nobody"}, 404, 3),
        ("/v1/story/by/id", {"id": "3870828041672894129"}, 404, 1),
        ("/v1/story/by/id", {"id": "xyz"}, 400, 1),
        ("/v1/story/by/id", {}, 422, 1),
        ("/v1/story/by/url", {"url": "https://www.instagram.com/p/DW38ZhqiKax/"}, 400, 1),
        ("/v1/story/download", {"id": "3870828041672894129"}, 404, 1),
        ("/v1/story/download/by/url", {"url": "https://example.org/a.mp4"}, 400, 1),
        ("/v1/user/by/username", {"username": "natgeo"}, 200, 1),
        ("/v1/user/by/id", {"id": "787132"}, 200, 1),
        ("/v1/share/by/url", {"url": "https://www.instagram.com/s/c3RvcnkzOjE="}, 400, 1),
        ("/sys/balance", {}, 200, 0),
    ],
)
async def test_what_is_billed(  # noqa: PLR0917  pytest gives them by name
    box: Box, api: Raw, path: str, params: dict[str, str], status: int, cost: int
) -> None:
    before = (await api.get("/sys/balance")).json["requests"]
    said = await api.get(path, **params)
    assert said.status == status
    assert said.headers["x-hiker-info"] == f"reqs={cost}"
    assert await box.control.billed(path) == await box.control.billed() == cost
    assert before - (await api.get("/sys/balance")).json["requests"] == cost
    logged = (await box.control.requests("stories", path=path))[-2 if not cost else -1]
    assert (logged["status"], logged["billed"], logged["params"]) == (status, cost, params)


async def test_the_key_may_stand_in_the_query_and_is_never_logged(box: Box, api: Raw) -> None:
    said = await api.get(MINE, key=None, access_key="canary-key", **BY_NAME)
    assert said.status == 200
    await api.get(MINE, key="canary-key", **BY_NAME)
    entries = await box.control.requests("stories")
    assert entries[0]["params"] == {"username": "natgeo", "access_key": "***"}
    assert "canary" not in json.dumps(entries)


async def test_the_balance_runs_out(box: Box, api: Raw) -> None:
    await box.control.stories_api(balance=4)
    assert (await api.get(MINE, **BY_NAME)).status == 200
    assert (await api.get("/sys/balance")).json == {
        "requests": 1,
        "rate": 15,
        "currency": "USD",
        "amount": 0.001,
    }
    assert (await api.get(MINE, **BY_NAME)).status == 402
    assert (await api.get("/v1/user/by/username", **BY_NAME)).status == 200
    assert await box.control.billed() == 4


async def test_the_rate_is_kept_and_refusals_are_free(box: Box, api: Raw) -> None:
    await box.control.stories_api(rate=2)
    seen = [(await api.get("/v1/user/by/username", **BY_NAME)).status for _ in range(3)]
    assert seen == [200, 200, 429]
    assert await box.control.billed() == 2
    await box.control.advance(1)
    assert (await api.get("/v1/user/by/username", **BY_NAME)).status == 200


async def test_a_slash_too_many_is_redirected(api: Raw) -> None:
    said = await api.get(MINE + "/", **BY_NAME)
    assert said.status == 307
    assert said.headers["Location"].endswith(f"{MINE}?username=natgeo")


@pytest.mark.parametrize("agent", ["", "Python-urllib/3.11"])
async def test_nameless_clients_are_turned_away_at_the_edge(box: Box, agent: str) -> None:
    skipped = [USER_AGENT] if not agent else []
    async with (
        ClientSession(skip_auto_headers=skipped) as session,
        session.get(
            box.urls.stories_api + MINE,
            params=BY_NAME,
            headers={"x-access-key": "k"} | ({"User-Agent": agent} if agent else {}),
        ) as answer,
    ):
        assert (answer.status, answer.content_type) == (403, "text/plain")
        assert await answer.text() == "error code: 1010"
    assert await box.control.billed() == 0


@pytest.mark.parametrize(("status", "billed"), [(500, 0), (429, 0), (404, 3), (200, 3)])
async def test_a_scripted_answer_is_billed_as_a_real_one(
    box: Box, api: Raw, status: int, billed: int
) -> None:
    body = {"detail": "Gone fishing", "exc_type": "InternalError"}
    fault = {"status": status, "body": body, "headers": {"Retry-After": "7"}}
    await box.control.fault("stories", fault, match=MINE)
    said = await api.get(MINE, **BY_NAME)
    assert (said.status, said.json, said.headers["Retry-After"]) == (status, body, "7")
    assert said.headers["x-hiker-info"] == "reqs=3"
    assert await box.control.billed() == billed
    assert (await api.get(MINE, **BY_NAME)).json[0]["user"]["username"] == "natgeo"
