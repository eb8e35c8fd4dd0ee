"""The listeners together."""

import asyncio

import pytest
from aiohttp import ClientSession

from sandbox.app import HOST, running, start, stop


async def test_two_sandboxes_live_side_by_side() -> None:
    async with running(seed=1) as one, running(seed=2) as other, ClientSession() as session:
        assert not set(vars(one.urls).values()) & set(vars(other.urls).values())
        for urls in (one.urls, other.urls):
            async with session.get(urls.page + "/control/state") as answer:
                assert (await answer.json())["urls"] == vars(urls)


async def test_listens_on_this_machine_only() -> None:
    async with running() as sandbox:
        assert all(url.startswith(f"http://{HOST}:") for url in vars(sandbox.urls).values())


async def test_a_stopped_sandbox_leaves_no_task_and_no_listener() -> None:
    before = asyncio.all_tasks()
    sandbox = await start()
    await stop(sandbox)
    assert asyncio.all_tasks() == before
    port = int(sandbox.urls.page.rpartition(":")[2])
    with pytest.raises(OSError, match=str(port)):
        await asyncio.open_connection(HOST, port)


async def test_a_start_that_fails_closes_what_was_open() -> None:
    async with running() as taken:
        base = int(taken.urls.cdn.rpartition(":")[2]) - 3
        before = asyncio.all_tasks()
        with pytest.raises(OSError, match="in use"):
            await start(base)
        assert asyncio.all_tasks() == before
