"""Faults on demand, on the wire of the Stories API and the CDN."""

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientTimeout

from sandbox.faults import Faults
from tests.support.control import wait_for
from tests.support.sandbox import Box
from tests.support.stories import Raw

MINE = "/v1/user/stories/by/username"
BY_NAME = {"username": "natgeo"}


def _spec(**more: Any) -> dict[str, object]:
    return {"service": "cdn", "match": "", "fault": {"status": 500}, **more}


def test_a_fault_hits_what_it_matches() -> None:
    faults = Faults()
    number = faults.add(_spec(match="STORIES/by"))
    assert faults.take("telegram", "/user/stories/by/username") is None
    assert faults.take("cdn", "/v1/user/by/id") is None
    hit = faults.take("cdn", "/v1/user/stories/by/username?username=a")
    assert hit is not None
    assert hit.id == number


def test_times_and_after_count_down() -> None:
    faults = Faults()
    faults.add(_spec(times=2, after=1))
    assert [faults.take("cdn", "/") is not None for _ in range(5)] == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_every_second_is_hit_and_a_later_fault_takes_the_others() -> None:
    faults = Faults()
    second, rest = faults.add(_spec(every=2)), faults.add(_spec(times=2))
    hits = [hit.id for _ in range(4) if (hit := faults.take("cdn", "/"))]
    assert hits == [rest, second, rest, second]


def test_the_oldest_fault_goes_first_and_each_is_lifted_by_its_number() -> None:
    faults = Faults()
    first, second = faults.add(_spec(times=1)), faults.add(_spec())
    hits = [hit.id for _ in range(3) if (hit := faults.take("cdn", "/"))]
    assert hits == [first, second, second]
    third = faults.add(_spec())
    faults.clear(second)
    hit = faults.take("cdn", "/")
    assert hit is not None
    assert hit.id == third
    faults.clear()
    assert faults.take("cdn", "/") is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"service": "moon"},
        {"service": None},
        {"match": 1},
        {"times": 0},
        {"times": "two"},
        {"after": -1},
        {"fault": {}},
        {"fault": "boom"},
        {"fault": {"explode": True}},
        {"fault": {"reset": "during"}},
        {"fault": {"status": 502, "effect": 1}},
        {"every": 0},
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused(
    sandbox: Box, wrong: dict[str, object]
) -> None:
    async with sandbox.session.post(
        sandbox.urls.page + "/control/faults", json=_spec(**wrong)
    ) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]


async def test_who_gives_up_waiting_is_billed_all_the_same(sandbox: Box) -> None:
    await sandbox.control.fault("stories", {"delay_s": 0.2})
    with pytest.raises(TimeoutError):
        await sandbox.session.get(
            sandbox.urls.stories_api + MINE,
            params=BY_NAME,
            headers={"x-access-key": "k"},
            timeout=ClientTimeout(total=0.05),
        )
    assert await wait_for(sandbox.control.billed) == 3


@pytest.mark.parametrize("service", ["stories", "cdn"])
async def test_a_hanging_server_never_answers(sandbox: Box, service: str) -> None:
    await sandbox.control.fault(service, {"hang": True})
    url = await _url(sandbox, service)
    with pytest.raises(TimeoutError):
        await sandbox.session.get(
            url, headers={"x-access-key": "k"}, timeout=ClientTimeout(total=0.1)
        )
    assert (await sandbox.control.requests(service))[0]["status"] == 0
    assert await sandbox.control.billed() == 0


async def test_a_sandbox_with_a_hanging_request_can_be_stopped(sandbox: Box) -> None:
    await sandbox.control.fault("cdn", {"hang": True})
    async with asyncio.TaskGroup() as group:
        url = await _url(sandbox, "cdn")

        async def ask() -> None:
            with pytest.raises(aiohttp.ClientError):
                await sandbox.session.get(url)

        group.create_task(ask())

        async def hangs() -> list[dict[str, Any]]:
            return await sandbox.control.requests("cdn")

        await wait_for(hangs)
        async with asyncio.timeout(60):
            await sandbox.parts.closing.aclose()


@pytest.mark.parametrize("service", ["stories", "cdn"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_reset_drops_the_connection(sandbox: Box, service: str, when: str) -> None:
    await sandbox.control.fault(service, {"reset": when})
    url = await _url(sandbox, service)
    with pytest.raises(aiohttp.ClientOSError):
        await _no_retry(url)
    entry = (await sandbox.control.requests(service))[0]
    assert entry["status"] == (200 if when == "after" else 0)
    assert entry["fault"] == 1
    billed = 3 if service == "stories" and when == "after" else 0
    assert await sandbox.control.billed() == billed


async def test_a_reset_after_a_download_is_billed(sandbox: Box) -> None:
    story = (await sandbox.control.stories("prada"))[0]
    await sandbox.control.fault("stories", {"reset": "after"})
    url = f"{sandbox.urls.stories_api}/v1/story/download?id={story['pk']}"
    with pytest.raises(aiohttp.ClientOSError):
        await _no_retry(url)
    assert await sandbox.control.billed() == 1


@pytest.mark.parametrize("service", ["stories", "cdn"])
async def test_a_truncated_body_is_shorter_than_it_said(sandbox: Box, service: str) -> None:
    await sandbox.control.fault(service, {"truncate": 100})
    url = await _url(sandbox, service)
    async with sandbox.session.get(url, headers={"x-access-key": "k"}) as answer:
        assert answer.status == 200
        assert answer.content_length
        assert answer.content_length > 100
        got = bytearray()
        with pytest.raises(aiohttp.ClientPayloadError):
            await _read_all(answer, got)
        assert len(got) == 100


@pytest.mark.parametrize("service", ["stories", "cdn"])
async def test_a_slow_body_drips(sandbox: Box, service: str) -> None:
    await sandbox.control.fault(service, {"slow_bytes_per_s": 400})
    url = await _url(sandbox, service)
    async with sandbox.session.get(
        url, headers={"x-access-key": "k"}, timeout=ClientTimeout(total=0.3)
    ) as answer:
        assert answer.status == 200
        with pytest.raises(TimeoutError):
            await answer.read()


async def test_scripted_answers_of_the_cdn(sandbox: Box) -> None:
    page = "<html>not a film</html>"
    fault = {"status": 200, "body": page, "headers": {"Server": "x"}}
    await sandbox.control.fault("cdn", fault, match=".mp4")
    photo = (await sandbox.control.stories("prada"))[0]["thumbnail_url"]
    async with sandbox.session.get(photo) as answer:
        assert answer.content_type == "image/jpeg"
    async with sandbox.session.get(await _url(sandbox, "cdn")) as answer:
        assert (answer.headers["Server"], await answer.read()) == ("x", page.encode())


async def test_faults_can_be_lifted(sandbox: Box, api: Raw) -> None:
    number = await sandbox.control.fault("stories", {"status": 500}, times=None)
    assert [(await api.get(MINE, **BY_NAME)).status for _ in range(2)] == [500, 500]
    await sandbox.control.clear_faults(number)
    assert (await api.get(MINE, **BY_NAME)).status == 200
    await sandbox.control.fault("stories", {"status": 500}, times=None)
    await sandbox.control.clear_faults()
    assert (await api.get(MINE, **BY_NAME)).status == 200


async def _url(sandbox: Box, service: str) -> str:
    if service == "stories":
        return f"{sandbox.urls.stories_api}{MINE}?username=natgeo"
    return str((await sandbox.control.stories("natgeo"))[0]["video_url"])


async def _no_retry(url: str) -> None:
    """GET once: by itself aiohttp asks a second time when a connection breaks."""
    async with aiohttp.ClientSession() as session:
        session._retry_connection = False  # noqa: SLF001 - it has no setting
        async with session.get(url, headers={"x-access-key": "k"}) as answer:
            await answer.read()


async def _read_all(answer: aiohttp.ClientResponse, into: bytearray) -> None:
    async for chunk in answer.content.iter_any():
        into += chunk


async def test_headers_may_lie_about_the_body(sandbox: Box) -> None:
    fault = {"status": 200, "body": "[]", "headers": {"Content-Encoding": "gzip"}}
    await sandbox.control.fault("stories", fault)
    with pytest.raises(aiohttp.ClientPayloadError):
        await _no_retry(await _url(sandbox, "stories"))
