"""Limits that several processes share as rows decide as those of one process that does it all."""

import random
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from bot.domain.errors import DatabaseUnavailableError
from bot.store.database import Database
from bot.stories_api.limit_state import AccountState, LocalLimits, SharedLimits
from bot.stories_api.limits import CallRate
from tests.support.followed import NOON, Clock

RATE = 2.0
SUBJECTS = ["natgeo", "123", "https://www.instagram.com/s/" + "x" * 200]


def _admit(state: AccountState, now: float, subject: str) -> tuple[bool, bool, bool]:
    is_probed = state.breaker.takes_probe(now)
    return state.refused.is_refused(subject, now), state.breaker.is_open, is_probed


def _turn(state: AccountState, now: float, _: str) -> float:
    return round(state.call_rate.turn(now), 3)


def _hold(state: AccountState, now: float, _: str) -> None:
    state.call_rate.pause(now + 3)


def _fail(state: AccountState, now: float, subject: str) -> bool:
    state.refused.failed(subject, now)
    return state.breaker.failed(subject, now)


def _ask(state: AccountState, now: float, _: str) -> bool:
    return state.breaker.begins_to_ask(now)


def _open(state: AccountState, now: float, _: str) -> None:
    state.refused.forgive(state.breaker.suspects)
    state.breaker.open(now)


def _answer(state: AccountState, _: float, subject: str) -> None:
    state.refused.forgive([subject])
    state.breaker.succeeded()


def _vouch(state: AccountState, now: float, _: str) -> None:
    state.breaker.vouched(now)


STEPS = [_admit, _admit, _turn, _hold, _fail, _fail, _fail, _ask, _open, _vouch, _answer]


@pytest.mark.parametrize("seed", range(4))
async def test_several_that_share_decide_as_one(db: Database, seed: int) -> None:
    clock, chance = Clock(), random.Random(seed)  # noqa: S311 - which step comes next
    shared = [SharedLimits(db, AccountState(CallRate(RATE)), clock) for _ in range(3)]
    local = LocalLimits(AccountState(CallRate(RATE)), lambda: clock().timestamp())
    for number in range(120):
        clock.on(timedelta(seconds=chance.choice((0, 0.1, 1, 20, 90))))
        step, subject = chance.choice(STEPS), chance.choice(SUBJECTS)
        wanted = await local.decide(subject, step)
        found = await chance.choice(shared).decide(subject, step)
        assert found == wanted, (number, step)


async def test_a_clock_that_was_set_back_closes_nothing_for_long(db: Database) -> None:
    clock = Clock()
    limits = SharedLimits(db, AccountState(CallRate(RATE)), clock)
    for subject in SUBJECTS:
        await limits.decide(subject, _fail)
    await limits.decide("", _open)
    clock.time = NOON - timedelta(days=1)
    assert await limits.decide("", _turn) <= 300
    clock.on(timedelta(seconds=31))
    assert (await limits.decide("", _admit))[2]


async def test_while_the_database_cant_work_each_goes_on_with_what_it_knew(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise DatabaseUnavailableError("gone")

    clock = Clock()
    limits = SharedLimits(db, AccountState(CallRate(RATE)), clock)
    await limits.decide("sick", _fail)
    monkeypatch.setattr(db, "run", partial(fail))
    assert (await limits.decide("sick", _admit))[0]
    assert not (await limits.decide("well", _admit))[0]
    assert not limits.is_quiet("sick")


async def test_what_is_kept_of_a_subject_is_not_its_name(db: Database) -> None:
    limits = SharedLimits(db, AccountState(CallRate(RATE)), lambda: datetime.now(UTC))
    await limits.decide("natgeo", _fail)
    assert "natgeo" not in str(limits.state.refused.rows)
    assert await limits.decide("natgeo", lambda state, now, _: state.refused.count(now)) == 1
