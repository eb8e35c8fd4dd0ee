"""Notices: every kind has its sentence."""

from datetime import UTC

import pytest

from bot.domain.errors import MediaTooBigError
from bot.presentation.html import length
from bot.presentation.notices import SENTENCES, render
from bot.presentation.translation import translator_for
from tests.support.followed import HOUR, NOON

FIELDS = {"username": "nat<geo", "old": "a", "new": "b", "names": "x", "from_": NOON, "to": NOON}
T = translator_for("en").in_zone(UTC)


@pytest.mark.parametrize("notice", sorted(SENTENCES.keys() - {"missed"}))
def test_each_kind_is_a_sentence_without_holes(notice: str) -> None:
    [text] = render(notice, [FIELDS, FIELDS], T)
    assert "{" not in text
    assert "nat<geo" not in text


def test_missed_hours_of_several_profiles_are_one_line() -> None:
    start, end = (int(moment.timestamp() * 1000) for moment in (NOON, NOON + 3 * HOUR))
    rows = [
        {"username": "prada", "from": start + 5, "to": end},
        {"username": "natgeo", "from": start, "to": end - 5},
        {"username": "prada", "from": start, "to": end},
    ]
    [text] = render("missed", rows, T)
    assert "<b>natgeo</b> and <b>prada</b>" in text
    assert T.date(NOON) in text
    assert T.date(NOON + 3 * HOUR) in text


def test_what_could_not_be_brought_is_told_with_its_reason() -> None:
    row = {"username": "natgeo", "n": 1, "why": MediaTooBigError.text, "url": "https://x.y/1"}
    more = row | {"n": 2}
    first, second = render("failed", [row, row, more], T)
    assert "I couldn't send 1 new story from <b>natgeo</b>" in first
    assert 'href="https://x.y/1"' in first
    assert "2 new stories" in second


def test_a_daily_summary_names_as_many_profiles_as_fit() -> None:
    counts = {f"a.profile.of.thirty.characters{n % 10}{n}": n for n in range(1, 201)}
    [text] = render("summary", [{"counts": counts}], T)
    named = text.count("<b>")
    assert 20 < named < 40
    assert text.endswith(f" and +{200 - named}")
    assert length(text) < 1_050
    [text] = render("summary", [{"counts": {"natgeo": 1234, "nike": 2}}], T)
    assert text == "🗞 Daily summary: <b>natgeo</b> (1,234) and <b>nike</b> (2)"
