"""Three replicas on a PostgreSQL server, while processes, connections and the server fail.

``live`` runs the campaign and returns a ``Toll``: losses, repeats, stale writes and the bill.
"""

import asyncio
import json
import random
import re
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import asyncpg

from bot.store.engine.database import Database
from sandbox.telegram.model import Message
from tests.support import audit
from tests.support.cable import Cable, cable
from tests.support.control import Json, wait_for
from tests.support.forking import Forked, Parent, forking
from tests.support.killing import Victim
from tests.support.postgres import Postgres, postgres
from tests.support.sandbox import Box, sandbox_box

REPLICAS = 3
PEOPLE, ASKERS, PROFILES, FOLLOWED = 24, 6, 12, 4  # FOLLOWED: profiles of each person
LEASE_S = 15.0
STOP_S = 1.5 * LEASE_S
SEND_TAKES_S = 0.05
POST_EVERY_S, WRITE_EVERY_S, ASK_EVERY_S = 1.5, 0.8, 2.0
ON_ITS_WAY_S = 10 * SEND_TAKES_S
WRITTEN_DOWN_S = 2.0  # a live process records a send within this time
QUIET_S = 1200.0  # all pending messages arrive within this time, also third attempts
CLOSED_S = 60.0  # the maximum duration of a call
TOKEN = re.compile(r"nobody\d+x")


@dataclass(frozen=True, slots=True)
class Size:
    """The duration in seconds and the number of failures of each kind."""

    seconds: float
    kills: int
    stops: int
    cuts: int
    restarts: int


@dataclass(slots=True)
class Toll:
    """The results of a campaign."""

    size: Size
    alerts: int = 0
    answers: int = 0
    lost: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    repeats: int = 0
    unexplained: list[str] = field(default_factory=list)
    answers_lost: int = 0
    unrecorded: int = 0
    stale: list[str] = field(default_factory=list)
    wrong_marks: list[str] = field(default_factory=list)
    exits: list[str] = field(default_factory=list)
    tracebacks: Counter[str] = field(default_factory=Counter)
    bill: int = 0
    ledger: int = 0
    open_nominal: int = 0
    unexplained_calls: list[str] = field(default_factory=list)

    @property
    def not_kept(self) -> int:
        """Return the number of paid answers, with bills, that the database did not accept."""
        said = self.tracebacks.items()
        return sum(n for words, n in said if words.startswith("an answer could not be kept"))

    def __str__(self) -> str:
        """Return the results as a line of text."""
        size = self.size
        return (
            f"campaign: {REPLICAS} replicas, {size.seconds:.0f} s, {size.kills} kills,"
            f" {size.stops} stops of {STOP_S} s, {size.cuts} cuts, {size.restarts} restarts of the"
            f" database; {self.alerts} alerts, {self.answers} answers, {len(self.lost)} lost,"
            f" {len(self.disordered)} out of order, {self.repeats} repeats ({self.answers_lost}"
            f" answers and {self.unrecorded} records lost, {len(self.unexplained)} unexplained),"
            f" {len(self.stale)} stale marks, {len(self.exits)} exits, "
            f"{self.tracebacks.total()} tracebacks; bill {self.bill} <= ledger {self.ledger}"
            f" <= {self.bill} + {self.open_nominal} open at kills"
        )


class Replica:
    """A process that is restarted after each end."""

    def __init__(self, box: Box, folder: Path, one: Cable, parent: Parent) -> None:
        """Prepare the environment; ``run`` starts the process."""
        folder.mkdir()
        self._folder = folder
        self._parent = parent
        victim = Victim(box, folder, webhook=False, database_url=one.url)
        self._env = victim.env | {"POLL_FLOOR_S": "5", "CACHE_S": "0", "DAILY_BUDGET": "10000000"}
        self._port = victim.port
        self._process: Forked | None = None
        self.cable = one
        self.log = victim.log
        self.is_stopped = False
        self.is_ending = False
        self.killed: set[int] = set()
        self.exits: list[str] = []
        self.deaths: list[tuple[int, float]] = []  # process and time

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process and process.status is None else None

    async def run(self) -> None:
        """Start the process repeatedly, until the replica shall end."""
        while not self.is_ending:
            process = await self._parent.start(self._env, self._folder, self.log)
            self._process = process
            status = await process.ended
            self.is_stopped = False
            self.deaths.append((process.pid, time.time()))
            if process.pid not in self.killed and (status or not self.is_ending):
                self.exits.append(f"{self._folder.name}: status {status}")

    async def is_at_work(self) -> bool:
        """Return whether the process has started and accepts connections."""
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        writer.close()
        return True

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the running process."""
        if self._process is None or self.pid is None:
            return
        if number == signal.SIGKILL:
            self.killed.add(self._process.pid)
        self._process.send_signal(number)


class Scene:
    """People with subscriptions and requests, profiles that post, and the expected messages."""

    def __init__(self, box: Box, server: Postgres, replicas: list[Replica], size: Size) -> None:
        """Take the running services."""
        self.box, self.server, self.replicas, self.size = box, server, replicas, size
        self.chance = random.Random(7)  # noqa: S311 - repeatable, not secret
        self.people: list[int] = []
        self.askers: list[int] = []
        self.names = [f"star.{number}" for number in range(PROFILES)]
        self.followers: dict[str, list[int]] = defaultdict(list)
        self.posted: dict[str, list[str]] = defaultdict(list)
        self.written: dict[int, list[str]] = defaultdict(list)
        self.asked = 0
        self.unanswered: list[str] = []
        self.unrecorded: set[tuple[int, str, int, int]] = set()
        self.crashes: list[float] = []
        self._late: set[asyncio.Task[None]] = set()
        self._is_over = asyncio.Event()

    # load

    async def set_up(self) -> None:
        """Subscribe each person to some profiles."""
        control = self.box.control
        for name in self.names:
            await control.profile(name, posts_per_day=0)
        for number in range(PEOPLE):
            person = await control.person(f"P{number}")
            self.people.append(person)
            for k in range(FOLLOWED):
                name = self.names[(number + k * 5) % PROFILES]
                message = await control.say(person, f"/subscribe {name}")
                await control.wait_replies(person, 1, after=message, within=QUIET_S)
                self.followers[name].append(person)
        self.askers = [await control.person(f"A{number}") for number in range(ASKERS)]
        delay: Json = {"delay_s": SEND_TAKES_S}
        await control.fault("telegram", delay, match="send", times=None)
        await asyncio.sleep(1.1)  # stories of the second of a subscription are not sent

    async def post(self) -> None:
        """Publish stories of the profiles in turn."""
        turns = 0
        while not await self._over(POST_EVERY_S):
            name = self.names[turns % PROFILES]
            turns += 1
            story = await self.box.control.publish(name, self.chance.choice((1, 1, 1, 2)))
            self.posted[name].append(str(story["pk"]))

    async def write(self) -> None:
        """Send commands whose answers contain a unique word."""
        number = 0
        while not await self._over(WRITE_EVERY_S):
            person = self.chance.choice(self.people)
            word = f"nobody{number}x"
            number += 1
            self.written[person].append(word)
            await self.box.control.say(person, f"/unsubscribe {word}")

    async def ask(self, person: int) -> None:
        """Send paid requests of a person repeatedly, and wait for the answers."""
        while not await self._over(ASK_EVERY_S * ASKERS * self.chance.uniform(0.5, 1.5)):
            name = self.chance.choice(self.names)
            message = await self.box.control.say(person, f"/stories {name} 1")
            self.asked += 1
            try:
                await wait_for(partial(self._said, person, message), QUIET_S)
            except AssertionError:
                self.unanswered.append(f"/stories {name} of {person}")

    def _said(self, chat: int, after: int) -> bool:
        return any(one.id > after for one in self.messages().get(chat, []))

    async def _over(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_over.wait(), seconds)
        return self._is_over.is_set()

    # failures

    async def suffer(self) -> None:
        """Cause all failures in random order; then end the load."""
        size = self.size
        what: list[Callable[[], Awaitable[None]]] = [
            *[self._kill] * size.kills,
            *[self._stop] * size.stops,
            *[self._cut] * size.cuts,
            *[self._restart] * size.restarts,
        ]
        self.chance.shuffle(what)
        began = time.monotonic()
        try:
            for number, happens in enumerate(what):
                at = began + size.seconds * (number + self.chance.random()) / len(what)
                await asyncio.sleep(max(0.0, at - time.monotonic()))
                await happens()
            while self._late:
                await asyncio.wait(self._late)
        finally:
            self._is_over.set()

    def _soon(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        task = asyncio.get_running_loop().create_task(run())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _running(self) -> Replica:
        """Return a running replica; wait if there is none.

        With a chance of 1/8, the replica may still be starting.
        """
        as_it_is = self.chance.random() < 1 / 8
        while True:
            able = [one for one in self.replicas if one.pid and not one.is_stopped]
            able = [one for one in able if as_it_is or await one.is_at_work()]
            if able:
                return self.chance.choice(able)
            await asyncio.sleep(0.1)

    async def _kill(self) -> None:
        (await self._running()).send(signal.SIGKILL)
        self._soon(self._note_unrecorded())

    async def _stop(self) -> None:
        replica = await self._running()
        replica.is_stopped = True
        replica.send(signal.SIGSTOP)
        self._soon(self._note_unrecorded())
        self._soon(self._go_on(replica, replica.pid))

    async def _go_on(self, replica: Replica, pid: int | None) -> None:
        await asyncio.sleep(STOP_S)
        if replica.pid == pid:
            replica.send(signal.SIGCONT)
            replica.is_stopped = False

    async def _cut(self) -> None:
        """Cut a connection at the proxy or on the server."""
        replica = await self._running()
        if self.chance.random() < 0.5 and replica.cable.cut(self.chance):
            return
        statement = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN (SELECT pid FROM"
            " pg_stat_activity WHERE application_name LIKE 'storybell%' ORDER BY random() LIMIT 1)"
        )
        async with self._database() as connection:
            with suppress(asyncpg.PostgresError, OSError):
                await connection.execute(statement)

    async def _restart(self) -> None:
        """Stop the server, cleanly or as a crash, and start the server within three seconds."""
        number = self.chance.choice((signal.SIGINT, signal.SIGQUIT))
        await asyncio.to_thread(self.server.stop, number)
        if number == signal.SIGQUIT:
            self.crashes.append(time.time())
        await asyncio.sleep(self.chance.uniform(0, 3))
        await asyncio.to_thread(self.server.start)
        self._soon(self._note_unrecorded())

    @asynccontextmanager
    async def _database(self) -> AsyncIterator[asyncpg.Connection]:
        """Yield a test connection; wait until the server accepts connections."""
        while True:
            try:
                connection = await asyncpg.connect(self.server.url)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.1)
                continue
            try:
                yield connection
            finally:
                with suppress(OSError, asyncpg.PostgresError):
                    await connection.close()
            return

    async def _note_unrecorded(self) -> None:
        """Record the sends that took effect and were not recorded by a replica."""
        before = await self._owed_and_there()
        await asyncio.sleep(ON_ITS_WAY_S)  # calls in transit take effect after the kill
        before |= await self._owed_and_there()
        await asyncio.sleep(WRITTEN_DOWN_S)
        self.unrecorded |= before & await self._owed_and_there()

    async def _owed_and_there(self) -> set[tuple[int, str, int, int]]:
        """Return open deliveries with a message in the chat: chat, story or word, row, copies."""
        while True:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                async with self._database() as connection:
                    rows = await connection.fetch(
                        "SELECT id, chat_id, story_pk, fields::text AS said, copies"
                        " FROM deliveries WHERE state = 'open' AND copies > 0"
                    )
                    break
            await asyncio.sleep(0.1)
        there = self.shown()
        owed = set()
        for row in rows:
            words = [row["story_pk"]] if row["story_pk"] else TOKEN.findall(row["said"] or "")
            owed |= {
                (row["chat_id"], word, row["id"], row["copies"])
                for word in words
                if there[row["chat_id"]][word]
            }
        return owed

    # results

    def messages(self) -> dict[int, list[Message]]:
        """Return the bot's messages in each chat, in order."""
        world = self.box.parts.telegram.world
        return {
            chat.id: [one for one in chat.messages.values() if one.bot is not None]
            for chat in world.all_chats()
        }

    def shown(self) -> dict[int, Counter[str]]:
        """Return how often each story and each word appears in a chat."""
        found: dict[int, Counter[str]] = defaultdict(Counter)
        for chat, messages in self.messages().items():
            for one in messages:
                found[chat].update(keys_of(one))
        return found

    async def settled(self) -> bool:
        """Return whether no delivery, update or fan-out is pending and no story is missing."""
        with suppress(OSError, asyncpg.PostgresError):
            async with self._database() as connection:
                left = await connection.fetchval(
                    "SELECT (SELECT count(*) FROM deliveries WHERE state = 'open')"
                    " + (SELECT count(*) FROM inbox WHERE done_at IS NULL)"
                    " + (SELECT count(*) FROM fan_outs)"
                )
            there = self.shown()
            missing = sum(
                not there[person][pk]
                for name, pks in self.posted.items()
                for person in self.followers[name]
                for pk in pks
            )
            return not left and not missing
        return False

    async def toll(self) -> Toll:
        """Count the results."""
        toll = Toll(self.size)
        messages, there = self.messages(), self.shown()
        self._count_answers(toll, there)
        self._count_repeats(toll, messages)
        state = await self.box.control.state()
        toll.answers_lost, toll.bill = state["lost"], state["billed"]["total"]
        toll.unrecorded = len(self.unrecorded)
        for replica in self.replicas:
            toll.exits += replica.exits
            toll.tracebacks += tracebacks_of(replica.log)
        async with self._database() as connection:
            repeated = await connection.fetch(
                "SELECT chat_id, story_pk FROM deliveries WHERE copies > 1"
            )
            alone = {(row["chat_id"], row["story_pk"]) for row in repeated}
            self._count_alerts(toll, messages, there, alone)
            toll.stale = await audit.stale_marks(connection)
            await self._count_money(toll, connection)
            await self._count_marks(toll, connection, messages)
        return toll

    def _count_alerts(
        self,
        toll: Toll,
        messages: dict[int, list[Message]],
        there: dict[int, Counter[str]],
        alone: set[tuple[int, str]],
    ) -> None:
        """Count the alerts, the lost alerts and the alerts out of order.

        A delivery in ``alone`` had another attempt, so later deliveries may come first.
        """
        for name, pks in self.posted.items():
            for person in self.followers[name]:
                toll.alerts += len(pks)
                toll.lost += [f"{pk} of {name} in {person}" for pk in pks if not there[person][pk]]
                came = dict.fromkeys(key for one in messages[person] for key in keys_of(one))
                firsts = [pk for pk in came if pk in set(pks) and (person, pk) not in alone]
                if firsts != (due := [pk for pk in pks if pk in firsts]):
                    wrong = [pk for pk, one in zip(firsts, due, strict=True) if pk != one]
                    toll.disordered.append(f"{name} in {person}: {wrong[:4]}")

    def _count_answers(self, toll: Toll, there: dict[int, Counter[str]]) -> None:
        for person, words in self.written.items():
            toll.answers += len(words)
            toll.lost += [f"{word} of {person}" for word in words if not there[person][word]]
        toll.answers += self.asked
        toll.lost += self.unanswered

    def _count_repeats(self, toll: Toll, messages: dict[int, list[Message]]) -> None:
        unrecorded = Counter((chat, key) for chat, key, _, _ in self.unrecorded)
        for person in self.people:
            copies: dict[str, list[Message]] = defaultdict(list)
            for one in messages[person]:
                for key in keys_of(one):
                    copies[key].append(one)
            for key, found in copies.items():
                repeats = len(found) - 1
                toll.repeats += repeats
                lost = sum(one.answer_lost for one in found)
                if repeats > lost + unrecorded[person, key]:
                    times = [f"{one.sent_at:.2f}{'!' * one.answer_lost}" for one in found]
                    toll.unexplained.append(
                        f"{key} in {person} at {times}, {unrecorded[person, key]} unrecorded"
                    )

    async def _count_money(self, toll: Toll, connection: asyncpg.Connection) -> None:
        toll.ledger = await connection.fetchval("SELECT sum(credits) FROM ledger_entries")
        deaths = [death for replica in self.replicas for death in replica.deaths]
        for call in await audit.open_calls(connection):
            toll.open_nominal += call.nominal
            killed = any(
                call.by.endswith(f":{pid}") and call.at - 1 <= at <= call.at + CLOSED_S
                for pid, at in deaths
            )
            crashed = any(call.at - 1 <= at <= call.at + CLOSED_S for at in self.crashes)
            if not killed and not crashed:
                toll.unexplained_calls.append(f"{call.by} at {call.at:.1f}: {call.nominal}")

    async def _count_marks(
        self, toll: Toll, connection: asyncpg.Connection, messages: dict[int, list[Message]]
    ) -> None:
        """Check that each delivery marked as sent has the ID of the message with its story."""
        rows = await connection.fetch(
            "SELECT chat_id, story_pk, message_id FROM deliveries"
            " WHERE state = 'sent' AND story_pk IS NOT NULL"
        )
        brought = {
            (chat, one.id): keys_of(one) for chat, found in messages.items() for one in found
        }
        toll.wrong_marks = [
            f"{row['story_pk']} in {row['chat_id']}: message {row['message_id']}"
            for row in rows
            if row["story_pk"] not in brought.get((row["chat_id"], row["message_id"]), [])
        ]


def keys_of(message: Message) -> list[str]:
    """Return the keys of a message: the story in the message, or the unique words in the text."""
    if message.media is not None:
        return [str(message.media.content.story_pk)]
    return TOKEN.findall(str(message.fields.get("text", "")))


def tracebacks_of(log: Path) -> Counter[str]:
    """Return the number of tracebacks in a log, by event and exception."""
    found: Counter[str] = Counter()
    for line in log.read_text().splitlines():
        if "Traceback" not in line:
            continue
        try:
            entry = json.loads(line)
        except ValueError:
            found[line[:200]] += 1
            continue
        raised = str(entry.get("exception") or line).strip().splitlines()[-1]
        found[f"{entry.get('event')}: {raised}"[:300]] += 1
    return found


async def live(folder: Path, size: Size) -> Toll:
    """Run three replicas under load and failures; return the results."""
    async with AsyncExitStack() as stack:
        server = stack.enter_context(postgres("synchronous_commit=on"))
        box = await stack.enter_async_context(sandbox_box())
        async with Database(server.url) as db:
            await db.migrate()
        await audit.begin(server.url)
        parent = await stack.enter_async_context(forking())
        replicas = [
            Replica(box, folder / f"r{n}", await stack.enter_async_context(cable(server)), parent)
            for n in range(REPLICAS)
        ]
        scene = Scene(box, server, replicas, size)
        loop = asyncio.get_running_loop()
        running = [loop.create_task(one.run()) for one in replicas]
        try:
            await scene.set_up()
            async with asyncio.TaskGroup() as group:
                for work in (scene.post(), scene.write(), *map(scene.ask, scene.askers)):
                    group.create_task(work)
                group.create_task(scene.suffer())
            with suppress(AssertionError):
                await wait_for(scene.settled, QUIET_S, "all that is owed")
            for one in replicas:
                one.is_ending = True
                one.send(signal.SIGTERM)
            for task in running:
                await asyncio.wait_for(task, 60)
            return await scene.toll()
        finally:
            for one in replicas:
                one.is_ending = True
                one.send(signal.SIGKILL)
            await asyncio.wait(running)


def say(toll: Toll) -> None:
    """Print the results and the details of each violation."""
    sys.stdout.write(f"\n{toll}\n")
    for name in ("lost", "disordered", "unexplained", "stale", "wrong_marks", "exits",
                 "unexplained_calls"):  # fmt: skip
        for words in getattr(toll, name)[:20]:
            sys.stdout.write(f"{name}: {words}\n")
    for words, count in toll.tracebacks.most_common():
        sys.stdout.write(f"traceback, {count} times: {words}\n")
