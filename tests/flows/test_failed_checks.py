"""Every check fails, whatever the cause: the owner is told; no unbilled call counts as spent."""

import re
from pathlib import Path

import pytest

from sandbox.telegram.world import FIRST_PERSON
from tests.support.control import wait_for
from tests.support.storybell import Bell, storybell

pytestmark = pytest.mark.jumps

HOUR = 3600.0
BUSY = {"status": 429, "body": "{}", "headers": {"Retry-After": "1"}}


async def told(bell: Bell, boss: int, words: str) -> bool:
    return any(words in one.get("text", "") for one in await bell.control.replies(boss))


async def spent_today(bell: Bell, boss: int) -> tuple[int, int]:
    """Return what /health shows as spent today, and as not yet confirmed."""
    (page,) = await bell.ask(boss, "/health")
    today = re.search(r"Today: ([\d,]+) of", page["text"])
    waiting = re.search(r"Billing not yet known: ([\d,]+)", page["text"])
    assert today
    figures = (today[1], waiting[1] if waiting else "0")
    first, second = (int(one.replace(",", "")) for one in figures)
    return first, second


@pytest.mark.slow
async def test_checks_that_meet_429_alone_are_told_to_the_owner(tmp_path: Path) -> None:
    async with storybell(tmp_path, admin_ids=str(FIRST_PERSON)) as bell:
        control = bell.control
        boss = await control.person("Boss")
        await control.profile("rate.limited", posts_per_day=0)
        await bell.ask(boss, "/subscribe rate.limited")
        before, _ = await spent_today(bell, boss)
        fault = await control.fault("stories", BUSY, times=None)

        words = "All checks for new stories have failed"
        await wait_for(lambda: told(bell, boss, words), 12 * HOUR, "word of the failed checks")
        (health,) = await bell.ask(boss, "/health")
        assert words in health["text"]
        assert "429" in health["text"]
        shown, unconfirmed = await spent_today(bell, boss)
        assert unconfirmed > 0
        assert shown < before + unconfirmed

        await control.clear_faults(fault)
        over = "The Stories API is answering again."
        await wait_for(lambda: told(bell, boss, over), 12 * HOUR, "the end of it")

        async def is_settled() -> bool:
            return (await spent_today(bell, boss))[1] == 0

        await wait_for(is_settled, 2 * HOUR, "the balance to tell")
        said = [one for one in await control.replies(boss) if words in one.get("text", "")]
        assert len([one for one in said if "(#" in one["text"]]) == 1
