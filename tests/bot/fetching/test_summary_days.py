"""Several simulated days of the schedule: what is posted before a summary's lead is in it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
import pytest
from pydantic import SecretStr

from bot.billing.ledger import Ledger
from bot.domain.alert_rules import AudienceMember, notified_at
from bot.domain.budget import Limits
from bot.domain.model import Profile
from bot.domain.options import Options
from bot.fetching import snapshots
from bot.fetching.poller import Scheduler
from bot.fetching.schedule_state import PollSettings
from bot.runtime.claims import Owner
from bot.store import chats, profiles
from bot.store.engine.database import Database
from bot.stories_api.client import StoriesApi
from tests.support.followed import DAY, HOUR, MINUTE, rows
from tests.support.followed import follow as add_subscription
from tests.support.sandbox import Box, sandbox_box

LEAD = 10 * MINUTE
STANDS = 1e-9  # the speed of a clock that is moved on by hand


@dataclass
class Days:
    """A scheduler on a clock that jumps from one event to the next."""

    db: Database
    box: Box
    start: Callable[[int], Scheduler]
    scheduler: Scheduler
    now: Callable[[], datetime]
    checks: list[datetime] = field(default_factory=list)
    _seen: dict[str, datetime | None] = field(default_factory=dict)

    async def follow(self, chat_id: int, count: int, *, digest: bool = True) -> list[str]:
        """Let a chat follow so many new profiles; return their names."""
        names = []
        async with self.db.begin() as tx:
            for number in range(count):
                star = self.box.parts.instagram.add_profile(f"of{chat_id}.{number}")
                profile, options = Profile(str(star.pk), star.username), Options(digest=digest)
                now = self.now()
                await add_subscription(tx, chat_id, profile, since=now, now=now, options=options)
                names.append(star.username)
        return names

    async def plan_checks(self, names: list[str], at: datetime) -> None:
        """Plan the next checks as if all were checked just now."""
        async with self.db.begin() as tx:
            for name in names:
                star = self.box.parts.instagram.by_username(name)
                assert star is not None
                values = {"snapshot_at": self.now(), "due_at": at}
                await profiles.change(tx, str(star.pk), **values)

    async def live(
        self, until: datetime, posts: list[tuple[datetime, str]]
    ) -> dict[str, datetime]:
        """Check and post until then; return when each story was posted."""
        clock, shown = self.box.parts.clock, self.box.parts.instagram
        waiting, posted = sorted(posts), {}
        while self.now() < until:
            while waiting and waiting[0][0] <= self.now():
                at, name = waiting.pop(0)
                star = shown.by_username(name)
                assert star is not None
                posted[str(shown.publish(star, 1, at.timestamp()).pk)] = at
            made = await self.scheduler.make_possible_checks_once()
            self.checks += [self.now()] * made
            if made:
                continue
            async with self.db.read() as tx:
                first = await profiles.next_check_due_and_last_snapshot(tx, now=self.now())
            wake_at = min(self.now() + HOUR / 2, until, *(at for at, _ in waiting[:1]))
            if first is not None:
                wake_at = min(wake_at, max(first[0], self.now() + MINUTE))
            clock.advance(max(0.001, (wake_at - self.now()).total_seconds()))
        return posted

    async def heard(
        self, member: AudienceMember, posted: dict[str, datetime]
    ) -> dict[str, datetime]:
        """Return when a chat hears of each story that was found."""
        return {
            row.story_pk: notified_at(row.created_at, posted[row.story_pk] + DAY, member)
            for row in await rows(self.db)
        }


@asynccontextmanager
async def days(db: Database, budget: int) -> AsyncIterator[Days]:
    """Run a scheduler against a sandbox from one o'clock (UTC) of a day on."""
    async with sandbox_box(speed=STANDS) as box, aiohttp.ClientSession() as session:
        clock = box.parts.clock
        clock.advance((clock.now() // 86400 + 1) * 86400 + 3600 - clock.now())

        def now() -> datetime:
            return datetime.fromtimestamp(round(clock.now(), 3), UTC)

        async def apply_blocks() -> None:
            pass

        api = StoriesApi(session, url=box.urls.stories_api, key=SecretStr("k"), rate=1000, now=now)

        def start(credits_a_day: int) -> Scheduler:
            return Scheduler(
                db,
                api,
                Ledger(db, Limits(credits_a_day, 0.0, 10**6, 10**6), now=now),
                owner=Owner(),
                settings=PollSettings(credits_a_day=credits_a_day, floor=MINUTE),
                apply_blocks=apply_blocks,
                now=now,
            )

        yield Days(db, box, start, start(budget), now)


POSTED = (137, 190, 241, 300, 352, 411, 466, 523, 529, 575, 750, 911, 1100, 1431)
"""The minutes of each day at which stories are posted, but those in the lead of a summary."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("quiet", "hour", "sent_at"),
    [pytest.param(None, 9, 9, marks=pytest.mark.slow), ((23 * 60, 8 * 60), 7, 8)],
    ids=["no quiet hours", "in quiet hours"],
)
async def test_each_story_of_some_days_is_found_for_the_summary_after_it(
    sqlite_db: Database, quiet: tuple[int, int] | None, hour: int, sent_at: int
) -> None:
    member = AudienceMember("UTC", quiet, hour * 60)
    async with days(sqlite_db, 1000) as run:
        names = await run.follow(1, 8)
        night = {} if quiet is None else {"quiet_from": quiet[0], "quiet_to": quiet[1]}
        async with sqlite_db.begin() as tx:
            await chats.change(tx, 1, zone="UTC", digest_at=hour * 60, **night)
        midnight = run.now() - HOUR
        posts = [
            (midnight + day * DAY + (minute + day) * MINUTE, names[(place * 3 + day) % 8])
            for day in range(3)
            for place, minute in enumerate(POSTED)
        ]
        posted = await run.live(midnight + 4 * DAY, posts)
        heard = await run.heard(member, posted)
    assert heard == {pk: promised_at(at, sent_at) for pk, at in posted.items()}
    assert len(run.checks) <= 8 + 4 * 16


def promised_at(posted_at: datetime, hour: int) -> datetime:
    """Return when a story arrives that is posted then: with a summary, or before its life ends."""
    summary = posted_at.replace(hour=hour, minute=0)
    if posted_at > summary - LEAD:
        summary += DAY
    return min(summary, posted_at + DAY - HOUR / 2)


async def test_summaries_that_are_due_together_draw_on_the_rest_of_the_day(
    sqlite_db: Database,
) -> None:
    """The bucket pays half of the checks; other profiles wait half an hour, not half a day."""
    async with days(sqlite_db, 300) as run:
        daily, usual = await run.follow(1, 60), await run.follow(2, 4, digest=False)
        midnight = run.now() - HOUR
        summary = midnight + 9 * HOUR
        async with sqlite_db.begin() as tx:
            await chats.change(tx, 1, zone="UTC", digest_at=9 * 60)
        await run.plan_checks(daily, summary - LEAD)
        await run.plan_checks(usual, summary)
        posts = [(midnight + 3 * HOUR, name) for name in daily + usual]
        posted = await run.live(summary + HOUR / 2, posts)
        found = [row for row in await rows(sqlite_db) if row.story_pk in posted]
        credits_spent = (await run.scheduler._ledger.spent_by_replies_and_schedule())[1]  # noqa: SLF001 - what was paid
    assert len([row for row in found if row.chat_id == 1 and row.created_at < summary]) == 60
    assert len([row for row in found if row.chat_id == 2]) == 4
    # The surplus of the morning pays for early checks. A quarter of the day's credits is left.
    assert 2 * 64 <= credits_spent <= 225


async def test_early_checks_leave_credits_for_the_summaries_at_the_end_of_the_day(
    sqlite_db: Database,
) -> None:
    """The budget of the day pays for the summaries at midnight (UTC), and for early checks."""
    async with days(sqlite_db, 30) as run:
        daily, usual = await run.follow(1, 12), await run.follow(2, 1, digest=False)
        midnight = run.now() + 23 * HOUR
        async with sqlite_db.begin() as tx:
            await chats.change(tx, 1, zone="UTC", digest_at=0)
        await run.plan_checks(daily, midnight - LEAD)
        await run.plan_checks(usual, run.now() + HOUR)
        posted = await run.live(midnight, [(midnight - 8 * HOUR, name) for name in daily])
        found = {row.story_pk for row in await rows(sqlite_db)}
    assert found == posted.keys()


async def test_profiles_with_summaries_do_not_take_the_place_of_early_checks(
    sqlite_db: Database,
) -> None:
    """The profiles whose checks are due first have no subscriber that can be notified at once."""
    async with days(sqlite_db, 300) as run:
        daily, usual = await run.follow(1, 80), await run.follow(2, 1, digest=False)
        async with sqlite_db.begin() as tx:
            await chats.change(tx, 1, zone="UTC", digest_at=9 * 60)
        await run.plan_checks(daily, run.now() + 8 * HOUR - LEAD)
        await run.plan_checks(usual, run.now() + 12 * HOUR)
        posted = await run.live(run.now() + 4 * HOUR, [(run.now() + HOUR, usual[0])])
        found = {row.story_pk for row in await rows(sqlite_db)}
    assert found == posted.keys()


async def test_an_overdue_check_is_made_before_a_summary_although_the_bucket_is_empty(
    sqlite_db: Database,
) -> None:
    """A chat without a summary makes the check due early, and then the bucket is empty."""
    async with days(sqlite_db, 300) as run:
        usual, (both,) = await run.follow(1, 100, digest=False), await run.follow(2, 1)
        star = run.box.parts.instagram.by_username(both)
        assert star is not None
        summary = run.now() + 8 * HOUR
        async with sqlite_db.begin() as tx:
            profile, now = Profile(str(star.pk), star.username), run.now()
            await add_subscription(tx, 1, profile, since=now, now=now)
            await chats.change(tx, 2, zone="UTC", digest_at=9 * 60)
        await run.plan_checks(usual, summary - HOUR)
        await run.plan_checks([both], summary - HOUR / 2)
        posted = await run.live(summary, [(summary - 6 * HOUR, both)])
        found = [row for row in await rows(sqlite_db) if row.story_pk in posted]
    assert {row.chat_id for row in found} == {1, 2}


@pytest.mark.parametrize("change", ["price", "settings"])
async def test_a_check_that_missed_its_summary_is_made_as_soon_as_the_bucket_can_pay(
    sqlite_db: Database, change: str
) -> None:
    """The bot is off over the hour of the summary, and starts again. Then the plan changes."""
    async with days(sqlite_db, 300) as run:
        names = await run.follow(1, 8)
        summary = run.now() + 8 * HOUR
        async with sqlite_db.begin() as tx:
            await chats.change(tx, 1, zone="UTC", digest_at=9 * 60)
        await run.live(run.now() + HOUR, [])
        run.scheduler = run.start(600 if change == "price" else 300)
        run.box.parts.clock.advance((summary + MINUTE - run.now()).total_seconds())
        if change == "settings":
            async with sqlite_db.begin() as tx:
                await chats.change(tx, 1, quiet_from=0, quiet_to=8 * 60)
                await snapshots.reschedule_checks_of_chat(tx, 1, now=run.now())
        posted = await run.live(summary + HOUR, [(summary - 6 * HOUR, name) for name in names])
        found = {row.story_pk for row in await rows(sqlite_db)}
        made = len(run.checks)
    assert found == posted.keys()
    assert made == 2 * len(names)
