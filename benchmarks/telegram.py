"""Benchmarks of the use of Telegram under load.

The parts are: transport, pacing, fan-out, uploads, a pasted link, commands, and the inbox. All
parts call the sandbox, which runs on a second core. All parts together take about 15 minutes.
"""

import argparse
import asyncio
import gc
import json
import sys
from collections.abc import Coroutine
from contextlib import redirect_stdout, suppress
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from rich.console import Console
from rich.pretty import pprint

from benchmarks import (
    telegram_calls,
    telegram_commands,
    telegram_fanout,
    telegram_inbox,
    telegram_link,
    telegram_pacing,
    telegram_uploads,
)
from tests.support.killing import ROOT

T = TypeVar("T")
CONCURRENCIES = (1, 32, 256)
ROUNDS = 3
CPU_AT_LEAST = {"1": 3.0, "32": 8.0, "256": 10.0}
PARTS = ("calls", "pacing", "fanout", "uploads", "link", "commands", "inbox")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the benchmark."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; repeatable")
    parser.add_argument("--calls", type=int, default=2000, help="calls a measurement")
    parser.add_argument("--alerts", type=int, default=10_000, help="alerts of the broadcast")
    parser.add_argument("--alert-chats", type=int, default=500, help="chats of the broadcast")
    parser.add_argument("--chats", type=int, default=10_000, help="chats of the fan-out")
    parser.add_argument("--videos", type=int, default=20, help="large videos in flight")
    parser.add_argument("--links", type=int, default=50, help="pasted links")
    parser.add_argument("--kills", type=int, default=20, help="kills in each mode")
    parser.add_argument("--people", type=int, default=300, help="people who send commands")
    parser.add_argument(
        "--checkout", type=Path, default=ROOT, help="the folder of the code that gets the commands"
    )


def main(args: argparse.Namespace) -> int:
    """Measure and print the figures.

    Return 1 if an update was not answered, or if a limit was exceeded.
    """
    with redirect_stdout(sys.stderr):
        # The bot prints its owner link. The redirection keeps the link out of the figures on
        # stdout.
        found = _measure(args)
    if args.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        pprint(found, console=Console(), expand_all=True)
    broken = found.get("inbox", {}).get("unanswered") or found.get("pacing", {}).get(
        "windows_over"
    )
    return 1 if broken else 0


def _measure(args: argparse.Namespace) -> dict[str, Any]:
    wanted = set(args.only or PARTS)
    found: dict[str, Any] = {}
    if "calls" in wanted:
        found |= _calls(args.calls)
    if "pacing" in wanted:
        found["pacing"] = _in_loop(telegram_pacing.measure(args.alerts, args.alert_chats))
    if "fanout" in wanted:
        found["fanout"] = _in_loop(telegram_fanout.measure(args.chats))
    if "uploads" in wanted:
        found["uploads"] = _in_loop(telegram_uploads.measure(args.videos))
    if "link" in wanted:
        found["link_ms"] = _in_loop(telegram_link.measure(args.links))
    if "commands" in wanted:
        measured = telegram_commands.measure(args.people, checkout=args.checkout)
        found["commands"] = _in_loop(measured)
    if "inbox" in wanted:
        found["inbox"] = _in_loop(telegram_inbox.kills(args.kills))
    return found


def _calls(calls: int) -> dict[str, Any]:
    """Return the CPU ratios of sendMessage, the guaranteed ratio, and all figures."""
    details = {
        str(concurrency): _at_concurrency(concurrency, calls) for concurrency in CONCURRENCIES
    }
    return {
        "cpu_ratio": _ratios(details, "sendMessage+objects"),
        "cpu_ratio_at_least": CPU_AT_LEAST,
        "cpu_ratio_transport": _ratios(details, "sendMessage"),
        # To send albums, the bot's transport uses JSON, but PTB requires objects.
        "cpu_ratio_albums": _ratios(details, "sendMediaGroup", "sendMediaGroup+objects"),
        "calls_per_s": {
            name: {who: found["sendMessage"]["calls_per_s"] for who, found in figures.items()}
            for name, figures in details.items()
        },
        "calls": details,
    }


def _at_concurrency(concurrency: int, calls: int) -> dict[str, telegram_calls.Figures]:
    """Measure each client in turn, and repeat this ``ROUNDS`` times. Return the medians."""
    rounds: dict[str, list[telegram_calls.Figures]] = {"ours": [], "stock": [], "bare": []}
    share = calls // 2 if concurrency == 1 else calls
    for _ in range(ROUNDS):
        for who, figures in rounds.items():
            work = telegram_calls.measure(who, concurrency, share)
            figures.append(_in_loop(work, ours=who == "ours"))
    return {who: _medians(figures) for who, figures in rounds.items()}


def _medians(rounds: list[telegram_calls.Figures]) -> telegram_calls.Figures:
    return {
        name: {what: median(one[name][what] for one in rounds) for what in figures}
        for name, figures in rounds[0].items()
    }


def _ratios(details: dict[str, Any], ours: str, stock: str = "") -> dict[str, float]:
    return {
        name: round(found["stock"][stock or ours]["cpu_us"] / found["ours"][ours]["cpu_us"], 1)
        for name, found in details.items()
    }


def _in_loop(work: Coroutine[Any, Any, T], *, ours: bool = True) -> T:
    """Run ``work`` in the event loop of the bot, which is uvloop if it is installed.

    If ``ours`` is False, use the event loop of asyncio. For all clients, objects that are already
    loaded are excluded from garbage collection, as in the bot.
    """
    gc.collect()
    gc.freeze()
    factory = None
    if ours:
        with suppress(ImportError):
            import uvloop  # noqa: PLC0415 - an optional dependency

            factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)
