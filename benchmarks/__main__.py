"""``python -m benchmarks NAME | all`` runs benchmarks. ``traces`` writes a trace."""

import argparse
import importlib
import sys

from bot.runtime import logging

BENCHMARKS = {
    "ledger": "reserve and settle per second on both databases; the overshoot of 1,000 races",
    "telegram": "transport, pacing, fan-out, links, the inbox, against the sandbox",
    "inline": "10,000 inline queries: credits, errors and stored rows",
    "schedule": "the delay of alerts: policies and budgets on made-up traces",
    "privacy": "credits a look in a simulated week, SKIP_PRIVACY_CHECK false against auto",
    "newcomers": "the delay of known people's alerts while 60 new accounts want 267 profiles",
    "scale": "each statement at 1,000,000 subscriptions against 10,000; an alert's CPU; replicas",
    "memory": "memory and start time of the real process, idle and after 4,000 commands",
    "sandbox": "how much the sandbox itself can answer",
}
TOOLS = {"traces": "write a made-up trace as JSON lines, for schedule --traces"}
MODULES = {"sandbox": "benchmarks.sandbox_telegram"}


def main() -> int:
    """Run one or all benchmarks. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    commands = parser.add_subparsers(dest="benchmark", required=True, metavar="benchmark")
    wanted = sys.argv[1:2]
    for name, text in (BENCHMARKS | TOOLS).items():
        sub = commands.add_parser(name, help=text)
        if wanted == [name]:
            _module(name).add_arguments(sub)
    commands.add_parser("all", help="one after the other, with their defaults")
    chosen = parser.parse_args()
    # Logs go to stderr, because a benchmark may print JSON to stdout.
    logging.set_up_logging(level="WARNING", style="text")
    if chosen.benchmark != "all":
        return int(_module(chosen.benchmark).main(chosen))
    for name in BENCHMARKS:
        print(f"\n== {name} ==", flush=True)
        sub = argparse.ArgumentParser()
        _module(name).add_arguments(sub)
        if status := _module(name).main(sub.parse_args([])):
            return int(status)
    return 0


def _module(name: str):  # type: ignore[no-untyped-def] # noqa: ANN202 - a module with main() and add_arguments()
    return importlib.import_module(MODULES.get(name, f"benchmarks.{name}"))


if __name__ == "__main__":
    sys.exit(main())
