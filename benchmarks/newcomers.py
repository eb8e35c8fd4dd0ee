"""How much later alerts come when accounts that are all new subscribe to hundreds of profiles.

The real poller and the real subscribing ask the sandbox over HTTP; the time jumps from one check
to the next. What is compared is the mean wait of a story until the check that shows it, for the
people whom the bot knows: before, under the attack, and as it was when all shared one schedule.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from benchmarks.privacy import World, world
from bot.domain.errors import SpendingError, SubscriptionError
from bot.domain.model import Asker, Target
from bot.store import acquaintances, chats, profiles

Case = Literal["before", "attacked", "all alike"]
CASES: tuple[Case, ...] = ("before", "attacked", "all alike")
HONEST = 1  # the chat
FIRST_NEW = 1000
STEP = 60.0  # seconds that the time moves on, at most
POSTS_A_DAY = 4.0
MOST = 1.1  # times the delay before


@dataclass(frozen=True, slots=True)
class Attack:
    """How many new accounts want how many profiles, beside ``honest`` ones of known people.

    ``budget`` is in credits a day for checks. ``days`` are simulated and measured; ``warm_up``,
    also in days, passes before the new ones come, and again before it is measured.
    """

    accounts: int = 60
    wanted: int = 267
    honest: int = 6
    budget: int = 500
    days: float = 2.0
    warm_up: float = 0.5


@dataclass(frozen=True, slots=True)
class Result:
    """What the people whom the bot knows got, and how many profiles of the new ones had room.

    ``delay_min`` is the mean of what a story waits, at whatever time it is posted.
    """

    case: Case
    added: int
    checks: int
    delay_min: float


class Watch:
    """The pauses between the checks of some profiles."""

    def __init__(self, here: World, ids: list[str]) -> None:
        """Watch profiles by their ids."""
        self._here = here
        self._ids = ids
        self._seen: dict[str, datetime] = {}
        self._pauses: list[float] = []

    async def look(self) -> None:
        """Note which were checked since the last time."""
        async with self._here.db.read() as tx:
            for one in self._ids:
                known = await profiles.get(tx, one)
                at = known.snapshot_at if known else None
                before = self._seen.get(one)
                if at is None or at == before:
                    continue
                if before is not None:
                    self._pauses.append((at - before).total_seconds())
                self._seen[one] = at

    def result(self, case: Case, added: int) -> Result:
        """Return the mean wait: of a story that comes at any time, half of the pause it meets."""
        pauses = self._pauses
        mean = sum(one * one for one in pauses) / 2 / sum(pauses) if pauses else float("inf")
        return Result(case, added, len(pauses), round(mean / 60, 2))


async def run(case: Case, folder: Path, plan: Attack) -> Result:
    """Let the new people subscribe, and watch the profiles of the others."""
    async with world("auto", folder, budget=plan.budget, name=case) as here:
        await _known(here, HONEST)
        ids = []
        for n in range(plan.honest):
            made = here.sandbox.instagram.add_profile(f"loved{n}", posts_per_day=POSTS_A_DAY)
            ids.append(made.pk)
            await here.follow(f"loved{n}")
        await here.go_on(timedelta(days=plan.warm_up), STEP)
        added = 0 if case == "before" else await _attack(here, case, plan)
        await here.go_on(timedelta(days=plan.warm_up), STEP)
        watch = Watch(here, ids)
        end = here.now() + timedelta(days=plan.days)
        while here.now() < end:
            await here.go_on(timedelta(seconds=STEP), STEP)
            await watch.look()
        return watch.result(case, added)


async def _attack(here: World, case: Case, plan: Attack) -> int:
    """Subscribe in turn; return how many profiles found room."""
    async with here.db.begin() as tx:
        for n in range(plan.accounts):
            await chats.add_or_update(tx, FIRST_NEW + n, kind="private", title="", now=here.now())
    added = 0
    for n in range(plan.wanted):
        chat = FIRST_NEW + n % plan.accounts
        if case == "all alike":
            await _known(here, chat)
        here.sandbox.instagram.add_profile(f"new{n}", posts_per_day=POSTS_A_DAY)
        with suppress(SubscriptionError, SpendingError):  # no room, or no credits for who is new
            await here.subscribing.subscribe(Target(chat), f"new{n}", Asker(chat, chat))
            added += 1
    return added


async def _known(here: World, chat: int) -> None:
    """Let a chat have been there for long."""
    async with here.db.begin() as tx:
        for day in range(1, acquaintances.KNOWN_AFTER + 1):
            await acquaintances.record_seen(tx, [("chat", chat)], date(2020, 1, day))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the benchmark."""
    for one in fields(Attack):
        name = one.name.replace("_", "-")
        parser.add_argument(f"--{name}", type=type(one.default), default=one.default)
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(args: argparse.Namespace) -> int:
    """Measure and print; return 1 where the delay is more than 1.1 times that before."""
    plan = Attack(**{one.name: getattr(args, one.name) for one in fields(Attack)})
    with tempfile.TemporaryDirectory() as folder:
        results = [asyncio.run(run(case, Path(folder), plan)) for case in CASES]
    if args.json:
        sys.stdout.write(json.dumps([asdict(one) for one in results], indent=2) + "\n")
    else:
        Console().print(_table(results, plan))
    before, attacked, _ = results
    return int(attacked.delay_min > MOST * before.delay_min)


def _table(results: list[Result], plan: Attack) -> Table:
    table = Table(
        title=f"{plan.accounts} new accounts, {plan.wanted} profiles, {plan.budget} credits a day"
    )
    table.add_column("Case")
    for heading in ("Profiles added", "Checks for known people", "Their delay, min", "Times"):
        table.add_column(heading, justify="right")
    for one in results:
        times = f"{one.delay_min / results[0].delay_min:.2f}"
        table.add_row(one.case, f"{one.added}", f"{one.checks:,}", f"{one.delay_min}", times)
    return table
