"""People's text in Telegram's HTML: nothing breaks out, nothing turns its neighbours round."""

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
