"""Failures in a run: the three services, the database, and the process itself."""

import asyncio
import random
import sqlite3
from collections.abc import Callable
from typing import Any

from bot.domain.model import Right
from bot.telegram.outcomes import REFUSALS
from tests.soak import wires
from tests.soak.journal import HOUR, Journal, Window
from tests.soak.rates import ORDINARY, Rates
from tests.support.control import Control, flood, refused
from tests.support.refusals import refusal

MINUTE = 60.0

EDGE = "<!DOCTYPE html><html><title>Just a moment...</title></html>"

# service, match, fault, every n-th, minimum and maximum minutes
Kind = tuple[str, str, dict[str, Any], int, float, float]

KINDS: tuple[Kind, ...] = (
    ("telegram", "", {"status": 502, "body": "<html>Bad Gateway</html>"}, 1, 0.5, 40),
    ("telegram", "send", {"status": 502, "body": "<html>Bad Gateway</html>"}, 3, 10, 60),
    ("telegram", "sendPhoto", {"status": 502, "body": "<html>Bad Gateway</html>"}, 3, 10, 60),
    ("telegram", "sendVideo", {"hang": True}, 3, 10, 60),
    ("telegram", "send", {"status": 502, "effect": True}, 2, 0.5, 15),
    ("telegram", "send", {"status": 502, "effect": True}, 1, 20, 60),
    ("telegram", "send", {"reset": "after"}, 3, 1, 20),
    ("telegram", "send", {"reset": "before"}, 3, 10, 60),
    ("telegram", "", {"reset": "before"}, 1, 0.5, 10),
    ("telegram", "sendPhoto", {"reset": "before"}, 2, 20, 60),
    ("telegram", "sendVideo", {"reset": "before"}, 2, 20, 60),
    ("telegram", "sendMediaGroup", {"hang": True}, 2, 20, 60),
    ("telegram", "send", {"delay_s": 20}, 2, 1, 20),
    ("telegram", "send", {"hang": True}, 4, 10, 60),
    ("telegram", "sendMediaGroup", {
        "fail_item": 1, "description": "WEBPAGE_CURL_FAILED",
    }, 3, 5, 60),
    ("telegram", "send", flood(7), 4, 5, 60),
    ("telegram", "sendMediaGroup", refused("group send failed"), 4, 5, 30),
    ("telegram", "getUpdates", {"truncate": 20}, 3, 5, 30),
    ("stories", "", {"status": 503, "body": {"detail": "Service Unavailable"}}, 1, 1, 120),
    ("stories", "", {
        "status": 500, "body": {"detail": "expected string or bytes-like object"},
    }, 3, 10, 240),
    ("stories", "", {
        "status": 429, "body": {"detail": "Too many requests"}, "headers": {"Retry-After": "5"},
    }, 2, 5, 30),
    ("stories", "", {"reset": "after"}, 4, 5, 60),
    ("stories", "", {"delay_s": 12}, 2, 5, 60),
    ("stories", "", {"truncate": 40}, 5, 5, 60),
    ("stories", "", {"status": 403, "body": EDGE}, 1, 1, 90),
    ("stories", "", {
        "status": 403, "body": EDGE, "headers": {"x-hiker-info": "reqs=2"},
    }, 2, 1, 90),
    ("stories", "", {"status": 404, "body": EDGE}, 2, 1, 60),
    ("cdn", "", {"status": 503, "body": ""}, 2, 5, 120),
    ("cdn", "", {"reset": "before"}, 2, 5, 60),
    ("cdn", "", {"truncate": 1000}, 3, 5, 60),
    ("cdn", "", {"slow_bytes_per_s": 2000}, 3, 5, 30),
)  # fmt: skip
STEPS_S = (-2 * HOUR, -MINUTE, 2 * HOUR, 24 * HOUR)
"""Seconds by which the machine's clock is ahead while wrong."""
OBEYED = ("chat", "removed", "partly", "down")
"""Refusals after which the bot ends deliveries, or assumes an unknown outcome."""
_WITH_A_RIGHT: dict[Right, str] = {
    "photos": "sendPhoto", "videos": "sendVideo", "gifs": "sendAnimation",
    "documents": "sendDocument",
}  # fmt: skip
"""Methods that require a right, which a refusal may name (TDLib, `can_send_message_content`)."""
_SILENCING: tuple[Right, ...] = ("text", "posts", "topic")
_IN_ONE_CHAT = 0.3  # share of the faults of one method
UNHEARD = ({"reset": "after"}, {"truncate": 40})  # of the Stories API: billed without a response


class Weather:
    """Outages and crashes, driven by a random generator."""

    def __init__(
        self,
        control: Control,
        journal: Journal,
        seed: int,
        life: Callable[[], wires.Life],
        rates: Rates = ORDINARY,
    ) -> None:
        """``life`` returns the running process."""
        self._rates = rates
        self._control = control
        self._journal = journal
        self._chance = random.Random(f"{seed}/weather")  # noqa: S311 - must be repeatable
        self._life = life
        self.faults: dict[int, dict[str, Any]] = {}
        self.ahead_s = 0.0  # of the machine's clock
        self.crash_now = asyncio.Event()

    async def rage(self, until: float) -> None:
        """Cause failures until the given time."""
        if self._rates.refusals:
            await self._refuse(until)
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._services(until))
            group.create_task(self._databases(until))
            group.create_task(self._clocks(until))

    async def _refuse(self, until: float) -> None:
        """Refuse some sends at random, with error messages of each kind."""
        clock = self._journal.sandbox.clock
        async with asyncio.TaskGroup() as group:
            while True:
                wait = self._chance.expovariate(self._rates.refusals / 24 / HOUR)
                await asyncio.sleep(min(wait, until - clock.now()))
                if clock.now() >= until:
                    break
                words, source = refusal(self._chance, self._chance.randint(1, 3), without=OBEYED)
                only = _only(words)
                match = only or self._chance.choice(["sendMediaGroup", "sendPhoto", "sendVideo"])
                times = None if only else self._chance.choice([1, 2, 5])
                number = await self._control.fault(
                    "telegram", refused(words), match=match, times=times, source=source
                )
                self._journal.note("refusal", words, match, times)
                if _has_no_answer(words):
                    self._journal.silencing.add(number)
                if only:
                    group.create_task(self._allow_again(number))
        await self._control.clear_faults()

    async def _allow_again(self, number: int) -> None:
        """Restore a missing right after a while."""
        await asyncio.sleep(15 * MINUTE)
        await self._control.clear_faults(number)

    async def crash_times(self, until: float) -> float | None:
        """Wait for the next crash. Return the delay in turns of the loop, or None for no crash."""
        clock = self._journal.sandbox.clock
        wait = self._chance.expovariate(self._rates.crashes / 24 / HOUR)
        try:
            async with asyncio.timeout(min(wait, until - clock.now())):
                await self.crash_now.wait()
        except TimeoutError:
            if clock.now() >= until:
                return None
            await self._something_happens()
        self.crash_now.clear()
        return self._chance.choice([0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89]) + 0.0

    async def _something_happens(self) -> None:
        """Wait for an action of the bot, for up to an hour, so that a crash has an effect."""
        sought = self._chance.choice(
            ["send", "sendPhoto", "sendVideo", "sendMediaGroup", "stories", "person"]
        )
        happened = asyncio.Event()
        self._journal.watchers.append(lambda what: happened.set() if sought in what else None)
        try:
            async with asyncio.timeout(HOUR):
                await happened.wait()
        except TimeoutError:
            pass
        finally:
            self._journal.watchers.pop()

    async def _services(self, until: float) -> None:
        clock = self._journal.sandbox.clock
        while True:
            wait = self._chance.expovariate(self._rates.faults / 24 / HOUR)
            await asyncio.sleep(min(wait, until - clock.now()))
            if clock.now() >= until:
                return
            service, match, fault, every, least, most = self._chance.choice(KINDS)
            body = {
                "service": service, "match": match, "times": None, "every": every, "fault": fault,
            }  # fmt: skip
            chats = [row.chat for row in self._journal.rows.values()] if match else []
            if service == "telegram" and chats and self._chance.random() < _IN_ONE_CHAT:
                body["chat_id"] = self._journal.chat_now(self._chance.choice(chats))
            number = int((await self._control.call("POST", "/faults", body))["id"])
            self.faults[number] = fault
            window = Window(clock.now())
            self._journal.outages[service].append(window)
            self._journal.note("fault", service, match, sorted(fault), every)
            minutes = self._chance.uniform(least, most) * self._rates.lasting
            await asyncio.sleep(minutes * MINUTE)
            await self._control.clear_faults(number)
            window.end = clock.now()
            self._journal.note("cleared", number)

    async def _clocks(self, until: float) -> None:
        """Set the machine's clock to a wrong time for some minutes."""
        clock = self._journal.sandbox.clock
        chance = random.Random(self._chance.random())  # noqa: S311 - must be repeatable
        while self._rates.steps:
            wait = chance.expovariate(self._rates.steps / 24 / HOUR)
            await asyncio.sleep(min(wait, until - clock.now()))
            if clock.now() >= until:
                return
            self.ahead_s = chance.choice(STEPS_S)
            window = Window(clock.now())
            self._journal.outages["clock"].append(window)
            self._journal.note("clock set", self.ahead_s)
            await asyncio.sleep(chance.uniform(1.5, 30) * self._rates.lasting * MINUTE)
            self.ahead_s, window.end = 0.0, clock.now()
            self._journal.note("clock right")

    async def _databases(self, until: float) -> None:
        clock = self._journal.sandbox.clock
        loop = asyncio.get_running_loop()
        while True:
            wait = self._chance.expovariate(self._rates.faults / 8 / 24 / HOUR)
            await asyncio.sleep(min(wait, until - clock.now()))
            if clock.now() >= until:
                return
            life, seconds = self._life(), self._chance.choice([2.0, 8.0, 25.0, 60.0])
            window = Window(clock.now())
            self._journal.outages["database"].append(window)
            if self._chance.random() < 0.3:
                self._journal.note("disk fails", seconds)
                life.broken_until = loop.time() + seconds
                await asyncio.sleep(seconds)
            else:
                self._journal.note("locked", seconds)
                await self._lock(life, seconds)
            window.end = clock.now()

    async def _lock(self, life: wires.Life, seconds: float) -> None:
        for _ in range(100):
            try:
                with wires.locked(life.database):
                    await asyncio.sleep(seconds)
            except sqlite3.OperationalError:  # the bot has an open transaction
                await asyncio.sleep(0.05)
            else:
                return


def _only(words: str) -> str:
    """Return the method that a refusal with this message affects alone, or an empty string."""
    return next(
        (
            method
            for right, method in _WITH_A_RIGHT.items()
            if any(one in words for one in REFUSALS[right])
        ),
        "",
    )


def _has_no_answer(words: str) -> bool:
    """Return whether the refusal of a send means that no message may be written."""
    return any(one in words for it in _SILENCING for one in REFUSALS[it])
