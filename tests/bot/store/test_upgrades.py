"""A second migration, made up, over tables that have rows; and who is at work meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from bot.domain.errors import DatabaseUnavailableError
from bot.operations.cleanup import delete_overdue_rows
from bot.runtime.claims import Owner
from bot.store import inbox, key_values, leases
from bot.store.engine.database import SESSION, Database, all_tables
from bot.store.engine.revisions import newest_revision
from bot.store.engine.upgrading import migration_config
from bot.store.upgrades import (
    EVERY,
    LEASE,
    ProcessLease,
    Replicas,
    count_running_processes,
    end_other_versions_and_migrate,
    process_lease,
)
from tests.support.control import wait_for
from tests.support.database import on_postgresql
from tests.support.followed import NOON, follow, look, story
from tests.support.newer import COLOURS, NEXT, ORPHANS, next_version
from tests.support.postgres import connected, limits_of_role


def now() -> datetime:
    return datetime.now(UTC)


async def rows(db: Database) -> dict[str, int]:
    async with db.read() as tx:
        return {
            table.name: (
                await tx.execute(sa.select(sa.func.count()).select_from(table))
            ).scalar_one()
            for table in all_tables().sorted_tables
            if table.name != "key_values"  # of those who are at work
        }


async def version(db: Database) -> object:
    async with db.read() as tx:
        return (await tx.execute(sa.text("SELECT version_num FROM alembic_version"))).scalar()


@asynccontextmanager
async def of_the_next(folder: Path, db: Database, change: str = COLOURS) -> AsyncIterator[None]:
    """Be the next version, whose tables are taken back: the server is shared."""
    with next_version(folder, change):
        yield
        if await version(db) == NEXT:
            async with db.begin() as tx:
                await tx.run_sync(
                    lambda it: command.downgrade(migration_config(it, all_tables()), "-1")
                )


async def filled(db: Database) -> None:
    async with db.begin() as tx:
        for chat in range(1, 20):
            await follow(tx, chat)
        await look(tx, *(story(str(n)) for n in range(30)))


async def test_all_rows_and_references_outlive_a_migration(db: Database, tmp_path: Path) -> None:
    await filled(db)
    before = await rows(db)
    assert before["subscriptions"] == 19
    async with of_the_next(tmp_path, db):
        await (db.migrate() if db.is_sqlite else end_other_versions_and_migrate(db))
        assert await rows(db) == before
        async with db.begin() as tx:
            colours = await tx.execute(sa.text("SELECT DISTINCT colour FROM chats"))
            assert colours.scalars().all() == ["blue"]
            await tx.execute(sa.text("DELETE FROM chats WHERE id = 1"))
            left = "SELECT count(*) FROM subscriptions WHERE chat_id = 1"
            assert (await tx.execute(sa.text(left))).scalar() == 0


async def test_a_migration_that_leaves_rows_of_nothing_changes_nothing(
    sqlite_db: Database, tmp_path: Path
) -> None:
    await filled(sqlite_db)
    before = await rows(sqlite_db)
    with (
        next_version(tmp_path, ORPHANS),
        pytest.raises(DatabaseUnavailableError, match="refer to nothing"),
    ):
        await sqlite_db.migrate()
    assert (await version(sqlite_db), await rows(sqlite_db)) == ("0001", before)


@on_postgresql
async def test_an_upgrade_waits_for_who_at_work_and_not_for_the_dead(
    db: Database, tmp_path: Path
) -> None:
    async with db.begin() as tx:
        await leases.acquire_or_renew(tx, "process:a", "a", now=now())
    assert await count_running_processes(db)
    async with of_the_next(tmp_path, db):
        with pytest.raises(DatabaseUnavailableError, match="still at work on it"):
            await end_other_versions_and_migrate(db, timeout_s=0)
        assert await version(db) == "0001"
        await end_other_versions_and_migrate(db)  # the lease has ended: it was killed
        assert await version(db) == NEXT


@on_postgresql
@pytest.mark.parametrize("ours_is", ["old", "current", "empty"])
async def test_the_database_of_another_bot_is_refused_as_direct_address_and_not_upgraded(
    db: Database, database_url: str, tmp_path: Path, ours_is: str
) -> None:
    async with connected(database_url) as server:
        await server.execute("CREATE DATABASE another")
        await server.execute("CREATE DATABASE unused")
        try:
            url = db.url.set(drivername="postgresql", database="another")
            direct = url.render_as_string(hide_password=False)
            unused = url.set(database="unused").render_as_string(hide_password=False)
            ours_url = unused if ours_is == "empty" else database_url
            async with (
                Database(direct) as another,
                Database(ours_url, direct_url=direct) as ours,
            ):
                await another.migrate()
                async with of_the_next(tmp_path, db):
                    if ours_is == "current":
                        await db.migrate()
                    with pytest.raises(DatabaseUnavailableError, match="DATABASE_DIRECT_URL"):
                        await end_other_versions_and_migrate(ours)
                assert (await version(another), await version(db)) == ("0001", "0001")
        finally:
            await server.execute("DROP DATABASE another WITH (FORCE)")
            await server.execute("DROP DATABASE unused WITH (FORCE)")


class KilledError(Exception):
    """The end of a process in the middle."""


@on_postgresql
async def test_a_process_without_a_connection_during_an_upgrade_ends_although_the_upgrader_died(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate = Database.migrate

    async def die_after_migration(self: Database, **options: Any) -> None:
        await migrate(self, **options)
        raise KilledError

    cut_off = ProcessLease(db, Owner(), now=lambda: now() + timedelta(minutes=1))
    async with of_the_next(tmp_path, db):
        with monkeypatch.context() as patch:
            patch.setattr(Database, "migrate", die_after_migration)
            with pytest.raises(KilledError):
                await end_other_versions_and_migrate(db)
    assert await cut_off.renew_and_detect_upgrade()


@on_postgresql
@pytest.mark.timeout(30)
async def test_an_upgrade_ends_if_another_session_keeps_a_table_locked(
    db: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with of_the_next(tmp_path, db):
        async with connected(database_url) as other, other.transaction():
            await other.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            await other.execute("SELECT FROM chats")
            with monkeypatch.context() as impatient:
                impatient.setitem(SESSION, "lock_timeout", "100ms")
                with pytest.raises(DatabaseUnavailableError, match="locked"):
                    await end_other_versions_and_migrate(db)
        assert await version(db) == "0001"
        await end_other_versions_and_migrate(db)
        assert await version(db) == NEXT


@on_postgresql
@pytest.mark.timeout(30)
async def test_a_second_start_waits_for_an_upgrade_that_takes_longer_than_a_wait_for_a_lock(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    slow = COLOURS + '    op.execute("SELECT pg_sleep(2)")\n'
    async with (
        limits_of_role(database_url, lock_timeout="200ms") as other,
        of_the_next(tmp_path, db, slow),
        Database(database_url) as first,
        Database(database_url) as second,
    ):

        async def is_upgrading() -> bool:
            query = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(2)'"
            return bool(await other.fetchval(query))

        async with asyncio.TaskGroup() as group:
            group.create_task(end_other_versions_and_migrate(first))
            await wait_for(is_upgrading)
            await end_other_versions_and_migrate(second)
        assert await version(second) == NEXT


@on_postgresql
async def test_an_older_version_does_not_stop_the_processes_of_a_newer_version(
    db: Database,
) -> None:
    async def set_version(number: str) -> None:
        async with db.begin() as tx:
            await tx.execute(
                sa.text("UPDATE alembic_version SET version_num = :number"), {"number": number}
            )

    before = str(await version(db))
    await set_version(NEXT)
    try:
        async with process_lease_of("a", db):
            with pytest.raises(DatabaseUnavailableError, match="newer version"):
                await end_other_versions_and_migrate(db, timeout_s=0)
    finally:
        await set_version(before)  # later tests use the same server


@asynccontextmanager
async def process_lease_of(name: str, db: Database) -> AsyncIterator[None]:
    async with db.begin() as tx:
        await leases.acquire_or_renew(tx, f"process:{name}", name, now=now())
    try:
        yield
    finally:
        async with db.begin() as tx:
            await leases.release(tx, f"process:{name}", name)


@on_postgresql
async def test_a_process_of_another_bot_begins_only_after_the_end_of_the_processes(
    db: Database,
) -> None:
    async with process_lease(db, Owner(), bot_id=1, now=now):
        async with process_lease(db, Owner(), bot_id=1, now=now):
            assert await count_running_processes(db) == 2
        with pytest.raises(DatabaseUnavailableError, match="TELEGRAM_TOKEN"):
            async with process_lease(db, Owner(), bot_id=2, now=now):
                pass
        assert await count_running_processes(db) == 1
    async with process_lease(db, Owner(), bot_id=2, now=now) as other:
        assert not await other.renew_and_detect_upgrade()


@on_postgresql
async def test_a_process_of_another_bot_does_not_begin_after_an_outage_of_the_database(
    db: Database,
) -> None:
    def before_outage() -> datetime:
        return now() - timedelta(minutes=9)

    async with process_lease(db, Owner(), bot_id=1, now=before_outage):
        assert await count_running_processes(db) == 0
        with pytest.raises(DatabaseUnavailableError, match="TELEGRAM_TOKEN"):
            async with process_lease(db, Owner(), bot_id=2, now=now):
                pass
    killed_at = now() - timedelta(minutes=10) - LEASE
    async with db.begin() as tx:
        await leases.acquire_or_renew(
            tx, "process:killed", "killed", now=killed_at, lease=LEASE, value=1
        )
    async with process_lease(db, Owner(), bot_id=2, now=now):
        assert await count_running_processes(db) == 1


@on_postgresql
async def test_a_refused_process_of_another_bot_stores_no_lease(db: Database) -> None:
    """A kill during the start would otherwise refuse the first bot's own next start."""

    def time_of_lease() -> datetime:
        raise AssertionError

    async with process_lease(db, Owner(), bot_id=1, now=now):
        with pytest.raises(DatabaseUnavailableError, match="TELEGRAM_TOKEN"):
            async with process_lease(db, Owner(), bot_id=2, now=time_of_lease):
                pass


@on_postgresql
async def test_a_newer_version_of_another_bot_ends_no_process_and_upgrades_nothing(
    db: Database, tmp_path: Path
) -> None:
    async with process_lease(db, Owner(), bot_id=1, now=now), of_the_next(tmp_path, db):
        with pytest.raises(DatabaseUnavailableError, match="TELEGRAM_TOKEN"):
            await end_other_versions_and_migrate(db, bot_id=2, timeout_s=0)
        assert await db.fetch(lambda tx: key_values.get(tx, "upgrade")) is None
        assert await version(db) == "0001"


@on_postgresql
async def test_replicas_are_counted_now_and_then_and_stand_while_they_cannot_be(
    db: Database,
) -> None:
    clock = [10.0]
    replicas = Replicas(db, clock=lambda: clock[0])
    assert await replicas.count() == 1
    async with db.begin() as tx:
        for one in ("a", "b"):
            await leases.acquire_or_renew(
                tx, f"process:{one}", one, now=now(), lease=timedelta(minutes=1)
            )
    assert await replicas.count() == 1
    clock[0] += 5
    assert await replicas.count() == 2
    nowhere = Database("postgresql://nobody@127.0.0.1:1/nothing")
    assert await Replicas(nowhere, clock=lambda: clock[0]).count() == 1


@on_postgresql
async def test_who_at_work_hears_of_an_upgrade_and_nobody_begins_meanwhile(
    db: Database,
) -> None:
    async def stamp(revision: str | None, seconds: float) -> None:
        async with db.begin() as tx:
            until = now() + timedelta(seconds=seconds)
            await key_values.put(tx, "upgrade", revision, until=until)

    heard = asyncio.Event()
    await stamp(newest_revision(), 60)  # by a process of our own version, which was first
    async with process_lease(db, Owner(), now=now) as ours:
        ours.on_upgrade = heard.set
        await ours.worker.step()
        assert not heard.is_set()
        await stamp(NEXT, 60)
        await asyncio.wait_for(heard.wait(), 30)
    assert not await count_running_processes(db)
    with pytest.raises(DatabaseUnavailableError, match="upgrades the database"):
        async with process_lease(db, Owner(), now=now):
            pass
    assert not await count_running_processes(db)
    await stamp(NEXT, -1)  # it has failed
    async with process_lease(db, Owner(), now=now):
        assert await count_running_processes(db)


class Pair:
    """Two processes on one database and one clock, and an update that the first has claimed."""

    def __init__(self, db: Database) -> None:
        """Begin at noon."""
        self.db, self.time = db, NOON
        self.renewal = timedelta(0)  # the time that passes in a transaction of the first process
        self.first, self.second = Owner(), Owner()
        self.one = ProcessLease(db, self.first, now=self.read_and_advance)
        self.other = ProcessLease(db, self.second, now=lambda: self.time)
        self.releases: list[datetime] = []
        self.other.on_release = lambda: self.releases.append(self.time)

    def read_and_advance(self) -> datetime:
        """Return the time at which the first process begins a transaction."""
        now, self.time = self.time, self.time + self.renewal
        return now

    async def claim(self) -> bool:
        """Let the first process claim the update for an hour; return whether it was free."""
        hour = timedelta(hours=1)
        async with self.db.begin() as tx:
            await inbox.add_and_return_new(tx, [inbox.Arrival(1, "chat:1", "{}")], now=NOON)
            return bool(await inbox.claim(tx, self.first.new_lease(self.time, hour), limit=1))

    async def go_on(self, duration: timedelta, *ours: ProcessLease) -> None:
        """Let time pass in which some processes are at work."""
        until = self.time + duration
        while self.time < until:
            self.time += min(until - self.time, EVERY)
            for one in ours:
                await one.worker.step()


async def claimed_pair(db: Database) -> Pair:
    """Return two processes with leases; the first has claimed a row."""
    pair = Pair(db)
    await pair.go_on(LEASE, pair.one, pair.other)
    assert await pair.claim()
    return pair


@on_postgresql
async def test_the_claims_of_a_process_are_released_when_its_lease_ends(db: Database) -> None:
    pair = await claimed_pair(db)
    died_at = pair.time
    await pair.go_on(LEASE - timedelta(milliseconds=1), pair.other)
    assert not pair.releases
    await pair.go_on(timedelta(milliseconds=1), pair.other)
    assert pair.releases == [died_at + LEASE]
    assert await pair.claim()
    assert not pair.first.has_valid_lease(pair.time)
    assert not pair.first.still_owns_claim(died_at, now=pair.time)


@on_postgresql
async def test_after_an_outage_of_the_database_no_process_loses_its_claims(db: Database) -> None:
    pair = await claimed_pair(db)
    claimed_at = pair.time
    pair.time += 2 * LEASE
    await pair.go_on(timedelta(seconds=8), pair.other)  # the first tries again later
    await pair.go_on(LEASE, pair.one, pair.other)
    assert not pair.releases
    assert not await pair.claim()
    assert pair.first.has_valid_lease(pair.time)
    # The claim might have been released.
    assert not pair.first.still_owns_claim(claimed_at, now=pair.time)


@on_postgresql
async def test_a_renewal_that_ends_after_the_lease_does_not_keep_the_claims(db: Database) -> None:
    pair = await claimed_pair(db)
    claimed_at = pair.time
    pair.time += LEASE - EVERY
    pair.renewal = 2 * EVERY  # the other process may release the claims in the meantime
    await pair.one.renew_and_detect_upgrade()
    assert pair.first.has_valid_lease(pair.time)
    assert not pair.first.still_owns_claim(claimed_at, now=pair.time)
    assert pair.first.still_owns_claim(pair.time, now=pair.time)


@on_postgresql
async def test_a_lease_is_renewed_while_all_other_connections_are_in_use(
    database_url: str, db: Database
) -> None:
    may_end = asyncio.Event()
    async with Database(database_url, pool_size=3) as busy:

        async def use_a_connection() -> None:
            async with busy.begin():
                await may_end.wait()

        async with asyncio.TaskGroup() as group:
            for _ in range(9):
                group.create_task(use_a_connection())
            await asyncio.sleep(0.1)
            try:
                await ProcessLease(busy, Owner(), now=now).renew_and_detect_upgrade()
            finally:
                may_end.set()
    assert await count_running_processes(db)


@on_postgresql
async def test_a_clean_up_before_the_release_leaves_the_claims_to_the_release(
    db: Database,
) -> None:
    pair = await claimed_pair(db)
    pair.time += LEASE + EVERY
    await delete_overdue_rows(db, now=pair.time)
    await pair.go_on(LEASE + EVERY, pair.other)
    assert pair.releases
    assert await pair.claim()
