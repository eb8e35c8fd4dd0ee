"""Terms by which stories are chosen: ``#sale @nike nike.com link video place:paris``; pure text.

A list of terms is a string of terms in one form, with one space between: so it is stored, shown
and typed. What each means for a story is said in ``bot.domain.alert_rules``.
"""

import re
from dataclasses import dataclass

MOST = 20  # terms of one list
LONGEST = 200  # characters of one list

_KINDS = frozenset({"photo", "video", "link", "mention", "hashtag", "place", "sponsor", "reshare"})
PLACE = "place:"

_HOST = re.compile(r"(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}")
_NAME = re.compile(r"@[a-z0-9._]{1,30}")
_HASHTAG = re.compile(r"#\w{1,100}")
_PLACE = re.compile(rf"{PLACE}[\w'-]{{1,60}}")
_HEAD = re.compile(r"(?<!\S)(only|not)(?::|(?!\S))", re.IGNORECASE)
_SEPARATOR = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class Rules:
    """Two lists of terms, and the words that are no terms."""

    only: str = ""
    without: str = ""
    unknown: tuple[str, ...] = ()


def is_term(word: str) -> bool:
    """Return whether a word in lower case is a term."""
    return word in _KINDS or any(form.fullmatch(word) for form in (_HASHTAG, _NAME, _PLACE, _HOST))


def normalized(text: str) -> str:
    """Return the terms in a text, each once and in their order; what is none is left out.

    At most 20 terms and 200 characters.
    """
    kept = ""
    terms = [word for word in dict.fromkeys(_words(text)) if is_term(word)]
    for term in terms[:MOST]:
        longer = f"{kept} {term}".strip()
        if len(longer) <= LONGEST:
            kept = longer
    return kept


def parse(text: str) -> Rules:
    """Return the rules in ``only: #sale not: video``; words before the first head are *only*'s."""
    parts = _HEAD.split(text)
    lists = {"only": parts[0], "not": ""}
    for head, terms in zip(parts[1::2], parts[2::2], strict=True):
        lists[head.lower()] += " " + terms
    unknown = tuple(
        word for terms in lists.values() for word in _words(terms) if not is_term(word)
    )
    return Rules(normalized(lists["only"]), normalized(lists["not"]), unknown)


def _words(text: str) -> list[str]:
    return [word for word in _SEPARATOR.split(text.lower()) if word]
