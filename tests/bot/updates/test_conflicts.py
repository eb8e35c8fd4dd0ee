"""Which of two processes with the same token pauses, and for how long."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.store.engine.database import Database
from bot.updates.conflicts import (
    Origin,
    PollConflicts,
    Polls,
    fixed_machine_name,
    load_or_store_origin_of_database,
    must_pause_checks_and_alerts,
    role_in_token_conflict,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HERE, ELSEWHERE = Origin("host", "/data/bot.db"), Origin("host", "/copy/bot.db")


def at(seconds: float) -> datetime:
    """Return the time so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def polled(conflicts: Iterable[float], answers: Iterable[float] = ()) -> Polls:
    """Return the results of polls at these seconds."""
    polls = Polls()
    results = [(one, False) for one in conflicts] + [(one, True) for one in answers]
    for seconds, is_answer in sorted(results):
        polls = polls.with_answer(at(seconds)) if is_answer else polls.with_conflict(at(seconds))
    return polls


def role(polls: Polls, now: float, remembered: Origin | None = HERE) -> str:
    """Return the role of a process whose database is here."""
    return role_in_token_conflict(polls, own=HERE, remembered=remembered, now=at(now))


def is_paused(polls: Polls, now: float, remembered: Origin | None = HERE) -> bool:
    """Return whether a process whose database is here pauses."""
    return must_pause_checks_and_alerts(polls, own=HERE, remembered=remembered, now=at(now))


@pytest.mark.parametrize(
    ("conflicts", "answers", "expected"),
    [
        (range(0, 200, 10), [], "copy"),
        (range(0, 180, 10), [], "alone"),  # 170 seconds
        ([0, 80, 160], [], "alone"),
        ([0, 80, 160, 185], [], "copy"),
        ([0, 185], [], "alone"),  # two, and a gap between them
        (range(0, 201, 40), range(1, 200, 40), "copy"),  # four of nine were answered last
        (range(0, 201, 40), range(1, 240, 40), "alone"),  # five of ten were
    ],
)
def test_a_conflict_must_last_and_win_most_polls(
    conflicts: Iterable[float], answers: Iterable[float], expected: str
) -> None:
    assert role(polled(conflicts, answers), 200, ELSEWHERE) == expected


def test_a_minute_of_overlap_never_pauses() -> None:
    polls = polled(range(0, 60, 5), range(85, 600, 25))
    for now in range(60, 600):
        assert not is_paused(polls, now, ELSEWHERE)


def test_two_deployments_with_quiet_minutes_between_them_are_two_conflicts() -> None:
    polls = polled([*range(0, 60, 5), *range(240, 300, 5)], range(85, 240, 25))
    assert role(polls, 301, ELSEWHERE) == "alone"


def test_a_copy_pauses_until_the_conflict_is_over() -> None:
    polls = polled(range(0, 7201, 10))
    assert is_paused(polls, 7200 + 90, ELSEWHERE)
    assert not is_paused(polls, 7200 + 91, ELSEWHERE)


def test_the_process_that_polled_before_the_conflict_goes_on() -> None:
    before = range(-200, 0, 25)
    for remembered in (HERE, None):
        polls = polled(range(10, 600, 10), before)
        assert role(polls, 600, remembered) == "original"
        assert not is_paused(polls, 600, remembered)
    assert is_paused(polled(range(10, 600, 10), before), 600, ELSEWHERE)


@pytest.mark.parametrize("remembered", [HERE, None])
@pytest.mark.parametrize("answers", [[], range(-150, 0, 25), range(-600, -200, 25)])
def test_an_unknown_process_pauses_for_ten_minutes(
    remembered: Origin | None, answers: Iterable[float]
) -> None:
    polls = polled(range(0, 181, 10), answers)
    assert role(polls, 181, remembered) == "unknown"
    assert is_paused(polls, 181, remembered)
    polls = polled(range(0, 901, 10), answers)
    assert is_paused(polls, 779, remembered)
    assert not is_paused(polls, 780, remembered)


def test_the_results_stay_few_however_long_a_conflict_lasts() -> None:
    polls = polled(range(0, 86_400, 5), [one / 10 for one in range(10_000)])
    assert len(polls.conflicts) + len(polls.answers) <= 36 + 180
    assert polls.since == NOON


async def test_a_copy_stays_a_copy_after_a_restart_until_a_quiet_day(tmp_path: Path) -> None:
    now = [NOON]
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    async with Database(f"sqlite:///{old}") as db:
        await db.migrate()
        await load_or_store_origin_of_database(db, now=lambda: now[0])
    old.rename(new)
    async with Database(f"sqlite:///{new}") as db:

        async def is_copy(polls: int) -> bool:
            """Restart, poll every minute, and let a conflict follow; the move may be accepted."""
            ours = await load_or_store_origin_of_database(db, now=lambda: now[0])
            for _ in range(polls):
                ours.add_answer_to_recent_polls()
                now[0] += timedelta(minutes=1)
            await db.run(ours.store_moved_origin_if_settled)
            for _ in range(20):
                ours.add_conflict_to_recent_polls()
                now[0] += timedelta(seconds=10)
            return ours.must_pause_and_log_changes()

        assert await is_copy(600)
        assert await is_copy(600)
        assert not await is_copy(24 * 60 + 1)
        assert not await is_copy(10)  # the new place is remembered


@pytest.mark.parametrize("own", [None, HERE])
def test_without_a_database_file_there_is_no_pause(own: Origin | None) -> None:
    now = [NOON]
    ours = PollConflicts(own, ELSEWHERE, now=lambda: now[0])
    for _ in range(20):
        ours.add_conflict_to_recent_polls()
        now[0] += timedelta(seconds=10)
    assert ours.must_pause_and_log_changes() == (own is not None)


def test_the_name_of_a_container_is_no_fixed_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine_id = tmp_path / "machine-id"
    monkeypatch.setattr("socket.gethostname", lambda: "0123456789ab")
    assert fixed_machine_name(machine_id) == ""
    monkeypatch.setattr("socket.gethostname", lambda: "berlin")
    assert fixed_machine_name(machine_id) == "berlin"
    machine_id.write_text("e08d2021fbdd6f894fde550c98aff54d\n")
    assert fixed_machine_name(machine_id) not in {"", "berlin"}
    assert "e08d2021" not in fixed_machine_name(machine_id)
