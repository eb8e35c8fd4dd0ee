"""Text that people or services wrote: cleaned, and on one line; pure."""

import unicodedata

# Joiners make letters of Persian and whole emoji; tags spell the flags of England and Wales.
_SOFT = frozenset("\u200c\u200d").union(map(chr, range(0xE0020, 0xE007F + 1)))
_MARKS = 4  # combining marks a letter; more only climb over the neighbouring lines


def clean(text: str) -> str:
    """Return foreign ``text`` without what harms its neighbours; its lines stay.

    Controls (also of direction) and lone surrogates go, every kind of blank becomes a plain one,
    and a letter keeps at most 4 combining marks.
    """
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if char == "\n":
            kept.append(char)
        elif category in {"Cc", "Zs", "Zl", "Zp"}:
            kept.append(" ")
        elif marks <= _MARKS and (category not in {"Cf", "Cs"} or char in _SOFT):
            kept.append(char)
    return "".join(kept)


def one_line(text: str) -> str:
    """Return foreign ``text`` cleaned, as one line without blanks in excess."""
    return " ".join(clean(text).split())


def is_combining_mark(char: str) -> bool:
    """Return whether a character belongs to the letter before it, as vowels do in Hindi."""
    return unicodedata.category(char).startswith("M")
