"""When profiles posted: bare times, kept for longer than the stories, to learn from."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from bot.domain.model import Story
from bot.store.database import Insert, Tx, built_once
from bot.store.profiles import profiles
from bot.store.schema import Timestamp, metadata

moments = sa.Table(
    "moments",
    metadata,
    sa.Column(
        "profile_id",
        sa.String(32),
        sa.ForeignKey("profiles.profile_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("at", Timestamp, primary_key=True, index=True),
)


@built_once
def _add(insert: Insert) -> sa.Executable:
    return insert(moments).on_conflict_do_nothing(index_elements=["profile_id", "at"])


async def add(tx: Tx, stories: Iterable[Story]) -> None:
    """Keep the times of stories; two of one moment count as one."""
    rows = [{"profile_id": s.profile.profile_id, "at": s.taken_at} for s in stories]
    if rows:
        await tx.execute(_add(tx), rows)


async def read(tx: Tx) -> dict[str, tuple[int, list[datetime]]]:
    """Return of each followed profile, by name, who wait for it and when it posted, in order."""
    statement = (
        sa.select(profiles.c.username, profiles.c.weight, moments.c.at)
        .join(moments, moments.c.profile_id == profiles.c.profile_id)
        .where(profiles.c.next_look_at.is_not(None))
        .order_by(moments.c.at)
    )
    traces: dict[str, tuple[int, list[datetime]]] = {}
    for name, weight, at in await tx.execute(statement):
        traces.setdefault(name, (weight, []))[1].append(at)
    return traces
