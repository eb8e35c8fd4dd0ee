"""Undo of rules, by the documentation, independent of the bot's code.

Undo of a change of the rules for all profiles sends the stories that these rules have excluded
since the change. Undo of *Photos only* and *Videos only* for all subscriptions does the same. A
story that has expired stays excluded.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from sandbox.instagram import Story
from tests.soak import contents
from tests.soak.expected import DAY, MINUTE, Span, Terms, brings
from tests.soak.journal import Asked, Journal

RULES_OF_CHAT, KIND_OF_MEDIA = "chat", "media"
"""The options that exclude stories, and that Undo restores."""


class Undone(NamedTuple):
    """A press of Undo, the earliest time of the undone change, and the changed option."""

    since: float
    at: float
    option: str


def undone_in(journal: Journal, chat: int) -> list[Undone]:
    """Return the presses of Undo of rules in a chat, whether or not Undo still worked."""
    return [
        one
        for asked in journal.asked
        if journal.chat_now(asked.chat) == chat
        for one in _undone(journal, asked)
    ]


def _undone(journal: Journal, asked: Asked) -> Iterator[Undone]:
    if asked.text == "rules:undo":
        # The page with Undo replaced the question of the change, or the rules before the change.
        world = journal.sandbox.telegram.world
        chat = world.chat(asked.chat, world.bot)
        page = chat.messages.get(asked.message) if chat else None
        if page is not None:
            yield Undone(page.sent_at, asked.at, RULES_OF_CHAT)
    elif asked.text.startswith("restore:"):
        changed = float(asked.text.partition(":")[2]) / 1000  # the button has milliseconds
        yield Undone(changed, asked.at, KIND_OF_MEDIA)


def with_undone_rules(
    story: Story, spans: Sequence[Span], undone: Sequence[Undone], doubt: float
) -> list[Span]:
    """Return the settings of a story's way, with the undone periods that excluded the story.

    The limits of ``spans`` are known with an accuracy of ``doubt`` seconds.
    """
    found = list(spans)
    for one in undone:
        ends = [
            before.end
            for before, after in pairwise(spans)
            if one.at - doubt <= before.end <= one.at + 2 * doubt + MINUTE
            and _is_changed(before.terms, after.terms, one.option)
        ]
        excluding = [
            span.begin
            for span in spans
            if max(one.since, story.taken_at) < span.end
            and _excludes(span.terms, story, one.option)
        ]
        if not ends or not excluding or one.at >= story.taken_at + DAY:
            continue
        # Another change, such as rules of the profile's own, does not send an excluded story.
        found = [
            span._replace(is_undone=True)
            if excluding[0] <= span.begin and span.end <= ends[-1] and brings(span)
            else span
            for span in found
        ]
    return found


def _is_changed(before: Terms | None, after: Terms | None, option: str) -> bool:
    if before is None or after is None:
        return False
    return bool(before.options.get(option) != after.options.get(option))


def _excludes(terms: Terms | None, story: Story, option: str) -> bool:
    """Return whether one option alone excludes a story."""
    if terms is None:
        return False
    others = {name: value for name, value in terms.options.items() if name != option}
    return contents.passes(story, others) and not contents.passes(story, terms.options)
