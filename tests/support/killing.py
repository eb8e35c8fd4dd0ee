"""The real bot as a separate process, and the effect of SIGKILL on its answers."""

import asyncio
import random
import re
import signal
import socket
import sys
import time
from asyncio.subprocess import Process
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from bot.updates.queues import MOST_OF_PERSON
from tests.support.control import wait_for
from tests.support.sandbox import Box

ROOT = Path(__file__).parents[2]
TOKEN = "7000000001:a-token-that-no-log-may-show-0123456789"
CHATS = 5
EACH = 20  # commands sent before each kill
SLOW_S = 0.05  # delay of each answer, so that commands queue up
PATIENCE_S = 60.0
THIRD_COPY_S = 370.0  # maximum delay of an answer that was interrupted by two kills
NAME = re.compile(r"nobody\d+x")


@dataclass(frozen=True, slots=True)
class Toll:
    """The effect of the kills."""

    kills: int
    commands: int
    unanswered: int
    repeated: int


class Victim:
    """``python -m bot run`` with a sandbox, by polling or by webhook."""

    def __init__(
        self, box: Box, folder: Path, *, webhook: bool, database_url: str | None = None
    ) -> None:
        """Prepare the settings without starting the process."""
        self.port = free_port()
        self.log = folder / "bot.log"
        self.env = {
            "PYTHONPATH": str(ROOT),
            "TELEGRAM_TOKEN": TOKEN,
            "STORIES_API_KEY": "a-key",
            "TELEGRAM_API_URL": box.urls.telegram,
            "STORIES_API_URL": box.urls.stories_api,
            "TRUSTED_MEDIA_ORIGIN": box.urls.cdn,
            "DATABASE_URL": database_url or f"sqlite:///{folder}/bot.db",
            "SPOOL_DIR": str(folder / "spool"),
            "ACCESS": "open",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DAILY_BUDGET": "1000000",
            "CHAT_DAILY_ALLOWANCE": "100000",
            "PERSON_DAILY_ALLOWANCE": "1000000",
            "LOG_LEVEL": "WARNING",
        }
        if webhook:
            self.env["WEBHOOK_URL"] = f"http://127.0.0.1:{self.port}"
        self._session = box.session
        self._folder = folder
        self.process: Process | None = None

    async def start(self, **more: str) -> None:
        """Start the process with ``more`` settings, without waiting for readiness."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                "run",
                env=self.env | more,
                cwd=self._folder,
                stdout=asyncio.subprocess.DEVNULL,  # the owner link is not a JSON log line
                stderr=log,
            )

    async def is_ready(self) -> bool:
        """Return whether the process reports that it is ready."""
        try:
            async with self._session.get(f"http://127.0.0.1:{self.port}/readyz") as answer:
                return answer.status == HTTPStatus.OK
        except OSError:
            return False

    async def end(self, number: signal.Signals) -> tuple[int, float]:
        """Send a signal and wait for the end. Return the status and the duration in seconds."""
        if self.process is None or self.process.returncode is not None:
            return (self.process.returncode or 0) if self.process else 0, 0.0
        began = time.monotonic()
        with suppress(ProcessLookupError):
            self.process.send_signal(number)
        status = await self.process.wait()
        return status, time.monotonic() - began


class Talk:
    """Persons that send commands with distinguishable answers."""

    def __init__(self, box: Box, people: list[int]) -> None:
        """Store the persons."""
        self._box = box
        self._people = people
        self.asked: list[str] = []

    async def ask(self, count: int) -> None:
        """Send ``count`` commands, distributed over the chats."""
        for _ in range(count):
            name = f"nobody{len(self.asked)}x"
            person = self._people[len(self.asked) % len(self._people)]
            self.asked.append(name)
            await self._box.control.say(person, f"/unsubscribe {name}")

    async def has_room(self) -> bool:
        """Return whether so few commands are pending that each new command gets a separate answer.

        Above the limit per person, one answer covers several commands.
        """
        waiting = len(self.asked) - len(await self.answers())
        return waiting <= len(self._people) * MOST_OF_PERSON // 2

    async def answers(self) -> Counter[str]:
        """Count the answers to each command."""
        found: Counter[str] = Counter()
        for person in self._people:
            for message in await self._box.control.replies(person):
                text = str(message.get("text", ""))
                found.update(NAME.findall(text))
        return found


async def kill_inbox(box: Box, folder: Path, *, kills: int, webhook: bool, seed: int = 0) -> Toll:
    """Kill the bot repeatedly while commands are pending. Return the unanswered commands."""
    chance = random.Random(seed)  # noqa: S311 - random times, no secrets
    await box.control.fault("telegram", {"delay_s": SLOW_S}, match="sendMessage", times=None)
    talk = Talk(box, [await box.control.person() for _ in range(CHATS)])
    victim = Victim(box, folder, webhook=webhook)
    try:
        for _ in range(kills):
            before = (await talk.answers()).total()
            await victim.start()
            await wait_for(talk.has_room, PATIENCE_S, "room for more")
            await talk.ask(EACH)

            async def begun(before: int = before) -> bool:
                return (await talk.answers()).total() > before

            await wait_for(begun, PATIENCE_S, "the first answer")
            await asyncio.sleep(chance.random() * SLOW_S * EACH / CHATS)
            await victim.end(signal.SIGKILL)
        await victim.start()

        async def complete() -> bool:
            return len(await talk.answers()) == len(talk.asked)

        with suppress(AssertionError):
            await wait_for(complete, THIRD_COPY_S, "the last answer")
    finally:
        await victim.end(signal.SIGKILL)
    found = await talk.answers()
    return Toll(
        kills=kills,
        commands=len(talk.asked),
        unanswered=len(talk.asked) - len(found),
        repeated=found.total() - len(found),
    )


def free_port() -> int:
    """Return an unused port outside of the range that the system assigns automatically."""
    for port in random.SystemRandom().sample(range(10_000, 32_000), 100):
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise AssertionError
