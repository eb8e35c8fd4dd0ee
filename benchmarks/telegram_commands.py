"""The CPU time and the rate of the whole bot for `/help`, pasted links and inline queries.

The messages are sent by webhook to a real process.
"""

import asyncio
import itertools
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support.control import wait_for
from tests.support.killing import ROOT, Victim
from tests.support.sandbox import Box, sandbox_box

PATIENCE_S = 120.0
ROUNDS = 3  # the number of bursts; each chat sends one command per burst
STEADY_PER_S = 20  # the number of commands per second in the steady part
LINKS = 60  # the number of pasted links, of which each is pasted twice
LINKS_PER_S = 12
SETTLE_S = 0.3  # the time for the records that follow the last photo
KINDS = ("new", "seen")  # of links, in the order of the measurement
QUERIES = 200  # the number of inline queries of each kind
FIRST_SPACES = 30  # more spaces than in the queries that wait for the stories
SHOWN = ("natgeo", "prada", "thirty")  # profiles whose stories the inline queries offer
PHOTOS = ("/sendPhoto", "/sendVideo")
TICKS = os.sysconf("SC_CLK_TCK")


async def measure(chats: int, *, checkout: Path = ROOT, url: str | None = None) -> dict[str, Any]:
    """Return the milliseconds of CPU per command, link and query, and the commands per second.

    The measured bot is the code in the folder ``checkout``. ``url`` is the URL of an empty
    PostgreSQL database. The default is a new SQLite file.
    """
    with tempfile.TemporaryDirectory() as folder:
        async with sandbox_box() as box:
            people = [await box.control.person(f"P{number}") for number in range(chats)]
            victim = Victim(box, Path(folder), webhook=True, database_url=url)
            try:
                await victim.start(PYTHONPATH=str(checkout), MESSAGES_PER_SECOND="1000")
                await wait_for(victim.is_ready, PATIENCE_S, "the start of the bot")
                await ask_all(box, people, "/start")
                return await _measure(box, victim, people)
            finally:
                await victim.end(signal.SIGKILL)


async def _measure(box: Box, victim: Victim, people: list[int]) -> dict[str, Any]:
    cpu_before, began = cpu_s_of(victim), time.perf_counter()
    for _ in range(ROUNDS):
        await ask_all(box, people, "/help")
    took, cpu_s = time.perf_counter() - began, cpu_s_of(victim) - cpu_before
    commands = ROUNDS * len(people)
    burst = {"per_s": round(commands / took), "cpu_ms": round(cpu_s * 1000 / commands, 2)}
    cpu_before = cpu_s_of(victim)
    await ask_all(box, people, "/help", per_s=STEADY_PER_S)
    cpu_s = cpu_s_of(victim) - cpu_before
    steady = {"cpu_ms": round(cpu_s * 1000 / len(people), 2)}
    link = await _measure_links(box, victim, people)
    inline = await _measure_inline(box, victim, people)
    return {"burst": burst, "steady": steady, "link": link, "inline": inline}


async def _measure_links(box: Box, victim: Victim, people: list[int]) -> dict[str, float]:
    """Return the milliseconds of CPU of a new link, and of a link that was pasted before."""
    stories = [await box.control.publish("quiet", 1) for _ in range(LINKS)]
    urls = [f"https://www.instagram.com/stories/quiet/{story['pk']}/" for story in stories]
    return {f"{kind}_cpu_ms": await _cpu_ms_of(box, victim, people, urls) for kind in KINDS}


async def _cpu_ms_of(box: Box, victim: Victim, people: list[int], urls: list[str]) -> float:
    """Paste links until the photos are sent. Return the milliseconds of CPU per link."""
    before, cpu_before = await _count_sends(box, PHOTOS), cpu_s_of(victim)
    for url, person in zip(urls, itertools.cycle(people), strict=False):
        await box.control.say(person, url)
        await asyncio.sleep(1 / LINKS_PER_S)

    async def are_sent() -> bool:
        return await _count_sends(box, PHOTOS) - before >= len(urls)

    await wait_for(are_sent, PATIENCE_S, "the photos")
    await asyncio.sleep(SETTLE_S)
    return round((cpu_s_of(victim) - cpu_before) * 1000 / len(urls), 2)


async def _measure_inline(box: Box, victim: Victim, people: list[int]) -> dict[str, float]:
    """Return the milliseconds of CPU of a query with letters, and of a query with 30 results.

    The bot offers stories that the bot has shown before.
    """
    for name in SHOWN:
        await box.control.say(people[0], f"/stories {name}")

    async def are_offered() -> bool:
        spaces = " " * next(numbers)
        answers = [await box.control.typed(people[0], name + spaces) for name in SHOWN]
        return all(answer["results"] for answer in answers)

    numbers = itertools.count(1)
    await wait_for(are_offered, PATIENCE_S, "the stories")
    letters = [name[:length] for name in SHOWN for length in range(1, len(name))]
    kinds = {"letters": letters, "30_results": ["thirty"]}
    return {
        f"{kind}_cpu_ms": await _cpu_ms_of_queries(box, victim, people, texts)
        for kind, texts in kinds.items()
    }


async def _cpu_ms_of_queries(
    box: Box, victim: Victim, people: list[int], texts: list[str]
) -> float:
    cpu_before = cpu_s_of(victim)
    for number, text, person in zip(
        range(QUERIES), itertools.cycle(texts), itertools.cycle(people), strict=False
    ):
        # Spaces make each query unique, so no answer comes from a cache.
        await box.control.typed(person, text + " " * (FIRST_SPACES + number))
    return round((cpu_s_of(victim) - cpu_before) * 1000 / QUERIES, 2)


async def ask_all(box: Box, people: list[int], text: str, *, per_s: float = 0) -> None:
    """Send the command ``text`` from each person, and wait until the bot has answered all."""
    before = await _count_sends(box)
    pause_s = 1 / per_s if per_s else 0
    for person in people:
        await box.control.say(person, text)
        await asyncio.sleep(pause_s)

    async def are_answered() -> bool:
        return await _count_sends(box) - before >= len(people)

    await wait_for(are_answered, PATIENCE_S, "the answers")


async def _count_sends(box: Box, methods: tuple[str, ...] = ("/sendMessage",)) -> int:
    calls = await box.control.requests("telegram")
    return sum(call["path"].endswith(methods) for call in calls)


def cpu_s_of(victim: Victim) -> float:
    """Return the CPU seconds of the process, from Linux's ``/proc/PID/stat``."""
    assert victim.process is not None
    fields = Path(f"/proc/{victim.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
