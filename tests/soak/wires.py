"""One thread and no network: what makes a run repeatable, and lives that can be killed.

The order in which threads and the network answer is nobody's to decide. So statements of SQLite
and work for threads are done at once, in the loop's own thread, and connections to 127.0.0.1 are
Unix sockets, where what is written can be read at once. HTTP, SQL and the files stay real.
"""

import asyncio
import contextlib
import contextvars
import os
import random
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

import aiohappyeyeballs
import aiosqlite.core

from bot.store.engine import database as store
from sandbox.jumping import JumpingLoop

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")
BUSY_S = 10.0  # how long SQLite itself waits for a lock, in the loop's seconds
_BUSY_STEP_S = 0.5
_FIRST_PORT = 20_000
_BACKLOG = 1024


class Killed(BaseException):
    """Goes to whoever touches database or network after the process was killed."""


@dataclass(eq=False)
class Life:
    """One process of the bot, from its start until it ends or is killed."""

    number: int
    database: Path
    is_dead: bool = False
    sockets: list[socket.socket] = field(default_factory=list)
    broken_until: float = 0.0  # the disk takes nothing

    def kill(self, copy: Path) -> None:
        """End it as a power switch would; its database goes on as ``copy``."""
        self.is_dead = True
        for suffix in ("", "-wal"):
            found = self.database.with_name(self.database.name + suffix)
            if found.exists():
                shutil.copyfile(found, copy.with_name(copy.name + suffix))
        for sock in self.sockets:
            if isinstance(sock, _Listener):  # else the loop is awake for it, and its clock stands
                asyncio.get_running_loop().remove_reader(sock)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


LIFE: contextvars.ContextVar[Life | None] = contextvars.ContextVar("LIFE", default=None)


class LocalLoop(JumpingLoop):
    """A jumping loop without threads, whose 127.0.0.1 is made of Unix sockets."""

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Arguments], T], *args: *Arguments
    ) -> "asyncio.Future[T]":
        """Do the work at once."""
        del executor
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whatever the work raises is its caller's
            future.set_exception(error)
        return future

    async def create_server(self, protocol_factory: Any, *args: Any, **kwargs: Any) -> Any:
        """Listen on a port of 127.0.0.1 that is a Unix socket."""
        port = kwargs.pop("port", None) or (args[1] if len(args) > 1 else 0)
        for name in ("host", "reuse_address", "reuse_port"):
            kwargs.pop(name, None)
        kwargs["backlog"] = _BACKLOG
        listener = _Listener(port)
        life = LIFE.get()
        if life is not None:
            life.sockets.append(listener)
        return await super().create_server(protocol_factory, sock=listener, **kwargs)


class _Listener(socket.socket):
    """A listening Unix socket that gives itself out as a port of 127.0.0.1."""

    ports = iter(range(_FIRST_PORT, 60_000))

    def __init__(self, port: int) -> None:
        super().__init__(socket.AF_UNIX, socket.SOCK_STREAM)
        self.setblocking(False)  # noqa: FBT003 - the standard library's signature
        self.port = port or next(self.ports)
        self.bind(_path(self.port))

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", self.port


def _path(port: int) -> str:
    return f"\0storybell-soak-{os.getpid()}-{port}"


async def _connected(*, addr_infos: Any, **_: Any) -> socket.socket:
    """Connect to a port of 127.0.0.1; stands in for `aiohappyeyeballs.start_connection`."""
    await asyncio.sleep(0)
    life = LIFE.get()
    if life is not None and life.is_dead:
        raise Killed
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
    try:
        sock.connect(_path(addr_infos[0][4][1]))
    except OSError as error:
        sock.close()
        raise ConnectionRefusedError(*error.args) from error
    if life is not None:
        life.sockets = [known for known in life.sockets if known.fileno() != -1]
        life.sockets.append(sock)
    return sock


class _AtOnce:
    """Takes the place of the queue to aiosqlite's thread: what is put in is done."""

    def put_nowait(self, item: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, work = item
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - as the thread hands it on
            if future is not None:
                future.set_exception(error)
        else:
            if future is not None:
                future.set_result(result)


class _NoThread:
    """Takes the place of aiosqlite's thread."""

    daemon = True

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def start(self) -> None:
        pass


async def _statement(self: Any, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run one statement; a locked database is waited for in the loop's time."""
    if not self._running or not self._connection:
        raise ValueError("Connection closed")
    result: Any = None
    waited, life = 0.0, LIFE.get()
    ending = getattr(fn, "__name__", "") in {"rollback", "close"}
    while True:
        await asyncio.sleep(0)
        if life is not None and life.is_dead:
            raise Killed
        loop = asyncio.get_running_loop()
        if life is not None and life.broken_until > loop.time() and not ending:
            failure = sqlite3.OperationalError("disk I/O error")
            failure.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise failure
        try:
            result = fn(*args, **kwargs)
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or waited >= BUSY_S:
                raise
        waited += _BUSY_STEP_S
        await asyncio.sleep(_BUSY_STEP_S)
    await asyncio.sleep(0)
    if life is not None and life.is_dead:
        raise Killed
    return result


def lay(seed: int) -> None:
    """Take the place of threads, network and chance; once a process."""
    chance = random.Random(f"{seed}/urandom")  # noqa: S311 - to be repeated is the aim
    modules: Any = (os, random, aiohappyeyeballs, aiosqlite.core)
    system, dice, eyeballs, driver = modules
    system.urandom = chance.randbytes
    dice._urandom = chance.randbytes  # noqa: SLF001 - secrets go by it
    random.seed(f"{seed}/random")
    eyeballs.start_connection = _connected
    driver.Connection._execute = _statement  # noqa: SLF001 - here statements go to their thread
    driver.SimpleQueue, driver.Thread = _AtOnce, _NoThread
    defaults: Any = store.Database.__init__.__kwdefaults__
    defaults["busy_timeout"] = timedelta(0)  # SQLite would wait in the machine's time


@contextlib.contextmanager
def locked(database: Path) -> Iterator[None]:
    """Hold the database's write lock, as a backup or a stray process would."""
    other = sqlite3.connect(database, isolation_level=None, timeout=0)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
    finally:
        if other.in_transaction:
            other.rollback()
        other.close()


async def turns(count: int) -> None:
    """Let the loop turn so many times: every await that suspends is such a turn."""
    for _ in range(count):
        await asyncio.sleep(0)
