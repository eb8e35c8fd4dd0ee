"""A restored copy of the database: the bot runs on it and says nothing a second time.

Since the copy was made the bot has sent what was owed in it, and alerted to stories that it does
not know. So nothing that it owes is sent, and news is what is posted from now on; of what was
posted in between it is said that it may be missing.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.domain import alert_rules
from bot.domain.records import EPOCH, MISSED
from bot.store import fan_outs, key_values
from bot.store.broadcasts import broadcasts
from bot.store.chat_queues import queues
from bot.store.deliveries import deliveries, is_open
from bot.store.engine.database import Tx
from bot.store.engine.sqlite_copies import MARK
from bot.store.inbox import OPEN, inbox
from bot.store.profiles import profiles
from bot.store.subscriptions import subscriptions

_REASON = "restored"


async def mark_as_copy(tx: Tx, *, made_at: datetime) -> None:
    """Say of a database that it is a copy; one of a copy is as old as that."""
    await key_values.add(tx, MARK, made_at.isoformat())


async def resume_as_database(tx: Tx, *, now: datetime) -> datetime | None:
    """Let a copy go on as the database from ``now``; return of when it was, None for no copy.

    Only right before anything runs on it. Stories posted before ``now`` that were not alerted to
    are lost as alerts, which is told; what people asked and was not answered is lost as well.
    """
    kept = await key_values.get(tx, MARK)
    if kept is None or not await key_values.remove(tx, MARK):
        return None  # or another replica was quicker
    await tx.execute(
        sa.update(deliveries).where(is_open).values(state="dropped", reason=_REASON, done_at=now)
    )
    await tx.execute(sa.delete(fan_outs.fan_outs))
    await tx.execute(
        sa.update(broadcasts).where(broadcasts.c.state == "running").values(state="stopped")
    )
    await tx.execute(
        sa.update(queues).values(due_at=None, free_at=now, leased=False, token=queues.c.token + 1)
    )
    await tx.execute(sa.update(inbox).where(OPEN).values(done_at=now, body=""))
    # What was posted in this very second may have been alerted to before.
    since = alert_rules.alerts_begin_at(now) + timedelta(seconds=1)
    await tx.execute(
        sa.update(subscriptions).where(subscriptions.c.since < since).values(since=since)
    )
    await tx.execute(
        sa.update(profiles).where(profiles.c.leased_until > EPOCH).values(leased_until=EPOCH)
    )
    made_at = datetime.fromisoformat(str(kept))
    followed = sa.select(profiles.c.profile_id, profiles.c.username).where(
        profiles.c.next_check_at.is_not(None), profiles.c.state == "active"
    )
    for profile_id, username in (await tx.execute(followed)).all():
        fields = alert_rules.missed_notice_fields(username, made_at, now)
        await fan_outs.add(tx, profile_id, notice=MISSED, fields=fields, due_at=now, now=now)
    return made_at
