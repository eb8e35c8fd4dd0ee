"""What each chat got by day and kind of ask: stories, bytes, its share of what checks cost."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date

import sqlalchemy as sa

from bot.store.engine.database import Tx
from bot.store.engine.schema import insert, metadata
from bot.store.profiles import profiles
from bot.store.subscriptions import subscriptions

usage_days = sa.Table(
    "usage_days",
    metadata,
    sa.Column("chat_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True, index=True),
    sa.Column("kind", sa.String(10), primary_key=True),
    sa.Column("items", sa.Integer, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    # About its share of the checks: what a day's cost is split evenly among all who wait then.
    sa.Column("millicredits", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Use:
    """Sums of one kind (``link``, ``stories``, ``alert``) over some days."""

    items: int = 0
    bytes: int = 0
    millicredits: int = 0

    def __add__(self, other: "Use") -> "Use":
        """Return both together."""
        return Use(*(getattr(self, n) + getattr(other, n) for n in self.__dataclass_fields__))


_SUMS = tuple(Use.__dataclass_fields__)


_NEW = insert(usage_days)
_ADD = _NEW.on_conflict_do_update(
    index_elements=list(usage_days.primary_key.columns),
    set_={name: usage_days.c[name] + _NEW.excluded[name] for name in _SUMS},
)


async def count(tx: Tx, used: Iterable[tuple[int, Use]], kind: str, *, day: date) -> None:
    """Add what chats used to their sums of a day."""
    rows = [
        {"chat_id": chat_id, "day": day, "kind": kind, **asdict(use)}
        for chat_id, use in sorted(used, key=lambda one: one[0])  # in one order: no deadlocks
    ]
    if rows:
        await tx.execute(_ADD, rows)


async def of_chat(tx: Tx, chat_id: int, *, since: date) -> dict[str, Use]:
    """Return the sums of a chat by kind, from the day ``since`` on, which is not to come."""
    sums = [sa.func.coalesce(sa.func.sum(usage_days.c[name]), 0) for name in _SUMS]
    statement = (
        sa.select(usage_days.c.kind, *sums)
        .where(usage_days.c.chat_id == chat_id, usage_days.c.day >= since)
        .group_by(usage_days.c.kind)
    )
    uses = {row[0]: Use(*map(int, row[1:])) for row in await tx.execute(statement)}
    if share := await _share_of_today(tx, chat_id):
        uses["alert"] = uses.get("alert", Use()) + Use(millicredits=share)
    return uses


async def _share_of_today(tx: Tx, chat_id: int) -> int:
    """Return about what a chat bears of the checks that are not split yet, in thousandths."""
    followed = sa.select(subscriptions.c.profile_id).where(
        subscriptions.c.chat_id == chat_id, subscriptions.c.paused.is_(False)
    )
    part = 1000 * profiles.c.unsplit // profiles.c.chats
    statement = sa.select(sa.func.sum(part)).where(
        profiles.c.profile_id.in_(followed), profiles.c.chats > 0
    )
    return int((await tx.execute(statement)).scalar() or 0)


async def items_by_day(tx: Tx, chat_id: int, *, since: date) -> dict[date, int]:
    """Return how many stories a chat got by day."""
    statement = (
        sa.select(usage_days.c.day, sa.func.sum(usage_days.c["items"]))
        .where(usage_days.c.chat_id == chat_id, usage_days.c.day >= since)
        .group_by(usage_days.c.day)
    )
    return {row[0]: int(row[1]) for row in await tx.execute(statement)}
