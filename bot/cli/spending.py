"""``python -m bot spending``: the ledger's totals, as a table or as JSON."""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

from rich.console import Console
from rich.table import Table

from bot.billing.reports import spending_by
from bot.store.database import Database
from bot.store.spending import By, Sums

_LONGEST = 366  # days that the ledger keeps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--days", type=_days, default=30, help="so many days, today included (default: 30)"
    )
    parser.add_argument(
        "--by", choices=["endpoint", "chat", "day"], default="endpoint", help="one line for each"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


async def main(
    args: argparse.Namespace,
    db: Database,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Print the totals; return the exit code."""
    by = cast("By", args.by)
    lines = await spending_by(db, by, days=args.days, now=now())
    ordered = sorted(
        lines.items(), key=lambda item: (0 if by == "day" else -item[1].spent, item[0])
    )
    total = sum(lines.values(), Sums())
    if args.json:
        payload = {
            "days": args.days,
            "by": by,
            "requests": total.requests,
            "credits": _credits(total),
            "lines": [
                {
                    by: int(key) if by == "chat" else key,
                    "requests": one.requests,
                    "credits": _credits(one),
                }
                for key, one in ordered
            ],
        }
        sys.stdout.write(json.dumps(payload, indent=2) + "\n")
        return 0
    table = Table(title=f"Credits of the last {args.days} days", show_footer=True)
    table.add_column(by.capitalize(), "Total")
    columns = ("requests", "reserved", "settled", "refunded", "open")
    for name in columns:
        table.add_column(name.capitalize(), f"{getattr(total, name):,}", justify="right")
    for key, one in ordered:
        shown = "schedule" if by == "chat" and key == "0" else key
        table.add_row(shown, *(f"{getattr(one, name):,}" for name in columns))
    Console().print(table)
    return 0


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= _LONGEST:
        raise argparse.ArgumentTypeError(f"1 to {_LONGEST} days are kept")
    return days


def _credits(sums: Sums) -> dict[str, int]:
    return {
        "reserved": sums.reserved,
        "settled": sums.settled,
        "refunded": sums.refunded,
        "open": sums.open,
    }
