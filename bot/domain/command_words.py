"""What the words after a command ask for: profiles, up to ten, and words of ours; pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.domain import links
from bot.domain.links import Link

MOST = 10  # profiles at once
MOST_STORIES = 100
OURS = frozenset({"fast", "topic", "all"})
"""Words that are no profile's name in a command; a profile so named is written with an @."""

_AROUND = ",;"
_NUMBER = re.compile(r"0*[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The profiles that were named, each once; ``unread`` are the words that name none.

    ``count`` is a last number, ``channel`` a last ``@name`` where one may stand, ``left_out`` how
    many profiles there were beyond ten.
    """

    names: tuple[str, ...]
    unread: tuple[tuple[str, Link | None], ...]
    words: frozenset[str]
    count: int | None
    channel: str | None
    left_out: int


def parse(
    arguments: Sequence[str],
    *,
    words: Collection[str] = (),
    takes_count: bool = False,
    takes_channel: bool = False,
) -> Wanted:
    """Return what ``arguments`` ask for; ``words`` are those of ours that the command knows.

    Where a channel may stand, the last of several words is one if it begins with @, unless all
    do: then it is a list of profiles.
    """
    rest = [word for one in arguments for word in one.replace(",", " ").split()]
    rest = [word.strip(_AROUND) for word in rest if word.strip(_AROUND)]
    said = {word.lower() for word in rest if word.lower() in words}
    rest = [word for word in rest if word.lower() not in words]
    count = _take_count(rest) if takes_count else None
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
    )


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
