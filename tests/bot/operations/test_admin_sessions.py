"""The key and the session of the admin page."""

from datetime import UTC, datetime, timedelta

from bot.operations import admin_sessions
from bot.store.engine.database import Database


async def test_keys_and_sessions_end_by_themselves(db: Database) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    async with db.begin() as tx:
        key = await admin_sessions.issue_key_and_end_session(tx, 7, now=now)
        assert (
            await admin_sessions.exchange_key_for_session(tx, key, now=now + timedelta(minutes=10))
            is None
        )
        session = await admin_sessions.exchange_key_for_session(
            tx, key, now=now + timedelta(minutes=9)
        )
        assert session is not None
        later = now + timedelta(minutes=68)
        assert await admin_sessions.owner_of_session(tx, session, now=later) == 7
        after = later + timedelta(minutes=1)
        assert await admin_sessions.owner_of_session(tx, session, now=after) is None
