"""Benchmark of a broadcast under the documented flood limits.

The figures are the utilisation of the limits, and the delay of replies during the broadcast.
"""

import asyncio
import statistics
import time
from collections import deque
from typing import Any

from telegram.error import RetryAfter
from telegram.ext import ExtBot

from benchmarks.telegram_world import World, our_bot, world

LIMIT = 30  # the maximum messages per second, according to Telegram's Bots FAQ
AT_ONCE = 100
ANSWERED = 20  # the number of persons who get replies during the broadcast


async def measure(alerts: int, chats: int) -> dict[str, Any]:
    """Send ``alerts`` alerts to ``chats`` persons, and measure replies to other persons."""
    async with world() as at:
        return await _measure(at, alerts, chats)


async def _measure(at: World, alerts: int, chats: int) -> dict[str, Any]:
    people = await at.people(chats)
    askers = await at.people(ANSWERED)
    await at.control.limits(preset="documented")
    async with our_bot(at, rate=LIMIT) as bot:
        waits, took = await _broadcast(bot, people, askers, alerts)
    await at.control.limits(preset="off")
    calls = await at.control.requests("telegram", path="sendMessage")
    sent = [call["at"] for call in calls if call["status"] == 200]
    return {
        "alerts": alerts,
        "chats": chats,
        "seconds": round(took, 1),
        "used": round(len(sent) / (took * LIMIT), 3),
        "too_many_requests": sum(call["status"] == 429 for call in calls),
        "windows_over": windows_over(sorted(sent)),
        "replies": len(waits),
        "reply_p95_s": round(_p95(waits), 3),
    }


def windows_over(sent: list[float]) -> int:
    """Return the number of messages that exceed the limit of messages per second.

    A message exceeds the limit if more than ``LIMIT`` messages, including this message, were sent
    within the preceding second.
    """
    window: deque[float] = deque()
    over = 0
    for at in sent:
        while window and window[0] <= at - 1.0:
            window.popleft()
        window.append(at)
        over += len(window) > LIMIT
    return over


async def _broadcast(
    bot: ExtBot[Any], people: list[int], askers: list[int], alerts: int
) -> tuple[list[float], float]:
    waits: list[float] = []
    left = iter(range(alerts))

    async def alert() -> None:
        for number in left:
            while True:
                try:
                    await bot.send_message(
                        people[number % len(people)],
                        f"New story {number}",
                        rate_limit_args={"lane": "alert"},
                    )
                    break
                except RetryAfter:
                    await asyncio.sleep(1)

    async def answer() -> None:
        number = 0
        while True:
            await asyncio.sleep(0.7)
            began = time.monotonic()
            await bot.send_message(askers[number % len(askers)], "Here it is")
            waits.append(time.monotonic() - began)
            number += 1

    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        answering = group.create_task(answer())
        async with asyncio.TaskGroup() as broadcast:
            for _ in range(AT_ONCE):
                broadcast.create_task(alert())
        took = time.monotonic() - began
        answering.cancel()
    return waits, took


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else 0.0
