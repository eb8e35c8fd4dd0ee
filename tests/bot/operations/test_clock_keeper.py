"""The clock of the process between a machine that is set right and who knows the time."""

import time
from datetime import UTC, datetime

import pytest

from bot.operations.clock_keeper import ClockKeeper
from bot.runtime.clock import Clock, TimeWitnesses
from bot.store.engine.database import Database


@pytest.mark.parametrize("wrong_s", [-7200.0, 7200.0])
async def test_what_was_heard_before_the_machine_was_set_right_corrects_nothing(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch, wrong_s: float
) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + wrong_s)
    clock = Clock(check_every_s=0)
    witnesses = TimeWitnesses(clock)
    keeper = ClockKeeper(sqlite_db, clock, witnesses)
    await keeper.correct_clock()
    for _ in range(3):
        for who in ("Telegram", "the Stories API"):
            witnesses.record_time(who, datetime.fromtimestamp(real(), UTC))
    monkeypatch.setattr(time, "time", real)
    clock()  # which follows it
    await keeper.correct_clock()
    assert abs(clock().timestamp() - real()) < 10
