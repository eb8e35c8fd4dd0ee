"""The scheduler: what is due is looked at once, paid once, and put off when it must be."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.billing.ledger import Charge, Ledger, Reservation
from bot.chats.subscriptions import Subscriptions
from bot.domain.access import Subject
from bot.domain.budget import Limits
from bot.domain.errors import DatabaseUnavailableError, StoriesError
from bot.domain.model import Profile
from bot.domain.paid_calls import Answer, PaidCall
from bot.domain.records import Known
from bot.fetching import schedule_state
from bot.fetching.poller import Scheduler
from bot.fetching.schedule_state import Plan, PollSettings
from bot.runtime.claims import Owner
from bot.runtime.metrics import Metrics
from bot.scheduling.forecast import ProfileState
from bot.scheduling.pricing import CreditBucket, ReleaseCurve
from bot.scheduling.schedule import Schedule
from bot.store import access, chats, claimed_tables, fan_outs, profiles
from bot.store.engine.database import Database
from bot.stories_api.client import StoriesApi
from tests.support.claims import lease_at
from tests.support.control import Control
from tests.support.followed import HOUR, MINUTE, NOON, follow, make_due, rows
from tests.support.rows import unsplit
from tests.support.sandbox import sandbox_box
from tests.support.telegram import utc_now

LONG_AGO = utc_now() - 100 * HOUR


@dataclass
class Tower:
    """A scheduler of one database, against a sandbox."""

    db: Database
    control: Control
    ledger: Ledger
    api: StoriesApi
    subscriptions: Subscriptions
    woken: list[bool]
    metrics: Metrics
    names: int = 0

    def scheduler(self, **changed: Any) -> Scheduler:
        now = changed.pop("now", utc_now)
        budget = changed.pop("budget", 10**6)
        api = changed.pop("api", self.api)
        ledger = changed.pop("ledger", self.ledger)
        owner = changed.pop("owner", None) or Owner()
        settings = PollSettings(credits_a_day=budget, floor=MINUTE, **changed)
        return Scheduler(
            self.db,
            api,
            ledger,
            settings=settings,
            owner=owner,
            apply_blocks=self.subscriptions.apply_profile_blocks,
            wake=lambda: self.woken.append(True),
            metrics=self.metrics,
            now=now,
        )

    async def followed(self, chat: int = 1, **fields: Any) -> Profile:
        self.names += 1
        shown = await self.control.profile(f"tower{self.names}", posts_per_day=0, **fields)
        profile = Profile(str(shown["pk"]), shown["username"])
        async with self.db.begin() as tx:
            await follow(tx, chat, profile, since=LONG_AGO, now=utc_now())
            await make_due(tx, profile.profile_id, LONG_AGO)
        return profile

    async def known(self, profile: Profile) -> Known:
        async with self.db.read() as tx:
            found = await profiles.get(tx, profile.profile_id)
        assert found is not None
        return found

    async def calls(self) -> int:
        return int((await self.control.call("GET", "/state"))["calls"]["stories"])


@pytest.fixture
async def tower(db: Database) -> AsyncIterator[Tower]:
    limits = Limits(10**6, 0.0, 10**6, 10**6)
    async with sandbox_box() as box, aiohttp.ClientSession() as session:
        ledger = Ledger(db, limits)
        api = StoriesApi(session, url=box.urls.stories_api, key=SecretStr("k"), rate=1000)
        subscriptions = Subscriptions(db, ledger)
        yield Tower(db, box.control, ledger, api, subscriptions, [], Metrics())


async def test_what_is_due_is_looked_at_once_and_paid(tower: Tower) -> None:
    seen = [await tower.followed(), await tower.followed()]
    pk = str((await tower.control.publish(seen[0].username))["pk"])
    scheduler = tower.scheduler()
    before = await tower.calls()
    assert await scheduler.make_possible_checks_once() == 2
    assert await scheduler.make_possible_checks_once() == 0
    assert await tower.calls() == before + 2
    assert [row.story_pk for row in await rows(tower.db)] == [pk]
    for profile in seen:
        known = await tower.known(profile)
        assert known.snapshot_at is not None
        assert known.due_at is not None
        assert known.due_at >= known.snapshot_at + MINUTE
    assert await tower.ledger.spent_by_replies_and_schedule() == (0, 4)
    async with tower.db.read() as tx:
        assert await unsplit(tx) == 4
    assert tower.woken
    assert 'checks_total{outcome="seen"} 2' in tower.metrics.prometheus_text()


class Torn:
    """The API of a process whose database is gone right after a check was recorded."""

    def __init__(self, api: StoriesApi) -> None:
        self._api = api
        self.is_torn = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    def call_to_verify_last_answer(self, *_: object) -> None:
        self.is_torn = True
        raise DatabaseUnavailableError


async def test_what_was_recorded_is_brought_to_all_also_when_the_rest_of_the_check_fails(
    tower: Tower,
) -> None:
    profile = await tower.followed()
    await tower.control.publish(profile.username)
    torn = Torn(tower.api)
    await tower.scheduler(api=torn).make_possible_checks_once()
    assert torn.is_torn
    async with tower.db.read() as tx:
        assert await fan_outs.next_due_at(tx)
    assert tower.woken


class Meanwhile:
    """The API, during whose checks something else happens."""

    def __init__(self, api: StoriesApi, work: Callable[[], Awaitable[object]]) -> None:
        self._api, self._work = api, work

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    def stories(self, *args: Any, **more: Any) -> PaidCall[Any]:
        call = self._api.stories(*args, **more)

        async def make() -> Answer[Any]:
            answer = await call
            await self._work()
            return answer

        return replace(call, make=make)


@pytest.mark.parametrize("fails", [False, True])
async def test_an_outdated_check_leaves_the_claim_to_the_newer_check(
    tower: Tower, *, fails: bool
) -> None:
    profile = await tower.followed()
    await tower.control.publish(profile.username)

    async def claim_again() -> None:
        later = lease_at(utc_now() + HOUR, owner="rival")
        async with tower.db.begin() as tx:
            assert await profiles.claim_checks(tx, later, limit=1)
        if fails:
            raise StoriesError("down", credits=2)

    await tower.scheduler(api=Meanwhile(tower.api, claim_again)).make_possible_checks_once()
    known = await tower.known(profile)
    async with tower.db.read() as tx:
        assert await profiles.claims.has_claim_of_owner(tx, "rival")
        assert (await fan_outs.next_due_at(tx) is None) == fails  # new stories are recorded
    assert (known.token, known.failures, known.snapshot_at) == (2, 0, None)
    assert known.due_at
    assert known.due_at < utc_now() - HOUR  # as before


async def test_a_check_that_fails_by_a_bug_is_paid_more_and_more_rarely(tower: Tower) -> None:
    await tower.followed()
    made: list[datetime] = []
    now = utc_now()

    async def fail() -> None:
        made.append(now)
        raise ValueError

    scheduler = tower.scheduler(api=Meanwhile(tower.api, fail), now=lambda: now)
    with capture_logs():
        for _ in range(60):
            await scheduler.make_possible_checks_once()
            now += MINUTE
    assert [(at - made[0]) / MINUTE for at in made] == [0, 2, 6, 12, 20, 30, 42, 56]


class ProcessLost(Ledger):
    """A ledger whose process loses its lease right after each reservation."""

    owner: Owner

    async def reserve(self, charge: Charge, call: PaidCall[object]) -> Reservation:
        reservation = await super().reserve(charge, call)
        self.owner.record_renewal(utc_now() - MINUTE, done_at=utc_now() - HOUR)
        return reservation


async def test_a_process_without_a_lease_makes_no_call_for_a_check(tower: Tower) -> None:
    await tower.followed()
    lost = Owner()
    lost.record_renewal(utc_now() - MINUTE, done_at=utc_now() - HOUR)
    before = await tower.calls()
    assert await tower.scheduler(owner=lost).make_possible_checks_once() == 1
    assert await tower.ledger.spent_by_replies_and_schedule() == (0, 0)
    await tower.db.run(claimed_tables.release_claims_of_owner)
    ledger = ProcessLost(tower.db, Limits(10**6, 0.0, 10**6, 10**6))
    ledger.owner = Owner()
    assert (
        await tower.scheduler(owner=ledger.owner, ledger=ledger).make_possible_checks_once() == 1
    )
    assert await tower.calls() == before
    assert await tower.ledger.spent_by_replies_and_schedule() == (0, 0)
    assert 'checks_total{outcome="lost"} 2' in tower.metrics.prometheus_text()


async def test_a_failing_api_puts_off_and_costs_no_more_than_it_billed(tower: Tower) -> None:
    profile = await tower.followed()
    fault = {"status": 500, "body": {"detail": "down"}}
    await tower.control.fault("stories", fault, match="/v1/user/stories", times=None)
    scheduler = tower.scheduler()
    await scheduler.make_possible_checks_once()
    known = await tower.known(profile)
    assert known.due_at is not None
    assert known.due_at > utc_now()
    assert known.snapshot_at is None
    assert known.state == "active"
    assert await tower.ledger.spent_by_replies_and_schedule() == (0, 0)


@pytest.mark.parametrize(("status", "checks"), [(403, 13), (500, 52)])
async def test_an_account_whose_failed_checks_are_billed_is_asked_more_and_more_rarely(
    tower: Tower, status: int, checks: int
) -> None:
    profile = await tower.followed()
    body = {"exc_type": "ClientForbiddenError", "detail": "age"}
    fault = {"status": status, "body": json.dumps(body)}
    await tower.control.fault("stories", fault, match="/v1/user/stories", times=None)
    now = begun = utc_now()
    scheduler = tower.scheduler(now=lambda: now)
    made = 0
    while now < begun + 24 * HOUR:
        made += await scheduler.make_possible_checks_once()
        known = await tower.known(profile)
        assert known.due_at is not None
        now = max(known.due_at, now + MINUTE)
    assert made == checks


async def test_while_the_api_fails_for_everybody_it_is_asked_rarely(tower: Tower) -> None:
    for _ in range(4):
        await tower.followed()
    await tower.control.fault("stories", {"status": 500}, match="/v1/user/stories", times=None)
    scheduler = tower.scheduler()
    assert await scheduler.make_possible_checks_once() == 4
    assert await scheduler.make_possible_checks_once() == 0
    assert (
        timedelta(seconds=20) < await scheduler.next_step_at() - utc_now() < timedelta(seconds=31)
    )


async def test_after_an_outage_that_people_met_a_check_before_its_time_tells_that_it_is_over(
    tower: Tower,
) -> None:
    await keep_purse(tower, 10**6)
    for _ in range(2):
        profile = await tower.followed()
        async with tower.db.begin() as tx:
            await make_due(tx, profile.profile_id, NOON + 9 * HOUR)
            await profiles.change(tx, profile.profile_id, snapshot_at=NOON - 2 * HOUR)
    await tower.control.fault("stories", {"status": 502}, times=3)
    for number in range(3):
        with pytest.raises(StoriesError):
            await tower.api.stories(f"{number}")
    assert tower.api.is_failing
    scheduler = tower.scheduler(budget=2400, now=lambda: NOON)
    assert await scheduler.make_possible_checks_once() == 1
    assert await scheduler.make_possible_checks_once() == 1


async def test_private_and_gone_are_noted_where_the_page_says_so(tower: Tower) -> None:
    private = await tower.followed(is_private=True)
    gone, refused = await tower.followed(), await tower.followed()
    await tower.control.change_profile(gone.username, deleted=True)
    await tower.control.change_profile(refused.username, trouble="PrivateAccount")
    scheduler = tower.scheduler()
    await scheduler.make_possible_checks_once()
    for profile in (private, gone, refused):
        known = await tower.known(profile)
        assert (known.state, known.failures) == ("active", 1)
        async with tower.db.begin() as tx:
            await make_due(tx, profile.profile_id, LONG_AGO)
    await scheduler.make_possible_checks_once()
    assert (await tower.known(private)).state == "private"
    assert (await tower.known(gone)).state == "gone"
    assert (await tower.known(refused)).state == "active"  # its page is refused, not private
    spent = sum(await tower.ledger.spent_by_replies_and_schedule())
    assert spent == await tower.control.billed()
    async with tower.db.read() as tx:  # the chat that follows them bears the lookups, too
        assert await unsplit(tx) == spent


async def test_without_money_nothing_is_asked(tower: Tower) -> None:
    profile = await tower.followed()
    before = await tower.calls()
    await tower.ledger.set_spending_stopped(stopped=True)
    assert await tower.scheduler().make_possible_checks_once() == 0
    assert await tower.calls() == before
    await tower.ledger.set_spending_stopped(stopped=False)
    assert await tower.scheduler(budget=0).make_possible_checks_once() == 0
    assert await tower.calls() == before
    assert (await tower.known(profile)).snapshot_at is None


async def test_without_a_key_nothing_is_asked_twice(tower: Tower) -> None:
    await tower.followed()
    second = await tower.followed()
    fault = {"status": 402, "body": {"detail": "top up"}}
    await tower.control.fault("stories", fault, match="/v1/user/stories", times=None)
    scheduler = tower.scheduler()
    await scheduler.make_possible_checks_once()
    before = await tower.calls()
    assert await scheduler.make_possible_checks_once() == 0
    assert await tower.calls() == before
    known = await tower.known(second)
    assert known.due_at is not None
    assert known.due_at > utc_now() + 3 * MINUTE
    assert known.failures == 0


async def test_the_first_check_after_a_block_of_a_profile_does_not_wait_as_for_newcomers(
    tower: Tower,
) -> None:
    """The interval of newcomers would delay the alerts of a known person by up to 20 hours."""
    async with tower.db.begin() as tx:
        await access.put(tx, Subject("person", "1"), now=NOON, is_allowed=True)
    profile = await tower.followed(1)
    # The interval of newcomers needs a profile of a known person (1) and of a newcomer (2).
    await tower.followed(1)
    await tower.followed(2)
    await tower.scheduler(budget=500).make_possible_checks_once()
    tower.subscriptions.blocked = frozenset({profile.profile_id})
    await tower.subscriptions.apply_profile_blocks()
    tower.subscriptions.blocked = frozenset()
    await tower.subscriptions.apply_profile_blocks()
    before = await tower.known(profile)
    await tower.scheduler(budget=500, now=lambda: utc_now() + 2 * HOUR).make_possible_checks_once()
    after = await tower.known(profile)
    assert before.snapshot_at is not None
    assert after.snapshot_at is not None
    assert after.snapshot_at > before.snapshot_at


async def test_what_is_blocked_is_never_looked_at(tower: Tower) -> None:
    profile = await tower.followed()
    before = await tower.calls()
    await tower.scheduler(blocked=frozenset({profile.profile_id})).make_possible_checks_once()
    assert await tower.calls() == before


async def test_what_was_put_in_the_queue_at_an_old_price_is_judged_anew(tower: Tower) -> None:
    profile = await tower.followed()
    scheduler = tower.scheduler()
    await scheduler.make_possible_checks_once()
    known = await tower.known(profile)
    assert known.forecast is not None
    state = ProfileState.from_json(known.forecast)
    state.price = 10**9  # at which it was queued
    async with tower.db.begin() as tx:
        await profiles.change(tx, profile.profile_id, forecast=state.to_json())
        await make_due(tx, profile.profile_id, utc_now() - timedelta(seconds=1))
    before = await tower.calls()
    assert await scheduler.make_possible_checks_once() == 0
    assert await tower.calls() == before
    known = await tower.known(profile)
    assert known.due_at is not None
    assert known.due_at > utc_now()


async def keep_purse(tower: Tower, credits_: float, *, budget: float = 2400.0) -> Plan:
    """Keep a plan whose purse holds so much at noon."""
    plan = Plan(Schedule(budget, minimum=60.0))
    plan.schedule.bucket = CreditBucket(credits_, NOON.timestamp())
    async with tower.db.begin() as tx:
        await schedule_state.store_plan(tx, plan)
    return plan


@pytest.mark.parametrize("purse", [0.0, 100.0, 200.0])
async def test_the_claim_takes_whom_the_schedule_says_the_simulator_may_take(
    tower: Tower, purse: float
) -> None:
    plan = await keep_purse(tower, purse)
    plan.schedule.release_curve = ReleaseCurve((1.0,) * 24, 200.0)
    allowed = set()
    for due in (-MINUTE, 3 * HOUR):
        for ago in (timedelta(seconds=10), 2 * MINUTE, 20 * HOUR + MINUTE):
            profile = await tower.followed()
            async with tower.db.begin() as tx:
                await make_due(tx, profile.profile_id, NOON + due)
                await profiles.change(tx, profile.profile_id, snapshot_at=NOON - ago)
            due_at, seen_at = (NOON + due).timestamp(), (NOON - ago).timestamp()
            now = NOON.timestamp()
            if plan.schedule.may_check_now(due_at, seen_at, plan.cost, now=now, spent_today=0):
                allowed.add(profile.username)
    assert len(allowed) == {0: 1, 100: 3, 200: 5}[round(purse)]
    scheduler = tower.scheduler(budget=2400, now=lambda: NOON)
    assert await scheduler.make_possible_checks_once() == len(allowed)
    asked = set()
    for number in range(1, 7):
        async with tower.db.read() as tx:
            known = await profiles.find_by_username(tx, f"tower{number}", named_since=LONG_AGO)
        assert known is not None
        if known.snapshot_at == NOON:
            asked.add(known.username)
    assert asked == allowed


async def quiet_until_two(tower: Tower, chat: int) -> Profile:
    """Follow from a chat in which it is quiet from eleven to two (UTC)."""
    profile = await tower.followed(chat)
    async with tower.db.begin() as tx:
        await chats.change(tx, chat, zone="UTC", quiet_from=11 * 60, quiet_to=14 * 60)
    return profile


async def test_nobody_is_looked_at_early_of_whom_none_could_be_told(tower: Tower) -> None:
    await keep_purse(tower, 10**6)
    quiet = [await quiet_until_two(tower, 1 + number) for number in range(9)]
    awake = await tower.followed(100)
    for number, profile in enumerate([*quiet, awake]):
        async with tower.db.begin() as tx:
            due = NOON + HOUR + number * MINUTE
            await make_due(tx, profile.profile_id, due)
            await profiles.change(tx, profile.profile_id, snapshot_at=NOON - 2 * HOUR)
    scheduler = tower.scheduler(budget=2400, now=lambda: NOON)
    rounds = [await scheduler.make_possible_checks_once() for _ in range(3)]  # of eight each
    assert sum(rounds) == 1
    assert (await tower.known(awake)).snapshot_at == NOON
    async with tower.db.begin() as tx:  # nobody holds the others
        freed = await profiles.claim_checks(tx, lease_at(NOON), limit=99, only_not_due=True)
    due_at = {known.profile_id: known.due_at for known in freed}
    assert {due_at.get(one.profile_id) for one in quiet} == {NOON + 2 * HOUR}


async def test_a_look_that_is_judged_anew_waits_until_somebody_can_be_told(tower: Tower) -> None:
    await keep_purse(tower, 100)
    profile = await quiet_until_two(tower, 1)
    state = ProfileState(seen_at=(NOON - 6 * HOUR).timestamp(), price=10.0**9)
    async with tower.db.begin() as tx:
        snapshot_at, forecast = NOON - 6 * HOUR, state.to_json()
        await profiles.change(tx, profile.profile_id, snapshot_at=snapshot_at, forecast=forecast)
        await make_due(tx, profile.profile_id, NOON - MINUTE)
    assert await tower.scheduler(budget=2400, now=lambda: NOON).make_possible_checks_once() == 0
    assert (await tower.known(profile)).due_at == NOON + 2 * HOUR


async def test_the_plan_outlives_the_process(tower: Tower) -> None:
    await tower.followed()
    scheduler = tower.scheduler(budget=12345)
    await scheduler.make_possible_checks_once()
    async with tower.db.read() as tx:
        kept = await schedule_state.load_plan_or_new(tx)
    assert (kept.schedule.budget, kept.schedule.minimum, kept.cost) == (12345, 60, 2)
    assert kept.schedule.demand.profiles == 1
