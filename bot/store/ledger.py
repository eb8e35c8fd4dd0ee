"""The entries of the ledger. Each paid call has an entry, which is kept for 32 days.

The entry has the nominal cost before the call, and the billed cost after the call. If the bill is
unknown, the nominal cost counts as spent.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from bot.domain.budget import midnight_of
from bot.domain.model import Unknown
from bot.store import access
from bot.store.engine.columns import Timestamp, automatic_id, required
from bot.store.engine.database import Tx, row_or_none, update_rows
from bot.store.engine.prepared import Prepared
from bot.store.engine.schema import metadata, partial_index

ClosedCount = int
"""The number of closed reservations."""

OPEN = "reserved"
PRESUMED = "presumed"  # the outcome is unknown, and the credits count as spent
_HOUR_MS = 3_600_000
# The chat id of entries without a chat. Such entries are of the schedule or of erased chats.
NOBODY = 0
ENTRIES_KEPT = timedelta(days=32)
"""The time for which entries are kept, so that a sum by person can include a whole month."""

ledger_entries = sa.Table(
    "ledger_entries",
    metadata,
    automatic_id(),
    required("kind", sa.String(10)),
    required("chat_id", sa.BigInteger),
    sa.Column("user_id", sa.BigInteger),
    # True if no person made the request. In this case, ``user_id`` is the payer of the chat.
    required("is_on_behalf", sa.Boolean),
    required("operation", sa.String(16)),
    # The charged allowances: scopes of ``budgets``, separated by spaces.
    required("scopes", sa.String(32)),
    required("nominal", sa.Integer),
    required("credits", sa.Integer),
    required("state", sa.String(8)),
    required("at", Timestamp, index=True),
    sa.Column("closed_at", Timestamp),
    sa.Index("ix_ledger_entries_open", "at", **partial_index("state = 'reserved'")),
    sa.Index("ix_ledger_entries_presumed", "at", **partial_index("state = 'presumed'")),
    sa.Index("ix_ledger_entries_chat_id_at", "chat_id", "at"),
    sa.Index("ix_ledger_entries_user_id_at", "user_id", "at"),
    sqlite_autoincrement=True,
)

# The conditions have the same text as the conditions of the partial indexes. Otherwise the
# databases would not use these indexes.
IS_OPEN = sa.text("state = 'reserved'")
IS_PRESUMED = sa.text("state = 'presumed'")

_ADD = Prepared(sa.insert(ledger_entries).returning(ledger_entries.c.id))


async def add(
    tx: Tx,
    *,
    kind: str,
    chat_id: int | None,
    user_id: int | None,
    operation: str,
    nominal: int,
    now: datetime,
    scopes: Sequence[str] = (),
    is_on_behalf: bool = False,
) -> int:
    """Insert an open entry, which reserves the credits of a call. Return the id of the entry.

    ``nominal`` is the cost in credits. If ``is_on_behalf`` is True, no person made the request,
    and ``user_id`` is the payer.
    """
    row = {
        "kind": kind,
        "chat_id": NOBODY if chat_id is None else chat_id,
        "user_id": user_id,
        "is_on_behalf": is_on_behalf,
        "operation": operation,
        "scopes": " ".join(scopes),
        "nominal": nominal,
        "credits": nominal,
        "state": OPEN,
        "at": now,
    }
    (added,) = await _ADD.rows(tx, row)
    return int(added.id)


class ClosedEntry(NamedTuple):
    """The columns of a closed entry that the caller needs to charge the billed credits."""

    at: datetime
    kind: str
    chat_id: int
    operation: str
    nominal: int
    user_id: int | None
    scopes: str


class IdAndCredits(NamedTuple):
    """The id of an entry, and the credits of the entry."""

    id: int
    credits: int


_CLOSED = [ledger_entries.c[name] for name in ClosedEntry._fields]
_CLOSE = (
    sa.update(ledger_entries)
    .where(
        ledger_entries.c.id == sa.bindparam("entry_id"),
        ledger_entries.c.state.in_(sa.bindparam("before", expanding=True)),
    )
    .returning(*_CLOSED)
)


async def close(
    tx: Tx, entry_id: int, billed_credits: int | Unknown, *, now: datetime
) -> ClosedEntry | None:
    """Close an entry with the billed credits. Return the entry.

    If ``billed_credits`` is None, the nominal cost is presumed spent. A later call can then still
    record the billed credits. Return None if no entry was closed.
    """
    values: dict[str, Any] = {"entry_id": entry_id, "closed_at": now, "state": PRESUMED}
    if billed_credits is None:
        return await row_or_none(tx, ClosedEntry, _CLOSE, values | {"before": [OPEN]})
    values |= {"credits": billed_credits, "state": "settled" if billed_credits else "refunded"}
    return await row_or_none(tx, ClosedEntry, _CLOSE, values | {"before": [OPEN, PRESUMED]})


async def first_presumed_spent(tx: Tx, since: datetime) -> IdAndCredits | None:
    """Return the first entry since the time ``since`` whose credits are presumed spent, or None.

    The credits of a call are presumed spent if the bill is unknown.
    """
    columns = [ledger_entries.c.id, ledger_entries.c.credits]
    condition = sa.and_(IS_PRESUMED, ledger_entries.c.at >= since)
    rows = sa.select(*columns).where(condition).order_by(columns[0]).limit(1)
    return await row_or_none(tx, IdAndCredits, rows)


async def presume_old_reservations_spent(
    tx: Tx, *, before: datetime, now: datetime
) -> ClosedCount:
    """Close the open entries that are older than the time ``before``. Return their number.

    The process that added these entries has ended. The nominal costs are presumed spent.
    """
    left = sa.and_(IS_OPEN, ledger_entries.c.at < before)
    return await update_rows(tx, ledger_entries, left, state=PRESUMED, closed_at=now)


async def reserved_credits(tx: Tx) -> int:
    """Return the sum of the credits of all open entries."""
    statement = sa.select(sa.func.sum(ledger_entries.c.credits)).where(IS_OPEN)
    return await tx.scalar(statement) or 0


async def reply_cost_by_hour(
    tx: Tx, since: date, *, before: date, only_known_people: bool
) -> dict[date, list[int]]:
    """Return the credits spent on replies, by day, as a list with a sum for each hour (UTC).

    All spending except the schedule counts as replies. If ``only_known_people`` is True, replies
    to newcomers do not count.
    """
    # The number is a literal. PostgreSQL would treat the parameters in SELECT and in GROUP BY as
    # different expressions.
    hour = sa.type_coerce(ledger_entries.c.at, sa.BigInteger) // sa.literal_column(
        str(_HOUR_MS), sa.Integer
    )
    counts = ledger_entries.c.kind != "schedule"
    if only_known_people:
        counts = sa.and_(counts, access.is_not_newcomer_sql(ledger_entries.c.user_id))
    statement = (
        sa.select(hour, sa.func.sum(sa.case((counts, ledger_entries.c.credits), else_=0)))
        .where(
            ledger_entries.c.at >= midnight_of(since),
            ledger_entries.c.at < midnight_of(before),
        )
        .group_by(hour)
    )
    by_day: dict[date, list[int]] = {}
    for number, spent in await tx.execute(statement):
        begin = datetime.fromtimestamp(number * _HOUR_MS / 1000, UTC)
        by_day.setdefault(begin.date(), [0] * 24)[begin.hour] = int(spent)
    return by_day


async def move_chat(tx: Tx, old: int, new: int) -> None:
    """Replace the chat id ``old`` by ``new`` in all entries.

    If ``new`` is ``NOBODY``, the entries belong to no chat afterwards.
    """
    await update_rows(tx, ledger_entries, ledger_entries.c.chat_id == old, chat_id=new)
