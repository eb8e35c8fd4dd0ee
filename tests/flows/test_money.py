"""The bill: the ledger against what the sandbox billed, to the credit, whatever happens."""

import asyncio
import random
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.billing.ledger import Charge, Ledger
from bot.domain.budget import Limits
from bot.domain.errors import MediaError, SpendingError, StoriesError
from bot.domain.model import Asker, Story
from bot.domain.paid_calls import PaidCall
from bot.media.download import Media
from bot.media.spool import MediaFile, Spool
from bot.store.engine.database import Database
from bot.store.ledger import reserved_credits
from bot.stories_api.client import StoriesApi
from tests.support import rows
from tests.support.sandbox import Box
from tests.support.telegram import story_of

MORNING = datetime(2026, 4, 8, tzinfo=UTC)
MANY = 10**6
FREE = Limits(MANY, 0.5, MANY, MANY)
STALE = "3870828041672894129"


@asynccontextmanager
async def adapter(box: Box, spool: Spool, **options: Any) -> AsyncIterator[StoriesApi]:
    async with aiohttp.ClientSession() as session:
        media = Media(session, spool, trusted_origin=box.urls.cdn, deadline=30)
        api = StoriesApi(
            session,
            url=box.urls.stories_api,
            key=SecretStr("k"),
            fetch_media=media.fetch,
            rate=10_000,
            **{"deadline": 30, "jitter": lambda low, _high: low, **options},
        )
        yield api


async def counted(db: Database) -> int:
    async with db.read() as tx:
        return await rows.all_spent(tx)


async def under_way(db: Database) -> int:
    async with db.read() as tx:
        return await reserved_credits(tx)


# --- a day of mixed traffic ----------------------------------------------------------------------

FAULTS: list[dict[str, Any]] = [
    {"status": 500, "body": '{"detail": "x", "exc_type": "InternalError"}'},
    {"status": 502, "body": "<html>bad gateway</html>"},
    {"status": 503, "body": "", "headers": {"Retry-After": "0"}},
    {"status": 504, "body": ""},
    {"status": 429, "body": "{}", "headers": {"Retry-After": "0"}},
    {"status": 408, "body": ""},
    {"status": 404, "body": '{"detail": "User not found", "exc_type": "UserNotFound"}'},
    {"status": 403, "body": '{"detail": "hidden", "exc_type": "PrivateAccount"}'},
    {"status": 422, "body": '{"detail": [{"loc": ["query"], "msg": "bad", "type": "x"}]}'},
    {"status": 200, "body": '{"detail": "oops", "exc_type": "SomethingNew"}'},
    {"status": 200, "body": "not json at all"},
    {"reset": "before"},
    {"reset": "after"},
    {"truncate": 20},
    {"hang": True},
    {"delay_s": 0.01},
]


MODES = ("binary", "redirect", "json_url", "json_story")


@dataclass
class Day:
    """One day's calls: who, what, and how it is asked for."""

    api: StoriesApi
    spool: Spool
    story: Story
    page: str
    profile_id: str
    locked_id: str

    def calls(self) -> list[tuple[int, Charge, PaidCall[Any]]]:
        api, spool = self.api, self.spool
        asker = Asker(1, 2)
        link, more = Charge("link", asker), Charge("stories", Asker(3, 4))
        media, schedule = Charge("media", asker), Charge("schedule")
        return [
            (8, schedule, api.stories(self.profile_id)),
            (4, link, api.story(self.story.pk)),
            (2, link, api.story(STALE)),
            (2, link, api.story("1", self.page)),
            (3, more, api.stories(self.profile_id)),
            (1, more, api.stories(self.locked_id)),
            (2, more, api.profile("natgeo")),
            (1, more, api.profile("nobody")),
            (1, media, api.download(self.story, spool)),
            (1, media, api.download(replace(self.story, pk="1"), spool)),
        ]


async def billed_since(box: Box, n: int) -> tuple[int, int]:
    """Return what the sandbox billed after its log's entry ``n``, and the log's end."""
    log = await box.control.requests("stories", after=n)
    return sum(entry.get("billed") or 0 for entry in log), max([n, *(e["n"] for e in log)])


@pytest.mark.slow
@pytest.mark.jumps
async def test_a_day_of_mixed_traffic_adds_up_to_the_credit(
    db: Database, box: Box, tmp_path: Path
) -> None:
    """One call in ten meets a fault; each entry is compared with the sandbox's own log.

    An entry must equal what was billed, except where no answer was seen (a time-out, a reset):
    nobody can know then, so the nominal price counts, which is at least what was billed.
    """
    chance = random.Random(2026)  # noqa: S311 - repeatable, not secret
    now = [MORNING]
    ledger = Ledger(db, FREE, now=lambda: now[0])
    unknown = faults = end = 0
    with Spool(tmp_path, limit=10**8) as spool:
        async with adapter(box, spool, download_deadline=30) as api:
            story = (await box.control.stories("natgeo"))[0]
            profile = story["user"]["pk"]
            page = f"https://www.instagram.com/stories/natgeo/{story['pk']}/"
            locked = (await api.profile("locked")).value.profile_id
            looked_up, end = await billed_since(box, end)
            day = Day(api, spool, story_of(story), page, profile, locked)
            calls = day.calls()
            weights = [weight for weight, *_ in calls]
            for n in range(200):
                now[0] = MORNING + timedelta(minutes=7 * n)
                _, charge, call = chance.choices(calls, weights)[0]
                if n % 10 == 0:
                    await box.control.stories_api(
                        download_mode=chance.choice(MODES),
                        info_format=chance.choice(("plain", "json")),
                    )
                is_faulty = n % 10 == 5  # one in ten
                if is_faulty:
                    fault = FAULTS[faults % len(FAULTS)]
                    faults += 1
                    await box.control.fault("stories", fault, times=chance.choice((1, 1, 3)))
                is_unknown = False
                try:
                    file = await ledger.reserve_call_and_settle(charge, call)
                    if isinstance(file, MediaFile):
                        file.remove()
                except StoriesError as error:
                    is_unknown = error.credits is None
                except MediaError:
                    pass
                if is_faulty:
                    await box.control.clear_faults()
                api.transport.failing.record_answer(0.0)
                billed, end = await billed_since(box, end)
                async with db.read() as tx:
                    entry = (await rows.entries(tx, since=MORNING))[-1]
                if is_unknown:
                    unknown += entry.credits - billed
                    assert entry.credits == call.price >= billed
                else:
                    assert entry.credits == billed, (n, call.operation)
    assert faults >= len(FAULTS)
    assert unknown > 0
    assert await counted(db) == await box.control.billed() - looked_up + unknown
    assert await under_way(db) == 0


# --- many at once --------------------------------------------------------------------------------


async def test_a_flood_of_asks_spends_what_was_allowed_and_no_credit_more(
    db: Database, box: Box, tmp_path: Path
) -> None:
    limits = Limits(60, 1, 40, 30)
    ledger = Ledger(db, limits, now=lambda: MORNING)
    with Spool(tmp_path, limit=10**8) as spool:
        async with adapter(box, spool, deadline=20) as api:
            pk = (await box.control.stories("natgeo"))[0]["pk"]

            async def ask(n: int) -> None:
                charge = Charge("link", Asker(n % 3, n % 7))
                try:
                    await ledger.reserve_call_and_settle(charge, api.story(pk))
                except SpendingError:
                    return

            async with asyncio.TaskGroup() as group:
                for n in range(200):
                    group.create_task(ask(n))
    assert await box.control.billed() == await counted(db) == 60


async def test_cancelled_calls_are_in_the_ledger_when_they_are_on_the_bill(
    db: Database, box: Box, tmp_path: Path
) -> None:
    ledger = Ledger(db, FREE)
    chance = random.Random(5)  # noqa: S311 - repeatable, not secret
    with Spool(tmp_path, limit=10**8) as spool:
        async with adapter(box, spool, deadline=20) as api:
            profile_id = (await box.control.stories("natgeo"))[0]["user"]["pk"]

            async def ask() -> None:
                await ledger.reserve_call_and_settle(
                    Charge("stories", Asker(1, 1)),
                    api.stories(profile_id),
                )

            for _ in range(15):
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(ask()) for _ in range(3)]
                    for task in tasks:
                        await asyncio.sleep(chance.uniform(0, 0.02))
                        task.cancel()
    excess = await counted(db) - await box.control.billed()
    assert 0 <= excess <= 45 * 3


# --- killed at every step ------------------------------------------------------------------------


async def test_killed_between_any_two_steps_the_ledger_is_never_below_the_bill(
    database_url: str, db: Database, box: Box
) -> None:
    story = (await box.control.stories("natgeo"))[0]
    calls = 4 if db.is_sqlite else 2  # each death on PostgreSQL costs a connection
    command = (database_url, box.urls.stories_api, story["pk"], story["user"]["pk"], str(calls))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.flows.spender", *command), stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    kills = 0
    while (line := (await process.stdout.readline()).decode().strip()) and line != "done":
        assert line.isdigit(), line
        kills += 1
        excess = await counted(db) - await box.control.billed()
        assert 0 <= excess <= 2 * kills, f"after step {line}"  # 2: the dearest call
        process.stdin.write(b"\n")
    assert line == "done"
    assert await process.wait() == 0
    assert kills >= calls * 10  # steps of a call
    ledger = Ledger(db, FREE, now=lambda: datetime.now(UTC) + timedelta(hours=1))
    before = await counted(db)
    assert await ledger.close_old_reservations_and_split_costs() > 0
    after = await counted(db)
    assert await under_way(db) == 0
    assert after == before >= await box.control.billed()
