"""How much may still be spent of a chat's and a person's day, of the budget, of the balance.

What is spent is added to a row by one statement, with the limits as its condition: the database
says yes or no, so that any number of askers at the last credit get one yes. Rows are locked in one
order (chat, person, account), which leaves no way for two transactions to wait for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

import sqlalchemy as sa

from bot.domain.budget import DAY, BudgetRule, Side, midnight_after
from bot.store.engine.database import Tx, put, row_or_none
from bot.store.engine.schema import insert, metadata
from bot.store.ledger import ledger_entries

Scope = Literal["chat", "person", "channels", "newcomer", "pasted", "follows", "payer", "refused"]
_SCOPES: tuple[Scope, ...] = get_args(Scope)
_OF_CHATS: tuple[Scope, ...] = ("chat", "channels", "follows")
_ACCOUNT = 1  # the one row
_NO_MINIMUM = -(10**15)

allowances = sa.Table(
    "allowances",
    metadata,
    # chat, person: credits of each; a question without a name counts for the payer of its chat.
    # channels: credits of the questions in a chat that are written in the name of channels.
    # newcomer: credits of all newcomers together, subject 0.
    # pasted: megabytes that a person loaded from pasted addresses of files; they cost no credits.
    # refused: how often the budget had no room for a profile that a known person wanted.
    # follows, payer: profiles that a chat, or all chats of a payer, began to follow, ended or not.
    sa.Column("scope", sa.String(8), primary_key=True),
    sa.Column("subject", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("credits", sa.Integer, nullable=False),
)

account = sa.Table(
    "account",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    # Ever, reservations included.
    sa.Column("spent", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("stopped", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("reach", sa.BigInteger),  # what "spent" is when the balance is zero
    # The day that counts (a clock that goes back sets it back), and what each side spent of it.
    sa.Column("day", sa.Date, nullable=False, server_default="1970-01-01"),
    sa.Column("replies", sa.Integer, nullable=False, server_default="0"),
    sa.Column("schedule", sa.Integer, nullable=False, server_default="0"),
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


async def give_back_allowance(tx: Tx, scope: Scope, subject: int, day: date, amount: int) -> None:
    """Take ``amount`` off what was spent that day (negative: add, whatever the limit)."""
    of_day = sa.update(allowances).where(_is_of(scope, subject, day))
    await tx.execute(of_day.values(credits=allowances.c.credits - amount))


async def allowance_used(tx: Tx, scope: Scope, subject: int, day: date) -> int:
    """Return what a chat or a person spent that day."""
    statement = sa.select(allowances.c.credits).where(_is_of(scope, subject, day))
    return (await tx.execute(statement)).scalar() or 0


async def count_subjects(tx: Tx, scope: Scope, day: date) -> int:
    """Return how many chats or people have a counter of that scope and day."""
    row = allowances.c
    count = sa.select(sa.func.count()).where(row.scope == scope, row.day == day)
    return (await tx.execute(count)).scalar() or 0


def _is_of(scope: Scope, subject: int, day: date) -> sa.ColumnElement[bool]:
    row = allowances.c
    return sa.and_(row.scope == scope, row.subject == subject, row.day == day)


_NEW = insert(account)
_SUMS = {one: account.c[one] + _NEW.excluded[one] for one in ("spent", "replies", "schedule")}
_IS_ENOUGH = sa.or_(
    account.c.reach.is_(None),
    _SUMS["spent"] + sa.bindparam("minimum", type_=sa.BigInteger) <= account.c.reach,
)


def _take_credits_sql(side: Side) -> sa.Executable:
    budget, protected, others_share = (
        sa.bindparam(name, type_=sa.Integer) for name in ("budget", "protected", "others_share")
    )
    total = _SUMS["replies"] + _SUMS["schedule"]
    # total + max(0, min(protected, others_share - other)) <= budget, without max and min
    return _NEW.on_conflict_do_update(
        index_elements=[account.c.id],
        set_=_SUMS,
        where=sa.and_(
            # Among replicas one may be at the next day already: then all count in that.
            account.c.day >= _NEW.excluded.day,
            account.c.stopped.is_(False),
            _IS_ENOUGH,
            total <= budget,
            sa.or_(total + protected <= budget, _SUMS[side] + others_share <= budget),
        ),
    ).returning(account.c.id)


_TAKE_CREDITS = {side: _take_credits_sql(side) for side in get_args(Side)}


async def take_credits(
    tx: Tx, side: Side, now: datetime, amount: int, rule: BudgetRule, *, minimum: int | None
) -> bool:
    """Add to what one side spent today, unless the rule, the switch or the balance forbids it.

    ``minimum`` is what must be left of the balance, None for anything; a balance that was never
    told is enough.
    """
    if amount > rule.room(mine=0, others=0) and amount > rule.budget - rule.others_share:
        return False  # not even on a fresh day
    row = {"id": _ACCOUNT, "spent": amount, "replies": 0, "schedule": 0, side: amount}
    limits = {
        "budget": rule.budget,
        "protected": rule.protected,
        "others_share": rule.others_share,
        "minimum": _NO_MINIMUM if minimum is None else minimum,
    }
    values = {"day": now.date(), **row, **limits}
    if (await tx.execute(_TAKE_CREDITS[side], values)).first() is not None:
        return True
    if (await account_state(tx)).day >= now.date():
        return False
    await begin_day(tx, now)
    return (await tx.execute(_TAKE_CREDITS[side], values)).first() is not None


async def begin_day(tx: Tx, now: datetime) -> None:
    """Let an account that counts an earlier day count today.

    The new counters include what was paid today, so a clock that was behind for a while gives no
    second budget. An account that counts a later day stays as it is, and gives none either.
    """
    today = now.date()
    counters = {side: _paid_today_sql(side, now) for side in get_args(Side)}
    is_behind = account.c.day < today
    await tx.execute(sa.update(account).where(is_behind).values(day=today, **counters))


def _paid_today_sql(side: Side, now: datetime) -> sa.ScalarSelect[int]:
    """Return the query for the credits that one side has paid since midnight (UTC)."""
    entries = ledger_entries.c
    paid = sa.select(sa.func.coalesce(sa.func.sum(entries.credits), 0))
    is_schedule = entries.kind == "schedule"
    is_of_side = is_schedule if side == "schedule" else ~is_schedule
    is_today = sa.and_(entries.at >= midnight_after(now) - DAY, entries.at <= now)
    return paid.where(is_of_side, is_today).scalar_subquery()


async def give_back_credits(
    tx: Tx, side: Side, day: date, amount: int, *, of_balance: bool = True
) -> None:
    """Take ``amount`` off what one side spent that day (negative: add), and what was ever spent.

    Without ``of_balance`` the account was billed all the same.
    """
    rest = sa.case((account.c.day == day, account.c[side] - amount), else_=account.c[side])
    ever = account.c.spent - amount if of_balance else account.c.spent
    await tx.execute(sa.update(account).values({side: rest, "spent": ever}))


async def set_stopped(tx: Tx, *, stopped: bool) -> None:
    """Turn the stop switch."""
    await put(tx, account, {"id": _ACCOUNT}, {"stopped": stopped})


@dataclass(frozen=True, slots=True)
class AccountState:
    """What was ever spent, reservations included; the stop switch; the balance, once told.

    And what replies and the schedule spent of the ``day`` that counts.
    """

    spent: int = 0
    is_stopped: bool = False
    balance: int | None = None
    day: date = date.min
    replies: int = 0
    schedule: int = 0

    def may_spend(self, amount: int, *, minimum: int | None) -> bool:
        """Return whether the switch and the balance let so much be spent."""
        if self.is_stopped or minimum is None or self.balance is None:
            return not self.is_stopped
        return self.balance - amount >= minimum

    def spent_today(self, today: date) -> tuple[int, int]:
        """Return what replies and the schedule have spent today."""
        return (self.replies, self.schedule) if self.day >= today else (0, 0)


_A = account.c
_STATE = sa.select(_A.spent, _A.stopped, _A.reach - _A.spent, _A.day, _A.replies, _A.schedule)


async def account_state(tx: Tx) -> AccountState:
    """Return how the account stands as we know it now."""
    return await row_or_none(tx, AccountState, _STATE) or AccountState()


async def set_reach(tx: Tx, total: int) -> None:
    """Record how many credits can be spent, ever: the balance is zero at ``total``."""
    await put(tx, account, {"id": _ACCOUNT}, {"reach": total})


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
