"""The parser of links in a text. The parser classifies each link.

Links to foreign hosts are never fetched. The fetched URLs are built from the parsed parts, because
a second parser could interpret a hostile URL differently.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import unquote

from bot.domain.foreign_text import normalize_typed, remove_format_characters, typed_words

_LINK_LENGTH = 2048
_HOST_LENGTH = 253
PAGE = "https://www.instagram.com"
_HTTPS = "https://"
_AT = "story_media_id"

_PAGE_HOSTS = frozenset(
    {"instagram.com", "www.instagram.com", "m.instagram.com", "instagr.am", "www.instagr.am"}
)
_CDN_DOMAINS = (".cdninstagram.com", ".fbcdn.net")
_PORTS = {"http": "80", "https": "443"}

# The first segments of paths that lead to pages of Instagram itself. These segments cannot be
# usernames.
_RESERVED = re.compile(
    "_n|_u|about|accounts|api|ar|audio|blog|challenge|create|developers?|direct|directory|download"
    "|emails|explore|graphql|guides?|help|invites|legal|lite|nametag|oauth|p|press|privacy|reels?"
    "|s|session|share|stories|support|terms|topics|tv|web"
)
_OWN_STORIES = frozenset({"archive", "direct", "highlights", "me"})

_BREAK = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f]+|,(?=https?://|(?:www\.|m\.)?instagram\.com/)", re.IGNORECASE
)
_COMMAND = re.compile(r"/([A-Za-z0-9_]+)(?:@([A-Za-z0-9_]+))?")
_NO_SLASHES = re.compile(r"https?:.", re.IGNORECASE | re.ASCII)
_BARE = re.compile(
    r"(?:(?:www\.|m\.)?instagram\.com|(?:www\.)?instagr\.am)(?:[:@][^/?#]*)?/.",
    re.IGNORECASE | re.ASCII,
)
_AUTHORITY = re.compile(r"[^:]*://[^/?#]*")
# The leftmost scheme of a URL in a word (RFC 3986, section 3.1). The time of the search is linear,
# because the search starts only at the beginning of each run of scheme characters.
_SCHEME = re.compile(r"(?<![A-Za-z0-9+.-])[0-9+.-]*([A-Za-z][A-Za-z0-9+.-]*)://")
_STOP = re.compile(r'[<>"|`]')
_TRAILING = ".,;:!?'\"…)]}*~"
# Text of another script that follows a link without a blank, which is common in Japanese.
_TEXT_AFTER_SLASH = re.compile(r"(?<=/)[^\x00-\x7f][^A-Za-z0-9/?#]*$")
_SEGMENT = re.compile(r"[A-Za-z0-9._=-]+")
_USER = re.compile(r"(?!\.)(?!.*\.\.)[a-z0-9._]{1,30}(?<!\.)")
_ID = re.compile(r"[1-9][0-9]{0,29}")
_MEDIA_ID = re.compile(r"([1-9][0-9]{0,29})(?:_[0-9]+)?")
_LABEL = re.compile(r"(?!-|xn--)[a-z0-9-]{1,63}(?<!-)")
_BAD_PERCENT = re.compile(r"%(?![0-9a-f]{2})|%[01][0-9a-f]|%7f", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Link:
    """A link in a text, with only the fields that ``kind`` needs. Ids are texts."""

    kind: Literal["story", "profile", "highlight", "media", "unsupported", "rejected"]
    username: str | None = None
    story_id: str | None = None
    highlight_id: str | None = None
    url: str | None = None
    """The URL of a page, built from the parsed parts, or of a media file, with the exact
    signature. None means that the link must not be fetched.
    """
    is_page: bool = field(default=False, compare=False)
    """Whether the link leads to the page of a profile and not to its stories."""


_REJECTED = Link("rejected")
_UNSUPPORTED = Link("unsupported")


def find_links(text: str, bot: str = "storybot") -> list[Link]:
    """Return the links in ``text``, in their order, including rejected and unsupported links.

    For the command ``/stories`` to ``bot``, return only the link that the argument means. For any
    other command, return no links.
    """
    words = _words(text)
    command = _COMMAND.fullmatch(words[0]) if words else None
    if command is None:
        return _links_in(words)
    name = command[1].lower()
    addressee = command[2] or bot
    if name != "stories" or addressee.lower() != bot.lower():
        return []
    link = parse_username_or_link(" ".join(words[1:]))
    return [link] if link else []


def links_in_message(
    text: str, entities: Iterable[tuple[str, str | None]] = (), bot: str = "storybot"
) -> list[Link]:
    """Return the distinct links in the text or caption of a message, and in its entities.

    ``entities`` has the type and the ``url`` of each entity (Bot API, ``MessageEntity``). If the
    text is a command, the entities are ignored. A link to the stories of a profile replaces a link
    to the page of the profile.
    """
    words = _words(text)
    links = find_links(text, bot)
    if not (words and _COMMAND.fullmatch(words[0])):
        for kind, url in entities:
            if kind == "text_link" and url:
                links += _links_in(_words(url))
    stories = {link for link in links if not link.is_page}
    return list(dict.fromkeys(link for link in links if not (link.is_page and link in stories)))


def parse_username_or_link(argument: str) -> Link | None:
    """Return the link that the argument of a command means.

    A username, with or without an @, means the link of the profile. A different single word
    without a slash is rejected. Return None if the argument has no link.
    """
    match _words(normalize_typed(argument)):
        case [word] if "/" in word:
            return link_to_answer(_links_in([word]))
        case [word]:
            names = typed_words(remove_format_characters(word))
            return _profile_link(names[0].removeprefix("@")) if len(names) == 1 else None
        case _:
            return None


def parse_profile_username(argument: str) -> str | None:
    """Return the username in an argument that is a username or a link to a profile.

    Return None for any other argument, for example for a link to a single story.
    """
    link = parse_username_or_link(argument)
    return link.username if link and link.kind == "profile" else None


def link_to_answer(links: Iterable[Link]) -> Link | None:
    """Return the link that the bot answers if a text has several links.

    The first supported link takes precedence over the first rejected link, and both over
    unsupported links. Return None without links.
    """
    rank = {"rejected": 1, "unsupported": 2}
    return min(links, key=lambda link: rank.get(link.kind, 0), default=None)


def story_taken_at(pk: str) -> datetime | None:
    """Return the creation time of the story with the id ``pk``, accurate to some seconds.

    The id contains the time (source: docs/sandbox-stories.md). Return None if ``pk`` is not an id,
    or if the time is not plausible.
    """
    if not _ID.fullmatch(pk):
        return None
    milliseconds = (int(pk) >> 23) + _ID_EPOCH
    if not _FIRST_STORY_MS <= milliseconds <= _LAST_MS:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def has_story_probably_expired(pk: str, now: datetime) -> bool:
    """Return whether the creation time in a story's id is more than 25 hours ago.

    Return False if the id has no plausible time (``story_taken_at``).
    """
    taken_at = story_taken_at(pk)
    return taken_at is not None and now - taken_at > _LIFE_BY_ID


_ID_EPOCH = 1_314_220_021_721
_FIRST_STORY_MS = 1_470_000_000_000  # August 2016, when Instagram introduced stories
_LAST_MS = 4_102_444_800_000  # the year 2100
_LIFE_BY_ID = timedelta(hours=25)  # the life of a story plus an hour of tolerance


def _words(text: str) -> list[str]:
    return [word for word in _BREAK.split(text) if word]


def _links_in(words: Iterable[str]) -> list[Link]:
    return list(filter(None, map(_link_in, words)))


def _link_in(word: str) -> Link | None:
    """Return the link in a word, or None if the word contains no link."""
    if scheme := _SCHEME.search(word):
        return _link_of_url(_cut_text_after_link(word[scheme.start(1) :]), _LINK_LENGTH)
    starts = (place for place, char in enumerate(word) if not _may_precede_link(char))
    start = next(starts, len(word))
    candidate = _cut_text_after_link(_HTTPS + word[start:])
    bare = candidate.removeprefix(_HTTPS)
    if _NO_SLASHES.match(bare):
        return _REJECTED
    if not _BARE.match(bare):
        return None
    return _link_of_url(candidate, _LINK_LENGTH + len(_HTTPS))


def _may_precede_link(char: str) -> bool:
    """Return whether a link may follow directly after the character ``char``."""
    return char in "\"'`<" or unicodedata.category(char) in {"Ps", "Pi", "Pf", "Cf"}


def _cut_text_after_link(candidate: str) -> str:
    """Return the link at the beginning of the text ``candidate``, without the text after the link.

    The punctuation of the surrounding sentence does not belong to the link.
    """
    candidate = _STOP.split(candidate)[0]
    authority = _AUTHORITY.match(candidate)
    start = authority.end() if authority else 0
    ends = (
        place
        for place in range(start, len(candidate))
        if _is_non_ascii_delimiter(candidate[place])
    )
    candidate = candidate[: next(ends, len(candidate))]
    text = _TEXT_AFTER_SLASH.search(candidate, start)
    if text and text[0][0].isalpha():
        candidate = candidate[: text.start()]
    return candidate.rstrip(_TRAILING)


def _is_non_ascii_delimiter(char: str) -> bool:
    """Return whether a character is a non-ASCII character that ends the preceding link.

    Non-ASCII punctuation, symbols, separators and format characters end a link. Non-ASCII letters
    are not such characters.
    """
    if char.isascii():
        return False
    category = unicodedata.category(char)
    return category[0] in "PSZ" or category == "Cf"


def _link_of_url(candidate: str, limit: int) -> Link:
    """Return the link of a complete URL of the form ``SCHEME://…``.

    A URL that has more than ``limit`` characters is rejected.
    """
    if "\\" in candidate or not candidate.isascii() or len(candidate) > limit:
        return _REJECTED
    scheme, _, rest = candidate.partition("://")
    scheme = scheme.lower()
    end = next((index for index, char in enumerate(rest) if char in "/?#"), len(rest))
    host, colon, port = rest[:end].lower().partition(":")
    if scheme not in _PORTS or (colon and port != _PORTS[scheme]):
        return _REJECTED
    target = rest[end:].partition("#")[0]
    if host in _PAGE_HOSTS:
        return _link_of_page_path(target)
    if host.endswith(".instagram.com") and _is_host_name(host):
        return _UNSUPPORTED
    if host.endswith(_CDN_DOMAINS) and _is_host_name(host) and scheme == "https":
        return _media_link(host, target, rest[end:])
    return _REJECTED


def _is_host_name(host: str) -> bool:
    labels = host.split(".")
    return len(host) <= _HOST_LENGTH and all(_LABEL.fullmatch(label) for label in labels)


def _media_link(host: str, target: str, with_fragment: str) -> Link:
    """Return the link of the media file at ``target``, which is the path and query of the URL.

    A URL without a path is unsupported. A URL that libraries could interpret differently is
    rejected.
    """
    path = unquote(target.partition("?")[0]).replace("\\", "/")
    if _BAD_PERCENT.search(with_fragment) or {".", ".."} & set(path.split("/")):
        return _REJECTED
    return Link("media", url=f"https://{host}{target}") if path.strip("/") else _UNSUPPORTED


def _link_of_page_path(target: str) -> Link:  # noqa: PLR0911 - one line for each shape of a path
    """Return the link of a page of Instagram.

    The path of the URL decides the kind of link. The query is used only for shared highlights.
    """
    path, _, query = target.partition("?")
    if path in {"", "/"}:
        return _UNSUPPORTED
    segments = path[1:].removesuffix("/").split("/")
    if not all(_SEGMENT.fullmatch(segment) and segment.strip(".") for segment in segments):
        return _REJECTED
    first = segments[0].lower()
    match (first, *segments[1:]):
        case ("stories", word, highlight_id) if word.lower() == "highlights":
            return _highlight_link(highlight_id)
        case ("stories", word, *_) if word.lower() in _OWN_STORIES:
            return _UNSUPPORTED
        case ("stories", user, story_id):
            return _story_link(user, story_id)
        case ("stories", user):
            return _profile_link(user)
        case ("_u", user):
            return _profile_link(user, is_page=True)
        case ("s", code):
            return _shared_link(code, query)
        case (user,) if not _RESERVED.fullmatch(first):
            return _profile_link(user, is_page=True)
        case _:
            return _unsupported_link(segments)


def _unsupported_link(segments: list[str]) -> Link:
    """Return an unsupported link.

    If the link leads to a post and contains the username of the post's profile, the result has
    this username.
    """
    match segments:
        case (user, "p" | "reel" | "reels" | "tv", _) if not _RESERVED.fullmatch(user.lower()):
            return replace(_UNSUPPORTED, username=_profile_link(user).username)
        case _:
            return _UNSUPPORTED


def _profile_link(user: str, *, is_page: bool = False) -> Link:
    # ``isascii`` must be called before ``lower``, because ``lower`` turns the Kelvin sign into an
    # ASCII "k".
    if not user.isascii():
        return _REJECTED
    user = user.lower()
    if not _USER.fullmatch(user) or _RESERVED.fullmatch(user):
        return _REJECTED
    return Link("profile", username=user, url=f"{PAGE}/{user}/", is_page=is_page)


def _story_link(user: str, story_id: str) -> Link:
    owner = _profile_link(user)
    if owner.username is None or not _ID.fullmatch(story_id):
        return _REJECTED
    url = f"{PAGE}/stories/{owner.username}/{story_id}/"
    return Link("story", username=owner.username, story_id=story_id, url=url)


def _highlight_link(highlight_id: str, story_id: str | None = None) -> Link:
    if not _ID.fullmatch(highlight_id):
        return _REJECTED
    url = f"{PAGE}/stories/highlights/{highlight_id}/"
    return Link("highlight", story_id=story_id, highlight_id=highlight_id, url=url)


def _shared_link(code: str, query: str) -> Link:
    """Return the link of the highlight whose id is encoded in a ``/s/`` link.

    ``code`` is the part of the path with the id in base64. The link is unsupported if ``code``
    contains no highlight.
    """
    code = code.rstrip("=")
    try:
        text = base64.b64decode(code + "=" * (-len(code) % 4), altchars="-_", validate=True)
    except binascii.Error:
        return _UNSUPPORTED
    kind, _, highlight_id = text.decode("latin-1").partition(":")
    if kind != "highlight" or not _ID.fullmatch(highlight_id):
        return _UNSUPPORTED
    story = _MEDIA_ID.fullmatch(_value_in_query(query, _AT))
    return _highlight_link(highlight_id, story[1] if story else None)


def _value_in_query(query: str, name: str) -> str:
    """Return the first value of the parameter ``name`` in a query.

    Return an empty string if the query has no such parameter.
    """
    for part in query.split("&"):
        key, _, value = part.partition("=")
        if key == name:
            return value
    return ""
