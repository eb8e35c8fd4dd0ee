"""Where Telegram takes some calls and not others, no living story is given up, nor an answer."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres import postgres

ROOT = Path(__file__).parents[2]
FAULTS = (
    "130 s of 502",
    "502",
    "500",
    "resets",
    "hanging",
    "sendPhoto alone",
    "every second 502",
    "every third 502",
    "every second 500",
    "every third reset",
)
# Others are slow, or run with the campaign.
QUICK = {("130 s of 502", 1, "before"), ("sendPhoto alone", 3, "after")}
OFTEN_ENOUGH = {"500", "sendPhoto alone", "every second 502", "every third reset"}  # for 100 chats
ON_POSTGRESQL = {"502", "sendPhoto alone", "every second 502", "every third reset"}


def _tier(fault: str, chats: int, when: str) -> list[pytest.MarkDecorator]:
    if (fault, chats, when) in QUICK:
        return []
    is_sample = chats == 1 or (chats < 100 and fault in OFTEN_ENOUGH)  # half a minute each
    return [pytest.mark.slow if is_sample else pytest.mark.long]


DAYS = [
    pytest.param(fault, chats, when, marks=_tier(fault, chats, when))
    for fault in FAULTS
    for chats in (1, 3, 100)
    for when in ("before", "after")
    if chats < 100 or fault in OFTEN_ENOUGH
]  # fmt: skip


def lived(*words: object) -> dict[str, Any]:
    """Live through a day in a process of its own; its figures."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.flows.partial_faults", *map(str, words)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def nothing_is_lost(figures: dict[str, Any], when: str) -> None:
    """Hold the figures to what is promised: at most two repeats, of what may be there already."""
    assert (figures["lost"], figures["untold"], figures["answered"]) == (0, 0, True), figures
    assert figures["most_copies"] <= (1 if when == "before" else 3), figures


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("fault", "chats", "when"), DAYS)
def test_nothing_is_lost_where_telegram_takes_some_calls_only(
    tmp_path: Path, fault: str, chats: int, when: str
) -> None:
    stories = 1 if chats == 1 else 3
    nothing_is_lost(lived(tmp_path, fault, when, "", chats, stories, 1), when)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", sorted(ON_POSTGRESQL))
def test_two_replicas_lose_nothing(tmp_path: Path, fault: str, when: str) -> None:
    with postgres() as server:
        nothing_is_lost(lived(tmp_path, fault, when, server.url, 3, 3, 2), when)


@pytest.mark.slow
def test_story_that_is_always_refused_delays_its_album_for_half_a_minute(tmp_path: Path) -> None:
    figures = lived(tmp_path, "neighbours")
    # And the second between two messages of a chat, and what the loop takes.
    assert figures["delay_s"] <= 30 + 2, figures
