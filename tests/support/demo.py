"""The demo, started by its command and ended as by Ctrl-C."""

import asyncio
import re
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

URL = re.compile(r"http://127\.0\.0\.1:\d+")
START_S = 60
STOP_S = 20


@asynccontextmanager
async def running_demo() -> AsyncIterator[str]:
    """Run `python -m bot demo` on free ports. Yield the address of the page.

    The demo prints no warning about money, because a newcomer would take it for a real bill.
    """
    command = (sys.executable, "-m", "bot", "demo", "--port-base", "0")
    with tempfile.TemporaryFile() as log:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("BROWSER", "true")  # /bin/true opens no browser
            patch.setenv("COLUMNS", "200")
            demo = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=log)
        try:
            async with asyncio.timeout(START_S):
                address = await _address(demo)
            yield address
        finally:
            if demo.returncode is None:
                demo.send_signal(signal.SIGINT)
            try:
                async with asyncio.timeout(STOP_S):
                    await demo.communicate()
            finally:
                log.seek(0)
                said = log.read().decode(errors="replace")
                sys.stderr.write(said)  # the report of a failed test shows it
        assert demo.returncode == 0
        assert "daily budget" not in said, said


async def _address(demo: Process) -> str:
    assert demo.stdout
    async for line in demo.stdout:
        if found := URL.search(line.decode()):
            return found[0]
    raise AssertionError("the demo ended before it said where it is")
