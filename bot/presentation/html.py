"""Text for Telegram's HTML mode: escaping, directions, lengths."""

import html
import re
import unicodedata

from bot.domain.foreign_text import clean

# A tag in the form of the Bot API's "Formatting options". Telegram does not count the characters
# of a tag.
_TAG = re.compile(r"<[^<>]*>")
_ENTITY_BYTES = 12  # the size of the type, offset and length (TL, ``messageEntityBold``)
_FIRST_STRONG, _POP = "\u2068", "\u2069"


class Safe(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


def escape(text: object) -> Safe:
    """Clean and escape ``text`` for HTML and quoted attributes; return ``Safe`` text unchanged."""
    return text if isinstance(text, Safe) else Safe(html.escape(clean(str(text)), quote=True))


def isolate(text: str) -> str:
    """Isolate the direction of ``text`` (UAX 9: FSI … PDI); ``Safe`` text stays ``Safe``."""
    isolated = f"{_FIRST_STRONG}{text}{_POP}"
    return Safe(isolated) if isinstance(text, Safe) else isolated


def has_rtl(text: str) -> bool:
    """Return whether ``text`` contains a letter that is written from right to left."""
    return any(unicodedata.bidirectional(char) in {"R", "AL"} for char in text)


def foreign_html(text: str, *, rtl: bool) -> Safe:
    """Escape ``text`` from people, and isolate the text if directions could mix.

    ``rtl`` is whether the surrounding sentence is written from right to left.
    """
    safe = escape(text)
    return Safe(isolate(safe)) if rtl or has_rtl(safe) else safe


def link(url: str, text: str) -> Safe:
    """Return ``text`` (escaped unless ``Safe``) as a link to ``url``."""
    return Safe(f'<a href="{escape(url)}">{escape(text)}</a>')


def bold(text: str) -> Safe:
    """Return ``text`` (escaped unless ``Safe``) in bold."""
    return Safe(f"<b>{escape(text)}</b>")


def code(text: str) -> Safe:
    """Return cleaned text in code tags: the reader copies the text with a tap, in a fixed font."""
    return Safe(f"<code>{escape(text)}</code>")


def plain(markup: str) -> str:
    """Return the visible text of ``markup``: no tags, entities decoded."""
    return html.unescape(_TAG.sub("", markup))


def visible_length(markup: str) -> int:
    """Return the length that Telegram counts: code points after parsing."""
    return len(plain(markup))


def entities_size(markup: str) -> int:
    """Return the size in bytes of the entities of ``markup``, which includes the URLs of links."""
    tags = [tag for tag in _TAG.findall(markup) if not tag.startswith("</")]
    return sum(_ENTITY_BYTES + len(html.unescape(tag).encode()) for tag in tags)


def shorten(text: str, limit: int) -> str:
    """Shorten ``text`` (no markup) to at most ``limit`` code points, with an ellipsis for a cut.

    Marks and joiners stay with their letter, so that no emoji or accent is split.
    """
    if len(text) <= limit:
        return text
    end = max(limit - 1, 0)
    while end and (unicodedata.combining(text[end]) or "\u200d" in text[end - 1 : end + 1]):
        end -= 1
    return text[:end].rstrip() + "…" if limit > 0 else ""
