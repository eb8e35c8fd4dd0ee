"""A process that makes paid calls; each forked child is killed a step later than the last child.

``python -m tests.flows.spender DATABASE_URL API_URL PK PROFILE_ID CALLS`` prints a line after each
child's end (the step, ``done`` or ``failed``) and waits for a line before the next child.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import aiohttp
from pydantic import SecretStr

from bot.billing.ledger import Charge, Ledger
from bot.domain.budget import Limits
from bot.domain.errors import StoryGoneError
from bot.domain.model import Asker
from bot.domain.paid_calls import Answer, PaidCall
from bot.media.spool import MediaFile, Spool
from bot.store.engine.database import Database, Tx
from bot.stories_api.client import StoriesApi

LIMITS = Limits(10**6, 0.5, 10**6, 10**6)


class Fuse:
    """A counter that kills the process at the given step."""

    def __init__(self, at: int) -> None:
        self.left = at

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class FusedDatabase(Database):
    """A database with a step before, in and after each transaction."""

    fuse: Fuse

    @asynccontextmanager
    async def begin(self, *, durable: bool = True) -> AsyncIterator[Tx]:
        self.fuse.step()
        async with super().begin(durable=durable) as tx:
            self.fuse.step()
            yield tx
            self.fuse.step()
        self.fuse.step()


async def spend_all(args: list[str], fuse: Fuse, folder: Path) -> None:
    """Make paid calls of 1 and 2 credits; with four calls, also a failing call and a download."""
    db_url, api_url, pk, profile_id, calls = args

    def watched(call: PaidCall[Any]) -> PaidCall[Any]:
        async def make() -> Answer[Any]:
            fuse.step()
            answer = await call
            fuse.step()
            return answer

        return replace(call, make=make)

    async with FusedDatabase(db_url) as db, aiohttp.ClientSession() as session:
        db.fuse = fuse
        api = StoriesApi(session, url=api_url, key=SecretStr("k"), rate=1000)
        ledger = Ledger(db, LIMITS)
        payer = Charge("link", Asker(7, 8))
        with Spool(folder, limit=10**8) as spool:
            shown = await ledger.reserve_call_and_settle(payer, watched(api.story(pk)))
            schedule = Charge("schedule")
            await ledger.reserve_call_and_settle(schedule, watched(api.stories(profile_id)))
            if calls == "2":
                return
            try:
                gone = watched(api.story("3870828041672894129"))
                await ledger.reserve_call_and_settle(payer, gone)
            except StoryGoneError:
                fuse.step()
            download = watched(api.download(shown, spool))
            file: MediaFile = await ledger.reserve_call_and_settle(payer, download)
            file.remove()


def main(args: list[str]) -> None:
    """Fork a child for each step until a child runs to the end."""
    folder = Path(mkdtemp())
    for step in range(1, 1000):
        pid = os.fork()
        if pid == 0:
            try:
                asyncio.run(spend_all(args, Fuse(step), folder))
            except BaseException as error:  # noqa: BLE001 - a child must not continue as the parent
                sys.stderr.write(f"{error!r}\n")
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        was_killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        ended = "done" if status == 0 else "failed"
        sys.stdout.write(f"{step if was_killed else ended}\n")
        sys.stdout.flush()
        if not was_killed or not sys.stdin.readline():
            break


if __name__ == "__main__":
    main(sys.argv[1:])
