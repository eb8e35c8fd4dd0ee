"""Common words, which are no profile names in a sentence."""

import pytest

from bot.domain.common_words import is_common_word


@pytest.mark.parametrize(
    ("word", "language", "is_common"),
    [
        ("useless", "en", True),
        ("Useless!", "de", True),
        ("charged", "en", True),
        ("noticing", "en", True),
        ("kriege", "de", True),
        ("kriege", "en", False),
        ("natgeo", "en", False),
        ("nike", "it", False),
        ("ding", "en", False),
        ("huh", "en", True),
        ("lmao", "fr", True),
        ("bentar", "id", True),
        ("bentar", "en", False),
    ],
)
def test_english_words_and_words_of_the_language_are_common(
    word: str, language: str, is_common: bool
) -> None:
    assert is_common_word(word, language) == is_common
