"""The command line: one process a seed, so many at a time; the verdict."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RAM = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
SHOWN = 12  # violations of one seed


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for; 1 when anything was violated."""
    options = _parser().parse_args(arguments)
    if options.one is not None:
        return _one(options)
    seeds = range(options.first, options.first + options.seeds)
    began = time.monotonic()
    if options.plant:  # it is enough that one of them finds it
        results = []
        for seed in seeds:
            results.append(_apart(seed, options))
            if results[-1]["violations"]:
                break
    else:
        with ThreadPoolExecutor(options.at_once) as pool:
            results = list(pool.map(lambda seed: _apart(seed, options), seeds))
    if options.replay:
        for result in results:
            again = _apart(result["seed"], options)
            if again["digest"] != result["digest"]:
                result["violations"].append(
                    f"replay: the event log is {result['digest']}, then {again['digest']}"
                )
    violated = [result for result in results if result["violations"]]
    for result in violated:
        sys.stdout.write(f"seed {result['seed']}: {len(result['violations'])} violations\n")
        for words in result["violations"][:SHOWN]:
            sys.stdout.write(f"  {words}\n")
    total = {name: sum(r[name] for r in results) for name in ("days", "commands", "alerts")}
    crashes = sum(r["crashes"] for r in results)
    count = sum(len(r["violations"]) for r in results)
    sys.stdout.write(f"{time.monotonic() - began:.0f} s\n")
    sys.stdout.write(
        f"soak: {len(results)} seeds, {total['days']:g} days, {total['commands']} commands,"
        f" {total['alerts']} alerts, {crashes} crashes, {count} violations\n"
    )
    return 1 if count else 0


def _one(options: argparse.Namespace) -> int:
    """Run one seed in this process; its result is a line of JSON."""
    from tests.soak.run import one  # noqa: PLC0415 - the parent needs nothing of it

    ram = RAM if RAM.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="storybell-soak-", dir=ram))
    log = options.log and options.log / f"{options.one}.log"
    result = one(options.one, folder, days=options.days, plant=options.plant, log=log)
    sys.stdout.write(json.dumps(asdict(result)) + "\n")
    return 0


def _apart(seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Run one seed in a process of its own."""
    words = ["--one", str(seed), "--days", str(options.days), "--plant", options.plant]
    if options.log:
        options.log.mkdir(parents=True, exist_ok=True)
        words += ["--log", str(options.log)]
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 - this program itself
        [sys.executable, "-m", "tests.soak", *words],
        env=os.environ | {"PYTHONHASHSEED": "0"},  # noqa: TID251 - to be handed on
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        result = {
            "seed": seed, "days": 0.0, "commands": 0, "alerts": 0, "crashes": 0, "looks": 0,
            "digest": "", "violations": [f"the run itself failed: {done.stderr[-3000:]}"],
        }  # fmt: skip
    sys.stdout.write(
        f"seed {seed}: {time.monotonic() - began:.0f} s, {result['commands']} commands,"
        f" {result['alerts']} alerts, {result['crashes']} crashes, {result['looks']} looks,"
        f" event log {result['digest']}, {len(result['violations'])} violations\n"
    )
    sys.stdout.flush()
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--days", type=float, default=7, help="simulated days a seed")
    parser.add_argument("--at-once", type=int, default=2, help="processes side by side")
    parser.add_argument("--plant", default="", help="a mistake to put into the bot")
    parser.add_argument("--replay", action="store_true", help="run each seed twice and compare")
    parser.add_argument("--log", type=Path, help="a folder for the event logs")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    return parser
