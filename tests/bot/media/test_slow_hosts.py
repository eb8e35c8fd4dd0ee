"""A host from which several downloads at once are slow is slow, and is not for ever."""

import asyncio
from contextlib import ExitStack

import pytest

from bot.media.slow_hosts import SLOW_AT_ONCE, SLOW_BYTES, SlowHosts
from sandbox.jumping import JumpingLoop

pytestmark = pytest.mark.jumps
HOST = "scontent.cdninstagram.com"


def hosts() -> SlowHosts:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    return SlowHosts(loop.now)


@pytest.mark.parametrize(
    ("downloads", "bytes_each", "is_slow"),
    [
        (SLOW_AT_ONCE, 0, True),
        (SLOW_AT_ONCE, SLOW_BYTES - 1, True),
        (SLOW_AT_ONCE, SLOW_BYTES, False),
        (SLOW_AT_ONCE - 1, 0, False),
    ],
)
async def test_several_slow_downloads_at_once_make_a_slow_host(
    downloads: int, bytes_each: int, is_slow: bool
) -> None:
    slow = hosts()
    with ExitStack() as stack:
        for _ in range(downloads):
            stack.enter_context(slow.measuring_download(HOST)).received += bytes_each
        await asyncio.sleep(4.9)
        assert slow.slow_since(HOST) is None
        await asyncio.sleep(0.2)
        assert (slow.slow_since(HOST) is not None) == is_slow
        assert slow.slow_host_names() == [HOST] * is_slow


async def test_a_host_is_tried_again_after_its_last_slow_download() -> None:
    slow = hosts()
    for _ in range(2):
        with ExitStack() as stack:
            for _ in range(SLOW_AT_ONCE):
                stack.enter_context(slow.measuring_download(HOST))
            await asyncio.sleep(20)
            since = slow.slow_since(HOST)
        assert slow.slow_since(HOST) == since
        await asyncio.sleep(5.1)
        assert slow.slow_since(HOST) is None
        assert slow.slow_host_names() == [HOST]  # it is tried again, and may be slow still
    await asyncio.sleep(60)
    assert slow.slow_host_names() == []


async def test_a_host_that_is_slow_again_at_once_has_been_slow_all_the_time() -> None:
    slow, since = hosts(), []
    for _ in range(2):
        with ExitStack() as stack:
            for _ in range(SLOW_AT_ONCE):
                stack.enter_context(slow.measuring_download(HOST))
            await asyncio.sleep(20)
            since.append(slow.slow_since(HOST))
        await asyncio.sleep(10)
    assert since[0] == since[1] is not None
