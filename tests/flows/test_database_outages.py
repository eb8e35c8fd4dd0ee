"""The database goes away for a while: nothing ends, nothing is lost, nothing comes twice."""

import asyncio
import signal
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

import asyncpg
import pytest

from bot import app
from bot.operations.preflight import check_database
from bot.store.engine.database import Database
from tests.flows.test_links import fresh
from tests.support.control import Json, wait_for
from tests.support.killing import free_port
from tests.support.postgres import Postgres, connected, postgres
from tests.support.sandbox import Box, sandbox_box
from tests.support.storybell import Bell, running_bell, settings_for

SLOW_ANSWER = {"slow_bytes_per_s": 500}  # Telegram has done it, and says so seconds later


async def answers(bell: Bell, chat: int, after: int) -> list[str]:
    return [message["text"] for message in await bell.control.replies(chat, after)]


async def followed(bell: Bell, people: list[int], name: str) -> dict[int, int]:
    """Let people follow a new profile; return the last message in each chat."""
    await bell.control.profile(name, posts_per_day=0)
    shown = {}
    for person in people:
        replies = await bell.ask(person, f"/subscribe {name}")
        shown[person] = replies[-1]["message_id"]
    return shown


@asynccontextmanager
async def on_postgres(
    tmp_path: Path, **settings: Any
) -> AsyncIterator[tuple[Postgres, Box, Bell]]:
    """Run a bot on a PostgreSQL of its own."""
    with postgres() as server:
        settings |= {"database_url": server.url}
        async with sandbox_box() as box, running_bell(tmp_path, box, **settings) as bell:
            yield server, box, bell


@asynccontextmanager
async def locked(file: Path) -> AsyncIterator[None]:
    """Let another program keep the database of the bot locked, which waits as long as it must.

    In a thread of its own: a wait in that of the loop would stop the very transaction that is
    waited for.
    """
    has_it, ends = Event(), Event()

    def lock() -> None:
        with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            has_it.set()
            ends.wait(300)
            other.execute("ROLLBACK")

    thread = Thread(target=lock)
    thread.start()
    assert await asyncio.to_thread(has_it.wait, 30)
    try:
        yield
    finally:
        ends.set()
        await asyncio.to_thread(thread.join)


def open_rows(file: Path) -> int:
    """Count what is still owed to chats."""
    with closing(sqlite3.connect(file, timeout=30)) as db:
        found: int = db.execute("SELECT count(*) FROM deliveries WHERE state = 'open'").fetchone()[
            0
        ]
    return found


def begun(file: Path) -> bool:
    """Tell whether an update is being handled."""
    with closing(sqlite3.connect(file, timeout=30)) as db:
        found: int = db.execute(
            "SELECT count(*) FROM inbox WHERE done_at IS NULL AND attempts > 0"
        ).fetchone()[0]
    return found > 0


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk of two megabytes, where this machine lets us."""
    folder.mkdir()
    words = ["/bin/mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(words, check=False, capture_output=True)  # noqa: S603 - as above
    except OSError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603, S607 - ours


def fill(disk: Path) -> Path:
    """Leave no byte free; return the file that has them."""
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filler


async def open_rows_of(server: Postgres) -> int:
    async with connected(server.url) as connection:
        found = await connection.fetchval("SELECT count(*) FROM deliveries WHERE state = 'open'")
    return int(found)


async def is_settled(server: Postgres) -> bool:
    return not await open_rows_of(server)


async def on_disk(server: Postgres) -> None:
    """Let nothing be lost that was committed: what was answered doesn't wait for the disk."""
    async with connected(server.url) as connection:
        await connection.execute("CHECKPOINT")


@pytest.mark.stands  # held since loops are supervised
@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGINT])
async def test_a_postgresql_that_is_started_anew_ends_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with on_postgres(tmp_path) as (server, box, bell):
        ann = await box.control.person()
        (first,) = await bell.ask(ann, "/help")
        await wait_for(partial(is_settled, server))  # else it may be said once more
        await on_disk(server)
        await asyncio.to_thread(server.stop, number)
        messages = [await box.control.say(ann, "/help") for _ in range(3)]
        await asyncio.to_thread(server.start)
        await box.control.wait_replies(ann, 3, after=messages[0])
        (last,) = await bell.ask(ann, "/help")
        assert last["text"] == first["text"]
        assert await answers(bell, ann, messages[0]) == [first["text"]] * 4


@asynccontextmanager
async def paused_replica(server: Postgres, *, busy: bool) -> AsyncIterator[None]:
    """Be a process that was stopped in a transaction in which it has changed much."""
    connection = await asyncpg.connect(server.url)
    await connection.execute("BEGIN")
    for table in ("chat_queues", "chats", "key_values", "inbox"):
        await connection.execute(f"SELECT 1 FROM {table} FOR UPDATE")  # noqa: S608 - our tables
    async with asyncio.TaskGroup() as group:
        if busy:
            group.create_task(_sleep(connection))
        try:
            yield
        finally:  # the server itself would go on with a statement whose client is gone
            await _end(server, connection.get_server_pid())
            connection.terminate()


async def _end(server: Postgres, process: int) -> None:
    async with connected(server.url) as other:
        await other.execute("SELECT pg_terminate_backend($1)", process)


async def _sleep(connection: asyncpg.Connection) -> None:
    """Be at a statement until the connection ends."""
    with suppress(asyncpg.PostgresError, OSError):
        await connection.execute("SELECT pg_sleep(600)")


async def test_a_replica_that_is_stopped_in_a_transaction_stops_no_other(tmp_path: Path) -> None:
    async with on_postgres(tmp_path) as (server, box, bell):
        ann = await box.control.person()
        (first,) = await bell.ask(ann, "/help")
        async with paused_replica(server, busy=False):
            (again,) = await bell.ask(ann, "/help")
        assert again["text"] == first["text"]


async def test_after_a_failover_no_session_stays_on_a_server_that_only_reads(
    tmp_path: Path,
) -> None:
    """The old sessions stay connected and can only read. New sessions can write."""
    async with on_postgres(tmp_path) as (server, box, bell):
        ann = await box.control.person()
        (first,) = await bell.ask(ann, "/help")
        async with connected(server.url) as connection:
            await connection.execute("ALTER ROLE postgres SET default_transaction_read_only = off")
            await connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            await connection.execute("SELECT pg_reload_conf()")
        (again,) = await bell.ask(ann, "/help")
        assert again["text"] == first["text"]


@pytest.mark.slow
@pytest.mark.jumps
async def test_several_replicas_report_the_end_of_an_outage_once(tmp_path: Path) -> None:
    with postgres() as server:
        async with sandbox_box() as box:
            owner = await box.control.person()
            settings: Json = {"database_url": server.url, "admin_ids": [owner]}
            async with (
                running_bell(tmp_path / "one", box, **settings) as bell,
                running_bell(tmp_path / "other", box, **settings),
            ):
                for _ in range(2):
                    (help_,) = await bell.ask(owner, "/help")
                    await asyncio.to_thread(server.stop, signal.SIGINT)
                    await asyncio.sleep(30)
                    await asyncio.to_thread(server.start)
                    await asyncio.sleep(60)
                    after = await answers(bell, owner, help_["message_id"])
                    assert len([text for text in after if "My database" in text]) == 1


KILLS_ITSELF = """
CREATE SEQUENCE {table}_once;
CREATE FUNCTION {table}_cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('{table}_once') = 1 THEN
        PERFORM pg_terminate_backend(pg_backend_pid());
        PERFORM pg_sleep(5);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cut BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_cut();
"""


async def test_a_connection_that_is_lost_in_the_middle_of_an_answer_is_told_to_nobody(
    tmp_path: Path,
) -> None:
    async with on_postgres(tmp_path) as (server, box, bell):
        ann = await box.control.person()
        (help_,) = await bell.ask(ann, "/help")
        await box.control.profile("cut.short", posts_per_day=0)
        async with connected(server.url) as connection:
            # Once in the effect of a handler, once where its answer is written.
            for table in ("subscriptions", "deliveries"):
                await connection.execute(KILLS_ITSELF.format(table=table))
        message = await box.control.say(ann, "/subscribe cut.short")
        await box.control.wait_replies(ann, 1, after=message)
        await bell.ask(ann, "/help")
        said = await answers(bell, ann, message)
        assert said[1:] == [help_["text"]]
        assert "cut.short" in said[0]
        assert "went wrong" not in said[0]


async def test_a_start_waits_for_a_database_that_is_being_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres() as server:
        await asyncio.to_thread(server.stop, signal.SIGINT)
        async with sandbox_box() as box:
            settings = settings_for(box, tmp_path, database_url=server.url)
            with monkeypatch.context() as impatient:
                impatient.setattr(app, "WAIT_S", 0)
                assert await app.run(settings, asyncio.Event()) == 1  # which tells why, at once
            async with running_bell(tmp_path, box, database_url=server.url) as bell:
                await asyncio.sleep(0.5)
                await asyncio.to_thread(server.start)
                await bell.ask(await box.control.person(), "/help")


async def test_a_database_that_keeps_everybody_waiting_is_not_ready(tmp_path: Path) -> None:
    port = free_port()
    async with on_postgres(tmp_path, port=port) as (server, box, bell):
        ann = await box.control.person()
        await bell.ask(ann, "/help")

        async def status() -> int:
            async with box.session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                return answer.status

        async def ready() -> bool:
            return await status() == 200

        await wait_for(ready)
        async with paused_replica(server, busy=True):
            assert await status() == 503
        await wait_for(ready)


async def sent_unrecorded(bell: Bell, name: str) -> tuple[int, int, int, str, int, Json]:
    """Let an answer and two alerts stand in their chats, of which no send is answered yet.

    Returns who asked, the two who follow, the story, the question and its answer of before.
    """
    control = bell.control
    ann, eva, kim = [await control.person() for _ in range(3)]
    shown = await followed(bell, [eva, kim], name)
    (help_,) = await bell.ask(ann, "/help")
    await control.fault("telegram", SLOW_ANSWER, match="sendPhoto", times=None)
    await control.fault("telegram", SLOW_ANSWER, match="sendMessage", times=1)
    pk = str((await control.publish(name))["pk"])
    message = await control.say(ann, "/help")
    for person, before in ((ann, message), (eva, shown[eva]), (kim, shown[kim])):
        await control.wait_replies(person, 1, after=before)
    return ann, eva, kim, pk, message, help_


@pytest.mark.timeout(900)
@pytest.mark.parametrize("away_s", [3, pytest.param(600, marks=pytest.mark.long)])
async def test_what_was_sent_right_before_postgresql_stopped_is_not_sent_again(
    tmp_path: Path, away_s: float
) -> None:
    async with on_postgres(tmp_path) as (server, box, bell):
        control = box.control
        sent = await sent_unrecorded(bell, "stoppedshort")
        ann, eva, kim, pk, message, help_ = sent
        # All is there, and nothing of it recorded. (A crash would undo what is committed as
        # well: the test's server waits for no disk.)
        await asyncio.to_thread(server.stop, signal.SIGINT)
        await control.say(ann, "/help")
        await asyncio.sleep(away_s)  # what is tried meanwhile is tried in vain
        await asyncio.to_thread(server.start)

        async def settled() -> bool:
            here = [await bell.control.shown(chat) for chat in (eva, kim)]
            return here == [[pk]] * 2 and not await open_rows_of(server)

        await wait_for(settled)
        await control.wait_replies(ann, 2, after=message)
        await bell.ask(kim, "/help")
        assert await answers(bell, ann, message) == [help_["text"]] * 2


@pytest.mark.slow
@pytest.mark.stands  # held where SQLite waits long enough
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("patience", "away_s"), [("?timeout=0.2", 1.5), pytest.param("", 65, marks=pytest.mark.slow)]
)
async def test_what_was_sent_right_before_sqlite_was_locked_is_not_sent_again(
    tmp_path: Path, patience: str, away_s: float
) -> None:
    file = tmp_path / "bot.db"
    url = f"sqlite:///{file}{patience}"
    async with sandbox_box() as box, running_bell(tmp_path, box, database_url=url) as bell:
        control = box.control
        sent = await sent_unrecorded(bell, "lockedout")
        ann, eva, kim, pk, message, help_ = sent
        async with locked(file):  # all is there, and nothing of it recorded
            await control.say(ann, "/help")
            await asyncio.sleep(away_s)  # what is tried meanwhile is tried in vain

        async def settled() -> bool:
            here = [await bell.control.shown(chat) for chat in (eva, kim)]
            return here == [[pk]] * 2 and not open_rows(file)

        await wait_for(settled)
        await control.wait_replies(ann, 2, after=message)
        await bell.ask(kim, "/help")
        assert await answers(bell, ann, message) == [help_["text"]] * 2


@pytest.mark.stands  # where SQLite waits for 10 seconds whatever the URL says
async def test_a_handler_that_the_database_fails_begins_anew_and_says_so_to_nobody(
    tmp_path: Path,
) -> None:
    file = tmp_path / "bot.db"
    url = f"sqlite:///{file}?timeout=0.2"
    async with sandbox_box() as box, running_bell(tmp_path, box, database_url=url) as bell:
        control = box.control
        ann = await control.person()
        await control.profile("latecomer", posts_per_day=0)
        await bell.ask(ann, "/help")
        await control.fault("stories", {"delay_s": 1.0})
        message = await control.say(ann, "/subscribe latecomer")
        await wait_for(lambda: begun(file))
        async with locked(file):
            await asyncio.sleep(2.5)  # in which its answer comes, and can't be kept
        free = asyncio.get_running_loop().time()
        (reply,) = await control.wait_replies(ann, 1, after=message)
        assert "latecomer" in reply["text"]
        assert asyncio.get_running_loop().time() - free < 15  # no lease has to end first
        await bell.ask(ann, "/subscriptions")
        assert len(await answers(bell, ann, message)) == 2


async def test_a_link_edited_in_while_the_database_fails_is_served(tmp_path: Path) -> None:
    file = tmp_path / "bot.db"
    url = f"sqlite:///{file}?timeout=0.2"
    async with sandbox_box() as box, running_bell(tmp_path, box, database_url=url):
        control, ann = box.control, await box.control.person()
        (first, one), (second, two) = [await fresh(control, f"edit.{n}") for n in range(2)]
        message = await control.say(ann, first)
        await control.wait_shown(ann, [one["pk"]])
        await control.fault("stories", {"delay_s": 1.0})
        both = {"text": f"{first} {second}"}
        await control.call("PATCH", f"/chats/{ann}/messages/{message}", both)
        await wait_for(lambda: begun(file))
        async with locked(file):
            await asyncio.sleep(2.5)  # in which the second story comes, and can't be owed
        await control.wait_shown(ann, [one["pk"], two["pk"]])


@pytest.mark.jumps
async def test_a_menu_that_cannot_be_remembered_leaves_no_update_open(tmp_path: Path) -> None:
    file, port = tmp_path / "bot.db", free_port()
    url = f"sqlite:///{file}?timeout=0.2"
    async with sandbox_box() as box:
        ann = await box.control.person()
        async with running_bell(
            tmp_path, box, database_url=url, port=port, admin_ids=[ann]
        ) as bell:
            await box.control.fault(
                "telegram", {"delay_s": 2.0}, match="setMyCommands", times=None
            )
            await bell.ask(ann, "/help")
            async with locked(file):
                await asyncio.sleep(4)
            await asyncio.sleep(60)
            async with box.session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                assert "inbox_open 0.0" in await answer.text()


@pytest.mark.jumps
async def test_a_full_disk_is_told_to_the_admins_and_answers_nothing_twice(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        url, port = f"sqlite:///{disk}/bot.db", free_port()
        async with sandbox_box() as box:
            admin, ann = [await box.control.person() for _ in range(2)]
            more = {"database_url": url, "port": port, "admin_ids": [admin]}
            async with running_bell(tmp_path, box, **more) as bell:
                (first,) = await bell.ask(admin, "/help")
                (help_,) = await bell.ask(ann, "/help")
                filler = fill(disk)

                async def full() -> bool:
                    async with box.session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                        return "the disk is full" in await answer.text()

                await wait_for(full)
                message = await box.control.say(ann, "/help")
                await box.control.wait_replies(admin, 1, after=first["message_id"])
                filler.unlink()
                await box.control.wait_replies(ann, 1, after=message)
                # The third: a disk of this size is nearly full, whatever is on it.
                told = await box.control.wait_replies(admin, 3, after=first["message_id"])
                assert sum("My database" in one["text"] for one in told) == 2
                await bell.ask(ann, "/help")
                assert await answers(bell, ann, message) == [help_["text"]] * 2


async def test_a_start_on_a_full_disk_says_that_the_disk_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        url = f"sqlite:///{disk}/bot.db"
        async with Database(url) as db:
            await db.migrate()
        fill(disk)
        assert "the disk is full" in (await check_database(url)).text


@pytest.mark.slow
async def test_a_story_that_is_published_while_postgresql_is_away_comes_soon_after(
    tmp_path: Path,
) -> None:
    async with on_postgres(tmp_path) as (server, box, bell):
        control = box.control
        (ann,) = [await control.person()]
        await followed(bell, [ann], "meanwhile")
        await control.fault("stories", {"delay_s": 1.0}, match="stories", times=None)
        known = len(await control.requests("stories", path="stories"))

        async def asked() -> bool:
            return len(await control.requests("stories", path="stories")) > known

        await wait_for(asked)  # a check is under way, whose answer can't be kept
        await asyncio.to_thread(server.stop, signal.SIGINT)
        pk = str((await control.publish("meanwhile"))["pk"])
        await asyncio.sleep(1.5)  # what is tried meanwhile is tried in vain
        await asyncio.to_thread(server.start)
        await control.wait_shown(ann, [pk])
