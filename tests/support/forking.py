"""Fast start of bot processes by forks of a process that has already imported the bot.

A test with two hundred kills would otherwise spend its time on imports.
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

LOOK_EVERY_S = 0.02  # interval of checks for ended children


@dataclass(slots=True)
class Forked:
    """A bot process. After the end, ``status`` is the exit status as in ``subprocess``."""

    pid: int
    ended: asyncio.Future[int] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @property
    def status(self) -> int | None:
        return self.ended.result() if self.ended.done() else None

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal if the process is running."""
        if not self.ended.done():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Parent:
    """The process that forks."""

    def __init__(self, process: Process) -> None:
        """Control a process that runs ``main``."""
        self._process = process
        self._started: asyncio.Queue[Forked] = asyncio.Queue()
        self._starting = asyncio.Lock()
        self._running: dict[int, Forked] = {}

    async def start(self, env: Mapping[str, str], folder: Path, log: Path) -> Forked:
        """Start ``python -m bot run`` in a folder, with the output written to ``log``."""
        wanted = {"env": dict(env), "folder": str(folder), "log": str(log)}
        async with self._starting:
            assert self._process.stdin
            self._process.stdin.write(f"{json.dumps(wanted)}\n".encode())
            await self._process.stdin.drain()
            return await self._started.get()

    async def hear(self) -> None:
        """Read reports of started and ended children until the parent process ends."""
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
    """Start a process with the bot imported. All children end when the block ends."""
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
            process.stdin.close()  # the process then kills its children and exits
            await process.wait()


def main() -> None:
    """Fork on each line of JSON from stdin. Report the start and the exit of each child."""
    import bot.app  # noqa: PLC0415 - imported once for all children
    import bot.cli.check  # noqa: F401, PLC0415 - imported once for all children

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
        os.environ.clear()  # noqa: TID251 - sets the environment of a new process
        os.environ.update(wanted["env"])  # noqa: TID251 - sets the environment of a new process

        from bot.__main__ import main as run  # noqa: PLC0415 - already imported

        status = run(["run"])
    except SystemExit as ended:
        status = int(ended.code or 0)
    except BaseException as error:  # noqa: BLE001 - a child must never continue as its parent
        sys.stderr.write(f"{error!r}\n")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
