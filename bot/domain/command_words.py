"""The parser of the arguments of commands. The arguments are profile names and keywords.

The module is pure.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from bot.domain import links
from bot.domain.everyday_words import (
    FILLERS,
    is_connective,
    is_everyday_word,
    is_number_or_time_word,
    normalize_word,
)
from bot.domain.foreign_text import normalize_typed, typed_words
from bot.domain.links import Link
from bot.domain.plain_requests import is_known_word, joined_names_in

MOST = 10  # the maximum number of profiles per command
MOST_STORIES = 100
OURS = frozenset({"fast", "topic", "all"})
"""The keywords of commands. A profile whose name is a keyword is written with an @."""

_AROUND = ".!?…:\"'«»“”¡¿"
_NUMBER = re.compile(r"0*[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parsed arguments of a command."""

    names: tuple[str, ...]
    """The first ten distinct profile names."""
    unread: tuple[tuple[str, Link | None], ...]
    """The first ten distinct words that name no profile, each with the result of
    ``links.parse_username_or_link``.
    """
    words: frozenset[str]
    """The keywords."""
    count: int | None
    """A number from 1 to 100 after the names."""
    channel: str | None
    """An ``@name`` or an id (``-100…``) after the names."""
    left_out: int
    """The number of profile names after the first ten names."""
    everyday: tuple[str, ...] = ()
    """Words of sentences such as "please", and times.
    With such words, the person must confirm the names before a paid call.
    """
    is_prose: bool = False
    """Whether some of several names can be ordinary words."""


def parse(
    arguments: Sequence[str],
    *,
    words: Collection[str] = (),
    takes_count: bool = False,
    takes_channel: bool = False,
    language: str | None = None,
    is_answer: bool = False,
) -> Wanted:
    """Parse the arguments of a command. ``words`` are the keywords of the command.

    - ``takes_count``: The last of several words can be a number from 1 to 100.
    - ``takes_channel``: The last of several words can be a channel.
    - ``language``: Times, and everyday words of English and of this language, are usually not
      names. Without a language, every word can be a name.
    - ``is_answer``: The arguments answer a question of the bot. Common words are then usually not
      names.
    """
    rest = [word.strip(_AROUND) for argument in arguments for word in typed_words(argument)]
    rest = [word for word in rest if word]
    said_words = {word.lower() for word in rest if word.lower() in words}
    rest = [word for word in rest if word.lower() not in words]
    everyday: list[str] = []
    first = 1
    is_common = _is_sentence_word if is_answer else is_everyday_word
    is_no_name = partial(is_common, language=language or "en")
    if language:
        is_sentence = is_answer and len(rest) > 1
        first = 0 if is_sentence or _has_name_after_first(rest, is_no_name) else 1
        everyday += _pop_matching(rest, is_no_name, first)
    count = _pop_count_at_end(rest) if takes_count else None
    if language:
        everyday += _pop_matching(rest, is_number_or_time_word, first)
        everyday += [
            word for word in rest[:first] if is_no_name(word) or is_number_or_time_word(word)
        ]
    last = rest[-1] if rest else ""
    is_list = ends_with_list(arguments, words, language or "en", last=last)
    channel = _pop_channel_at_end(rest) if takes_channel and not is_list else None
    names: dict[str, None] = {}
    unread: dict[str, Link | None] = {}
    for word in rest:
        link = links.parse_username_or_link(word)
        if link is not None and link.username:
            names.setdefault(link.username)
        else:
            unread.setdefault(word, link)
    return Wanted(
        tuple(names)[:MOST],
        tuple(unread.items())[:MOST],
        frozenset(said_words),
        count,
        channel,
        max(0, len(names) - MOST),
        tuple(everyday),
        _may_some_names_be_words(arguments, tuple(names), language or "en"),
    )


def _may_some_names_be_words(
    arguments: Sequence[str], names: Sequence[str], language: str
) -> bool:
    """Return whether some of several names can be ordinary words (``Wanted.is_prose``)."""
    text = " ".join(arguments)
    written = [word for word in typed_words(text) if normalize_word(word) not in FILLERS]
    if len(names) <= 1 or not written or not is_everyday_word(written[0], language):
        return False
    return not set(names).issubset(joined_names_in(text, language))


def escape_names_as_arguments(names: Sequence[str], language: str) -> list[str]:
    """Return profile names in a form in which a command reads each of them as a name.

    An ambiguous name gets an @. If all names have an @, commas separate the names.
    """
    ambiguous = [name for name in names if _is_ambiguous(name, language)]
    clear = [name for name in names if name not in ambiguous]
    marked = [f"@{name}" for name in ambiguous]
    if clear:
        return [*marked, *clear]
    return [*(f"{name}," for name in marked[:-1]), *marked[-1:]]


def _is_ambiguous(name: str, language: str) -> bool:
    is_number = bool(_NUMBER.fullmatch(name))
    return (
        name in OURS
        or is_everyday_word(name, language)
        or is_number_or_time_word(name)
        or is_number
    )


def _is_sentence_word(word: str, language: str) -> bool:
    is_no_name = is_known_word(word, language) or normalize_word(word) in FILLERS
    return is_no_name or not any(
        char.isascii() and char.isalnum() for char in normalize_word(word)
    )


def _has_name_after_first(words: list[str], is_no_name: Callable[[str], bool]) -> bool:
    return not all(is_no_name(word) or is_number_or_time_word(word) for word in words[1:])


def ends_with_list(
    arguments: Sequence[str], words: Collection[str], language: str, *, last: str = ""
) -> bool:
    """Return whether the arguments end with a list, such as "nike, prada" or "nike and prada".

    The keywords ``words`` are ignored. If ``last`` is given, the arguments after the word ``last``
    are also ignored.
    """
    written = re.sub("[,;]", " , ", " ".join(map(normalize_typed, arguments))).split()
    rest = [word for word in written if word.lower() not in words]
    end = last.strip(_AROUND)
    while end and rest and rest[-1].strip(_AROUND) != end:
        rest.pop()
    if len(rest) < 2:  # noqa: PLR2004 - a joining word, and a word after it
        return False
    joining = rest[-2]
    return joining == "," or is_connective(joining, language)


def _pop_matching(words: list[str], is_match: Callable[[str], bool], first: int) -> list[str]:
    """Remove the words for which ``is_match`` returns True. Return the removed words.

    The words before the index ``first`` stay.
    """
    taken = [word for word in words[first:] if is_match(word)]
    words[first:] = [word for word in words[first:] if not is_match(word)]
    return taken


def _pop_count_at_end(words: list[str]) -> int | None:
    """Remove the last of several words if it is a number from 1 to 100. Return the number.

    Return None, and change nothing, if the last word is not such a number or is the only word.
    """
    last = words[-1] if len(words) > 1 else ""
    if _NUMBER.fullmatch(last) and 1 <= int(last) <= MOST_STORIES:
        words.pop()
        return int(last)
    return None


def _pop_channel_at_end(words: list[str]) -> str | None:
    """Remove the last of several words if it is a channel. Return the channel.

    Return None, and change nothing, if the last word is not a channel or is the only word.
    """
    last = words[-1] if len(words) > 1 else ""
    is_list = len(words) > 2 and all(word.startswith("@") for word in words)  # noqa: PLR2004 - two words are a profile and a channel
    is_ours = last.lower().removeprefix("@") in OURS
    if last.startswith("-100") or (last.startswith("@") and not is_list and not is_ours):
        return words.pop()
    return None
