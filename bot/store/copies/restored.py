"""The first start on a restored backup, without repeated messages.

The bot may have sent pending messages after the backup. Therefore pending messages are dropped,
and only stories posted after the start cause alerts. The subscribers of profiles with a planned
check are notified of the gap.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.domain import alert_rules
from bot.domain.records import EPOCH, MISSED
from bot.store import claimed_tables, fan_outs, key_values
from bot.store.broadcasts import broadcasts
from bot.store.chat_queues import queues
from bot.store.deliveries import deliveries, is_open
from bot.store.ended_subscriptions import ended
from bot.store.engine.database import Tx, delete_rows, update_rows
from bot.store.engine.sqlite_copies import MARK
from bot.store.inbox import OPEN, inbox
from bot.store.profiles import profiles
from bot.store.subscriptions import subscriptions

_REASON = "restored"
# The number of skipped ids of each table. The number is much larger than the number of ids that
# the bot can use between a backup and the restore.
_SKIPPED_IDS = 1_000_000
_ADD_SQLITE_COUNTER = sa.text(
    "INSERT INTO sqlite_sequence (name, seq) SELECT :table, 0"
    " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = :table)"
)
_SKIP_ON_SQLITE = sa.text("UPDATE sqlite_sequence SET seq = seq + :ids WHERE name = :table")
_SKIP_ON_POSTGRESQL = sa.text(
    "SELECT setval(sequence, nextval(sequence) + :ids) FROM"
    " (SELECT CAST(pg_get_serial_sequence(:table, 'id') AS regclass) AS sequence) AS found"
)


async def mark_as_copy(tx: Tx, *, made_at: datetime) -> None:
    """Mark a database as a copy made at ``made_at``. The time of an existing mark stays."""
    await key_values.add(tx, MARK, made_at.isoformat())


async def make_restored_backup_live(tx: Tx, *, now: datetime) -> datetime | None:
    """Make a restored backup the live database from ``now``. Return the time of the backup.

    Pending messages, requests and broadcasts are given up. Return None if the database is not a
    backup, or if a different replica was faster. Call this function before any worker runs.
    """
    kept = await key_values.get(tx, MARK)
    if kept is None or not await key_values.remove(tx, MARK):
        # The database is not a restored backup, or a different replica has already prepared the
        # backup.
        return None
    await update_rows(tx, deliveries, is_open, state="dropped", reason=_REASON, done_at=now)
    await _skip_possibly_used_ids(tx)
    await delete_rows(tx, fan_outs.fan_outs)
    await update_rows(tx, broadcasts, broadcasts.c.state == "running", state="stopped")
    await claimed_tables.release_claims_of_owner(tx)
    await update_rows(tx, queues, token=queues.c.token + 1, leased_until=EPOCH, due_at=None)
    await update_rows(tx, inbox, OPEN, done_at=now, body="")
    # Alerts start with stories of the next second, because stories of the current second may
    # already have caused alerts before the restart.
    since = alert_rules.alerts_begin_at_second_of(now) + timedelta(seconds=1)
    # Ended subscriptions are also changed, because *Undo* restores ended subscriptions.
    for table in (subscriptions, ended):
        await update_rows(tx, table, table.c.since < since, since=since)
    made_at = datetime.fromisoformat(str(kept))
    followed = sa.select(profiles.c.profile_id, profiles.c.username).where(
        profiles.c.due_at.is_not(None), profiles.c.state == "active"
    )
    for profile_id, username in (await tx.execute(followed)).all():
        fields = alert_rules.missed_notice_fields(username, made_at, now)
        await fan_outs.add(tx, profile_id, notice=MISSED, fields=fields, due_at=now, now=now)
    return made_at


async def _skip_possibly_used_ids(tx: Tx) -> None:
    """Skip the ids of subscriptions and broadcasts that the bot may have used after the backup.

    Otherwise a press of an old button, which contains such an id, would act on a new row.
    """
    for table in (subscriptions, broadcasts):
        values = {"table": table.name, "ids": _SKIPPED_IDS}
        if tx.dialect.name == "sqlite":
            await tx.execute(_ADD_SQLITE_COUNTER, {"table": table.name})
            await tx.execute(_SKIP_ON_SQLITE, values)
        else:
            await tx.execute(_SKIP_ON_POSTGRESQL, values)
