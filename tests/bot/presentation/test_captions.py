"""Captions, read back by Telegram's own parser: the text, its links, its length."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import tdjson
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.model import Profile, Reshared, Story
from bot.domain.options import Options
from bot.presentation.buttons import OPTIONS
from bot.presentation.captions import (
    CAPTION_LENGTH,
    LINK_ROOM,
    append_link,
    caption,
    profile_link,
)
from bot.presentation.html import isolate, visible_length
from bot.presentation.translation import LANGUAGES, Translator, translator_for
from tests.support.preferences import unlike_defaults

calm = settings(deadline=None)  # the machine may be busy with other tests
NOW = datetime(2026, 11, 25, 15, 5, tzinfo=UTC)
MADRID = ZoneInfo("Europe/Madrid")
ENGLISH = translator_for("en")
NATGEO = Profile("1", "natgeo", "National Geographic", is_verified=True)
STORY = Story("11", NOW - timedelta(hours=2), "photo", NATGEO)
RICH = replace(
    STORY,
    sponsors=("canon",),
    links=(
        "https://www.example.com/a/?x=1&y=2",
        "https://l.instagram.com/?u=https%3A%2F%2Fb.example%2F&e=AT",
    ),
    mentions=("NASA", "@space.x"),
    locations=("Kyoto & Nara",),
    hashtags=("wildlife", "日本 2026", "हिन्दी"),
)

HOSTILE = [
    "<b>bold</b>",
    "</a><script>alert(1)</script>",
    "&amp;lt;",
    "\u202egro.live",
    "a\u2066\u2067b",
    "nul\x00bell\x07",
    "\ud800lone\udfff",
    "z" + "\u0301" * 64,
    "👩\u200d👩\u200d👧" * 40,
    "שלום עולם",
    "\"quoted' & <",
    "line\nbreak\u2028",
    "{name} {n} %s",
    "http://[::1",
    "",
]
hostile = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=200))
words = st.lists(hostile, max_size=14).map(tuple)
profiles = st.builds(Profile, st.just("1"), hostile, full_name=hostile, is_verified=st.booleans())
stories = st.builds(
    Story,
    st.integers(1, 10**20).map(str),
    st.integers(0, 30 * 3600).map(lambda s: NOW - timedelta(seconds=s)),
    st.sampled_from(["photo", "video"]),
    profiles,
    mentions=words,
    links=st.lists(
        st.one_of(
            hostile, st.from_regex(r"https://[a-z]{1,30}\.com/[!-~]{1,1500}", fullmatch=True)
        ),
        max_size=14,
    ).map(tuple),
    hashtags=words,
    locations=words,
    sponsors=words,
)

tdjson.td_execute(b'{"@type": "setLogVerbosityLevel", "new_verbosity_level": 0}')


def parse(markup: str) -> tuple[str, list[dict[str, Any]]]:
    """Return text and entities as Telegram's own parser reads them."""
    request = {
        "@type": "parseTextEntities",
        "text": markup,
        "parse_mode": {"@type": "textParseModeHTML"},
    }
    answer = json.loads(tdjson.td_execute(json.dumps(request).encode()) or b"{}")
    assert answer["@type"] == "formattedText", answer
    return answer["text"], answer["entities"]


def links_in(markup: str) -> dict[str, str]:
    """Return the linked words with their addresses; offsets are UTF-16 units."""
    text, entities = parse(markup)
    units = text.encode("utf-16-le")
    return {
        units[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le"): e["type"][
            "url"
        ]
        for e in entities
        if e["type"]["@type"] == "textEntityTypeTextUrl"
    }


def of(*given_stories: Story, t: Translator = ENGLISH, **more: Any) -> str:
    return caption(given_stories, t.in_zone(MADRID), now=NOW, **more)


def test_a_story_tells_who_when_and_how_long() -> None:
    text, _ = parse(of(STORY))
    assert text == (
        "National Geographic · natgeo ☑️\n"
        "🕒 November 25, 2:05\u202fPM\n"
        "⏳ Disappears: November 26, 2:05\u202fPM"
    )


def test_all_that_a_story_holds_has_its_line_and_its_link() -> None:
    text, _ = parse(of(RICH))
    assert text.splitlines()[4:] == [
        "🤝 Paid partnership with canon",
        "🔗 example.com/a · b.example",
        "👤 NASA · space.x",
        "📍 Kyoto & Nara",
        "🏷 #wildlife · #日本2026 · #हिन्दी",
    ]
    assert links_in(of(RICH)) == {
        "National Geographic · natgeo": "https://www.instagram.com/natgeo/",
        "canon": "https://www.instagram.com/canon/",
        "example.com/a": "https://www.example.com/a/?x=1&y=2",
        "b.example": "https://b.example/",
        "NASA": "https://www.instagram.com/nasa/",
        "space.x": "https://www.instagram.com/space.x/",
        "Kyoto & Nara": "https://www.google.com/maps/search/?api=1&query=Kyoto+%26+Nara",
    }


def test_times_are_tagged_for_clients_that_keep_them_true() -> None:
    posted, ends = (int(STORY.taken_at.timestamp()), int(STORY.expires_at.timestamp()))
    for at in (posted, ends):
        assert f'<tg-time unix="{at}" format="r">' in of(STORY)


def test_the_one_link_at_the_end_has_its_room() -> None:
    crowd = replace(RICH, mentions=tuple(f"somebody.{n:020}" for n in range(40)))
    for code in LANGUAGES:
        t = translator_for(code)
        text = of(crowd, t=t, spare=LINK_ROOM)
        whole = append_link(text, t.plain(OPTIONS), "https://t.me/bot?start=sub--1", t)
        assert visible_length(whole) <= CAPTION_LENGTH
        assert links_in(whole)[t.plain(OPTIONS)] == "https://t.me/bot?start=sub--1"


def test_the_short_style_tells_when_and_who_paid() -> None:
    short = parse(of(RICH, options=Options()))[0]
    assert short.splitlines()[1:] == [
        "🕒 November 25, 2:05\u202fPM",
        "⏳ Disappears: November 26, 2:05\u202fPM",
        "",
        "🤝 Paid partnership with canon",
    ]
    # The links of an album have no buttons.
    album = parse(of(RICH, replace(STORY, pk="12"), options=Options()))[0]
    assert album.splitlines()[-1] == "🔗 example.com/a · b.example"


def test_posts_and_music_have_their_lines() -> None:
    posts = (Reshared("Cx1", "nasa"), Reshared("Cx2"), Reshared())
    told = of(replace(STORY, reshared=posts, music=("Adele: Hello",)))
    assert parse(told)[0].splitlines()[4:] == ["🔁 Post (nasa) · Post", "🎵 Adele: Hello"]
    assert links_in(told)["Post"] == "https://www.instagram.com/p/Cx2/"


def test_an_alert_says_that_it_is_new() -> None:
    assert parse(of(STORY, options=Options()))[0].startswith(
        "🔔 New story from National Geographic"
    )
    both = of(STORY, replace(STORY, pk="12"), options=Options())
    assert parse(both)[0].startswith("🔔 2 new stories from National Geographic")


def test_an_album_sums_up_its_stories() -> None:
    early = replace(RICH, pk="10", taken_at=NOW - timedelta(hours=5), mentions=("NASA", "esa"))
    text, _ = parse(of(early, RICH, part=(1, 2)))
    assert text.splitlines()[:3] == [
        "National Geographic · natgeo ☑️ · 1/2",
        "🕒 2 stories · November 25, 11:05\u202fAM\u2009\u2013\u2009November 25, 2:05\u202fPM",
        "⏳ The first one disappears: November 26, 11:05\u202fAM",
    ]
    assert "👤 NASA · esa · space.x" in text


def test_stories_of_an_hour_have_one_time_and_old_ones_their_days() -> None:
    near = replace(STORY, pk="10", taken_at=STORY.taken_at - timedelta(minutes=59))
    assert parse(of(near, STORY))[0].splitlines()[1] == "🕒 2 stories · November 25, 2:05\u202fPM"
    old = replace(STORY, pk="9", taken_at=NOW - timedelta(days=730))
    later = replace(old, pk="10", taken_at=old.taken_at + timedelta(days=3))
    days = "November 25, 2024\u2009\u2013\u2009November 28, 2024"
    assert parse(of(old, later))[0].splitlines()[1] == f"🕒 2 stories · {days}"
    assert parse(of(old))[0].splitlines()[1] == "🕒 November 25, 2024"


def test_a_story_that_is_over_has_no_time_left() -> None:
    assert "⏳" not in of(replace(STORY, taken_at=NOW - timedelta(hours=24)))


def test_a_handle_without_another_name_stands_alone() -> None:
    for name in ("", "NatGeo ", "\u2066"):
        text, _ = parse(profile_link(Profile("1", "natgeo", name), ENGLISH))
        assert text == "natgeo"


def test_the_least_important_lines_go_first_when_it_is_too_long() -> None:
    full = replace(
        RICH,
        links=tuple(f"https://example.com/{k}{'l' * 60}" for k in range(12)),
        mentions=tuple(f"{'m' * 28}{k:02}" for k in range(12)),
        hashtags=tuple(f"{'h' * 40}{k}" for k in range(12)),
    )
    text, _ = parse(of(full))
    assert len(text) <= CAPTION_LENGTH
    assert "🏷" not in text
    assert "👤" in text
    assert text.endswith("\n…")
    assert text.splitlines()[5].endswith(" …")  # eleven links and more are cut to ten


def test_a_long_address_does_not_make_the_request_too_big() -> None:
    links = tuple(f"https://example.com/{k}?{'&' * 1900}" for k in range(10))
    assert len(of(replace(STORY, links=links)).encode()) < 32768


def test_in_arabic_each_line_runs_from_right_to_left_and_names_keep_apart() -> None:
    arabic = translator_for("ar")
    for line in of(RICH, t=arabic, title="Oceans").splitlines():
        assert not line or line.startswith("\u200f")
    assert isolate("natgeo") in of(RICH, t=arabic)
    hebrew = replace(NATGEO, full_name="שלום")
    assert isolate("שלום") in of(replace(STORY, profile=hebrew))


@calm
@given(
    st.lists(stories, min_size=1, max_size=10),
    st.sampled_from(sorted(LANGUAGES)),
    st.sampled_from([None, Options(), unlike_defaults().options]),
)
def test_no_story_makes_a_caption_that_telegram_refuses(
    given_stories: list[Story], language: str, options: Options | None
) -> None:
    markup = of(*given_stories, t=translator_for(language), options=options)
    text, entities = parse(markup)
    assert len(text) <= visible_length(markup) <= CAPTION_LENGTH
    assert len(markup.encode()) <= 32768
    assert len(entities) <= 100
    kinds = {entity["type"]["@type"] for entity in entities}
    assert kinds <= {"textEntityTypeTextUrl", "textEntityTypeBold", "textEntityTypeDateTime"}
    opened, closed = text.count("\u2068"), text.count("\u2069")
    assert opened == closed
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\x00")
