"""Cleaning of text from people or services. The module is pure."""

import re
import unicodedata

# These invisible characters are kept. Joiners are part of Persian words and of emoji. Tag
# characters are part of the flags of England and Wales.
_SOFT = frozenset("\u200c\u200d").union(map(chr, range(0xE0020, 0xE007F + 1)))
# Characters of keyboards of other scripts, and the ASCII text that the bot reads in their place.
# A mark that ends a word or a sentence is followed by a blank, because these scripts often omit
# the blank.
_AS_ASCII = {
    "\u2212": "-",
    "\uff20": "@",
    "\uff03": "#",
    "\uff1a": ":",
    "\u066b": ".",  # the Arabic decimal separator, as in "9.30"
    **dict.fromkeys("\u060c\u3001\uff0c\uff64", ", "),
    **dict.fromkeys("\u061b\uff1b", "; "),
    **dict.fromkeys("\u06d4\u0964\u0965\u3002\uff61", ". "),
    **dict.fromkeys("\u061f\uff1f", "? "),
    "\uff01": "! ",
}
# The semicolon of "&amp;" is part of a copied URL.
_BETWEEN_WORDS = re.compile(r"[\s,]+|(?<!&amp);+")
_AFTER_WORD = ".!?"
# The maximum of combining marks per letter; further marks would overlap neighbouring lines.
_MARKS = 4


def clean(text: str) -> str:
    """Remove characters from ``text`` that would damage the surrounding text; keep line breaks.

    Control characters (also of direction) and lone surrogates are removed, every kind of blank
    becomes a space, and a letter keeps at most 4 combining marks.
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
    """Return cleaned ``text`` as one line without extra blanks."""
    return " ".join(clean(text).split())


def typed(text: str) -> str:
    """Return text that a person typed or copied, without invisible marks and in ASCII form.

    The bot isolates names with invisible marks, and copied names contain these marks. Joiners
    stay, because joiners are part of words. Digits, the minus sign and the punctuation of all
    scripts become ASCII.
    """
    return text if text.isascii() else "".join(map(_typed_char, text))


def words_in(text: str) -> list[str]:
    """Return the words of a typed text. Blanks, commas and semicolons separate words.

    The marks that end a sentence are removed from the end of a word: no name ends with a mark.
    """
    words = [word for word in _BETWEEN_WORDS.split(typed(text)) if word]
    return [word.rstrip(_AFTER_WORD) or word for word in words]


def without_format(text: str) -> str:
    """Return ``text`` without any format character, joiners included."""
    return "".join(char for char in text if unicodedata.category(char) != "Cf")


def _typed_char(char: str) -> str:
    if char in _AS_ASCII:
        return _AS_ASCII[char]
    if unicodedata.category(char) == "Cf" and char not in _SOFT:
        return ""
    digit = unicodedata.decimal(char, None)
    return char if digit is None else str(digit)


def is_combining_mark(char: str) -> bool:
    """Return whether a character modifies the letter before the character, as Hindi vowels do."""
    return unicodedata.category(char).startswith("M")
