"""Looks, rings and is killed: forked again and again, each time to die at a random moment.

``python -m tests.flows.ringer DATABASE_URL TELEGRAM_URL API_URL CDN_URL KILLS SEED``; prints a
line after each death, then lets one child live until a line comes in.
"""

import asyncio
import os
import random
import signal
import sys
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

import aiohttp
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
from bot.sending.replies import Replies
from bot.sending.sender import Sender
from bot.store.engine.database import Database
from bot.stories_api.client import StoriesApi
from tests.support.telegram import bot_at

RICH = 10**8
LIMITS = Limits(RICH, 0.1, RICH, RICH)
POLLING = PollSettings(credits_a_day=RICH, floor=timedelta(milliseconds=50))
LEASE = timedelta(seconds=1)
SHORTEST_LIFE, LONGEST_LIFE = 0.15, 0.6  # seconds


async def ring(args: list[str], folder: Path, ready: int) -> None:
    """Run the two loops that alert people, until SIGTERM."""
    db_url, telegram_url, api_url, cdn_url = args
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(Database(db_url))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        bot = await stack.enter_async_context(bot_at(telegram_url))
        spool = stack.enter_context(Spool(folder, limit=10**9))
        media = Media(session, spool, trusted_origin=cdn_url)
        api = StoriesApi(session, url=api_url, key=SecretStr("k"), rate=1000)
        ledger = Ledger(db, LIMITS)
        sender = Sender(bot, media, db)
        outbox = Outbox(db, sender, Replies(bot, sender), lease=LEASE)
        subscriptions = Subscriptions(db, ledger, blocked=POLLING.blocked, wake=outbox.wake)
        scheduler = Scheduler(
            db,
            api,
            ledger,
            settings=POLLING,
            end_blocked=subscriptions.end_blocked,
            lease=LEASE,
            wake=outbox.wake,
        )

        def stop() -> None:
            scheduler.worker.stop()
            outbox.stop()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
        os.write(ready, b"!")
        async with asyncio.TaskGroup() as group:
            group.create_task(scheduler.run())
            group.create_task(outbox.run())


def child_of(args: list[str], folder: Path) -> int:
    """Fork a child and wait until it rings; its id."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        os.read(reader, 1)
        os.close(reader)
        return pid
    try:
        asyncio.run(ring(args, folder, writer))
    except BaseException as error:  # noqa: BLE001 - a child must not run on as its parent
        sys.stderr.write(f"{error!r}\n")
        os._exit(1)
    os._exit(0)


def main(args: list[str]) -> int:
    """Kill child after child, then let one live; 0 when none died of itself."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    kills, chance = int(args[4]), random.Random(int(args[5]))  # noqa: S311 - repeatable, not secret
    folder = Path(mkdtemp())
    for _ in range(kills):
        pid = child_of(args[:4], folder)
        time.sleep(chance.uniform(SHORTEST_LIFE, LONGEST_LIFE))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            return 1
        sys.stdout.write("killed\n")
        sys.stdout.flush()
    pid = child_of(args[:4], folder)
    sys.stdin.readline()
    os.kill(pid, signal.SIGTERM)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
