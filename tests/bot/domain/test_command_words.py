"""What the words after a command ask for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.command_words import MOST, OURS, Wanted, escape_names_as_arguments, parse


def subscribed(text: str) -> Wanted:
    return parse(text.split(), words={"fast", "topic"}, takes_channel=True)


@pytest.mark.parametrize(
    ("text", "names", "channel", "words"),
    [
        ("natgeo nike prada", ("natgeo", "nike", "prada"), None, set()),
        ("natgeo, nike,prada", ("natgeo", "nike", "prada"), None, set()),
        ("natgeo، nike،prada।", ("natgeo", "nike", "prada"), None, set()),
        ("natgeo、@nike؟", ("natgeo", "nike"), None, set()),
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
        ("natgeo, @nike", ("natgeo", "nike"), None, set()),
        ("natgeo; @nike", ("natgeo", "nike"), None, set()),
        ("natgeo & @nike fast", ("natgeo", "nike"), None, {"fast"}),
        ("natgeo!", ("natgeo",), None, set()),
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


@pytest.mark.parametrize(
    ("text", "language", "names", "everyday"),
    [
        ("natgeo every day now please", "en", ("natgeo",), ("every", "day", "now", "please")),
        ("natgeo nike prada", "en", ("natgeo", "nike", "prada"), ()),
        ("natgeo, prada and quiet", "en", ("natgeo", "prada"), ("and", "quiet")),
        ("natgeo Please!", "en", ("natgeo",), ("Please",)),
        ("natgeo pleaseee", "en", ("natgeo",), ("pleaseee",)),
        ("natgeo weekly digest", "en", ("natgeo",), ("weekly", "digest")),
        ("natgeo 9pm 10:30 24h 7", "en", ("natgeo",), ("9pm", "10:30", "24h", "7")),
        ("now", "en", ("now",), ("now",)),
        ("@now", "en", ("now",), ()),
        ("bitte", "de", ("bitte",), ("bitte",)),
        ("now natgeo", "en", ("natgeo",), ("now",)),
        ("@now natgeo", "en", ("now", "natgeo"), ()),
        ("natgeo @daily nike", "en", ("natgeo", "daily", "nike"), ()),
        ("natgeo https://www.instagram.com/daily/", "en", ("natgeo", "daily"), ()),
        ("natgeo und nike", "en", ("natgeo", "und", "nike"), ()),
        ("natgeo und nike", "de", ("natgeo", "nike"), ("und",)),
        ("natgeo and @nike", "en", ("natgeo", "nike"), ("and",)),
        ("natgeo und @nike", "de", ("natgeo", "nike"), ("und",)),
        ("natgeo каждый день", "ru", ("natgeo",), ("каждый", "день")),
        ("natgeo 300 1234567", "en", ("natgeo", "1234567"), ("300",)),
        ("por favor", "en", ("por", "favor"), ()),
    ],
)
def test_everyday_words_are_no_names_beside_a_name(
    text: str, language: str, names: tuple[str, ...], everyday: tuple[str, ...]
) -> None:
    got = parse(text.split(), words={"fast", "topic"}, takes_channel=True, language=language)
    assert (got.names, set(got.everyday)) == (names, set(everyday))


@pytest.mark.parametrize(
    ("text", "names", "channel"),
    [
        ("nike, @chan please", ("nike", "chan"), None),
        ("nike; @chan, please!", ("nike", "chan"), None),
        ("nike and @chan please", ("nike", "chan"), None),
        ("nike, @chan 5", ("nike", "chan"), None),
        ("nike, @chan 5 please", ("nike", "chan"), None),
        ("nike, @chan fast please", ("nike", "chan"), None),
        ("nike, @chan.", ("nike", "chan"), None),
        ("nike @chan please", ("nike",), "@chan"),
        ("nike @chan, please", ("nike",), "@chan"),
        ("nike @chan 5", ("nike",), "@chan"),
        ("nike, prada to @chan please", ("nike", "prada"), "@chan"),
        ("nike, please to @chan", ("nike",), "@chan"),
    ],
)
def test_a_list_of_names_may_have_everyday_words_and_a_count_at_its_end(
    text: str, names: tuple[str, ...], channel: str | None
) -> None:
    got = parse(text.split(), words={"fast"}, takes_channel=True, takes_count=True, language="en")
    assert (got.names, got.channel) == (names, channel)


def test_a_count_is_read_before_and_after_everyday_words() -> None:
    for text in ("natgeo 3 please", "natgeo please 3"):
        assert parse(text.split(), takes_count=True, language="en").count == 3
    assert parse(["natgeo", "0"], takes_count=True, language="en").names == ("natgeo",)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("can I see natgeo?", ("natgeo",)),
        ("please subscribe me to natgeo.", ("natgeo",)),
        ("show me the stories of natgeo…", ("natgeo",)),
        ("@see", ("see",)),
        ("see", ("see",)),
    ],
)
def test_in_an_answer_the_words_of_requests_are_no_names(
    text: str, names: tuple[str, ...]
) -> None:
    got = parse(text.split(), takes_count=True, language="en", is_answer=True)
    assert (got.names, got.unread) == (names, ())


@pytest.mark.parametrize("name", ["fast", "now", "300", "00012", "1234567", "natgeo"])
def test_a_name_as_an_argument_is_read_as_this_name(name: str) -> None:
    for words in ([name, "nike"], ["nike", name]):
        got = parse(
            escape_names_as_arguments(words, "en"), words=OURS, takes_count=True, language="en"
        )
        assert (set(got.names), got.everyday) == ({name, "nike"}, ())


@pytest.mark.parametrize(
    "names", [("please", "daily"), ("fast", "daily"), ("please", "daily", "now")]
)
def test_names_with_an_at_as_arguments_name_no_channel(names: tuple[str, ...]) -> None:
    arguments = escape_names_as_arguments(names, "en")
    got = parse(arguments, words=OURS, takes_channel=True, language="en")
    assert (got.names, got.channel, got.everyday) == (names, None, ())


def test_in_an_answer_a_first_everyday_word_is_no_name() -> None:
    got = parse(["please", "natgeo"], language="en", is_answer=True)
    assert (got.names, got.everyday) == (("natgeo",), ("please",))
    assert parse(["now"], language="en", is_answer=True).names == ("now",)
    assert not parse(["hmm", "what", "can", "i", "choose"], language="en", is_answer=True).names
