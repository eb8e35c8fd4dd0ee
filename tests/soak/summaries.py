"""Checks of the daily summary: one list with a sound, with right numbers, and silent albums."""

import re
from collections import defaultdict

from sandbox.telegram.model import Message
from tests.soak.expected import HOUR, MINUTE
from tests.soak.journal import LISTED
from tests.soak.promises import SENDING_S, SUMMARY_LINES, Way, Ways

COUNTED = re.compile(r"^• \u2068?([a-z0-9._]+)\u2069?\s?:\D*(\d+)", re.MULTILINE)
"""A line of a list: the name of a profile and the number of stories, in any language."""
UNSETTLED_S = 15 * MINUTE
"""A change of settings this close before a list may change the list or the albums."""
Where = tuple[int, int]
"""A chat, and a topic or 0."""


def check_summaries(ways: Ways) -> list[str]:
    """Return all violations, each with the name of the check."""
    return [
        f"{check.__name__}: {words}"
        for check in (summaries_counted_right, summaries_were_listed, summaries_were_one)
        for words in check(ways)
    ]


def _by_place(ways: Ways) -> dict[Where, list[Way]]:
    found: dict[Where, list[Way]] = defaultdict(list)
    for way in ways.all:
        found[way.place[:2]].append(way)
    return found


def _is_clear(ways: Ways, group: list[Way], where: Where, begin: float, end: float) -> bool:
    """Return whether nothing failed, and no setting of a group of stories changed."""
    first, last = begin - ways.doubt, end + ways.doubt
    is_steady = all(len(way.between(first, last)) <= 1 for way in group)
    return is_steady and not ways.is_troubled(where[0], begin - HOUR, end, where[1])


def _is_silent(way: Way, at: float) -> bool:
    return any(one.terms is not None and one.terms.silent for one in way.between(at, at + MINUTE))


def summaries_counted_right(ways: Ways) -> list[str]:
    """Return lists with another number of stories than the albums that follow silently."""
    found = []
    for where, there in sorted(_by_place(ways).items()):
        for message in ways.journal.summaries(*where):
            at = message.sent_at
            for name, number in COUNTED.findall(str(message.fields["text"])):
                mine = [way for way in there if way.story.profile.username == name]
                came = _listed(mine, message)
                if any(way.story.removed for way in mine) or not mine:
                    continue
                if not _is_clear(ways, mine, where, at - UNSETTLED_S, at + SENDING_S):
                    continue
                # A story of a silent subscription may also come on its own.
                is_more = len(came) > int(number) and not _is_silent(mine[0], at)
                if len(came) < int(number) or is_more:
                    found.append(
                        f"the list in chat {where[0]} at {at:.0f} has {number} of {name}, and"
                        f" {len(came)} came silently after it"
                    )
    return found


def _listed(there: list[Way], message: Message) -> list[Way]:
    """Return the stories that came silently soon after a list."""
    begin = message.sent_at
    return [
        way
        for way in there
        if way.arrived and way.arrived[0].is_silent and begin <= way.first <= begin + SENDING_S
    ]


def summaries_were_listed(ways: Ways) -> list[str]:
    """Return summaries of several profiles without a list, or with an album that has a sound."""
    found = []
    for where, there in sorted(_by_place(ways).items()):
        by_hour: dict[float, list[Way]] = defaultdict(list)
        for way in there:
            if _is_in_summary(way, ways.doubt):
                assert way.due is not None
                by_hour[way.due.latest].append(way)
        lists = [message.sent_at for message in ways.journal.summaries(*where)]
        for hour, group in sorted(by_hour.items()):
            names = sorted({way.story.profile.username for way in group})
            if len(names) == 1 or not _is_clear(ways, there, where, hour - HOUR, hour + SENDING_S):
                continue
            what = f"the summary of {', '.join(names)} in chat {where[0]} at {hour:.0f}"
            if not any(hour - MINUTE <= at <= hour + SENDING_S for at in lists):
                found.append(f"{what} has no list")
            found += [f"{what}: {way} came with a sound" for way in group
                      if not way.arrived[0].is_silent]  # fmt: skip
    return found


def _is_in_summary(way: Way, doubt: float) -> bool:
    """Return whether a story was found before the hour of its summary, and came at the hour."""
    due = way.due
    if due is None or due.at_summary is None or not way.arrived or way.story.removed:
        return False
    is_found = way.known < due.at_summary - MINUTE
    is_there = due.latest - MINUTE <= way.first <= due.latest + SENDING_S
    return is_found and is_there and way.is_steady(doubt)


def summaries_were_one(ways: Ways) -> list[str]:
    """Return the second lists with a sound of the same hour, and lists of over 20 profiles.

    Stories that were found in the last seconds before the hour may form a second list.
    """
    found = []
    for where, there in sorted(_by_place(ways).items()):
        first: Message | None = None
        for message in ways.journal.summaries(*where):
            at = message.sent_at
            names = set(LISTED.findall(str(message.fields["text"])))
            if len(names) > SUMMARY_LINES:
                found.append(f"a list in chat {where[0]} at {at:.0f} has {len(names)} lines")
            if message.is_silent:
                continue
            if first is None or at - first.sent_at > HOUR:
                first = message
                continue
            listed = [way for way in _listed(there, message)
                      if way.story.profile.username in names]  # fmt: skip
            is_early = all(way.known < first.sent_at - MINUTE for way in listed)
            is_clear = _is_clear(ways, listed, where, first.sent_at - HOUR, at + SENDING_S)
            if is_clear and is_early and listed:
                found.append(f"a second list in chat {where[0]} at {at:.0f}: {sorted(names)}")
    return found
