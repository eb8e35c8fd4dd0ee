"""Sixty new accounts with 267 profiles delay nobody's alerts by more than a tenth."""

from pathlib import Path

import pytest

from benchmarks.newcomers import MOST, Attack, run

SMALL = Attack(accounts=3, wanted=12, honest=1, budget=120, days=0.1, warm_up=0.02)
PLAN = Attack()


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_alerts_of_known_people_come_nearly_as_soon_as_before(tmp_path: Path) -> None:
    before = await run("before", tmp_path, PLAN)
    attacked = await run("attacked", tmp_path, PLAN)
    assert before.checks > 100
    assert 0 < attacked.added < 20  # their part of the credits has room for no more
    assert attacked.delay_min <= MOST * before.delay_min


@pytest.mark.slow
async def test_on_a_small_scale_newcomers_find_less_room_than_others(tmp_path: Path) -> None:
    before = await run("before", tmp_path, SMALL)
    attacked = await run("attacked", tmp_path, SMALL)
    alike = await run("all alike", tmp_path, SMALL)
    assert before.added == 0
    assert 0 < attacked.added < alike.added == 12
    assert before.checks > alike.checks
