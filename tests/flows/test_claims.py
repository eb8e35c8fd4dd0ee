"""A process that dies, stalls or cannot renew its lease, and another process that takes over."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.store.engine.database import Database
from tests.support.control import Json, wait_for
from tests.support.database import on_postgresql
from tests.support.killing import Victim, free_port
from tests.support.postgres import connected
from tests.support.sandbox import Box
from tests.support.storybell import running_bell

TAKEN_WITHIN_S = 10.0
BUSY_S = 3.0  # by which a busy machine may be late
STALL_S = 8.0
LEASE_S = 9.5  # in which the lease of a process ends
OLD_ENOUGH_S = 10.5  # for a process to release the claims of another
CALL_S = 28.0  # by which the Stories API delays an answer
SEND_S = 55.0  # by which Telegram delays an answer; the bot waits for a minute
KEYS = {"inbox": "id", "profiles": "profile_id", "chat_queues": "chat_id"}
"""The tables with claims, and the column that names a row."""


class Claimed:
    """A link, a check and a send of one process, while the answers to its calls are delayed."""

    def __init__(self, box: Box, db: Database) -> None:
        """Claim nothing yet."""
        self.box, self.db = box, db
        self.person = 0

    async def begin(self) -> None:
        """Let people subscribe and ask; return when a send and two paid calls are under way."""
        control = self.box.control
        await control.profile("shown", posts_per_day=0)
        await control.publish("shown")
        await control.fault("telegram", {"delay_s": SEND_S}, match="sendPhoto", times=None)
        await control.say(await control.person(), "/stories shown 1")
        await wait_for(lambda: self.count("chat_queues WHERE owner IS NOT NULL"), 60, "the send")
        self.person = await control.person()
        await control.profile("followed", posts_per_day=0)
        message = await control.say(self.person, "/subscribe followed")
        await control.wait_replies(self.person, 1, after=message)
        await control.fault("stories", {"delay_s": CALL_S}, match="/v1/", times=None)
        await control.say(self.person, "/stories natgeo 1")

        async def all_called() -> bool:
            owned = {table for table, _ in await self.tokens()}
            calls = await self.count("ledger_entries WHERE state = 'reserved'")
            return owned == set(KEYS) and calls == 2

        await wait_for(all_called, 60, "the calls")

    async def calls(self) -> int:
        """Return the number of paid calls, those under way included."""
        return await self.count("ledger_entries")

    async def count(self, rows: str) -> int:
        """Count rows of the database."""
        async with self.db.read() as tx:
            found = await tx.exec_driver_sql(f"SELECT count(*) FROM {rows}")  # noqa: S608 - ours
            return int(found.scalar_one())

    async def tokens(self, rows: str = "owner IS NOT NULL") -> dict[tuple[str, str], int]:
        """Return the tokens of rows with claims, by default of claimed rows, by table and key."""
        tokens: dict[tuple[str, str], int] = {}
        async with self.db.read() as tx:
            for table, key in KEYS.items():
                found = f"SELECT {key}, token FROM {table} WHERE {rows}"  # noqa: S608 - ours
                for row in (await tx.exec_driver_sql(found)).mappings():
                    tokens[table, str(row[key])] = row["token"]
        return tokens

    async def are_taken(self, before: dict[tuple[str, str], int]) -> bool:
        """Return whether each of the rows has been claimed again."""
        now = await self.tokens("token > 0")
        return all(now[row] > token for row, token in before.items())

    async def taken_after_kill(self, first: Victim) -> float:
        """Kill the process that has the claims; return the seconds until all are taken."""
        await self.box.control.clear_faults()
        before = await self.tokens()
        killed_at = time.monotonic()
        await first.end(signal.SIGKILL)

        await wait_for(lambda: self.are_taken(before), 60, "another process")
        return time.monotonic() - killed_at


@pytest.fixture
def first(box: Box, tmp_path: Path, database_url: str) -> Victim:
    return victim(box, tmp_path, database_url, "first")


def victim(box: Box, folder: Path, database_url: str, name: str) -> Victim:
    (folder / name).mkdir()
    return Victim(box, folder / name, webhook=False, database_url=database_url)


@pytest.mark.slow
@pytest.mark.timeout(300)
@on_postgresql
async def test_a_stalled_process_keeps_its_claims_and_a_killed_one_loses_them(
    box: Box, db: Database, database_url: str, tmp_path: Path, first: Victim
) -> None:
    """A stall of 8 seconds costs no second paid call; 10 seconds after a kill all is taken."""
    second = victim(box, tmp_path, database_url, "second")
    claimed = Claimed(box, db)
    try:
        await first.start(POLL_FLOOR_S="1")
        await wait_for(first.is_ready, 60, "the first process")
        (key,) = await process_keys(db)
        await second.start(POLL_FLOOR_S="1")
        await wait_for(second.is_ready, 60, "the second process")
        async with refused_renewals(database_url, but=key):
            await asyncio.sleep(LEASE_S)  # from now on the second process claims nothing
            await claimed.begin()
            calls, tokens = await claimed.calls(), await claimed.tokens()
        await asyncio.sleep(OLD_ENOUGH_S)
        assert first.process
        first.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(STALL_S)
        first.process.send_signal(signal.SIGCONT)
        await asyncio.sleep(0.5)
        assert (await claimed.calls(), await claimed.tokens()) == (calls, tokens)
        assert await claimed.taken_after_kill(first) < TAKEN_WITHIN_S + BUSY_S
        await wait_for(lambda: box.control.shown(claimed.person), 60, "the story")
    finally:
        for one in (first, second):
            await one.end(signal.SIGKILL)


async def process_keys(db: Database) -> list[str]:
    async with db.read() as tx:
        rows = await tx.exec_driver_sql("SELECT key FROM key_values WHERE key LIKE 'process:%%'")
        return list(rows.scalars())


@pytest.mark.slow
async def test_a_restarted_process_takes_its_claims_at_once(
    box: Box, sqlite_db: Database, tmp_path: Path
) -> None:
    process = victim(box, tmp_path, f"sqlite:///{tmp_path}/bot.db", "only")
    claimed = Claimed(box, sqlite_db)
    try:
        await process.start(POLL_FLOOR_S="1")
        await claimed.begin()
        tokens = await claimed.tokens()
        await process.end(signal.SIGKILL)
        assert await claimed.tokens() == tokens
        await box.control.clear_faults()
        await process.start(POLL_FLOOR_S="1")
        await wait_for(lambda: box.control.shown(claimed.person), 60, "the story")
        await wait_for(lambda: claimed.are_taken(tokens), 60, "the claims")
    finally:
        await process.end(signal.SIGKILL)


@pytest.mark.jumps
@pytest.mark.usefixtures("db")  # migrated and empty
@on_postgresql
async def test_a_process_that_cannot_renew_its_lease_starts_nothing(
    box: Box, database_url: str, tmp_path: Path
) -> None:
    control = box.control
    await control.profile("unrenewed", posts_per_day=0)
    port = free_port()
    settings: Json = {"database_url": database_url, "daily_budget": 100_000, "port": port}
    async with running_bell(tmp_path, box, **settings) as bell:
        ann = await control.person()
        await bell.ask(ann, "/subscribe unrenewed")
        story = await control.publish("unrenewed")
        await control.wait_shown(ann, [story["pk"]])
        async with refused_renewals(database_url):
            await asyncio.sleep(12)  # on the jumping clock: the lease ends
            before = len(await control.requests("stories", path="/v1/"))
            asked = await control.say(ann, "/help")
            new = await control.publish("unrenewed")
            await asyncio.sleep(30)
            assert len(await control.requests("stories", path="/v1/")) == before
            assert await control.replies(ann, after=asked) == []
            async with box.session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                assert "at work" in await answer.text()
        await control.wait_shown(ann, [new["pk"]], after=asked)
        assert len(await control.replies(ann, after=asked)) == 2


@asynccontextmanager
async def refused_renewals(url: str, *, but: str = "") -> AsyncIterator[None]:
    """Let no process renew its lease, except one."""
    refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
    async with connected(url) as connection:
        await connection.execute(
            refuse + "$$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '53100'; END $$"
        )
        await connection.execute(
            "CREATE TRIGGER refuse BEFORE UPDATE ON key_values FOR EACH ROW"
            f" WHEN (NEW.key LIKE 'process:%' AND NEW.key <> '{but}') EXECUTE FUNCTION refuse()"
        )
        try:
            yield
        finally:
            await connection.execute("DROP FUNCTION refuse CASCADE")
