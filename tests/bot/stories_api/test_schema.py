"""The wire: the page's own examples byte for byte, a thousand broken ones, and hostile JSON."""

import copy
import json
import math
import random
from collections.abc import Callable
from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.model import Profile, Reshared, Sticker, Story
from bot.domain.paid_calls import Balance
from bot.domain.serialization import dump_stories, load_stories
from bot.stories_api.response import MalformedBodyError, decode_json
from bot.stories_api.schema import (
    balance_from,
    highlight_from,
    highlights_from,
    profile_from,
    stories_from,
    story_from,
)

FOLDER = Path("tests/data/stories")
RECORDED = {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.json"))}
STORIES: list[dict[str, Any]] = json.loads(RECORDED["user_stories"])
NATGEO = Profile("787132", "natgeo", "National Geographic", is_verified=True)


def everything_in(body: bytes) -> list[object]:
    """Read a body in every way; what comes out must be typed, storable and sendable."""
    found: list[object] = []
    readers: tuple[Callable[[object], object], ...] = (
        story_from,
        stories_from,
        profile_from,
        balance_from,
        highlight_from,
        highlights_from,
    )
    for reader in readers:
        try:
            found.append(reader(decode_json(body)))
        except MalformedBodyError:
            continue
    for value in found:
        stories = value if isinstance(value, list) else [value]
        for story in stories:
            check(astuple(cast("Any", story)))
    return found


def check(value: object) -> None:
    if isinstance(value, tuple | list):
        for item in value:
            check(item)
    elif isinstance(value, str):
        assert "\x00" not in value
        assert len(value.encode()) <= 16_384
    elif isinstance(value, float):
        assert math.isfinite(value)
    elif isinstance(value, int):
        assert abs(value) < 2**63
    elif isinstance(value, datetime):
        assert value.utcoffset() is not None


def test_the_pages_example_is_three_videos_of_natgeo() -> None:
    stories = stories_from(decode_json(RECORDED["user_stories"]))
    assert stories[0] == Story(
        pk="3870828041672894129",
        taken_at=datetime(2026, 4, 8, 14, 31, 15, tzinfo=UTC),
        kind="video",
        profile=NATGEO,
        media_url="https://scontent-ord5-3.cdninstagram.com/...",
        duration=14.965999603271484,
        mentions=("prada",),
        sponsors=("prada",),
    )
    assert [story.pk[-4:] for story in stories] == ["4129", "0239", "1445"]


def test_the_same_stories_by_name_differ_in_addresses_only() -> None:
    by_id = stories_from(decode_json(RECORDED["user_stories"]))
    by_name = stories_from(decode_json(RECORDED["user_stories_by_username"]))
    assert [(s.pk, s.taken_at, s.profile) for s in by_id] == [
        (s.pk, s.taken_at, s.profile) for s in by_name
    ]


def changed(**values: object) -> Story:
    return story_from({**STORIES[0], **values}, profile_id="787132", username="NatGeo")


@pytest.mark.parametrize("taken_at", [None, "soon", True, 10**30, -1, [], "0001-01-01"])
def test_a_time_that_is_none_comes_from_the_pk(taken_at: object) -> None:
    assert abs((changed(taken_at=taken_at).taken_at - changed().taken_at).total_seconds()) < 60


@pytest.mark.parametrize("user", [None, {}, "x", {"pk": None, "username": None}])
def test_who_was_asked_for_fills_what_is_missing(user: object) -> None:
    profile = changed(user=user).profile
    assert (profile.profile_id, profile.username) == ("787132", "natgeo")


def test_a_photo_is_its_thumbnail() -> None:
    story = changed(media_type=1, video_url=None, video_duration=0.0)
    url = "https://scontent-ord5-2.cdninstagram.com/..."
    assert (story.kind, story.media_url) == ("photo", url)


def test_a_video_without_a_file_is_not_its_poster() -> None:
    story = changed(video_url=None)
    assert (story.kind, story.media_url) == ("video", None)


def test_what_a_story_reshares_and_its_stickers_are_kept() -> None:
    story = changed(
        stickers=[
            {
                "type": "link",
                "x": 0.5,
                "story_link": {
                    "url": "https://l.instagram.com/?u=https%3A%2F%2Fb.example&e=1",
                    "link_title": "Read on",
                },
            },
            {"id": "x", "type": "gif", "x": "nonsense", "extra": {}},
            {"type": None, "story_link": {"url": 7}},
            "nonsense",
        ],
        medias=[
            {
                "media_pk": 3870828041672894129,
                "media_code": "DW38ZhqiKax",
                "user_id": 787132,
            },
            {"media_pk": "12345", "media_code": "../../evil"},
            {"media_code": "no"},
            None,
        ],
    )
    assert story.stickers == (
        Sticker("https://b.example", "Read on"),
        Sticker(""),
    )
    assert story.reshared == (
        Reshared("DW38ZhqiKax"),
        Reshared(),
        Reshared("no"),
    )
    assert story.reshared[0].page_url == "https://www.instagram.com/p/DW38ZhqiKax/"
    assert story.reshared[1].page_url == ""
    assert load_stories(dump_stories([story])) == [story]


def test_links_are_unwrapped_and_come_from_stickers_too() -> None:
    story = changed(
        links=[{"webUri": "https://a.example/x"}, {"webUri": "javascript:x"}, {"webUri": None}],
        stickers=[
            {
                "x": 0,
                "story_link": {"url": "https://l.instagram.com/?u=https%3A%2F%2Fb.example&e=1"},
            },
            {"story_link": {"url": "https://a.example/x"}},
            {"story_link": {"url": "https://l.instagram.com/?u=javascript:1"}},
            {"id": "gif"},
            7,
        ],
    )
    assert story.links == ("https://a.example/x", "https://b.example")


def test_parts_that_are_broken_are_left_out() -> None:
    story = changed(
        mentions=[{"user": {"username": "Prada"}}, {"user": {"username": "no no"}}, None, {}],
        hashtags=[{"hashtag": {"name": "sea\x00\ud800"}}, {"hashtag": None}],
        locations=[{"location": {"name": "Milan"}}, {"location": {"name": 3}}],
        sponsor_tags="prada",
    )
    assert story.mentions == ("prada",)
    assert story.hashtags == ("sea",)
    assert story.locations == ("Milan",)
    assert story.sponsors == ()


def test_a_broken_story_is_skipped_and_a_double_counts_once() -> None:
    assert len(stories_from([*STORIES, {"pk": None}, 3, STORIES[0]])) == 3
    with pytest.raises(MalformedBodyError):
        stories_from([{"pk": None}, 3])
    assert stories_from([]) == []


def test_unknown_keys_change_nothing() -> None:
    more = [{**story, **{f"new_{n}": [n] for n in range(200)}} for story in STORIES]
    assert stories_from(more) == stories_from(STORIES)


def test_profiles_and_balances() -> None:
    assert profile_from(STORIES[0]["user"]) == NATGEO
    assert profile_from({"user": {**STORIES[0]["user"], "is_private": True}}).is_private
    told = {"requests": 100000, "rate": 15, "currency": "USD", "amount": 100.0}
    assert balance_from(told) == Balance(100000, 15.0, 100.0)
    assert balance_from({"requests": -2}) == Balance(-2, 15.0)
    nothing: list[Any] = [None, {}, [], {"pk": "17", "type": "reel"}, {"requests": "9"}]
    for value in [*nothing, {"username": "x"}]:
        for reader in (profile_from, balance_from):
            with pytest.raises(MalformedBodyError):
                reader(value)


# --- broken bodies -------------------------------------------------------------------------------

ODD: list[object] = [
    *(None, True, 0, -1, 2**63, 10**40, 1e308, "", "x" * 100_000, "\x00", "\ud800", "\u202e"),
    *([], {}, [[]], {"pk": []}, "0" * 5000, "https://" + "a" * 10_000, "2026-13-45", [None] * 500),
]


def paths_in(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, item in value.items():
            found += paths_in(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += paths_in(item, (*path, index))
    return found


def change(chance: random.Random, place: Any, last: Any) -> None:
    deed = chance.choice(("drop", "odd", "wrap", "text", "twice"))
    if deed == "drop":
        del place[last]
    elif deed == "odd":
        place[last] = copy.deepcopy(chance.choice(ODD))
    elif deed == "wrap":
        place[last] = chance.choice(([place[last]], {"value": place[last]}))
    elif deed == "text":
        place[last] = str(place[last])
    elif isinstance(place, list):
        place += [place[last]] * 300


def mutated(chance: random.Random, value: Any) -> bytes:
    value = copy.deepcopy(value)
    for _ in range(chance.randint(1, 4)):
        if paths := paths_in(value):
            *way, last = chance.choice(paths)
            place = value
            for step in way:
                place = place[step]
            change(chance, place, last)
    body = json.dumps(value).encode()
    at = chance.randrange(max(1, len(body)))
    broken = (
        body[:at],
        body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :],
        body.replace(b'"pk"', b'"pk": "5", "pk"', 1),
    )
    return chance.choice((body, body, body, *broken))


@pytest.mark.parametrize("seed", range(20))
def test_a_thousand_broken_answers_are_typed_errors_or_storable_values(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    survivors = 0
    for _ in range(50):
        survivors += bool(everything_in(mutated(chance, chance.choice([STORIES, *STORIES]))))
    assert survivors  # else the mutations would be too wild to test anything


HOSTILE = {
    "deep list": b"[" * 200_000,
    "deep object": b'{"a":' * 200_000,
    "deep pk": b'{"pk":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "5,000 digits": b'{"pk": ' + b"9" * 5000 + b"}",
    "BOM": b"\xef\xbb\xbf" + RECORDED["story"],
    "UTF-16": RECORDED["story"].decode().encode("utf-16"),
    "bad UTF-8": b'{"pk": "1", "user": {"full_name": "\xff\xfe"}}',
    "NaN": b'{"pk": "3870828041672894129", "video_duration": NaN}',
    "Infinity": b'{"pk": "3870828041672894129", "video_duration": -Infinity}',
    "1e999": b'{"pk": "3870828041672894129", "video_duration": 1e999, "taken_at": 1e999}',
    "surrogate": b'{"pk": "3870828041672894129", "user": {"full_name": "\\ud800x"}}',
    "NUL": b'{"pk": "3870828041672894129", "user": {"full_name": "a\\u0000b"}}',
    "2^63": b'{"pk": 9223372036854775808, "media_type": 9223372036854775808}',
    "requests 2^63": b'{"requests": 9223372036854775808}',
    "empty": b"",
    "blank": b" \n",
    "two values": RECORDED["story"] * 2,
    "duplicate keys": b'{"pk": "3870828041672894129", "pk": "1"}',
    "just a text": b'"3870828041672894129"',
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_json_is_a_typed_error_or_a_storable_value(name: str) -> None:
    found = everything_in(HOSTILE[name])
    assert bool(found) is (name in {"BOM", "1e999", "surrogate", "NUL", "2^63"}), found


KEYS = st.sampled_from(sorted({*STORIES[0], *STORIES[0]["user"], "items", "requests"}))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.dictionaries(KEYS, JSON, max_size=12), st.lists(JSON, max_size=4), JSON))
def test_no_json_at_all_is_a_surprise(value: object) -> None:
    everything_in(json.dumps(value).encode())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_at_all_are_a_surprise(body: bytes) -> None:
    everything_in(body)


def test_a_highlight_with_its_stories_and_without() -> None:
    user = {"pk": "787132", "username": "natgeo", "is_private": False}
    items = [
        {"pk": "31", "taken_at": "2024-05-02T10:00:00Z", "media_type": 1},
        {"pk": "30", "taken_at": "2024-05-01T10:00:00Z", "media_type": 1},
        {"nothing": 1},
    ]
    one = highlight_from({"pk": 17, "title": "Sea", "user": user, "items": items})
    assert (one.pk, one.title, one.profile.username, one.count) == ("17", "Sea", "natgeo", 2)
    assert [(story.pk, story.highlight) for story in one.stories] == [("30", "17"), ("31", "17")]
    assert one.stories[0].profile.username == "natgeo"
    assert one.stories[0].page_url == "https://www.instagram.com/stories/highlights/17/"
    listed = highlights_from(
        [
            {"pk": "17", "title": "A", "media_count": 9},
            {"title": "no id"},
            {"pk": "17", "title": "B"},
        ]
    )
    assert [(one.pk, one.count) for one in listed] == [("17", 9)]


@pytest.mark.parametrize(
    "value",
    [None, [], {"pk": "1"}, {"pk": "x", "title": "A"}, {"pk": "1", "title": "A", "items": [{}]}],
)
def test_what_is_no_highlight(value: object) -> None:
    with pytest.raises(MalformedBodyError):
        highlight_from(value)


def test_a_list_in_which_nothing_is_a_highlight_is_nonsense() -> None:
    assert highlights_from([]) == []
    for value in ([{"a": 1}], None, "x"):
        with pytest.raises(MalformedBodyError):
            highlights_from(value)
