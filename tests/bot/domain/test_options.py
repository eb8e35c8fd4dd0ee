"""Options as one number, which a button can carry, and as what a column holds."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.model import _FLAGS, Options

options = st.builds(
    Options,
    **{name: st.booleans() for name in _FLAGS},
    media=st.sampled_from(["all", "photo", "video"]),
    caption=st.sampled_from(["full", "short"]),
)


def test_every_option_has_its_place_in_the_number() -> None:
    assert {one.name for one in fields(Options)} == {
        *_FLAGS, "media", "caption",
        "only", "without",  # texts, which no number holds
    }  # fmt: skip


@given(options)
def test_the_number_says_all(chosen: Options) -> None:
    assert Options.of_code(chosen.code) == chosen
    assert chosen.code < 10_000  # the digits that a button's pattern takes


@given(st.integers(0, 9_999))
def test_any_number_is_some_options(code: int) -> None:
    assert isinstance(Options.of_code(code), Options)


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
