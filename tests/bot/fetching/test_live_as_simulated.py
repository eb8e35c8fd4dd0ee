"""What the bot looks at, and when, is what the simulator says."""

import random
from datetime import UTC, datetime, timedelta
from math import inf

import aiohttp
from pydantic import SecretStr

from bot.billing.ledger import Ledger
from bot.domain.budget import Limits
from bot.domain.model import Profile
from bot.fetching.poller import Scheduler
from bot.fetching.schedule_state import PollSettings
from bot.runtime.claims import Owner
from bot.scheduling.simulation import Record, Simulation
from bot.scheduling.waiting_time import DAY
from bot.store import profiles
from bot.store.engine.database import Database
from bot.stories_api.client import StoriesApi
from tests.support.followed import MINUTE, follow, make_due
from tests.support.sandbox import Box, sandbox_box

PROFILES, DAYS, LOOKS, COST = 6, 1, 12, 2
BUDGET = PROFILES * LOOKS * COST
STANDS = 1e-9  # the speed of a clock that is moved on by hand


def past(begin: float) -> list[Record]:
    """Some profiles that post in bursts; the first days show more than one story a look."""
    rng = random.Random(3)  # noqa: S311 - a made-up past
    found = []
    for key in range(PROFILES):
        taken: list[float] = []
        at = begin + rng.random() * DAY / 2
        while at < begin + DAYS * DAY:
            taken.append(float(round(at)))
            at += rng.expovariate(1 / 600) if rng.random() < 0.6 else rng.expovariate(1 / 30_000)
        found.append(Record(f"same{key}", 1 + key % 3, sorted(set(taken))))
    return found


async def lived(
    db: Database, box: Box, records: list[Record], begin: float
) -> list[tuple[float, int]]:
    """Let the bot look until the last day is over; the time and the profile of each look."""
    clock, shown = box.parts.clock, box.parts.instagram

    def now() -> datetime:
        return datetime.fromtimestamp(round(clock.now(), 3), UTC)

    async def apply_blocks() -> None:
        pass

    polls: list[tuple[float, int]] = []
    keys: dict[str, int] = {}
    async with aiohttp.ClientSession() as session:
        limits = Limits(BUDGET, 0.0, 10**6, 10**6)
        api = StoriesApi(session, url=box.urls.stories_api, key=SecretStr("k"), rate=1000, now=now)
        settings = PollSettings(credits_a_day=BUDGET, credits_a_poll=COST, floor=MINUTE)
        scheduler = Scheduler(
            db,
            api,
            Ledger(db, limits, now=now),
            owner=Owner(),
            settings=settings,
            apply_blocks=apply_blocks,
            at_once=1,
            now=now,
        )
        for key, (record, due) in enumerate(zip(records, firsts(begin), strict=True)):
            profile = Profile(str(shown.add_profile(record.username).pk), record.username)
            keys[profile.profile_id] = key
            async with db.begin() as tx:
                for chat in range(1, round(record.subscribers) + 1):
                    await follow(tx, chat, profile, since=now(), now=now())
                at = datetime.fromtimestamp(due, UTC)
                await make_due(tx, profile.profile_id, at)
        waiting = sorted((at, key) for key, record in enumerate(records) for at in record.taken_at)
        names = [record.username for record in records]
        seen: dict[str, datetime | None] = {}
        while (moment := clock.now()) < begin + (DAYS + 1) * DAY:
            while waiting and waiting[0][0] <= moment:
                taken_at, key = waiting.pop(0)
                star = shown.by_username(names[key])
                assert star is not None
                shown.publish(star, 1, taken_at)
            made = await scheduler.make_possible_checks_once()
            scheduler._kept_at = now() + timedelta(days=30)  # noqa: SLF001 - one survey, as there
            if made:
                async with db.read() as tx:
                    for profile_id, key in keys.items():
                        known = await profiles.get(tx, profile_id)
                        assert known is not None
                        if known.snapshot_at != seen.get(profile_id):
                            polls.append((moment, key))
                        seen[profile_id] = known.snapshot_at
            else:
                clock.advance(max(0.0, (await scheduler.next_step_at()).timestamp() - clock.now()))
    return polls


def firsts(begin: float) -> list[float]:
    """When the simulator looks at each for the first time."""
    return [begin + key * 0.6180339887498949 % 1.0 / LOOKS * DAY for key in range(PROFILES)]


async def test_each_look_is_the_one_that_the_simulator_makes(sqlite_db: Database) -> None:
    async with sandbox_box(speed=STANDS) as box:
        begin = box.parts.clock.now() // DAY * DAY + DAY
        box.parts.clock.advance(begin - box.parts.clock.now())
        records = past(begin)
        live = await lived(sqlite_db, box, records, begin)
    plan = Simulation(
        records, BUDGET, COST, warmup=0, record_polls=True, as_rows=True, refresh=inf
    )
    simulated = plan.run().polls
    assert [key for _, key in live] == [key for _, key in simulated]
    assert max(abs(a - b) for (a, _), (b, _) in zip(live, simulated, strict=True)) <= 1.0
