"""A setting of a chat is a field; these tests name each place that forgets a new setting."""

from pathlib import Path
from typing import Any

import pytest

from bot.domain.model import Target
from bot.domain.options import Options
from bot.domain.records import CHAT_SETTINGS, Chat, Delivery
from bot.domain.selection import predict_decision
from bot.store import chats, moves, subscriptions
from bot.store.engine.database import Database
from tests.support.followed import HOUR, NATGEO, NOON, follow, story

BEFORE = {"zone": "UTC", "quiet_from": 600, "quiet_to": 660, "digest_at": 840}
SAMPLES: dict[str, object] = {
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
"""The words of each setting in docs/data.md."""


def test_each_setting_has_its_samples() -> None:
    assert SAMPLES.keys() == set(CHAT_SETTINGS), (
        "add the new setting to SAMPLES and WORDS here, to handlers/settings.py, docs/data.md and"
        " be_quiet in tests/soak/people.py (CONTRIBUTING.md, A setting of a chat)"
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
    """The plan of the checks knows when a chat hears of a story, as the outbox decides it."""
    options, seen = Options(digest=is_digest), []
    async with sqlite_db.begin() as tx:
        await follow(tx, -1, options=options)
        for values in (BEFORE, {**BEFORE, name: SAMPLES[name]}):
            await chats.change(tx, -1, **values)
            chat = await chats.get(tx, -1)
            assert chat is not None
            members = await subscriptions.audience_members(tx, NATGEO.profile_id, limit=9)
            seen.append((outlooks(chat, options), members))
    (was, members_before), (now, members_after) = seen
    if was != now:
        assert members_before != members_after, (
            f"{name} moves alerts: add it to AudienceMember and notified_at in"
            " bot/domain/alert_rules.py and to _MEMBERS in bot/store/subscriptions.py"
        )


def outlooks(chat: Chat, options: Options) -> list[Any]:
    """Return what is foreseen of a new story at each hour of a day."""
    hours = [NOON + number * HOUR for number in range(24)]
    return [predict_decision(waiting(options), chat, (), now=hour) for hour in hours]


def waiting(options: Options) -> Delivery:
    """Return a story of noon that waits for a chat."""
    return Delivery(
        id=1,
        target=Target(-1),
        subscription_id=1,
        story_pk="1",
        story=story("1", NOON, hashtags=("sale",)),  # as the rules of SAMPLES demand
        username="natgeo",
        options=options,
        notice=None,
        fields={},
        copies=0,
        attempts=0,
        sending=False,
        created_at=NOON,
        due_at=NOON,
    )
