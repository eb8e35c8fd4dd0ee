"""Conditions of every run. Each function returns the violations of one condition as text."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sandbox.telegram.model import Message
from tests.soak import contents
from tests.soak.journal import (
    HOUR,
    SUMMARY,
    Asked,
    Followed,
    Journal,
    Row,
    pk_of,
)

DAY = 24 * HOUR
MINUTE = 60.0
GRACE_S = 180.0  # a send that began before the quiet hours may arrive within them
ANSWERED_S = 6 * HOUR  # after the end of the hindrance
REFUSED_S = 5 * MINUTE  # duration of a refused check and its confirmation
MOST_COPIES = 3
SOUGHT_OFTEN = 20  # a button that was searched at least this often must have been found once
LEDGER = "ledger_matches_bill"
BACKUPS = "backups_were_made"
FILTERED = "filtered"
SENDING_S = 15 * MINUTE  # from the decision on a row until its message is sent, without failures

Check = Callable[[Journal], list[str]]


def check_all(journal: Journal) -> list[str]:
    """Return all violations, each with the name of the condition."""
    return [
        f"{check.__name__}: {words}"
        for check in (
            every_story_arrived_or_was_explained,
            nothing_waits_for_ever,
            stories_came_in_order,
            no_story_more_than_three_times,
            repeats_were_lost_answers,
            rules_decided,
            files_came_as_files,
            what_is_over_was_here_before,
            every_command_was_answered,
            no_command_was_answered_twice,
            nothing_came_in_quiet_hours,
            no_forbidden_chat_was_written_to,
            nobody_was_told_private_or_gone_wrongly,
            every_button_was_found,
            no_traceback,
            no_day_cost_more_than_its_budget,
            no_refusal_was_paid_for,
        )
        for words in check(journal)
    ]


def count_alerts(journal: Journal) -> int:
    """Return the number of stories sent as alerts."""
    return sum(len(journal.alerts(messages)) for messages in journal.messages().values())


# -- alerts -------------------------------------------------------------------------------


def every_story_arrived_or_was_explained(journal: Journal) -> list[str]:
    """Return the stories missing in a following chat that received no notice with a reason."""
    there = {
        chat: {pk_of(message) for message in journal.alerts(messages)}
        for chat, messages in journal.messages().items()
    }
    ids = {chat: {m.id for m in messages} for chat, messages in journal.messages().items()}
    owed: dict[tuple[int, str], Row] = {
        (row.sub, row.pk): row for row in journal.rows.values() if row.sub and row.pk
    }
    missing: dict[tuple[int, str], list[str]] = defaultdict(list)
    for one in [*journal.segments, *journal.followed.values()]:
        chat = journal.chat_now(one.chat)
        for pk in _stories_of(journal, one, owed):
            row = owed.get((one.sub, pk))
            if pk in there.get(chat, set()):
                continue
            if row is not None and row.reason.startswith(FILTERED):
                continue  # checked by rules_decided
            missing[chat, one.profile].append(pk)
    found = []
    for (chat, profile), pks in missing.items():
        told = _told(journal, chat, profile, ids)
        left = [pk for pk in pks if not any(_explains(row, journal, pk) for row in told)]
        counted: Counter[int] = Counter()
        names = _names(journal, profile)
        for row in told:
            if row.notice in {"failed", SUMMARY}:
                counted[row.chat] += sum(n for name, n in row.told.items() if name in names)
        for pk in left[max(counted.values(), default=0) :]:
            states = {(row.state, row.reason) for row in journal.rows.values() if row.pk == pk
                      and journal.chat_now(row.chat) == chat}  # fmt: skip
            story = journal.stories[pk]
            found.append(
                f"story {pk} of {story.profile.username}, taken {story.taken_at:.0f}, is not in"
                f" chat {chat}, which was not told why: {sorted(states) or 'no delivery'}"
            )
    return found


def _stories_of(journal: Journal, one: Followed, owed: dict[tuple[int, str], Row]) -> list[str]:
    """Return the stories that a subscription had to deliver while it existed."""
    begin = max(one.since, one.seen.begin)
    end = min(one.seen.end, journal.sandbox.clock.now())
    chat = journal.chat_now(one.chat)
    found = []
    for pk, story in journal.stories.items():
        if story.profile.pk != one.profile or story.removed or story.taken_at < begin:
            continue
        over = story.taken_at + DAY
        row = owed.get((one.sub, pk))
        is_over = row is not None and row.state != "open" and (row.done or end) + HOUR < end
        # Long quiet hours delay alerts and notices, by a day at most.
        due = min(row.due, over + DAY) if row is not None else 0.0
        told_at = max(over + 2 * HOUR, due)
        if (told_at > end and not is_over) or journal.is_unable(chat, story.taken_at, told_at):
            continue
        name = story.profile.username
        windows = [*journal.hidden[name], *journal.troubled[name]]
        if any(w.overlaps(story.taken_at - DAY, over) for w in windows):
            continue  # the profile could not be checked for up to a day
        found.append(pk)
    return found


def _told(journal: Journal, chat: int, profile: str, ids: dict[int, set[int]]) -> list[Row]:
    """Return the notices to a chat about a profile."""
    names = _names(journal, profile)
    return [
        row
        for row in journal.rows.values()
        if names & row.told.keys()
        and (row.state in {"sent", "open"} or _was_taken(journal, row))  # or by quiet hours
        and journal.is_about(row, chat)
        and (row.message is None or row.message in ids.get(journal.chat_now(row.chat), set()))
    ]


def _names(journal: Journal, profile: str) -> set[str]:
    """Return the names of a profile."""
    return {s.profile.username for s in journal.stories.values() if s.profile.pk == profile}


def _was_taken(journal: Journal, row: Row) -> bool:
    """Return whether a given-up notice is in the chat by a send with a lost response."""
    chat = journal.chat_now(row.chat)
    name = "📰" if row.notice == SUMMARY else str(row.fields.get("username"))
    return row.state == "parked" and any(
        message.answer_lost and message.sent_at >= row.created and name in _text(message)
        for message in journal.messages().get(chat, [])
    )


def _explains(row: Row, journal: Journal, pk: str) -> bool:
    taken = journal.stories[pk].taken_at
    if row.notice == "missed":
        begin, end = (float(row.fields[name]) / 1000 for name in ("from", "to"))
        return begin - HOUR <= taken <= end + HOUR
    if row.notice not in {"private", "gone", "blocked"}:
        return False
    return abs(row.created - taken) <= 2 * DAY


def nothing_waits_for_ever(journal: Journal) -> list[str]:
    """Return deliveries that are overdue at the end, hours after the last failure."""
    now = journal.sandbox.clock.now()
    return [
        f"{row.notice or f'story {row.pk}'} is owed to chat {journal.chat_now(row.chat)} since"
        f" {row.due:.0f} (claimed by nobody for {(now - row.due) / HOUR:.1f} h)"
        for row in journal.rows.values()
        if row.state == "open"
        and row.due + 2 * HOUR < now
        and not journal.is_unable(row.chat, row.due - DAY, now)
    ]


def nobody_was_told_private_or_gone_wrongly(journal: Journal) -> list[str]:
    """Return false notices that a profile is private or deleted, e.g. after an API error."""
    return [
        f"{row.fields.get('username')} was called {row.notice} at {row.created:.0f}"
        for row in journal.rows.values()
        if row.notice in {"private", "gone"}
        and not any(
            window.overlaps(row.created - REFUSED_S, row.created)
            for window in journal.hidden[str(row.fields.get("username"))]
        )
    ]


def stories_came_in_order(journal: Journal) -> list[str]:
    """Return stories that arrived after newer stories of the same profile.

    A story that failed for over a minute may be overtaken.
    """
    rows: dict[tuple[int, str], Row] = {}
    for row in journal.rows.values():
        if row.pk:
            key = (journal.chat_now(row.chat), row.pk)
            if key not in rows or row.created < rows[key].created:
                rows[key] = row
    found = []
    for chat, messages in journal.messages().items():
        came: dict[tuple[str, int], list[Message]] = defaultdict(list)
        seen: set[tuple[str, int]] = set()
        for message in journal.alerts(messages):
            pk = pk_of(message)
            if pk in journal.stories and (pk, message.thread) not in seen:
                seen.add((pk, message.thread))
                came[journal.stories[pk].profile.pk, message.thread].append(message)
        for arrived in came.values():
            found += _inversions(journal, chat, arrived, rows)
    return found


def _inversions(
    journal: Journal, chat: int, arrived: list[Message], rows: dict[tuple[int, str], Row]
) -> list[str]:
    found = []
    latest = arrived[0]
    for message in arrived[1:]:
        older, newer = journal.stories[pk_of(message)], journal.stories[pk_of(latest)]
        if (older.taken_at, older.pk) >= (newer.taken_at, newer.pk):
            latest = message
            continue
        is_refused = journal.rates.refusals or journal.is_unable(
            chat, older.taken_at, latest.sent_at
        )
        if is_refused and older.media_type != newer.media_type:
            continue  # the right for its kind was missing, and other kinds continued
        row = rows.get((chat, older.pk))
        if row is None or (row.reopened or row.created) > latest.sent_at:
            continue  # unknown when the newer story was sent, or dropped at that time
        failed = row.tries or row.copies > 1
        waited = latest.sent_at - row.created >= (MINUTE / 2 if row.copies > 1 else MINUTE)
        if not (failed and waited):
            found.append(
                f"in chat {chat} story {older.pk} of {older.profile.username} came at"
                f" {message.sent_at:.0f}, after {newer.pk} at {latest.sent_at:.0f}, though it was"
                f" owed since {row.created:.0f} (tries {row.tries}, copies {row.copies})"
            )
    return found


def _copies(journal: Journal) -> dict[tuple[int, str], list[Message]]:
    found: dict[tuple[int, str], list[Message]] = defaultdict(list)
    for chat, messages in journal.messages().items():
        for message in journal.alerts(messages):
            found[chat, pk_of(message)].append(message)
    return found


def _hearers(journal: Journal, chat: int, pk: str) -> int:
    """Return the number of subscriptions of a chat that may each have delivered a story."""
    if pk not in journal.stories:
        return 1
    profile = journal.stories[pk].profile.pk
    subs = {
        sub
        for (where, whose), found in journal.threads.items()
        if whose == profile and journal.chat_now(where) == chat
        for sub in found
    }
    return max(1, len(subs))


def no_story_more_than_three_times(journal: Journal) -> list[str]:
    """Return stories that arrived more than three times."""
    return [
        f"story {pk} came {len(copies)} times into chat {chat}"
        for (chat, pk), copies in _copies(journal).items()
        if len(copies) > MOST_COPIES * _hearers(journal, chat, pk)
    ]


def repeats_were_lost_answers(journal: Journal) -> list[str]:
    """Return repeated stories whose sends had no lost response or record."""
    found = []
    for (chat, pk), copies in _copies(journal).items():
        lost = sum(message.answer_lost for message in copies)
        allowed = _hearers(journal, chat, pk) + lost + journal.unrecorded_in(chat, pk)
        if len(copies) > allowed:
            times = [f"{m.sent_at:.0f}{' lost' if m.answer_lost else ''}" for m in copies]
            found.append(
                f"story {pk} came {len(copies)} times into chat {chat} ({', '.join(times)}),"
                f" and {allowed} are explained"
            )
    return found


def nothing_came_in_quiet_hours(journal: Journal) -> list[str]:
    """Return alerts and notices that arrived in the quiet hours of a chat."""
    found = []
    for chat, messages in journal.messages().items():
        for message in journal.alerts(messages):
            if _is_quiet(journal, chat, message.sent_at):
                at = datetime.fromtimestamp(message.sent_at, UTC)
                found.append(f"story {pk_of(message)} came into chat {chat} at {at:%d %H:%M:%S}")
    for row in journal.rows.values():
        if row.notice not in {None, "reply"} and row.state == "sent" and row.done:
            chat = journal.chat_now(row.chat)
            if _is_quiet(journal, chat, row.done):
                at = datetime.fromtimestamp(row.done, UTC)
                found.append(f"a notice ({row.notice}) came into chat {chat} at {at:%d %H:%M:%S}")
    return found


def _is_quiet(journal: Journal, chat: int, at: float) -> bool:
    """Return whether a chat had been in quiet hours for a while, by the tables around the time."""
    history = [
        entry
        for known, entries in journal.quiet.items()
        if journal.chat_now(known) == chat
        for entry in entries
    ]
    history.sort(key=lambda entry: entry[0])
    before = [entry for entry in history if entry[0] <= at][-1:]
    after = [entry for entry in history if entry[0] > at][:1]
    if not before or not after or before[0][1:] != after[0][1:]:
        return False
    _, zone, begin, end = before[0]
    return all(_within(at - early, zone, begin, end) for early in (0.0, GRACE_S))


def _within(at: float, zone: str, begin: int | None, end: int | None) -> bool:
    if begin is None or end is None or begin == end:
        return False
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    return begin <= minute < end if begin < end else minute >= begin or minute < end


# -- the subscription's options ----------------------------------------------------------


def rules_decided(journal: Journal) -> list[str]:
    """Return sent stories that the rules exclude, and filtered stories that the rules include."""
    found = []
    for row in [*journal.rows.values(), *journal.undropped]:
        story = journal.stories.get(row.pk or "")
        was_held = row.state == "dropped" and row.reason.startswith(FILTERED)
        if story is None or row.done is None or not (was_held or row.state == "sent"):
            continue
        options = journal.options_within(row, _judged_since(row), row.done)
        if options and all(contents.passes(story, one) == was_held for one in options):
            found.append(
                f"story {row.pk} was {row.reason or 'sent'} in chat {journal.chat_now(row.chat)}"
                f" at {row.done:.0f}, whose options were {options}"
            )
    return found


def files_came_as_files(journal: Journal) -> list[str]:
    """Return alerts whose kind (document or not) differs from the subscription's option."""
    there = {
        (chat, message.id, pk_of(message)): message
        for chat, messages in journal.messages().items()
        for message in messages
        if message.media is not None
    }
    found = []
    for row in journal.rows.values():
        message = there.get((journal.chat_now(row.chat), row.message or 0, row.pk or ""))
        if message is None or message.media is None or row.done is None or row.state != "sent":
            continue
        options = journal.options_within(row, _judged_since(row), row.done)
        is_file = message.media.kind == "document"
        if options and all(bool(one.get("files")) != is_file for one in options):
            found.append(
                f"story {row.pk} came as {message.media.kind} into chat"
                f" {journal.chat_now(row.chat)} at {row.done:.0f}, whose options were {options}"
            )
    return found


def _judged_since(row: Row) -> float:
    """Return the earliest time of the decision on a completed row. A repeat keeps the decision."""
    assert row.done is not None
    is_repeat = row.tries or row.copies > 1
    return row.created if is_repeat else max(row.created, row.done - SENDING_S)


def what_is_over_was_here_before(journal: Journal) -> list[str]:
    """Return expired stories that were not sent by file_id to a chat with the alert (`/past`).

    Stories in highlights are available to everybody.
    """
    found = []
    for chat, messages in journal.messages().items():
        alerts = journal.alerts(messages)
        rung = {(message.chat.id, message.id) for message in alerts}
        since: dict[str, float] = {}
        for message in alerts:
            since.setdefault(pk_of(message), message.sent_at)
        for message in messages:
            story = journal.stories.get(pk := pk_of(message))
            if story is None:
                continue  # text, or a story of the example profile in /start
            if (message.chat.id, message.id) in rung or pk in journal.highlights:
                continue
            if message.sent_at > story.taken_at + DAY + ANSWERED_S and (
                since.get(pk, float("inf")) > message.sent_at or message.source != "file_id"
            ):
                found.append(
                    f"story {pk} came into chat {chat} at {message.sent_at:.0f} by"
                    f" {message.source}, {(message.sent_at - story.taken_at) / HOUR:.0f} h old;"
                    f" the alert was at {since.get(pk)}"
                )
    return found


# -- answers ------------------------------------------------------------------------------


def every_command_was_answered(journal: Journal) -> list[str]:
    """Return messages and presses without an answer while the bot could write."""
    messages = {chat: _written(journal, found) for chat, found in journal.messages().items()}
    callbacks = journal.sandbox.telegram.world.callbacks
    found = []
    for asked in journal.asked:
        chat = journal.chat_now(asked.chat)
        if journal.is_unable(chat, asked.at - HOUR, asked.at + ANSWERED_S):
            continue
        if asked.query:
            if callbacks[asked.query].answered or _was_late(journal, asked.at):
                continue
            found.append(f"press of {asked.text!r} in chat {chat} at {asked.at:.0f}")
            continue
        if _is_marked(journal, asked):
            continue  # the group received the same refusal shortly before
        if any(
            asked.at <= at <= asked.at + ANSWERED_S and journal.chat_now(where) == chat
            for at, where in journal.closed
        ):
            continue  # only administrators of topics can write in a closed topic
        if any(asked.at <= at <= asked.at + MINUTE for at in journal.silenced):
            continue  # an answer without permission to write is dropped
        # In an outage, permissions cannot be checked. The answer says so and names nothing.
        is_vague = journal.is_outage("telegram", asked.at - MINUTE, asked.at + MINUTE)
        token = "" if is_vague else asked.token
        after = [
            m
            for m in messages.get(chat, [])
            if m.sent_at >= asked.at and (not token or token in _text(m))
        ]
        if not after or (not token and after[0].sent_at > asked.at + ANSWERED_S):
            found.append(f"{asked.text!r} in chat {chat} at {asked.at:.0f}")
    return [f"not answered: {words}" for words in found]


def _is_marked(journal: Journal, asked: Asked) -> bool:
    """Return whether the bot has reacted to the message."""
    chat = journal.sandbox.telegram.world.chats.get(asked.chat)
    message = chat.messages.get(asked.message) if chat else None
    return bool(message and message.reactions)


def _written(journal: Journal, messages: list[Message]) -> list[Message]:
    """Return a chat's messages that are not alerts."""
    rung = {(m.chat.id, m.id) for m in journal.alerts(messages)}
    return [m for m in messages if (m.chat.id, m.id) not in rung]


def _was_late(journal: Journal, at: float) -> bool:
    """Return whether the bot may have received a press too late for an answer."""
    near = any(at - 200 <= crash <= at + 200 for crash in journal.crashes)
    return near or any(
        journal.is_outage(kind, at - 300, at + 300) for kind in ("telegram", "database")
    )


def no_command_was_answered_twice(journal: Journal) -> list[str]:
    """Return commands with several answers.

    A crash or a lost response permits a second answer.
    """
    messages = journal.messages()
    found = []
    for asked in journal.asked:
        if not asked.token:
            continue
        said = [m for m in messages.get(journal.chat_now(asked.chat), [])
                if asked.token in _text(m)]  # fmt: skip
        crashed = any(asked.at <= c <= asked.at + ANSWERED_S for c in journal.crashes)
        if len(said) > 1 + sum(m.answer_lost for m in said) + crashed:
            found.append(f"{asked.text!r} at {asked.at:.0f} was answered {len(said)} times")
    return found


def _text(message: Message) -> str:
    return str(message.fields.get("text") or message.fields.get("caption") or "")


def no_forbidden_chat_was_written_to(journal: Journal) -> list[str]:
    """Return chats with too many sends after a refusal.

    The bot may send after a message in the chat or after a crash, and may retry every 6 hours.
    """
    counts: Counter[tuple[int, float]] = Counter()
    for at, chat, method in journal.refused:
        if not method.startswith("send") or method == "sendChatAction":
            continue
        now = journal.chat_now(chat)
        windows = [w.begin for w in journal.unable_in(now) if w.overlaps(at, at)]
        counts[now, windows[0] if windows else 0.0] += 1
    found = []
    for (chat, begin), count in counts.items():
        window_end = next((w.end for w in journal.unable_in(chat) if w.begin == begin), begin)
        asked = sum(
            begin <= a.at <= window_end and journal.chat_now(a.chat) == chat for a in journal.asked
        )
        crashes = sum(begin <= crash <= window_end for crash in journal.crashes)
        hours = (min(window_end, journal.sandbox.clock.now()) - begin) / HOUR if begin else 0
        allowed = 2 + 2 * asked + crashes + hours / 6  # no update restores rights: it retries
        if count > allowed:
            found.append(f"{count} refused sends into chat {chat} since {begin:.0f}")
    return found


# -- the process --------------------------------------------------------------------------


def every_button_was_found(journal: Journal) -> list[str]:
    """Return kinds of buttons that were searched often but never found.

    Actions with a button that is never found have no effect.
    """
    return [
        f"{times} times nobody found a button {kind}"
        for kind, times in sorted(journal.sought.items())
        if times >= SOUGHT_OFTEN and not journal.pressed[kind]
    ]


def no_traceback(journal: Journal) -> list[str]:
    """Return the tracebacks in the log, one of each kind."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for text in journal.tracebacks:
        lines = text.strip().splitlines()
        first = lines[0].partition(" ")[2]
        kinds[f"{first.split('Traceback')[0].strip()} … {lines[-1].strip()}"].append(text)
    return [f"{len(texts)} times {kind}" for kind, texts in kinds.items()]


def no_day_cost_more_than_its_budget(journal: Journal) -> list[str]:
    """Return the days with more billed credits than the budget."""
    return [
        f"{billed} credits on day {day}"
        for day, billed in sorted(journal.billed.items())
        if billed > journal.rates.credits
    ]


def no_refusal_was_paid_for(journal: Journal) -> list[str]:
    """Return the credits of downloads in a run with refusals only.

    After each refusal, the bot can send the file without a purchase.
    """
    is_wrong = journal.rates.refusals and journal.bought
    return [f"{journal.bought} credits went into downloads"] if is_wrong else []


def check_ledger(journal: Journal, database: Path) -> None:
    """Record a problem unless bill ≤ ledger ≤ bill + credits of open and unanswered calls."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as tx:
        spent = "SELECT coalesce(sum(credits), 0) FROM ledger_entries"
        (ledger,) = tx.execute(spent).fetchone()
        replies = "SELECT at / 1000.0, credits FROM ledger_entries WHERE kind != 'schedule'"
        journal.replies = tx.execute(replies).fetchall()
    tx.close()
    bill = journal.sandbox.stories_api.billing.total
    journal.ledger = ledger
    most = bill + journal.open_at_crashes + journal.unanswered_calls
    if not bill <= ledger <= most:
        journal.problems.append(
            f"{LEDGER}: billed {bill}, in the ledger {ledger}, open at crashes"
            f" {journal.open_at_crashes}, unheard {journal.unanswered_calls}"
        )


def check_backups(journal: Journal, folder: Path) -> None:
    """Record a problem unless the latest backup is recent, intact, and has subscriptions."""
    hours = journal.rates.backup_hours
    copies = sorted((folder / "backups").glob("storybell-*.db"))
    if not copies:
        journal.problems.append(f"{BACKUPS}: none in {folder}")
        return
    newest = copies[-1].name
    made_at = datetime.strptime(newest, "storybell-%Y%m%d-%H%M%S.db").replace(tzinfo=UTC)
    age = journal.sandbox.clock.now() - made_at.timestamp()
    with closing(sqlite3.connect(f"file:{copies[-1]}?mode=ro", uri=True)) as tx:
        (state,) = tx.execute("PRAGMA integrity_check").fetchone()
        (subs,) = tx.execute("SELECT count(*) FROM subscriptions").fetchone()
    if age > (hours + 1) * HOUR or state != "ok" or not subs:
        journal.problems.append(
            f"{BACKUPS}: {newest} is {age / HOUR:.1f} h old, {state}, with {subs} subscriptions"
        )
