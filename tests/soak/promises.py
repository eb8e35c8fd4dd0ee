"""Checks of each story's arrival time, sound and repeats by `expected`, and of /why's answers."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from sandbox.instagram import Story
from sandbox.telegram.model import Message
from tests.soak import contents
from tests.soak.expected import (
    DAY,
    HOUR,
    LEAD_S,
    MINUTE,
    Due,
    Span,
    Terms,
    due,
    hours_after,
    is_quiet,
    quiet_ends,
    summary_after,
)
from tests.soak.journal import LISTED, SUMMARY, Asked, Journal, Place, pk_of
from tests.soak.undone import Undone, undone_in, with_undone_rules

SENDING_S = 15 * MINUTE
"""From a story's due time until its arrival, without failures."""
CRASH_S = 6 * MINUTE
"""Time until claims of a dead process are claimed again."""
STORED_AFTER_S = 1.0
"""Time until an answer of the API is stored: 0.05 s and a commit. An earlier crash loses it."""
PROBE_S = 80 * MINUTE
"""Time until the bot notices a restored right, without an update from Telegram."""
AFTER_S = {"telegram": 25 * MINUTE, "stories": 45 * MINUTE, "cdn": 25 * MINUTE,
           "database": 10 * MINUTE, "clock": 2 * HOUR}  # fmt: skip
"""Maximum time after an outage for which the last pause between two attempts may continue."""
QUEUE_S = 70 * MINUTE
"""The checks of a summary are made within this time before the summary."""
KNOWN_AFTER = 3
"""Days after which a chat is no newcomer."""
SUMMARY_LINES = 20
"""The maximum number of profiles in the list of a summary."""
LATE_S = 75 * MINUTE
"""Maximum delay after quiet hours of a story that expired within them."""
WAITING = re.compile(r"^• (?:waiting|being sent).*: (\d+)$", re.MULTILINE)
NOT_SENT = re.compile(r"^• could not be sent: (\d+)$", re.MULTILINE)


class Trouble(NamedTuple):
    """A failure with the period, and the time for which the effects may last afterwards."""

    begin: float
    end: float
    after: float


@dataclass
class Way:
    """The delivery of a story to a place."""

    place: Place
    story: Story
    known: float
    spans: list[Span]
    due: Due | None
    arrived: list[Message] = field(default_factory=list)

    @property
    def first(self) -> float:
        """Return the first arrival, or infinity."""
        return self.arrived[0].sent_at if self.arrived else float("inf")

    def between(self, begin: float, end: float) -> list[Span]:
        """Return the settings that applied at some time in a period."""
        return [one for one in self.spans if one.begin < end and begin < one.end]

    def is_steady(self, doubt: float) -> bool:
        """Return whether the settings were constant from the posting to the arrival."""
        found = self.between(self.story.taken_at - doubt, self.first + doubt)
        return len(found) == 1

    def __str__(self) -> str:
        """Return the description for a violation."""
        chat, thread, _ = self.place
        where = f"chat {chat}" + (f", topic {thread}" if thread else "")
        return (
            f"story {self.story.pk} of {self.story.profile.username}, posted"
            f" {_time(self.story.taken_at)}, found {_time(self.known)}, into {where}"
        )


def _time(at: float) -> str:
    return "never" if at == float("inf") else f"{datetime.fromtimestamp(at, UTC):%d %H:%M:%S}"


def _shown(terms: Terms | None) -> str:
    if terms is None:
        return "not followed"
    quiet = terms.quiet and "-".join(f"{m // 60}:{m % 60:02}" for m in terms.quiet)
    summary = "no summary" if terms.summary is None else f"summary at {terms.summary // 60}"
    return f"{terms.zone}, quiet {quiet}, {summary}" + (", paused" if terms.paused else "")


class Ways:
    """The deliveries of all stories, with the relevant failures."""

    def __init__(self, journal: Journal) -> None:
        """Collect the deliveries."""
        self.journal = journal
        self.doubt = journal.rates.terms_s
        self.spans = journal.spans()
        self.came: dict[tuple[int, int, str], list[Message]] = defaultdict(list)
        for chat, messages in journal.messages().items():
            for message in journal.alerts(messages):
                self.came[chat, message.thread, pk_of(message)].append(message)
        by_profile: dict[str, list[Story]] = defaultdict(list)
        for story in journal.stories.values():
            by_profile[story.profile.pk].append(story)
        self.all = [
            self._way(place, story, spans)
            for place, spans in sorted(self.spans.items())
            for story in by_profile[place[2]]
        ]
        self._everywhere = [
            Trouble(one.begin, one.end, AFTER_S[kind])
            for kind, windows in journal.outages.items()
            for one in windows
        ] + [Trouble(at, at, CRASH_S) for at in journal.crashes]

    def _way(self, place: Place, story: Story, spans: list[Span]) -> Way:
        checks = self.journal.checked.get(story.profile.pk, [])
        stored = (at for at in checks if at > story.taken_at and not self._is_lost(at))
        known = next(stored, float("inf"))
        arrived = self.came.get((place[0], place[1], story.pk), [])
        spans = with_undone_rules(story, spans, self._undone(place[0]), self.doubt)
        return Way(place, story, known, spans,
                   due(story.taken_at, known, spans, self.doubt), arrived)  # fmt: skip

    @cache  # noqa: B019 - one instance per run
    def _undone(self, chat: int) -> list[Undone]:
        return undone_in(self.journal, chat)

    def _is_lost(self, answered_at: float) -> bool:
        """Return whether a crash may have come before the answer of the API was stored."""
        return any(
            answered_at <= crash <= answered_at + STORED_AFTER_S for crash in self.journal.crashes
        )

    @cache  # noqa: B019 - one instance per run
    def troubles(self, chat: int, thread: int = 0) -> list[Trouble]:
        """Return the failures in a chat, the periods of a closed topic, and the global failures.

        Telegram reports when a topic is opened again.
        """
        unable = self.journal.unable_in(chat)
        closed = self.journal.closed_topics.get((chat, thread), [])
        return [
            *self._everywhere,
            *(Trouble(one.begin, one.end, PROBE_S) for one in unable),
            *(Trouble(one.begin, one.end, SENDING_S) for one in closed),
        ]

    def is_troubled(self, chat: int, begin: float, end: float, thread: int = 0) -> bool:
        """Return whether a failure or an effect of a failure occurred in a period."""
        return any(one.begin <= end and begin <= one.end + one.after
                   for one in self.troubles(chat, thread))  # fmt: skip

    def extended(self, until: float) -> float:
        """Return a time, or the end of all global failures at that time."""
        ends = sorted((one.end + one.after, one.begin) for one in self._everywhere)
        for end, begin in ends:
            if begin <= until < end:
                until = end
        return until

    def is_hidden(self, story: Story, until: float) -> bool:
        """Return whether a profile could not be checked reliably while a story was pending."""
        name, begin = story.profile.username, story.taken_at - DAY
        windows = [*self.journal.hidden[name], *self.journal.troubled[name]]
        return any(window.overlaps(begin, until) for window in windows)

    def latest(self, way: Way) -> float | None:
        """Return the latest permitted arrival with all failures, or None if unpredictable."""
        assert way.due is not None
        taken, (chat, thread, _) = way.story.taken_at, way.place
        begin = way.due.latest
        if way.due.at_summary is not None and way.known > way.due.at_summary - MINUTE:
            begin = min(begin, way.due.at_summary) - QUEUE_S  # including the check
        end = way.due.latest + SENDING_S
        is_over = taken + DAY
        felt = True
        while felt:
            felt = False
            for one in self.troubles(chat, thread):
                if one.begin <= end and begin <= one.end + one.after and one.end + one.after > end:
                    end, felt = one.end + one.after, True
            terms = _terms_at(way.spans, end)
            if terms is not None and is_quiet(end - SENDING_S, terms):
                end, felt = quiet_ends(end, terms) + SENDING_S, True
        is_late_known = way.known > begin
        if is_late_known and self.is_newcomers(way.place, begin):
            return None  # checked at a common interval, or at the times of known chats
        if (
            way.due.at_summary is not None
            and is_late_known
            and (end > way.due.latest + SENDING_S or not self.can_pay(way.due.at_summary))
        ):  # the summary may be missed, and the next one is a day later
            end = max(end, is_over + SENDING_S)
        terms = _terms_at(way.spans, is_over)
        if terms is not None and end > is_over:
            end = max(end, quiet_ends(is_over, terms) + SENDING_S)
        end = max(end, self._after_changes(way, end))
        closed = self.journal.closed_topics.get((chat, thread), [])
        unable = self.journal.is_unable(chat, begin, end) or any(
            window.overlaps(begin, end) for window in closed
        )
        return None if unable and end > is_over - HOUR else end

    def _after_changes(self, way: Way, until: float) -> float:
        """Return the latest arrival of a story whose settings changed while a failure delayed it.

        New settings apply to pending stories. Return 0 if no settings changed before ``until``.
        """
        assert way.due is not None
        changed = [
            (one.begin, one.terms)
            for one in way.between(way.due.latest, until)
            if one.begin > way.due.latest and one.terms is not None
        ]
        ends = [
            quiet_ends(at, terms) if terms.summary is None else summary_after(at, terms)[1]
            for at, terms in changed
        ]
        return max(ends, default=-SENDING_S) + SENDING_S

    def is_newcomers(self, place: Place, at: float) -> bool:
        """Return whether known chats exist, but the times of checks do not depend on a place.

        The chat of the place is not known since yesterday, or no chat known since yesterday
        follows the profile. The next check of the profile, up to 20 hours later, finds that a chat
        has become known.
        """
        today = int(at // DAY)
        known = self._known_chats(today - 1)
        if not self._known_chats(today):
            return False
        return place[0] not in known or not any(
            other[0] in known and (terms := _terms_at(spans, at)) and not terms.paused
            for other, spans in self.spans.items()
            if other[2] == place[2]
        )

    @cache  # noqa: B019 - one instance per run
    def _known_chats(self, day: int) -> set[int]:
        """Return the chats whose payers were active on at least `KNOWN_AFTER` days up to ``day``.

        The payer of a private chat is the person; the payer of a group or channel is the creator.
        Posts of a channel name no person.
        """
        seen: dict[int, set[int]] = defaultdict(set)
        world = self.journal.sandbox.telegram.world
        for asked in self.journal.asked:
            where = world.chats.get(asked.chat)
            is_post = where is not None and where.type == "channel" and not asked.query
            if asked.at // DAY <= day and not is_post:
                seen[asked.user].add(int(asked.at // DAY))
        known = {person for person, days in seen.items() if len(days) >= KNOWN_AFTER}
        made = {
            self.journal.chat_now(chat.id)
            for chat in world.all_chats()
            if any(one in known and chat.member(one).status == "creator" for one in chat.members)
        }
        return known | made

    def can_pay(self, hour: float) -> bool:
        """Return whether the budget paid a check for each profile that required this summary."""
        if self.journal.rates.meetings:
            return True  # the budget is sufficient
        checks_at = hour - LEAD_S
        midnight = checks_at // DAY * DAY
        spent = sum(price for at, price in self.journal.bills if midnight <= at < checks_at)
        needed = len(self._waiting_for(hour)) * self._highest_usual_price_of_check(checks_at)
        if spent + needed + self._kept_for_replies(checks_at) > self.journal.rates.credits:
            return False
        made = sum(hour - QUEUE_S <= at <= hour for at in self.journal.looked_at)
        return made >= len(self._waiting_for(hour))

    def _highest_usual_price_of_check(self, until: float) -> int:
        """Return the highest bill of a check within ``QUEUE_S``: 2 with the privacy check."""
        looked = {at for at in self.journal.looked_at if until - QUEUE_S <= at < until}
        return max((bill for at, bill in self.journal.bills if at in looked), default=2)

    def _kept_for_replies(self, at: float) -> float:
        """Return the credits that checks leave for replies in the rest of the day (UTC).

        The credits are at least 120 % of the credits that replies took in these hours of one of
        the last seven days. Half of the credits of the remaining time is more than the bot's
        minimum.
        """
        hour, midnight = at % DAY // HOUR * HOUR, at // DAY * DAY
        by_day: dict[float, int] = defaultdict(int)
        for spent_at, price in self.journal.replies:
            if midnight - 7 * DAY <= spent_at < midnight and spent_at % DAY >= hour:
                by_day[spent_at // DAY] += price
        of_time = self.journal.rates.credits / 2 * (midnight + DAY - at) / DAY
        return max(of_time, 1.2 * max(by_day.values(), default=0))

    @cache  # noqa: B019 - one instance per run
    def _waiting_for(self, hour: float) -> set[str]:
        found = set()
        for place, spans in self.spans.items():
            terms = _terms_at(spans, hour)
            if terms is None or terms.summary is None:
                continue
            if next(hours_after(hour - HOUR, terms.summary, terms.zone)) <= hour + HOUR:
                found.add(place[2])
        return found

    def passes(self, way: Way, until: float) -> bool:
        """Return whether all rules that applied, and were not undone, accept a story."""
        spans = way.between(way.story.taken_at - self.doubt, until + self.doubt)
        return all(
            contents.passes(way.story, {**one.terms.options, "zone": one.terms.zone})
            for one in spans
            if one.terms is not None and not one.is_undone
        )

    def is_listed(self, way: Way) -> bool:
        """Return whether a summary of the last day lists the profile, or is too long for it."""
        # The list may have an earlier name of the profile.
        is_marked = (way.place[0], way.story.pk) in self.journal.listed
        for message in self.journal.summaries(*way.place[:2]):
            names = LISTED.findall(str(message.fields["text"]))
            is_there = way.story.profile.username in names or len(names) == SUMMARY_LINES
            if 0 <= way.first - message.sent_at <= DAY and (is_there or is_marked):
                return True
        return False

    def silences(self, chat: int, thread: int, names: set[str], at: float) -> set[bool]:
        """Return the values of the option "silent" of the named profiles around a time."""
        return {
            one.terms.silent
            for way in self.all
            if way.place[:2] == (chat, thread) and way.story.profile.username in names
            for one in way.between(at - DAY, at + self.doubt)
            if one.terms
        }

    def was_told(self, way: Way) -> bool:
        """Return whether the chat was told why a story of the profile is missing."""
        names = {s.profile.username for s in self.journal.stories.values()
                 if s.profile.pk == way.place[2]}  # fmt: skip
        return any(
            names & row.told.keys()
            and self.journal.is_about(row, way.place[0])
            and abs(row.created - way.story.taken_at) < 2 * DAY
            for row in self.journal.rows.values()
        )


def _terms_at(spans: Sequence[Span], at: float) -> Terms | None:
    return next((one.terms for one in spans if one.begin <= at < one.end), None)


def check_promises(ways: Ways) -> list[str]:
    """Return all violations of documented promises, each with the name of the check."""
    return [
        f"{check.__name__}: {words}"
        for check in (
            stories_came_when_promised,
            nothing_came_before_its_summary,
            nothing_came_long_after_its_day,
            alerts_rang_as_asked,
            summaries_rang_once,
            each_place_got_one_copy,
            why_told_the_truth,
        )
        for words in check(ways)
    ]


def tell(ways: Ways) -> list[str]:
    """Return a line for each story and place, for the event log."""
    lines = []
    for way in ways.all:
        if not way.arrived and way.due is None:
            continue
        until = ways.latest(way) if way.due is not None else None
        at = "nobody knows when" if way.due is None else f"at {_time(way.due.latest)}"
        allowed = "" if until is None else f", allowed until {_time(until)}"
        lines.append(f"way: {way}, came {_time(way.first)}, due {at}{allowed}")
    return lines


def stories_came_when_promised(ways: Ways) -> list[str]:
    """Return stories that arrived late, by the rules for quiet hours and the daily summary."""
    found = []
    now = ways.journal.sandbox.clock.now()
    for way in ways.all:
        if way.due is None or way.story.removed or ways.is_hidden(way.story, way.due.latest):
            continue
        latest = ways.latest(way)
        if latest is None or min(way.first, now) <= latest:
            continue
        spans = way.between(way.story.taken_at, min(way.first, latest))
        # A pause or the end of a subscription drops a story that a failure delays, unless undone.
        is_ended = any(
            one.terms is None or (one.terms.paused and not one.is_undone)
            for one in way.between(way.due.latest, latest)
        )
        is_excused = is_ended or not ways.passes(way, latest) or ways.was_told(way)
        if not way.arrived and is_excused:
            continue
        terms = " → ".join(f"{_shown(one.terms)}{' (undone)' * one.is_undone}" for one in spans)
        late = f"{(way.first - way.due.latest) / HOUR:.1f} h late" if way.arrived else "missing"
        found.append(
            f"{way}, came {_time(way.first)}, must be there at {_time(way.due.latest)}"
            f" (allowing for all that failed {_time(latest)}; {late}): {terms}"
        )
    return found


def nothing_came_before_its_summary(ways: Ways) -> list[str]:
    """Return stories that arrived before the hour of the daily summary."""
    return [
        f"{way}, came {_time(way.first)}, before {_time(way.due.earliest)}:"
        f" {_shown(_terms_at(way.spans, way.first))}"
        for way in ways.all
        if way.arrived and way.due is not None and way.is_steady(ways.doubt)
        and way.first < way.due.earliest - MINUTE
        and not ways.journal.is_outage("clock", way.story.taken_at, way.first)
    ]  # fmt: skip


def nothing_came_long_after_its_day(ways: Ways) -> list[str]:
    """Return stories that arrived after 24 hours.

    A story that expires in quiet hours may arrive soon after the quiet hours.
    """
    found = []
    for way in ways.all:
        over = way.story.taken_at + DAY
        if not way.arrived or way.first <= over + SENDING_S:
            continue
        terms = [one.terms for one in way.between(over - HOUR, way.first) if one.terms]
        ends = max((quiet_ends(over, one) for one in terms), default=over)
        allowed = ends + LATE_S if ends > over else over + SENDING_S
        if len(terms) != 1 or way.first <= ways.extended(allowed):
            continue
        found.append(
            f"{way}, came {_time(way.first)}, {(way.first - over) / HOUR:.1f} h after its day,"
            f" {'silently' if way.arrived[0].is_silent else 'ringing'}: {_shown(terms[0])}"
        )
    return found


def alerts_rang_as_asked(ways: Ways) -> list[str]:
    """Return alerts with a sound for a silent subscription, or without a sound otherwise.

    The repeat of a send with unknown outcome is silent. A story that a daily summary lists is
    silent after the list.
    """
    found = []
    for way in ways.all:
        spans = [s.terms for s in way.between(way.story.taken_at, way.first + ways.doubt)
                 if s.terms]  # fmt: skip
        silent = {one.silent for one in spans}
        if not way.arrived or len(silent) != 1 or way.arrived[0].is_silent in silent:
            continue
        if way.arrived[0].is_silent and ways.is_troubled(
            way.place[0], way.first - HOUR, way.first
        ):
            continue
        if way.arrived[0].is_silent and ways.is_listed(way):
            continue
        chat, pk = way.place[0], way.story.pk
        if way.arrived[0].is_silent and ways.journal.may_have_come(chat, pk, way.first):
            continue
        said = "silently" if way.arrived[0].is_silent else "ringing"
        found.append(f"{way}, came {_time(way.first)} {said}")
    return found


def summaries_rang_once(ways: Ways) -> list[str]:
    """Return lists of daily summaries with a wrong sound, or that arrived twice with a sound."""
    found = []
    for chat, thread in sorted({way.place[:2] for way in ways.all}):
        rang: dict[str, float] = {}
        for message in ways.journal.summaries(chat, thread):
            text, at = str(message.fields["text"]), message.sent_at
            silent = ways.silences(chat, thread, set(LISTED.findall(text)), at)
            is_troubled = ways.is_troubled(chat, at - HOUR, at)
            is_wrong = not message.is_silent if silent == {True} else (
                message.is_silent and silent == {False} and not is_troubled)  # fmt: skip
            is_again = not message.is_silent and at - rang.get(text, -DAY) < HOUR
            if is_wrong or is_again:
                how = "silently" if message.is_silent else "ringing"
                found.append(f"a summary came into chat {chat} {how} at {_time(at)}: {text}")
            if not message.is_silent:
                rang[text] = at
    return found


def each_place_got_one_copy(ways: Ways) -> list[str]:
    """Return stories with several copies in a place, e.g. after Undo, a migration or an import."""
    found = []
    for way in ways.all:
        chat = way.place[0]
        lost = sum(message.answer_lost for message in way.arrived)
        allowed = 1 + lost + ways.journal.unrecorded_in(chat, way.story.pk)
        if len(way.arrived) > allowed:
            times = ", ".join(_time(message.sent_at) for message in way.arrived)
            found.append(f"{way}, came {len(way.arrived)} times ({times}), {allowed} explained")
    return found


# -- /why -----------------------------------------------------------------------------------


def why_told_the_truth(ways: Ways) -> list[str]:
    """Return false statements of /why on pending stories, lost stories, or the next check."""
    journal = ways.journal
    by_chat: dict[int, list[Way]] = defaultdict(list)
    for way in ways.all:
        by_chat[way.place[0]].append(way)
    messages = journal.messages()
    found = []
    for asked in journal.asked:
        if not asked.text.startswith("/why ") or asked.query:
            continue
        chat, name = journal.chat_now(asked.chat), asked.text.split()[1]
        answer = _answer(messages.get(chat, []), asked, name)
        if answer is None:
            continue
        there = [way for way in by_chat[chat] if way.story.profile.username == name]
        what = f"{asked.text} in chat {chat} at {_time(asked.at)}"
        found += [f"{what}: {words}" for words in _untruths(ways, answer, there)]
    return found


def _answer(messages: Sequence[Message], asked: Asked, name: str) -> Message | None:
    return next(
        (m for m in messages
         if asked.at <= m.sent_at <= asked.at + MINUTE and m.media is None
         and str(m.fields.get("text", "")).startswith(f"{name}\n")),
        None,
    )  # fmt: skip


def _untruths(ways: Ways, answer: Message, there: Sequence[Way]) -> Iterator[str]:
    at, text = answer.sent_at, str(answer.fields["text"])
    waiting = [
        (way, terms)
        for way in there
        if (terms := _terms_at(way.spans, at)) and way.known < at and way.first > at - MINUTE
    ]
    held = [(way, terms) for way, terms in waiting if way.story.taken_at > at - DAY - HOUR]
    said = sum(int(n) for n in WAITING.findall(text))
    # A story that ended in quiet hours is pending until their end.
    passing = [
        way
        for way, terms in waiting
        if way.story.taken_at > at - DAY - HOUR or is_quiet(at, terms)
        if contents.passes(way.story, {**terms.options, "zone": terms.zone})
    ]
    if held and said > len(passing):
        yield f"{said} wait, of {len(passing)} that the rules let pass"
    if "waiting for the end of quiet hours" in text and held:
        summaries = [_comes_at(way, at, ways.doubt) for way, _ in held]
        ends = max(quiet_ends(at, terms) for _, terms in held)
        if all(moment is not None and moment > ends + 5 * MINUTE for moment in summaries):
            yield f"waits until {_time(ends)}, but its summary is at {_time(summaries[0] or 0)}"
    yield from _unsent(ways, answer, there)
    if "Next check: now" in text and there:
        checks = ways.journal.checked.get(there[0].story.profile.pk, [])
        is_made = any(at - MINUTE <= one <= at + SENDING_S for one in checks)
        is_ended = any(s.begin < at + SENDING_S and at - DAY < s.begin for w in there[:1]
                       for s in w.spans if s.terms is None or s.terms.paused)  # fmt: skip
        hidden = ways.is_hidden(there[-1].story, at)
        if not (is_made or is_ended or hidden or ways.is_troubled(0, at - HOUR, at + SENDING_S)):
            yield "the next check is now, and there was none within 15 minutes"


def _comes_at(way: Way, at: float, doubt: float) -> float | None:
    """Return the earliest arrival of a story with a summary by the settings of a time, or None.

    A summary that quiet hours defer may include a story that was found within these quiet hours.
    """
    spans = [one._replace(end=min(one.end, at) if one.end < at else float(at + 2 * DAY))
             for one in way.spans if one.begin <= at]  # fmt: skip
    found = due(way.story.taken_at, way.known, spans, doubt)
    return found.earliest if found and found.at_summary is not None else None


def _unsent(ways: Ways, answer: Message, there: Sequence[Way]) -> Iterator[str]:
    """Yield a violation if /why reports more unsent stories than notices did."""
    match, at = NOT_SENT.search(str(answer.fields["text"])), answer.sent_at
    if match is None or not there:
        return
    chat = there[0].place[0]
    names = {way.story.profile.username for way in there}
    told = sum(
        sum(n for name, n in row.told.items() if name in names)
        for row in ways.journal.rows.values()
        if row.notice in {"failed", SUMMARY} and ways.journal.is_about(row, chat)
        and at - 3 * DAY <= row.created <= at + MINUTE
    )  # fmt: skip
    if int(match[1]) > told and not ways.journal.is_unable(chat, at - 3 * DAY, at):
        yield f"{match[1]} could not be sent, and the chat was told of {told}"
