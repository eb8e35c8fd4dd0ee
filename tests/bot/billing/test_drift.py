"""The balance against the ledger: a lag tells nothing, three balances off to one side do."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.billing.balance import Treasurer
from bot.billing.drift import KEY, RUNNING, Drift, Reading
from bot.billing.ledger import Charge, Ledger
from bot.billing.reports import Reports
from bot.domain.budget import Limits
from bot.domain.errors import ApiUnavailableError, StoriesError
from bot.domain.model import Asker
from bot.domain.paid_calls import Answer, Balance, Operation, PaidCall
from bot.runtime.metrics import Metrics
from bot.store import budgets, key_values
from bot.store.budgets import Scope
from bot.store.engine.database import Database
from bot.stories_api.client import StoriesApi
from tests.bot.billing.test_ledger import answering, failing
from tests.support.followed import MINUTE, NOON, Clock
from tests.support.sandbox import sandbox_box

FREE = Limits(10**6, 0.5, 10**6, 10**6)
BEGIN = Reading(1000, 50, NOON)


def after(*readings: tuple[int, int]) -> Drift:
    """Return what becomes of (balance, spent), five minutes apart."""
    drift = Drift(BEGIN, BEGIN)
    for n, (balance, spent) in enumerate(readings, 1):
        drift = drift.after_reading(Reading(balance, spent, NOON + 5 * n * MINUTE))
    return drift


@given(st.lists(st.integers(0, 50), max_size=30))
def test_what_is_counted_right_never_drifts(calls: list[int]) -> None:
    balance, spent, readings = 1000, 50, []
    for credits_ in calls:
        balance, spent = balance - credits_, spent + credits_
        readings.append((balance, spent))
    drift = after(*readings)
    assert (drift.size, drift.running, drift.total) == (0, 0, 0)


def test_a_counter_that_lags_tells_nothing() -> None:
    drift = after((1000, 52), (998, 52), (998, 54), (996, 54), (996, 56))
    assert not drift.is_confirmed


def test_balances_that_several_processes_fetch_at_the_same_time_count_once() -> None:
    drift = Drift(BEGIN, BEGIN)
    for n in range(RUNNING):  # the API has not yet counted the last call
        at = NOON + 5 * MINUTE + timedelta(seconds=n)
        drift = drift.after_reading(Reading(1000, 52, at))
    assert not drift.is_confirmed
    assert not drift.after_reading(Reading(998, 52, NOON + 10 * MINUTE)).size


def test_three_balances_off_to_one_side_are_certain_and_told_once() -> None:
    drift = after((995, 50), (994, 51), (993, 52))
    assert (drift.size, drift.running, drift.is_confirmed) == (5, RUNNING, True)
    told = drift.after_report()
    assert (told.size, told.running, told.total) == (0, 0, 5)
    assert not told.after_reading(Reading(992, 53, NOON + 20 * MINUTE)).size
    assert after((1000, 53), (1000, 53), (1000, 53)).size == -3
    assert Drift.from_json(drift.to_json()) == drift


def test_the_other_side_or_none_begins_to_count_anew() -> None:
    assert [after(*[(999, 50)] * n).running for n in range(4)] == [0, 1, 2, 3]
    assert [after(*[(1000, 51)] * n).size for n in range(3)] == [0, -1, -1]
    turned = after((999, 50), (999, 50), (999, 52))
    assert (turned.size, turned.running, turned.base) == (-1, 1, BEGIN)
    again = after((1000, 51), (1000, 51), (999, 50))
    assert (again.size, again.running, again.base) == (1, 1, BEGIN)
    level = after((999, 50), (999, 51))
    assert (level.size, level.running, level.base) == (0, 0, level.last)


def test_what_was_told_is_kept_and_counted_on_from() -> None:
    told = after((995, 50), (995, 50), (995, 50)).after_report()
    assert (told.total, told.base) == (5, told.last)
    more = told
    for n in range(4, 7):
        more = more.after_reading(Reading(994, 50, NOON + 5 * n * MINUTE))
    assert (more.size, more.running, more.after_report().total) == (1, RUNNING, 6)
    assert RUNNING == 3


def test_a_top_up_begins_anew() -> None:
    drift = after((995, 50), (995, 50), (50_000, 50), (49_999, 51))
    assert (drift.size, drift.running) == (0, 0)
    topped_up = after((995, 50), (50_000, 50))
    assert (topped_up.size, topped_up.running, topped_up.base) == (0, 0, topped_up.last)
    assert after((1000, 50), (1001, 50)).base.balance == 1001


async def test_the_admins_are_told_what_was_billed_for_failures(sqlite_db: Database) -> None:
    told: list[str] = []

    async def tell(text: str | None, /, **fields: object) -> None:
        told.append(str(text).format(**fields))

    clock, metrics = Clock(), Metrics()
    async with sandbox_box() as box:
        await box.control.stories_api(also_billed=[500])
        api = StoriesApi(
            box.session,
            url=box.urls.stories_api,
            key=SecretStr("k"),
            rate=1000,
            jitter=lambda low, _high: low,
        )
        ledger = Ledger(sqlite_db, FREE, now=clock)
        treasurer = Treasurer(api, ledger, tell=tell, metrics=metrics, now=clock)
        await treasurer.clean_up_and_fetch_balance()
        await box.control.change_profile("natgeo", trouble="error")
        for _ in range(5):
            clock.on(timedelta(minutes=5))
            await treasurer.clean_up_and_fetch_balance()
            if not told and await box.control.billed() == 0:
                payer = Charge("link", Asker(1, 1))
                with pytest.raises(StoriesError):
                    await ledger.reserve_call_and_settle(payer, api.stories("787132"))
        billed = await box.control.billed()
        assert billed > 0
        assert len(told) == 1
        assert f"billed {billed} credit more" in told[0]
        spent = await Reports(sqlite_db, FREE, clock).read_spending()
        assert spent.drift == billed
        assert metrics.registry.get_sample_value("api_drift_credits") == billed


@pytest.mark.parametrize(
    ("balance", "spends", "words"),
    [(999, 0, "1 credit more"), (1000, 1, "1 credit less")],
)
async def test_a_single_credit_is_told_of_on_its_side(
    sqlite_db: Database, balance: int, spends: int, words: str
) -> None:
    told: list[str] = []

    async def tell(text: str | None, /, **fields: object) -> None:
        told.append(str(text).format(**fields))

    async def call() -> Answer[None]:
        return Answer(None, 1)

    clock, metrics = Clock(), Metrics()
    async with sandbox_box() as box:
        api = StoriesApi(box.session, url=box.urls.stories_api, key=SecretStr("k"), rate=1000)
        ledger = Ledger(sqlite_db, FREE, now=clock)
        treasurer = Treasurer(api, ledger, tell=tell, metrics=metrics, now=clock)
        silent = Treasurer(api, ledger, now=clock)
        await box.control.stories_api(balance=1000)
        await treasurer.clean_up_and_fetch_balance()
        for _ in range(spends):
            await ledger.reserve_call_and_settle(
                Charge("link", Asker(1, 1)), PaidCall(Operation.STORIES, 2, call)
            )
        await box.control.stories_api(balance=balance)
        for _ in range(5):
            clock.on(5 * MINUTE)
            await treasurer.clean_up_and_fetch_balance()
        assert [words in text for text in told] == [True]
        assert told[0].startswith("Since 2026-11-25 12:00")
        drift = metrics.registry.get_sample_value("api_drift_credits")
        assert drift == 1000 - balance - spends
        for _ in range(5):  # nobody is to be told, which is no trouble
            await box.control.stories_api(balance=balance - 7)
            clock.on(5 * MINUTE)
            await silent.clean_up_and_fetch_balance()
    assert len(told) == 1


async def test_a_balance_beside_a_call_is_not_compared(sqlite_db: Database) -> None:
    ledger, payer = Ledger(sqlite_db, FREE, now=Clock()), Charge("link", Asker(1, 1))

    async def ask() -> Balance:
        return Balance(1000, 1)

    async def ask_beside_a_call() -> Balance:
        await ledger.reserve_call_and_settle(payer, answering())
        return Balance(1000, 1)

    async def call() -> Answer[None]:
        await ledger.fetch_and_store_balance(ask)
        return Answer(None, 1)

    await ledger.reserve_call_and_settle(payer, PaidCall(Operation.STORIES, 1, call))
    await ledger.fetch_and_store_balance(ask_beside_a_call)
    async with sqlite_db.read() as tx:
        assert await key_values.get(tx, KEY) is None


@pytest.mark.parametrize("billed", [0, 1, 6])  # also a part of one call, which asked twice
async def test_what_nobody_knew_counts_until_the_balance_tells(
    sqlite_db: Database, billed: int
) -> None:
    told: list[str] = []

    async def tell(text: str | None, /, **fields: object) -> None:
        told.append(str(text).format(**fields))

    clock = Clock()
    async with sandbox_box() as box:
        api = StoriesApi(box.session, url=box.urls.stories_api, key=SecretStr("k"), rate=1000)
        ledger = Ledger(sqlite_db, FREE, now=clock)
        treasurer = Treasurer(api, ledger, tell=tell, now=clock)
        await box.control.stories_api(balance=1000)
        await treasurer.clean_up_and_fetch_balance()
        await box.control.fault("stories", {"status": 502, "body": ""}, times=None)
        for n in range(3):  # then it is no use to ask
            payer = Charge("link", Asker(1, 1))
            with pytest.raises(StoriesError):
                await ledger.reserve_call_and_settle(payer, api.highlights(str(n)))
        await box.control.clear_faults()
        await box.control.stories_api(balance=1000 - billed)
        assert await ledger.spent_by_replies_and_schedule() == (6, 0)
        for _ in range(4):
            clock.on(5 * MINUTE)
            await treasurer.clean_up_and_fetch_balance()
        assert await ledger.spent_by_replies_and_schedule() == (billed, 0)
        scopes: tuple[Scope, ...] = ("chat", "person")
        async with sqlite_db.read() as tx:
            used = [
                await budgets.read_used_allowance(tx, one, 1, clock().date()) for one in scopes
            ]
        assert used == [billed] * 2
    assert told == []


@pytest.mark.slow
async def test_replicas_that_give_back_neither_do_so_twice_nor_stop_who_spends(
    db: Database,
) -> None:
    people, unbilled, rounds = range(1, 13), 6, 10
    replicas = [Ledger(db, FREE, now=lambda: NOON) for _ in range(2)]
    lost = ApiUnavailableError("no answer", credits=None)

    async def spend(person: int) -> None:
        await replicas[0].reserve_call_and_settle(
            Charge("link", Asker(person, person)), answering()
        )

    for _ in range(rounds):
        for person in people:
            with pytest.raises(ApiUnavailableError):
                await replicas[0].reserve_call_and_settle(
                    Charge("link", Asker(person, person)), failing(lost, price=1)
                )
        certain = Drift(BEGIN, BEGIN, size=-unbilled, running=RUNNING)
        async with db.begin() as tx:
            await key_values.put(tx, KEY, certain.to_json())
        async with asyncio.TaskGroup() as group:
            for person in reversed(people):
                group.create_task(spend(person))
            for replica in replicas:
                group.create_task(replica.refund_and_pop_confirmed_drift())
    each = 2 * len(people) - unbilled
    assert await replicas[0].spent_by_replies_and_schedule() == (rounds * each, 0)
