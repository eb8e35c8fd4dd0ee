"""Text for Telegram's HTML mode: escaping, writing directions and lengths."""

import html
import re
import unicodedata

from bot.domain.foreign_text import clean

# A tag as in "Formatting options" of the Bot API. Telegram does not count a tag's characters.
_TAG = re.compile(r"<[^<>]*>")
_ENTITY_BYTES = 12  # bytes for type, offset and length of an entity (TL, ``messageEntityBold``)
_FIRST_STRONG, _POP = "\u2068", "\u2069"


class Safe(str):
    """HTML text that must not be escaped again."""

    __slots__ = ()


def escape(text: object) -> Safe:
    """Clean and escape ``text`` for HTML and for quoted attributes.

    Text of the class ``Safe`` is returned unchanged.
    """
    return text if isinstance(text, Safe) else Safe(html.escape(clean(str(text)), quote=True))


def isolate(text: str) -> str:
    """Enclose ``text`` so that the writing direction does not affect the neighbouring text.

    The enclosing characters are FSI and PDI of UAX 9. ``Safe`` text stays ``Safe``.
    """
    isolated = f"{_FIRST_STRONG}{text}{_POP}"
    return Safe(isolated) if isinstance(text, Safe) else isolated


def has_rtl(text: str) -> bool:
    """Return whether ``text`` contains a letter that is written from right to left."""
    return any(unicodedata.bidirectional(char) in {"R", "AL"} for char in text)


def foreign_html(text: str, *, rtl: bool) -> Safe:
    """Escape text from people. If writing directions could mix, also isolate the text.

    ``rtl`` means that the surrounding sentence is written from right to left.
    """
    safe = escape(text)
    return Safe(isolate(safe)) if rtl or has_rtl(safe) else safe


def link(url: str, text: str) -> Safe:
    """Return a link to ``url`` with the label ``text``. The label is escaped unless ``Safe``."""
    return Safe(f'<a href="{escape(url)}">{escape(text)}</a>')


def bold(text: str) -> Safe:
    """Return ``text`` in bold. The text is escaped unless ``Safe``."""
    return Safe(f"<b>{escape(text)}</b>")


def code(text: str) -> Safe:
    """Return ``text`` in code tags, so that a reader can copy the text with a tap."""
    return Safe(f"<code>{escape(text)}</code>")


def plain(markup: str) -> str:
    """Return the text that a reader sees, without tags and with decoded entities."""
    return html.unescape(_TAG.sub("", markup))


def visible_length(markup: str) -> int:
    """Return the length that Telegram counts, in code points after parsing."""
    return len(plain(markup))


def entities_size(markup: str) -> int:
    """Return the size in bytes of the entities in ``markup``. The URLs of links count too."""
    tags = [tag for tag in _TAG.findall(markup) if not tag.startswith("</")]
    return sum(_ENTITY_BYTES + len(html.unescape(tag).encode()) for tag in tags)


def shorten(text: str, limit: int) -> str:
    """Shorten plain text to at most ``limit`` code points. Shortened text ends with an ellipsis.

    Combining marks and joiners stay with their letter, so that no emoji or accented letter is
    split.
    """
    if len(text) <= limit:
        return text
    end = max(limit - 1, 0)
    while end and (unicodedata.combining(text[end]) or "\u200d" in text[end - 1 : end + 1]):
        end -= 1
    return text[:end].rstrip() + "…" if limit > 0 else ""
