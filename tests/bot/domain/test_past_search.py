"""The arguments of /past: a profile, terms and days."""

import pytest

from bot.domain.past_search import parse_search, story_fits_all
from tests.support.followed import story


@pytest.mark.parametrize(
    ("text", "username", "first_term", "terms", "days"),
    [
        ("natgeo", "natgeo", "", (), None),
        ("@natgeo 7d", "natgeo", "", (), 7),
        ("@nike.com", "nike.com", "", (), None),
        ("https://www.instagram.com/natgeo/ 0d", "natgeo", "", (), 1),
        ("nike.com 30D", "nike.com", "nike.com", (), 30),
        ("#Sale", None, "#sale", (), None),
        ("place:lisbon", None, "place:lisbon", (), None),
        ("natgeo place:paris,video 30", "natgeo", "", ("place:paris", "video"), 30),
        ("natgeo، place:paris؛video ۳۰", "natgeo", "", ("place:paris", "video"), 30),
        ("mention:@Nike link", None, "@nike", ("link",), None),
        ("video", "video", "video", (), None),
        ("natgeo link link LINK 7d", "natgeo", "", ("link",), 7),
        ("#sale #Sale", None, "#sale", (), None),
        ("video video", "video", "video", ("video",), None),
        ("7", "7", "", (), None),
    ],
)
def test_the_parts_of_a_search(
    text: str, username: str | None, first_term: str, terms: tuple[str, ...], days: int | None
) -> None:
    found = parse_search(text.split())
    assert found is not None
    assert (found.username, found.first_term, found.terms, found.days) == (
        username, first_term, terms, days,
    )  # fmt: skip
    again = parse_search(found.text.split())
    assert again == found


def test_a_search_has_each_term_once_and_at_most_two_hundred_characters() -> None:
    found = parse_search(["natgeo", *["place:paris", "#sale"] * 300, "7d"])
    assert found is not None
    assert found.terms == ("place:paris", "#sale")
    assert found.text == "natgeo place:paris #sale 7d"
    terms = [f"#sale{n:02}" for n in range(24)]  # 198 characters with the name
    assert parse_search(["natgeo", *terms]) is not None
    assert parse_search(["natgeo", *terms, "link"]) is None


@pytest.mark.parametrize(
    "text", ["natgeo lisbon", "? #sale", "natgeo 7 d", "natgeo -1d", "mention:nike", ",", ""]
)
def test_other_texts_are_no_search(text: str) -> None:
    assert parse_search(text.split()) is None


def test_each_term_must_match() -> None:
    one = story("1", kind="video", hashtags=("Sale",))
    assert story_fits_all(one, ("#sale", "video"))
    assert not story_fits_all(one, ("#sale", "photo"))
    assert story_fits_all(one, ())
