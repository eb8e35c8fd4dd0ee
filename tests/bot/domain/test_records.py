"""Rows as values: who they speak of, and what they say where nothing more is known."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.domain.model import Profile
from bot.domain.records import (
    MAIN,
    WHOLE,
    Chat,
    Known,
    Mute,
    find_mute,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KNOWN = Known(
    profile_id="787132",
    username="natgeo",
    full_name="National Geographic",
    is_verified=True,
    named_at=NOW,
    state="active",
    state_since=NOW,
    snapshot_at=None,
    due_at=None,
    failures=0,
    weight=1.0,
    chats=1,
    forecast=None,
)
CHAT = Chat(1, "private", "", None, None, "UTC", None, None, 9 * 60, {}, "active")


def mute(thread_id: int) -> Mute:
    return Mute(-100, thread_id, "text", NOW, 0)


@pytest.mark.parametrize(
    ("state", "is_private"), [("active", False), ("private", True), ("gone", False)]
)
def test_a_profile_is_private_by_its_state(state: str, *, is_private: bool) -> None:
    known = replace(KNOWN, state=state)  # type: ignore[arg-type] # the values of State
    assert known.profile == Profile(
        "787132", "natgeo", "National Geographic", is_private=is_private, is_verified=True
    )


@pytest.mark.parametrize(
    ("threads", "asked", "stands"),
    [
        ([], 7, None),
        ([8, 7], 7, 7),
        ([8], 7, None),
        ([8, WHOLE], 7, WHOLE),
        ([7, MAIN], None, MAIN),
        ([7], None, None),
        ([WHOLE], None, WHOLE),
    ],
)
def test_a_thread_is_muted_by_its_own_row_or_by_that_of_the_whole_chat(
    threads: list[int], asked: int | None, stands: int | None
) -> None:
    got = find_mute([mute(thread) for thread in threads], asked)
    assert got == (None if stands is None else mute(stands))
