"""The end of a block of a profile, under each name of the profile."""

import pytest

from bot.chats.access import Access
from bot.domain.access import Subject
from bot.domain.errors import PROFILE_IN_SETTINGS, RightsError
from bot.domain.model import Profile
from bot.fetching import snapshots
from bot.store.engine.database import Database
from tests.support.errors import raises
from tests.support.followed import MINUTE, Clock

OLD, NEW = Subject("profile", "star"), Subject("profile", "moon")


async def rename(db: Database, clock: Clock) -> None:
    async with db.begin() as tx:
        await snapshots.record_name(tx, Profile("1", "moon"), now=clock.on(MINUTE))


@pytest.fixture
async def clock(sqlite_db: Database) -> Clock:
    clock = Clock()
    async with sqlite_db.begin() as tx:
        await snapshots.record_name(tx, Profile("1", "star"), now=clock())
    return clock


@pytest.mark.parametrize("word", ["star", "moon", "1"])
async def test_a_block_ends_under_each_name_and_the_id(
    sqlite_db: Database, clock: Clock, word: str
) -> None:
    access = Access(sqlite_db, mode="open", now=clock)
    await access.block(OLD, until=None, reason="")
    await rename(sqlite_db, clock)
    await access.load_blocked_and_owners()
    assert "1" in access.blocked
    assert await access.unblock(Subject("profile", word))
    assert access.blocked == set()
    await access.load_blocked_and_owners()
    assert access.blocked == set()
    assert not await access.unblock(NEW)


async def test_the_settings_keep_a_profile_blocked_and_the_owner_is_told_so(
    sqlite_db: Database, clock: Clock
) -> None:
    access = Access(sqlite_db, mode="open", blocked_profiles={"star"}, now=clock)
    await access.load_blocked_and_owners()
    await access.block(OLD, until=None, reason="")
    await rename(sqlite_db, clock)
    for subject in (OLD, NEW):
        with raises(RightsError, PROFILE_IN_SETTINGS):
            await access.unblock(subject)
    assert {"star", "1"} <= access.blocked
