"""Who waits for a profile, and when each of them can be told."""

import sqlalchemy as sa

from bot.domain.alert_rules import AudienceMember
from bot.domain.model import Options
from bot.store.chats import chats
from bot.store.database import Tx
from bot.store.subscriptions import subscriptions


async def waiting_for(tx: Tx, profile_id: str, *, limit: int) -> list[AudienceMember]:
    """Return when each of those who wait for a profile can be told; none when too many wait."""
    statement = (
        sa.select(
            chats.c.zone,
            chats.c.quiet_from,
            chats.c.quiet_to,
            chats.c.digest_at,
            subscriptions.c.options,
        )
        .join(chats, chats.c.id == subscriptions.c.chat_id)
        .where(
            subscriptions.c.profile_id == profile_id,
            subscriptions.c.paused.is_(False),
            chats.c.state == "active",
        )
        .limit(limit + 1)
    )
    rows = (await tx.execute(statement)).all()
    if len(rows) > limit:
        return []
    return [
        AudienceMember(
            row.zone,
            None if row.quiet_from is None else (row.quiet_from, row.quiet_to),
            row.digest_at if Options.of(row.options).digest else None,
        )
        for row in rows
    ]
