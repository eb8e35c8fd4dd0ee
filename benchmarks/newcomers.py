"""Additional delay of alerts when many new accounts subscribe to hundreds of profiles.

The real scheduler and the real subscribing call the sandbox over HTTP. The time jumps from one
check to the next. The benchmark compares the mean delay until the check that detects a story, for
the profiles of known persons. The compared cases are:

- before the attack
- during the attack
- during the attack, with a schedule that treats new and known persons alike
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
HONEST = 1  # the id of the chat of known persons
FIRST_NEW = 1000
STEP = 60.0  # the maximum seconds of simulated time per step
POSTS_A_DAY = 4.0
MOST = 1.1  # the maximum delay during the attack, as a multiple of the delay before the attack


@dataclass(frozen=True, slots=True)
class Attack:
    """The size of an attack and of the simulation.

    ``accounts`` is the number of new accounts. The new accounts try to subscribe to ``wanted``
    profiles. ``honest`` is the number of profiles of known persons. ``budget`` is the credits per
    day for checks. ``days`` is the number of simulated days that are measured. ``warm_up`` is a
    number of days. These days pass before the new accounts arrive, and again before the
    measurement.
    """

    accounts: int = 60
    wanted: int = 267
    honest: int = 6
    budget: int = 500
    days: float = 2.0
    warm_up: float = 0.5


@dataclass(frozen=True, slots=True)
class Result:
    """The result for known persons, and the number of profiles that the new accounts added.

    ``delay_min`` is the mean delay of a story in minutes, averaged over all posting times.
    """

    case: Case
    added: int
    checks: int
    delay_min: float


class Watch:
    """A record of the pauses between checks of some profiles."""

    def __init__(self, here: World, ids: list[str]) -> None:
        """Watch the profiles with the ids ``ids``."""
        self._here = here
        self._ids = ids
        self._seen: dict[str, datetime] = {}
        self._pauses: list[float] = []

    async def look(self) -> None:
        """Record the checks that were made since the last call."""
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
        """Return the mean delay of a story that is posted at a random time during the watch.

        The delay is half of the pause that contains the story.
        """
        pauses = self._pauses
        mean = sum(one * one for one in pauses) / 2 / sum(pauses) if pauses else float("inf")
        return Result(case, added, len(pauses), round(mean / 60, 2))


async def run(case: Case, folder: Path, plan: Attack) -> Result:
    """Run the subscriptions of the new accounts, and watch the profiles of known persons."""
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
    """Subscribe each new account in turn. Return the number of added profiles."""
    async with here.db.begin() as tx:
        for n in range(plan.accounts):
            await chats.add_or_update(tx, FIRST_NEW + n, kind="private", title="", now=here.now())
    added = 0
    for n in range(plan.wanted):
        chat = FIRST_NEW + n % plan.accounts
        if case == "all alike":
            await _known(here, chat)
        here.sandbox.instagram.add_profile(f"new{n}", posts_per_day=POSTS_A_DAY)
        with suppress(SubscriptionError, SpendingError):
            # The budget or the credits do not allow a further subscription.
            await here.subscribing.subscribe(Target(chat), f"new{n}", Asker(chat, chat))
            added += 1
    return added


async def _known(here: World, chat: int) -> None:
    """Record enough earlier days of use for the bot to treat the chat as known."""
    async with here.db.begin() as tx:
        for day in range(1, acquaintances.KNOWN_AFTER + 1):
            await acquaintances.count_day_seen(tx, [chat], date(2020, 1, day))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the benchmark."""
    for one in fields(Attack):
        name = one.name.replace("_", "-")
        parser.add_argument(f"--{name}", type=type(one.default), default=one.default)
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(args: argparse.Namespace) -> int:
    """Measure and print the delays.

    Return 1 if the delay during the attack exceeds 1.1 times the delay before the attack.
    """
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
