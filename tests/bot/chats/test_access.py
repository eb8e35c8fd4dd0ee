"""The blocks of the settings, and the end of blocks: of a profile under each name, and by time."""

import pytest

from bot.chats.access import Access
from bot.domain.access import Subject
from bot.domain.errors import PROFILE_IN_SETTINGS, RightsError
from bot.domain.model import Profile
from bot.fetching import snapshots
from bot.store import access as store
from bot.store import chats
from bot.store.engine.database import Database
from bot.updates.unit_of_work import Unit, with_current_unit
from tests.support.database import on_postgresql
from tests.support.errors import raises
from tests.support.followed import MINUTE, Clock
from tests.support.lock_waits import Pause, run_behind_a_lock

OLD, NEW = Subject("profile", "star"), Subject("profile", "moon")


async def rename(db: Database, clock: Clock) -> None:
    async with db.begin() as tx:
        await snapshots.record_name_notify_and_return_previous(
            tx, Profile("1", "moon"), now=clock.on(MINUTE)
        )


@pytest.fixture
async def clock(sqlite_db: Database) -> Clock:
    clock = Clock()
    async with sqlite_db.begin() as tx:
        await snapshots.record_name_notify_and_return_previous(
            tx, Profile("1", "star"), now=clock()
        )
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


@pytest.mark.parametrize("end", ["allow", "unblock", "time"])
async def test_the_end_of_a_block_wakes_the_checks_and_the_alerts(
    sqlite_db: Database, clock: Clock, end: str
) -> None:
    woken: list[bool] = []
    person = Subject("person", "5")
    access = Access(sqlite_db, mode="open", wake=lambda: woken.append(True), now=clock)
    await access.block(person, until=clock() + MINUTE / 2, reason="")
    woken.clear()
    if end == "allow":
        await access.allow_and_end_block(person, by=None)
    elif end == "unblock":
        await access.unblock(person)
    else:
        clock.on(MINUTE)
        await access.end_expired_and_apply_blocks()
    assert woken


@pytest.mark.parametrize("end", ["unblock", "time"])
async def test_a_second_block_of_a_name_does_not_block_the_former_owner_of_the_name(
    sqlite_db: Database, clock: Clock, end: str
) -> None:
    access = Access(sqlite_db, mode="open", now=clock)
    await access.block(OLD, until=clock() + MINUTE / 2, reason="")
    await rename(sqlite_db, clock)
    if end == "unblock":
        await access.unblock(OLD)
    else:
        await access.end_expired_and_apply_blocks()
    await access.block(OLD, until=None, reason="")
    await access.load_blocked_and_owners()
    assert access.blocked == {"star"}


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


async def test_all_processes_use_the_blocked_profiles_of_the_process_that_started_last(
    sqlite_db: Database, clock: Clock
) -> None:
    """Otherwise the processes of a rolling restart would block and unblock the profile in turn."""
    old = Access(sqlite_db, mode="open", blocked_profiles={"moon"}, now=clock)
    new = Access(sqlite_db, mode="open", blocked_profiles={"star"}, now=clock)
    for access in (old, new):
        await access.apply_access_settings()
    for access in (old, new):
        await access.end_expired_and_apply_blocks()
        assert access.blocked == {"star", "1"}
    with raises(RightsError, PROFILE_IN_SETTINGS):
        await old.unblock(OLD)


@on_postgresql
async def test_a_new_block_stays_while_the_expired_block_before_it_is_ended(db: Database) -> None:
    """The owner blocks the person again after a process has read the expired blocks."""
    person, clock = Subject("person", "5"), Clock()
    access = Access(db, mode="open", now=clock)
    await access.block(person, until=clock(), reason="")

    async def block_again(pause: Pause) -> None:
        async with db.begin() as tx:
            await store.put(tx, person, now=clock(), blocked_since=clock(), blocked_until=None)
            await pause()

    await run_behind_a_lock(db, block_again, access.end_expired_and_apply_blocks)
    entry = await db.fetch(lambda tx: store.get(tx, person))
    assert entry is not None
    assert entry.is_blocked(clock())


@on_postgresql
async def test_a_block_while_a_group_adds_the_bot_causes_no_deadlock(db: Database) -> None:
    """The block locks the group, and then the entry of the group in the access list."""
    clock, group_id = Clock(), -5
    access = Access(db, mode="open", now=clock)
    async with db.begin() as tx:
        await chats.add_or_update(tx, group_id, kind="group", title="", now=clock())

    async def block(pause: Pause) -> None:
        unit = Unit(db)
        with with_current_unit(unit):
            await chats.lock(await unit.ensure_transaction(), [group_id])
            await pause()
            await access.block(Subject.of_chat(group_id), until=None, reason="")
            await unit.commit()

    async def add() -> None:
        unit = Unit(db)
        with with_current_unit(unit):
            await access.allow_if_adder_has_access(group_id, 7, chat_title="")
            tx = await unit.ensure_transaction()
            await chats.add_or_update(tx, group_id, kind="group", title="", now=clock())
            await unit.commit()

    await run_behind_a_lock(db, block, add)
    chat = await db.fetch(lambda tx: chats.get(tx, group_id))
    assert chat is not None
    assert chat.state == "closed"
