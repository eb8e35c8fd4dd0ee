"""Telegram at its limit: the transport, pacing, fan-out, a link's own time, and the inbox.

All against the sandbox, which runs on the other core; the whole takes about a quarter of an hour.
"""

import argparse
import asyncio
import json
import sys
from typing import Any

from rich.console import Console
from rich.pretty import pprint

from benchmarks import (
    telegram_calls,
    telegram_fanout,
    telegram_inbox,
    telegram_link,
    telegram_pacing,
)
from benchmarks.telegram_world import world

CONCURRENCIES = (1, 32, 256)
CPU_AT_LEAST = {"1": 3.0, "32": 8.0, "256": 10.0}
PARTS = ("calls", "pacing", "fanout", "link", "inbox")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the benchmark."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; repeatable")
    parser.add_argument("--calls", type=int, default=2000, help="calls a measurement")
    parser.add_argument("--alerts", type=int, default=10_000, help="alerts of the broadcast")
    parser.add_argument("--alert-chats", type=int, default=500, help="chats of the broadcast")
    parser.add_argument("--chats", type=int, default=10_000, help="chats of the fan-out")
    parser.add_argument("--links", type=int, default=50, help="pasted links")
    parser.add_argument("--kills", type=int, default=20, help="kills in each mode")
    parser.add_argument("--updates", type=int, default=5000, help="posts to the webhook")


def main(args: argparse.Namespace) -> int:
    """Measure and print; return 1 when an update stayed unanswered or a limit was passed."""
    found = asyncio.run(_measure(args))
    if args.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        pprint(found, console=Console(), expand_all=True)
    broken = found.get("inbox", {}).get("unanswered") or found.get("pacing", {}).get(
        "windows_over"
    )
    return 1 if broken else 0


async def _measure(args: argparse.Namespace) -> dict[str, Any]:
    wanted = set(args.only or PARTS)
    found: dict[str, Any] = {}
    if "calls" in wanted:
        found |= await _calls(args.calls)
    if "pacing" in wanted:
        async with world() as at:
            found["pacing"] = await telegram_pacing.measure(at, args.alerts, args.alert_chats)
    if "fanout" in wanted:
        async with world() as at:
            found["fanout"] = await telegram_fanout.measure(at, args.chats)
    if "link" in wanted:
        async with world() as at:
            found["link_ms"] = await telegram_link.measure(at, args.links)
    if "inbox" in wanted:
        found["webhook"] = await telegram_inbox.webhook(args.updates)
        found["inbox"] = await telegram_inbox.kills(args.kills)
    return found


async def _calls(calls: int) -> dict[str, Any]:
    """Return the ratios of CPU that were promised, of sendMessage, and all the figures."""
    details = {}
    for concurrency in CONCURRENCIES:
        async with world() as at:
            share = calls // 4 if concurrency == 1 else calls
            details[str(concurrency)] = await telegram_calls.measure(at, concurrency, share)
    messages = {name: figures["sendMessage"] for name, figures in details.items()}
    return {
        "cpu_ratio": {name: figures["cpu_ratio"] for name, figures in messages.items()},
        "cpu_ratio_at_least": CPU_AT_LEAST,
        "calls_per_s": {
            name: {who: figures[who]["calls_per_s"] for who in ("ours", "stock", "bare")}
            for name, figures in messages.items()
        },
        "calls": details,
    }
