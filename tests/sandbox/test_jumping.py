"""The event loop that jumps over waits."""

import asyncio
import subprocess
import sys
import time
from datetime import UTC, datetime

from sandbox.jumping import JumpingLoop

START = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_day_of_sleep_takes_no_time() -> None:
    async def day() -> list[str]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, JumpingLoop)
        woke: list[str] = []

        async def sleep(name: str, hours: float) -> None:
            await asyncio.sleep(hours * 3600)
            woke.append(f"{name} {loop.now():%d %H:%M}")

        async with asyncio.TaskGroup() as group:
            group.create_task(sleep("night", 24))
            group.create_task(sleep("noon", 12))
        return woke

    began = time.monotonic()
    with asyncio.Runner(loop_factory=lambda: JumpingLoop(START)) as runner:
        assert runner.run(day()) == ["noon 01 12:00", "night 02 00:00"]
    assert time.monotonic() - began < 5


def test_the_clock_stands_while_a_thread_works() -> None:
    async def work() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(30):
            await asyncio.to_thread(time.sleep, 0.2)
        after = loop.time()
        await asyncio.sleep(60)
        return after, loop.time()

    with asyncio.Runner(loop_factory=lambda: JumpingLoop(START)) as runner:
        assert runner.run(work()) == (0.0, 60.0)


def test_a_wait_below_the_resolution_of_the_clock_moves_it_though_others_are_ready() -> None:
    async def waits() -> float:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(500_000)
        until = loop.time() + 2e-10
        woken = asyncio.Event()

        async def be_woken() -> None:
            while True:
                await woken.wait()
                woken.clear()

        async with asyncio.TaskGroup() as group:
            other = group.create_task(be_woken())
            for _ in range(100):
                if (left := until - loop.time()) <= 0:
                    break
                woken.set()
                await asyncio.sleep(left)
            other.cancel()
        return until - loop.time()

    with asyncio.Runner(loop_factory=lambda: JumpingLoop(START)) as runner:
        assert runner.run(waits()) <= 0


def test_what_is_written_on_loopback_arrives_before_a_timer() -> None:
    async def talk() -> float:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                writer.write(line)
            writer.close()

        async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.timeout(3600):  # it would be jumped to, if nothing were readable
                for number in range(500):
                    writer.write(b"%d\n" % number)
                    assert await reader.readline() == b"%d\n" % number
            writer.close()
            await writer.wait_closed()
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=lambda: JumpingLoop(START)) as runner:
        assert runner.run(talk()) < 3600


PROGRAM = """
from sandbox import jumping
jumping.install()
import asyncio, time, aiosqlite
from datetime import UTC, datetime

async def main():
    async with aiosqlite.connect(":memory:") as db:
        async with asyncio.timeout(1):
            await db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                             "LIMIT 300000) SELECT count(*) FROM n")
    await asyncio.sleep(86400)
    print(round(time.monotonic()), round(time.time()))

loop = lambda: jumping.JumpingLoop(datetime(2026, 3, 1, tzinfo=UTC))
with asyncio.Runner(loop_factory=loop) as runner:
    runner.run(main())
assert time.time() > 1700000000
"""


def test_libraries_read_the_same_clock_and_sqlite_holds_it() -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=60
    )
    end = int(START.timestamp()) + 86400
    assert done.stdout.split() == ["86400", str(end)], done.stderr
