"""Flood limits, and what every fault does to the Bot API."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.telegram.limits import Limits
from sandbox.telegram.refusals import Refusal
from tests.sandbox.telegram.harness import TOKEN, Api, photo

Sends = list[tuple[int, int, float]]


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
    await api.control("POST", "limits", hold_s=8)
    for _ in range(3):  # the third waits there until it may go
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
            limits.count_or_refuse(7, chat, weight, now)
            taken.append((now, chat, weight))
    for start, _, _ in taken:
        second = [weight for at, _, weight in taken if start <= at < start + 1]
        assert sum(second) <= 30
        for group in (-3, -4):
            minute = [w for at, chat, w in taken if chat == group and start <= at < start + 60]
            assert sum(minute) <= 20
