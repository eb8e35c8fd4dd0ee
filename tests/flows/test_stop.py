"""A stop ends within 8 seconds, whatever the bot waits for, and loses nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.support.control import wait_for
from tests.support.sandbox import Box
from tests.support.storybell import running_bell

PROMISED_S = 8.0
BEAT_S = 0.05
HANGING = [
    ("stories", "natgeo", "/stories natgeo"),
    ("telegram", "sendMessage", "/help"),
    ("telegram", "sendPhoto", "/stories prada"),
    ("cdn", "", "/stories thirty"),
]


class Stopwatch:
    """Measures the seconds of a block, without those in which the loop got no processor."""

    def __init__(self) -> None:
        """Prepare to measure."""
        self.seconds = 0.0
        self._lost = 0.0

    @asynccontextmanager
    async def measure(self) -> AsyncIterator[None]:
        """Measure the block."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        beat = loop.create_task(self._add_delays())
        try:
            yield
        finally:
            beat.cancel()
            self.seconds = loop.time() - began - self._lost

    async def _add_delays(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + BEAT_S
            await asyncio.sleep(BEAT_S)
            late_s = loop.time() - due
            if late_s > BEAT_S:  # no timer is that late on a machine with a free processor
                self._lost += late_s


@pytest.mark.slow  # the stop waits for seconds of real time, and so do the unsent answers
async def test_a_stop_takes_8_seconds_at_most_while_all_services_hang(
    box: Box, tmp_path: Path
) -> None:
    said: dict[int, int] = {}
    watch = Stopwatch()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running_bell(tmp_path, box))
        for service, match, words in HANGING:
            fault = await box.control.fault(service, {"hang": True}, match=match, times=None)
            person = await box.control.person()
            said[person] = await box.control.say(person, words)
            await wait_for(lambda: box.parts.faults.count_matches(fault), 60, f"{service} to hang")  # noqa: B023 - it is awaited here
        async with watch.measure():
            await stack.aclose()  # asks the bot to stop, and waits for its end
    assert watch.seconds <= PROMISED_S
    await box.control.clear_faults()
    async with running_bell(tmp_path, box):
        for person, message in said.items():
            await box.control.wait_replies(person, 1, after=message, within=60)
