"""Text for Telegram's HTML mode: the escaping, writing direction and length of text."""

import html
import re
import unicodedata

from bot.domain.foreign_text import clean, is_combining_mark

# An HTML tag (Bot API, "Formatting options"). Telegram does not count the characters of tags.
_TAG = re.compile(r"<[^<>]*>")
# The size of the type, offset and length of an entity (TL, ``messageEntityBold``), in bytes.
_ENTITY_BYTES = 12
_FIRST_STRONG, _POP = "\u2068", "\u2069"
_JOINER = "\u200d"
# The combining class of a sign that joins two consonants, for example in Hindi.
_VIRAMA = 9
_REGIONAL = "".join(map(chr, range(0x1F1E6, 0x1F200)))
# The skin tones of emoji, and the tag characters of flags such as the flag of Wales.
_MODIFIERS = frozenset(map(chr, [*range(0x1F3FB, 0x1F400), *range(0xE0020, 0xE0080)]))


class Safe(str):
    """HTML text that must not be escaped again."""

    __slots__ = ()


def escape(text: object) -> Safe:
    """Return ``text``, cleaned and escaped for HTML and for quoted attributes.

    If ``text`` is ``Safe``, return ``text`` unchanged.
    """
    return text if isinstance(text, Safe) else Safe(html.escape(clean(str(text)), quote=True))


def paragraphs(*texts: str) -> Safe:
    """Join HTML texts, with an empty line between the texts."""
    return Safe("\n\n".join(texts))


def isolate(text: str) -> str:
    """Return ``text`` enclosed in characters that isolate its writing direction (Unicode UAX 9).

    If ``text`` is ``Safe``, the result is ``Safe`` too.
    """
    isolated = f"{_FIRST_STRONG}{text}{_POP}"
    return Safe(isolated) if isinstance(text, Safe) else isolated


def has_rtl(text: str) -> bool:
    """Return whether ``text`` contains a character that is written from right to left."""
    return any(unicodedata.bidirectional(char) in {"R", "AL"} for char in text)


def foreign_html(text: str, *, rtl: bool) -> Safe:
    """Return text from people, escaped and, if necessary, isolated.

    The text is isolated if the surrounding sentence (``rtl``) or a character of the text is
    written from right to left.
    """
    safe = escape(text)
    return Safe(isolate(safe)) if rtl or has_rtl(safe) else safe


def link(url: str, text: str) -> Safe:
    """Return a link to ``url`` with the label ``text``.

    The label is escaped, unless the label is ``Safe``.
    """
    return Safe(f'<a href="{escape(url)}">{escape(text)}</a>')


def bold(text: str) -> Safe:
    """Return ``text`` in bold. The text is escaped, unless the text is ``Safe``."""
    return Safe(f"<b>{escape(text)}</b>")


def code(text: str) -> Safe:
    """Return ``text`` in code tags, so that a reader can copy the text with a tap.

    The text is escaped, unless the text is ``Safe``.
    """
    return Safe(f"<code>{escape(text)}</code>")


def plain(markup: str) -> str:
    """Return the text that a reader sees: HTML without its tags and with decoded characters."""
    return html.unescape(_TAG.sub("", markup))


def visible_length(markup: str) -> int:
    """Return the length of ``markup`` that Telegram counts, in code points after parsing."""
    return len(plain(markup))


def entities_size(markup: str) -> int:
    """Return an estimate of the size of the entities in ``markup``, in bytes.

    The estimate includes the URLs of links.
    """
    tags = [tag for tag in _TAG.findall(markup) if not tag.startswith("</")]
    return sum(_ENTITY_BYTES + len(html.unescape(tag).encode()) for tag in tags)


def truncate_plain(text: str, limit: int) -> str:
    """Return plain text, shortened to at most ``limit`` code points.

    A shortened text ends with an ellipsis. If ``limit`` is 0, the result is empty. An emoji, a
    flag, and a letter with its marks are kept or dropped as a whole.
    """
    if len(text) <= limit:
        return text
    end = max(limit - 1, 0)
    while end and _is_inside_character(text, end):
        end -= 1
    return text[:end].rstrip() + "…" if limit > 0 else ""


def _is_inside_character(text: str, place: int) -> bool:
    """Return whether the index ``place`` is between two code points of one visible character.

    The rules are a short form of the grapheme clusters of the Unicode annex UAX 29.
    """
    before, after = text[place - 1], text[place]
    if after in _REGIONAL:
        # Two regional indicators form one flag. After an odd number of indicators, a cut would
        # split a flag.
        start = text[:place]
        return (len(start) - len(start.rstrip(_REGIONAL))) % 2 == 1
    is_joined = _JOINER in {before, after} or unicodedata.combining(before) == _VIRAMA
    return is_joined or after in _MODIFIERS or is_combining_mark(after)
