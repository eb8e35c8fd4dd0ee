"""One thread without a network, for repeatable runs, and processes that can be killed.

The order of responses of threads and of the network is random. Therefore, SQLite statements and
thread work are executed immediately in the loop's thread, and connections to 127.0.0.1 are Unix
sockets, whose data is readable immediately. HTTP, SQL and files stay real.
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
BUSY_S = 10.0  # SQLite's wait for a lock, in the loop's seconds
_BUSY_STEP_S = 0.5
_FIRST_PORT = 20_000
_BACKLOG = 1024


class Killed(BaseException):
    """Raised on access to the database or network after the kill of the process."""


@dataclass(eq=False)
class Life:
    """A process of the bot, until the end or kill."""

    number: int
    database: Path
    is_dead: bool = False
    sockets: list[socket.socket] = field(default_factory=list)
    broken_until: float = 0.0  # until this time, the disk fails

    def kill(self, copy: Path) -> None:
        """Kill the process as a power failure would. Continue the database as ``copy``."""
        self.is_dead = True
        for suffix in ("", "-wal"):
            found = self.database.with_name(self.database.name + suffix)
            if found.exists():
                shutil.copyfile(found, copy.with_name(copy.name + suffix))
        for sock in self.sockets:
            if isinstance(sock, _Listener):  # a reader would stop the loop's clock
                asyncio.get_running_loop().remove_reader(sock)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


LIFE: contextvars.ContextVar[Life | None] = contextvars.ContextVar("LIFE", default=None)


class LocalLoop(JumpingLoop):
    """A jumping loop without threads, in which ports of 127.0.0.1 are Unix sockets."""

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Arguments], T], *args: *Arguments
    ) -> "asyncio.Future[T]":
        """Execute the function immediately."""
        del executor
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - any error belongs to the caller
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
    """A listening Unix socket that appears as a port of 127.0.0.1."""

    ports = iter(range(_FIRST_PORT, 60_000))

    def __init__(self, port: int) -> None:
        super().__init__(socket.AF_UNIX, socket.SOCK_STREAM)
        self.setblocking(False)  # noqa: FBT003 - signature of the standard library
        self.port = port or next(self.ports)
        self.bind(_path(self.port))

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", self.port


def _path(port: int) -> str:
    return f"\0storybell-soak-{os.getpid()}-{port}"


async def _connected(*, addr_infos: Any, **_: Any) -> socket.socket:
    """Connect to a port of 127.0.0.1. Replaces `aiohappyeyeballs.start_connection`."""
    await asyncio.sleep(0)
    life = LIFE.get()
    if life is not None and life.is_dead:
        raise Killed
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.setblocking(False)  # noqa: FBT003 - signature of the standard library
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
    """Replacement of the queue to aiosqlite's thread. Each item is executed immediately."""

    def put_nowait(self, item: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, work = item
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - like the thread
            if future is not None:
                future.set_exception(error)
        else:
            if future is not None:
                future.set_result(result)


class _NoThread:
    """Replacement of aiosqlite's thread."""

    daemon = True

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def start(self) -> None:
        pass


async def _statement(self: Any, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Execute a statement. Wait for a locked database in the loop's time."""
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
    """Replace threads, network and random numbers, once per process."""
    chance = random.Random(f"{seed}/urandom")  # noqa: S311 - must be repeatable
    modules: Any = (os, random, aiohappyeyeballs, aiosqlite.core)
    system, dice, eyeballs, driver = modules
    system.urandom = chance.randbytes
    dice._urandom = chance.randbytes  # noqa: SLF001 - source of secrets
    random.seed(f"{seed}/random")
    eyeballs.start_connection = _connected
    driver.Connection._execute = _statement  # noqa: SLF001 - statements are sent to the thread here
    driver.SimpleQueue, driver.Thread = _AtOnce, _NoThread
    defaults: Any = store.Database.__init__.__kwdefaults__
    defaults["busy_timeout"] = timedelta(0)  # SQLite would wait in the machine's time


@contextlib.contextmanager
def locked(database: Path) -> Iterator[None]:
    """Hold the database's write lock, as a backup or another process would."""
    other = sqlite3.connect(database, isolation_level=None, timeout=0)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
    finally:
        if other.in_transaction:
            other.rollback()
        other.close()


async def turns(count: int) -> None:
    """Let the loop turn ``count`` times. Every suspending await is a turn."""
    for _ in range(count):
        await asyncio.sleep(0)
