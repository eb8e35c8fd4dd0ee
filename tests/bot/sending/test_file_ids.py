"""Who knows what Telegram has already, and who finds out for all others."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.domain.records import KnownFile
from bot.sending.file_ids import Files
from bot.store.engine.database import Database
from tests.support.followed import NOON
from tests.support.statements import recorded_statements

FILE = KnownFile("photo", "id", "unique", NOON + timedelta(hours=20))


def files_of(db: Database) -> Files:
    return Files(db, bot_id=lambda: 1, now=lambda: NOON)


async def test_one_sends_for_all_who_want_a_story_at_the_same_moment(sqlite_db: Database) -> None:
    files, sent = files_of(sqlite_db), list[int]()

    async def send(number: int) -> None:
        async with files.wait_and_reserve_unknown(["s1"]) as known:
            if not known:
                sent.append(number)
                await files.store_and_cache({"s1": FILE})

    with recorded_statements("SELECT files.") as reads:
        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(send(number))
    assert len(sent) == len(reads) == 1


async def test_what_the_store_knows_keeps_nobody_waiting(db: Database) -> None:
    await files_of(db).store_and_cache({"s1": FILE})
    files = files_of(db)
    with recorded_statements("SELECT files.") as reads:
        async with (
            asyncio.timeout(60),
            files.wait_and_reserve_unknown(["s1", "s2"]) as first,  # s2 is its to send
            files.wait_and_reserve_unknown(["s1"]) as second,
        ):
            assert first == second == {"s1": FILE}
    assert 0 < len(reads) <= 2


async def test_a_store_that_cannot_be_read_keeps_nobody_waiting(sqlite_db: Database) -> None:
    files = files_of(sqlite_db)
    async with sqlite_db.begin() as tx:
        await tx.execute(sa.text("ALTER TABLE files RENAME TO elsewhere"))
    for _ in range(2):
        with pytest.raises(sa.exc.OperationalError):
            async with asyncio.timeout(60), files.wait_and_reserve_unknown(["s1"]):
                pass
