"""Faults on demand, on the wire of the Stories API and the CDN."""

from typing import Any

import aiohttp
import pytest
from aiohttp import ClientTimeout

from sandbox.faults import Faults
from tests.support.control import wait_for
from tests.support.sandbox import Box

MINE = "/v1/user/stories/by/username"
BY_NAME = {"username": "natgeo"}

# On the jumping clock a deadline never passes before the request arrives, also on a busy machine.
pytestmark = pytest.mark.jumps


def _spec(**more: Any) -> dict[str, object]:
    return {"service": "cdn", "match": "", "fault": {"status": 500}, **more}


def test_times_and_after_count_down() -> None:
    faults = Faults()
    faults.add(_spec(times=2, after=1))
    assert [faults.match_and_count_down("cdn", "/") is not None for _ in range(5)] == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_the_oldest_fault_goes_first_and_each_is_lifted_by_its_number() -> None:
    faults = Faults()
    first, second = faults.add(_spec(times=1)), faults.add(_spec())
    hits = [hit.id for _ in range(3) if (hit := faults.match_and_count_down("cdn", "/"))]
    assert hits == [first, second, second]
    third = faults.add(_spec())
    faults.clear(second)
    hit = faults.match_and_count_down("cdn", "/")
    assert hit is not None
    assert hit.id == third
    faults.clear()
    assert faults.match_and_count_down("cdn", "/") is None


def test_a_fault_may_be_of_one_chat_and_of_a_share_of_the_requests() -> None:
    faults = Faults()
    faults.add(_spec(times=None, chat_id=7, every=2))
    hits = [faults.match_and_count_down("cdn", "/x", chat_id=chat) for chat in (7, 8, 7, 8, 7, 7)]
    assert [hit is not None for hit in hits] == [False, False, True, False, False, True]


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
async def test_a_fault_that_makes_no_sense_is_refused(box: Box, wrong: dict[str, object]) -> None:
    async with box.session.post(box.urls.page + "/control/faults", json=_spec(**wrong)) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]


async def test_call_that_the_client_abandons_is_billed(box: Box) -> None:
    await box.control.fault("stories", {"delay_s": 0.2})
    with pytest.raises(TimeoutError):
        await box.session.get(
            box.urls.stories_api + MINE,
            params=BY_NAME,
            headers={"x-access-key": "k"},
            timeout=ClientTimeout(total=0.05),
        )
    assert await wait_for(box.control.billed) == 3


@pytest.mark.parametrize("service", ["stories", "cdn"])
async def test_a_hanging_server_never_answers(box: Box, service: str) -> None:
    await box.control.fault(service, {"hang": True})
    url = await _url(box, service)
    with pytest.raises(TimeoutError):
        await box.session.get(url, headers={"x-access-key": "k"}, timeout=ClientTimeout(total=0.1))
    assert (await box.control.requests(service))[0]["status"] == 0
    assert await box.control.billed() == 0


@pytest.mark.parametrize("service", ["stories", "cdn"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_reset_drops_the_connection(box: Box, service: str, when: str) -> None:
    await box.control.fault(service, {"reset": when})
    url = await _url(box, service)
    with pytest.raises(aiohttp.ClientOSError):
        await _no_retry(url)
    entry = (await box.control.requests(service))[0]
    assert entry["status"] == (200 if when == "after" else 0)
    assert entry["fault"] == 1
    billed = 3 if service == "stories" and when == "after" else 0
    assert await box.control.billed() == billed


@pytest.mark.parametrize("service", ["stories", "cdn"])
async def test_a_truncated_body_is_shorter_than_it_said(box: Box, service: str) -> None:
    await box.control.fault(service, {"truncate": 100})
    url = await _url(box, service)
    async with box.session.get(url, headers={"x-access-key": "k"}) as answer:
        assert answer.status == 200
        assert answer.content_length
        assert answer.content_length > 100
        got = bytearray()
        with pytest.raises(aiohttp.ClientPayloadError):
            await _read_all(answer, got)
        assert len(got) == 100


@pytest.mark.parametrize("service", ["stories", "cdn"])
async def test_a_slow_body_drips(box: Box, service: str) -> None:
    await box.control.fault(service, {"slow_bytes_per_s": 400})
    url = await _url(box, service)
    async with box.session.get(
        url, headers={"x-access-key": "k"}, timeout=ClientTimeout(total=0.3)
    ) as answer:
        assert answer.status == 200
        with pytest.raises(TimeoutError):
            await answer.read()


async def _url(box: Box, service: str) -> str:
    if service == "stories":
        return f"{box.urls.stories_api}{MINE}?username=natgeo"
    return str((await box.control.stories("natgeo"))[0]["video_url"])


async def _no_retry(url: str) -> None:
    """GET once: by itself aiohttp asks a second time when a connection breaks."""
    async with aiohttp.ClientSession() as session:
        session._retry_connection = False  # noqa: SLF001 - it has no setting
        async with session.get(url, headers={"x-access-key": "k"}) as answer:
            await answer.read()


async def _read_all(answer: aiohttp.ClientResponse, into: bytearray) -> None:
    async for chunk in answer.content.iter_any():
        into += chunk
