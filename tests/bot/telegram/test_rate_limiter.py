"""The flood limits as PTB's rate limiter: alone, among replicas, and against the sandbox's own."""

import asyncio
import math
from contextlib import suppress
from typing import Any

import pytest
from telegram.error import BadRequest, RetryAfter

from bot.telegram.flood_limits import DOCUMENTED, Lane
from bot.telegram.outcomes import demanded_wait
from bot.telegram.rate_limiter import Pacing, limited_call
from tests.support.sandbox import Box
from tests.support.telegram import bot_at, most_in_a_second

pytestmark = pytest.mark.jumps


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
    assert limited_call(endpoint, data).weight == weight


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


async def test_replies_come_before_alerts() -> None:
    pacing, seen = Pacing(5), list[str]()

    async def go(name: str, chat: int, lane: Lane) -> None:
        async def call() -> bool:
            seen.append(name)
            return True

        data, limits = {"chat_id": chat}, {"lane": lane}
        await pacing.process_request(call, (), {}, "sendMessage", data, limits)

    async with asyncio.TaskGroup() as group:
        for number in range(3):  # the first goes, the second stands in line
            group.create_task(go(f"alert {number}", 1 + number, "alert"))
        group.create_task(go("reply", 4, "reply"))
        left = group.create_task(go("left", 5, "reply"))
        await asyncio.sleep(0)
        left.cancel()
    assert seen == ["alert 0", "alert 1", "reply", "alert 2"]


async def test_a_flood_stops_its_chat_exactly_as_long_as_told_and_no_other() -> None:
    pacing, calls, others = Pacing(1000), Calls(RetryAfter(1)), Calls()
    with pytest.raises(RetryAfter):  # the limiter repeats nothing by itself
        await send(pacing, calls, 5)
    async with asyncio.TaskGroup() as group:
        group.create_task(send(pacing, others, 6))
        group.create_task(send(pacing, calls, 5))
    assert len(calls.at) == 2
    assert calls.at[1] - calls.at[0] >= 1
    assert others.at[0] - calls.at[0] < 0.5


async def test_a_request_waits_for_the_flood_of_the_request_before() -> None:
    pacing, calls = Pacing(1000), Calls(RetryAfter(1))
    order = limited_call("sendMessage", {"chat_id": 5})
    with pytest.raises(RetryAfter):
        await pacing.wait_and_call(order, calls)
    await pacing.wait_and_call(order, calls)
    assert calls.at[1] - calls.at[0] >= 1


async def test_an_alert_hands_the_flood_to_the_outbox() -> None:
    pacing, calls = Pacing(1000), Calls(RetryAfter(1))
    with pytest.raises(RetryAfter):
        await send(pacing, calls, 5, lane="alert")
    with pytest.raises(RetryAfter):
        await send(pacing, calls, 5, lane="alert", longest_wait_s=0.5)
    assert len(calls.at) == 1


async def test_an_alert_does_not_keep_its_place_for_a_group_that_is_full() -> None:
    pacing, calls = Pacing(1000), Calls()
    for _ in range(DOCUMENTED.group):
        await send(pacing, calls, -5, lane="alert")
    with pytest.raises(RetryAfter) as told:
        await send(pacing, calls, -5, lane="alert")
    assert 55 < demanded_wait(told.value).total_seconds() <= 62
    assert len(calls.at) == DOCUMENTED.group


async def test_a_flood_inside_of_a_refusal_stops_the_chat_too() -> None:
    word = 'Failed to send message #1 with the error message "Too Many Requests: retry after 1"'
    pacing, calls = Pacing(1000), Calls(BadRequest(word))
    with pytest.raises(BadRequest):
        await send(pacing, calls, -5)
    await send(pacing, calls, -5)
    assert calls.at[1] - calls.at[0] >= 1


async def test_a_flood_of_three_chats_is_the_bots_for_the_shortest_of_their_times() -> None:
    pacing, others = Pacing(1000), Calls()
    calls = Calls(RetryAfter(2), RetryAfter(1), RetryAfter(2), RetryAfter(60))
    for chat in (-5, -6, 7):
        with pytest.raises(RetryAfter):
            await send(pacing, calls, chat, lane="alert")
    await send(pacing, others, 9)
    assert 0.9 <= others.at[0] - calls.at[-1] < 1.5


async def test_floods_that_end_at_different_moments_are_the_chats_own() -> None:
    pacing, others = Pacing(1000), Calls()
    calls = Calls(RetryAfter(20), RetryAfter(40), RetryAfter(60))
    for chat in (5, 6, 7):
        with pytest.raises(RetryAfter):
            await send(pacing, calls, chat, lane="alert")
    await send(pacing, others, 8)
    assert others.at[0] - calls.at[-1] < 0.5


async def test_a_flood_of_the_whole_bot_refuses_few_of_very_many() -> None:
    pacing, clock = Pacing(28), asyncio.get_running_loop().time
    refused, brought, over_at = 0, 0, 0.0
    is_over = asyncio.Event()

    async def call() -> bool:
        nonlocal refused, brought, over_at
        over_at = over_at or clock() + 1.0
        left = over_at - clock()
        await asyncio.sleep(0.1)  # others leave meanwhile
        if left > 0:
            refused += 1
            raise RetryAfter(math.ceil(left))
        brought += 1
        if brought > 10:
            is_over.set()
        return True

    async def go(chat: int) -> None:
        limits, data = {"lane": "alert"}, {"chat_id": chat}
        with suppress(RetryAfter):
            await pacing.process_request(call, (), {}, "sendMessage", data, limits)

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        tasks = [group.create_task(go(chat)) for chat in range(1, 10_001)]
        await is_over.wait()
        for task in tasks:
            task.cancel()
    assert 3 <= refused <= 10


async def test_slow_groups_are_not_the_bots_flood() -> None:
    pacing, calls, others = Pacing(1000), Calls(*[RetryAfter(60)] * 3), Calls()
    for chat in (-5, -6, -7):
        with pytest.raises(RetryAfter):
            await send(pacing, calls, chat, lane="alert")
    await send(pacing, others, 8)
    assert others.at[0] - calls.at[-1] < 0.5


async def test_each_replica_lets_out_its_part_of_the_rate() -> None:
    counts = [4, 2]

    async def replicas() -> int:
        return counts.pop(0)

    pacing, calls = Pacing(40, replicas=replicas), Calls()
    await send(pacing, calls, 1)
    assert pacing.per_second == 10
    await send(pacing, calls, 2)
    assert pacing.per_second == 20


async def test_under_the_documented_limits_nothing_is_refused(box: Box) -> None:
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
            group.create_task(bot.send_message(people[number % 30], text, rate_limit_args=limits))
    requests = await box.control.requests("telegram", path="sendMessage")
    assert {request["status"] for request in requests} == {200}
    sent = [(request["at"], 1) for request in requests]
    assert most_in_a_second(sent) <= 30
    assert 90 / (sent[-1][0] - sent[0][0]) > 0.6 * 30  # also on a machine that others use
