"""The parser of the arguments of ``/past``, such as ``natgeo 7d`` or ``natgeo place:paris 30d``.

A search has a profile, terms (``bot.domain.story_terms``), or both, and an optional number of
days.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain import links, story_terms
from bot.domain.foreign_text import typed_words
from bot.domain.model import Story

_SPAN = re.compile(r"([0-9]{1,3})d?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Search:
    """A parsed search."""

    words: tuple[str, ...]
    username: str | None
    """The first word as a profile name, or None."""
    first_term: str
    """The first word as a term, or an empty string.
    A word such as ``nike.com`` can be a profile name and a term, and the caller decides between
    the two.
    """
    terms: tuple[str, ...]
    """The distinct terms after the first word."""
    days: int | None
    """The number of days, or None if the search has no number of days."""

    @property
    def text(self) -> str:
        """Return the search as the arguments of ``/past``. A number of days is the last word."""
        return " ".join(self.words)

    @property
    def all_terms(self) -> tuple[str, ...]:
        """Return the distinct terms of the search, including its first word.

        The first word must be a term.
        """
        return tuple(dict.fromkeys((self.first_term, *self.terms)))

    @property
    def may_name_website(self) -> bool:
        """Return whether the first word of the search can be both a profile name and a website."""
        return self.username is not None and "." in self.first_term


def parse_search(words: Sequence[str]) -> Search | None:
    """Parse the arguments of ``/past``, or return None if the arguments are not a search.

    A search begins with a profile name or a term, and can have further terms and a number of days
    (``30d``). The text has at most 200 characters.
    """
    written = tuple(part for word in words for part in typed_words(word))
    days, searched = _split_off_days(written)
    if not searched:
        return None
    first = searched[0]
    rest = searched[1:]
    link = links.parse_username_or_link(first)
    username = link.username if link else None
    first_term = "" if first.startswith("@") else story_terms.valid_terms(first)
    by_term: dict[str, str] = {}
    for word in rest:
        by_term.setdefault(story_terms.valid_terms(word), word)
    if not all(by_term) or not (username or first_term):
        return None
    if username is None:  # the first word is certainly a term
        by_term.pop(first_term, None)
    span = () if days is None else (f"{days}d",)
    search = Search((first, *by_term.values(), *span), username, first_term, tuple(by_term), days)
    return search if len(search.text) <= story_terms.LONGEST else None


def story_fits_all(story: Story, terms: Sequence[str]) -> bool:
    """Return whether a story matches each of the terms."""
    return all(story_terms.story_fits_term(story, term) for term in terms)


def _split_off_days(words: tuple[str, ...]) -> tuple[int | None, tuple[str, ...]]:
    """Return the number of days (at least 1) in the words of a search, and the other words.

    The last or the first of several words can be a number such as "30d". Otherwise the number is
    None.
    """
    if len(words) > 1 and (match := _SPAN.fullmatch(words[-1])):
        return max(1, int(match[1])), words[:-1]
    if len(words) > 1 and (match := _SPAN.fullmatch(words[0])):
        return max(1, int(match[1])), words[1:]
    return None, words
