"""A process that checks profiles and sends alerts, and is forked and killed repeatedly.

``python -m tests.flows.ringer DATABASE_URL TELEGRAM_URL API_URL CDN_URL`` reads commands from
standard input. ``live SECONDS`` starts a child with the clock set ahead by SECONDS, so that a test
does not wait between two children. ``live SECONDS STEP before`` and ``live SECONDS STEP after``
start a child that kills itself before or after a commit (``KilledDatabase``). ``kill`` kills the
child, which may have killed itself; ``stop`` asks the child to end; ``look`` prints whether the
child has ended. After each other command "done" is printed.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

import aiohttp
import sqlalchemy as sa
import structlog
from pydantic import SecretStr

from bot.billing.ledger import Ledger
from bot.chats.subscriptions import Subscriptions
from bot.domain.budget import Limits
from bot.fetching.poller import Scheduler
from bot.fetching.schedule_state import PollSettings
from bot.media.download import Media
from bot.media.spool import Spool
from bot.outbox.worker import Outbox
from bot.runtime.claims import Owner
from bot.sending.replies import Replies
from bot.sending.sender import Sender
from bot.store.deliveries import deliveries
from bot.store.engine.database import Database, Tx
from bot.stories_api.client import StoriesApi
from tests.support.telegram import bot_at, utc_now

RICH = 10**8
LIMITS = Limits(RICH, 0.1, RICH, RICH)
POLLING = PollSettings(credits_a_day=RICH, floor=timedelta(milliseconds=50))
LEASE = timedelta(seconds=20)  # long enough for a busy machine
PATIENCE_S = 60.0


class KilledDatabase(Database):
    """A database that kills the process at a step of the deliveries.

    A step is a transaction that changes the state, the copies or the claim of a delivery. Steps
    are counted from 1. The transactions of the process run one at a time, also on PostgreSQL:
    of two concurrent transactions neither sees the changes of the other, so that their steps
    would be counted incorrectly.
    """

    def __init__(self, url: str, *, step: int, moment: str) -> None:
        """Kill the process at a step. ``moment`` is "before" or "after" the commit."""
        super().__init__(url)
        self._step, self._moment = step, moment
        self._steps = 0
        self._known: list[tuple[object, ...]] | None = None
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def begin(self, *, durable: bool = True) -> AsyncIterator[Tx]:
        """Yield a writing transaction. Kill the process before or after the commit of the step."""
        async with self._one_at_a_time, self._counted(durable=durable) as tx:
            yield tx

    @asynccontextmanager
    async def _counted(self, *, durable: bool) -> AsyncIterator[Tx]:
        async with super().begin(durable=durable) as tx:
            if self._known is None:
                self._known = await _states(tx)
            yield tx
            if (found := await _states(tx)) != self._known:
                self._known = found
                self._steps += 1
            is_last = self._steps == self._step
            if is_last and self._moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)


async def _states(tx: Tx) -> list[tuple[object, ...]]:
    names = ("id", "state", "copies", "sending")
    columns = [deliveries.c[name] for name in names]
    rows = await tx.execute(sa.select(*columns).order_by(deliveries.c.id))
    return [tuple(row) for row in rows]


async def ring(args: list[str], life: list[str], folder: Path, ready: int) -> None:
    """Run the scheduler and the outbox until SIGTERM. ``life`` has the words after ``live``."""
    ahead = timedelta(seconds=float(life[0]))

    def now() -> datetime:
        return utc_now() + ahead

    db_url, telegram_url, api_url, cdn_url = args
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(_database(db_url, *life[1:]))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        bot = await stack.enter_async_context(bot_at(telegram_url))
        spool = stack.enter_context(Spool(folder, limit=10**9))
        media = Media(session, spool, trusted_origin=cdn_url)
        api = StoriesApi(session, url=api_url, key=SecretStr("k"), rate=1000)
        ledger = Ledger(db, LIMITS, now=now)
        sender = Sender(bot, media, db)
        outbox = Outbox(db, bot, sender, Replies(bot, sender), lease=LEASE, now=now)
        subscriptions = Subscriptions(db, ledger, wake=outbox.wake, now=now)
        scheduler = Scheduler(
            db,
            api,
            ledger,
            owner=Owner(),
            settings=POLLING,
            apply_blocks=subscriptions.apply_profile_blocks,
            lease=LEASE,
            wake=outbox.wake,
            now=now,
        )

        def stop() -> None:
            scheduler.worker.stop()
            outbox.stop()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
        os.write(ready, b"!")
        async with asyncio.TaskGroup() as group:
            group.create_task(scheduler.make_checks_until_stopped())
            group.create_task(outbox.fan_out_and_send_until_stopped())


def _database(url: str, step: str = "", moment: str = "") -> Database:
    return KilledDatabase(url, step=int(step), moment=moment) if step else Database(url)


def child_of(args: list[str], life: list[str], folder: Path) -> int:
    """Fork a child, wait until the child is ready, and return the process ID."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        os.read(reader, 1)
        os.close(reader)
        return pid
    try:
        asyncio.run(ring(args, life, folder, writer))
    except BaseException as error:  # noqa: BLE001 - a child must not continue as the parent
        sys.stderr.write(f"{error!r}\n")
        os._exit(1)
    os._exit(0)


def main(args: list[str]) -> int:
    """Fork and kill children as commanded, until a child ends unexpectedly."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    folder, pid = Path(mkdtemp()), 0
    for line in sys.stdin:
        word, *life = line.split()
        if word == "live":
            pid = child_of(args, life, folder)
        elif word == "look":
            how = os.WEXITED | os.WNOHANG | os.WNOWAIT
            sys.stdout.write("ended\n" if os.waitid(os.P_PID, pid, how) else "running\n")
            sys.stdout.flush()
            continue
        else:
            how = signal.SIGKILL if word == "kill" else signal.SIGTERM
            os.kill(pid, how)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            if status != (-how if word == "kill" else 0):
                break
        sys.stdout.write("done\n")
        sys.stdout.flush()
    return 1


class Ringer:
    """The client of the process that forks children."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take the running process."""
        self._process = process

    async def has_ended(self) -> bool:
        """Return whether the child has ended, for example because it killed itself."""
        return await self._tell("look") == b"ended\n"

    async def _tell(self, line: str) -> bytes:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{line}\n".encode())
        answer = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE_S)
        assert answer, "the ringer died of itself"
        return answer

    @asynccontextmanager
    async def life(
        self, ahead_s: float, *, ends_by: str = "kill", killed_at: str = ""
    ) -> AsyncIterator[None]:
        """Run a child with the clock ``ahead_s`` seconds ahead, until the block ends.

        With ``killed_at``, for example "3 before", the child kills itself at this step.
        """
        await self._tell(f"live {ahead_s} {killed_at}")
        yield
        await self._tell(ends_by)


@asynccontextmanager
async def ringer(*urls: str) -> AsyncIterator[Ringer]:
    """Start the process that forks children, until the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.flows.ringer", *urls,
        stdin=PIPE, stdout=PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        yield Ringer(process)
    finally:
        with suppress(ProcessLookupError):  # both processes have ended
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
