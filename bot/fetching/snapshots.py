"""Snapshots: the results of checks of profiles. A snapshot is recorded in one transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Literal, TypeAlias

from bot.domain import alert_rules
from bot.domain.model import Profile, Story
from bot.domain.records import EPOCH, MISSED, Known
from bot.fetching import schedule_state
from bot.fetching.schedule_state import Plan
from bot.store import answers, budgets, enqueue, fan_outs, profiles, stories, subscriptions
from bot.store.claims import RELEASED, NoClaim
from bot.store.engine.database import Tx

NotByScheduler: TypeAlias = None
"""In the type of a plan, the scheduler did not make the check."""

# The maximum number of distinct notification times that are read for a profile. If the chats of
# the profile have more distinct times, the times are not used, because some chat can almost always
# be notified.
_MOST_MEMBERS = 50
# Maximum number of chats of a profile to examine. If a profile has more chats, some chat can
# almost always be notified, and reading all chats is slow.
_MANY = 1_000
GATHER = timedelta(minutes=5)
"""The delay before a chat is notified that stories of a profile may have been missed.

Because of the delay, a single line can report several profiles.
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The stories of a profile at one time.

    A ``partial`` snapshot has a single story, and the profile may have further live stories.
    ``is_checked`` is False if the call skipped the API's privacy check.
    """

    profile: Profile
    stories: tuple[Story, ...]
    partial: bool = False
    is_checked: bool = True


@dataclass(frozen=True, slots=True)
class EarlierChecksAllowance:
    """The number of checks that may still move to an earlier time because of a daily summary.

    ``left`` is the number for the UTC day ``day``. ``counted_for`` is the id of the payer, or of a
    chat without a payer. The allowance must be locked before the profiles.
    """

    counted_for: int
    day: date
    left: int


async def record_snapshot_and_enqueue_alerts(
    tx: Tx,
    snapshot: Snapshot,
    *,
    now: datetime,
    scheduler_plan: Plan | NotByScheduler = None,
    token: int | NoClaim = None,
) -> list[str]:
    """Record a snapshot, and enqueue alerts for new stories. Return the ids of the new stories.

    A complete snapshot releases the claim ``token``, and schedules the next check of a followed
    profile. If a later check has claimed the profile, only the name, the new stories and their
    alerts are recorded. ``scheduler_plan`` is None if the scheduler did not make the check.
    """
    if snapshot.stories:
        before = await record_name_notify_and_return_previous(tx, snapshot.profile, now=now)
        is_verdict_outdated = snapshot.profile.username != before.username
    else:
        before = await _lock_or_add_profile(tx, snapshot.profile, now=now)
        is_verdict_outdated = snapshot.is_checked
    if is_verdict_outdated:
        await answers.remove(tx, answers.refusal_key(before.username))
    new = await stories.add_or_update_and_return_new_pks(tx, snapshot.stories, now=now)
    if before.due_at is not None and new:
        await stories.add_posting_times(
            tx, [story for story in snapshot.stories if story.pk in new]
        )
        await enqueue.add_fan_out_of_live_stories(tx, before.profile_id, new, now=now)
    if not snapshot.partial and token in {None, before.token}:
        await _record_check_and_notify_and_schedule(
            tx,
            before,
            snapshot,
            scheduler_plan,
            now=now,
            columns_of_end=_columns_that_end_claim(token),
        )
    return new


def _columns_that_end_claim(token: int | NoClaim) -> Mapping[str, object]:
    """Return the column values that release the claim of a check.

    If ``token`` is None, no claim exists, and the result is empty.
    """
    return {} if token is None else RELEASED


async def record_name_notify_and_return_previous(
    tx: Tx, profile: Profile, *, now: datetime
) -> Known:
    """Record the name of a profile, and return the previous row, or the new row of a new profile.

    A cached refusal of the name is removed. The subscribers are notified of a changed name.
    """
    before = await profiles.add_or_update_returning_previous(tx, profile, now=now)
    await answers.remove(tx, answers.refusal_key(profile.username))
    is_new = profile.username not in {"", before.username}
    if before.due_at is not None and is_new:
        names = {"old": before.username, "new": profile.username}
        await _enqueue_notice(tx, before, "renamed", names, now=now)
    return before


async def _lock_or_add_profile(tx: Tx, profile: Profile, *, now: datetime) -> Known:
    """Lock and return the stored profile. Add and return a missing profile.

    The name of a stored profile is not changed, because a concurrent answer of the API may have
    reported a newer name.
    """
    stored = await profiles.lock(tx, profile.profile_id)
    if stored is not None:
        return stored
    return await profiles.add_or_update_returning_previous(tx, profile, now=now)


async def _record_check_and_notify_and_schedule(
    tx: Tx,
    before: Known,
    snapshot: Snapshot,
    scheduler_plan: Plan | NotByScheduler,
    *,
    now: datetime,
    columns_of_end: Mapping[str, object],
) -> None:
    """Record a complete check of the profile, and schedule the next check if a chat needs checks.

    The chats are notified if the profile is public again, or if stories may have been missed. The
    caller has locked the profile.
    """
    if before.state == "blocked":  # the bot's owner has blocked the profile during the check
        if columns_of_end:
            await profiles.change(tx, before.profile_id, **columns_of_end)
        return
    followed = before.due_at is not None
    if followed and before.state != "active":
        await _enqueue_notice(tx, before, "back", {"username": before.username}, now=now)
    missed = alert_rules.period_of_missed_stories(before.snapshot_at, now)
    if followed and missed and before.state == "active":
        fields = alert_rules.missed_notice_fields(before.username, *missed)
        await fan_outs.add(
            tx,
            before.profile_id,
            notice=MISSED,
            fields=fields,
            due_at=now + GATHER,
            now=now,
            alerts_began_by=missed[1],
        )
    plan = scheduler_plan or await schedule_state.load_plan_or_new(tx)
    columns, due = plan.learn_check_and_compute_due(
        before, snapshot.stories, now=now, by_scheduler=scheduler_plan is not None
    )
    due_at = None
    if followed:
        not_before = None
        if scheduler_plan is None and not before.failures:
            # The stories were requested by a person. In this case, the next check does not move to
            # an earlier time because of a daily summary. Otherwise, people could exceed the limit
            # of ``reschedule_checks``.
            not_before = before.due_at
        due_at = await read_useful_check_at(
            tx, before, due, plan, seen_at=now, now=now, not_before=not_before
        )
    await profiles.change(
        tx,
        before.profile_id,
        state="active",
        state_since=before.state_since if before.state == "active" else now,
        snapshot_at=now,
        checked_at=now if snapshot.is_checked else before.checked_at,
        failures=0,
        refusal="",
        refusals=0,
        **columns_of_end,
        **columns,
        due_at=due_at,
    )


async def reschedule_check(
    tx: Tx, profile_id: str, *, now: datetime, allowance: EarlierChecksAllowance
) -> None:
    """Compute and store the time of a profile's next check, after a change of its subscribers.

    This is ``reschedule_checks`` for a single profile.
    """
    await reschedule_checks(tx, [profile_id], now=now, allowance=allowance)


async def reschedule_checks(
    tx: Tx,
    profile_ids: Iterable[str],
    *,
    now: datetime,
    allowance: EarlierChecksAllowance | None = None,
    is_by_owner: bool = False,
) -> None:
    """Compute and store the times of next checks, after a change of subscribers or settings.

    The rows of the profiles stay locked until the end of the transaction. ``allowance`` limits how
    many checks move to an earlier time because of a daily summary. None means a limit of 0. With
    ``is_by_owner``, no limit applies.
    """
    plan = await schedule_state.load_plan_or_new(tx)
    moved = 0
    for profile_id in sorted(set(profile_ids)):
        known = await profiles.lock(tx, profile_id)
        if known is None or known.due_at is None:
            continue
        if known.failures or known.snapshot_at is None:
            continue
        # Summaries before the due time of the check do not count. Otherwise, a person could cause
        # any number of checks by pausing, and by changing the hour of the summary.
        if known.due_at <= now and await has_missed_summary(
            tx, known, plan, now=now, summaries_since=known.due_at
        ):
            continue
        columns, due = plan.recompute_due(known, now=now)
        due = max(due, now)
        useful = partial(
            read_useful_check_at, tx, known, due, plan, seen_at=known.snapshot_at, now=now
        )
        at = await useful()
        # The new time is compared only with a due time in the future. If the due time has passed,
        # its check may have just begun, and the new time may cause one more check.
        planned = known.due_at if known.due_at > now else None
        is_sooner = planned is None or at < planned
        if is_sooner and not is_by_owner and await is_summary_near(tx, profile_id, now=at):
            if allowance is not None and moved < allowance.left:
                moved += 1
            else:
                at = await useful(not_before=planned or due)
        await profiles.change(tx, profile_id, **columns, due_at=at)
    if allowance is not None and moved:
        await budgets.add_to_counters(tx, allowance.day, moved, ("earlier", allowance.counted_for))


async def reschedule_checks_of_chat(
    tx: Tx, chat_id: int, *, now: datetime, allowance: EarlierChecksAllowance | None = None
) -> None:
    """Compute and store the times of the next checks of all profiles that a chat follows.

    This is ``reschedule_checks`` for the followed profiles.
    """
    rows = await subscriptions.of_chat(tx, chat_id)
    profile_ids = [subscription.profile_id for subscription in rows]
    await reschedule_checks(tx, profile_ids, now=now, allowance=allowance)


async def read_useful_check_at(
    tx: Tx,
    known: Known,
    due: datetime,
    plan: Plan,
    *,
    seen_at: datetime,
    now: datetime,
    is_claimed: bool = False,
    not_before: datetime | None = None,
) -> datetime:
    """Return the time for the next check of a profile, usually ``due``.

    If no chat can be notified at ``due``, the check is later, but before stories are lost. Before
    a daily summary, the check can be earlier, but not before ``not_before``. ``is_claimed`` allows
    a check now.
    """
    if known.chats > _MANY:
        return due
    waiting = await subscriptions.audience_members(tx, known.profile_id, empty_above=_MOST_MEMBERS)
    earliest = max(now, seen_at + timedelta(seconds=plan.schedule.minimum))
    if is_claimed:
        earliest = now
    elif plan.uses_newcomer_interval(known):
        earliest = max(earliest, due)
    if not_before is not None:
        earliest = max(earliest, not_before)
    return alert_rules.useful_check_at(
        due,
        waiting,
        seen_at=seen_at,
        earliest=earliest,
        latest=seen_at + timedelta(hours=plan.schedule.floor),
    )


async def is_summary_near(tx: Tx, profile_id: str, *, now: datetime) -> bool:
    """Return whether a profile must be checked now, because a chat's daily summary is due soon.

    If the chats have more than ``_MOST_MEMBERS`` distinct notification times, return False.
    """
    waiting = await subscriptions.audience_members(tx, profile_id, empty_above=_MOST_MEMBERS)
    return alert_rules.is_summary_near(now, waiting)


async def has_missed_summary(
    tx: Tx, known: Known, plan: Plan, *, now: datetime, summaries_since: datetime = EPOCH
) -> bool:
    """Return whether the time of a chat's daily summary has passed without a recent check.

    Summaries before ``summaries_since`` do not count. Return False for a profile with
    ``Plan.newcomer_interval``, or with too many different notification times.
    """
    if plan.uses_newcomer_interval(known):
        return False
    waiting = await subscriptions.audience_members(tx, known.profile_id, empty_above=_MOST_MEMBERS)
    return alert_rules.has_missed_summary(
        now, waiting, seen_at=known.snapshot_at or EPOCH, summaries_since=summaries_since
    )


async def record_failure_and_notify_if_proven(
    tx: Tx,
    profile_id: str,
    why: Literal["private", "gone", "error"],
    *,
    now: datetime,
    token: int | NoClaim = None,
    is_billed: bool = False,
) -> None:
    """Record a failed check, and plan the next check.

    For a followed profile, only two equal answers "private" or "gone" in a row change the state
    and notify the subscribers. Nothing is recorded if a later check than ``token`` has claimed the
    profile.
    """
    before = await profiles.lock(tx, profile_id)
    if before is None or before.state == "blocked" or token not in {None, before.token}:
        return
    failures = before.failures + 1
    followed = before.due_at is not None
    state = before.state
    refusal = ""
    refusals = 0
    checked_at = before.checked_at
    if why != "error":
        refusal = why
        checked_at = None
        refusals = before.refusals + 1 if why == before.refusal else 1
        # Subscribers are notified only after the second refusal, because a single refusal may be
        # wrong.
        if alert_rules.is_refusal_proven(refusals) or not followed:
            state = why
    due_at = alert_rules.recheck_failed_at(
        now,
        failures=failures,
        refusals=refusals,
        is_active=state == "active",
        is_billed=is_billed,
    )
    if followed and state not in {"active", before.state}:
        await _enqueue_notice(tx, before, state, {"username": before.username}, now=now)
    await profiles.change(
        tx,
        profile_id,
        state=state,
        state_since=before.state_since if state == before.state else now,
        failures=failures,
        refusal=refusal,
        refusals=refusals,
        checked_at=checked_at,
        **_columns_that_end_claim(token),
        due_at=due_at if followed else None,
    )


async def _enqueue_notice(
    tx: Tx, known: Known, notice: str, fields: dict[str, str], *, now: datetime
) -> None:
    await fan_outs.add(tx, known.profile_id, notice=notice, fields=fields, due_at=now, now=now)
