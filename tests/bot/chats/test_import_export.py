"""What goes out as a file comes back in, and nothing else gets in."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chats.import_export import UNREADABLE, ImportEntry, export_to_json, parse_import
from bot.domain.errors import BotError
from bot.domain.options import Options, Preferences
from tests.support.errors import raises
from tests.support.preferences import unlike_defaults

MOMENTS = st.datetimes(
    datetime(2, 1, 1),  # noqa: DTZ001 - hypothesis wants it naive
    datetime(9998, 12, 31),  # noqa: DTZ001 - the same
    timezones=st.just(UTC),
)

options = st.builds(
    Options,
    silent=st.booleans(),
    media=st.sampled_from(("all", "photo", "video")),
    spoiler=st.booleans(),
    protect=st.booleans(),
    caption=st.sampled_from(("full", "short")),
    digest=st.booleans(),
)
names = st.text("abz019_", min_size=1, max_size=8).map(lambda name: f"x{name}")
entries = st.lists(
    st.builds(
        ImportEntry,
        username=names,
        preferences=st.builds(
            Preferences,
            options,
            paused=st.booleans(),
            paused_until=st.one_of(st.none(), MOMENTS),
        ),
    ),
    max_size=20,
    unique_by=lambda entry: entry.username,
)


@given(entries)
def test_json_comes_back_whole(wanted: list[ImportEntry]) -> None:
    assert parse_import(export_to_json(wanted)).entries == wanted


def test_nothing_of_what_a_chat_decided_is_lost_in_a_file() -> None:
    entry = ImportEntry("natgeo", unlike_defaults())
    assert parse_import(export_to_json([entry])).entries == [entry]


def test_the_rules_of_the_chat_are_in_the_file() -> None:
    rules = Options(only="@nike", without="video")
    assert parse_import(export_to_json([], rules)).rules == rules
    assert parse_import(export_to_json([])).rules == Options()
    for odd in ('"x"', "[1]", '{"only": 7, "silent": true}'):
        assert parse_import(f'{{"subscriptions": [], "rules": {odd}}}'.encode()).rules == Options()


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for text in (data, b"<" + data, b'{"subscriptions": [' + data + b"]}"):
        try:
            parse_import(text)
        except BotError:
            continue


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"5",
        b'"natgeo"',
        b"<rss/>",
        b"[" * 100_000,
        b" " * 300_000,
        json.dumps(["natgeo"] * 1001).encode(),
    ],
)
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with raises(BotError, UNREADABLE):
        parse_import(data)


def test_lines_that_make_no_sense_are_named() -> None:
    rows = [
        "natgeo",
        "@Prada",
        "https://www.instagram.com/busy/",
        "no such name!",
        "https://www.instagram.com/p/Cabc/",
        {"username": 5},
        None,
        {"username": "quiet", "options": {"silent": "yes", "digest": True}},
        "natgeo",
    ]
    found = parse_import(b"\xef\xbb\xbf" + json.dumps(rows).encode())
    assert [entry.username for entry in found.entries] == ["natgeo", "prada", "busy", "quiet"]
    assert found.entries[0].preferences is None
    assert found.entries[3].preferences == Preferences(Options(digest=True))
    assert found.skipped == ["no such name!", "https://www.instagram.com/p/Cabc/", "5", "None"]
