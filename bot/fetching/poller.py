"""The scheduler, which claims due profiles, checks the profiles, and records the results.

The price is reserved before the check, and settled in the transaction that records the stories. No
transaction is open during a call of the Stories API.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal

import structlog

from bot.billing.ledger import Charge, Ledger, Reservation
from bot.domain import alert_rules
from bot.domain.budget import midnight_after
from bot.domain.errors import (
    DatabaseUnavailableError,
    NoSuchProfileError,
    OutOfServiceError,
    ProfilePrivateError,
    SpendingError,
    StoriesError,
)
from bot.domain.model import AnyTime, Story
from bot.domain.paid_calls import Answer, PaidCall, StoriesService
from bot.domain.records import EPOCH, Known, SubscriberCount
from bot.fetching import schedule_state, snapshots
from bot.fetching.feasibility import BudgetWatch
from bot.fetching.names import Names, Proof
from bot.fetching.schedule_state import Plan, PollSettings
from bot.runtime.claims import Lease, Owner, RetryPolicy
from bot.runtime.concurrency import FastAndSlowSlots
from bot.runtime.metrics import UNSEEN, Metrics
from bot.runtime.sharing import SEVERAL_PROCESSES, Sharing
from bot.runtime.timed_cache import TimedCache
from bot.runtime.workers import NextStepAt, UntilWoken, Worker
from bot.scheduling.failed_checks import FailedChecks
from bot.store import budgets, profiles, stories, subscriptions
from bot.store.engine.database import Database, Tx

log = structlog.get_logger()

# The lease of a check. A check makes several requests, which take at most 30 seconds each.
_POLL_LEASE = timedelta(minutes=2)
_RETRIES = RetryPolicy(pause=timedelta(minutes=2))  # the pauses after an error of the bot itself
_SLOW_AT_ONCE = 56  # the maximum number of slow checks, in addition to ``at_once``
_SHORTEST = timedelta(seconds=0.5)  # the pause if no check was made
_EARLY_AGAIN = timedelta(seconds=5)  # the pause if no profile could be checked early
_MONEY_AGAIN = timedelta(seconds=15)  # the pause before the next step, for example without credits
# The longest pause of a check because of missing credits or stopped paid calls.
_LONGEST_WAIT = timedelta(minutes=5)
# The pause between two checks while the API fails for all profiles.
_PROBE_EVERY = timedelta(seconds=30)
MAINTAIN_EVERY = timedelta(minutes=1)
# The API counts as slow for this time after many checks were slow at the same time (see
# ``Scheduler.is_api_slow``).
_SLOW_FOR = timedelta(minutes=2)
# If more chats than this number follow a profile, the chats are counted only once an hour.
_MANY = 1_000
_COUNTED_AGAIN = timedelta(hours=1)
# The mean number of profiles that are sampled per minute. A sample of 1,000 profiles blocks the
# event loop for 15 ms.
_SURVEYED_A_MINUTE = 1_000
# Before a daily summary, some profiles must be checked. The search for these profiles reads at
# most this number of profiles.
_SUMMARIES_READ = 100
# The search for profiles that can be checked early reads at most this number of profiles.
_EARLY_READ = 100
# Most searches for profiles that must be checked before a daily summary read only the profiles
# that became due within the last ``SUMMARY_LEAD``. At this interval, a search reads all overdue
# profiles.
_OVERDUE_SEARCHED_EVERY = timedelta(minutes=1)
_LOOKUPS = 1, 2  # credits of a single lookup of a name, and of the two lookups that prove "gone"


class Scheduler:
    """Checks subscribed profiles as often as the budget allows."""

    def __init__(
        self,
        db: Database,
        api: StoriesService,
        ledger: Ledger,
        *,
        settings: PollSettings,
        apply_blocks: Callable[[], Awaitable[object]],
        is_paused: Callable[[], bool] = lambda: False,
        at_once: int = 8,
        lease: timedelta = _POLL_LEASE,
        owner: Owner,
        budget_watch: BudgetWatch | None = None,
        sharing: Sharing = SEVERAL_PROCESSES,
        wake: Callable[[], None] = lambda: None,
        metrics: Metrics = UNSEEN,
        now: Callable[[], datetime],
    ) -> None:
        """Create a scheduler.

        At most ``at_once`` checks, and 56 more slow checks, run at the same time. ``apply_blocks``
        pauses and resumes the alerts of profiles. While ``is_paused`` returns True, no checks are
        made. ``wake`` is called when messages may be due.
        """
        self._db = db
        self._api = api
        self._ledger = ledger
        self._names = Names(db, api, ledger, now=now)
        self._settings = settings
        self._apply_blocks = apply_blocks
        self._is_paused = is_paused
        # The blocked profiles when ``apply_blocks`` was last called.
        self._ended_for: frozenset[str] = frozenset()
        self._slots = FastAndSlowSlots(at_once, _SLOW_AT_ONCE)
        # The last time at which the number of slow checks was at least half of ``at_once``.
        self._slow_at: datetime | None = None
        self._lease = lease
        self._owner = owner
        self._budget_watch = budget_watch
        self._wake = wake
        self._now = now
        self._kept_at = now() - MAINTAIN_EVERY
        self._survey_at = now()
        self._search_overdue_at = now()
        # The profiles with more than ``_MANY`` chats whose chats were counted within the last
        # hour.
        self._counted = TimedCache[str, bool]()
        self._plan: Plan | None = None
        # Two numbers of profiles: profiles with a known person as a subscriber, and profiles whose
        # subscribers are all newcomers.
        self._counts = (0, 0)
        self._left = 0.0  # the credits of today that replies will not need
        # No checks are made before this time. The time is later than now while the API fails for
        # all profiles.
        self._rests_until = now()
        self._group: asyncio.TaskGroup | None = None
        self.failed_checks = FailedChecks()
        self.worker = Worker(
            "checks",
            self._start_checks,
            now=now,
            longest=sharing.checks_every,
        )
        self._polls = metrics.get_or_create_counter(
            "checks_total", "Checks of the schedule.", "outcome"
        )
        self._new = metrics.get_or_create_counter(
            "stories_found_total", "Stories nobody had seen before."
        )

    async def make_checks_until_stopped(self) -> None:
        """Make checks until ``worker`` is stopped.

        A check costs up to 3 credits. Lookups of a refused name, and the verification of an
        answer, cost more. Return after the results of all checks are recorded.
        """
        async with asyncio.TaskGroup() as self._group:
            await self.worker.run()

    async def _start_checks(self) -> NextStepAt | UntilWoken:
        """Start the checks that can be made now. Return the time of the next step.

        Return None if the next step waits for the end of a check.
        """
        if self._slots.count_slow(self._now()) * 2 >= self._slots.fast:
            self._slow_at = self._now()
        if self._group is not None and await self._claim_and_start_checks(self._group):
            return self._now()
        if not self._slots.count_free(self._now()):
            # All slots are in use. If a check ends earlier than the returned time, the end wakes
            # this loop.
            return self._slots.next_free_at(self._now())
        return await self.next_step_at()

    @property
    def is_api_slow(self) -> bool:
        """Return whether many checks were slow at the same time within the last 2 minutes.

        A check is slow after 5 seconds. "Many" means at least half of the number of fast slots.
        """
        return self._slow_at is not None and self._now() - self._slow_at < _SLOW_FOR

    async def next_step_at(self) -> datetime:
        """Return the time of the next step, which starts checks or does the maintenance."""
        now = self._now()
        upkeep_at = self._kept_at + MAINTAIN_EVERY
        if self._is_paused() or not self._api.is_in_service or self._plan is None:
            return min(upkeep_at, now + _MONEY_AGAIN)
        if self._rests_until > now:
            return min(upkeep_at, self._rests_until)
        check_at = self._next_check_at(
            self._plan, await self._read_credits_and_first_check(now), now
        )
        return min(upkeep_at, check_at or upkeep_at)

    def _next_check_at(
        self, plan: Plan, state: "_CreditsAndFirstCheck", now: datetime
    ) -> datetime | None:
        """Return the time of the next possible check, or None if there is no profile to check."""
        if state.first is None:
            return None
        due, snapshot_at = state.first
        if state.room < self._highest_usual_price_of_check:
            return max(due, now + _MONEY_AGAIN)
        # A profile is checked early only if its last check was at least ``minimum`` seconds ago.
        # Even if the first profile does not satisfy this condition, another profile can. For this
        # reason, ``seen_at`` is at least ``minimum`` seconds ago.
        rested = now.timestamp() - plan.schedule.minimum
        seen_at = min(snapshot_at.timestamp(), rested) if snapshot_at else 0.0
        # If the credit bucket is empty, wait until the bucket has enough credits.
        at = plan.schedule.next_check_at(
            due.timestamp(),
            seen_at,
            plan.cost,
            now=now.timestamp(),
            spent_today=state.spent,
        )
        # The last step could not check any profile early, so the next step waits for a short
        # pause.
        earliest = now + _SHORTEST if due <= now else min(due, now + _EARLY_AGAIN)
        return max(datetime.fromtimestamp(at, UTC), earliest)

    @property
    def _highest_usual_price_of_check(self) -> int:
        """Return the credits to reserve for a check. The bill of a check is usually not higher."""
        return self._api.stories("", last_known_public_at=self._now()).price

    async def _read_credits_and_first_check(self, now: datetime) -> "_CreditsAndFirstCheck":
        """Return the data that decide which checks can be made now."""
        async with self._db.read() as tx:
            room, spent = await self._ledger.schedule_credits_left_and_spent(tx, now)
            return _CreditsAndFirstCheck(
                room, spent, await profiles.next_check_due_and_last_snapshot(tx, now=now)
            )

    async def make_possible_checks_once(self) -> int:
        """Make the checks that can be made now, and wait for the results.

        Return the number of started checks. A check costs up to 3 credits. Lookups of a refused
        name, and the verification of an answer, cost more.
        """
        async with asyncio.TaskGroup() as group:
            return await self._claim_and_start_checks(group)

    async def _claim_and_start_checks(self, group: asyncio.TaskGroup) -> int:
        """Start the checks that can be made now. Return the number of started checks.

        Before the checks, changed blocks of profiles are applied, and the plan is stored if a
        minute has passed (``_apply_blocks_and_store_plan_if_due``).
        """
        plan = self._plan = self._plan or await self._load_plan_and_trust()
        await self._apply_blocks_and_store_plan_if_due(plan)
        is_stopped = self._is_paused() or not self._api.is_in_service
        if is_stopped or self._rests_until > self._now():
            return 0
        state = await self._read_credits_and_first_check(self._now())
        if state.first is None:
            return 0
        lease = self._owner.new_lease(self._now(), self._lease)
        claimed = await self._claim_payable_checks_or_postpone(plan, state, lease)
        for known in claimed:
            ticket = self._slots.record_start_and_return_ticket(self._now())
            group.create_task(self._check_and_log_errors(known, lease, plan, ticket))
        return len(claimed)

    async def _load_plan_and_trust(self) -> Plan:
        """Load the stored plan and the trust in unchecked answers.

        The current settings are applied to the plan.
        """
        async with self._db.read() as tx:
            plan = await schedule_state.load_plan_or_new(tx)
            self._counts = await profiles.estimate_profile_counts_by_followers(tx)
        await self._api.load_or_delete_trust_in_unchecked()
        if self._settings.credits_a_poll is not None:
            plan.cost = self._settings.credits_a_poll
            plan.learns_cost = False
        plan.schedule.minimum = self._settings.floor.total_seconds()
        self._set_budget_and_newcomer_interval_in(plan)
        return plan

    def _set_budget_and_newcomer_interval_in(self, plan: Plan) -> None:
        known, fresh = self._counts
        plan.set_budget_and_newcomer_interval(
            self._settings.credits_a_day, self._left, known_profiles=known, newcomer_profiles=fresh
        )

    async def _claim_payable_checks_or_postpone(
        self, plan: Plan, state: "_CreditsAndFirstCheck", lease: Lease
    ) -> list[Known]:
        """Claim and return the profiles whose checks can be paid and for which slots are free.

        Due profiles come first, then profiles before a daily summary, then early checks.
        """
        now = lease.at
        # The credits of the running checks are subtracted, because the bucket still contains them.
        pending = len(self._slots) * plan.cost
        plan.schedule.release_due_credits(
            now.timestamp(), spent_today=max(0, state.spent - pending)
        )
        due_credits, early_credits = plan.schedule.spendable_credits_for_due_and_early(
            now.timestamp()
        )
        of_room = state.room / self._highest_usual_price_of_check
        for_due = _count_payable_checks(due_credits - pending, plan.cost, of_room)
        for_early = _count_payable_checks(early_credits - pending, plan.cost, of_room)
        of_day = _count_payable_checks(plan.schedule.budget - state.spent, plan.cost, of_room)
        most = self._slots.count_free(now)
        if self._api.is_failing:
            most = 1 - len(self._slots)
        is_paid = for_due >= 1
        if not is_paid:
            # The check of a profile that was not checked for a long time does not wait for the
            # bucket.
            for_due = of_day
        if most <= 0 or (for_due < 1 and for_early < 1):
            return []
        async with self._db.begin() as tx:
            taken = await profiles.claim_checks(
                tx,
                lease,
                limit=min(for_due, most),
                unseen_since=_latest_allowed_last_check(plan, now, is_due=True, is_paid=is_paid),
            )
            # A check before a daily summary does not wait for the credit bucket.
            if len(taken) == for_due or not is_paid:
                limit = min(of_day, most) - len(taken)
                taken += await self._claim_checks_for_summaries(tx, plan, lease, limit=limit)
            spare = min(for_early, most) - len(taken)
            # Keep enough of today's credits for the checks that must be made before daily
            # summaries.
            unused = of_day - len(taken)
            if spare > 0 and unused < spare + _SUMMARIES_READ:
                spare = min(spare, unused - await _count_checks_for_summaries(tx, now))
            if spare > 0:
                taken += await self._claim_early_checks_or_postpone(tx, plan, lease, limit=spare)
            return [
                known for known in taken if not await _postpone_if_not_due(tx, known, plan, now)
            ]

    async def _claim_checks_for_summaries(
        self, tx: Tx, plan: Plan, lease: Lease, *, limit: int
    ) -> list[Known]:
        """Claim profiles that must be checked before a daily summary.

        The day's remaining credits pay for the checks, even if the credit bucket is empty.
        """
        now = lease.at
        found: list[str] = []
        if limit <= 0:
            return []
        since = now - alert_rules.SUMMARY_LEAD
        if now >= self._search_overdue_at:
            self._search_overdue_at = now + _OVERDUE_SEARCHED_EVERY
            since = EPOCH
        for profile_id in await subscriptions.ids_of_due_profiles_with_summaries(
            tx, due_since=since, now=now, limit=_SUMMARIES_READ
        ):
            if await snapshots.is_summary_near(tx, profile_id, now=now):
                found.append(profile_id)
            if len(found) == limit:
                break
        if not found:
            return []
        taken = await profiles.claim_checks(
            tx, lease, limit=limit, ids=found, skip_newcomers=plan.newcomer_interval is not None
        )
        plan.schedule.move_credits_into_bucket(len(taken) * plan.cost)
        return taken

    async def _claim_early_checks_or_postpone(
        self, tx: Tx, plan: Plan, lease: Lease, *, limit: int
    ) -> list[Known]:
        """Claim and return profiles that are due next, before their due time.

        A check whose result no chat could get at the due time is postponed instead.
        """
        now = lease.at
        unseen_since = _latest_allowed_last_check(plan, now, is_due=False, is_paid=True)
        skip_newcomers = plan.newcomer_interval is not None
        useful_at: dict[str, datetime] = {}
        for known in await profiles.next_for_early_checks(
            tx,
            now=now,
            limit=_EARLY_READ,
            unseen_since=unseen_since,
            skip_newcomers=skip_newcomers,
        ):
            seen_at = known.snapshot_at or EPOCH
            at = await snapshots.read_useful_check_at(
                tx, known, now, plan, seen_at=seen_at, now=now
            )
            if at <= now or at > (known.due_at or at):
                useful_at[known.profile_id] = at
            if len(useful_at) == limit:
                break
        if not useful_at:
            return []
        taken: list[Known] = []
        for known in await profiles.claim_checks(
            tx,
            lease,
            limit=limit,
            only_not_due=True,
            unseen_since=unseen_since,
            skip_newcomers=skip_newcomers,
            ids=[*useful_at],
        ):
            at = useful_at[known.profile_id]
            if at <= now:
                taken.append(known)
            else:
                await profiles.end_claim_and_postpone_check(tx, known, until=at)
        return taken

    async def _apply_blocks_and_store_plan_if_due(self, plan: Plan) -> None:
        """Apply the blocks of profiles, set the budget and store the plan, each once a minute.

        A changed set of blocked profiles is applied without a wait.
        """
        now = self._now()
        is_time = now - self._kept_at >= MAINTAIN_EVERY
        if is_time or self._ended_for != self._settings.blocked:
            self._ended_for = frozenset(self._settings.blocked)
            await self._apply_blocks()
        if is_time:
            self._kept_at = now
            await self._api.load_or_delete_trust_in_unchecked()
            self._left = await self._ledger.reply_credits_left_for_schedule(now)
            if now >= self._survey_at:
                await self._recompute_demand_and_report_budget(plan, now)
            self._set_budget_and_newcomer_interval_in(plan)
            async with self._db.begin() as tx:
                await schedule_state.store_plan(tx, plan)

    async def _recompute_demand_and_report_budget(self, plan: Plan, now: datetime) -> None:
        """Compute the demand from a sample of profiles, and report whether the budget is enough.

        The sample has only profiles that known persons follow, or, without such profiles, the
        profiles that newcomers follow.
        """
        async with self._db.read() as tx:
            self._counts = await profiles.estimate_profile_counts_by_followers(tx)
            known, fresh = self._counts
            states = await schedule_state.sample_states(tx, only_newcomers=not known)
            refused = await budgets.count_subjects_with_counter(tx, "refused", now.date())
        plan.recompute_demand(states, known or fresh)
        if self._budget_watch is not None:
            stands = (self._settings.credits_a_day, self._counts, plan.cost)
            share = self._ledger.limits.reply_share
            await self._budget_watch.report_shortfall_or_its_end(*stands, reply_share=share)
            await self._budget_watch.report_refused_people(
                *stands, reply_share=share, people=refused
            )
        self._survey_at = now + MAINTAIN_EVERY * (1 + len(states) / _SURVEYED_A_MINUTE)

    async def _check_and_log_errors(
        self, known: Known, lease: Lease, plan: Plan, ticket: int
    ) -> None:
        try:
            outcome = await self._check_and_name_outcome(known, lease, plan)
        except DatabaseUnavailableError as error:
            # The profile is claimed again after its lease has expired.
            log.warning("a check waits for the database", profile=known.profile_id, why=str(error))
            outcome = "no database"
        except Exception as error:
            log.exception("a check failed", profile=known.profile_id)
            self.failed_checks.record_failure(type(error).__name__, self._now())
            await self._postpone_after_error(known)
            outcome = "error"
        finally:
            self._slots.record_end(ticket)
            self.worker.wake()
        self._polls.labels(outcome).inc()

    async def _postpone_after_error(self, known: Known) -> None:
        """Postpone a check that failed because of an error in the bot.

        The check is not retried at once, because the API possibly billed the failed check.
        """
        try:
            due_at = _RETRIES.next_at(known.attempts, now=self._now())
            async with self._db.begin() as tx:
                await profiles.end_claim_and_retry_check(tx, known, due_at=due_at)
        except Exception:  # the profile is claimed again after its lease has expired
            log.exception("a failed check can't be postponed", profile=known.profile_id)

    async def _check_and_name_outcome(self, known: Known, lease: Lease, plan: Plan) -> str:
        """Check a profile. Return the outcome in a few words.

        If the profile seems private, a lookup for 1 or 2 credits comes first. The costs of the
        check itself are those of ``_fetch_record_and_name_outcome``. No call is made for a blocked
        profile, without a waiting chat, or without a valid lease.
        """
        if alert_rules.is_on_block_list(known.profile_id, known.username, self._settings.blocked):
            return "blocked"
        if not await self._store_count_and_has_subscribers(known):
            return "nobody waits"
        if not self._is_lease_valid(lease):
            return "lost"
        seems_private = "private" in {known.state, known.refusal}
        # Look up the name first. The lookup costs half as much as the check, and shows whether the
        # account is still private.
        if seems_private and await self._fetch_proof_and_charge_bucket(known, plan) == "private":
            await self._names.record_private_and_notify_if_proven(
                known.profile_id, token=known.token
            )
            self.failed_checks.record_success()
            return "private"
        return await self._fetch_record_and_name_outcome(known, lease, plan)

    def _is_lease_valid(self, lease: Lease) -> bool:
        """Return whether the lease still prevents other processes from making the same checks."""
        now = self._now()
        return now < lease.until and self._owner.still_owns_claim(lease.at, now=now)

    async def _store_count_and_has_subscribers(self, known: Known) -> bool:
        """Store how many chats wait for alerts of a profile. Return whether a chat waits.

        If no chat waits, the checks of the profile stop.
        """
        now = self._now()
        if known.chats > _MANY and self._counted.get(known.profile_id, now=now):
            return True
        async with self._db.read() as tx:
            count = await subscriptions.count_subscribers(tx, known.profile_id)
        if count.chats > _MANY:
            self._counted.put(known.profile_id, value=True, until=now + _COUNTED_AGAIN)
        if not count.chats:
            async with self._db.begin() as tx:
                await profiles.end_claim_and_postpone_check(tx, known, until=now)
                await subscriptions.start_or_stop_checks(
                    tx, profile_ids=[known.profile_id], now=now
                )
        elif count != SubscriberCount(known.chats, known.weight, known.fresh):
            async with self._db.begin() as tx:
                await profiles.set_subscriber_count(tx, known.profile_id, count)
        return count.chats > 0

    async def _fetch_proof_and_charge_bucket(self, known: Known, plan: Plan) -> Proof:
        """Check a refusal by a lookup of the name, for 1 or 2 credits.

        Subtract 2 credits from the bucket if the result is "gone", or else 1 credit.
        """
        proof = await self._names.fetch_proof_of_refusal(
            known.username, _charge_for_check(known), profile_id=known.profile_id
        )
        plan.schedule.bucket.credits -= _LOOKUPS[proof == "gone"]
        return proof

    async def _fetch_record_and_name_outcome(self, known: Known, lease: Lease, plan: Plan) -> str:
        """Fetch a profile's stories, and record the answer. Return the outcome in a few words.

        The stories cost at most 3 credits (``StoriesService.stories``). A refusal costs 1 or 2
        more credits for a lookup. The verification of the last answer costs 1 more credit.
        """
        is_well = known.state == "active" and not known.failures
        call = self._api.stories(
            known.profile_id,
            last_known_public_at=known.checked_at if is_well else None,
            expects_stories=partial(self._has_live_stories_not_known_as_deleted, known),
        )
        try:
            reservation = await self._ledger.reserve(_charge_for_check(known), call)
        except SpendingError as error:
            latest = self._now() + _LONGEST_WAIT
            async with self._db.begin() as tx:
                until = min(error.until or latest, latest)
                await profiles.end_claim_and_postpone_check(tx, known, until=until)
            return "no money"
        if not self._is_lease_valid(lease):
            await self._db.run_until_recorded(lambda tx: self._ledger.settle(tx, reservation, 0))
            return "lost"
        try:
            answer = await call
        except StoriesError as error:
            return await self._fetch_proof_and_record_failure(known, plan, reservation, error)
        self.failed_checks.record_success()
        await self._record_answer(known, plan, reservation, answer)
        return "seen"

    async def _has_live_stories_not_known_as_deleted(self, known: Known) -> bool:
        """Return whether the profile has a stored live story that is not known to be deleted.

        If deleted stories counted, an answer without stories would be repeated with the privacy
        check, for 3 credits in total, although the answer is right.
        """

        async def has_live(tx: Tx) -> bool:
            return await stories.has_live_stories_not_known_as_deleted(
                tx, known.profile_id, now=self._now()
            )

        # Repeat the read until the database is available, because an error would lose the result
        # of an API call that is already billed.
        return await self._db.run_until_recorded(has_live)

    async def _record_answer(
        self,
        known: Known,
        plan: Plan,
        reservation: Reservation,
        answer: Answer[list[Story]],
    ) -> None:
        """Record the stories of a check, and settle the bill, in one transaction.

        Then the last answer may be verified for 1 credit.
        """
        shown = answer.value
        profile = shown[0].profile if shown else known.profile
        now = self._now()
        plan.correct_bucket_and_learn_cost(answer.credits)
        snapshot = snapshots.Snapshot(profile, tuple(shown), is_checked=answer.is_checked)

        async def record(tx: Tx) -> list[str]:
            new = await snapshots.record_snapshot_and_enqueue_alerts(
                tx, snapshot, now=now, scheduler_plan=plan, token=known.token
            )
            await self._ledger.settle(tx, reservation, answer.credits)
            return new

        new = await self._db.run_until_recorded(record)
        self._wake()
        if answer.is_checked:
            call = self._api.call_to_verify_last_answer(known, shown, new)
            await self._pay_and_verify_last_answer(known, plan, call)
        self._new.inc(len(new))
        if new:
            for pk in new:
                log.info("new story", trace=f"s{pk}", profile=known.profile_id)

    async def _fetch_proof_and_record_failure(
        self, known: Known, plan: Plan, reservation: Reservation, error: StoriesError
    ) -> str:
        """Settle the bill of a failed check, and plan the next check.

        Return the name of the error's class. If the API refused the account, a lookup costs 1 or 2
        more credits. If the account is private, the last answer may be verified for 1 more credit.
        """
        now = self._now()
        billed = reservation.credits if error.credits is None else error.credits
        plan.schedule.freeze_price_after_outage(now.timestamp())
        plan.schedule.bucket.credits -= billed
        await self._db.run_until_recorded(
            lambda tx: self._ledger.settle(tx, reservation, error.credits)
        )
        if self._api.is_failing:
            self._rests_until = now + _PROBE_EVERY
        why = await self._fetch_proven_state(known, plan, error)
        if why != "error":
            self.failed_checks.record_success()
        elif not isinstance(error, OutOfServiceError):
            # An ``OutOfServiceError`` is not recorded, because this error opens an incident of its
            # own.
            self.failed_checks.record_failure(str(error), now)
        # If no live stories are known, the refusal does not contradict the last answer.
        if why == "private" and await self._has_live_stories_not_known_as_deleted(known):
            call = self._api.call_to_verify_after_refusal(known)
            await self._pay_and_verify_last_answer(known, plan, call)
        async with self._db.begin() as tx:
            match error:
                case OutOfServiceError():
                    await profiles.end_claim_and_postpone_check(
                        tx, known, until=now + _LONGEST_WAIT
                    )
                case _ if self._api.is_failing:
                    # The API fails for all profiles, so this is not a failure of the profile.
                    await profiles.end_claim_and_postpone_check(
                        tx, known, until=now + _PROBE_EVERY
                    )
                case _:
                    await snapshots.record_failure_and_notify_if_proven(
                        tx,
                        known.profile_id,
                        why,
                        now=now,
                        token=known.token,
                        is_billed=bool(error.credits),
                    )
        self._wake()
        return type(error).__name__

    async def _pay_and_verify_last_answer(
        self, known: Known, plan: Plan, call: PaidCall[list[Story]] | None
    ) -> None:
        """Make the paid call that verifies the last answer about a profile, for 1 credit.

        If ``call`` is None, do nothing. A failure raises no error, because the answers are
        compared again on a later day.
        """
        if call is None:
            return
        try:
            await self._ledger.reserve_call_and_settle(_charge_for_check(known), call)
        except SpendingError:
            return
        except StoriesError as error:
            log.info("an answer is not verified", profile=known.profile_id, error=str(error))
        plan.schedule.bucket.credits -= call.price

    async def _fetch_proven_state(
        self, known: Known, plan: Plan, error: StoriesError
    ) -> Literal["private", "gone", "error"]:
        """Return the state of a profile that a failed check proves.

        The result is "private" or "gone" only if a lookup for 1 or 2 credits confirms the API's
        refusal.
        """
        if not isinstance(error, ProfilePrivateError | NoSuchProfileError):
            return "error"
        proof = await self._fetch_proof_and_charge_bucket(known, plan)
        if proof == "private" and isinstance(error, ProfilePrivateError):
            return "private"
        if proof == "gone" and isinstance(error, NoSuchProfileError):
            return "gone"
        log.info("a refusal is in doubt", profile=known.profile_id, why=str(error), proof=proof)
        return "error"


@dataclass(frozen=True, slots=True)
class _CreditsAndFirstCheck:
    """The data that decide which checks to make.

    The schedule may spend ``room`` credits now, and has spent ``spent`` credits today. ``first``
    has the due time and the last check of the profile that is due first, or is None.
    """

    room: int
    spent: int
    first: tuple[datetime, datetime | None] | None


def _charge_for_check(known: Known) -> Charge:
    """Return the purpose of the paid calls for a check of a profile."""
    return Charge("schedule", profile_id=known.profile_id)


def _count_payable_checks(credits_left: float, cost: float, most: float) -> int:
    """Return the number of checks that ``credits_left`` pays for, between 0 and ``most``."""
    return max(0, int(min(credits_left / cost, most)))


async def _count_checks_for_summaries(tx: Tx, now: datetime) -> int:
    """Count the planned checks before midnight (UTC) that serve daily summaries.

    A check serves a daily summary if a subscriber of the profile gets daily summaries. At most
    ``_SUMMARIES_READ`` checks are counted.
    """
    planned = await subscriptions.ids_of_due_profiles_with_summaries(
        tx, due_since=now, now=midnight_after(now), limit=_SUMMARIES_READ
    )
    return len(planned)


def _latest_allowed_last_check(
    plan: Plan, now: datetime, *, is_due: bool, is_paid: bool
) -> datetime | AnyTime:
    before = plan.schedule.latest_allowed_last_check(
        now.timestamp(), is_due=is_due, is_paid=is_paid
    )
    return None if before is None else datetime.fromtimestamp(before, UTC)


async def _postpone_if_not_due(tx: Tx, known: Known, plan: Plan, now: datetime) -> bool:
    """Postpone the check of a claimed profile if a new price or interval makes it due later.

    Return whether the check was postponed. The claim of a postponed profile ends.
    """
    is_due = known.due_at is not None and known.due_at <= now
    if not is_due or known.failures or not plan.must_recompute_due_at(known):
        return False
    columns, due = plan.recompute_due(known, now=now)
    due = max(due, now)
    seen_at = known.snapshot_at or EPOCH
    await profiles.change(tx, known.profile_id, **columns)
    useful_at = partial(
        snapshots.read_useful_check_at, tx, known, due, plan, seen_at=seen_at, now=now
    )
    if await useful_at(is_claimed=True) <= now:
        return False
    if await snapshots.has_missed_summary(tx, known, plan, now=now):
        return False
    await profiles.end_claim_and_postpone_check(tx, known, until=await useful_at())
    return True
