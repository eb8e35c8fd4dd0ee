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
_APOSTROPHES = frozenset("'\u2018\u2019\u02bc`\u00b4")
APOSTROPHE = re.compile("[" + "".join(_APOSTROPHES) + "]")
_LAST_LATIN = "\u024f"
# Optional marks: Arabic vowels and hamza, the lengthening stroke, the Devanagari dot.
_OPTIONAL = frozenset(map(chr, range(0x064B, 0x0656))).union("\u0670\u0640\u093c")
# Letters that keyboards replace by each other.
_SAME_LETTERS = str.maketrans(
    {
        "\u0649": "\u064a",  # alef maksura, Persian yeh: Arabic yeh
        "\u06cc": "\u064a",
        "\u06a9": "\u0643",  # keheh: kaf
        "\u0629": "\u0647",  # teh marbuta: heh
        "\u0131": "i",
        "\u0451": "\u0435",
        "\u0901": "\u0902",  # the two Devanagari marks of a nasal vowel
    }
)
_OTHER_SCRIPT = "[\\u0600-\\u06ff\\u0900-\\u097f]"
_LATIN_JOINED = re.compile(
    rf"(?<={_OTHER_SCRIPT})(?=@?[A-Za-z])|(?<=[A-Za-z0-9])(?={_OTHER_SCRIPT})"
)
# The maximum of combining marks per letter; further marks would overlap neighbouring lines.
_MARKS = 4
_ELISION = 2  # letters of a short word before an apostrophe, or of an ending after an apostrophe
_LONG_ELISIONS = frozenset({"dell", "all", "nell", "sull", "dall", "quell"})


def clean(text: str) -> str:
    """Remove characters from ``text`` that would damage the surrounding text; keep line breaks.

    Invisible format characters, including marks of direction, and lone surrogates are removed.
    Joiners and the tag characters of flags stay. Each control character and each kind of blank
    becomes a space. A letter keeps at most 4 combining marks.
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
    stay, because joiners are part of words. The digits of all scripts, and the signs in
    ``_AS_ASCII``, become ASCII.
    """
    return text if text.isascii() else "".join(map(_typed_char, text))


def typed_words(text: str) -> list[str]:
    """Return the words of a typed text. Blanks, commas and semicolons separate words.

    The marks that end a sentence are removed from the end of a word: no name ends with a mark.
    """
    words = [word for word in _BETWEEN_WORDS.split(typed(text)) if word]
    return [word.rstrip(_AFTER_WORD) or word for word in words]


def without_format(text: str) -> str:
    """Return ``text`` without any format character, joiners included."""
    return "".join(char for char in text if unicodedata.category(char) != "Cf")


def folded(text: str) -> str:
    """Return ``text`` in the form for comparison of words.

    The form has no case, no apostrophes, no accents on Latin letters, no optional marks of other
    scripts, and one letter in place of the letters that keyboards replace by each other.
    """
    kept: list[str] = []
    base = ""
    for char in unicodedata.normalize("NFD", text.casefold()):
        is_mark = unicodedata.category(char) == "Mn"
        base = base if is_mark else char
        is_accent = is_mark and base <= _LAST_LATIN
        if not (is_accent or char in _OPTIONAL or char in _APOSTROPHES):
            kept.append(char)
    return unicodedata.normalize("NFC", "".join(kept)).translate(_SAME_LETTERS)


def with_script_gaps(text: str) -> str:
    """Return ``text`` with a blank between Latin and Arabic or Devanagari letters.

    Arabic writes "and" and "to" without a blank before the next word.
    """
    return _LATIN_JOINED.sub(" ", text)


def without_elision(word: str) -> str:
    """Return the main part of a word with an apostrophe.

    Return an empty string if the word has no main part, as in "don't". A word without an
    apostrophe is returned unchanged.

    "natgeo's" and Turkish "natgeo'nun" give "natgeo"; French "l'histoire" gives "histoire".
    """
    parts = APOSTROPHE.split(word, maxsplit=1)
    if len(parts) == 1:
        return word
    before, after = parts
    if after.lower() == "t":  # "don't"
        return ""
    if len(before) <= _ELISION or before.lower() in _LONG_ELISIONS:
        return after if len(after) > _ELISION else ""
    return before


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
