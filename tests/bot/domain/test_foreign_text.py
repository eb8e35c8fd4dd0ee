"""People's text loses what harms its neighbours, and nothing else."""

import pytest

from bot.domain.foreign_text import (
    clean,
    fold_for_comparison,
    is_combining_mark,
    main_part_beside_apostrophe,
    normalize_typed,
    one_line,
    separate_latin_from_arabic_and_devanagari,
    typed_words,
)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("nul\x00bell\x07", "nul bell "),
        ("\u202egro.live\u2069", "gro.live"),
        ("\ud800lone\udfff", "lone"),
        ("two\nlines\tand\u2028three", "two\nlines and three"),
        ("z" + "\u0301" * 64, "z" + "\u0301" * 4),
        ("z" + ("\u0301" * 4 + "\u200e") * 5 + "b", "z" + "\u0301" * 4 + "b"),
        ("z" + ("\u0301" * 4 + "\ud800") * 5 + "b", "z" + "\u0301" * 4 + "b"),
        ("z" + ("\u0301" * 4 + "\u200d") * 3 + "b", "z" + "\u0301" * 4 + "\u200d" * 3 + "b"),
        ("z" + "\u0301" * 5 + "\ny" + "\u0301" * 5, "z" + "\u0301" * 4 + "\ny" + "\u0301" * 4),
        ("one\r\x85\u2028\u2029two", "one    two"),
        ("\U0001f469\u200d\U0001f467", "\U0001f469\u200d\U0001f467"),
        ("\U0001f3f4\U000e0067\U000e007f", "\U0001f3f4\U000e0067\U000e007f"),
        ("\ufeff\u200bx\u00ad", "x"),
        ("م\u200cی", "م\u200cی"),
    ],
)
def test_what_harms_its_neighbours_goes(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_a_line_is_one_without_blanks_in_excess() -> None:
    assert one_line(" two\nlines\t and\x00 three ") == "two lines and three"


@pytest.mark.parametrize(("char", "is_one"), [("\u0301", True), ("\u093f", True), ("a", False)])
def test_a_mark_belongs_to_the_letter_before_it(char: str, is_one: bool) -> None:
    assert is_combining_mark(char) is is_one


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("\u2068iso.one\u2069", "iso.one"),
        ("\u200f/stories\u200b natgeo ۲", "/stories natgeo 2"),
        ("٢٣-\u0667", "23-7"),
        ("२ घंटे", "2 घंटे"),
        ("\u2212100123", "-100123"),
        ("عکس\u200c", "عکس\u200c"),
    ],
)
def test_what_is_typed_is_read_without_marks_and_with_ascii_digits(text: str, read: str) -> None:
    assert normalize_typed(text) == read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("natgeo، nasa؛nike", ["natgeo", "nasa", "nike"]),
        ("natgeo、nasa\uff0cnike\uff1bprada", ["natgeo", "nasa", "nike", "prada"]),
        ("natgeo।", ["natgeo"]),
        ("natgeo؟", ["natgeo"]),
        ("natgeo\u06d4 nasa.", ["natgeo", "nasa"]),
        ("\uff20natgeo \uff03sale only\uff1a", ["@natgeo", "#sale", "only:"]),
        ("https://e.x/?a=1&amp;b=2", ["https://e.x/?a=1&amp;b=2"]),
        ("a.b, ?", ["a.b", "?"]),
        (" , ", []),
    ],
)
def test_the_marks_of_all_scripts_separate_and_end_words(text: str, words: list[str]) -> None:
    assert typed_words(text) == words


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("Cu\u00e1nto", "cuanto"),
        ("don\u2019t", "dont"),
        ("\u0130STANBUL", "istanbul"),
        (
            "\u0451\u0436 \u043c\u043e\u0439",
            "\u0435\u0436 \u043c\u043e\u0439",
        ),  # the breve of "\u0439" stays
        ("\u0623\u0648\u0642\u0641", "\u0627\u0648\u0642\u0641"),
        ("\u0634\u0643\u0631\u064b\u0627", "\u0634\u0643\u0631\u0627"),
        ("\u0915\u0940 \u092b\u093c", "\u0915\u0940 \u092b"),  # Hindi vowels stay
    ],
)
def test_a_folded_text_has_no_optional_marks(text: str, result: str) -> None:
    assert fold_for_comparison(text) == result


@pytest.mark.parametrize(
    ("word", "result"),
    [
        ("natgeo", "natgeo"),
        ("natgeo's", "natgeo"),
        ("natgeo\u2019nun", "natgeo"),
        ("l'histoire", "histoire"),
        ("dell'account", "account"),
        ("don't", ""),
        ("it's", ""),
    ],
)
def test_the_main_part_of_a_word(word: str, result: str) -> None:
    assert main_part_beside_apostrophe(word) == result


def test_scripts_are_separated() -> None:
    assert separate_latin_from_arabic_and_devanagari("\u0648nike") == "\u0648 nike"
    assert separate_latin_from_arabic_and_devanagari("nike\u0915\u0940") == "nike \u0915\u0940"
    assert (
        separate_latin_from_arabic_and_devanagari("nat\u0433eo") == "nat\u0433eo"
    )  # a Cyrillic letter in a name
