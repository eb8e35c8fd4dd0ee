"""Who may use the bot: the verdict of the list in every kind of chat, and how it is written to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.access import (
    Entry,
    Judged,
    Mode,
    Subject,
    judge_access,
    parse_block_end_and_reason,
    parse_span,
    parse_telegram_id_or_profile,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ASKED = Entry(
    kind="person",
    subject="7",
    name="Ann",
    is_allowed=False,
    is_owner=False,
    via="",
    added_by="",
    since=NOW - HOUR,
    blocked_since=None,
    blocked_until=None,
    reason="",
    refused_at=None,
    allowance=None,
)
LET = replace(ASKED, is_allowed=True)
BLOCKED = replace(LET, blocked_since=NOW - HOUR)
GROUP = replace(LET, kind="chat", subject="-100", via="added", added_by="8")


def judged(
    chat_id: int | None, mode: Mode = "invited", *, person_id: int | None = 7, **rows: Entry
) -> Judged:
    if "adder" in rows:
        rows["adder"] = replace(rows["adder"], subject="8")
    listed = [*rows.values()]
    return judge_access(mode, chat_id, rows=listed, person_id=person_id, responsible="8", now=NOW)


@pytest.mark.parametrize(
    ("until", "now", "is_blocked"),
    [
        (None, NOW, True),
        (NOW + HOUR, NOW, True),
        (NOW + HOUR, NOW + HOUR, False),
    ],
)
def test_a_block_holds_until_its_end(
    until: datetime | None, now: datetime, *, is_blocked: bool
) -> None:
    assert replace(BLOCKED, blocked_until=until).is_blocked(now) is is_blocked
    assert not LET.is_blocked(now)


@pytest.mark.parametrize("chat_id", [None, 7, -100])
def test_a_person_is_judged_by_their_own_row_everywhere(chat_id: int | None) -> None:
    assert judged(chat_id, person=LET).verdict == "let"
    assert judged(chat_id, person=BLOCKED) == Judged("blocked", Subject("person", "7"), BLOCKED)
    assert judged(chat_id, "open", person=BLOCKED).verdict == "blocked"
    assert judged(chat_id, "open").verdict == "let"
    stranger = judged(chat_id, person=ASKED)
    assert stranger.verdict == "stranger"
    assert stranger.entry == (None if chat_id == -100 else ASKED)


def test_who_is_meant() -> None:
    assert judged(None).about == judged(7).about == Subject("person", "7")
    # A button in a private chat may be pressed by somebody else: it is about who presses.
    assert judged(8).about == judged(1).about == Subject("person", "7")
    assert judged(7, person_id=None).about == Subject("person", "7")
    assert judged(None, person_id=None).about.id == "0"
    assert judged(-100).about == Subject("chat", "-100")
    assert judged(-100, person_id=None).about == Subject("chat", "-100")


def test_a_group_lets_all_in_while_neither_it_nor_who_added_it_is_blocked() -> None:
    assert judged(-100, chat=GROUP).verdict == "let"
    assert judged(-100, chat=GROUP, adder=LET).verdict == "let"
    blocked = replace(GROUP, blocked_since=NOW)
    assert judged(-100, chat=blocked) == Judged("blocked", Subject("chat", "-100"), blocked)
    for mode in ("invited", "open"):
        for chat in (GROUP, replace(GROUP, via="owner")):
            adder = replace(BLOCKED, subject="8")
            assert judged(-100, mode, chat=chat, adder=BLOCKED) == Judged(
                "blocked", Subject("person", "8"), adder, is_silent=True
            )
        assert judged(-100, mode, adder=BLOCKED).verdict == "blocked"
    asked = replace(GROUP, is_allowed=False)
    assert judged(-100, chat=asked) == Judged("stranger", Subject("chat", "-100"), asked)


@pytest.mark.parametrize(
    ("word", "subject"),
    [
        ("7", Subject("person", "7")),
        ("1", Subject("person", "1")),
        ("-1001234567890", Subject("chat", "-1001234567890")),
        ("0", None),
        ("9" * 16, Subject("person", "9" * 16)),
        ("NatGeo", Subject("profile", "natgeo")),
        ("https://instagram.com/natgeo", Subject("profile", "natgeo")),
        ("nat-geo", None),
        ("٣", Subject("person", "3")),
    ],
)
def test_whom_a_word_means(word: str, subject: Subject | None) -> None:
    assert parse_telegram_id_or_profile(word) == subject


def test_spans_and_reasons_of_a_block() -> None:
    assert parse_span("12h") == timedelta(hours=12)
    assert parse_span("7d") == timedelta(days=7)
    assert parse_span("2w") == timedelta(days=14)
    assert [parse_span(word) for word in ("0d", "d", "7", "7m", "10000h")] == [None] * 5
    assert parse_block_end_and_reason([], NOW) == (None, "")
    assert parse_block_end_and_reason(["7D"], NOW) == (NOW + timedelta(days=7), "")
    week_on = NOW + timedelta(days=7)
    assert parse_block_end_and_reason(["7d", "too", "loud"], NOW) == (week_on, "too loud")
    assert parse_block_end_and_reason(["\u06f7d", "loud,", "late"], NOW) == (week_on, "loud, late")
    assert parse_block_end_and_reason(["too", "loud"], NOW) == (None, "too loud")
    assert len(parse_block_end_and_reason(["x" * 300], NOW)[1]) == 200
