"""The flood limits: as arithmetic, as PTB's rate limiter, and against the sandbox's own."""

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram.error import BadRequest, RetryAfter

from bot.store import gates as store
from bot.store.database import Database
from bot.telegram.flood import GROUP_LIMIT, BotRate, BotWindow, ChatFlood, Lane
from bot.telegram.gates import LocalGates, SharedGates
from bot.telegram.outcomes import wait_of
from bot.telegram.pacing import Pacing, Turns, order_of
from tests.support.sandbox import sandbox_box
from tests.support.telegram import bot_at

RATE = 20


def most_in_a_second(sent: list[tuple[float, int]], window: float = 1.0) -> int:
    """Return the most messages within any window."""
    return max(sum(n for at, n in sent if start <= at < start + window) for start, _ in sent)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 10), st.floats(0, 0.3), st.floats(0, 0.4)), min_size=20),
    st.randoms(use_true_random=False),
)
def test_no_second_holds_more_than_the_limit_wherever_the_network_puts_them(
    calls: list[tuple[int, float, float]], chance: random.Random
) -> None:
    window, now = BotWindow(), 100.0
    arrived = []
    for weight, pause, latency in calls:
        now += pause * chance.random()
        while wait := window.wait(now, weight, RATE):
            now += wait
        ticket = window.take(now, weight, RATE)
        arrived.append((now + latency * chance.random(), weight))
        ticket.free_at = now + latency + 1.0
    assert most_in_a_second(arrived) <= RATE


def test_the_rate_is_used_up_and_evenly() -> None:
    window, now = BotWindow(), 0.0
    for _ in range(200):
        while wait := window.wait(now, 1, RATE):
            assert wait <= 1.0
            now += wait
        window.take(now, 1, RATE).free_at = now + 1.001
    assert now == pytest.approx(199 / RATE, rel=0.03)


@pytest.mark.parametrize("lane", ["reply", "alert"])
def test_a_chat_gets_one_a_second_with_a_burst(lane: Lane) -> None:
    flood, now, sent = ChatFlood(), 0.0, []
    for _ in range(60):
        while wait := flood.wait(now, 1, lane, is_group=False):
            now += wait
        flood.take(now, 1, is_group=False)
        sent.append((now, 1))
    assert most_in_a_second(sent[31:]) <= 2
    assert len(sent) / (now + 1) < 2.1
    assert sum(at < 0.1 for at, _ in sent) == {"reply": 31, "alert": 3}[lane]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 10), min_size=5, max_size=40))
def test_a_group_never_gets_more_than_twenty_a_minute(weights: list[int]) -> None:
    flood, now, sent = ChatFlood(), 0.0, []
    for weight in weights:
        while wait := flood.wait(now, weight, "reply", is_group=True):
            now += wait
        flood.take(now, weight, is_group=True)
        sent.append((now, weight))
        assert ChatFlood.load(flood.dump()) == flood
    assert most_in_a_second(sent, 60.0) <= 20


def test_a_rate_falls_after_a_flood_and_comes_back() -> None:
    rate = BotRate(30)
    rate.lower(0)
    rate.lower(1)
    assert rate.now(1) == pytest.approx(21, abs=0.5)
    rate.lower(10)
    assert rate.now(10) < 16
    assert rate.now(1000) == 30


@pytest.mark.parametrize(
    ("endpoint", "data", "weight"),
    [
        ("sendMessage", {"chat_id": 5}, 1),
        ("sendMediaGroup", {"chat_id": 5, "media": [1, 2, 3]}, 3),
        ("copyMessages", {"chat_id": 5, "message_ids": [1, 2]}, 2),
        ("sendChatAction", {"chat_id": 5}, 0),
        ("editMessageText", {"chat_id": 5}, 0),
        ("answerCallbackQuery", {}, 0),
    ],
)
def test_albums_weigh_their_items(endpoint: str, data: dict[str, Any], weight: int) -> None:
    assert order_of(endpoint, data, {}).weight == weight


async def test_replies_come_before_alerts() -> None:
    turns, seen = Turns(), []

    async def go(lane: Lane, name: str) -> None:
        async with turns.turn(lane):
            seen.append(name)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(go("alert", f"alert {number}"))
        group.create_task(go("reply", "reply"))
        left = group.create_task(go("reply", "left"))
        await asyncio.sleep(0)
        left.cancel()
    assert seen == ["alert 0", "reply", "alert 1", "alert 2"]
    assert not turns.waiting


class Calls:
    """Stands for PTB's call: notes when it is made, and answers in turn."""

    def __init__(self, *answers: Exception | bool) -> None:
        self.answers = list(answers)
        self.at: list[float] = []

    async def __call__(self) -> bool:
        self.at.append(asyncio.get_running_loop().time())
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, Exception):
            raise answer
        return answer


async def send(pacing: Pacing, calls: Calls, chat: int | None, **limits: Any) -> Any:
    data = {} if chat is None else {"chat_id": chat}
    return await pacing.process_request(calls, (), {}, "sendMessage", data, limits)


async def test_a_flood_stops_its_chat_exactly_as_long_as_told_and_no_other() -> None:
    pacing, calls, others = Pacing(1000), Calls(RetryAfter(1)), Calls()
    async with asyncio.TaskGroup() as group:
        group.create_task(send(pacing, calls, 5))
        await asyncio.sleep(0.05)
        group.create_task(send(pacing, others, 6))
        group.create_task(send(pacing, calls, 5))
    assert all(at - calls.at[0] >= 1 for at in calls.at[1:])
    assert len(calls.at) == 3
    assert others.at[0] - calls.at[0] < 0.5


async def test_an_alert_hands_the_flood_to_the_outbox() -> None:
    pacing, calls = Pacing(1000), Calls(RetryAfter(1))
    with pytest.raises(RetryAfter):
        await send(pacing, calls, 5, lane="alert")
    with pytest.raises(RetryAfter):
        await send(pacing, calls, 5, lane="alert", patience=0.5)
    assert len(calls.at) == 1


async def test_an_alert_does_not_keep_its_place_for_a_group_that_is_full() -> None:
    pacing, calls = Pacing(1000), Calls()
    for _ in range(GROUP_LIMIT):
        await send(pacing, calls, -5, lane="alert")
    with pytest.raises(RetryAfter) as told:
        await send(pacing, calls, -5, lane="alert")
    assert 55 < wait_of(told.value).total_seconds() <= 62
    assert len(calls.at) == GROUP_LIMIT


async def test_a_flood_inside_of_a_refusal_stops_the_chat_too() -> None:
    word = 'Failed to send message #1 with the error message "Too Many Requests: retry after 1"'
    pacing, calls = Pacing(1000), Calls(BadRequest(word))
    with pytest.raises(BadRequest):
        await send(pacing, calls, -5)
    await send(pacing, calls, -5)
    assert calls.at[1] - calls.at[0] >= 1


async def test_a_flood_of_several_chats_is_the_bots() -> None:
    pacing, calls, others = Pacing(1000), Calls(*[RetryAfter(1)] * 3), Calls()
    for chat in (5, 6, 7):
        with pytest.raises(RetryAfter):
            await send(pacing, calls, chat, lane="alert")
    await send(pacing, others, 8)
    assert others.at[0] - calls.at[-1] >= 1
    assert pacing._rate.now(pacing._clock()) < 1000


async def test_slow_groups_are_not_the_bots_flood() -> None:
    pacing, calls, others = Pacing(1000), Calls(*[RetryAfter(60)] * 3), Calls()
    for chat in (-5, -6, -7):
        with pytest.raises(RetryAfter):
            await send(pacing, calls, chat, lane="alert")
    await send(pacing, others, 8)
    assert others.at[0] - calls.at[-1] < 0.5


async def test_a_flood_of_a_method_is_waited_for() -> None:
    pacing, calls = Pacing(1000), Calls(RetryAfter(1))
    await send(pacing, calls, None)
    assert calls.at[1] - calls.at[0] >= 1


Make = Callable[[], Pacing]


async def test_replicas_share_the_rate_and_the_stop(db: Database) -> None:
    gates = [SharedGates(db, 1, lambda: datetime.now(UTC)) for _ in range(2)]
    first, second = (Pacing(40, gates=gate) for gate in gates)
    calls = Calls()
    async with asyncio.TaskGroup() as group:
        for number in range(40):
            pacing = first if number % 2 else second
            group.create_task(send(pacing, calls, 1000 + number, lane="alert"))
    took = calls.at[-1] - calls.at[0]
    assert took >= 0.8
    assert most_in_a_second([(at, 1) for at in calls.at], 0.5) <= 0.5 * 40 + 8
    await gates[0].close(5, 0.5)
    assert 0.2 < await gates[1].closed_for(5) <= 0.5
    assert await gates[1].enter(5, 1, "reply") > 0.2
    await gates[0].stop(3.0)
    wait, count = await gates[1].slots(1, 1, 40)
    assert wait > 2.5
    assert count == 1
    async with db.begin() as tx:
        assert await store.clean(tx, now=datetime(2100, 1, 1, tzinfo=UTC)) > 0


async def test_one_replica_leads(db: Database) -> None:
    now = datetime.now(UTC)
    lease = datetime(2030, 1, 1, tzinfo=UTC) - datetime(2029, 12, 31, tzinfo=UTC)
    async with db.begin() as tx:
        assert await store.lead(tx, "poller", "a", now=now, lease=lease)
        assert not await store.lead(tx, "poller", "b", now=now, lease=lease)
        assert await store.lead(tx, "poller", "a", now=now, lease=lease)
        await store.resign(tx, "poller", "b")
        assert not await store.lead(tx, "poller", "b", now=now, lease=lease)
        await store.resign(tx, "poller", "a")
        assert await store.lead(tx, "poller", "b", now=now, lease=lease)
        assert await store.lead(tx, "poller", "c", now=now + 2 * lease, lease=lease)


async def test_local_gates_forget_chats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telegram.gates.REMEMBERED", 3)
    now = [0.0]
    gates = LocalGates(lambda: now[0])
    for chat in range(1, 10):
        now[0] += 100
        assert not await gates.enter(chat, 1, "alert")
    assert len(gates._chats) <= 3


async def test_under_the_documented_limits_nothing_is_refused() -> None:
    async with sandbox_box() as box:
        people = [await box.control.person() for _ in range(30)]
        for person in people:
            await box.control.say(person, "/start")
        await box.control.limits(preset="documented")
        async with (
            bot_at(box.urls.telegram, limiter=Pacing(30)) as bot,
            asyncio.TaskGroup() as group,
        ):
            for number in range(90):
                text, limits = f"{number}", {"lane": "alert"}
                group.create_task(
                    bot.send_message(people[number % 30], text, rate_limit_args=limits)
                )
        requests = await box.control.requests("telegram", path="sendMessage")
        assert {request["status"] for request in requests} == {200}
        sent = [(request["at"], 1) for request in requests]
        assert most_in_a_second(sent) <= 30
        assert 90 / (sent[-1][0] - sent[0][0]) > 0.9 * 30
