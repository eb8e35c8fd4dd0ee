"""Checks of what a person gets from lists: `/past`, [Send them all], an import, and the bill.

The promises are those of README and of docs/use.md. The bot's code is not used. An answer counts
only if nothing failed around the request, and if nobody else asked in the chat at that time.
"""

import math
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sandbox.instagram import Story
from sandbox.telegram.model import Message
from tests.soak import contents
from tests.soak.expected import DAY, HOUR, MINUTE
from tests.soak.journal import CHANGING, Asked, Imported, Journal, pk_of
from tests.soak.lists import ANSWER_S
from tests.soak.promises import Ways

MOST_SENT = 30
"""The maximum number of stories in an answer of /past and of [Send them all]."""
SETTLED_S = HOUR
"""A request that failed may be repeated for this time, and for the effect of the failure."""
NEAR_S = 4 * MINUTE
"""The answers to two requests within this time are not distinguished."""
SENT_AGAIN_S = 15 * MINUTE
OF_AN_IMPORT = ("/export", "/import", "import:options", "import:rules", "list:")
DAYS = re.compile(r"([0-9]{1,3})d?")
COST = re.compile(r"([0-9][0-9,.]*) credits?")
MONTH = re.compile(r"^This month: ", re.MULTILINE)
PARTS = 5 + 2
"""At most five members, the alerts and the others."""
ROUNDED = 1.0
"""Costs are shown in whole credits."""


class Answers:
    """The requests of a run with their answers."""

    def __init__(self, ways: Ways) -> None:
        """Collect the requests by chat."""
        self.ways, self.journal = ways, ways.journal
        self.messages = self.journal.messages()
        alerts = [one for found in self.messages.values() for one in self.journal.alerts(found)]
        self._alerts = {(one.chat.id, one.id) for one in alerts}
        self.by_chat: dict[int, list[Asked]] = defaultdict(list)
        for asked in self.journal.asked:
            self.by_chat[self.journal.chat_now(asked.chat)].append(asked)

    def is_clear(self, asked: Asked, begin: float, end: float) -> bool:
        """Return whether nothing failed in a period, and only one person asked."""
        chat = self.journal.chat_now(asked.chat)
        others = [one for one in self.by_chat[chat] if begin - NEAR_S < one.at < end]
        is_alone = all(one is asked or self._is_before(one, asked) for one in others)
        return is_alone and self.is_calm(chat, begin, end)

    def _is_before(self, one: Asked, asked: Asked) -> bool:
        """Return whether a request shows the page with the button of another request."""
        return one.text == "/stories" and bool(asked.query) and one.at < asked.at

    def is_calm(self, chat: int, begin: float, end: float) -> bool:
        """Return whether nothing failed around a period."""
        return not self.ways.is_troubled(chat, begin - MINUTE, end)

    def stories(self, asked: Asked, end: float) -> list[str]:
        """Return the stories that the bot sent in answer to a request, in order."""
        return [
            pk_of(one)
            for one in self.after(asked, end)
            if one.media is not None and (one.chat.id, one.id) not in self._alerts
        ]

    def after(self, asked: Asked, end: float) -> list[Message]:
        """Return the bot's messages in a chat from a request to a time."""
        found = self.messages.get(self.journal.chat_now(asked.chat), [])
        return [one for one in found if asked.at <= one.sent_at <= end]

    def changes(self, chat: int, begin: float, end: float) -> list[Asked]:
        """Return the requests that may change subscriptions, but not those of an import."""
        return [
            one
            for one in self.by_chat[chat]
            if begin < one.at < end
            and any(word in one.text for word in CHANGING)
            and not one.text.startswith(OF_AN_IMPORT)
        ]


def check_answers(ways: Ways) -> list[str]:
    """Return all violations, each with the name of the check."""
    answers = Answers(ways)
    return [
        f"{check.__name__}: {words}"
        for check in (
            past_found_what_was_kept,
            tray_sent_the_live_stories,
            imports_brought_the_file,
            only_tapped_accounts_were_looked_up,
            bills_added_up,
        )
        for words in check(answers)
    ]


# -- /past --------------------------------------------------------------------------------


def past_found_what_was_kept(answers: Answers) -> list[str]:
    """Return searches with a story that was not kept or does not fit, or without one that was."""
    kept = _kept(answers.journal)
    found = []
    for asked in answers.journal.asked:
        end = asked.at + ANSWER_S
        if not asked.text.startswith("/past ") or not answers.is_clear(asked, asked.at, end):
            continue
        chat = answers.journal.chat_now(asked.chat)
        if any("erase" in one.text for one in answers.by_chat[chat]):
            continue
        stories = {pk: is_sure for (where, pk), (at, is_sure) in kept.items()
                   if where == chat and at < asked.at - MINUTE}  # fmt: skip
        unsure = {pk for (where, pk), (at, _) in kept.items()
                  if where == chat and at >= asked.at - MINUTE}  # fmt: skip
        shown = answers.stories(asked, end)
        fits = [one for one in map(answers.journal.stories.get, {*stories, *unsure})
                if one and _is_searched(one, asked)]  # fmt: skip
        sure = {one.pk for one in fits if stories.get(one.pk)}
        wrong = _wrong_page(answers.journal, shown, {one.pk for one in fits}, sure)
        found += [f"{asked.text!r} in chat {chat} at {asked.at:.0f}: {words}" for words in wrong]
    return found


def _kept(journal: Journal) -> dict[tuple[int, str], tuple[float, bool]]:
    """Return the stories that a chat may keep, with the time, and whether it certainly does."""
    found: dict[tuple[int, str], tuple[float, bool]] = {}
    for row in journal.rows.values():
        if row.pk is None or row.done is None or row.state != "sent":
            continue
        options = journal.options_within(row, min(row.created, row.done - SENT_AGAIN_S), row.done)
        if options and not any(one.get("keep") for one in options):
            continue
        is_sure = bool(options) and all(one.get("keep") for one in options)
        key = (journal.chat_now(row.chat), row.pk)
        at, was_sure = found.get(key, (row.done, False))
        found[key] = (min(at, row.done), is_sure or was_sure)
    return found


def _is_searched(story: Story, asked: Asked) -> bool:
    """Return whether a story fits a search. The first word may be the name of a profile."""
    words = asked.text.split()[1:]
    days = None
    if len(words) > 1 and (match := DAYS.fullmatch(words[-1])):
        days, words = int(match[1]), words[:-1]
    if days is not None and story.taken_at < asked.at - days * DAY:
        return False
    first = words[0].removeprefix("@")
    if first.startswith("star"):
        words = words[1:]
        if story.profile.username != first:
            return False
    return all(contents.fits(story, word.removeprefix("mention:")) for word in words)


def _wrong_page(
    journal: Journal, shown: Sequence[str], allowed: set[str], sure: set[str]
) -> Iterator[str]:
    """Yield the mistakes of a page with the newest stories of a search."""
    if extra := set(shown) - allowed:
        yield f"{_named(journal, extra)} came, which the chat does not keep or the search excludes"
    oldest = min(_times(journal, shown), default=0.0)
    since = oldest if len(shown) == MOST_SENT else 0.0
    required = {pk for pk in sure if journal.stories[pk].taken_at >= since}
    yield from _missing_or_disorderly(journal, shown, required)


def _missing_or_disorderly(
    journal: Journal, shown: Sequence[str], required: set[str]
) -> Iterator[str]:
    """Yield the mistakes in the number, the completeness and the order of stories."""
    if len(shown) > MOST_SENT:
        yield f"{len(shown)} stories came"
    if missing := required - set(shown):
        yield f"{_named(journal, missing)} did not come"
    yield from _disorder(journal, shown)


def _times(journal: Journal, pks: Iterable[str]) -> list[float]:
    """Return the posting times of the known stories."""
    return [journal.stories[pk].taken_at for pk in pks if pk in journal.stories]


def _disorder(journal: Journal, shown: Sequence[str]) -> Iterator[str]:
    """Yield a mistake if the stories of a profile are not sent oldest first."""
    last: dict[str, float] = {}
    for story in map(journal.stories.get, shown):
        if story is None:
            continue
        if story.taken_at < last.get(story.profile.pk, 0.0):
            yield f"story {story.pk} came after a newer one of {story.profile.username}"
        last[story.profile.pk] = story.taken_at


def _named(journal: Journal, pks: Iterable[str]) -> str:
    names = {pk: one.profile.username for pk in sorted(pks) if (one := journal.stories.get(pk))}
    return ", ".join(f"{pk} of {name}" for pk, name in names.items()) or "an unknown story"


# -- [Send them all] ----------------------------------------------------------------------


def tray_sent_the_live_stories(answers: Answers) -> list[str]:
    """Return presses of [Send them all] that sent other stories than the live ones, or not all."""
    found = []
    sent: dict[int, float] = {}
    for asked in answers.journal.asked:
        if asked.text != "tray" or not asked.query:
            continue
        chat, end = answers.journal.chat_now(asked.chat), asked.at + ANSWER_S
        is_again = asked.at - sent.get(chat, -DAY) < SENT_AGAIN_S
        sent[chat] = asked.at
        if is_again or not answers.is_clear(asked, asked.at, end):
            continue  # the bot sends the stories once in ten minutes
        live = {one.pk: is_sure for one, is_sure in _live(answers, chat, asked.at)}
        shown = answers.stories(asked, end)
        texts = "\n".join(str(one.fields.get("text", "")) for one in answers.after(asked, end))
        sure = {pk for pk, is_sure in live.items() if is_sure
                and answers.journal.stories[pk].profile.username not in texts}  # fmt: skip
        wrong = _wrong_tray(answers.journal, shown, set(live), sure)
        found += [f"[Send them all] in chat {chat} at {asked.at:.0f}: {words}" for words in wrong]
    return found


def _live(answers: Answers, chat: int, at: float) -> Iterator[tuple[Story, bool]]:
    """Yield the live stories of a chat's profiles, and whether the last check certainly found it.

    A person's request also finds stories.
    """
    journal, ways = answers.journal, answers.ways
    unsettled = bool(answers.changes(chat, at - NEAR_S, at + MINUTE))
    followed = {
        place[2]: any(one.begin < at - ways.doubt and one.end > at + ways.doubt and one.terms
                      for one in spans)
        for place, spans in ways.spans.items()
        if place[0] == chat
        and any(one.begin - ways.doubt < at < one.end + ways.doubt and one.terms for one in spans)
    }  # fmt: skip
    for story in journal.stories.values():
        pk = story.profile.pk
        if (pk not in followed and not unsettled) or not at - DAY < story.taken_at < at:
            continue
        checks = journal.checked.get(pk, [])
        place = bisect_left(checks, at - MINUTE)
        last = checks[place - 1] if place else 0.0
        yield (
            story,
            (
                followed.get(pk, False)
                and not unsettled
                and not story.removed
                and story.taken_at < last - MINUTE
                and story.taken_at > at - DAY + MINUTE
                and not ways.is_hidden(story, at)
            ),
        )


def _wrong_tray(
    journal: Journal, shown: Sequence[str], allowed: set[str], sure: set[str]
) -> Iterator[str]:
    """Yield the mistakes of an answer with the oldest live stories."""
    if extra := set(shown) - allowed:
        yield f"{_named(journal, extra)} came, which is not live or not followed"
    newest = max(_times(journal, shown), default=math.inf)
    until = newest if len(shown) == MOST_SENT else math.inf
    required = {pk for pk in sure if journal.stories[pk].taken_at <= until}
    yield from _missing_or_disorderly(journal, shown, required)
    if len(shown) != len(set(shown)):
        yield "a story came twice"


# -- imports ------------------------------------------------------------------------------


def imports_brought_the_file(answers: Answers) -> list[str]:
    """Return imports after which a chat follows others, or with other options, than the file."""
    found = []
    for one in answers.journal.imported:
        chat = answers.journal.chat_now(one.chat)
        if one.before is None or one.after is None or _others(answers, one):
            continue
        if answers.changes(chat, one.begin - NEAR_S, one.end):
            continue
        if not answers.is_calm(chat, one.begin - SETTLED_S, one.end):
            continue  # a change that failed may be repeated
        found += [f"{one.kind} into chat {chat} at {one.begin:.0f}: {words}"
                  for words in _wrong_import(one)]  # fmt: skip
    return found


def _others(answers: Answers, imported: Imported) -> list[Asked]:
    """Return the presses of buttons of an import by others than the person who brought it."""
    chat = answers.journal.chat_now(imported.chat)
    pressed = Counter(dict.fromkeys(imported.pressed, 1))
    if imported.kind == "followed":
        pressed["list:"] = 1
    found = []
    for asked in answers.by_chat[chat]:
        is_there = imported.begin <= asked.at <= imported.end and bool(asked.query)
        if not is_there or not asked.text.startswith(OF_AN_IMPORT):
            continue
        key = "list:" if asked.text.startswith("list:") else asked.text
        pressed[key] -= 1
        if pressed[key] < 0:
            found.append(asked)
    return found


def _wrong_import(one: Imported) -> Iterator[str]:
    assert one.before is not None
    assert one.after is not None
    before, after, wanted = (_rows(file) for file in (one.before, one.after, one.wanted))
    if extra := after.keys() - before.keys() - wanted.keys():
        yield f"follows {sorted(extra)}, which no file has"
    if lost := before.keys() - after.keys():
        yield f"no longer follows {sorted(lost)}"
    unnamed = {name for name in wanted.keys() - after.keys() if name not in one.said}
    if unnamed:
        yield f"does not follow {sorted(unnamed)}, and the answer does not name them"
    for name, row in after.items():
        yield from _wrong_options(one, name, row, before.get(name), wanted.get(name))
    rules, had = one.after.get("rules", {}), one.before.get("rules", {})
    due = one.wanted["rules"] if "import:rules" in one.pressed else had
    if rules != due:
        yield f"the rules of the chat are {rules}, not {due}"


def _wrong_options(
    one: Imported,
    name: str,
    row: dict[str, Any],
    before: dict[str, Any] | None,
    wanted: dict[str, Any] | None,
) -> Iterator[str]:
    """Yield a mistake if a subscription has other options than promised."""
    if before is None:
        if wanted and "options" in wanted:
            is_same = (row["options"], row["paused"]) == (wanted["options"], wanted["paused"])
            if not is_same:
                yield f"{name} is {row}, in the file {wanted}"
        return
    uses_file = wanted is not None and "import:options" in one.pressed
    due = wanted["options"] if uses_file and wanted else before["options"]
    if row["options"] != due:
        yield f"{name} has the options {row['options']}, not {due}"
    if row["paused"] != before["paused"] and not before["paused_until"]:
        yield f"{name} is paused: {row['paused']}, before: {before['paused']}"


def _rows(file: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["username"]: row for row in file["subscriptions"]}


def only_tapped_accounts_were_looked_up(answers: Answers) -> list[str]:
    """Return accounts of Instagram's list that were looked up, though nobody tapped them."""
    journal, found = answers.journal, []
    for one in journal.imported:
        chat = journal.chat_now(one.chat)
        presses = [a for a in answers.by_chat[chat]
                   if a.at >= one.begin and a.text.startswith("list:")]  # fmt: skip
        if one.kind != "followed" or len(presses) > 1:
            continue
        wrong = [name for name in one.untapped if name.startswith("untapped")
                 and journal.looked_up[name]]  # fmt: skip
        if wrong:
            found.append(f"{wrong} of the list in chat {chat} at {one.begin:.0f}")
    return found


# -- the bill -----------------------------------------------------------------------------


def bills_added_up(answers: Answers) -> list[str]:
    """Return answers of /usage whose parts are not the total, or that exceed all bills."""
    journal, found = answers.journal, []
    last: dict[int, float] = {}
    for asked in journal.asked:
        if asked.text != "/usage" or asked.query:
            continue
        chat = journal.chat_now(asked.chat)
        if not answers.is_calm(chat, asked.at, asked.at + MINUTE):
            continue
        texts = [
            str(one.fields.get("text", "")) for one in answers.after(asked, asked.at + MINUTE)
        ]
        for text in texts:
            if MONTH.search(text) is None:
                continue
            lines = text[MONTH.search(text).start() :].splitlines()  # type: ignore[union-attr]
            total = _credits(lines[0])
            parts = [_credits(line) for line in lines[1:] if line.startswith("•")
                     and COST.search(line)]  # fmt: skip
            last[chat] = max(total, last.get(chat, 0.0))
            where = f"/usage in chat {chat} at {asked.at:.0f}"
            if len(parts) > PARTS:
                found.append(f"{where}: {len(parts)} parts")
            if parts and abs(total - sum(parts)) > ROUNDED * (len(parts) + 1):
                found.append(f"{where}: {parts} is not {total}")
    bill = sum(journal.billed.values()) + journal.open_at_crashes + journal.unanswered_calls
    if sum(last.values()) > bill + ROUNDED * len(last):
        found.append(f"all chats cost {sum(last.values())}, the bill is {bill}")
    return found


def _credits(line: str) -> float:
    match = COST.search(line)
    return float(match[1].replace(",", "")) if match else 0.0
