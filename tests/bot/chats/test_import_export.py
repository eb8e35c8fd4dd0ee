"""What goes out as a file comes back in, and nothing else gets in."""

import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chats.import_export import BadFileError, ImportEntry, read, to_json, to_opml
from bot.domain.model import Options

options = st.builds(
    Options,
    silent=st.booleans(),
    media=st.sampled_from(("all", "photo", "video")),
    links_only=st.booleans(),
    mentions_only=st.booleans(),
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
        profile_id=st.integers(1, 10**12).map(str),
        options=options,
        paused=st.booleans(),
        thread_id=st.one_of(st.none(), st.integers(1, 2**40)),
    ),
    max_size=20,
    unique_by=lambda entry: (entry.username, entry.thread_id),
)


@given(entries)
def test_json_comes_back_whole(wanted: list[ImportEntry]) -> None:
    assert read(to_json(wanted)).entries == wanted


@given(entries)
def test_opml_comes_back_without_topics(wanted: list[ImportEntry]) -> None:
    found = read(to_opml(wanted)).entries
    first = {entry.username: entry for entry in reversed(wanted)}
    assert [(e.username, e.options, e.paused) for e in found] == [
        (name, first[name].options, first[name].paused)
        for name in dict.fromkeys(entry.username for entry in wanted)
    ]


def test_opml_is_what_readers_know() -> None:
    root = ET.fromstring(to_opml([ImportEntry("natgeo")]))  # noqa: S314 - our own
    [outline] = root.iter("outline")
    assert (root.tag, root.get("version")) == ("opml", "2.0")
    assert outline.get("url") == "https://www.instagram.com/natgeo/"


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for text in (data, b"<" + data, b'{"subscriptions": [' + data + b"]}"):
        try:
            read(text)
        except BadFileError:
            continue


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"5",
        b'"natgeo"',
        b"<rss/>",
        b"<opml",
        b"[" * 100_000,
        b" " * 300_000,
        b'<!DOCTYPE o [<!ENTITY a "b">]><opml>&a;</opml>',
        json.dumps(["natgeo"] * 1001).encode(),
    ],
)
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(BadFileError):
        read(data)


def test_lines_that_make_no_sense_are_named() -> None:
    rows = [
        "natgeo",
        "@Prada",
        "https://www.instagram.com/busy/",
        "no such name!",
        "https://www.instagram.com/p/Cabc/",
        {"username": 5},
        None,
        {"username": "quiet", "options": {"silent": "yes", "digest": True}, "thread_id": True},
        "natgeo",
    ]
    found = read(b"\xef\xbb\xbf" + json.dumps(rows).encode())
    assert [entry.username for entry in found.entries] == ["natgeo", "prada", "busy", "quiet"]
    assert found.entries[3].options == Options(digest=True)
    assert found.entries[3].thread_id is None
    assert found.skipped == ["no such name!", "https://www.instagram.com/p/Cabc/", "5", "None"]


def test_opml_of_other_programs_is_read_by_its_addresses() -> None:
    data = b"""<?xml version="1.0"?><opml version="1.0"><body><outline text="Folder">
      <outline text="x" htmlUrl="https://instagram.com/natgeo" storybellOptions="[1]"/>
      <outline text="y" xmlUrl="https://example.org/feed"/></outline></body></opml>"""
    found = read(data)
    assert [entry.username for entry in found.entries] == ["natgeo"]
    assert found.skipped == ["https://example.org/feed"]
