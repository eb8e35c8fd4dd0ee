"""Bugs planted in the bot, one per run, as a test of the soak test.

Each bug replaces a function of the bot by a plausible error. The bug counts as found if one of
its invariants is violated within three seeds.
"""

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.chats import explain
from bot.chats.subscribing import Subscribing
from bot.chats.subscriptions import Subscriptions
from bot.domain import albums, alert_rules, hours, options, selection
from bot.domain.model import Outcome, Sent
from bot.domain.zones import zone_of
from bot.outbox import composer, leases, results
from bot.runtime.claims import Lease
from bot.sending.replies import Replies
from bot.store import chat_queues, claimed_tables, deliveries, inbox, ledger, moves, profiles
from bot.updates.unit_of_work import writing
from tests.soak.rates import MET_DAYS

LEAD_MINUTES = 11

Swap = tuple[Any, str, Any]  # module or class, name of the function, replacement
Plant = Callable[[], list[Swap]]


def _now() -> datetime:
    loop: Any = asyncio.get_running_loop()  # the soak test's loop, whose clock jumps
    now: datetime = loop.now()
    return now


async def _nothing(*_: object, **__: object) -> bool:
    return False


def _uncounted_copies() -> list[Swap]:
    """Omit the count of copies before a send."""
    return [(deliveries, "record_copy", deliveries.still_open)]


def _dropped_unknowns() -> list[Swap]:
    """Drop a delivery after a send with a lost response."""

    async def lost(tx: Any, rows: Any, account: Any, now: datetime, **_: Any) -> datetime:
        del account
        await deliveries.end(tx, [row.id for row in rows], reason="lost", now=now)
        return now

    return [(results, "schedule_repeats", lost)]


def _settled_before_sent() -> list[Swap]:
    """Record a row as sent before the send."""
    leave = deliveries.record_copy

    async def settled(tx: Any, ids: Any) -> set[int]:
        counted = await leave(tx, ids)
        await deliveries.record_sent(tx, dict.fromkeys(ids, 0), now=_now())
        return counted

    return [(deliveries, "record_copy", settled)]


def _forgotten_quiet_hours() -> list[Swap]:
    """Omit the check of quiet hours before a send."""
    return [(alert_rules, "quiet_until", lambda *_: None)]


def _doubled_refunds() -> list[Swap]:
    """Record each API call with one credit too few in the ledger."""
    close = ledger.close

    async def twice(tx: Any, entry_id: int, amount: int, *, now: datetime) -> Any:
        return await close(tx, entry_id, max(0, amount - 1) if amount else 0, now=now)

    return [(ledger, "close", twice)]


def _lost_replies() -> list[Swap]:
    """Record every tenth answer as sent without a send."""
    send = Replies.send
    counted = itertools.count(1)

    async def lost(self: Any, *words: Any, calls: Any = None, **more: Any) -> Outcome:
        is_lost = isinstance(calls, leases.CountedCalls) and not next(counted) % 10
        return Sent(()) if is_lost else await send(self, *words, calls=calls, **more)

    return [(Replies, "send", lost)]


def _disorder() -> list[Swap]:
    """Reverse the order of stories in an album."""
    plan = albums.plan_albums

    def reversed_plan(stories: Any) -> list[Any]:
        return [replace(one, stories=one.stories[::-1]) for one in plan(stories)]

    return [(albums, "plan_albums", reversed_plan)]


def _ignored_refusals() -> list[Swap]:
    """Keep sending to a chat after a refusal."""
    return [(moves, "close_left_chat", _nothing)]


def _endless_leases() -> list[Swap]:
    """Never release the claims of a dead process."""
    claim = chat_queues.claim

    async def for_ever(tx: Any, lease: Lease, *, limit: int) -> Any:
        until = lease.at + timedelta(days=400)
        return await claim(tx, replace(lease, until=until), limit=limit)

    return [(chat_queues, "claim", for_ever), (claimed_tables, "release_owner", _nothing),
            (leases.SendLeases, "_renew", _nothing)]  # fmt: skip


def _closed_too_early() -> list[Swap]:
    """Record an update as answered when stored."""
    add = inbox.add

    async def closed(tx: Any, arrivals: Any, *, now: datetime, **more: Any) -> Any:
        found = await add(tx, arrivals, now=now, **more)
        for one in found:
            await inbox.finish(tx, one, now=now)
        return found

    return [(inbox, "add", closed)]


def _ignored_rules() -> list[Swap]:
    """Omit the check of rules before a send."""
    return [(options, "excluded_by", lambda *_, **__: None)]


def _forgotten_files() -> list[Swap]:
    """Send photos and videos to subscriptions with the option for files."""
    choose = composer._send_options  # noqa: SLF001 - a plant may replace any function

    def plain(*words: Any) -> Any:
        return replace(choose(*words), as_files=False)

    return [(composer, "_send_options", plain)]


# -- combinations of features ---------------------------------------------------------------


async def _told_at(tx: Any, profile_id: str) -> list[Any]:
    """Return zone, quiet hours and hour of all subscriptions with a summary of a profile."""
    rows = await tx.execute(
        sa.text(
            "SELECT zone, quiet_from, quiet_to, digest_at, s.options FROM subscriptions s"
            " JOIN chats c ON c.id = s.chat_id WHERE s.profile_id = :profile AND NOT s.paused"
        ),
        {"profile": profile_id},
    )
    return [row for row in rows if json.loads(row.options).get("digest")]


def _minute_of(now: datetime, zone: str | None) -> int:
    local = now.astimezone(zone_of(zone))
    return local.hour * 60 + local.minute


def _empty_summaries() -> list[Swap]:
    """Postpone a check that is claimed shortly before a summary until after the summary."""
    claim = profiles.claim_checks

    async def undue(tx: Any, lease: Lease, **more: Any) -> Any:
        now, found = lease.at, []
        for known in await claim(tx, lease, **more):
            rows = await _told_at(tx, known.profile_id)
            if any((row.digest_at - _minute_of(now, row.zone)) % 1440 <= LEAD_MINUTES
                   for row in rows):  # fmt: skip
                await profiles.postpone_check(tx, known, until=now + timedelta(minutes=12))
            else:
                found.append(known)
        return found

    return [(profiles, "claim_checks", undue)]


def _quiet_summaries() -> list[Swap]:
    """Make a check for a summary in quiet hours after the summary's hour."""
    claim = profiles.claim_checks

    async def too_late(tx: Any, lease: Lease, **more: Any) -> Any:
        now, found = lease.at, []
        for known in await claim(tx, lease, **more):
            rows = await _told_at(tx, known.profile_id)
            is_night = any(
                row.quiet_from is not None
                and hours.is_within(now, (row.quiet_from, row.quiet_to), row.zone)
                for row in rows
            )
            if is_night:
                await profiles.postpone_check(tx, known, until=now + timedelta(minutes=30))
            else:
                found.append(known)
        return found

    return [(profiles, "claim_checks", too_late)]


def _unmoved_hours() -> list[Swap]:
    """Keep the time of a pending story after a change of the chat's settings."""

    async def unmoved(*_: Any, **__: Any) -> None:
        return None

    return [(Subscriptions, "reselect_deferred", unmoved)]


def _forgetful_undo() -> list[Swap]:
    """Restart a subscription on Undo, only with stories posted later."""
    restore = Subscribing.restore

    async def anew(self: Any, *words: Any, **more: Any) -> Any:
        found = await restore(self, *words, **more)
        async with writing(self._db) as tx:
            for one in found.subscriptions:
                await _forget(tx, one.id)
        return found

    return [(Subscribing, "restore", anew)]


async def _forget(tx: Any, subscription_id: int) -> None:
    """Restart a subscription at the present time, without the pending stories."""
    since = {"since": int(_now().timestamp()) * 1000, "one": subscription_id}
    await tx.execute(sa.text("UPDATE subscriptions SET since = :since WHERE id = :one"), since)
    await tx.execute(
        sa.text(
            "UPDATE deliveries SET state = 'dropped', reason = 'paused', done_at = :since"
            " WHERE subscription_id = :one AND state = 'open'"
        ),
        since,
    )


def _forgetful_unmute() -> list[Swap]:
    """Restart a subscription on Undo of a mute, only with stories posted later."""
    undo = Subscriptions.resume_with_missed_stories

    async def anew(self: Any, chat_id: int, number: int) -> Any:
        found = await undo(self, chat_id, number)
        async with writing(self._db) as tx:
            await _forget(tx, number)
        return found

    return [(Subscriptions, "resume_with_missed_stories", anew)]


def _hopeful_why() -> list[Swap]:
    """Let /why report all pending stories as waiting for quiet hours."""
    sum_up = explain.Outcomes.sum_up

    def hopeful(tallies: Any, outlooks: Any) -> Any:
        return sum_up(tallies, [replace(one, kind="quiet") for one in outlooks])

    return [(explain.Outcomes, "sum_up", hopeful)]


def _late_rights() -> list[Swap]:
    """Send stories after the return of a missing right, however old."""
    return [(selection, "_is_over", lambda *_: False)]


WHERE_FEATURES_MEET: dict[str, float] = {
    "empty-summaries": MET_DAYS,
    "quiet-summaries": 1.0,
    "unmoved-hours": 1.0,
    "forgetful-undo": MET_DAYS,
    "forgetful-unmute": MET_DAYS,
    "hopeful-why": MET_DAYS,
    "late-rights": 1.4,
}
"""Plants found by combinations of features, and the days of a run that detects each."""

FOUND_BY: dict[str, tuple[str, ...]] = {
    "uncounted-copies": ("no_story_more_than_three_times", "repeats_were_lost_answers"),
    "dropped-unknowns": ("every_story_arrived_or_was_explained",),
    "settled-before-sent": ("every_story_arrived_or_was_explained",),
    "forgotten-quiet-hours": ("nothing_came_in_quiet_hours",),
    "doubled-refunds": ("ledger_matches_bill",),
    "lost-replies": ("every_command_was_answered",),
    "disorder": ("stories_came_in_order",),
    "ignored-refusals": ("no_forbidden_chat_was_written_to",),
    "endless-leases": ("nothing_waits_for_ever", "every_story_arrived_or_was_explained"),
    "closed-too-early": ("every_command_was_answered",),
    "ignored-rules": ("rules_decided",),
    "forgotten-files": ("files_came_as_files",),
    "empty-summaries": ("stories_came_when_promised",),
    "quiet-summaries": ("stories_came_when_promised",),
    "unmoved-hours": ("stories_came_when_promised",),
    "forgetful-undo": ("stories_came_when_promised",),
    "forgetful-unmute": ("stories_came_when_promised",),
    "hopeful-why": ("why_told_the_truth",),
    "late-rights": ("nothing_came_long_after_its_day",),
}
"""The invariants that detect each plant. Violations of other invariants do not count."""

PLANTS: dict[str, Plant] = {
    "uncounted-copies": _uncounted_copies,
    "dropped-unknowns": _dropped_unknowns,
    "settled-before-sent": _settled_before_sent,
    "forgotten-quiet-hours": _forgotten_quiet_hours,
    "doubled-refunds": _doubled_refunds,
    "lost-replies": _lost_replies,
    "disorder": _disorder,
    "ignored-refusals": _ignored_refusals,
    "endless-leases": _endless_leases,
    "closed-too-early": _closed_too_early,
    "ignored-rules": _ignored_rules,
    "forgotten-files": _forgotten_files,
    "empty-summaries": _empty_summaries,
    "quiet-summaries": _quiet_summaries,
    "unmoved-hours": _unmoved_hours,
    "forgetful-undo": _forgetful_undo,
    "forgetful-unmute": _forgetful_unmute,
    "hopeful-why": _hopeful_why,
    "late-rights": _late_rights,
}


@contextmanager
def planted(names: str) -> Iterator[None]:
    """Replace functions of the bot by the named plants within the block.

    ``names`` is separated by commas.
    """
    swaps = [swap for name in names.split(",") if name for swap in PLANTS[name]()]
    before = [(where, what, getattr(where, what)) for where, what, _ in swaps]
    for where, what, instead in swaps:
        setattr(where, what, instead)
    try:
        yield
    finally:
        for where, what, had in before:
            setattr(where, what, had)
