"""Single values off the wire: what makes sense is taken, and nothing else breaks anything."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.stories_api import fields

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.text("0123456789.-:TZ+_", max_size=30),
    st.lists(st.integers()),
    st.dictionaries(st.text(), st.integers()),
)
_OVERLONG = (10**400, -(10**400), math.inf, -math.inf, math.nan)
MOMENTS = st.datetimes(
    datetime(2010, 1, 2),  # noqa: DTZ001 - hypothesis gives them their zone
    datetime(2200, 12, 30),  # noqa: DTZ001 - the same
    timezones=st.just(UTC),
)


@given(ANYTHING)
def test_whatever_comes_has_its_type(value: object) -> None:
    assert isinstance(fields.id_or_empty(value), str)
    assert len(fields.name_text(value)) <= fields.LONGEST_NAME
    assert isinstance(fields.username_of(value), str)
    assert isinstance(fields.url_of(value), str | None)
    assert 0 <= fields.seconds_or_zero(value) <= fields.LONGEST_SECONDS
    assert abs(fields.number_or_zero(value)) < fields.MOST_NUMBER
    assert isinstance(fields.is_true(value), bool)
    moment = fields.time_of(value)
    assert moment is None or moment.utcoffset() == timedelta(0)


@given(ANYTHING)
def test_what_was_taken_is_taken_again(value: object) -> None:
    """Clean values stay as they are."""
    readers: tuple[Callable[[object], object], ...] = (
        fields.id_or_empty,
        fields.name_text,
        fields.username_of,
        fields.url_of,
        fields.seconds_or_zero,
        fields.number_or_zero,
        fields.is_true,
    )
    for read in readers:
        assert read(read(value)) == read(value)


@given(MOMENTS)
def test_a_moment_is_the_same_in_every_form(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    elsewhere = moment.astimezone(timezone(timedelta(hours=-7, minutes=30)))
    unix = int(moment.timestamp())
    forms = (moment.isoformat(), elsewhere.isoformat(), f"{moment:%Y-%m-%dT%H:%M:%SZ}")
    bare = f"{moment:%Y-%m-%dT%H:%M:%S}"  # without a zone it is UTC
    for form in (*forms, bare, unix, float(unix), str(unix)):
        assert fields.time_of(form) == moment, form


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "",
        "soon",
        "²",
        -1,
        1e12,
        math.inf,
        math.nan,
        "9" * 5000,
        "0001-01-01T00:00+14:00",
    ],
)
def test_what_is_no_moment_of_ours_is_none(value: object) -> None:
    assert fields.time_of(value) is None


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (3870828041672894129, "3870828041672894129"),
        ("3870828041672894129", "3870828041672894129"),
        ("3870828041672894129_787132", "3870828041672894129"),
        (0, "0"),
        ("1" * 30, "1" * 30),
        *(
            (bad, "")
            for bad in ("1" * 31, 10**30, -1, True, 1.0, "", "1_", "_1", "1\n", "\u0661", None)
        ),
    ],
)
def test_an_id_is_digits_and_its_owner_is_cut_off(value: object, found: str) -> None:
    assert fields.id_or_empty(value) == found
    if not found:
        with pytest.raises(ValueError, match="no id"):
            fields.id_of(value)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("NatGeo", "natgeo"),
        ("a.b_9", "a.b_9"),
        ("x" * 30, "x" * 30),
        *((bad, "") for bad in ("x" * 31, "a b", "a/b", "é", "a\n", "", 7, None)),
    ],
)
def test_a_handle_is_lower_case_or_nothing(value: object, found: str) -> None:
    assert fields.username_of(value) == found


@pytest.mark.parametrize(
    ("value", "is_taken"),
    [
        ("https://a.b/c?d=e", True),
        ("http://a.b", True),
        ("https://" + "x" * 4088, True),
        ("https://" + "x" * 4089, False),
        ("javascript:alert(1)", False),
        ("HTTPS://a.b", False),
        ("//a.b", False),
        ("https://a.b/\x00", False),
        ("https://a.b/\ud800", False),
        (5, False),
    ],
)
def test_an_address_is_of_the_web_or_none(value: object, is_taken: bool) -> None:
    assert fields.url_of(value) == (value if is_taken else None)


def test_numbers_have_bounds() -> None:
    assert [fields.seconds_or_zero(n) for n in (0.5, 86_400, 86_401, -1, 0, True)] == [
        0.5,
        86_400,
        0,
        0,
        0,
        0,
    ]
    assert [fields.seconds_or_zero(n) for n in _OVERLONG] == [0.0] * len(_OVERLONG)
    assert [fields.number_or_zero(n) for n in _OVERLONG] == [0.0] * len(_OVERLONG)
    assert [fields.time_of(n) for n in _OVERLONG] == [None] * len(_OVERLONG)
    assert [fields.id_or_empty(n) for n in _OVERLONG] == [""] * len(_OVERLONG)
    assert [fields.number_or_zero(n) for n in (2**53 - 1, 2**53, -2.5, True, "3")] == [
        2**53 - 1,
        0,
        -2.5,
        0,
        0,
    ]
    assert [fields.is_true(v) for v in (True, 1, "true", None)] == [True, False, False, False]
    assert fields.name_text("a\x00b\ud800c") == "abc"
