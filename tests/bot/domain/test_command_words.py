"""What the words after a command ask for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.command_words import MOST, OURS, Wanted, parse


def subscribed(text: str) -> Wanted:
    return parse(text.split(), words={"fast", "topic"}, takes_channel=True)


@pytest.mark.parametrize(
    ("text", "names", "channel", "words"),
    [
        ("natgeo nike prada", ("natgeo", "nike", "prada"), None, set()),
        ("natgeo, nike,prada", ("natgeo", "nike", "prada"), None, set()),
        ("natgeo fast", ("natgeo",), None, {"fast"}),
        ("natgeo nike FAST topic", ("natgeo", "nike"), None, {"fast", "topic"}),
        ("fast", (), None, {"fast"}),
        ("fast topic", (), None, {"fast", "topic"}),
        ("fast natgeo", ("natgeo",), None, {"fast"}),
        ("natgeo @fast", ("natgeo", "fast"), None, set()),
        ("natgeo @topic", ("natgeo", "topic"), None, set()),
        ("natgeo @mychannel", ("natgeo",), "@mychannel", set()),
        ("natgeo nike @mychannel fast", ("natgeo", "nike"), "@mychannel", {"fast"}),
        ("natgeo -1001234567890", ("natgeo",), "-1001234567890", set()),
        ("@natgeo", ("natgeo",), None, set()),
        ("@natgeo @mychannel", ("natgeo",), "@mychannel", set()),
        ("@natgeo @nike @prada", ("natgeo", "nike", "prada"), None, set()),
        ("natgeo NatGeo @natgeo nike", ("natgeo", "nike"), None, set()),
        ("https://www.instagram.com/natgeo/ nike", ("natgeo", "nike"), None, set()),
    ],
)
def test_names_channel_and_words(
    text: str, names: tuple[str, ...], channel: str | None, words: set[str]
) -> None:
    got = subscribed(text)
    assert (got.names, got.channel) == (names, channel)
    assert set(got.words) == words


@pytest.mark.parametrize(
    ("text", "names", "count"),
    [
        ("natgeo nike 3", ("natgeo", "nike"), 3),
        ("natgeo 3", ("natgeo",), 3),
        ("natgeo 100", ("natgeo",), 100),
        ("natgeo 101", ("natgeo", "101"), None),
        ("12345", ("12345",), None),
        ("natgeo @12345", ("natgeo", "12345"), None),
        ("natgeo 3 nike", ("natgeo", "3", "nike"), None),
        ("3", ("3",), None),
        ("natgeo 1", ("natgeo",), 1),
        ("natgeo 0012", ("natgeo",), 12),
        ("natgeo 00012", ("natgeo",), 12),
        ("natgeo 00000000012", ("natgeo",), 12),
        ("natgeo 0009999", ("natgeo", "0009999"), None),
        ("natgeo 0", ("natgeo", "0"), None),
    ],
)
def test_a_last_number(text: str, names: tuple[str, ...], count: int | None) -> None:
    got = parse(text.split(), takes_count=True)
    assert (got.names, got.count) == (names, count)


def test_what_is_no_name_is_told_apart() -> None:
    got = parse(["natgeo", "nat-geo", "https://evil.example/x"])
    assert got.names == ("natgeo",)
    assert [word for word, _ in got.unread] == ["nat-geo", "https://evil.example/x"]


@pytest.mark.parametrize(("count", "left_out"), [(1, 0), (10, 0), (11, 1), (13, 3)])
def test_more_than_ten_are_counted(count: int, left_out: int) -> None:
    got = parse([f"name{n}" for n in range(count)])
    assert len(got.names) == min(count, MOST)
    assert got.left_out == left_out


def test_where_no_number_and_no_channel_may_stand_each_word_is_a_name() -> None:
    got = parse(["natgeo", "3"])
    assert (got.names, got.count) == (("natgeo", "3"), None)
    got = parse(["natgeo", "@nike"])
    assert (got.names, got.channel) == (("natgeo", "nike"), None)


@given(st.lists(st.from_regex(r"[a-z0-9_]{1,10}", fullmatch=True), min_size=1, max_size=30))
def test_with_an_at_each_word_is_a_name(words: list[str]) -> None:
    got = parse([f"@{word}" for word in words], words=OURS, takes_count=True)
    assert got.count is None
    assert not got.words
    assert len(got.names) + len(got.unread) + got.left_out <= len(set(words)) + 1
