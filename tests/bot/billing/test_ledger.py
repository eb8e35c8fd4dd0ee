"""Money: the ledger against a model of it, races at the last credit, crashes and cancellation."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from bot.billing.ledger import Charge, Ledger, Reservation, budget_side_of_calls
from bot.domain.budget import DAY, Limits, side_rule_for
from bot.domain.errors import (
    BUDGET_SPENT,
    CHAT_LIMIT_REACHED,
    PERSON_LIMIT_REACHED,
    ApiUnavailableError,
    MediaError,
    NoSuchProfileError,
    PastedLimitError,
    SpendingError,
    SpendingStoppedError,
)
from bot.domain.model import Asker
from bot.domain.paid_calls import Answer, Balance, Operation, PaidCall
from bot.operations.cleanup import delete_overdue_rows
from bot.store import acquaintances, budgets, chats, moves, spending
from bot.store import ledger as entries
from bot.store.engine.database import Database, all_tables
from tests.support import rows
from tests.support.database import empty
from tests.support.errors import raises
from tests.support.statements import recorded_statements

NOON = datetime(2026, 4, 8, 12, 0, tzinfo=UTC)
MANY = 10**6
FREE = Limits(MANY, 0.5, MANY, MANY)


class Clock:
    """A time that stands still until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def link(chat: int = 1, person: int | None = 1, *, admin: bool = False) -> Charge:
    return Charge("link", Asker(chat, person, is_owner=admin))


def answering(billed: int = 1, *, price: int = 1) -> PaidCall[str]:
    async def make() -> Answer[str]:
        return Answer("yes", billed)

    return PaidCall(Operation.STORY, price, make)


def failing(error: Exception, *, price: int = 2) -> PaidCall[str]:
    async def make() -> Answer[str]:
        raise error

    return PaidCall(Operation.STORIES, price, make)


async def spent(db: Database, now: datetime = NOON) -> int:
    async with db.read() as tx:
        return sum((await budgets.account_state(tx)).spent_by_replies_and_schedule(now.date()))


async def room_for_schedule(ledger: Ledger, db: Database, now: datetime) -> int:
    async with db.read() as tx:
        return (await ledger.schedule_credits_left_and_spent(tx, now))[0]


# --- one after the other -------------------------------------------------------------------------


async def test_what_the_api_billed_is_what_counts(db: Database) -> None:
    ledger = Ledger(db, FREE, now=Clock())
    assert await ledger.reserve_call_and_settle(link(), answering(2, price=2)) == "yes"
    assert await spent(db) == 2
    await ledger.reserve_call_and_settle(link(), answering(1, price=2))  # it knew a cheaper way
    assert await spent(db) == 3
    # The bill is higher than the price in the table.
    await ledger.reserve_call_and_settle(link(), answering(5, price=2))
    assert await spent(db) == 8
    await ledger.reserve_call_and_settle(Charge("schedule"), answering(2, price=2))
    assert await ledger.spent_by_replies_and_schedule() == (8, 2)


@pytest.mark.parametrize(
    ("error", "counted"),
    [
        (ApiUnavailableError(credits=0), 0),
        (ApiUnavailableError(credits=None), 2),  # a time-out: nobody knows, so it is spent
        (NoSuchProfileError(credits=2), 2),
        (NoSuchProfileError(credits=3), 3),
        (MediaError(), 2),
        (ValueError("a bug of ours"), 2),
    ],
)
async def test_failures_cost_what_they_were_billed(
    db: Database, error: Exception, counted: int
) -> None:
    ledger = Ledger(db, FREE, now=Clock())
    with pytest.raises(type(error)):
        await ledger.reserve_call_and_settle(link(), failing(error))
    assert await spent(db) == counted


async def test_a_check_is_hindered_by_less_than_its_price_and_by_the_switch(db: Database) -> None:
    # At noon half of the replies' share, 25 credits, is protected.
    ledger = Ledger(db, Limits(100, 0.5, 1000, 1000), now=Clock())

    async def obstacle() -> str:
        async with db.read() as tx:
            return await ledger.obstacle_to_checks(tx, 2, NOON)

    assert await obstacle() == ""
    await ledger.reserve_call_and_settle(Charge("schedule"), answering(74, price=74))
    assert await obstacle() == "budget"  # one credit is left
    await ledger.set_spending_stopped(stopped=True)
    assert await obstacle() == "stopped"


async def test_over_a_limit_nothing_is_called_and_the_time_is_told(db: Database) -> None:
    called = []

    async def call() -> Answer[None]:
        called.append(1)
        return Answer(None, 1)

    one = PaidCall(Operation.STORY, 1, call)
    clock = Clock()
    ledger = Ledger(db, Limits(10, 0.5, 3, 4), now=clock)
    await ledger.reserve_call_and_settle(link(), one)
    await ledger.reserve_call_and_settle(link(), one)
    await ledger.reserve_call_and_settle(link(), one)
    with raises(SpendingError, CHAT_LIMIT_REACHED) as allowance:
        await ledger.reserve_call_and_settle(link(), one)
    midnight = datetime(2026, 4, 9, tzinfo=UTC)
    assert allowance.value.until == midnight
    await ledger.reserve_call_and_settle(link(chat=2), one)
    with raises(SpendingError, PERSON_LIMIT_REACHED) as person:
        await ledger.reserve_call_and_settle(link(chat=2), one)
    assert person.value.until == midnight
    for stranger in range(3, 6):
        await ledger.reserve_call_and_settle(link(chat=stranger, person=stranger), one)
    with raises(SpendingError, BUDGET_SPENT) as budget:  # 7 of 10; 3 are kept for the schedule
        await ledger.reserve_call_and_settle(link(chat=9, person=9), one)
    assert NOON < (budget.value.until or NOON) < midnight
    assert len(called) == 7
    clock.now = budget.value.until or NOON
    # The call works at the time in the error.
    await ledger.reserve_call_and_settle(link(chat=9, person=9), one)
    clock.now = midnight
    await ledger.reserve_call_and_settle(link(), one)
    assert len(called) == 9


async def test_a_refused_call_reads_the_account_once(db: Database) -> None:
    ledger = Ledger(db, Limits(1, 1.0, MANY, MANY), now=lambda: NOON)
    await ledger.reserve_call_and_settle(link(), answering())
    with recorded_statements("SELECT account.") as reads, raises(SpendingError, BUDGET_SPENT):
        await ledger.reserve_call_and_settle(link(), answering())
    assert len(reads) == 1


async def test_admins_have_no_allowance_but_the_budget_is_theirs_too(db: Database) -> None:
    ledger = Ledger(db, Limits(5, 1, 0, 0), now=Clock())
    for _ in range(5):
        await ledger.reserve_call_and_settle(link(admin=True), answering())
    with raises(SpendingError, BUDGET_SPENT):
        await ledger.reserve_call_and_settle(link(admin=True), answering())
    with raises(SpendingError, CHAT_LIMIT_REACHED):
        await ledger.reserve_call_and_settle(link(), answering())


async def test_the_stop_switch_stops_everybody_in_every_replica(db: Database) -> None:
    here, there = Ledger(db, FREE, now=Clock()), Ledger(db, FREE, now=Clock())
    await here.set_spending_stopped(stopped=True)
    assert await there.is_spending_stopped()
    for charge in (link(), link(admin=True), Charge("schedule")):
        with pytest.raises(SpendingStoppedError):
            await there.reserve_call_and_settle(charge, answering())
    assert await room_for_schedule(there, db, NOON) == 0
    await there.set_spending_stopped(stopped=False)
    await here.reserve_call_and_settle(link(), answering())


async def left_of(db: Database) -> int | None:
    async with db.read() as tx:
        return (await budgets.account_state(tx)).balance


async def test_below_the_minimum_balance_only_admins_are_served(db: Database) -> None:
    ledger = Ledger(db, Limits(MANY, 0.5, MANY, MANY, 100), now=Clock())
    assert await left_of(db) is None

    async def balance() -> Balance:
        return Balance(102, 15.0)

    await ledger.fetch_and_store_balance(balance)
    await ledger.reserve_call_and_settle(link(), answering())
    await ledger.reserve_call_and_settle(link(), answering())
    with pytest.raises(SpendingStoppedError):
        await ledger.reserve_call_and_settle(link(), answering())
    with pytest.raises(SpendingStoppedError):
        await ledger.reserve_call_and_settle(Charge("schedule"), answering())
    await ledger.reserve_call_and_settle(link(admin=True), answering())
    assert await left_of(db) == 99
    assert await room_for_schedule(ledger, db, NOON) == 0


async def test_what_is_under_way_is_not_in_the_balance_yet(db: Database) -> None:
    ledger = Ledger(db, FREE, now=Clock())
    reservation = await ledger.reserve(link(), answering(price=2))

    async def balance() -> Balance:
        # The call is billed after the API has computed the balance.
        await ledger.reserve_call_and_settle(link(), answering())
        return Balance(1000, 15.0)

    await ledger.fetch_and_store_balance(balance)
    assert await left_of(db) == 1000 - 2 - 1
    async with db.begin() as tx:
        await ledger.settle(tx, reservation, 0)
    assert await left_of(db) == 1000 - 1


async def test_a_group_that_moves_during_a_call_gets_its_credits_back(db: Database) -> None:
    ledger = Ledger(db, limits=FREE, now=Clock())
    old, new = -5, -1005
    async with db.begin() as tx:
        await chats.add_or_update(tx, old, kind="group", title="", now=NOON)
        await chats.set_payer(tx, old, 9)
    for asker in (Asker(old, 1), Asker(old, None)):  # a person, and who writes without a name
        reservation = await ledger.reserve(Charge("link", asker), answering())
        async with db.begin() as tx:
            await moves.move_chat(tx, old, new, now=NOON)
            await ledger.settle(tx, reservation, 0)
            await chats.add_or_update(tx, old, kind="group", title="", now=NOON)
    async with db.read() as tx:
        for chat in (old, new):
            assert await budgets.read_used_allowance(tx, "chat", chat, NOON.date()) == 0, chat
        for person in (1, 9):
            assert await budgets.read_used_allowance(tx, "person", person, NOON.date()) == 0, (
                person
            )


async def test_what_a_crash_left_open_is_presumed_spent_but_a_late_answer_knows_better(
    db: Database,
) -> None:
    clock = Clock()
    ledger = Ledger(db, FREE, now=clock)
    lost = await ledger.reserve(link(), answering(price=2))
    late = await ledger.reserve(link(), answering(price=2))
    assert await ledger.close_old_reservations_and_split_costs() == 0
    clock.now += timedelta(minutes=31)
    assert await ledger.close_old_reservations_and_split_costs() == 2
    assert await spent(db) == 4
    async with db.begin() as tx:
        await ledger.settle(tx, late, 1)
    assert await spent(db) == 3
    async with db.read() as tx:
        states = {e.id: (e.state, e.credits) for e in await rows.entries(tx, since=NOON)}
    assert states == {lost.id: ("presumed", 2), late.id: ("settled", 1)}


async def test_after_half_an_hour_a_call_is_held_to_be_lost_and_not_before(
    sqlite_db: Database,
) -> None:
    clock = Clock()
    ledger = Ledger(sqlite_db, FREE, now=clock)
    await ledger.reserve(link(), answering())
    clock.now += timedelta(minutes=30)
    assert await ledger.close_old_reservations_and_split_costs() == 0
    clock.now += timedelta(milliseconds=1)
    assert await ledger.close_old_reservations_and_split_costs() == 1


async def test_entries_are_kept_for_a_month(sqlite_db: Database) -> None:
    clock = Clock()
    ledger = Ledger(sqlite_db, FREE, now=clock)
    await ledger.reserve_call_and_settle(link(), answering())

    async def kept() -> tuple[int, ...]:
        """Return how many rows there are: entries and allowances."""
        counts = []
        tables = (entries.ledger_entries, budgets.allowances)
        async with sqlite_db.read() as tx:
            for table in tables:
                count = sa.select(sa.func.count()).select_from(table)
                counts.append(int((await tx.execute(count)).scalar_one()))
        return tuple(counts)

    for days, left in (
        (0, (1, 2)),
        (1, (1, 2)),
        (2, (1, 0)),
        (32, (1, 0)),
        (33, (0, 0)),
    ):
        await delete_overdue_rows(sqlite_db, now=NOON + days * DAY)
        assert await kept() == left, days


async def test_room_for_the_schedule_is_what_reserving_gives(db: Database) -> None:
    clock = Clock(NOON.replace(hour=6))
    ledger = Ledger(db, Limits(40, 0.5, MANY, MANY), now=clock)
    room = await room_for_schedule(ledger, db, clock.now)
    assert room == 40 - 15  # three quarters of the replies' share are kept for the day to come
    for _ in range(room):
        await ledger.reserve(Charge("schedule"), answering())
    assert await room_for_schedule(ledger, db, clock.now) == 0
    with raises(SpendingError, BUDGET_SPENT):
        await ledger.reserve(Charge("schedule"), answering())


async def test_who_finds_the_share_borrowed_gets_what_is_left_and_no_more(db: Database) -> None:
    ledger = Ledger(db, Limits(10, 0.5, MANY, MANY), now=Clock(NOON.replace(hour=23)))
    for _ in range(8):
        await ledger.reserve(Charge("schedule"), answering())  # 3 of them from the replies' share
    for _ in range(2):
        await ledger.reserve(link(), answering())
    for charge in (link(), Charge("schedule")):
        with raises(SpendingError, BUDGET_SPENT):
            await ledger.reserve(charge, answering())
    assert await spent(db) == 10


# --- all at once ---------------------------------------------------------------------------------


async def together(count: int, ask: Callable[[int], Awaitable[object]]) -> int:
    """Ask so many times at once; return how many were served."""

    async def one(n: int) -> bool:
        try:
            await ask(n)
        except SpendingError:
            return False
        return True

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(n)) for n in range(count)]
    return sum(task.result() for task in tasks)


SCOPES: dict[str, tuple[Limits, Callable[[int], Charge]]] = {
    "bot": (Limits(1, 1, MANY, MANY), lambda n: link(n, n)),
    "schedule": (Limits(1, 0, MANY, MANY), lambda _: Charge("schedule")),
    "chat": (Limits(MANY, 0.5, 1, MANY), lambda n: link(1, n)),
    "person": (Limits(MANY, 0.5, MANY, 1), lambda n: link(n, 1)),
    "balance": (Limits(MANY, 0.5, MANY, MANY, 99), lambda n: link(n, n)),
}


@pytest.mark.parametrize("scope", list(SCOPES))
async def test_at_the_last_credit_one_of_many_is_served(db: Database, scope: str) -> None:
    limits, charge = SCOPES[scope]
    ledger = Ledger(db, limits, now=Clock())

    async def balance() -> Balance:
        return Balance(100, 15.0)

    await ledger.fetch_and_store_balance(balance)
    many = 200  # the benchmark has 1,000
    count = many if scope == "schedule" else 30
    assert (
        await together(count, lambda n: ledger.reserve_call_and_settle(charge(n), answering()))
        == 1
    )
    assert await spent(db) == 1


async def test_refunds_and_reservations_lock_in_one_order(db: Database) -> None:
    ledger = Ledger(db, FREE, now=Clock())
    asked = [answering(price=2, billed=1) for _ in range(100)]
    assert (
        await together(100, lambda n: ledger.reserve_call_and_settle(link(n, n), asked[n])) == 100
    )
    assert await spent(db) == 100


async def test_cancelled_anywhere_the_ledger_is_never_too_low(db: Database) -> None:
    ledger = Ledger(db, FREE, now=Clock())
    billed = 0

    async def call() -> Answer[None]:
        nonlocal billed
        await asyncio.sleep(0)
        billed += 3  # dearer than the table says
        return Answer(None, 3)

    for n in range(30):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(
                ledger.reserve_call_and_settle(link(), PaidCall(Operation.STORIES, 2, call))
            )
            for _ in range(n):
                await asyncio.sleep(0.0002 if n % 2 else 0)
            task.cancel()
    assert 0 <= await spent(db) - billed <= 30 * 2


async def test_who_goes_away_while_credits_are_reserved_gets_them_back(
    sqlite_db: Database,
) -> None:
    ledger = Ledger(sqlite_db, FREE, now=Clock())
    async with asyncio.TaskGroup() as group:
        reserving = group.create_task(ledger.reserve(link(), answering(price=2)))
        await asyncio.sleep(0)  # it has begun
        reserving.cancel()
    assert reserving.cancelled()
    assert await spent(sqlite_db) == 0
    async with sqlite_db.read() as tx:
        assert [one.state for one in await rows.entries(tx, since=NOON)] == ["refunded"]


# --- against a model -----------------------------------------------------------------------------

LIMITS = Limits(
    daily_budget=30,
    reply_share=0.6,
    chat_daily_allowance=9,
    person_daily_allowance=8,
    minimum_balance=10,
)
PRICES = [1, 2]
Kind = Literal["link", "schedule"]
Held = tuple[Reservation, list[int]]


class Model:
    """The ledger as a list of [time, charge, credits] and a handful of sums."""

    def __init__(self) -> None:
        self.spent: list[tuple[datetime, Charge, list[int]]] = []
        self.stopped = False
        self.reach: int | None = None

    def sum(self, chosen: Callable[[datetime, Charge], bool]) -> int:
        return sum(counted[0] for at, charge, counted in self.spent if chosen(at, charge))

    def total(self) -> int:
        return self.sum(lambda _at, _payer: True)

    def day(self, side: str, now: datetime) -> int:
        return self.sum(
            lambda at, charge: (
                at.date() == now.date() and budget_side_of_calls(charge.kind) == side
            )
        )

    def verdict(self, charge: Charge, n: int, now: datetime) -> SpendingError | None:
        asker, today = charge.asker, now.date()
        if self.stopped:
            return SpendingStoppedError()

        def of(name: str) -> int:
            def chosen(at: datetime, other: Charge) -> bool:
                mine = other.asker is not None and not other.asker.is_owner
                same = mine and getattr(other.asker, name) == getattr(asker, name)
                return same and at.date() == today

            return self.sum(chosen)

        if asker is not None and not asker.is_owner:
            if of("chat_id") + n > LIMITS.chat_daily_allowance:
                return SpendingError(text=CHAT_LIMIT_REACHED)
            if of("user_id") + n > LIMITS.person_daily_allowance:
                return SpendingError(text=PERSON_LIMIT_REACHED)
        is_low = self.reach is not None and self.total() + n > self.reach - LIMITS.minimum_balance
        if is_low and not (asker and asker.is_owner):
            return SpendingStoppedError()
        side = budget_side_of_calls(charge.kind)
        others = "schedule" if side == "replies" else "replies"
        room = side_rule_for(side, LIMITS, now).credits_left(
            own_spending=self.day(side, now), spending_of_others=self.day(others, now)
        )
        return SpendingError(text=BUDGET_SPENT) if n > room else None


class LedgerMachine(RuleBasedStateMachine):
    """Does to the ledger and to the model the same."""

    reservations: Bundle[Held] = Bundle("reservations")

    def __init__(self, runner: asyncio.Runner, db: Database) -> None:
        super().__init__()
        self.runner, self.db = runner, db
        self.clock = Clock(NOON.replace(hour=22))
        self.ledger = Ledger(db, LIMITS, now=self.clock)
        self.model = Model()
        if db.is_sqlite:
            runner.run(_wipe(db))
        else:
            runner.run(empty(db))

    @rule(
        target=reservations,
        kind=st.sampled_from(["link", "link", "schedule"]),
        chat=st.integers(1, 2),
        person=st.integers(1, 2),
        admin=st.sampled_from([False, False, True]),
        price=st.sampled_from(PRICES),
    )
    def reserve(
        self, kind: Kind, chat: int, person: int, admin: bool, price: int
    ) -> Held | MultipleResults[Held]:
        asker = None if kind == "schedule" else Asker(chat, person + 10 * admin, is_owner=admin)
        charge = Charge(kind, asker)
        expected = self.model.verdict(charge, price, self.clock.now)
        reserving = self.ledger.reserve(charge, answering(price=price))
        if expected is not None:
            with raises(type(expected), expected.text) as caught:
                self.runner.run(reserving)
            assert caught.value.until is None or caught.value.until > self.clock.now
            return multiple()
        reservation = self.runner.run(reserving)
        counted = [reservation.credits]
        self.model.spent.append((self.clock.now, charge, counted))
        return (reservation, counted)

    @rule(reservation=consumes(reservations), billed=st.integers(0, 4))
    def settle(self, reservation: Held, billed: int) -> None:
        self.runner.run(self.settled(reservation[0], billed))
        reservation[1][0] = billed

    @rule(reservation=reservations)
    def settle_and_crash_before_the_commit(self, reservation: Held) -> None:
        with pytest.raises(ZeroDivisionError):
            self.runner.run(self.settled(reservation[0], 0, crash=True))

    @rule(reservation=consumes(reservations))
    def die(self, reservation: Held) -> None:
        """Leave it open for ever: it stays spent."""

    @rule(minutes=st.sampled_from([1, 5, 40, 300]))
    def wait(self, minutes: int) -> None:
        self.clock.now += timedelta(minutes=minutes)

    @rule()
    def tidy(self) -> None:
        self.runner.run(self.ledger.close_old_reservations_and_split_costs())

    @rule(stop=st.booleans())
    def switch(self, stop: bool) -> None:
        ledger = self.ledger
        self.runner.run(ledger.set_spending_stopped(stopped=stop))
        self.model.stopped = stop

    @rule(told=st.integers(0, 60))
    def balance(self, told: int) -> None:
        async def ask() -> Balance:
            return Balance(told, 15.0)

        async def under_way() -> int:
            async with self.db.read() as tx:
                return await entries.reserved_credits(tx)

        pending = self.runner.run(under_way())
        self.runner.run(self.ledger.fetch_and_store_balance(ask))
        self.model.reach = told - pending + self.model.total()

    async def settled(self, reservation: Reservation, billed: int, *, crash: bool = False) -> None:
        async with self.db.begin() as tx:
            await self.ledger.settle(tx, reservation, billed)
            if crash:
                raise ZeroDivisionError

    @invariant()
    def the_sums_are_those_of_the_model(self) -> None:
        async def read() -> tuple[int, int]:
            async with self.db.read() as tx:
                return (await budgets.account_state(tx)).spent_by_replies_and_schedule(
                    self.clock.now.date()
                )

        now = self.clock.now
        expected = (self.model.day("replies", now), self.model.day("schedule", now))
        assert self.runner.run(read()) == expected

    @invariant()
    def the_days_are_those_of_the_entries(self) -> None:
        async def read() -> tuple[int, int]:
            async with self.db.read() as tx:
                now, since = self.clock.now, NOON.date()
                parts = await spending.spent_by_operation(tx, since=since, now=now)
                return await rows.all_spent(tx), sum(part.credits for part in parts)

        by_entry, by_day = self.runner.run(read())
        assert by_entry == by_day


async def _wipe(db: Database) -> None:
    async with db.begin() as tx:
        for table in reversed(all_tables().sorted_tables):
            await tx.execute(table.delete())


def test_the_ledger_is_its_model(database_url: str) -> None:
    with asyncio.Runner() as runner:
        db = Database(database_url)
        runner.run(db.migrate())

        class Machine(LedgerMachine):
            def __init__(self) -> None:
                super().__init__(runner, db)

        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=8,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        runner.run(db.__aexit__(None, None, None))


def test_a_day_is_a_day() -> None:
    assert timedelta(hours=24) == DAY


async def test_what_replies_usually_take_later_in_the_day_is_kept_for_them(db: Database) -> None:
    clock = Clock(NOON.replace(hour=0))
    paying = Ledger(db, Limits(1000, 0.5), now=clock)
    assert await paying.reply_credits_left_for_schedule(clock.now) == 0
    assert await paying.reply_credits_left_for_schedule(clock.now + 12 * timedelta(hours=1)) == 250
    yesterday = clock.now - DAY
    async with db.begin() as tx:
        for hour, kind, spent in ((9, "link", 100), (20, "stories", 200), (20, "schedule", 300)):
            at = yesterday + hour * timedelta(hours=1)
            await entries.add(
                tx, kind=kind, chat_id=1, user_id=1, operation="x", nominal=spent, now=at
            )
    paying = Ledger(db, Limits(1000, 0.5), now=clock)
    left = paying.reply_credits_left_for_schedule
    assert await left(clock.now) == 500 - 1.2 * 300
    assert await left(clock.now + timedelta(hours=12)) == 500 - 1.2 * 200
    assert 490 < await left(clock.now + timedelta(hours=21)) < 500


async def test_what_newcomers_asked_for_is_no_habit_where_others_are_known(db: Database) -> None:
    clock = Clock(NOON.replace(hour=0))
    known, new, group, payer = 1, 2, -3, 4
    limits = Limits(1000, 0.5, newcomer_allowance=30)
    yesterday = clock.now - DAY
    async with db.begin() as tx:
        for chat, person, spent in ((1, known, 100), (2, new, 200), (group, payer, 50)):
            await entries.add(
                tx,
                kind="link",
                chat_id=chat,
                user_id=person,
                operation="x",
                nominal=spent,
                now=yesterday + 20 * timedelta(hours=1),
            )
    # Nobody is known yet: all are alike.
    assert (
        await Ledger(db, limits, now=clock).reply_credits_left_for_schedule(clock.now)
        == 500 - 1.2 * 350
    )
    async with db.begin() as tx:
        for day in range(1, 4):
            seen = yesterday.date().replace(day=day)
            await acquaintances.count_day_seen(tx, [known, payer], seen)
    assert (
        await Ledger(db, limits, now=clock).reply_credits_left_for_schedule(clock.now)
        == 500 - 1.2 * 150
    )


async def test_a_habit_is_of_the_last_seven_days_and_learned_anew_each_day(
    sqlite_db: Database,
) -> None:
    midnight = NOON.replace(hour=0)
    async with sqlite_db.begin() as tx:
        for ago, spent in ((8, 300), (7, 200), (2, 100)):
            at = midnight - ago * DAY + timedelta(hours=20)
            await entries.add(
                tx, kind="link", chat_id=1, user_id=1, operation="x", nominal=spent, now=at
            )
    ledger = Ledger(sqlite_db, Limits(1000, 0.5), now=lambda: midnight)
    for now, usual in ((midnight, 200), (midnight, 200), (midnight + DAY, 100)):
        assert await ledger.reply_credits_left_for_schedule(now) == 500 - 1.2 * usual


async def test_a_day_on_which_nobody_asked_is_a_habit_too(sqlite_db: Database) -> None:
    """Of the share a tenth is kept for who never asked before, at no hour more."""
    midnight = NOON.replace(hour=0)
    async with sqlite_db.begin() as tx:
        await entries.add(
            tx,
            kind="schedule",
            chat_id=None,
            user_id=None,
            operation="x",
            nominal=7,
            now=midnight - DAY,
        )
    ledger = Ledger(sqlite_db, Limits(100, 0.5), now=lambda: midnight)
    for hour, kept in ((0, 5), (12, 2.5)):
        assert (
            await ledger.reply_credits_left_for_schedule(midnight + hour * timedelta(hours=1))
            == 50 - kept
        )


async def test_what_is_pasted_costs_no_credits_but_is_bounded_by_its_size(db: Database) -> None:
    clock = Clock()
    ledger = Ledger(db, FREE, now=clock)
    ann, bob = Asker(1, 1), Asker(1, 2)
    await ledger.count_pasted_megabytes(ann, 499)
    await ledger.count_pasted_megabytes(ann, 1)
    with pytest.raises(PastedLimitError):
        await ledger.count_pasted_megabytes(ann, 1)
    await ledger.count_pasted_megabytes(bob, 1)  # another in the same chat
    assert await ledger.spent_by_replies_and_schedule() == (0, 0)
    clock.now += timedelta(days=1)
    await ledger.count_pasted_megabytes(ann, 1)


@pytest.mark.parametrize(
    "steps",  # when it is by the clock, what is wanted then (nothing: tidy), what of it is paid
    [
        [(DAY, 99, 10), (0 * DAY, 1, 0), (DAY, 99, 0), (2 * DAY, 99, 10)],
        [(DAY, 3, 3), (0 * DAY, 3, 3), (0 * DAY, 0, 0), (DAY, 99, 4)],
        [(0 * DAY, 99, 10), (DAY, 99, 10), (0 * DAY, 1, 0), (DAY, 1, 0)],
        [(0 * DAY, 99, 10), (-DAY, 1, 0), (0 * DAY, 1, 0)],
        [(0 * DAY, 7, 7), (-9999 * DAY, 99, 3), (0 * DAY, 0, 0), (0 * DAY, 1, 0)],
    ],
)
async def test_no_day_gets_a_second_budget_whatever_the_clock_says(
    db: Database, steps: list[tuple[timedelta, int, int]]
) -> None:
    clock = Clock()
    ledger = Ledger(db, Limits(10, 1.0, MANY, MANY), now=clock)
    for after, wanted, right in steps:
        clock.now, paid = NOON + after, 0
        if not wanted:
            await ledger.close_old_reservations_and_split_costs()
        with contextlib.suppress(SpendingError):
            while paid < wanted:
                await ledger.reserve_call_and_settle(link(), answering())
                paid += 1
        assert paid == right, after
