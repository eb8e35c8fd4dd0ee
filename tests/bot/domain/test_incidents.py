"""When something is wrong: each condition at its edges, and no flapping at them."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import incidents
from bot.domain.incidents import (
    ACTIONS,
    CLOSING,
    LASTING,
    Condition,
    Seen,
    fields_from_json,
    fields_to_json,
    judge_conditions,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WELL = Seen(
    balance=10_000,
    spent_in_a_day=100,
    spent_today=10,
    budget=1000,
    check_price=2,
    dead_letters=0,
    free_bytes=50_000_000_000,
    disk_bytes=100_000_000_000,
    api_fails_since=None,
    telegram_fails_since=None,
)


def wrong(seen: Seen, *, before: set[str] = frozenset(), now: datetime = NOW) -> set[str]:  # type: ignore[assignment] # never changed
    found = judge_conditions(seen, is_open=dict.fromkeys(before, True), now=now)
    return {one.kind for one in found if one.text is not None}


@pytest.mark.parametrize(
    ("changed", "kinds"),
    [
        ({}, set()),
        ({"balance": 299}, {"balance"}),
        ({"balance": 300}, set()),
        ({"balance": 2, "spent_in_a_day": 1}, {"balance"}),
        ({"balance": -50}, {"balance"}),
        ({"balance": 0, "spent_in_a_day": 0}, set()),  # nothing is spent, so nothing runs out
        ({"balance": None}, set()),
        ({"spent_today": 799}, set()),
        ({"spent_today": 800}, {"budget_80"}),
        ({"spent_today": 998}, {"budget_80"}),
        ({"spent_today": 999}, {"budget_100"}),
        ({"spent_today": 1000}, {"budget_100"}),
        ({"dead_letters": 1}, {"parked"}),
        ({"unwritten": ["natgeo"]}, {"fan_out"}),
        ({"budget": 0}, {"budget_100"}),
        ({"free_bytes": None}, set()),
        ({"clock_off_s": 60.0}, set()),
        ({"clock_off_s": 61.0}, {"clock"}),
        ({"api_fails_since": NOW - LASTING}, {"api_fails"}),
        ({"api_fails_since": NOW - timedelta(minutes=4)}, set()),
        ({"telegram_fails_since": NOW - LASTING}, {"telegram"}),
        ({"slow_since": NOW - LASTING, "slow_servers": ["cdn"]}, {"slow_servers"}),
        ({"slow_since": NOW - timedelta(minutes=4), "slow_servers": ["cdn"]}, set()),
    ],
)
def test_each_condition_at_its_edge(changed: dict[str, object], kinds: set[str]) -> None:
    assert wrong(replace(WELL, **changed)) == kinds  # type: ignore[arg-type] # the fields of Seen


def test_what_is_open_is_over_only_when_there_is_some_room() -> None:
    assert wrong(replace(WELL, balance=399), before={"balance"}) == {"balance"}
    assert wrong(replace(WELL, balance=400), before={"balance"}) == set()


@pytest.mark.parametrize(
    ("disk_bytes", "full_below", "open_below"),
    [
        (1_000_000_000, 300_000_000, 360_000_000),
        (50_000_000_000, 1_500_000_000, 1_800_000_000),  # 3 %
        (100_000_000_000, 2_000_000_000, 2_400_000_000),  # less than 3 %
    ],
)
def test_a_disk_is_full_below_300_mb_or_3_percent_and_2_gb(
    disk_bytes: int, full_below: int, open_below: int
) -> None:
    disk = replace(WELL, disk_bytes=disk_bytes)
    assert wrong(replace(disk, free_bytes=full_below - 1)) == {"disk"}
    assert wrong(replace(disk, free_bytes=full_below)) == set()
    assert wrong(replace(disk, free_bytes=open_below - 1), before={"disk"}) == {"disk"}
    assert wrong(replace(disk, free_bytes=open_below), before={"disk"}) == set()


@given(st.integers(0, 10**6), st.integers(2, 10**5), st.integers(-100, 10**7))
def test_every_condition_is_judged_once_with_a_sentence_for_its_end(
    spent: int, budget: int, balance: int
) -> None:
    seen = replace(WELL, spent_today=spent, budget=budget, balance=balance)
    found: list[Condition] = list(judge_conditions(seen, is_open={}, now=NOW))
    kinds = [one.kind for one in found]
    assert len(kinds) == len(set(kinds))
    assert all(CLOSING[one.kind].endswith(".") for one in found)
    assert not {"budget_80", "budget_100"} <= wrong(seen)


def test_what_the_admins_are_told_has_its_figures() -> None:
    seen = replace(WELL, balance=256, spent_today=800, dead_letters=3, free_bytes=299_999_999)
    told = {one.kind: one.fields for one in judge_conditions(seen, is_open={}, now=NOW)}
    assert told["balance"] == {"n": 256, "time": timedelta(days=2.6)}
    assert told["budget_80"] == {"percent": 0.8, "n": 1000}
    assert told["budget_100"] == {"n": 1000}
    assert told["parked"] == {"count": 3}
    assert told["disk"] == {"megabytes": 299}
    nothing = replace(WELL, balance=-50, spent_in_a_day=1, budget=0)
    told = {one.kind: one.fields for one in judge_conditions(nothing, is_open={}, now=NOW)}
    assert told["balance"] == {"n": -50, "time": timedelta()}
    assert told["budget_80"] == {"percent": 1, "n": 0}


def test_fields_come_back_from_their_column_as_they_were() -> None:
    fields = {"time": timedelta(minutes=5), "since": NOW, "why": "x", "count": 3}
    assert fields_from_json(json.loads(json.dumps(fields_to_json(fields)))) == fields


NAMES_AN_ACTION = re.compile(
    r"/[a-z_]+|storybell |DAILY_BUDGET|REPLY_SHARE|SKIP_PRIVACY_CHECK|[Pp]lease"
)
OPENS_NONE = {incidents.DATABASE_BACK, *CLOSING.values()}


def test_each_incident_ends_with_what_the_owner_can_do() -> None:
    """Of the sentences of ``bot.domain.incidents``, which the other tests show to be said."""
    sentences = {
        value
        for name, value in vars(incidents).items()
        if name.isupper() and isinstance(value, str) and " " in value
    } - OPENS_NONE - set(ACTIONS.values())  # fmt: skip
    assert len(sentences) > 15
    without = [one for one in sentences if one not in ACTIONS and not NAMES_AN_ACTION.search(one)]
    assert without == []
    assert set(ACTIONS) <= sentences
