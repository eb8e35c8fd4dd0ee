"""The cleaning and comparison of text from people or services. The module is pure."""

import re
import unicodedata

# The invisible characters that are kept: joiners, which are part of Persian words and of emoji,
# and tag characters, which are part of the flags of England and Wales.
_SOFT = frozenset("\u200c\u200d").union(map(chr, range(0xE0020, 0xE007F + 1)))
# The ASCII texts that replace characters from keyboards of other scripts. The text for a mark that
# ends a word or sentence includes a blank, because people often write no blank after such a mark.
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
# A semicolon after "&amp" does not separate words, because "&amp;" is part of a copied URL.
_BETWEEN_WORDS = re.compile(r"[\s,]+|(?<!&amp);+")
_AFTER_WORD = ".!?"
_APOSTROPHES = frozenset("'\u2018\u2019\u02bc`\u00b4")
APOSTROPHE = re.compile("[" + "".join(_APOSTROPHES) + "]")
_LAST_LATIN = "\u024f"
# The marks that people can omit: Arabic vowels and hamza, the Arabic lengthening stroke, and the
# Devanagari dot.
_OPTIONAL = frozenset(map(chr, range(0x064B, 0x0656))).union("\u0670\u0640\u093c")
# The letters that are replaced in comparisons, each with its replacement, which is a similar
# letter. People type either of the two letters, for example because of their keyboard.
_SAME_LETTERS = str.maketrans(
    {
        "\u0649": "\u064a",  # alef maksura becomes Arabic yeh
        "\u06cc": "\u064a",  # Persian yeh becomes Arabic yeh
        "\u06a9": "\u0643",  # keheh becomes kaf
        "\u0629": "\u0647",  # teh marbuta becomes heh
        "\u0131": "i",
        "\u0451": "\u0435",
        "\u0901": "\u0902",  # chandrabindu becomes anusvara; both mark a nasal vowel in Devanagari
    }
)
_ARABIC_OR_DEVANAGARI = "[\\u0600-\\u06ff\\u0900-\\u097f]"
_LATIN_JOINED = re.compile(
    rf"(?<={_ARABIC_OR_DEVANAGARI})(?=@?[A-Za-z])|(?<=[A-Za-z0-9])(?={_ARABIC_OR_DEVANAGARI})"
)
# The maximum number of nonspacing or enclosing marks after a letter or a spacing mark. More marks
# would overlap neighbouring lines.
_MARKS = 4
# The maximum number of letters of a short word before an apostrophe (as in "l'histoire"), and of
# an ending after an apostrophe (as in "natgeo's").
_ELISION = 2
_LONG_ELISIONS = frozenset({"dell", "all", "nell", "sull", "dall", "quell"})


def clean(text: str) -> str:
    """Return ``text`` without the characters that would damage the surrounding text.

    Most invisible format characters, lone surrogates and excessive marks on a letter are removed.
    Line feeds are kept. Each other control character, separator or blank becomes a space.
    """
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if category in {"Mn", "Me"}:
            marks += 1
        # Marks belong to the previous letter, even if a format character or a lone surrogate is
        # between the letter and the marks.
        elif category not in {"Cf", "Cs"}:
            marks = 0
        if char == "\n":
            kept.append(char)
        elif category in {"Cc", "Zs", "Zl", "Zp"}:
            kept.append(" ")
        elif char in _SOFT or (marks <= _MARKS and category not in {"Cf", "Cs"}):
            kept.append(char)
    return "".join(kept)


def one_line(text: str) -> str:
    """Return cleaned ``text`` as one line without extra blanks."""
    return " ".join(clean(text).split())


def normalize_typed(text: str) -> str:
    """Return the normalized form of a text that a person typed or copied.

    Most invisible format characters are removed, because the bot's own messages enclose names in
    such characters. The digits of all scripts, and the characters in ``_AS_ASCII``, become ASCII.
    """
    return text if text.isascii() else "".join(map(_normalize_typed_char, text))


def typed_words(text: str) -> list[str]:
    """Return the words of a text that a person typed or copied, in normalized form.

    Blanks, commas and usually semicolons separate words. Marks that end a sentence are removed
    from the end of a word, unless the word consists only of such marks.
    """
    words = [word for word in _BETWEEN_WORDS.split(normalize_typed(text)) if word]
    return [word.rstrip(_AFTER_WORD) or word for word in words]


def remove_format_characters(text: str) -> str:
    """Return ``text`` without any format characters, such as joiners (Unicode category Cf)."""
    return "".join(char for char in text if unicodedata.category(char) != "Cf")


def fold_for_comparison(text: str) -> str:
    """Return ``text`` in the form in which words are compared.

    The form ignores case, apostrophes, accents on Latin letters, optional marks, and differences
    between letters that people use in place of each other.
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


def separate_latin_from_arabic_and_devanagari(text: str) -> str:
    """Return ``text`` with a blank between Latin words and Arabic or Devanagari words.

    Arabic words such as "and" are written without a blank before the next word, which can be a
    Latin profile name.
    """
    return _LATIN_JOINED.sub(" ", text)


def main_part_beside_apostrophe(word: str) -> str:
    """Return the main part of a word with an apostrophe, such as "natgeo" for "natgeo's".

    Return an empty string if the word has no main part, as in "don't". A word without an
    apostrophe is returned unchanged.
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


def _normalize_typed_char(char: str) -> str:
    if char in _AS_ASCII:
        return _AS_ASCII[char]
    if unicodedata.category(char) == "Cf" and char not in _SOFT:
        return ""
    digit = unicodedata.decimal(char, None)
    return char if digit is None else str(digit)


def is_combining_mark(char: str) -> bool:
    """Return whether a character is a mark on the preceding letter, such as a Hindi vowel sign."""
    return unicodedata.category(char).startswith("M")
