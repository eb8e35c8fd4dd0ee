"""The credits per check in a simulated week, in two modes of the privacy check.

In one mode, the privacy check is always paid. The other mode is ``auto``. The real scheduler calls
the sandbox over HTTP. The time jumps from one check to the next.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from bot.billing.ledger import Ledger
from bot.chats.payers import Payers, SubscriptionLimits
from bot.chats.subscribing import Subscribing
from bot.chats.subscriptions import Subscriptions
from bot.domain.budget import Limits
from bot.domain.model import Asker, Target
from bot.fetching.poller import Scheduler
from bot.fetching.schedule_state import PollSettings
from bot.runtime.claims import Owner
from bot.store import chats, profiles
from bot.store.engine.database import Database
from bot.store.stories import stories
from bot.stories_api.client import StoriesApi
from bot.stories_api.privacy import PrivacyCheck, SkipCheck
from sandbox.app import running
from sandbox.state import Sandbox

STEP = 900.0  # the maximum seconds of simulated time per step
CHAT = 1


@dataclass(frozen=True, slots=True)
class Result:
    """The cost of one mode of the privacy check, and the detected stories."""

    mode: SkipCheck
    looks: int
    credits: int
    credits_a_look: float
    stories: int
    mean_delay_min: float


@dataclass(slots=True)
class World:
    """A scheduler of the bot and a sandbox that share one simulated time."""

    sandbox: Sandbox
    db: Database
    scheduler: Scheduler
    subscribing: Subscribing
    privacy: PrivacyCheck
    told: list[str]

    def now(self) -> datetime:
        """Return the simulated time."""
        return datetime.fromtimestamp(self.sandbox.clock.now(), UTC)

    async def follow(self, username: str) -> None:
        """Subscribe a chat to a profile."""
        await self.subscribing.subscribe(Target(CHAT), username, Asker(CHAT, CHAT, is_owner=True))

    async def go_on(self, span: timedelta, step: float = STEP) -> int:
        """Run the schedule for ``span``, in steps of at most ``step`` seconds.

        Return the number of checks.
        """
        clock, looks = self.sandbox.clock, 0
        end = clock.now() + span.total_seconds()
        while clock.now() < end:
            made = await self.scheduler.make_possible_checks_once()
            looks += made
            if not made:
                async with self.db.read() as tx:
                    first = await profiles.next_check_due_and_last_snapshot(tx, now=self.now())
                wait = (first[0] - self.now()).total_seconds() if first else step
                clock.advance(min(max(wait, step / 4), step))
        return looks


@asynccontextmanager
async def world(
    mode: SkipCheck, folder: Path, *, budget: int, name: str = ""
) -> AsyncIterator[World]:
    """Yield a scheduler with ``budget`` credits per day for checks.

    The file of the database has the name ``name``, or the mode if ``name`` is empty.
    """
    told: list[str] = []

    async def tell(text: str | None, /, **fields: object) -> None:
        told.append(str(text).format(**fields))

    async with (
        running(seed=7) as sandbox,
        aiohttp.ClientSession() as session,
        Database(f"sqlite:///{folder}/{name or mode}.db") as db,
    ):
        await db.migrate()
        made = datetime.fromtimestamp(sandbox.clock.now(), UTC)

        def now() -> datetime:
            return datetime.fromtimestamp(sandbox.clock.now(), UTC)

        many = 10**6
        limits = Limits(budget * 2, 0.5, many, many, newcomer_allowance=many)
        ledger = Ledger(db, limits, now=now)
        privacy = PrivacyCheck(db, mode, tell=tell, now=now)
        api = StoriesApi(
            session,
            url=sandbox.urls.stories_api,
            key=SecretStr("k"),
            privacy=privacy,
            rate=10_000,
            now=now,
        )
        polling = PollSettings(credits_a_day=budget, credits_a_poll=None if mode == "auto" else 2)
        most = SubscriptionLimits(most=many, most_new_a_day=many)
        payers = Payers(db, limits=most, now=now)
        topics: Any = None  # this benchmark creates no topics
        subscribing = Subscribing(
            db, api, ledger, payers=payers, polling=polling, topics=topics, now=now
        )
        subscriptions = Subscriptions(db, ledger, now=now)
        scheduler = Scheduler(
            db,
            api,
            ledger,
            owner=Owner(),
            settings=polling,
            apply_blocks=subscriptions.apply_profile_blocks,
            now=now,
        )
        async with db.begin() as tx:
            await chats.add_or_update(tx, CHAT, kind="private", title="", now=made)
        yield World(sandbox, db, scheduler, subscribing, privacy, told)


async def week(mode: SkipCheck, folder: Path, *, count: int, budget: int, days: float) -> Result:
    """Follow ``count`` profiles with four posts per day for ``days`` days. Return the result."""
    async with world(mode, folder, budget=budget) as here:
        instagram, billing = here.sandbox.instagram, here.sandbox.stories_api.billing
        for n in range(count):
            instagram.add_profile(f"posts{n}", posts_per_day=4.0)
            await here.follow(f"posts{n}")
        await here.go_on(timedelta(hours=6))
        before, begin = billing.total, here.now()
        looks = await here.go_on(timedelta(days=days))
        spent = billing.total - before
        delays = await _delays(here.db, begin)
    return Result(
        mode,
        looks,
        spent,
        round(spent / max(1, looks), 3),
        len(delays),
        round(sum(delays) / max(1, len(delays)) / 60, 1),
    )


async def _delays(db: Database, begin: datetime) -> list[float]:
    async with db.read() as tx:
        seen = await tx.execute(
            sa.select(stories.c.taken_at, stories.c.seen_at).where(stories.c.taken_at >= begin)
        )
    return [(seen_at - taken_at).total_seconds() for taken_at, seen_at in seen]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the benchmark."""
    parser.add_argument("--profiles", type=int, default=20, help="profiles that are followed")
    parser.add_argument("--budget", type=int, default=240, help="credits a day for looks")
    parser.add_argument("--days", type=float, default=7, help="simulated days")
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(args: argparse.Namespace) -> int:
    """Measure and print the figures. Return 1 if ``auto`` is not cheaper, or else 0."""
    modes: tuple[SkipCheck, ...] = ("false", "auto")
    with tempfile.TemporaryDirectory() as folder:
        results = [
            asyncio.run(
                week(mode, Path(folder), count=args.profiles, budget=args.budget, days=args.days)
            )
            for mode in modes
        ]
    if args.json:
        sys.stdout.write(json.dumps([asdict(one) for one in results], indent=2) + "\n")
    else:
        Console().print(_table(results, args))
    return int(results[1].credits_a_look >= results[0].credits_a_look)


def _table(results: list[Result], args: argparse.Namespace) -> Table:
    table = Table(title=f"{args.profiles} profiles, {args.budget} credits a day, {args.days} days")
    for heading in ("SKIP_PRIVACY_CHECK", "Looks", "Credits", "Credits a look", "Stories"):
        table.add_column(heading, justify="left" if heading.startswith("SKIP") else "right")
    table.add_column("Mean delay, min", justify="right")
    for one in results:
        table.add_row(
            one.mode,
            f"{one.looks:,}",
            f"{one.credits:,}",
            f"{one.credits_a_look:.2f}",
            f"{one.stories:,}",
            f"{one.mean_delay_min:.1f}",
        )
    return table
