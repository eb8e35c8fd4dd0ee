"""People's text in Telegram's HTML: nothing breaks out, nothing turns its neighbours round."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.foreign_text import clean, one_line
from bot.presentation.html import (
    Safe,
    bold,
    escape,
    foreign_html,
    has_rtl,
    isolate,
    link,
    plain,
    truncate_plain,
    visible_length,
)

calm = settings(deadline=None)  # the machine may be busy with other tests


@calm
@given(st.text())
def test_cleaned_text_can_be_sent_and_read_back(text: str) -> None:
    safe = foreign_html(text, rtl=False)
    safe.encode()
    assert plain(safe).strip("\u2068\u2069") == clean(text)
    assert clean(clean(text)) == clean(text)
    assert "\n" not in one_line(text)
    assert visible_length(bold(text)) == len(clean(text))


def test_what_is_safe_is_not_escaped_again() -> None:
    assert link('https://e.x/?a=1&b="', bold("<&>")) == (
        '<a href="https://e.x/?a=1&amp;b=&quot;"><b>&lt;&amp;&gt;</b></a>'
    )
    assert escape(escape("&")) == "&amp;"
    assert isinstance(isolate(Safe("x")), Safe)
    assert not isinstance(isolate("x"), Safe)


def test_names_are_kept_apart_only_where_directions_could_mix() -> None:
    assert foreign_html("natgeo", rtl=False) == "natgeo"
    assert foreign_html("natgeo", rtl=True) == isolate("natgeo")
    assert foreign_html("ندى", rtl=False) == isolate("ندى")
    assert not has_rtl("12 é 日本")


@calm
@given(st.text(), st.integers(-1, 50))
def test_shortened_text_is_short_enough_and_a_beginning(text: str, limit: int) -> None:
    short = truncate_plain(text, limit)
    assert len(short) <= max(limit, 0)
    assert short == text or text.startswith(short.removesuffix("…"))


def test_an_emoji_of_many_parts_is_not_cut_in_two() -> None:
    family = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
    assert truncate_plain(f"ab{family}", 5) == "ab…"
    assert truncate_plain("e\u0301e\u0301e\u0301", 4) == "e\u0301…"
    assert truncate_plain("words and more", 7) == "words…"


@pytest.mark.parametrize(
    "character",
    [
        "\U0001f44d\U0001f3fd",  # a thumb with a skin tone
        "\u2764\ufe0f",  # a heart with the variation selector of emoji
        "1\ufe0f\u20e3",  # a key of a phone
        "\U0001f1eb\U0001f1f7",  # the flag of France
        "\U0001f3f4\U000e0067\U000e0062\U000e007f",  # a flag of tag characters
        "\u0915\u093f",  # a Hindi letter with a vowel sign
        "\u0915\u094d\u0937",  # a Hindi conjunct
    ],
)
def test_a_character_of_several_code_points_is_kept_or_dropped_as_a_whole(character: str) -> None:
    text = "ab" + character * 4
    whole = {"ab" + character * count for count in range(5)} | {"a", ""}
    for limit in range(1, len(text)):
        assert truncate_plain(text, limit).removesuffix("…") in whole
