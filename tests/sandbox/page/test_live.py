"""The live events, without a browser."""

import asyncio

import pytest

from sandbox.page.live import QUEUE, Event, offer
from tests.sandbox.page.browser import ScriptedBot
from tests.support.sandbox import Box


@pytest.mark.asyncio(loop_scope="package")
async def test_events_come_in_order_and_to_every_page(box: Box) -> None:
    person = await box.control.person()
    await box.control.say(person, "hello")
    bot = ScriptedBot(box)
    await bot.call("getMe")
    url = f"{box.urls.page}/ws"
    async with box.session.ws_connect(url) as one, box.session.ws_connect(url) as two:
        sent = [await bot.say(person, f"line {number}") for number in range(5)]
        await bot.call("deleteMessage", chat_id=person, message_id=sent[0])
        for socket in (one, two):
            heard = [await socket.receive_json(timeout=5) for _ in range(6)]
            assert [event["kind"] for event in heard] == ["message"] * 5 + ["delete"]
            assert [event["message"]["message_id"] for event in heard[:5]] == sent
            assert heard[5] == {"kind": "delete", "chat_id": person, "message_id": sent[0]}


def test_a_page_too_far_behind_starts_anew() -> None:
    queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE)
    for number in range(QUEUE):
        offer(queue, {"kind": "message", "n": number})
    assert queue.qsize() == QUEUE
    offer(queue, {"kind": "message", "n": QUEUE})
    assert queue.qsize() == 1
    assert queue.get_nowait() == {"kind": "resync"}
    offer(queue, {"kind": "message", "n": QUEUE + 1})
    assert queue.get_nowait() == {"kind": "message", "n": QUEUE + 1}
