"""Erasing ends it: nothing comes back of what was on its way when everything was deleted."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store import chat_queues, chats, erasure, inbox, ledger, moves, usage
from bot.store.engine import sqlite_copies
from bot.store.engine.database import Database
from bot.store.kept_stories import kept
from bot.store.usage import usage_days
from tests.flows.test_undo import be_quiet
from tests.support.claims import lease_at
from tests.support.control import wait_for
from tests.support.followed import NOON
from tests.support.storybell import storybell


async def is_sending(db: Database) -> bool:
    """Return whether a message is being sent into any chat."""
    async with db.read() as tx:
        leased = sa.select(sa.func.count()).where(chat_queues.IS_LEASED)
        return bool((await tx.execute(leased)).scalar())


@pytest.mark.jumps
@pytest.mark.parametrize("option", ["", ":keep:on"])
async def test_erasure_during_a_send_leaves_no_row(
    tmp_path: Path, db: Database, database_url: str, option: str
) -> None:
    async with storybell(tmp_path, database_url=database_url) as bell:
        control, ann = bell.control, await bell.control.person()
        await control.profile("late.one")
        (reply,) = await bell.ask(ann, "/subscribe late.one")
        if option:
            await bell.press(ann, reply, f"opt:1{option}")
        await control.fault("telegram", {"delay_s": 1.5}, match="sendPhoto")
        await control.publish("late.one")

        await wait_for(lambda: is_sending(db), what="an alert that leaves")
        post = await bell.old_post(ann, "erase:yes")
        await bell.press(ann, post, "erase:yes")

        async def has_come() -> bool:
            return any(m.get("_story_pk") for m in await control.replies(ann))

        await wait_for(has_come, what="the alert")
        await asyncio.sleep(0.5)  # what came of it is written down a moment later
        async with db.read() as tx:
            for table in (usage_days, kept):
                rows = sa.select(sa.func.count()).where(table.c.chat_id == ann)
                assert (await tx.execute(rows)).scalar() == 0, table.name


@pytest.mark.jumps
# Only SQLite could give the id of a deleted row to a new row.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_answer_in_flight_at_an_erasure_ends_no_alert_of_another_chat(
    tmp_path: Path, db: Database, database_url: str
) -> None:
    async with storybell(tmp_path, database_url=database_url) as bell:
        control = bell.control
        ann, bob, cleo = await control.person(), await control.person(), await control.person()
        await control.profile("slow.one", posts_per_day=0)
        await control.publish("slow.one")
        await control.profile("quiet.one", posts_per_day=0)
        for person in (bob, cleo):
            await bell.ask(person, "/subscribe quiet.one")
        await be_quiet(bell, bob, on=True)
        await bell.ask(ann, "/help")
        page = await bell.old_post(ann, "erase:yes")
        await bell.settled()
        await control.fault("telegram", {"delay_s": 30}, match="sendPhoto", times=1)
        await control.say(ann, "/stories slow.one")

        await wait_for(lambda: is_sending(db), what="an answer that leaves")
        await bell.press(ann, page, "erase:yes")
        story = await control.publish("quiet.one")
        await control.wait_shown(cleo, [story["pk"]])
        assert not await control.shown(ann)
        await bell.settled()
        assert await control.shown(ann)
        await be_quiet(bell, bob, on=False)
        await control.wait_shown(bob, [story["pk"]])


@pytest.mark.jumps
async def test_an_answer_in_flight_at_an_erasure_ends_no_later_send_of_the_chat(
    tmp_path: Path, db: Database, database_url: str
) -> None:
    """The claims of the new chat queue have other tokens than the claims of the erased queue."""
    async with storybell(tmp_path, database_url=database_url) as bell:
        control, ann = bell.control, await bell.control.person()
        await control.profile("long.one", posts_per_day=0)
        await control.publish("long.one")
        await bell.ask(ann, "/help")
        page = await bell.old_post(ann, "erase:yes")
        await bell.settled()
        await control.fault("telegram", {"delay_s": 30}, match="sendPhoto", times=1)
        await control.say(ann, "/stories long.one")
        await wait_for(lambda: is_sending(db), what="an answer that leaves")
        await bell.press(ann, page, "erase:yes")
        await asyncio.sleep(5)
        await bell.ask(ann, "/help")
        # This send has the second claim of the new queue, and lasts longer than the first send.
        await control.fault("telegram", {"delay_s": 55}, match="sendPhoto", times=1)
        await control.say(ann, "/stories long.one")
        await asyncio.sleep(120)
        assert len(await control.shown(ann)) == 2


@pytest.fixture
def build_without_secure_delete() -> Iterator[None]:
    """Let SQLite keep deleted content by default, as builds without the option do."""

    def turn_off(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA secure_delete=OFF")
        cursor.close()

    sa.event.listen(sa.pool.Pool, "connect", turn_off)  # before the listeners of an engine
    yield
    sa.event.remove(sa.pool.Pool, "connect", turn_off)


@pytest.mark.slow
@pytest.mark.jumps
@pytest.mark.usefixtures("build_without_secure_delete")
async def test_the_bytes_of_an_erased_name_leave_the_file_its_log_and_new_copies(
    tmp_path: Path,
) -> None:
    name, file = "Zebulon-Quagga", tmp_path / "bot.db"

    def count() -> int:
        copy = tmp_path / "copy.db"
        sqlite_copies.copy(file, copy, at=NOON, overwrite=True)
        logs = [file.with_name(file.name + end) for end in ("-wal", "-shm")]
        there = [one.read_bytes() for one in (file, copy, *logs) if one.exists()]
        return b"".join(there).count(name.encode())

    async with storybell(tmp_path) as bell:
        ann = await bell.control.person(name)
        for word in ("/help", "/subscribe natgeo", "/usage"):
            await bell.ask(ann, word)
        assert count() > 0
        with closing(sqlite3.connect(file, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM chats").fetchone()
            post = await bell.old_post(ann, "erase:yes")
            await bell.press(ann, post, "erase:yes")
            await asyncio.sleep(7200)  # two hours of the jumping clock: the clean-up has tried
            assert count() > 0

        async def is_gone() -> bool:
            return count() == 0

        await wait_for(is_gone, 300, "the end of the bytes")


async def test_an_answer_beside_an_erasure_breaks_no_reference(db: Database) -> None:
    async with db.begin() as tx:
        await chats.add_or_update(tx, 5, kind="private", title="", now=NOON)
    if db.is_sqlite:
        return  # one transaction at a time
    is_begun, may_end = asyncio.Event(), asyncio.Event()

    async def erase() -> None:
        async with db.begin() as tx:
            await erasure.erase_chat(tx, 5, now=NOON)
            is_begun.set()
            await may_end.wait()

    async def claim() -> object:
        await is_begun.wait()
        async with db.begin() as tx:
            asyncio.get_running_loop().call_later(0.3, may_end.set)
            return await chat_queues.claim_if_no_pending_reply(tx, 5, lease_at(NOON))

    _, claimed = await asyncio.gather(erase(), claim())
    assert claimed is None


async def test_what_was_under_way_when_a_group_moved_is_erased_with_it(db: Database) -> None:
    old, new = -7, -1007
    async with db.begin() as tx:
        await chats.add_or_update(tx, old, kind="group", title="", now=NOON)
        await moves.move_chat(tx, old, new, now=NOON)
        await usage.add(tx, [(old, usage.Use(items=1))], day=NOON.date())
        await ledger.add(
            tx, kind="link", chat_id=old, user_id=None, operation="story", nominal=1, now=NOON
        )
        arrival = inbox.Arrival(1, f"chat:{old}", "", wanted=False)
        await inbox.add_and_return_new(tx, [arrival], now=NOON)
        await erasure.erase_chat(tx, new, now=NOON)
        for column in (
            usage.usage_days.c.chat_id,
            ledger.ledger_entries.c.chat_id,
            inbox.inbox.c.queue,
        ):
            of_group = sa.cast(column, sa.String).in_([str(old), str(new), f"chat:{old}"])
            left = sa.select(sa.func.count()).where(of_group)
            assert (await tx.execute(left)).scalar() == 0, column
