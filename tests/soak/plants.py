"""Bugs planted in the bot as a test of the soak test.

Each bug replaces a function of the bot by a plausible error. The bug counts as found if one of
its invariants is violated within three seeds, and the same seed without the bug does not violate
this invariant.
"""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.chats import explain, followed_accounts, import_export, past
from bot.chats.subscribing import Subscribing
from bot.chats.subscriptions import Subscriptions
from bot.domain import albums, alert_rules, hours, options, selection, story_terms
from bot.domain import summaries as domain_summaries
from bot.domain.errors import BotError
from bot.domain.model import Outcome, Sent
from bot.domain.zones import zone_or_utc
from bot.outbox import composer, leases, results
from bot.runtime.claims import Lease
from bot.sending.replies import Replies
from bot.store import (
    chat_queues,
    claimed_tables,
    deliveries,
    inbox,
    kept_stories,
    ledger,
    moves,
    profiles,
)
from bot.updates.unit_of_work import join_or_begin_transaction
from handlers import exchange, stories, usage
from handlers import followed_accounts as handlers_followed
from tests.soak.rates import MET_DAYS

LEAD_MINUTES, LATE_MINUTES = 11, 30

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
    return [(deliveries, "count_copies_and_return_counted_ids", deliveries.ids_still_open_among)]


def _dropped_unknowns() -> list[Swap]:
    """Drop a delivery after a send with a lost response."""

    async def lost(tx: Any, rows: Any, account: Any, now: datetime, **_: Any) -> datetime:
        del account
        await deliveries.end_open(tx, [row.id for row in rows], reason="lost", now=now)
        return now

    return [(results, "schedule_repeats_or_make_dead_letters", lost)]


def _settled_before_sent() -> list[Swap]:
    """Record a row as sent before the send."""
    leave = deliveries.count_copies_and_return_counted_ids

    async def settled(tx: Any, ids: Any) -> set[int]:
        counted = await leave(tx, ids)
        await deliveries.record_sent(tx, dict.fromkeys(ids, 0), now=_now())
        return counted

    return [(deliveries, "count_copies_and_return_counted_ids", settled)]


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
        is_lost = isinstance(calls, leases.AlreadyCountedCalls) and not next(counted) % 10
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
    claim = chat_queues.claim_and_lock_due_deliveries

    async def for_ever(tx: Any, lease: Lease, *, limit: int) -> Any:
        until = lease.at + timedelta(days=400)
        return await claim(tx, replace(lease, until=until), limit=limit)

    return [
        (chat_queues, "claim_and_lock_due_deliveries", for_ever),
        (claimed_tables, "release_claims_of_owner", _nothing),
        (leases.SendLeases, "_renew", _nothing),
    ]


def _closed_too_early() -> list[Swap]:
    """Record an update as answered when stored."""
    add = inbox.add_and_return_new

    async def closed(tx: Any, arrivals: Any, *, now: datetime, **more: Any) -> Any:
        found = await add(tx, arrivals, now=now, **more)
        for one in found:
            await inbox.finish(tx, one, now=now)
        return found

    return [(inbox, "add_and_return_new", closed)]


def _ignored_rules() -> list[Swap]:
    """Omit the check of rules before a send."""
    return [(options, "exclusion_reason", lambda *_, **__: None)]


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
    local = now.astimezone(zone_or_utc(zone))
    return local.hour * 60 + local.minute


def _empty_summaries() -> list[Swap]:
    """Postpone a check that is claimed shortly before a summary until long after the summary."""
    claim = profiles.claim_checks

    async def undue(tx: Any, lease: Lease, **more: Any) -> Any:
        now, found = lease.at, []
        for known in await claim(tx, lease, **more):
            rows = await _told_at(tx, known.profile_id)
            if any(
                (_minute_of(now, row.zone) - row.digest_at + LEAD_MINUTES) % 1440
                <= LEAD_MINUTES + LATE_MINUTES
                for row in rows
            ):
                await profiles.end_claim_and_postpone_check(
                    tx, known, until=now + timedelta(minutes=12)
                )
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
                await profiles.end_claim_and_postpone_check(
                    tx, known, until=now + timedelta(minutes=30)
                )
            else:
                found.append(known)
        return found

    return [(profiles, "claim_checks", too_late)]


def _unmoved_hours() -> list[Swap]:
    """Keep the time of a pending story after a change of the chat's settings."""

    async def unmoved(*_: Any, **__: Any) -> None:
        return None

    return [(Subscriptions, "reselect_deferred_and_reschedule", unmoved)]


def _forgetful_undo() -> list[Swap]:
    """Restart a subscription on Undo, only with stories posted later."""
    restore = Subscribing.restore

    async def anew(self: Any, *words: Any, **more: Any) -> Any:
        found = await restore(self, *words, **more)
        async with join_or_begin_transaction(self._db) as tx:
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
        async with join_or_begin_transaction(self._db) as tx:
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
    return [(selection, "_is_too_late_to_send", lambda *_: False)]


# -- summaries, rules of a chat, and lists ----------------------------------------------------


def _missing_summaries() -> list[Swap]:
    """Send the albums of a summary without the list, each with a sound."""
    return [(domain_summaries, "summary_of_due_stories", lambda *_, **__: None)]


def _noisy_summaries() -> list[Swap]:
    """Send the albums of a summary with a sound."""
    return [(selection.Batch, "is_listed_in_summary", property(lambda _: False))]


def _split_summaries() -> list[Swap]:
    """List two profiles of a summary only. The others form a second summary."""
    plan = domain_summaries.summary_of_due_stories

    def of_two(rows: Any, queue: Any, *, now: datetime) -> Any:
        found = plan(rows, queue, now=now)
        return found and replace(found, by_profile=found.by_profile[:2])

    return [(domain_summaries, "summary_of_due_stories", of_two)]


def _miscounted_summaries() -> list[Swap]:
    """Count the profiles of a summary, and not the stories."""
    fields: Any = domain_summaries.Summary.fields

    def miscounted(self: Any) -> dict[str, Any]:
        found: dict[str, Any] = fields.fget(self)
        posted = [[name, 1, number] for name, _, number in found["posted"]]
        return found | {"posted": posted, "n": len(posted)}

    return [(domain_summaries.Summary, "fields", property(miscounted))]


def _rules_of_all() -> list[Swap]:
    """Apply the rules of a chat also to subscriptions with rules of their own."""
    exclusion_reason = options.exclusion_reason

    def by_both(story: Any, own: Any, chat_rules: Any) -> str | None:
        found: str | None = exclusion_reason(story, own, chat_rules)
        return found or exclusion_reason(story, replace(own, only="", without=""), chat_rules)

    return [(options, "exclusion_reason", by_both)]


def _ignored_rules_of_all() -> list[Swap]:
    """Omit the rules of a chat."""
    exclusion_reason = options.exclusion_reason

    def by_own(story: Any, own: Any, _: Any) -> str | None:
        found: str | None = exclusion_reason(story, own, options.Options())
        return found

    return [(options, "exclusion_reason", by_own)]


def _forgetful_rules() -> list[Swap]:
    """Keep the stories dropped that undone rules have excluded."""
    return [(deliveries, "reopen_dropped_of_chat", _nothing)]


def _loose_searches() -> list[Swap]:
    """Find the stories that match one of the terms of a search."""

    def fits_any(story: Any, terms: Any) -> bool:
        return not terms or any(story_terms.story_fits_term(story, term) for term in terms)

    return [(past, "story_fits_all", fits_any)]


def _forgotten_stories() -> list[Swap]:
    """Keep only the first story of an album for /past."""
    add = kept_stories.add

    async def first(tx: Any, rows: Any) -> None:
        await add(tx, rows[:1])

    return [(kept_stories, "add", first)]


def _short_trays() -> list[Swap]:
    """Send the latest stories of the tray only."""
    return [(stories, "MOST_SENT", 2)]


def _plain_imports() -> list[Swap]:
    """Ignore the options in an imported file."""
    parse = import_export.parse_import

    def plain(data: bytes) -> Any:
        found = parse(data)
        entries = [replace(entry, preferences=None) for entry in found.entries]
        return replace(found, entries=entries)

    return [(import_export, "parse_import", plain)]


def _misplaced_taps() -> list[Swap]:
    """Read Instagram's list in another order after a tap."""
    followed_usernames_in = followed_accounts.followed_usernames_in
    turns: Any = itertools.cycle((1, -1))

    def turned(data: bytes) -> list[str] | None:
        names = followed_usernames_in(data)
        return names and names[:: next(turns)]

    return [(followed_accounts, "followed_usernames_in", turned)]


def _eager_lists() -> list[Swap]:
    """Look up the accounts of Instagram's list before a tap."""
    offer = handlers_followed.send_accounts_and_expect_search

    async def eager(context: Any, names: Any, *words: Any) -> None:
        for name in names:
            with contextlib.suppress(BotError):
                await context.services.viewer.get_or_fetch_stories(name, context.asker)
        await offer(context, names, *words)

    return [(exchange, "send_accounts_and_expect_search", eager)]


def _wrong_bills() -> list[Swap]:
    """Add seven credits to the part of each member."""
    lines = usage._month_lines  # noqa: SLF001 - a plant may replace any function

    def twice(month: Any, context: Any) -> list[str]:
        members = [(name, spent + 7000) for name, spent in month.by_member]
        found: list[str] = lines(replace(month, by_member=tuple(members)), context)
        return found

    return [(usage, "_month_lines", twice)]


WHERE_PEOPLE_ASK = (
    "missing-summaries", "noisy-summaries", "split-summaries", "miscounted-summaries",
    "rules-of-all", "ignored-rules-of-all", "forgetful-rules", "loose-searches",
    "forgotten-stories", "short-trays", "plain-imports", "misplaced-taps", "eager-lists",
    "wrong-bills",
)  # fmt: skip
"""Plants found where people ask for lists and summaries all the time."""

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

TOGETHER: tuple[tuple[str, ...], ...] = (
    (
        "forgotten-quiet-hours",
        "doubled-refunds",
        "disorder",
        "ignored-rules",
        "forgotten-files",
        "lost-replies",
    ),
    (
        "missing-summaries",
        "ignored-rules-of-all",
        "loose-searches",
        "plain-imports",
        "short-trays",
        "wrong-bills",
    ),
    ("split-summaries", "rules-of-all", "forgotten-stories", "misplaced-taps"),
    ("miscounted-summaries", "forgetful-rules", "eager-lists"),
)
"""Plants that one run can have together, because each is detected by other invariants."""

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
    "missing-summaries": ("summaries_were_listed",),
    "noisy-summaries": ("summaries_were_listed",),
    "split-summaries": ("summaries_were_one", "summaries_were_listed"),
    "miscounted-summaries": ("summaries_counted_right",),
    "rules-of-all": ("rules_decided",),
    "ignored-rules-of-all": ("rules_decided",),
    "forgetful-rules": ("stories_came_when_promised",),
    "loose-searches": ("past_found_what_was_kept",),
    "forgotten-stories": ("past_found_what_was_kept",),
    "short-trays": ("tray_sent_the_live_stories",),
    "plain-imports": ("imports_brought_the_file",),
    "misplaced-taps": ("imports_brought_the_file",),
    "eager-lists": ("only_tapped_accounts_were_looked_up",),
    "wrong-bills": ("bills_added_up",),
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
    "missing-summaries": _missing_summaries,
    "noisy-summaries": _noisy_summaries,
    "split-summaries": _split_summaries,
    "miscounted-summaries": _miscounted_summaries,
    "rules-of-all": _rules_of_all,
    "ignored-rules-of-all": _ignored_rules_of_all,
    "forgetful-rules": _forgetful_rules,
    "loose-searches": _loose_searches,
    "forgotten-stories": _forgotten_stories,
    "short-trays": _short_trays,
    "plain-imports": _plain_imports,
    "misplaced-taps": _misplaced_taps,
    "eager-lists": _eager_lists,
    "wrong-bills": _wrong_bills,
}


def groups() -> list[tuple[str, ...]]:
    """Return all plants in groups of one run."""
    grouped = set(itertools.chain.from_iterable(TOGETHER))
    return [*TOGETHER, *((name,) for name in PLANTS if name not in grouped)]


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
