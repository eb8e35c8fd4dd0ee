"""What the words after a command ask for: up to ten profiles, and keywords; pure."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from bot.domain import links
from bot.domain.everyday_words import is_everyday_word, is_time
from bot.domain.foreign_text import typed
from bot.domain.links import Link

MOST = 10  # profiles at once
MOST_STORIES = 100
OURS = frozenset({"fast", "topic", "all"})
"""Keywords of commands; a profile of such a name is written with an @."""

_AROUND = ",;"
_NUMBER = re.compile(r"0*[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The profiles that a command names, each once; ``unread`` are the words that name none.

    ``count`` is a number at the end, ``channel`` an ``@name`` at the end where a channel may
    stand, ``left_out`` the number of profiles beyond ten. ``everyday`` are the words that were
    not taken for names: nothing is looked up before the person confirms the rest.
    """

    names: tuple[str, ...]
    unread: tuple[tuple[str, Link | None], ...]
    words: frozenset[str]
    count: int | None
    channel: str | None
    left_out: int
    everyday: tuple[str, ...] = ()


def parse(
    arguments: Sequence[str],
    *,
    words: Collection[str] = (),
    takes_count: bool = False,
    takes_channel: bool = False,
    language: str | None = None,
    is_answer: bool = False,
) -> Wanted:
    """Return what ``arguments`` ask for; ``words`` are the keywords of the command.

    Where a channel may stand, the last of several words is a channel if the word begins with @,
    unless all words do: then the words are a list of profiles. ``language`` is that of the chat:
    after the first name its everyday words are no names. None: every word may be a name. In an
    answer to a question (``is_answer``) the first word is no name either if it is an everyday
    word and a name follows.
    """
    rest = [word for one in arguments for word in typed(one).replace(",", " ").split()]
    rest = [word.strip(_AROUND) for word in rest if word.strip(_AROUND)]
    said = {word.lower() for word in rest if word.lower() in words}
    rest = [word for word in rest if word.lower() not in words]
    everyday: list[str] = []
    first = 1
    if language:
        is_said = partial(is_everyday_word, language=language)
        first = 0 if is_answer and _has_name_after_first(rest, language) else 1
        everyday += _take(rest, is_said, first)
    count = _take_count(rest) if takes_count else None
    if language:
        everyday += _take(rest, is_time, first)
    channel = _take_channel(rest) if takes_channel else None
    names: dict[str, None] = {}
    unread: dict[str, Link | None] = {}
    for word in rest:
        link = links.parse_argument(word)
        if link is not None and link.username:
            names.setdefault(link.username)
        else:
            unread.setdefault(word, link)
    return Wanted(
        tuple(names)[:MOST],
        tuple(unread.items())[:MOST],
        frozenset(said),
        count,
        channel,
        max(0, len(names) - MOST),
        tuple(everyday),
    )


def _has_name_after_first(words: list[str], language: str) -> bool:
    return not all(is_everyday_word(word, language) or is_time(word) for word in words[1:])


def _take(words: list[str], is_taken: Callable[[str], bool], first: int) -> list[str]:
    """Take words out of ``words`` from the place ``first`` on; return them."""
    taken = [word for word in words[first:] if is_taken(word)]
    words[first:] = [word for word in words[first:] if not is_taken(word)]
    return taken


def _take_count(words: list[str]) -> int | None:
    """Take the number off the end of the words, if there is one."""
    last = words[-1] if len(words) > 1 else ""
    if _NUMBER.fullmatch(last) and 1 <= int(last) <= MOST_STORIES:
        words.pop()
        return int(last)
    return None


def _take_channel(words: list[str]) -> str | None:
    """Take the channel off the end of the words, if there is one."""
    last = words[-1] if len(words) > 1 else ""
    is_list = len(words) > 2 and all(word.startswith("@") for word in words)  # noqa: PLR2004 - two are a profile and a channel
    is_ours = last.lower().removeprefix("@") in OURS
    if last.startswith("-100") or (last.startswith("@") and not is_list and not is_ours):
        return words.pop()
    return None
