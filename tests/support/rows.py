"""Rows as they lie in the tables, for tests that ask what was written."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from bot.domain.model import Story
from bot.domain.serialization import load_readable
from bot.store.engine.database import Tx
from bot.store.ledger import ledger_entries
from bot.store.spending import Sums, parts
from bot.store.stories import stories


async def entries(tx: Tx, *, since: datetime) -> list[sa.Row[Any]]:
    """Return the ledger's entries since then, the oldest first."""
    table = ledger_entries
    statement = sa.select(table).where(table.c.at >= since).order_by(table.c.id)
    return list(await tx.execute(statement))


async def all_spent(tx: Tx, *, since: date = date(2000, 1, 1), chat_id: int | None = None) -> Sums:
    """Return the sums of all calls, or of a chat's."""
    found = await parts(tx, since=since, chat_id=chat_id)
    return sum((one.sums for one in found), Sums())


async def kept_stories(tx: Tx, pks: Iterable[str]) -> dict[str, Story]:
    """Return the stories that are still kept, by pk."""
    statement = sa.select(stories.c.value).where(stories.c.pk.in_(list(pks)))
    readable = load_readable(list((await tx.execute(statement)).scalars()))
    return {story.pk: story for story in readable if story}
