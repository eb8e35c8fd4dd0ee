"""Figures of each hour, for charts and the admin page, kept for 30 days."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.store.deliveries import DEFERRED, deliveries, is_dead, is_open
from bot.store.engine.columns import Timestamp
from bot.store.engine.database import Tx, add_new, count_rows, has_row
from bot.store.engine.schema import metadata
from bot.store.ledger import ledger_entries
from bot.store.stories import stories

samples = sa.Table(
    "samples",
    metadata,
    sa.Column("hour", Timestamp, primary_key=True),
    sa.Column("figures", sa.JSON, nullable=False),
)
HOUR = timedelta(hours=1)


async def has_figures_of_hour(tx: Tx, hour: datetime) -> bool:
    """Return whether the figures of an hour are stored."""
    return await has_row(tx, samples.c.hour == hour)


async def add(tx: Tx, hour: datetime, figures: dict[str, Any]) -> None:
    """Store the figures of the hour that began at ``hour``. Stored figures are not changed."""
    await add_new(tx, samples, hour=hour, figures=figures)


async def figures_since(tx: Tx, start: datetime) -> list[tuple[datetime, dict[str, Any]]]:
    """Return the figures of each stored hour from ``start`` on, oldest first."""
    statement = sa.select(samples.c.hour, samples.c.figures).where(samples.c.hour >= start)
    rows = await tx.execute(statement.order_by(samples.c.hour))
    return [(row[0], row[1]) for row in rows]


async def measure_hour(tx: Tx, hour: datetime) -> dict[str, Any]:
    """Return the figures of the hour that began at ``hour``.

    - ``spent``: the spent and reserved credits, by kind of the paid call
    - ``alerts``: the number of received stories
    - ``timed``: the number of received stories that settings or rights did not defer
    - ``delay_s``: the mean seconds from the post to the arrival of ``timed`` stories
    - ``waiting``, ``parked``: the numbers of open deliveries and dead letters now
    """
    end = hour + HOUR
    spent = (
        sa.select(ledger_entries.c.kind, sa.func.sum(ledger_entries.c.credits))
        .where(ledger_entries.c.at >= hour, ledger_entries.c.at < end)
        .group_by(ledger_entries.c.kind)
    )
    delay = sa.type_coerce(deliveries.c.done_at, sa.BigInteger) - sa.type_coerce(
        stories.c.taken_at, sa.BigInteger
    )
    is_timed = deliveries.c.reason != DEFERRED
    arrived = (
        sa.select(
            sa.func.count(),
            sa.func.count().filter(is_timed),
            sa.func.avg(delay).filter(is_timed),
        )
        .join(stories, stories.c.pk == deliveries.c.story_pk)
        .where(
            ~is_open,  # redundant, but lets both databases use the index of finished deliveries
            deliveries.c.state == sa.literal_column("'sent'"),
            deliveries.c.done_at >= hour,
            deliveries.c.done_at < end,
        )
    )
    alerts, timed, mean = (await tx.execute(arrived)).one()
    return {
        "spent": {row[0]: int(row[1]) for row in await tx.execute(spent)},
        "alerts": alerts,
        "timed": timed,
        "delay_s": None if mean is None else round(float(mean) / 1000, 1),
        "waiting": await count_rows(tx, is_open),
        "parked": await count_rows(tx, is_dead),
    }
