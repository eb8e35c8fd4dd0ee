"""The parser of the arguments of ``/past``, such as ``natgeo 7d`` or ``natgeo place:paris 30d``.

A search has a profile, terms, or both, and an optional number of days. A story must match all
terms. ``bot.domain.story_terms`` defines the terms.
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
    """A parsed search.

    The first word of the search can be a profile name (``username``), a term (``first_term``), or
    both, such as ``nike.com``. ``username`` is None if the word can't be a profile name, and
    ``first_term`` is empty if the word can't be a term. If the first word can be both, the caller
    decides. ``terms`` are the distinct terms after the first word. A first word that can only be a
    term is not repeated in ``terms``. ``days`` is the number of days, or None if the search has no
    number of days.
    """

    words: tuple[str, ...]
    username: str | None
    first_term: str
    terms: tuple[str, ...]
    days: int | None

    @property
    def text(self) -> str:
        """Return the search as the arguments of ``/past``. A number of days is the last word."""
        return " ".join(self.words)

    @property
    def all_terms(self) -> tuple[str, ...]:
        """Return the distinct terms of a search whose first word is a term."""
        return tuple(dict.fromkeys((self.first_term, *self.terms)))

    @property
    def may_name_website(self) -> bool:
        """Return whether the first word is a profile name that can also be a website."""
        return self.username is not None and "." in self.first_term


def parse_search(words: Sequence[str]) -> Search | None:
    """Parse the arguments of ``/past``.

    If the arguments have several words, the last or the first word can be a number of days
    (``30d``). The other words are the search words. A first search word that begins with ``@`` is
    no term. ``mention:@name`` is a term.

    Return None in these cases:

    - The arguments have no search words.
    - The first search word is neither a profile nor a term.
    - A later search word is no term.
    - The text of the search (``Search.text``) has more than 200 characters.
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


def fits_all(story: Story, terms: Sequence[str]) -> bool:
    """Return whether a story matches each of the terms."""
    return all(story_terms.fits(story, term) for term in terms)


def _split_off_days(words: tuple[str, ...]) -> tuple[int | None, tuple[str, ...]]:
    """Return the number of days in the words of a search, and the other words.

    A number of days has one to three digits, and can end with "d". The returned number is at least
    1. The last word is read as the number of days. If the last word is no such number, the first
    word is read. Return None as the number if neither of the two words is such a number, or if the
    search has a single word.
    """
    if len(words) > 1 and (match := _SPAN.fullmatch(words[-1])):
        return max(1, int(match[1])), words[:-1]
    if len(words) > 1 and (match := _SPAN.fullmatch(words[0])):
        return max(1, int(match[1])), words[1:]
    return None, words
