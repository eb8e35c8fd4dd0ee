"""Run the soak test: one process per seed, several in parallel, and print the violations."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from tests.soak.meetings import PAIRS
from tests.soak.plants import (
    FOUND_BY,
    PLANTS,
    WHERE_FEATURES_MEET,
    WHERE_PEOPLE_ASK,
    groups,
)
from tests.soak.rates import (
    ASKED,
    ASKED_DAYS,
    MET,
    MET_DAYS,
    ORDINARY,
    REFUSED,
    ROUGH,
    ROUGH_DAYS,
    Rates,
)

ROOT = Path(__file__).parents[2]
RAM = Path("/dev/shm")  # noqa: S108 - the test creates its own folder below
DAYS = 7.0
SHOWN = 12  # printed violations per seed


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Return 1 if an invariant was violated or a plant not found, or 0."""
    options = _parser().parse_args(arguments)
    if options.one is not None:
        return _one(options)
    seeds = range(options.first, options.first + options.seeds)
    began = time.monotonic()
    if options.plant:
        together = groups() if options.plant == "all" else [tuple(options.plant.split(","))]
        return _plants(together, options)
    with ThreadPoolExecutor(options.at_once) as pool:
        results = list(pool.map(lambda seed: _lived(seed, options), seeds))
    violated = [str(result["seed"]) for result in results if result["violations"]]
    if violated:
        sys.stdout.write(f"violated in seeds {', '.join(violated)}\n")
    if options.meet:
        _tell_met(results)
        if options.pairs:
            lines = [
                f"{r['seed']}: {one} and {other}\n" for r in results for one, other in r["met"]
            ]
            options.pairs.write_text("".join(lines))
    total = {name: sum(r[name] for r in results) for name in ("days", "commands", "alerts")}
    crashes = sum(r["crashes"] for r in results)
    count = sum(len(r["violations"]) for r in results)
    sys.stdout.write(f"{time.monotonic() - began:.0f} s\n")
    sys.stdout.write(
        f"soak: {len(results)} seeds, {total['days']:g} days, {total['commands']} commands,"
        f" {total['alerts']} alerts, {crashes} crashes, {count} violations\n"
    )
    return 1 if count else 0


def _lived(seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Run a seed. With ``--replay``, run the seed twice and compare the event logs."""
    result = _apart(seed, options)
    if options.replay and (again := _apart(seed, options)["digest"]) != result["digest"]:
        result["violations"].append(f"replay: the event log is {result['digest']}, then {again}")
        sys.stdout.write(f"  {result['violations'][-1]}\n")
    return result


def _plants(together: Sequence[Sequence[str]], options: argparse.Namespace) -> int:
    """Run each group of planted bugs. Return 0 if an expected invariant detects each bug, or 1."""
    with ThreadPoolExecutor(options.at_once) as pool:
        missed = [
            name
            for names in pool.map(lambda group: _missed(group, options), together)
            for name in names
        ]
    count = sum(map(len, together))
    sys.stdout.write(
        f"soak: {count} plants, {count - len(missed)} found"
        f"{''.join(f', {name} NOT FOUND' for name in missed)}\n"
    )
    return 1 if missed else 0


def _missed(names: Sequence[str], options: argparse.Namespace) -> list[str]:
    """Run seeds until all plants of a group are detected. Return the undetected plants.

    Detected plants are removed for the next seed.
    """
    missed = list(names)
    for seed in range(options.first, options.first + options.seeds):
        if not missed:
            break
        plant = ",".join(missed)
        violations = _apart(seed, options, plant=plant)["violations"]
        usual = _violations_without_plants(seed, *_words(options, plant)) if violations else []
        for name, violation in violations_by_plant(missed, violations, usual).items():
            missed.remove(name)
            sys.stdout.write(f"{name}: found in seed {seed} by {violation}\n")
            sys.stdout.flush()
    return missed


def violations_by_plant(
    names: Sequence[str], violations: Sequence[str], usual: Sequence[str]
) -> dict[str, str]:
    """Return the plants that a run detects, each with the first violation that detects the plant.

    ``usual`` has the violations of the same run without plants. The invariants of these violations
    detect no plant.
    """
    found: dict[str, str] = {}
    unrelated = {one.partition(":")[0] for one in usual}
    for violation in violations:
        invariant = violation.partition(":")[0]
        for name in names:
            if invariant in FOUND_BY[name] and invariant not in unrelated:
                found.setdefault(name, violation)
    return found


@cache
def _violations_without_plants(seed: int, *words: str) -> list[str]:
    """Return the violations of a run of a seed without plants."""
    violations: list[str] = _run(seed, words)["violations"]
    return violations


def _one(options: argparse.Namespace) -> int:
    """Run a seed in this process. Print the result as a line of JSON."""
    from tests.soak.run import one  # noqa: PLC0415 - not required by the parent process

    ram = RAM if RAM.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="storybell-soak-", dir=ram))
    log = options.log and options.log / f"{options.one}.log"
    rates = _rates(options)
    result = one(
        options.one, folder, days=_days(options), plant=options.plant, rates=rates, log=log
    )
    sys.stdout.write(json.dumps(asdict(result)) + "\n")
    return 0


def _apart(seed: int, options: argparse.Namespace, plant: str = "") -> dict[str, Any]:
    """Run a seed with the options of the command line, in a separate process."""
    words = _words(options, plant)
    if plant:
        words += ["--plant", plant]
    if options.log:
        options.log.mkdir(parents=True, exist_ok=True)
        words += ["--log", str(options.log)]
    return _run(seed, words)


def _words(options: argparse.Namespace, plant: str) -> list[str]:
    """Return the options that select the duration and the rates of a run."""
    return ["--days", str(_days(options, plant)), *_kind_of_run(options, plant)]


def _run(seed: int, words: Sequence[str]) -> dict[str, Any]:
    """Run a seed in a separate process. Print and return the result."""
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 - this program itself
        [sys.executable, "-m", "tests.soak", "--one", str(seed), *words],
        env=os.environ | {"PYTHONHASHSEED": "0"},  # noqa: TID251 - passed to the child process
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        result = {
            "seed": seed, "days": 0.0, "commands": 0, "alerts": 0, "crashes": 0, "looks": 0,
            "ledger": 0, "refusals": 0, "delays": (0.0, 0.0), "digest": "", "cpu": 0.0,
            "met": [], "violations": [f"the run itself failed: {done.stderr[-3000:]}"],
        }  # fmt: skip
    found = "".join(f"  {words}\n" for words in result["violations"][:SHOWN])
    sys.stdout.write(
        f"seed {seed}: {time.monotonic() - began:.0f} s, {result['cpu']:.0f} of CPU,"
        f" {result['commands']} commands,"
        f" {result['alerts']} alerts, {result['refusals']} refusals,"
        f" {result['crashes']} crashes, {result['looks']} looks,"
        f" event log {result['digest']}, {len(result['violations'])} violations\n{found}"
    )
    sys.stdout.flush()
    return result


def _kind_of_run(options: argparse.Namespace, plant: str) -> list[str]:
    """Return the options that select the rates of a run."""
    first = plant.partition(",")[0]
    if options.meet or first in WHERE_FEATURES_MEET:
        return ["--meet"]
    if options.ask or first in WHERE_PEOPLE_ASK:
        return ["--ask"]
    if options.plant or options.rough:
        return ["--rough"]
    return ["--refusals"] if options.refusals else []


def _rates(options: argparse.Namespace) -> Rates:
    if options.meet:
        return MET
    if options.ask:
        return ASKED
    if options.rough:
        return ROUGH
    return REFUSED if options.refusals else ORDINARY


def _days(options: argparse.Namespace, plant: str = "") -> float:
    if options.days is not None:
        return float(options.days)
    if plant in WHERE_FEATURES_MEET:
        return WHERE_FEATURES_MEET[plant]
    kind = {"--meet": MET_DAYS, "--ask": ASKED_DAYS, "--rough": ROUGH_DAYS}
    return next((kind[word] for word in _kind_of_run(options, plant) if word in kind), DAYS)


def _tell_met(results: list[dict[str, Any]]) -> None:
    """Print the pairs of features that were not combined, and the number of combined pairs."""
    met = {tuple(pair) for result in results for pair in result["met"]}
    for pair in PAIRS:
        if pair not in met:
            sys.stdout.write(f"  not met: {pair[0]} and {pair[1]}\n")
    count = sum(pair in met for pair in PAIRS)
    sys.stdout.write(f"{count} of {len(PAIRS)} pairs of features met\n")


def _plant(names: str) -> str:
    """Return the names of plants, separated by commas, or ``all``.

    Raises:
        ArgumentTypeError: A name is unknown.
    """
    unknown = [name for name in names.split(",") if name not in {"", "all", *PLANTS}]
    if unknown:
        raise argparse.ArgumentTypeError(f"no plant: {', '.join(unknown)}; {', '.join(PLANTS)}")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--days", type=float, help="simulated days a seed")
    parser.add_argument("--at-once", type=int, default=2, help="processes side by side")
    parser.add_argument("--plant", default="", type=_plant,
                        help="mistakes to put in, or all; 0 when each is found")  # fmt: skip
    parser.add_argument("--rough", action="store_true", help="the few hours of plants, without")
    parser.add_argument("--meet", action="store_true",
                        help="features meet, pair by pair, while stories wait")  # fmt: skip
    parser.add_argument("--ask", action="store_true",
                        help="people ask for lists and summaries all the time")  # fmt: skip
    parser.add_argument("--pairs", type=Path, help="a file for the pairs that met, seed by seed")
    parser.add_argument("--refusals", action="store_true",
                        help="nothing fails but sends, which are refused at random")  # fmt: skip
    parser.add_argument("--replay", action="store_true", help="run each seed twice and compare")
    parser.add_argument("--log", type=Path, help="a folder for the event logs")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    return parser
