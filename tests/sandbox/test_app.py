"""The listeners together."""

import asyncio

import pytest

from sandbox.app import HOST, running, start, stop


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
