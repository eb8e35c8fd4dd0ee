"""The memory and the start time of the real process.

The memory is measured in the idle process, and after commands in all languages.
"""

import argparse
import asyncio
import itertools
import json
import signal
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.telegram_commands import PATIENCE_S, ask_all, cpu_s_of
from bot.presentation.translation import LANGUAGES, languages_by_code
from tests.support.control import wait_for
from tests.support.killing import ROOT, Victim
from tests.support.sandbox import Box, sandbox_box

# The number of starts on an existing database, after a first start that creates the tables and
# publishes the menus.
STARTS = 5
# The seconds after a start in which the loops of the process take their first steps.
SETTLE_S = 3.0
# The maximum number of seconds for the publication of a menu and two descriptions a language.
MENUS_S = 400.0
COMMANDS = ("/help", "/usage", "/subscriptions", "/settings", "/privacy")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the benchmark."""
    parser.add_argument("--chats", type=int, default=100, help="people, in all languages by turns")
    parser.add_argument("--rounds", type=int, default=8, help="rounds of five commands a person")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="the folder of the code")


def main(args: argparse.Namespace) -> int:
    """Measure the figures, and print the figures as JSON."""
    found = asyncio.run(measure(args.chats, args.rounds, args.checkout))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 0


async def measure(chats: int, rounds: int, checkout: Path) -> dict[str, Any]:
    """Return the medians of the starts, and the memory in MB before and after the commands."""
    with tempfile.TemporaryDirectory() as folder:
        async with sandbox_box() as box:
            victim = Victim(box, Path(folder), webhook=False)
            try:
                await _start(victim, checkout)
                published = partial(_is_menu_published, Path(folder) / "bot.db")
                await wait_for(published, MENUS_S, "the publication of the menus")
                starts = [await _start(victim, checkout) for _ in range(STARTS)]
                idle = _memory_of(victim)
                await _ask_in_all_languages(box, chats, rounds)
                used = _memory_of(victim)
            finally:
                await victim.end(signal.SIGKILL)
    return {
        "ready_s": round(median(ready for ready, _ in starts), 2),
        "start_cpu_s": round(median(cpu for _, cpu in starts), 2),
        "idle_mb": idle,
        "used_mb": used,
    }


def _is_menu_published(database: Path) -> bool:
    """Return whether Telegram has the menus, so that a start does not publish them again."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        row = db.execute("SELECT value FROM key_values WHERE key = 'menu'").fetchone()
    codes = 1 + sum(len(code) == 2 for code in languages_by_code())
    return row is not None and len(json.loads(row[0])) >= 3 * codes


async def _start(victim: Victim, checkout: Path) -> tuple[float, float]:
    """Start the process anew. Return two figures.

    The first figure is the seconds until the process is ready. The second figure is the CPU
    seconds of the process.
    """
    await victim.end(signal.SIGTERM)
    began = time.monotonic()
    await victim.start(PYTHONPATH=str(checkout), MESSAGES_PER_SECOND="1000")
    await wait_for(victim.is_ready, PATIENCE_S, "the start of the bot")
    ready = time.monotonic() - began
    await asyncio.sleep(SETTLE_S)
    return ready, cpu_s_of(victim)


async def _ask_in_all_languages(box: Box, chats: int, rounds: int) -> None:
    codes = itertools.cycle(code.replace("_", "-") for code in LANGUAGES)
    people = [await box.control.person(language_code=next(codes)) for _ in range(chats)]
    await ask_all(box, people, "/start")
    for command in COMMANDS * rounds:
        await ask_all(box, people, command)


def _memory_of(victim: Victim) -> dict[str, int]:
    """Return the RSS and the PSS of the process in MB, from Linux's ``/proc/PID/smaps_rollup``."""
    assert victim.process is not None
    lines = Path(f"/proc/{victim.process.pid}/smaps_rollup").read_text().splitlines()
    sizes = {name: rest.split()[0] for name, _, rest in (line.partition(":") for line in lines)}
    return {name.lower(): int(sizes[name]) // 1024 for name in ("Rss", "Pss")}
