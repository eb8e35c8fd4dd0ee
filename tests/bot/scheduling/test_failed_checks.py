"""Every check of half an hour failed: at least three failures, and no success between them."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.scheduling.failed_checks import FailedChecks
from tests.support.followed import NOON


@given(st.lists(st.tuples(st.sampled_from("fffs"), st.integers(0, 20))))
def test_the_cause_is_named_after_half_an_hour_of_failures_alone(
    checks: list[tuple[str, int]],
) -> None:
    state, now, failed_at = FailedChecks(), NOON, list[int]()
    minute = 0
    for number, (result, pause) in enumerate(checks):
        minute += pause
        now = NOON + timedelta(minutes=minute)
        if result == "f":
            failed_at.append(minute)
            state.record_failure(f"cause {number}", now)
        else:
            failed_at.clear()
            state.record_success()
        is_lasting = len(failed_at) >= 3 and failed_at[-1] - failed_at[0] >= 30
        assert state.cause_if_lasting == (f"cause {number}" if is_lasting else None)
