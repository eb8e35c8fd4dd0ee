"""What a chat decides of a subscription, as a column holds it."""

from datetime import timedelta

import pytest

from bot.domain.foreign_text import one_line
from bot.domain.options import TEXTS, Options, Preferences
from tests.support.followed import NOON


@pytest.mark.parametrize(
    "value",
    [
        {"media": True},
        {"media": "gif"},
        {"caption": False},
        {"only": True},
        {"without": None},
        {"silent": "yes"},
        {"silent": 1},
        {"colour": True},
        {"colour": "all"},
    ],
    ids=str,
)
def test_what_is_unknown_or_no_possible_value_is_left_out(value: dict[str, object]) -> None:
    assert Options.from_json(value) == Options()
    assert Options.from_json({**value, "keep": True}) == Options(keep=True)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_cleaned_to_one_short_line_that_any_database_holds(name: str) -> None:
    hostile = "#sale\n8-20\x00\ud800 " + "#ad my cat " * 1000
    kept = getattr(Options.from_json({name: hostile}), name)
    assert len(kept.encode()) <= 1000
    assert kept == one_line(kept)


def test_a_subscription_begins_with_no_option() -> None:
    assert not [name for name in Options.__dataclass_fields__ if getattr(Options(), name) is True]
    assert Options().to_json() == {}


def test_rules_are_the_texts_that_keep_stories_back() -> None:
    assert Options(only="#ad").rules == {"only": "#ad"}


def test_a_mute_that_is_over_is_none_nor_is_one_without_a_time() -> None:
    muted = Preferences(paused=True, paused_until=NOON)
    assert (
        muted.without_ended_pause(NOON)
        == Preferences()
        == Preferences.from_json({"paused_until": "soon"})
    )
    assert muted.without_ended_pause(NOON - timedelta(seconds=1)) == muted


def test_a_further_pause_never_shortens_a_pause() -> None:
    muted, paused = Preferences(paused=True, paused_until=NOON), Preferences(paused=True)
    later = Preferences(paused=True, paused_until=NOON + timedelta(days=1))
    assert Preferences().with_pause_at_least_until(NOON) == muted
    assert muted.with_pause_at_least_until(later.paused_until) == later
    assert later.with_pause_at_least_until(NOON) == later
    assert (
        muted.with_pause_at_least_until(None)
        == Preferences().with_pause_at_least_until(None)
        == paused
    )
    assert paused.with_pause_at_least_until(NOON) == paused
    assert muted.without_pause() == paused.without_pause() == Preferences()


@pytest.mark.parametrize(
    "until", ["9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+01:00"]
)
def test_a_mute_that_no_calendar_has_is_a_pause(until: str) -> None:
    read = Preferences.from_json({"paused": True, "paused_until": until})
    assert read == Preferences(paused=True)
