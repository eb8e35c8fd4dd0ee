"""Processes of the bot that start in no time: forked from one that has loaded all of it.

A test that kills two hundred would else spend its time on loading code.
"""

import asyncio
import json
import os
import select
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

LOOK_EVERY_S = 0.02  # for children that have ended


@dataclass(slots=True)
class Forked:
    """One process of the bot; ``status`` as of ``subprocess``, when it has ended."""

    pid: int
    ended: asyncio.Future[int] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @property
    def status(self) -> int | None:
        return self.ended.result() if self.ended.done() else None

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if not self.ended.done():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Parent:
    """The process that forks."""

    def __init__(self, process: Process) -> None:
        """Speak to a process that runs ``main``."""
        self._process = process
        self._started: asyncio.Queue[Forked] = asyncio.Queue()
        self._starting = asyncio.Lock()
        self._running: dict[int, Forked] = {}

    async def start(self, env: Mapping[str, str], folder: Path, log: Path) -> Forked:
        """Start ``python -m bot run`` in a folder; what it writes goes to ``log``."""
        wanted = {"env": dict(env), "folder": str(folder), "log": str(log)}
        async with self._starting:
            assert self._process.stdin
            self._process.stdin.write(f"{json.dumps(wanted)}\n".encode())
            await self._process.stdin.drain()
            return await self._started.get()

    async def hear(self) -> None:
        """Hear who has begun and ended, until the parent ends."""
        assert self._process.stdout
        async for line in self._process.stdout:
            pid, status = json.loads(line)
            if status is None:
                self._running[pid] = Forked(pid)
                self._started.put_nowait(self._running[pid])
            else:
                self._running.pop(pid).ended.set_result(status)


@asynccontextmanager
async def forking() -> AsyncIterator[Parent]:
    """Load the bot once; its children end with the block at the latest."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.forking", stdin=PIPE, stdout=PIPE
    )
    parent = Parent(process)
    async with asyncio.TaskGroup() as group:
        group.create_task(parent.hear())
        try:
            yield parent
        finally:
            assert process.stdin
            process.stdin.close()  # it kills who is left, and ends
            await process.wait()


def main() -> None:
    """Fork as told by lines of JSON; tell of each child that it has begun, and how it ended."""
    import bot.app  # noqa: PLC0415 - loaded once, for all children
    import bot.cli.check  # noqa: F401, PLC0415 - the same

    children: set[int] = set()
    said = b""
    is_over = False
    while children or not is_over:
        if not is_over and select.select([0], [], [], LOOK_EVERY_S)[0]:
            read = os.read(0, 65536)
            is_over = not read
            *lines, said = (said + read).split(b"\n")
            children |= {_child_of(json.loads(line)) for line in lines}
        if is_over:
            for pid in children:
                os.kill(pid, signal.SIGKILL)
        for pid in list(children):
            ended, status = os.waitpid(pid, 0 if is_over else os.WNOHANG)
            if ended:
                children.discard(pid)
                _tell(pid, os.waitstatus_to_exitcode(status))


def _tell(pid: int, status: int | None) -> None:
    with suppress(BrokenPipeError):
        os.write(1, f"{json.dumps([pid, status])}\n".encode())


def _child_of(wanted: dict[str, dict[str, str]]) -> int:
    pid = os.fork()
    if pid:
        _tell(pid, None)
        return pid
    status = 70
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        log = os.open(str(wanted["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(str(wanted["folder"]))
        os.environ.clear()  # noqa: TID251 - what a shell would do
        os.environ.update(wanted["env"])  # noqa: TID251 - the same

        from bot.__main__ import main as run  # noqa: PLC0415 - loaded already

        status = run(["run"])
    except SystemExit as ended:
        status = int(ended.code or 0)
    except BaseException as error:  # noqa: BLE001 - a child must not run on as its parent
        sys.stderr.write(f"{error!r}\n")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
