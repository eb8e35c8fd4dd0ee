"""The flood limits as PTB's rate limiter: alone, among replicas, and against the sandbox's own."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from telegram.error import BadRequest, RetryAfter

from bot.store import leases as store
from bot.store.database import Database
from bot.telegram.flood_limits import DOCUMENTED, Lane
from bot.telegram.limit_state import SharedLimitState
from bot.telegram.outcomes import wait_of
from bot.telegram.rate_limiter import Pacing, Turns, order_of
from tests.support.sandbox import sandbox_box
from tests.support.telegram import bot_at, most_in_a_second


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
    for _ in range(DOCUMENTED.group):
        await send(pacing, calls, -5, lane="alert")
    with pytest.raises(RetryAfter) as told:
        await send(pacing, calls, -5, lane="alert")
    assert 55 < wait_of(told.value).total_seconds() <= 62
    assert len(calls.at) == DOCUMENTED.group


async def test_a_flood_inside_of_a_refusal_stops_the_chat_too() -> None:
    word = 'Failed to send message #1 with the error message "Too Many Requests: retry after 1"'
    pacing, calls = Pacing(1000), Calls(BadRequest(word))
    with pytest.raises(BadRequest):
        await send(pacing, calls, -5)
    await send(pacing, calls, -5)
    assert calls.at[1] - calls.at[0] >= 1


async def test_a_flood_of_several_chats_is_the_bots_when_one_more_meets_it() -> None:
    pacing, calls, others = Pacing(1000), Calls(*[RetryAfter(1)] * 4), Calls()
    for chat in (5, 6, 7, 8):
        with pytest.raises(RetryAfter):
            await send(pacing, calls, chat, lane="alert")
    await send(pacing, others, 9)
    assert others.at[0] - calls.at[-1] >= 1
    assert pacing.per_second < 1000


async def test_floods_of_several_chats_stop_no_other_when_one_more_gets_through() -> None:
    pacing, calls = Pacing(1000), Calls(*[RetryAfter(60)] * 3)
    for chat in (5, 6, 7):
        with pytest.raises(RetryAfter):
            await send(pacing, calls, chat, lane="alert")
    asked, told = asyncio.Event(), asyncio.Event()
    sent: list[int] = []

    async def probe() -> bool:
        asked.set()
        await told.wait()
        return True

    async def go(chat: int) -> None:
        await send(pacing, Calls(), chat, lane="alert")
        sent.append(chat)

    async with asyncio.TaskGroup() as group:
        group.create_task(pacing.process_request(probe, (), {}, "sendMessage", {"chat_id": 8}, {}))
        await asked.wait()
        for chat in (9, 10):
            group.create_task(go(chat))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not sent  # all wait for what the one finds
        told.set()
        async with asyncio.timeout(60):
            await asyncio.gather(go(11), go(12))
    assert sorted(sent) == [9, 10, 11, 12]
    assert pacing.per_second == 1000


async def test_texts_that_take_long_in_several_chats_are_the_first_sign_of_a_flood() -> None:
    now = [100.0]
    pacing = Pacing(1000, clock=lambda: now[0])

    async def slow() -> bool:
        now[0] += 5
        return True

    for chat in (5, 5, 6):
        await pacing.process_request(slow, (), {}, "sendMessage", {"chat_id": chat}, {})
    assert pacing.per_second == 1000
    for chat in (7, 8):
        await pacing.process_request(slow, (), {}, "sendPhoto", {"chat_id": chat}, {})
    assert pacing.per_second == 1000  # a file may take its time
    now[0] += 60
    for chat in (5, 6):
        await pacing.process_request(slow, (), {}, "sendMessage", {"chat_id": chat}, {})
    now[0] -= 5
    await pacing.process_request(slow, (), {}, "sendMessage", {"chat_id": 7}, {})
    assert pacing.per_second < 1000


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


async def test_replicas_share_the_rate_and_the_stop(db: Database) -> None:
    gates = [SharedLimitState(db, 1, lambda: datetime.now(UTC)) for _ in range(2)]
    first, second = (Pacing(40, limit_state=gate) for gate in gates)
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


class Asked(SharedLimitState):
    """Counts how often it is asked whether a chat is closed."""

    times = 0

    async def closed_for(self, chat: int | str) -> float:
        self.times += 1
        return await super().closed_for(chat)


async def test_whether_a_chat_is_open_is_asked_again_after_a_wait_only(db: Database) -> None:
    state = Asked(db, 1, lambda: datetime.now(UTC))
    pacing, calls = Pacing(1000, limit_state=state), Calls()
    await send(pacing, calls, 5, lane="alert")
    assert (state.times, len(calls.at)) == (0, 1)
    await state.stop(1.3)
    await send(Pacing(1000, limit_state=state), calls, 6, lane="alert")
    assert (state.times, len(calls.at)) == (1, 2)


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
