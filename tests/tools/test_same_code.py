"""The comparison of two versions of a source text."""

import pytest

from tools.same_code import dump_code

CODE = '''
"""A module."""

LIMIT = 3
"""A field."""


def add(one: int, two: int = LIMIT) -> int:
    """Add."""
    return one + two  # a comment
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [('"""A module."""', '"""Another text."""'), ('    """Add."""\n', ""), ("  # a comment", "")],
)
def test_texts_and_comments_are_ignored(old: str, new: str) -> None:
    assert dump_code(CODE.replace(old, new)) == dump_code(CODE)


@pytest.mark.parametrize(("old", "new"), [("= 3", "= 4"), ("one + two", "one"), ("add", "sum_of")])
def test_a_change_of_the_code_is_found(old: str, new: str) -> None:
    assert dump_code(CODE.replace(old, new)) != dump_code(CODE)
