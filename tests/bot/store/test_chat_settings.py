"""A setting of a chat is a field. These tests name each place that a new setting has forgotten."""

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bot.chats.explain import LOOKBACK
from bot.domain.alert_rules import notified_at
from bot.domain.model import Target
from bot.domain.options import Options
from bot.domain.records import CHAT_SETTINGS, Chat, Delivery
from bot.domain.selection import predict_outcome
from bot.store import chats, moves, subscriptions
from bot.store.engine.database import Database
from tests.bot.domain.test_selection import fate
from tests.support.followed import DAY, HOUR, NATGEO, NOON, follow, story

BEFORE = {"zone": "UTC", "quiet_from": 600, "quiet_to": 660, "digest_at": 840}
SAMPLES: dict[str, Any] = {
    "language": "de",
    "language_code": "fr",
    "zone": "Asia/Tokyo",
    "quiet_from": 540,
    "quiet_to": 1020,
    "digest_at": 1200,
    "defaults": {"silent": True},
    "shows_parts": True,
    "rules": {"only": "#sale"},
}
"""A value of each setting, unlike the default and unlike ``BEFORE``."""
WORDS = {
    "language": "language",
    "language_code": "language",
    "zone": "time zone",
    "quiet_from": "quiet hours",
    "quiet_to": "quiet hours",
    "digest_at": "hour of the summary",
    "defaults": "defaults",
    "shows_parts": "`shows_parts`",
    "rules": "rules of the whole chat",
}
"""The words of each setting in docs/data.md, and in docs/use.md if the setting moves alerts."""
SOAK = {
    "zone": '"set:zone"',
    "quiet_from": '"set:quiet"',
    "quiet_to": '"set:quiet"',
    "digest_at": '"set:digest"',
    "rules": "/rules all ",
}
"""The text in tests/soak with which people change each setting that moves alerts."""
CHAT = Chat(-1, "group", "", None, None, "UTC", 600, 660, 840, {}, "active", payer=1)
WEEK = [NOON + number * HOUR for number in range(7 * 24)]
NOT_SENT = {"filtered", "failed", "muted", "paused"}
FOUND_AGO = [0 * HOUR, 5 * HOUR, 23 * HOUR]
"""The ages of a pending story for which the outcome is predicted."""


def test_each_setting_has_its_samples() -> None:
    assert SAMPLES.keys() == set(CHAT_SETTINGS), (
        "add the new setting to SAMPLES and WORDS here, to handlers/settings.py, docs/data.md and"
        " set_quiet in tests/soak/people.py (CONTRIBUTING.md, A setting of a chat)"
    )


@pytest.mark.parametrize("name", CHAT_SETTINGS)
def test_the_page_of_data_names_each_setting(name: str) -> None:
    page = Path("docs/data.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| `chats` |"))
    assert WORDS[name] in row, f"name {name} in the row `chats` of docs/data.md"


async def test_a_group_that_gets_another_id_keeps_each_setting(sqlite_db: Database) -> None:
    async with sqlite_db.begin() as tx:
        await follow(tx, -1)
        await chats.change(tx, -1, **SAMPLES)
        assert await moves.move_chat(tx, -1, -100, now=NOON)
        moved = await chats.get(tx, -100)
    assert {name: getattr(moved, name) for name in CHAT_SETTINGS} == SAMPLES


@pytest.mark.parametrize("is_digest", [False, True])
@pytest.mark.parametrize("name", CHAT_SETTINGS)
async def test_a_setting_that_moves_alerts_moves_the_checks(
    sqlite_db: Database, name: str, is_digest: bool
) -> None:
    """The plan of the checks and the outbox agree on the time of an alert."""
    options, members = Options(digest=is_digest), []
    async with sqlite_db.begin() as tx:
        await follow(tx, -1, options=options)
        for values in (BEFORE, {**BEFORE, name: SAMPLES[name]}):
            await chats.change(tx, -1, **values)
            members.append(
                await subscriptions.audience_members(tx, NATGEO.profile_id, empty_above=9)
            )
    [member] = members[1]
    if moves_alerts(name, options):
        assert members[0] != members[1], (
            f"{name} moves alerts: add it to AudienceMember in bot/domain/alert_rules.py and to"
            " _MEMBERS in bot/store/subscriptions.py"
        )
    for hour in WEEK:
        predicted = predict_outcome(waiting(options, found_at=hour), changed(name), (), now=hour)
        planned = notified_at(hour, hour + DAY, member)
        is_sent = predicted.kind not in NOT_SENT
        assert not is_sent or planned == (predicted.until or hour), (
            f"add {name} to notified_at: {predicted}"
        )


@pytest.mark.parametrize("name", CHAT_SETTINGS)
def test_a_setting_that_moves_alerts_is_in_the_soak_and_in_the_guide(name: str) -> None:
    if not any(moves_alerts(name, Options(digest=is_digest)) for is_digest in (False, True)):
        return
    journal = Path("tests/soak/journal.py").read_text(encoding="utf-8")
    is_read = re.search(rf"\b{name}\b", journal) is not None
    assert is_read, (
        f"{name} moves alerts: read it in tests/soak/journal.py, add it to Terms in"
        " tests/soak/expected.py, and compute the expected arrival there"
    )
    acts = ("people", "fans")
    pressed = "".join(Path(f"tests/soak/{act}.py").read_text(encoding="utf-8") for act in acts)
    assert SOAK.get(name, "no text") in pressed, (
        f"{name} moves alerts: let people change it in set_quiet of tests/soak/people.py, and"
        " add the text to SOAK here"
    )
    guide = Path("docs/use.md").read_text(encoding="utf-8")
    section = guide.partition("## When alerts come")[2].partition("\n## ")[0]
    assert WORDS[name] in section, f"name {name} in docs/use.md, When alerts come"


@pytest.mark.parametrize("is_digest", [False, True])
@pytest.mark.parametrize("name", CHAT_SETTINGS)
def test_the_prediction_for_each_setting_comes_true(name: str, is_digest: bool) -> None:
    """/why and the outbox agree on the outcome of a story, on each day of the week."""
    chat, options = changed(name), Options(digest=is_digest)
    for hour in WEEK:
        for age in FOUND_AGO:
            row = waiting(options, found_at=hour - age)
            predicted = predict_outcome(row, chat, (), now=hour)
            what, when = fate(row, chat, hour)
            why = (
                f"{name}: of a story of {hour - age}, predict_outcome says {predicted} at {hour},"
                f" but decide says {what} at {when};"
                " see also _is_too_late_to_send in bot/domain/selection.py"
            )
            is_sent = predicted.kind not in NOT_SENT
            assert is_sent == (what == "sent"), why
            assert what != "sent" or (predicted.until or hour) == when, why


@pytest.mark.parametrize("name", CHAT_SETTINGS)
def test_a_story_that_no_summary_can_list_is_sent_while_the_story_is_visible(name: str) -> None:
    """A story with a daily summary expires before its send only if no earlier time is free."""
    chat, options = changed(name), Options(digest=True)
    for hour in WEEK:
        row = waiting(options, found_at=hour)
        predicted = predict_outcome(row, chat, (), now=hour)
        if predicted.kind in NOT_SENT or (predicted.until or hour) < hour + DAY:
            continue
        now_free = predict_outcome(waiting(Options(), found_at=hour), chat, (), now=hour)
        assert now_free.kind != "sending", (
            f"{name}: a story of {hour} waits until {predicted.until}, although alerts are"
            " allowed before; see _last_moment_before_quiet in bot/domain/alert_rules.py"
        )


@pytest.mark.parametrize("is_digest", [False, True])
@pytest.mark.parametrize("name", CHAT_SETTINGS)
def test_why_counts_each_story_that_a_setting_defers(name: str, is_digest: bool) -> None:
    for hour in WEEK:
        row = waiting(Options(digest=is_digest), found_at=hour)
        predicted = predict_outcome(row, changed(name), (), now=hour)
        assert (predicted.until or hour) < hour + LOOKBACK, (
            f"{name} defers a story of {hour} until {predicted.until}: /why counts only the"
            " stories of LOOKBACK in bot/chats/explain.py"
        )


def changed(name: str) -> Chat:
    """Return the chat with another value of a setting."""
    return replace(CHAT, **{name: SAMPLES[name]})


def moves_alerts(name: str, options: Options) -> bool:
    """Return whether a setting changes the outcome of a story in any hour of a week."""
    return any(
        predict_outcome(row, CHAT, (), now=hour)
        != predict_outcome(row, changed(name), (), now=hour)
        for hour in WEEK
        for row in [waiting(options, found_at=hour)]
    )


def waiting(options: Options, *, found_at: datetime) -> Delivery:
    """Return a pending story of a chat, posted and found at ``found_at``."""
    return Delivery(
        id=1,
        target=Target(-1),
        subscription_id=1,
        story_pk="1",
        story=story("1", found_at, hashtags=("sale",)),  # matches the rules of SAMPLES
        username="natgeo",
        options=options,
        notice=None,
        fields={},
        copies=0,
        attempts=0,
        sending=False,
        created_at=found_at,
        due_at=found_at,
    )
