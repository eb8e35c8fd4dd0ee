"""The scheduler: claim profiles that are due, look at each, record what it showed.

One look serves all who follow a profile. What it costs is reserved before and settled in the
transaction that records it; no transaction is open while the Stories API is asked.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import structlog

from bot.billing.ledger import Ledger, Payer, Reservation
from bot.domain import alert_rules
from bot.domain.budget import looks_shares
from bot.domain.errors import (
    ApiUnavailableError,
    DatabaseUnavailableError,
    OutOfServiceError,
    ProfileNotFoundError,
    ProfilePrivateError,
    SpendingError,
    StoriesError,
)
from bot.domain.model import Story
from bot.domain.records import Known
from bot.fetching import schedule_state, snapshots
from bot.fetching.canary import Canary
from bot.fetching.feasibility import BudgetWatch
from bot.fetching.names import Names, Proof
from bot.fetching.poll_settings import PollSettings
from bot.fetching.privacy import PrivacyCheck
from bot.fetching.schedule_state import Plan
from bot.runtime.metrics import Metrics
from bot.runtime.workers import Worker
from bot.store import profiles, retention, stories, subscriptions
from bot.store.database import Database, Tx
from bot.stories_api import Answer, Endpoint, StoriesApi

log = structlog.get_logger()

LEASE = timedelta(minutes=2)  # a call takes 30 seconds at most
HEAR_AGAIN = timedelta(seconds=5)  # somebody may have subscribed through another replica
EARLY_ROUNDS = 4  # of looking for somebody who could be told at once
SHORTEST = timedelta(seconds=0.5)  # after a round that found nothing to look at
EARLY_AGAIN = timedelta(seconds=5)  # after a round that found nobody to look at early
MONEY_AGAIN = timedelta(seconds=15)  # the operator may have let us spend again
LONGEST_WAIT = timedelta(minutes=5)  # for money, or for the API to be back
PROBE_EVERY = timedelta(seconds=30)
KEEP_EVERY = timedelta(minutes=1)
SURVEYED_A_MINUTE = 1_000  # profiles; to sum them up takes 15 ms, in which nobody is answered
REFUSED, SILENT = "refused", "silent"  # what a forced answer was that proves nothing
LOOKUPS = 1, 2  # credits of a lookup of the name; "gone" takes two


class Scheduler:
    """Looks at what is followed, as often as the budget allows."""

    def __init__(
        self,
        db: Database,
        api: StoriesApi,
        ledger: Ledger,
        *,
        settings: PollSettings,
        end_blocked: Callable[[], Awaitable[object]],
        at_once: int = 8,
        lease: timedelta = LEASE,
        canary: Canary | None = None,
        privacy: PrivacyCheck | None = None,
        budget_watch: BudgetWatch | None = None,
        wake: Callable[[], None] = lambda: None,
        metrics: Metrics | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Make up to ``at_once`` looks at a time.

        ``end_blocked`` is awaited each minute, to end what follows blocked profiles; ``wake`` is
        called when deliveries are due.
        """
        self._db = db
        self._api = api
        self._ledger = ledger
        self._names = Names(db, api, ledger, now=now)
        self._settings = settings
        self._end_blocked = end_blocked
        self._at_once = at_once
        self._lease = lease
        self._canary = canary
        self._privacy = privacy or PrivacyCheck(db, "false", now=now)
        self._budget_watch = budget_watch or BudgetWatch(db)
        self._wake = wake
        self._now = now
        self._kept_at = now() - KEEP_EVERY
        self._survey_at = now()
        self._checked = ""  # the profile up to which was seen whether anybody waits
        self._plans: dict[bool, Plan] = {}  # by whether newcomers alone follow the profiles
        self._counts = [0, 0]  # profiles of each plan, as last counted
        self._left = 0.0  # credits a day that replies leave to the schedule
        self._under_way = 0
        self._group: asyncio.TaskGroup | None = None
        self._is_released = False
        longest = KEEP_EVERY if db.is_sqlite else HEAR_AGAIN
        self.worker = Worker("looks", self._step, now=now, longest=longest)
        metrics = metrics or Metrics()
        self._looks = metrics.counter("looks_total", "Looks of the schedule.", "outcome")
        self._new = metrics.counter("stories_found_total", "Stories nobody had seen before.")

    def wake(self) -> None:
        """Look now for what is due."""
        self.worker.wake()

    def stop(self) -> None:
        """Begin no more looks; ``run`` ends when those under way are recorded."""
        self.worker.stop()

    async def run(self) -> None:
        """Look at what is due until ``stop``."""
        async with asyncio.TaskGroup() as self._group:
            await self.worker.run()

    async def _step(self) -> datetime | None:
        """Begin what looks may be begun; return when the next may be."""
        if not self._is_released and self._db.is_sqlite:  # ours alone, so no lease is another's
            await self._db.run(lambda tx: profiles.release(tx, now=self._now()))
        self._is_released = True
        if self._group is not None and await self._fill(self._group):
            return self._now()
        if self._under_way >= self._at_once:
            return None  # who ends wakes us
        return await self._next_at()

    async def _next_at(self) -> datetime:
        """Return when there is something to do: a look that is due and paid, or the upkeep."""
        now = self._now()
        upkeep_at = self._kept_at + KEEP_EVERY
        if not self._api.is_in_service or not self._plans:
            return min(upkeep_at, now + MONEY_AGAIN)
        state = await self._state(now)
        times = [self._next_of(fresh, state, now) for fresh in self._plans]
        return min([upkeep_at, *(at for at in times if at is not None)])

    def _next_of(self, fresh: bool, state: "_State", now: datetime) -> datetime | None:
        """Return when a look of one plan may be made; None when nothing is to be looked at."""
        pace = self._plans[fresh]
        first = state.first[fresh]
        if first is None:
            return None
        due, looked_at = first
        if state.room < pace.cost:
            return max(due, now + MONEY_AGAIN)
        spent = self._spent(fresh, state, now)
        # Where the first has to rest, another may be looked at early that has rested already.
        rested = now.timestamp() - pace.schedule.minimum
        seen_at = min(looked_at.timestamp(), rested) if looked_at else 0.0
        # A purse that is empty pays when it has filled, which nothing but time does.
        at = pace.schedule.next_at(
            due.timestamp(),
            seen_at,
            pace.cost,
            now=now.timestamp(),
            spent=spent,
        )
        # None was found that may be looked at early: of the others some may have to rest first.
        earliest = now + SHORTEST if due <= now else min(due, now + EARLY_AGAIN)
        return max(datetime.fromtimestamp(at, UTC), earliest)

    async def _state(self, now: datetime) -> "_State":
        """Read what a step decides by."""
        async with self._db.read() as tx:
            room, spent = await self._ledger.schedule_in(tx, now)
            first = {
                fresh: await profiles.first_due(tx, now=now, fresh=fresh) for fresh in self._plans
            }
        return _State(room, spent, first)

    def _spent(self, fresh: bool, state: "_State", now: datetime) -> float:
        """Return what the looks of one plan have cost today."""
        of_newcomers = self._plans[True].spent(now)
        return of_newcomers if fresh else max(0.0, state.spent - of_newcomers)

    async def run_once(self) -> int:
        """Begin what looks may be begun, and see them through; return how many they were."""
        async with asyncio.TaskGroup() as group:
            return await self._fill(group)

    async def _fill(self, group: asyncio.TaskGroup) -> int:
        """Begin a look in each free slot, of what is due and paid for; return how many.

        A profile that is slow keeps its own slot, and holds up no other.
        """
        plans = self._plans = self._plans or await self._begin()
        await self._keep(plans)
        if not self._api.is_in_service:
            return 0
        begun = 0
        state = await self._state(self._now())
        for fresh, pace in plans.items():
            if state.first[fresh] is None:
                continue
            for known in await self._claim(pace, state, fresh=fresh):
                self._under_way += 1
                pace.under_way += 1
                begun += 1
                group.create_task(self._look_safely(known, pace))
        return begun

    async def _begin(self) -> dict[bool, Plan]:
        """Go on with the plans that were kept, by today's settings."""
        async with self._db.read() as tx:
            plans = {fresh: await schedule_state.load(tx, fresh=fresh) for fresh in (False, True)}
            self._counts = [await profiles.followed(tx, fresh=fresh) for fresh in plans]
        await self._privacy.refresh()
        for pace in plans.values():
            if self._settings.credits_a_look is not None:
                pace.cost = self._settings.credits_a_look
                pace.learns_cost = False
            pace.schedule.minimum = self._settings.floor.total_seconds()
        plans[True].schedule.mixture = plans[False].schedule.mixture  # people are alike
        self._share(plans)
        return plans

    def _share(self, plans: dict[bool, Plan]) -> None:
        """Give each plan its part of the day's credits."""
        known, fresh = self._counts
        budget = self._settings.credits_a_day + self._left
        for pace, share in zip(
            plans.values(), looks_shares(budget, known=known, fresh=fresh), strict=True
        ):
            if pace.schedule.budget != share:
                pace.schedule.set_budget(share)

    async def _claim(self, pace: Plan, state: "_State", *, fresh: bool) -> list[Known]:
        """Take what is due and can be paid, and with what is to spare what is due next."""
        now, room = self._now(), state.room
        spent = self._spent(fresh, state, now)
        # Looks under way are reserved (or will be), and not yet off the schedule's purse.
        pending = pace.under_way * pace.cost
        pace.schedule.advance(now.timestamp(), spent=max(0, spent - pending * (not fresh)))
        held = pace.schedule.credits(now.timestamp())
        for_due, for_early = (max(0, int(min(part - pending, room) // pace.cost)) for part in held)
        most = (1 if self._api.is_failing else self._at_once) - self._under_way
        is_paid = for_due >= 1
        if not is_paid:  # who was not seen for long need not wait for the pace
            left = min(room, pace.schedule.budget - spent)
            for_due = max(0, int(left // pace.cost))
        if most <= 0 or (for_due < 1 and for_early < 1):
            return []
        async with self._db.begin() as tx:
            taken = await profiles.claim(
                tx,
                now=now,
                limit=min(for_due, most),
                lease=self._lease,
                unseen_since=_seen_before(pace, now, is_due=True, is_paid=is_paid),
                fresh=fresh,
            )
            spare = min(for_early, most) - len(taken)
            if spare > 0 and not self._api.is_failing:
                taken += await self._claim_early(tx, pace, now, limit=spare, fresh=fresh)
            return [known for known in taken if not await _requeued(tx, known, pace, now)]

    async def _claim_early(
        self, tx: Tx, pace: Plan, now: datetime, *, limit: int, fresh: bool
    ) -> list[Known]:
        """Take who is due next, past those of whom nobody could be told yet."""
        taken: list[Known] = []
        passed: list[Known] = []
        for _ in range(EARLY_ROUNDS):
            found = await profiles.claim(
                tx,
                now=now,
                limit=limit - len(taken),
                lease=self._lease,
                early=True,
                unseen_since=_seen_before(pace, now, is_due=False, is_paid=True),
                fresh=fresh,
            )
            for known in found:
                seen_at = known.looked_at or now
                at = await snapshots.worth(tx, known.profile_id, now, pace, seen_at=seen_at)
                (taken if at <= now else passed).append(known)
            if not found or len(taken) >= limit:
                break
        for known in passed:
            if known.next_look_at is not None:
                await profiles.put_off(tx, known.profile_id, until=known.next_look_at)
        return taken

    async def _keep(self, plans: dict[bool, Plan]) -> None:
        """Do now and then what else belongs to the schedule."""
        now = self._now()
        if now - self._kept_at >= KEEP_EVERY:
            self._kept_at = now
            await self._privacy.refresh()
            await self._end_blocked()
            self._left = await self._ledger.left_by_replies(now)
            if now >= self._survey_at:
                async with self._db.begin() as tx:
                    await subscriptions.grow_up(tx, now.date())
                seen, counts = 0, []
                for fresh, pace in plans.items():
                    async with self._db.read() as tx:
                        states, count = await schedule_state.sample(tx, fresh=fresh)
                    pace.survey(states, count)
                    seen += len(states)
                    counts.append(count)
                self._counts = counts
                await self._watch_budget(plans, now)
                self._survey_at = now + KEEP_EVERY * (1 + seen / SURVEYED_A_MINUTE)
            self._share(plans)
            async with self._db.begin() as tx:
                self._checked = await retention.stop_looking(tx, after=self._checked)
                for fresh, pace in plans.items():
                    await schedule_state.save(tx, pace, now=now, fresh=fresh)

    async def _watch_budget(self, plans: dict[bool, Plan], now: datetime) -> None:
        """Tell when what is sure for looks can't see all that is followed in time."""
        await self._budget_watch.check(
            self._settings.credits_a_day,
            self._counts,
            [pace.cost for pace in plans.values()],
            reply_share=self._ledger.limits.reply_share,
            now=now,
        )

    async def _look_safely(self, known: Known, pace: Plan) -> None:
        until = self._now() + self._lease
        try:
            outcome = await self._look(known, pace)
        except DatabaseUnavailableError as error:  # it is made again as soon as that works
            log.warning("a check waits for the database", profile=known.profile_id, why=str(error))
            outcome = "no database"
            await self._db.insist(lambda tx: profiles.hand_back(tx, known.profile_id, until=until))
        except Exception:
            log.exception("a look failed", profile=known.profile_id)
            outcome = "error"
        finally:
            self._under_way -= 1
            pace.under_way -= 1
            self.wake()
        self._looks.inc(outcome=outcome)

    async def _look(self, known: Known, pace: Plan) -> str:
        """Look at one profile; return a word on what came of it."""
        if alert_rules.is_blocked(known.profile_id, known.username, self._settings.blocked):
            return "blocked"
        seems_private = "private" in {known.state, known.refusal}
        if seems_private and await self._is_still_private(known, pace):
            return "private"
        if not self._privacy.skips(known):
            return await self._ask(known, pace)
        asked_at = self._now()
        outcome = await self._ask(known, pace, forced=True)
        if outcome in {REFUSED, SILENT}:  # which proves nothing
            silent_at = asked_at if outcome == SILENT else None
            return await self._ask(known, pace, silent_at=silent_at)
        return outcome

    async def _proof(self, known: Known, pace: Plan) -> Proof:
        """Return what the lookup of the name says, and count what it costs the plan."""
        proof = await self._names.proof(known.profile, _payer(known))
        billed = LOOKUPS[proof == "gone"]
        pace.schedule.purse.credits -= billed
        self._spend(known, billed)
        return proof

    async def _is_still_private(self, known: Known, pace: Plan) -> bool:
        """Return whether the lookup, at half the price, says of a private profile that it is."""
        if await self._proof(known, pace) != "private":
            return False
        async with self._db.begin() as tx:
            await snapshots.fail(tx, known.profile_id, "private", now=self._now())
        return True

    async def _ask(
        self,
        known: Known,
        pace: Plan,
        *,
        forced: bool = False,
        silent_at: datetime | None = None,
    ) -> str:
        """Ask and record; ``silent_at`` is when a forced answer showed nothing.

        REFUSED or SILENT where the answer was ``forced``, and is settled but not recorded.
        """
        try:
            reservation = await self._ledger.reserve(
                _payer(known), Endpoint.USER_STORIES, forced=forced
            )
        except SpendingError as error:
            latest = self._now() + LONGEST_WAIT
            await self._put_off(known, min(error.until or latest, latest))
            return "no money"
        try:
            answer = await self._api.stories(known.profile_id, forced=forced)
        except StoriesError as error:
            if forced and isinstance(error, ProfilePrivateError | ProfileNotFoundError):
                await self._waste(known, pace, reservation, error.credits)
                return REFUSED
            return await self._record_failure(known, pace, reservation, error)
        if not answer.value and await self._should_live(known):
            if forced:
                await self._waste(known, pace, reservation, answer.credits)
                return SILENT
            if self._canary is not None and await self._canary.says_down():
                silent = ApiUnavailableError("even the canary is silent", credits=answer.credits)
                return await self._record_failure(known, pace, reservation, silent)
        if self._canary is not None:
            self._canary.worked(known.profile_id)
        await self._record(known, pace, reservation, answer, forced=forced)
        if silent_at is not None:
            await self._privacy.lacked(known, answer.value, at=silent_at)
        return "seen"

    async def _waste(
        self, known: Known, pace: Plan, reservation: Reservation, billed: int | None
    ) -> None:
        """Settle a forced answer that is not believed; the full one is asked at once."""
        credits_ = reservation.credits if billed is None else billed
        pace.billed(credits_, is_whole=False)
        self._spend(known, credits_)
        await self._db.insist(lambda tx: self._ledger.settle(tx, reservation, credits_))

    async def _should_live(self, known: Known) -> bool:
        """Return whether stories were seen that should still be up."""

        async def live(tx: Tx) -> bool:
            return bool(await stories.live(tx, known.profile_id, now=self._now()))

        try:
            async with self._db.read() as tx:
                return await live(tx)
        except DatabaseUnavailableError:  # what was answered is paid for
            return await self._db.insist(live)

    async def _record(
        self,
        known: Known,
        pace: Plan,
        reservation: Reservation,
        answer: Answer[list[Story]],
        *,
        forced: bool,
    ) -> None:
        found = answer.value
        profile = found[0].profile if found else known.profile
        now = self._now()
        pace.billed(answer.credits)
        look = snapshots.Look(profile, tuple(found), forced=forced)
        self._spend(known, answer.credits)

        async def record(tx: Tx) -> list[str]:
            new = await snapshots.record(tx, look, now=now, own=pace)
            await self._ledger.settle(tx, reservation, answer.credits)
            return new

        new = await self._db.insist(record)
        if not forced:
            await self._privacy.compare(known, found, new)
        self._new.inc(len(new))
        if new:
            for pk in new:
                log.info("new story", trace=f"s{pk}", profile=known.profile_id)
        self._wake()

    async def _record_failure(
        self, known: Known, pace: Plan, reservation: Reservation, error: StoriesError
    ) -> str:
        now = self._now()
        billed = reservation.credits if error.credits is None else error.credits
        pace.schedule.failed(now.timestamp())
        pace.schedule.purse.credits -= billed
        self._spend(known, billed)
        await self._db.insist(lambda tx: self._ledger.settle(tx, reservation, billed))
        why = await self._why(known, pace, error)
        if why == "private":
            await self._privacy.refused(known)
        async with self._db.begin() as tx:
            match error:
                case OutOfServiceError():
                    await profiles.put_off(tx, known.profile_id, until=now + LONGEST_WAIT)
                case _ if self._api.is_failing:  # it is not this profile's fault
                    await profiles.put_off(tx, known.profile_id, until=now + PROBE_EVERY)
                case _:
                    await snapshots.fail(tx, known.profile_id, why, now=now)
        self._wake()
        return type(error).__name__

    async def _why(
        self, known: Known, pace: Plan, error: StoriesError
    ) -> Literal["private", "gone", "error"]:
        """Return what a failed look proves: private or gone only where the lookup agrees."""
        if not isinstance(error, ProfilePrivateError | ProfileNotFoundError):
            return "error"
        proof = await self._proof(known, pace)
        if proof == "private" and isinstance(error, ProfilePrivateError):
            return "private"
        if proof == "gone" and isinstance(error, ProfileNotFoundError):
            return "gone"
        log.info("a refusal is in doubt", profile=known.profile_id, why=str(error), proof=proof)
        return "error"

    def _spend(self, known: Known, billed: int) -> None:
        if known.fresh:
            self._plans[True].spend(billed, self._now())

    async def _put_off(self, known: Known, until: datetime) -> None:
        async with self._db.begin() as tx:
            await profiles.put_off(tx, known.profile_id, until=until)


@dataclass(frozen=True, slots=True)
class _State:
    """What a step decides by: the schedule's credits, and of each plan what is due first.

    ``room`` may be spent at this moment, ``spent`` was today; ``first`` is when the next look is
    due and when the last one was, None where nobody is to be looked at.
    """

    room: int
    spent: int
    first: dict[bool, tuple[datetime, datetime | None] | None]


def _payer(known: Known) -> Payer:
    """Return as what a call about a profile is paid."""
    return Payer("schedule", profile_id=known.profile_id)


def _seen_before(pace: Plan, now: datetime, *, is_due: bool, is_paid: bool) -> datetime | None:
    before = pace.schedule.seen_before(now.timestamp(), is_due=is_due, is_paid=is_paid)
    return None if before is None else datetime.fromtimestamp(before, UTC)


async def _requeued(tx: Tx, known: Known, pace: Plan, now: datetime) -> bool:
    """Put a profile back that, at the price of today, is not due yet."""
    is_due = known.next_look_at is not None and known.next_look_at <= now
    if not is_due or known.failures or not pace.is_stale(known):
        return False
    columns, due = pace.due(known, now=now)
    due = await snapshots.worth(
        tx, known.profile_id, max(due, now), pace, seen_at=known.looked_at or now
    )
    await profiles.change(tx, known.profile_id, **columns)
    if due <= now:
        return False
    await profiles.put_off(tx, known.profile_id, until=due)
    return True
