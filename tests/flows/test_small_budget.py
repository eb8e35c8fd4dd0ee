"""A daily budget that became too small for what is followed: said once, and when it is over."""

from pathlib import Path

import pytest

from tests.support.sandbox import Box
from tests.support.storybell import running_bell

pytestmark = pytest.mark.jumps

PROFILES = ("budget_one", "budget_two", "budget_three")


async def test_a_budget_that_became_too_small_is_told_once_and_shown(
    box: Box, tmp_path: Path
) -> None:
    boss = await box.control.person("Boss")
    admin = {"admin_ids": str(boss), "credit_price": 0.02}

    async def told(start: int) -> list[str]:
        texts = [m for m in await box.control.replies(boss) if m["message_id"] > start]
        return [m["text"] for m in texts if "daily budget is" in m.get("text", "")]

    async with running_bell(tmp_path, box, **admin) as bell:
        for name in PROFILES:
            await box.control.profile(name)
            await bell.ask(boss, f"/subscribe {name}")
        (health,) = await bell.ask(boss, "/health")
        assert "Profiles checked: 3" in health["text"]
        assert "daily budget" not in health["text"]
    start = health["message_id"]
    async with running_bell(tmp_path, box, daily_budget=8, **admin) as bell:
        (warning,) = await box.control.wait_replies(boss, 1, after=start)
        assert "covers only 1 of 3 profiles" in warning["text"]
        assert "DAILY_BUDGET=16 is enough for all." in warning["text"]
        (health,) = await bell.ask(boss, "/health")
        assert "only 1 of 3 profiles" in health["text"]
    start = health["message_id"]
    async with running_bell(tmp_path, box, daily_budget=8, **admin) as bell:
        (health,) = await bell.ask(boss, "/health")  # told before: not again
        assert "only 1 of 3" in health["text"]
    assert await told(start) == [health["text"]]
    start = health["message_id"]
    async with running_bell(tmp_path, box, daily_budget=16, **admin) as bell:
        (over,) = await box.control.wait_replies(boss, 1, after=start)
        assert over["text"].startswith("The daily budget is enough again")
        (health,) = await bell.ask(boss, "/health")
        assert "Nothing is wrong" in health["text"]
