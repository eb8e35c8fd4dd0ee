"""The owner of claims and the policy of retries."""

from datetime import UTC, datetime, timedelta

from bot.runtime.claims import Owner, RetryPolicy

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_the_only_process_always_holds_its_claims() -> None:
    assert Owner().still_owns_claim(NOON, now=NOON + timedelta(days=1))


def test_a_claim_is_in_doubt_once_the_lease_of_its_process_has_ended() -> None:
    owner = Owner()
    owner.record_renewal(NOON + 9 * SECOND, done_at=NOON)
    owner.record_renewal(NOON + 17 * SECOND, done_at=NOON + 8 * SECOND)
    assert owner.still_owns_claim(NOON, now=NOON + 16 * SECOND)
    assert owner.uninterrupted_for(NOON + 16 * SECOND) == 16 * SECOND
    assert not owner.has_valid_lease(NOON + 17 * SECOND)
    assert not owner.still_owns_claim(NOON, now=NOON + 17 * SECOND)
    owner.record_renewal(NOON + 27 * SECOND, done_at=NOON + 18 * SECOND)  # there was a gap
    assert owner.has_valid_lease(NOON + 18 * SECOND)
    assert not owner.still_owns_claim(NOON, now=NOON + 18 * SECOND)
    assert owner.still_owns_claim(NOON + 18 * SECOND, now=NOON + 19 * SECOND)
    assert owner.uninterrupted_for(NOON + 19 * SECOND) == SECOND


def test_each_pause_is_longer_and_the_end_is_data() -> None:
    policy = RetryPolicy(pause=SECOND, failures=3, attempts=9)
    assert policy.next_at(4, now=NOON) == NOON + 4 * SECOND
    assert [policy.is_exhausted(failures=n, attempts=0) for n in (2, 3)] == [False, True]
    assert [policy.is_exhausted(failures=0, attempts=n) for n in (8, 9)] == [False, True]
    assert not RetryPolicy(pause=SECOND).is_exhausted(failures=99, attempts=99)
