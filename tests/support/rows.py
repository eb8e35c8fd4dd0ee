"""Table rows for tests of the stored data."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any

import sqlalchemy as sa

from bot.domain.model import Story
from bot.domain.serialization import load_each_or_none
from bot.store.engine.database import Tx
from bot.store.ledger import ledger_entries
from bot.store.profiles import profiles
from bot.store.stories import stories
from bot.store.usage import usage_days


async def entries(tx: Tx, *, since: datetime) -> list[sa.Row[Any]]:
    """Return the ledger's entries since a time, oldest first."""
    table = ledger_entries
    statement = sa.select(table).where(table.c.at >= since).order_by(table.c.id)
    return list(await tx.execute(statement))


async def all_spent(tx: Tx, *, since: date = date(2000, 1, 1)) -> int:
    """Return the total credits of all calls."""
    since_midnight = datetime.combine(since, time(), UTC)
    return sum(entry.credits for entry in await entries(tx, since=since_midnight))


async def kept_stories(tx: Tx, pks: Iterable[str]) -> dict[str, Story]:
    """Return the stored stories by pk."""
    statement = sa.select(stories.c.value).where(stories.c.pk.in_(list(pks)))
    readable = load_each_or_none(list((await tx.execute(statement)).scalars()))
    return {story.pk: story for story in readable if story}


async def used(tx: Tx, chat_id: int) -> tuple[int, int]:
    """Return a chat's number of sent stories, and its share of checks in millicredits."""
    sums = (sa.func.sum(usage_days.c[name]) for name in ("items", "millicredits"))
    row = (await tx.execute(sa.select(*sums).where(usage_days.c.chat_id == chat_id))).one()
    return int(row[0] or 0), int(row[1] or 0)


async def unsplit(tx: Tx) -> int:
    """Return the credits of checks that are not yet divided among subscribers."""
    return int((await tx.execute(sa.select(sa.func.sum(profiles.c.unsplit)))).scalar() or 0)
