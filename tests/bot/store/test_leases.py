"""What every lease owes: one holds it, and when that one is killed another has it, in time."""

import asyncio
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from bot.store import claimed_tables, fan_outs
from bot.store import leases as store
from bot.store.claims import claim_columns
from bot.store.engine.database import Database, all_tables
from tests.support.control import wait_for
from tests.support.followed import NOON
from tests.support.holders import CLAIMED, HOLDERS, LEASE, prepare
from tests.support.killing import ROOT

TAKEN_WITHIN_S = 10.0


async def hold_and_die(db: Database, database_url: str) -> None:
    """Let a process take every lease at noon, and kill it."""
    await prepare(db)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.support.holders", database_url),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"held\n"
    finally:
        process.kill()
        await process.wait()


async def taken_at(db: Database, at: datetime, holders: Iterable[str]) -> dict[str, bool]:
    """Try to take leases for another owner; return which were free."""
    taken = {}
    for name in holders:
        async with db.begin() as tx:
            taken[name] = bool(await HOLDERS[name](tx, "second", at))
    return taken


async def test_what_a_killed_process_held_is_anothers_when_the_lease_ends_and_no_sooner(
    db: Database, database_url: str
) -> None:
    await hold_and_die(db, database_url)
    for at, is_free in ((NOON + LEASE - timedelta(milliseconds=1), False), (NOON + LEASE, True)):
        assert await taken_at(db, at, HOLDERS) == dict.fromkeys(HOLDERS, is_free)


async def test_the_claims_of_a_killed_process_are_released_in_every_table(
    db: Database, database_url: str
) -> None:
    await hold_and_die(db, database_url)
    soon = NOON + timedelta(seconds=1)
    assert await taken_at(db, soon, CLAIMED) == dict.fromkeys(CLAIMED, False)
    async with db.begin() as tx:
        assert not await claimed_tables.release_claims_of_owner(tx, "second")
        assert await claimed_tables.has_claim_of_owner(tx, "first")
        assert await claimed_tables.release_claims_of_owner(tx, "first") == len(CLAIMED)
        assert not await claimed_tables.has_claim_of_owner(tx, "first")
    assert await taken_at(db, soon, CLAIMED) == dict.fromkeys(CLAIMED, True)


async def test_the_fan_out_that_a_killed_process_had_locked_is_written_by_another(
    db: Database, database_url: str
) -> None:
    await hold_and_die(db, database_url)

    async def is_written() -> bool:
        async with db.begin() as tx:
            return await fan_outs.write_next_slice_if_due(tx, now=NOON, limit=9)

    await wait_for(is_written, TAKEN_WITHIN_S)  # the server notices the closed connection


def test_every_table_with_claims_is_released_and_killed() -> None:
    columns = {column.name for column in claim_columns()}
    tables = [one for one in all_tables().tables.values() if columns <= set(one.columns.keys())]
    assert {claims.table for claims in claimed_tables.TABLES} == set(tables)
    assert len(CLAIMED) == len(tables)


async def test_a_lease_is_renewed_and_released_by_its_owner_alone(db: Database) -> None:
    now, lease = datetime.now(UTC), timedelta(days=1)
    async with db.begin() as tx:
        assert await store.acquire_or_renew(tx, "poller", "a", now=now, lease=lease)
        assert not await store.acquire_or_renew(tx, "poller", "b", now=now, lease=lease)
        assert await store.acquire_or_renew(tx, "poller", "a", now=now, lease=lease)
        await store.release(tx, "poller", "b")
        assert not await store.acquire_or_renew(tx, "poller", "b", now=now, lease=lease)
        await store.release(tx, "poller", "a")
        assert await store.acquire_or_renew(tx, "poller", "b", now=now, lease=lease)
        assert await store.acquire_or_renew(tx, "poller", "c", now=now + 2 * lease, lease=lease)
