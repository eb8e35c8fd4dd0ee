"""Options as a column holds them."""

import pytest

from bot.domain.options import Options


@pytest.mark.parametrize(
    "value",
    [
        {"media": True},
        {"media": "gif"},
        {"caption": False},
        {"only": True},
        {"without": None},
        {"silent": "yes"},
        {"silent": 1},
        {"colour": True},
        {"colour": "all"},
    ],
    ids=str,
)
def test_what_is_unknown_or_no_possible_value_is_left_out(value: dict[str, object]) -> None:
    assert Options.of(value) == Options()
    assert Options.of({**value, "keep": True}) == Options(keep=True)
