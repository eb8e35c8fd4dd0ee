"""Times of day as people type them."""

import pytest

from bot.domain.hours import parse_hour, parse_hours


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("23-7", (23 * 60, 7 * 60)),
        ("23:30 \u2013 07:15", (23 * 60 + 30, 7 * 60 + 15)),
        ("from 11pm to 7 a.m.", (23 * 60, 7 * 60)),
        ("12am-12pm", (0, 12 * 60)),
        ("8:30am-5:45pm", (8 * 60 + 30, 17 * 60 + 45)),
        ("9-5pm", (9 * 60, 17 * 60)),
        ("24-8", (0, 8 * 60)),
        ("\u0441 23 до 7", (23 * 60, 7 * 60)),
        ("von 23 bis 7 Uhr", (23 * 60, 7 * 60)),
        ("22h30 à 7h", (22 * 60 + 30, 7 * 60)),
        ("dalle 23 alle 7", (23 * 60, 7 * 60)),
        ("\u06f2\u06f3 تا \u06f7", (23 * 60, 7 * 60)),
        ("25-7", None),
        ("23-24:01", None),
        ("22:60-7", None),
        ("13pm-7", None),
        ("0pm-7", None),
        ("at night", None),
    ],
)
def test_from_when_to_when(text: str, hours: tuple[int, int] | None) -> None:
    assert parse_hours(text) == hours


@pytest.mark.parametrize(
    ("text", "minute"),
    [
        ("9:30 pm", 21 * 60 + 30),
        ("at 8", 8 * 60),
        ("23:59", 23 * 60 + 59),
        ("24", 0),
        ("1pm", 13 * 60),
        ("9ص", 9 * 60),
        ("9م", 21 * 60),
        ("um 9 Uhr", 9 * 60),
        ("\u043e 9:30", 9 * 60 + 30),
        ("8:61", None),
        ("soon", None),
    ],
)
def test_one_hour(text: str, minute: int | None) -> None:
    assert parse_hour(text) == minute
