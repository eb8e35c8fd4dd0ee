"""Flood limits, and what every fault does to the Bot API."""

import contextlib
import itertools
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.telegram.limits import Limits, Pacing
from sandbox.telegram.refusals import Refusal
from tests.sandbox.telegram.harness import TOKEN, Api, photo

Sends = list[tuple[int, int, float]]


async def test_limits_are_off_until_they_are_set(api: Api) -> None:
    ann = await api.person()
    for _ in range(40):
        await api.ok("sendMessage", chat_id=ann, text="x")
    assert not (await api.control("GET", "limits"))["enabled"]
    settings = await api.control("PUT", "limits", preset="documented")
    assert settings == {
        "enabled": True,
        "per_bot_s": 30,
        "per_chat_s": 1,
        "per_chat_burst": 3,
        "per_group_min": 20,
        "pace_uploads": True,
    }


async def test_one_chat_is_slowed_down_by_429(api: Api) -> None:
    ann = await api.person()
    await api.control("POST", "limits", preset="documented", per_chat_burst=2)
    for _ in range(2):
        await api.ok("sendMessage", chat_id=ann, text="x")
    params = {"chat_id": str(ann), "text": "x"}
    async with api.session.get(f"{api.base}/bot{TOKEN}/sendMessage", params=params) as answer:
        body = await answer.json()
    wait = body["parameters"]["retry_after"]
    assert (answer.status, answer.headers["Retry-After"]) == (429, str(wait))
    assert body["description"] == f"Too Many Requests: retry after {wait}"
    api.telegram.world.clock.advance(wait)
    await api.ok("sendMessage", chat_id=ann, text="x")


async def test_an_album_weighs_its_items(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("group", ann)
    _, body = await api.upload("sendPhoto", {"chat_id": ann}, photo=photo())
    item = {"type": "photo", "media": body["result"]["photo"][-1]["file_id"]}
    await api.control("PUT", "limits", preset="documented")
    for _ in range(2):
        await api.ok("sendMediaGroup", chat_id=group, media=[item] * 10)
        api.telegram.world.clock.advance(1)
    status, refused = await api.bot("sendMediaGroup", chat_id=group, media=[item] * 2)
    assert status == 429
    assert 57 <= refused["parameters"]["retry_after"] <= 60
    assert len(await api.shown(group)) == 20


SEND = st.tuples(st.sampled_from([1, 2, -3, -4]), st.integers(1, 10), st.floats(0, 2))


@given(st.lists(SEND, max_size=60))
@settings(max_examples=60, deadline=None)
def test_no_window_ever_holds_more_than_its_limit(sends: Sends) -> None:
    limits = Limits(enabled=True)
    now, taken = 1000.0, []
    for chat, weight, pause in sends:
        now += pause
        with contextlib.suppress(Refusal):
            limits.take(7, chat, weight, now)
            taken.append((now, chat, weight))
    for start, _, _ in taken:
        second = [weight for at, _, weight in taken if start <= at < start + 1]
        assert sum(second) <= 30
        for group in (-3, -4):
            minute = [w for at, chat, w in taken if chat == group and start <= at < start + 60]
            assert sum(minute) <= 20


def test_equal_uploads_are_spaced() -> None:
    pacing = Pacing(Limits(enabled=True))
    waits = [pacing.wait(7, 5_000_000, 100.0) for _ in range(13)]
    assert waits[0] == 0.0
    assert all(later >= sooner for sooner, later in itertools.pairwise(waits))
    assert waits[6] - waits[5] == pytest.approx(0.5)
    assert pacing.wait(7, 99_000, 100.0) == 0.0
    with pytest.raises(Refusal, match="retry after 60"):
        pacing.wait(7, 5_000_000, 100.0)
    assert Pacing(Limits()).wait(7, 5_000_000, 100.0) == 0.0


def _fault(api: Api, match: str = "sendMessage", **fault: Any) -> None:
    spec = {"service": "telegram", "match": match, "times": 1, "fault": fault}
    api.telegram.faults.add(spec)


@pytest.mark.parametrize(("when", "arrived"), [("before", 0), ("after", 1)])
async def test_a_lost_answer(api: Api, when: str, arrived: int) -> None:
    ann = await api.person()
    _fault(api, reset=when)
    with pytest.raises(aiohttp.ClientError):
        await api.bot("sendMessage", chat_id=ann, text="x")
    assert len(await api.shown(ann)) == arrived


async def test_scripted_answers_delays_and_silence(api: Api) -> None:
    ann = await api.person()
    flood = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 5",
             "parameters": {"retry_after": 5}}  # fmt: skip
    _fault(api, status=429, body=flood, headers={"Retry-After": "5"})
    status, body = await api.bot("sendMessage", chat_id=ann, text="x")
    assert (status, body) == (429, flood)
    _fault(api, status=502, body="<html>bad gateway</html>")
    async with api.session.get(f"{api.base}/bot{TOKEN}/sendMessage") as answer:
        assert (answer.status, answer.content_type) == (502, "text/plain")
    _fault(api, delay_s=0.05)
    await api.ok("sendMessage", chat_id=ann, text="x")
    _fault(api, hang=True)
    with pytest.raises(TimeoutError):
        async with api.session.get(
            f"{api.base}/bot{TOKEN}/sendMessage", timeout=aiohttp.ClientTimeout(0.2)
        ):
            pass
    _fault(api, truncate=10)
    with pytest.raises(aiohttp.ClientPayloadError):
        await api.bot("sendMessage", chat_id=ann, text="x")
    assert len(await api.shown(ann)) == 2


async def test_a_download_can_fail(api: Api) -> None:
    ann = await api.person()
    _, body = await api.upload("sendPhoto", {"chat_id": ann}, photo=photo())
    file = await api.ok("getFile", file_id=body["result"]["photo"][0]["file_id"])
    _fault(api, match="file/photos", status=500, body="no")
    url = f"{api.base}/file/bot{TOKEN}/{file['file_path']}"
    async with api.session.get(url) as answer:
        assert answer.status == 500
    _fault(api, match="file/photos", truncate=100)
    with pytest.raises(aiohttp.ClientPayloadError):
        async with api.session.get(url) as answer:
            await answer.read()
