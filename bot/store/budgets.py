"""How much may still be spent of a chat's and a person's day, of the budget, of the balance.

Each limit is one conditional UPDATE: the database says yes or no, so that any number of askers at
the last credit get one yes. Rows are locked in one order (chat, person, account, budget), which
leaves no way for two transactions to wait for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

import sqlalchemy as sa

from bot.domain.budget import BudgetRule, Side
from bot.store.engine.database import Tx, put, row_or_none
from bot.store.engine.schema import insert, metadata

Scope = Literal["chat", "person", "nobody", "newcomer", "pasted", "follows"]
_SCOPES: tuple[Scope, ...] = get_args(Scope)
_OF_CHATS: tuple[Scope, ...] = ("chat", "nobody", "follows")
_ACCOUNT = 1  # the one row
_NO_MINIMUM = -(10**15)

allowances = sa.Table(
    "allowances",
    metadata,
    # chat, person; nobody: who asks in a chat without a name; newcomer: all of them, subject 0;
    # pasted: megabytes that were loaded of addresses of files, which cost no credits;
    # follows: profiles that a chat began to follow, also where it has ended that since
    sa.Column("scope", sa.String(8), primary_key=True),
    sa.Column("subject", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("credits", sa.Integer, nullable=False),
)

budget_days = sa.Table(
    "budget_days",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("replies", sa.Integer, nullable=False),
    sa.Column("schedule", sa.Integer, nullable=False),
)

account = sa.Table(
    "account",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("spent", sa.BigInteger, nullable=False),  # ever, reservations included
    sa.Column("stopped", sa.Boolean, nullable=False),
    sa.Column("reach", sa.BigInteger),  # what "spent" is when the balance is zero
)


_ALLOWANCE = insert(allowances)
_TAKEN = allowances.c.credits + _ALLOWANCE.excluded.credits
_LIMITS = {scope: sa.bindparam(f"{scope}_limit", type_=sa.Integer) for scope in _SCOPES}
_TAKE_ALLOWANCES = _ALLOWANCE.on_conflict_do_update(
    index_elements=list(allowances.primary_key.columns),
    set_={"credits": _TAKEN},
    where=sa.case(_LIMITS, value=allowances.c.scope) >= _TAKEN,
).returning(allowances.c.scope)


async def take_allowances(
    tx: Tx, day: date, amount: int, wanted: Sequence[tuple[Scope, int, int]]
) -> Scope | None:
    """Add to what each of these spent that day; return whose limit forbids it, if any.

    ``wanted`` are (scope, subject, limit). After a refusal the caller rolls back.
    """
    limits = {f"{scope}_limit": 0 for scope in _SCOPES}
    limits |= {f"{scope}_limit": limit for scope, _, limit in wanted}
    rows = [
        {"scope": scope, "subject": subject, "day": day, "credits": amount, **limits}
        for scope, subject, _ in wanted
    ]
    taken = set((await tx.execute(_TAKE_ALLOWANCES, rows)).scalars())
    refusing = (scope for scope, _, limit in wanted if amount > limit or scope not in taken)
    return next(refusing, None)


async def give_allowance(tx: Tx, scope: Scope, subject: int, day: date, amount: int) -> None:
    """Take ``amount`` off what was spent that day (negative: add, whatever the limit)."""
    await tx.execute(
        sa.update(allowances)
        .where(
            allowances.c.scope == scope, allowances.c.subject == subject, allowances.c.day == day
        )
        .values(credits=allowances.c.credits - amount)
    )


async def allowance_used(tx: Tx, scope: Scope, subject: int, day: date) -> int:
    """Return what a chat or a person spent that day."""
    statement = sa.select(allowances.c.credits).where(
        allowances.c.scope == scope, allowances.c.subject == subject, allowances.c.day == day
    )
    return (await tx.execute(statement)).scalar() or 0


def _take_budget(side: Side) -> sa.Executable:
    budget, protected, others_share = (
        sa.bindparam(name, type_=sa.Integer) for name in ("budget", "protected", "others_share")
    )
    statement = insert(budget_days)
    mine = budget_days.c[side] + statement.excluded[side]
    total = budget_days.c.replies + budget_days.c.schedule + statement.excluded[side]
    # total + max(0, min(protected, others_share - other)) <= budget, without max and min
    return statement.on_conflict_do_update(
        index_elements=[budget_days.c.day],
        set_={side: mine},
        where=sa.and_(
            total <= budget,
            sa.or_(total + protected <= budget, mine + others_share <= budget),
        ),
    ).returning(budget_days.c.day)


_TAKE_BUDGET = {side: _take_budget(side) for side in get_args(Side)}


async def take_budget(tx: Tx, side: Side, day: date, amount: int, rule: BudgetRule) -> bool:
    """Add to what one side spent that day, unless the rule forbids it."""
    if amount > rule.room(mine=0, others=0) and amount > rule.budget - rule.others_share:
        return False  # not even on a fresh day
    row = {"day": day, "replies": 0, "schedule": 0} | {side: amount}
    limits = {
        "budget": rule.budget,
        "protected": rule.protected,
        "others_share": rule.others_share,
    }
    return (await tx.execute(_TAKE_BUDGET[side], row | limits)).first() is not None


async def give_budget(tx: Tx, side: Side, day: date, amount: int) -> None:
    """Take ``amount`` off what one side spent that day (negative: add)."""
    await tx.execute(
        sa.update(budget_days)
        .where(budget_days.c.day == day)
        .values({side: budget_days.c[side] - amount})
    )


async def days_since(tx: Tx, since: date, *, before: date) -> list[date]:
    """Return the days in that time on which anything was spent."""
    column = budget_days.c.day
    statement = sa.select(column).where(column >= since, column < before).order_by(column)
    return list((await tx.execute(statement)).scalars())


_USED = sa.select(budget_days.c.replies, budget_days.c.schedule).where(
    budget_days.c.day == sa.bindparam("of_day", type_=budget_days.c.day.type)
)


async def budget_used(tx: Tx, day: date) -> tuple[int, int]:
    """Return what replies and the schedule spent that day."""
    row = (await tx.execute(_USED, {"of_day": day})).first()
    return (row[0], row[1]) if row else (0, 0)


_CREDITS = insert(account)
_SPENT = account.c.spent + _CREDITS.excluded.spent
_IS_ENOUGH = sa.or_(
    account.c.reach.is_(None),
    _SPENT + sa.bindparam("minimum", type_=sa.BigInteger) <= account.c.reach,
)
_TAKE_CREDITS = _CREDITS.on_conflict_do_update(
    index_elements=[account.c.id],
    set_={"spent": _SPENT},
    where=account.c.stopped.is_(False) & _IS_ENOUGH,
).returning(account.c.id)


async def take_credits(tx: Tx, amount: int, *, minimum: int | None) -> bool:
    """Add to what was ever spent, unless the switch is off or the balance would be too low.

    ``minimum`` is what must be left of the balance, None for anything; a balance that was never
    told is enough.
    """
    row = {"id": _ACCOUNT, "spent": amount, "stopped": False}
    row["minimum"] = _NO_MINIMUM if minimum is None else minimum
    return (await tx.execute(_TAKE_CREDITS, row)).first() is not None


async def set_stopped(tx: Tx, *, stopped: bool) -> None:
    """Turn the stop switch."""
    await _set_account(tx, stopped=stopped)


async def give_credits(tx: Tx, amount: int) -> None:
    """Take ``amount`` off what was ever spent (negative: add)."""
    await tx.execute(
        sa.update(account).where(account.c.id == _ACCOUNT).values(spent=account.c.spent - amount)
    )


@dataclass(frozen=True, slots=True)
class AccountState:
    """What was ever spent, reservations included; the stop switch; the balance, once told."""

    spent: int = 0
    is_stopped: bool = False
    balance: int | None = None


_STATE = sa.select(account.c.spent, account.c.stopped, account.c.reach - account.c.spent)


async def account_state(tx: Tx) -> AccountState:
    """Return how the account stands as we know it now."""
    return await row_or_none(tx, AccountState, _STATE) or AccountState()


async def set_reach(tx: Tx, reach: int) -> None:
    """Note that the balance is zero when ``reach`` credits were ever spent."""
    await _set_account(tx, reach=reach)


async def _set_account(tx: Tx, **values: object) -> None:
    await put(tx, account, {"id": _ACCOUNT}, values, new={"spent": 0, "stopped": False, **values})


async def move_chat(tx: Tx, old: int, new: int) -> None:
    """Let a group that became a supergroup keep what it has spent."""
    rows = await tx.execute(
        sa.delete(allowances)
        .where(allowances.c.scope.in_(_OF_CHATS), allowances.c.subject == old)
        .returning(allowances.c.scope, allowances.c.day, allowances.c.credits)
    )
    for scope, day, amount in rows.all():
        key = {"scope": scope, "subject": new, "day": day}
        added = {"credits": allowances.c.credits + amount}
        await put(tx, allowances, key, added, new={"credits": amount})
