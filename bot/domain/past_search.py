"""The parser of the arguments of ``/past``, such as ``natgeo 7d`` or ``natgeo place:paris 30d``.

A search has an optional profile, terms (``bot.domain.story_terms``) that all must match, and an
optional number of days.
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

    The first word may be a profile name (``username``), a term (``first_term``), or both, such as
    ``nike.com``. A word with both meanings is a name if the chat has kept stories of that profile.
    Otherwise the word is a term. ``terms`` are the terms after the first word.
    """

    words: tuple[str, ...]
    username: str | None
    first_term: str
    terms: tuple[str, ...]
    days: int | None

    @property
    def text(self) -> str:
        """Return the search as the arguments of the command, with the days last."""
        return " ".join(self.words)

    @property
    def all_terms(self) -> tuple[str, ...]:
        """Return the distinct terms of a search whose first word is a term."""
        return tuple(dict.fromkeys((self.first_term, *self.terms)))

    @property
    def may_name_website(self) -> bool:
        """Return whether the first word is a profile name that may also be a website."""
        return self.username is not None and "." in self.first_term


def parse_search(words: Sequence[str]) -> Search | None:
    """Parse the arguments of ``/past``.

    Return None without words, if the first word is no profile and no term, if a further word is no
    term, or if the search without repeated terms is longer than ``story_terms.LONGEST``. The last
    or first of several words may be a number of days (``30d``). A first word with ``@`` is a
    profile; ``mention:@name`` is a term.
    """
    written = tuple(part for word in words for part in typed_words(word))
    days, searched = _take_days(written)
    if not searched:
        return None
    first = searched[0]
    rest = searched[1:]
    link = links.parse_argument(first)
    username = link.username if link else None
    first_term = "" if first.startswith("@") else story_terms.valid_terms(first)
    by_term: dict[str, str] = {}
    for word in rest:
        by_term.setdefault(story_terms.valid_terms(word), word)
    if not all(by_term) or not (username or first_term):
        return None
    span = () if days is None else (f"{days}d",)
    search = Search((first, *by_term.values(), *span), username, first_term, tuple(by_term), days)
    return search if len(search.text) <= story_terms.LONGEST else None


def fits_all(story: Story, terms: Sequence[str]) -> bool:
    """Return whether a story matches each of the terms."""
    return all(story_terms.fits(story, term) for term in terms)


def _take_days(words: tuple[str, ...]) -> tuple[int | None, tuple[str, ...]]:
    """Return the days, at least 1, in the last or first of several words, and the other words."""
    if len(words) > 1 and (match := _SPAN.fullmatch(words[-1])):
        return max(1, int(match[1])), words[:-1]
    if len(words) > 1 and (match := _SPAN.fullmatch(words[0])):
        return max(1, int(match[1])), words[1:]
    return None, words
