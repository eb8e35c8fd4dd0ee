"""The terms that select stories, for example ``#sale @nike nike.com link video place:paris``.

A list of terms is a string of normalized terms that are separated by one space. The database
stores the form that people see and type.
"""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.domain.foreign_text import clean, is_combining_mark, normalize_typed, typed_words
from bot.domain.model import Story

LONGEST = 200  # the maximum number of characters of a list of terms

PLACE = "place:"
EVERYTHING = "everything"
"""The term that matches every story.

A subscription with this term has a rule of its own, so that the chat's rules do not apply to it.
"""
_KINDS = frozenset(
    {
        *("photo", "video", "link", "mention", "hashtag", "place", "sponsor", "reshare"),
        EVERYTHING,
    }
)

_HOST = re.compile(r"(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}")
_WWW = re.compile(r"^(?:www\.)+(?=[\w-]+\.)")
_NAME = re.compile(r"@(?!\.)(?!.*\.\.)[a-z0-9._]{1,30}(?<!\.)")
_HASHTAG = re.compile(r"#\w{1,100}")
_PLACE = re.compile(rf"{PLACE}[\w'-]{{1,60}}")
_HEAD = re.compile(r"(?<!\S)(only|not)(?::|(?!\S))", re.IGNORECASE)
_BEFORE_NAME = re.compile(r"^mention:(?=@)")


@dataclass(frozen=True, slots=True)
class Rules:
    """The parsed rules of a subscription or chat.

    ``only`` and ``without`` are lists of terms. ``left_out`` has the words that are not added to
    their list. These words are invalid terms, or terms that would make the list too long.
    """

    only: str = ""
    without: str = ""
    left_out: tuple[str, ...] = ()


def is_term(word: str) -> bool:
    """Return whether ``word`` is a valid term. ``word`` must be in lower case."""
    if word in _KINDS or _NAME.fullmatch(word) or _HOST.fullmatch(word):
        return True
    if len(word) > LONGEST:
        return False
    bare = "".join(char for char in word if not is_combining_mark(char))
    return bool(_HASHTAG.fullmatch(bare) or _PLACE.fullmatch(bare))


def valid_terms(text: str) -> str:
    """Return the distinct valid terms in a text as a string, in which blanks separate the terms.

    Other words are ignored, and also terms that would make the string longer than 200 characters.
    """
    kept = ""
    for word in dict.fromkeys(_split_words(text)):
        longer = f"{kept} {word}".strip()
        if is_term(word) and len(longer) <= LONGEST:
            kept = longer
    return kept


def parse_rules(text: str) -> Rules:
    """Parse rules such as ``only: #sale not: video``.

    The words before the first label (``only:`` or ``not:``) belong to ``only``. The colon of a
    label can be missing.
    """
    parts = _HEAD.split(normalize_typed(clean(text)))
    lists = {"only": parts[0], "not": ""}
    for head, terms in zip(parts[1::2], parts[2::2], strict=True):
        lists[head.lower()] += " " + terms
    kept = {head: valid_terms(terms).split() for head, terms in lists.items()}
    left_out = tuple(
        word for head in lists for word in _split_words(lists[head]) if word not in kept[head]
    )
    return Rules(" ".join(kept["only"]), " ".join(kept["not"]), left_out)


def _split_words(text: str) -> list[str]:
    """Return the words of a text in the form in which terms are stored.

    For example, ``www.nike.com`` becomes ``nike.com``, and ``mention:@nike`` becomes ``@nike``.
    """
    words = [_WWW.sub("", word) for word in typed_words(_comparable(text))]
    return [_BEFORE_NAME.sub("", word) for word in words]


def _comparable(text: str) -> str:
    """Return a text in the form in which terms are compared.

    The text is normalized by ``normalize_typed``, and is in lower case and in the Unicode form
    NFC.
    """
    return unicodedata.normalize("NFC", normalize_typed(text).lower())


def story_fits_term(story: Story, term: str) -> bool:
    """Return whether a story matches a term.

    - ``photo`` and ``video``: stories of this kind.
    - ``link``, ``mention``, ``hashtag``, ``place``, ``sponsor`` and ``reshare``: stories with
      such a part.
    - ``everything``: every story.
    - ``#word``: stories with this hashtag.
    - ``@name``: stories with this mention or sponsor.
    - ``place:word``: stories with a location whose name contains the word.
    - A host such as ``nike.com``: stories with a link to this host or its subdomains.
    """
    kinds: dict[str, object] = {
        "photo": story.kind == "photo",
        "video": story.kind == "video",
        "link": story.links,
        "mention": story.mentions,
        "hashtag": story.hashtags,
        "place": story.locations,
        "sponsor": story.sponsors,
        "reshare": story.reshared,
        EVERYTHING: True,
    }
    if term in kinds:
        return bool(kinds[term])
    if term.startswith("#"):
        return term[1:] in {_comparable(tag).removeprefix("#") for tag in story.hashtags}
    if term.startswith("@"):
        people = (*story.mentions, *story.sponsors)
        return term[1:] in {name.lower().removeprefix("@") for name in people}
    if term.startswith(PLACE):
        name = term.removeprefix(PLACE).replace("-", " ")
        return any(name in _comparable(place).replace("-", " ") for place in story.locations)
    hosts = {_host_of(url) for url in story.links}
    return any(host == term or host.endswith("." + term) for host in hosts)


def _host_of(url: str) -> str:
    """Return the host of a URL without ``www.``, or an empty string if the URL has no host."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
