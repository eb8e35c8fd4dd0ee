"""Faults of the wire on the Bot API's side: slow and cut answers."""

import asyncio

import aiohttp
import pytest

from tests.support.control import refused, wait_for
from tests.support.sandbox import sandbox_box
from tests.support.storybell import TOKEN

# On the jumping clock a deadline never passes before the request arrives, also on a busy machine.
pytestmark = pytest.mark.jumps


async def test_a_slow_answer_comes_whole_and_takes_its_time() -> None:
    async with sandbox_box() as box:
        await box.control.fault("telegram", {"slow_bytes_per_s": 1000}, match="getMe")
        began = asyncio.get_running_loop().time()
        async with box.session.get(f"{box.urls.telegram}/bot{TOKEN}/getMe") as answer:
            body = await answer.read()
        took = asyncio.get_running_loop().time() - began
        assert b'"is_bot"' in body
        assert took >= 0.5 * len(body) / 1000


async def test_an_answer_502_after_the_effect_leaves_the_message_in_the_chat() -> None:
    async with sandbox_box() as box:
        ann = await box.control.person(started=True)
        url = f"{box.urls.telegram}/bot{TOKEN}/sendMessage"
        statuses = []
        for fault in ({"status": 502, "effect": True}, {"status": 502}):
            await box.control.fault("telegram", fault, match="sendMessage")
            async with box.session.post(url, json={"chat_id": ann, "text": "hi"}) as answer:
                statuses.append(answer.status)
        assert statuses == [502, 502]
        assert [message["text"] for message in await box.control.replies(ann)] == ["hi"]
        logged = await box.control.requests("telegram", path="sendMessage")
        assert [bool(entry.get("lost")) for entry in logged] == [True, False]


async def test_sends_whose_answer_reached_nobody_are_counted_and_marked() -> None:
    async with sandbox_box() as box:
        ann = await box.control.person(started=True)
        url = f"{box.urls.telegram}/bot{TOKEN}/sendMessage"
        for text, fault in (
            ("reset", {"reset": "after"}),
            ("cut", {"truncate": 10}),
            ("never", {"reset": "before"}),
            ("late", {"delay_s": 3.0}),
        ):
            await box.control.fault("telegram", fault, match="sendMessage")
            with pytest.raises((aiohttp.ClientError, TimeoutError)):
                async with asyncio.timeout(1.0), box.session.post(
                    url, json={"chat_id": ann, "text": text}
                ) as answer:  # fmt: skip
                    await answer.read()
        async with box.session.post(url, json={"chat_id": ann, "text": "told"}) as answer:
            assert answer.status == 200

        async def shown() -> dict[str, bool] | None:
            replies = await box.control.replies(ann)
            marks = {m["text"]: bool(m.get("_answer_lost")) for m in replies}
            return marks if "late" in marks else None

        assert await wait_for(shown) == {"reset": True, "cut": True, "late": True, "told": False}
        assert (await box.control.state())["lost"] == 3


async def test_a_fault_may_hit_one_chat_alone_and_each_nth_call() -> None:
    async with sandbox_box() as box:
        ann, bob = await box.control.person(), await box.control.person()
        url = f"{box.urls.telegram}/bot{TOKEN}/sendMessage"
        for person in (ann, bob):
            await box.control.say(person, "/start")
        await box.control.fault(
            "telegram", refused("CHAT_RESTRICTED"), times=None, chat_id=ann, every=2
        )
        statuses: dict[int, list[int]] = {ann: [], bob: []}
        for _ in range(4):
            for person, seen in statuses.items():
                async with box.session.post(url, json={"chat_id": person, "text": "x"}) as answer:
                    seen.append(answer.status)
        assert statuses == {ann: [200, 400, 200, 400], bob: [200] * 4}
