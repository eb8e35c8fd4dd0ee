"""A seed from start to end: processes of the bot, persons, failures, and the result."""

import asyncio
import gc
import logging
import shutil
import sys
import traceback
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any

import structlog
from aiohttp import ClientSession

from bot import app, bootstrap
from bot.billing import balance
from bot.config import Settings, load
from bot.context import Timing
from bot.domain import alert_rules
from bot.fetching import poller
from bot.runtime.clock import Clock as BotClock
from bot.runtime.sharing import ONE_PROCESS
from bot.updates import polling
from sandbox.app import running
from sandbox.clock import Clock
from sandbox.instagram import Profile
from sandbox.state import Sandbox
from tests.soak import (
    answers,
    contents,
    invariants,
    meetings,
    plants,
    promises,
    summaries,
    unknown,
    wires,
)
from tests.soak.fans import Fans
from tests.soak.journal import HOUR, LOOKS_EVERY_S, Journal
from tests.soak.lists import Lists
from tests.soak.meetings import Meetings
from tests.soak.people import Crowd, People
from tests.soak.promises import Ways
from tests.soak.rates import ORDINARY, Rates
from tests.soak.weather import UNHEARD, Weather
from tests.support.control import Control

START = datetime(2026, 3, 1, 6, 30, tzinfo=UTC)
CLOCKS_CHANGE = (
    datetime(2026, 3, 7, 6, 30, tzinfo=UTC),  # forward in America on the 8th
    datetime(2026, 10, 24, 6, 30, tzinfo=UTC),  # back in Europe on the 25th
)
DAY = 24 * HOUR
TOKEN = "7000000001:a-token-that-no-log-may-show-0123456789"
RESTART_S = 3.0
_TIMING = Timing(database_file=timedelta(minutes=1))  # each check is a jump of the clock
TRACE = 4000  # characters of one traceback
DEAD_TURNS = 3000
HOPELESS = 500  # number of refused sends that reveals a plant


@dataclass
class Result:
    """The result of a seed."""

    seed: int
    days: float
    commands: int
    alerts: int
    crashes: int
    looks: int
    ledger: int  # credits
    refusals: int  # of sends, by faults
    delays: tuple[float, float]  # of alerts in seconds: the median and the 95th percentile
    digest: str
    cpu: float  # seconds
    violations: list[str]
    met: list[tuple[str, str]]  # pairs of features


class FoundOutError(Exception):
    """Raised if a plant behaves like no bot, because the rest of the run would take long."""


class Seed:
    """A run of a seed."""

    def __init__(
        self, seed: int, folder: Path, *, days: float, plant: str = "", rates: Rates = ORDINARY
    ) -> None:
        """Prepare a run in ``folder``, preferably on a RAM disk."""
        self._rates = rates
        self._seed, self._folder, self._days = seed, folder, days
        self._plant = plant
        self._lives = 0
        self._life: wires.Life | None = None
        self.journal: Journal | None = None

    @property
    def life(self) -> wires.Life:
        """Return the running process."""
        assert self._life is not None
        return self._life

    async def run(self) -> Result:
        """Run the seed. Return the result with all violations."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, wires.LocalLoop)
        clock = Clock(start=_begins(self._seed, self._rates).timestamp(), move_on=loop.jump)
        async with running(seed=self._seed, clock=clock) as sandbox, ClientSession() as session:
            journal = self.journal = Journal(sandbox, self._rates)
            _listen(journal)
            _remember_stories(sandbox, journal)
            unknown.watch_sends(sandbox.cdn, journal.unknown_sends.append)
            control = Control(session, sandbox.urls.page)
            await control.limits(preset="documented")
            with plants.planted(self._plant):
                try:
                    await self._live(sandbox, journal, control)
                except* FoundOutError:
                    journal.note("found out")
                    self.life.is_dead = True  # its end then belongs to the end of the loop
            journal.read_requests()
            return self._result(journal)

    async def _live(self, sandbox: Sandbox, journal: Journal, control: Control) -> None:
        end = sandbox.clock.now() + self._days * DAY
        calm = end - self._rates.drain_s
        people = People(control, journal, self._seed, self._rates)
        fans = Fans(people, control, journal, self._seed, self._rates)
        lists = Lists(people, control, journal, self._seed, self._rates)
        weather = Weather(control, journal, self._seed, lambda: self.life, self._rates)
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            living = group.create_task(self._lifetimes(sandbox, weather, calm, stop))
            watching = group.create_task(self._watch(sandbox, journal))
            reading = group.create_task(self._watch_terms(journal))
            await asyncio.sleep(5)
            await people.found()
            await fans.begin()
            await lists.begin()
            await people.settle()
            fans.join()
            lists.join()
            raging = group.create_task(weather.rage(calm))
            meeting = self._begin_meetings(group, people, control, weather, calm)
            await Crowd(people).live(calm)
            await meeting
            await raging
            await asyncio.sleep(end - sandbox.clock.now())
            watching.cancel()
            reading.cancel()
            stop.set()
            await living
        with suppress(FileNotFoundError):
            journal.read_tables(self.life.database)
        journal.unanswered_calls = _unheard(sandbox, weather)
        invariants.check_ledger(journal, self.life.database)
        invariants.check_backups(journal, self._folder)

    def _begin_meetings(
        self,
        group: asyncio.TaskGroup,
        people: People,
        control: Control,
        weather: Weather,
        until: float,
    ) -> asyncio.Task[None]:
        """Start the combinations of features, if requested by the rates."""
        assert self.journal is not None
        if not self._rates.meetings:
            return group.create_task(asyncio.sleep(0))
        all_of_them = Meetings(
            people, control, self.journal, weather, seed=self._seed, rates=self._rates
        )
        return group.create_task(all_of_them.live(until))

    async def _watch_terms(self, journal: Journal) -> None:
        """Read the chats' settings periodically."""
        while True:
            await asyncio.sleep(self._rates.terms_s)
            with suppress(FileNotFoundError):
                journal.read_terms(self.life.database)

    async def _watch(self, sandbox: Sandbox, journal: Journal) -> None:
        """Read the tables and the log periodically.

        Raises:
            FoundOutError: A plant has caused too many refused sends.
        """
        hours, begun = 0, sandbox.clock.now()
        while True:
            await asyncio.sleep(LOOKS_EVERY_S)
            if sandbox.clock.now() - begun > (hours + 6) * HOUR:
                hours += 6
                sys.stderr.write(f"{hours} h lived in {process_time():.0f} s of CPU\n")
            journal.read_requests()
            with suppress(FileNotFoundError):
                journal.read_tables(self.life.database)
            if self._plant and len(journal.refused) > HOPELESS:
                raise FoundOutError

    # -- processes ----------------------------------------------------------------------

    async def _lifetimes(
        self, sandbox: Sandbox, weather: Weather, until: float, stop: asyncio.Event
    ) -> None:
        """Run the bot until ``stop``, with occasional kills."""
        assert self.journal is not None
        journal, database = self.journal, self._folder / "bot-0.db"
        crashing: asyncio.Task[float | None] | None = None
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                life = self._life = wires.Life(self._lives, database)
                self._lives += 1
                ending = asyncio.Event()
                task = self._born(life, sandbox, ending, weather)
                if crashing is None:
                    crashing = group.create_task(weather.crash_times(until))
                stopped = group.create_task(stop.wait())
                waiting = {task, stopped, crashing}
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                stopped.cancel()
                if task.done():
                    journal.note("the bot ended by itself")
                    journal.problems.append(f"the bot ended by itself: {_end_of(task)}")
                    await asyncio.sleep(RESTART_S)
                    continue
                if crashing.done() and not stop.is_set():
                    count, crashing = crashing.result(), None
                    if count is None:
                        await asyncio.wait({task, group.create_task(stop.wait())},
                                           return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
                    else:
                        await wires.turns(int(count))
                        database = self._folder / f"bot-{self._lives}.db"
                        await self._kill(life, task, database)
                        await asyncio.sleep(RESTART_S)
                        continue
                ending.set()
                await asyncio.wait({task}, timeout=60)
                if not task.done():
                    journal.problems.append("the bot did not stop within 60 s")
                    life.is_dead = True
                    task.cancel()
            if crashing is not None:
                crashing.cancel()

    def _born(
        self, life: wires.Life, sandbox: Sandbox, ending: asyncio.Event, weather: Weather
    ) -> "asyncio.Task[int | None]":
        loop = asyncio.get_running_loop()
        assert isinstance(loop, wires.LocalLoop)

        def machine() -> float:
            return loop.unix() + weather.ahead_s

        async def live() -> int | None:
            wires.LIFE.set(life)
            try:
                clock = BotClock(machine=machine)
                return await app.run(
                    self._settings(life, sandbox), ending, now=clock, timing=_TIMING
                )
            except (Exception, asyncio.CancelledError):
                if life.is_dead:
                    return None
                raise
            except BaseException:
                if life.is_dead:
                    return None
                raise

        task: asyncio.Task[int | None] = loop.create_task(live())
        return task

    async def _kill(self, life: wires.Life, task: "asyncio.Task[int | None]", copy: Path) -> None:
        """Kill a process without a clean-up."""
        assert self.journal is not None
        self.journal.read_requests()
        self.journal.note("killed", life.number)
        life.kill(copy)
        self.journal.crashed(copy)
        task.cancel()
        for _ in range(DEAD_TURNS):
            if task.done():
                break
            await asyncio.sleep(0)
            task.cancel()

    def _settings(self, life: wires.Life, sandbox: Sandbox) -> Settings:
        return load(
            _env_file=None,
            telegram_token=TOKEN,
            stories_api_key="a-key-that-no-log-may-show",
            telegram_api_url=sandbox.urls.telegram,
            stories_api_url=sandbox.urls.stories_api,
            trusted_media_origin=sandbox.urls.cdn,
            database_url=f"sqlite:///{life.database}",
            spool_dir=self._folder / f"spool-{life.number}",
            daily_budget=self._rates.credits,
            backup_hours=self._rates.backup_hours,
            port=0,
            host="127.0.0.1",
            **({"access": "open"} if "access" in Settings.model_fields else {}),
        )

    def _result(self, journal: Journal) -> Result:
        ways = Ways(journal)
        found = [
            *journal.problems,
            *invariants.check_all(journal),
            *promises.check_promises(ways),
            *summaries.check_summaries(ways),
            *answers.check_answers(ways),
        ]
        met = sorted(meetings.met(ways)) if self._rates.meetings else []
        delays = journal.delays() or [0.0]
        return Result(
            seed=self._seed,
            days=self._days,
            commands=len(journal.asked),
            alerts=invariants.count_alerts(journal),
            crashes=len(journal.crashes),
            looks=journal.looks,
            ledger=journal.ledger,
            refusals=journal.refusals,
            delays=(delays[len(delays) // 2], delays[len(delays) * 95 // 100]),
            digest=journal.digest,
            cpu=round(process_time(), 1),
            violations=found,
            met=met,
        )


def _begins(seed: int, rates: Rates) -> datetime:
    """Return the start of a run. Runs with combinations include a clock change."""
    return CLOCKS_CHANGE[seed % 2] if rates.meetings else START


def _end_of(task: "asyncio.Task[int | None]") -> str:
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    if error is None:
        return f"status {task.result()}"
    return "".join(traceback.format_exception(error))[-1500:]


def _unheard(sandbox: Sandbox, weather: Weather) -> int:
    """Return the credits that the Stories API may have billed without a response to the bot."""
    return sum(
        3
        for entry in sandbox.log.since(0, "stories")
        if weather.faults.get(int(str(entry.get("fault") or 0))) in UNHEARD
    )


def _remember_stories(sandbox: Sandbox, journal: Journal) -> None:
    """Add contents to every new story, and keep the stories, which the sandbox forgets."""
    instagram: Any = sandbox.instagram
    add_story = instagram.add_story

    def remembered(
        profile: Profile, media_type: int, taken_at: float | None, **details: Any
    ) -> Any:
        taken_at = sandbox.clock.now() if taken_at is None else taken_at
        details |= contents.held(profile.username, taken_at)
        story = add_story(profile, media_type, taken_at, **details)
        journal.stories[story.pk] = story
        return story

    instagram.add_story = remembered


def _has_gone(record: logging.LogRecord) -> bool:
    """Return whether a client of the sandbox disconnected during a request."""
    error = record.exc_info[1] if record.exc_info else None
    return isinstance(error, ConnectionResetError)


def _listen(journal: Journal) -> None:
    """Collect all log lines of the process, from the bot and from libraries."""

    def keep(life: wires.Life | None, text: str) -> None:
        if (life is not None and life.is_dead) or (journal.crashes and "Unclosed" in text[:9]):
            return  # a killed process closes nothing
        text = text if len(text) < TRACE else f"{text[: TRACE // 4]}\n…\n{text[-TRACE:]}"
        journal.tracebacks.append(f"{journal.sandbox.clock.now():.0f} {text}")

    def of_ours(_: object, method: str, event: MutableMapping[str, Any]) -> Any:
        error = event.get("exc_info")
        if error:
            error = sys.exc_info()[1] if error is True else error
            error = error[1] if isinstance(error, tuple) else error
            trace = "".join(traceback.format_exception(error)) if error else ""
            keep(wires.LIFE.get(), f"{event.get('event')} {trace}")
        else:
            journal.note("log", method, event.get("event"), event.get("why", ""))
        raise structlog.DropEvent

    structlog.configure(processors=[of_ours], cache_logger_on_first_use=False)

    class Libraries(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info or record.levelno >= logging.ERROR:
                trace = ""
                if record.exc_info:
                    trace = "".join(traceback.format_exception(*record.exc_info))
                keep(wires.LIFE.get(), f"{record.name}: {record.getMessage()} {trace}")

    logging.getLogger().handlers = [Libraries()]
    logging.getLogger("aiohttp.server").addFilter(lambda record: not _has_gone(record))
    logging.getLogger("asyncio").addFilter(lambda record: "Killed" not in record.getMessage())

    def unhandled(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, wires.Killed) or "Killed" in repr(error):
            return
        trace = "".join(traceback.format_exception(error)) if error else ""
        keep(wires.LIFE.get(), f"{context.get('message')} {trace}")

    asyncio.get_running_loop().set_exception_handler(unhandled)


def one(
    seed: int, folder: Path, *, days: float, plant: str, rates: Rates, log: Path | None
) -> Result:
    """Run a seed in this process, which is unusable afterwards."""
    wires.lay(seed)
    _sleep_long()
    run = Seed(seed, folder, days=days, plant=plant, rates=rates)
    loop = wires.LocalLoop(_begins(seed, rates))
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        result = runner.run(run.run())
    if log is not None and run.journal is not None:
        ways = promises.tell(Ways(run.journal))
        log.write_text("\n".join([*run.journal.lines, *run.journal.tracebacks, *ways]) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    return result


def _sleep_long() -> None:
    """Increase the intervals of periodic tasks, because most of a week is idle.

    Longer intervals are also stricter, because a task without a wake-up is not helped by its next
    check.
    """
    # While the credit bucket is empty, only the maintenance starts the checks before a summary.
    poller.MAINTAIN_EVERY = alert_rules.SUMMARY_LEAD / 2
    balance.EVERY = timedelta(minutes=30)
    defaults: Any = polling.Polling.__init__.__kwdefaults__
    defaults["poll_s"] = 50
    rarely = timedelta(minutes=15)
    vars(bootstrap)["ONE_PROCESS"] = replace(ONE_PROCESS, checks_every=rarely, alerts_every=rarely)
    gc.set_threshold(50_000, 20, 100)
