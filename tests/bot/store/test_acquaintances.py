"""Who is known: seen on three days, also before the upgrade; a group keeps its age."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from alembic import command

from bot.operations.cleanup import clean
from bot.store import acquaintances, chats, erasure, moves
from bot.store.database import Database, migration_config

TODAY = date(2026, 11, 25)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)


async def test_three_days_make_somebody_known_however_often_they_come(db: Database) -> None:
    async with db.begin() as tx:
        for day in (TODAY, TODAY, TODAY + DAY, TODAY + DAY, TODAY):
            await acquaintances.see(tx, [("person", 5), ("chat", -7)], day)
        assert not await acquaintances.is_known(tx, "person", 5)
        await acquaintances.see(tx, [("person", 5)], TODAY + 9 * DAY)
        assert await acquaintances.is_known(tx, "person", 5)
        assert not await acquaintances.is_known(tx, "chat", -7)
    for days, is_known in ((20, True), (380, False)):
        await clean(db, now=NOON + days * DAY)
        async with db.read() as tx:
            assert await acquaintances.is_known(tx, "person", 5) == is_known


async def test_a_group_that_migrates_keeps_its_age_and_who_asks_is_forgotten(db: Database) -> None:
    async with db.begin() as tx:
        await chats.ensure(tx, -7, kind="group", title="", now=NOON)
        for day in range(3):
            await acquaintances.see(
                tx, [("chat", -7), ("chat", 5), ("person", 5)], TODAY + day * DAY
            )
        await acquaintances.see(tx, [("chat", -1007)], TODAY + 2 * DAY)
        assert await moves.move_chat(tx, -7, -1007, now=NOON)
        assert await acquaintances.is_known(tx, "chat", -1007)
        assert not await acquaintances.is_known(tx, "chat", -7)
        await erasure.erase_chat(tx, 5, now=NOON)
        assert not await acquaintances.is_known(tx, "person", 5)
        assert not await acquaintances.is_known(tx, "chat", 5)


async def test_an_upgrade_takes_the_known_from_the_ledger(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        command.upgrade(migration_config(connection), "0005")
        for day in range(3):
            at = int((NOON - day * DAY).timestamp() * 1000)
            connection.execute(
                sa.text(
                    "INSERT INTO ledger_entries"
                    " (kind, chat_id, user_id, endpoint, nominal, credits, state, at)"
                    " VALUES ('link', -7, :user, 'x', 1, 1, 'settled', :at)"
                ),
                {"user": 5 if day else 6, "at": at},
            )
        connection.execute(
            sa.text("INSERT INTO ledger_days VALUES ('2026-10-01', 'link', 5, 'x', 1, 1, 1, 0)")
        )
    engine.dispose()
    async with Database(url) as db:
        await db.migrate()
        async with db.read() as tx:
            assert await acquaintances.is_known(tx, "chat", -7)
            assert await acquaintances.is_known(tx, "person", 5)
            assert not await acquaintances.is_known(tx, "person", 6)
