"""Counters of spent credits and of other limited amounts, by day.

A single SQL statement increases a counter and checks the limit. Counters are locked in a fixed
order (chat, person, account), so that transactions can't deadlock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias, get_args

import sqlalchemy as sa

from bot.domain.budget import DAY, BudgetRule, Side, midnight_after
from bot.store.engine.columns import counter, flag, primary_key, required
from bot.store.engine.database import Tx, count_rows, put, update_rows
from bot.store.engine.prepared import Prepared
from bot.store.engine.schema import insert, metadata
from bot.store.ledger import ledger_entries

Taken: TypeAlias = None
"""In the type of a result, all credits or allowances were taken."""

NoMinimum: TypeAlias = None
"""In the type of a minimum balance, the balance does not limit the spending."""

Scope = Literal[
    "chat",
    "person",
    "channels",
    "newcomer",
    "pasted",
    "follows",
    "payer",
    "restored",
    "earlier",
    "refused",
]
_SCOPES: tuple[Scope, ...] = get_args(Scope)
_OF_CHATS: tuple[Scope, ...] = ("chat", "channels", "follows")
_PLENTY = 10**6  # a limit that is practically never reached
_ACCOUNT = 1  # the key of the single row of this table
_NO_MINIMUM = -(10**15)

allowances = sa.Table(
    "allowances",
    metadata,
    # The counted amount of each scope:
    # - "chat" and "person": the credits of a chat or a person. A request without a person counts
    #   for the chat's payer.
    # - "channels": the credits of the requests that channels without a known payer send in a chat.
    # - "newcomer": the credits of all newcomers together. The subject is 0.
    # - "pasted": the megabytes that a person loaded from pasted file URLs. Such a load costs 0
    #   credits.
    # - "refused": how many times the budget was too small for a profile that a payer requested.
    #   Payers who are newcomers are not counted.
    # - "follows" and "payer": the profiles that a chat, or all chats of a payer, began to follow.
    #   Ended subscriptions are included.
    # - "restored": the subscriptions that the chats of a payer ended and began again within a day.
    # - "earlier": the checks that were moved to an earlier time, before a daily summary, after
    #   changes of settings. The subject is the payer.
    primary_key("scope", sa.String(8)),
    primary_key("subject", sa.BigInteger),
    primary_key("day", sa.Date),
    required("credits", sa.Integer),
)

account = sa.Table(
    "account",
    metadata,
    primary_key("id", sa.Integer),
    # The credits spent on all days, including reservations.
    required("spent", sa.BigInteger, default="0"),
    flag("stopped"),
    sa.Column("reach", sa.BigInteger),  # the value of "spent" at which the balance is zero
    # The current day, and the credits that the replies and the schedule have spent on this day. If
    # the clock goes back to an earlier day, the stored day does not change.
    required("day", sa.Date, default="1970-01-01"),
    counter("replies"),
    counter("schedule"),
)


_ALLOWANCE = insert(allowances)
_TAKEN = allowances.c.credits + _ALLOWANCE.excluded.credits
_LIMITS = {scope: sa.bindparam(f"{scope}_limit", type_=sa.Integer) for scope in _SCOPES}
_TAKE_ALLOWANCES = _ALLOWANCE.on_conflict_do_update(
    index_elements=list(allowances.primary_key.columns),
    set_={"credits": _TAKEN},
    where=sa.case(_LIMITS, value=allowances.c.scope) >= _TAKEN,
).returning(allowances.c.scope)


async def take_allowances_or_return_exceeded(
    tx: Tx, day: date, amount: int, wanted: Sequence[tuple[Scope, int, int]]
) -> Scope | Taken:
    """Add ``amount`` to daily counters. Return the first scope whose limit is exceeded, or None.

    Each counter is a tuple (scope, subject, limit). The scope determines the unit of ``amount``
    and of the limit, for example credits or megabytes. If a scope is returned, the caller rolls
    back the transaction.
    """
    limits = {f"{scope}_limit": 0 for scope in _SCOPES}
    limits |= {f"{scope}_limit": limit for scope, _, limit in wanted}
    rows = [
        {"scope": scope, "subject": subject, "day": day, "credits": amount, **limits}
        for scope, subject, _ in wanted
    ]
    taken = set(await tx.scalars(_TAKE_ALLOWANCES, rows))
    refusing = (scope for scope, _, limit in wanted if amount > limit or scope not in taken)
    return next(refusing, None)


async def add_to_counters(tx: Tx, day: date, amount: int, *counters: tuple[Scope, int]) -> None:
    """Add ``amount`` to counters of a day, without a check of the limits.

    A counter is a pair of scope and subject. The unit of ``amount`` depends on the scope. The
    counters stay locked until the transaction ends.
    """
    wanted = [(scope, subject, _PLENTY) for scope, subject in counters]
    await take_allowances_or_return_exceeded(tx, day, amount, wanted)


async def give_back_allowance(tx: Tx, scope: Scope, subject: int, day: date, amount: int) -> None:
    """Subtract ``amount`` from a counter of a day. Do nothing if the counter does not exist.

    The unit of ``amount`` depends on ``scope``. A negative ``amount`` increases the counter, even
    above the limit.
    """
    rest = allowances.c.credits - amount
    await update_rows(tx, allowances, _is_counter_sql(scope, subject, day), credits=rest)


async def read_used_allowance(tx: Tx, scope: Scope, subject: int, day: date) -> int:
    """Return the amount that a counter has counted on a day, or 0 if the counter does not exist.

    The unit is credits, except for these scopes: megabytes for "pasted", profiles for "follows"
    and "payer", subscriptions for "restored", checks for "earlier", refusals for "refused".
    """
    statement = sa.select(allowances.c.credits).where(_is_counter_sql(scope, subject, day))
    return await tx.scalar(statement) or 0


async def count_subjects_with_counter(tx: Tx, scope: Scope, day: date) -> int:
    """Return the number of subjects that have a counter of a scope for a day."""
    row = allowances.c
    return await count_rows(tx, row.scope == scope, row.day == day)


def _is_counter_sql(scope: Scope, subject: int, day: date) -> sa.ColumnElement[bool]:
    row = allowances.c
    return sa.and_(row.scope == scope, row.subject == subject, row.day == day)


_NEW = insert(account)
_SUMS = {
    column: account.c[column] + _NEW.excluded[column]
    for column in ("spent", "replies", "schedule")
}
_IS_ENOUGH = sa.or_(
    account.c.reach.is_(None),
    _SUMS["spent"] + sa.bindparam("minimum", type_=sa.BigInteger) <= account.c.reach,
)


def _take_credits_sql(side: Side) -> sa.Executable:
    budget, protected, others_share = (
        sa.bindparam(name, type_=sa.Integer) for name in ("budget", "protected", "others_share")
    )
    total = _SUMS["replies"] + _SUMS["schedule"]
    # The last two conditions enforce the limit that ``BudgetRule.credits_left`` computes. The
    # conditions use no maximum and no minimum, because SQLite and PostgreSQL have different
    # functions for the maximum of two values.
    return _NEW.on_conflict_do_update(
        index_elements=[account.c.id],
        set_=_SUMS,
        where=sa.and_(
            # Another replica may have begun the next day already. In this case, all replicas
            # count the credits for the next day.
            account.c.day >= _NEW.excluded.day,
            account.c.stopped.is_(False),
            _IS_ENOUGH,
            total <= budget,
            sa.or_(total + protected <= budget, _SUMS[side] + others_share <= budget),
        ),
    ).returning(account.c.id)


_TAKE_CREDITS = {side: Prepared(_take_credits_sql(side)) for side in get_args(Side)}


@dataclass(frozen=True, slots=True)
class AccountState:
    """The state of the account: total spending, stop switch, balance, and spending of a day.

    All amounts are in credits, and include reservations. ``balance`` is None before the first
    reading.
    """

    spent: int = 0
    is_stopped: bool = False
    balance: int | None = None
    day: date = date.min
    replies: int = 0
    schedule: int = 0

    def allows_spending(self, amount: int, *, minimum: int | NoMinimum) -> bool:
        """Return whether the stop switch and the balance allow spending ``amount`` credits.

        ``minimum`` is the balance that must remain. If ``minimum`` is None, any balance is
        sufficient. An unknown balance is always sufficient.
        """
        if self.is_stopped or minimum is None or self.balance is None:
            return not self.is_stopped
        return self.balance - amount >= minimum

    def spent_by_replies_and_schedule(self, today: date) -> tuple[int, int]:
        """Return today's spending of the replies and of the schedule, in credits.

        If ``day`` is before ``today``, both numbers are 0. If ``day`` is after ``today``, the
        numbers are the spending of ``day``.
        """
        return (self.replies, self.schedule) if self.day >= today else (0, 0)


async def take_credits_or_return_account(
    tx: Tx, side: Side, now: datetime, amount: int, rule: BudgetRule, *, minimum: int | NoMinimum
) -> AccountState | Taken:
    """Add credits to the daily spending of a side and to the total spending. Return None.

    If the budget rule, the stop switch or the balance forbids the spending, add nothing, and
    return the account. ``minimum`` is the balance that must remain.
    """
    if (
        amount > rule.credits_left(own_spending=0, spending_of_others=0)
        and amount > rule.budget - rule.others_share
    ):
        # The limits are checked here too, because the statement below checks the limits only if
        # the account already has a row.
        return await account_state(tx)
    row = {"id": _ACCOUNT, "spent": amount, "replies": 0, "schedule": 0, side: amount}
    limits = {
        "budget": rule.budget,
        "protected": rule.protected,
        "others_share": rule.others_share,
        "minimum": _NO_MINIMUM if minimum is None else minimum,
    }
    values = {"day": now.date(), **row, **limits}
    if await _TAKE_CREDITS[side].rows(tx, values):
        return None
    state = await account_state(tx)
    if state.day >= now.date():
        return state
    await begin_day_if_behind(tx, now)
    if await _TAKE_CREDITS[side].rows(tx, values):
        return None
    return await account_state(tx)


async def begin_day_if_behind(tx: Tx, now: datetime) -> None:
    """Begin the counters of today if the account still counts an earlier day.

    The counters begin with the credits of today's ledger entries. A clock that goes back and
    forward again therefore gives no second budget.
    """
    today = now.date()
    counters = {side: _paid_today_sql(side, now) for side in get_args(Side)}
    is_behind = account.c.day < today
    await update_rows(tx, account, is_behind, day=today, **counters)


def _paid_today_sql(side: Side, now: datetime) -> sa.ScalarSelect[int]:
    """Return the query for the credits that ``side`` has spent and reserved today (UTC)."""
    entries = ledger_entries.c
    paid = sa.select(sa.func.coalesce(sa.func.sum(entries.credits), 0))
    is_schedule = entries.kind == "schedule"
    is_of_side = is_schedule if side == "schedule" else ~is_schedule
    is_today = sa.and_(entries.at >= midnight_after(now) - DAY, entries.at <= now)
    return paid.where(is_of_side, is_today).scalar_subquery()


async def give_back_credits(
    tx: Tx, side: Side, day: date, amount: int, *, of_balance: bool = True
) -> None:
    """Subtract credits from the spending of ``side`` on ``day`` and from the total spending.

    If the account now counts a different day, only the total spending changes. If ``of_balance``
    is False, the total spending stays. A negative ``amount`` increases the spending.
    """
    rest = sa.case((account.c.day == day, account.c[side] - amount), else_=account.c[side])
    ever = account.c.spent - amount if of_balance else account.c.spent
    await update_rows(tx, account, **{side: rest, "spent": ever})


async def set_spending_stopped(tx: Tx, *, stopped: bool) -> None:
    """Turn the stop switch of all spending on or off."""
    await put(tx, account, {"id": _ACCOUNT}, {"stopped": stopped})


_A = account.c
_STATE = Prepared(
    sa.select(_A.spent, _A.stopped, _A.reach - _A.spent, _A.day, _A.replies, _A.schedule)
)


async def account_state(tx: Tx) -> AccountState:
    """Return the current state of the account."""
    rows = await _STATE.rows(tx, {})
    return AccountState(*rows[0]) if rows else AccountState()


async def set_spent_at_zero_balance(tx: Tx, total: int) -> None:
    """Record the total spending, in credits, at which the balance is zero."""
    await put(tx, account, {"id": _ACCOUNT}, {"reach": total})


async def move_chat(tx: Tx, old: int, new: int) -> None:
    """Add the counters of a group that became a supergroup to the counters of the new id.

    Only counters whose subject is a chat are moved. The counters of the old id are deleted.
    """
    rows = await tx.execute(
        sa.delete(allowances)
        .where(allowances.c.scope.in_(_OF_CHATS), allowances.c.subject == old)
        .returning(allowances.c.scope, allowances.c.day, allowances.c.credits)
    )
    for scope, day, amount in rows.all():
        key = {"scope": scope, "subject": new, "day": day}
        added = {"credits": allowances.c.credits + amount}
        await put(tx, allowances, key, added, new={"credits": amount})
