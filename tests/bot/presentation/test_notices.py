"""Notices: every kind has its sentence."""

from datetime import UTC

import pytest

from bot.domain.errors import MediaTooBigError
from bot.presentation.notices import SENTENCES, notice_messages
from bot.presentation.translation import translator_for
from tests.support.followed import HOUR, NOON

FIELDS = {"username": "nat<geo", "old": "a", "new": "b", "names": "x", "from_": NOON, "to": NOON}
T = translator_for("en").in_zone(UTC)


@pytest.mark.parametrize("notice", sorted(SENTENCES.keys() - {"missed"}))
def test_each_kind_is_a_sentence_without_holes(notice: str) -> None:
    [text] = notice_messages(notice, [FIELDS, FIELDS], T)
    assert "{" not in text
    assert "nat<geo" not in text


def test_missed_hours_of_several_profiles_are_one_line() -> None:
    start, end = (int(moment.timestamp() * 1000) for moment in (NOON, NOON + 3 * HOUR))
    rows = [
        {"username": "prada", "from": start + 5, "to": end},
        {"username": "natgeo", "from": start, "to": end - 5},
        {"username": "prada", "from": start, "to": end},
    ]
    [text] = notice_messages("missed", rows, T)
    assert "<b>natgeo</b> and <b>prada</b>" in text
    assert T.date_and_time(NOON) in text
    assert T.date_and_time(NOON + 3 * HOUR) in text


def test_what_could_not_be_brought_is_told_with_its_reason() -> None:
    row = {"username": "natgeo", "n": 1, "why": MediaTooBigError.text, "url": "https://x.y/1"}
    more = row | {"n": 2}
    first, second = notice_messages("failed", [row, row, more], T)
    assert "I couldn't send 1 new story from <b>natgeo</b>" in first
    assert 'href="https://x.y/1"' in first
    assert "2 new stories" in second
