"""The command line: ``python -m bot run | demo | migrate | check | backup | …``."""

import argparse
import asyncio
import importlib
import math
import sys
from collections.abc import Sequence

import structlog
from rich.console import Console

from bot.config import Settings, load, secrets_of
from bot.domain.errors import SettingsError
from bot.runtime import logging

_COMMANDS = {
    "run": "run the bot",
    "demo": "the whole bot against local stand-ins, with a chat page",
    "migrate": "bring the database up to date",
    "check": "try what the settings lead to, and say what is wrong",
    "setup": "ask for the two values, try them, write .env",
    "backup": "copy the database while the bot runs",
    "restore": "put a copy in the place of the database",
    "move": "move all of an SQLite file into PostgreSQL",
    "admin": "print a link that opens the admin page on this machine",
    "parked": "alerts that were given up after several copies; --again sends them",
    "erase": "delete what is stored about a chat, as its button of /privacy does",
    "simulate": "what a budget buys: the schedule over the bot's own past",
}
# The modules of the commands that have options of their own.
_OPTIONS_IN = {
    "backup": "backup",
    "restore": "restore",
    "move": "move",
    "check": "check",
    "setup": "setup",
    "parked": "dead_letters",
    "erase": "erase",
    "simulate": "simulate",
}

_READERS = frozenset({"migrate", "parked", "erase", "simulate", "admin"})
"""The commands that need a database that can be used as it is."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    chosen = _parser(words[:1]).parse_args(words)
    if chosen.command == "demo":
        return _demo(chosen)
    if chosen.command == "setup":
        from bot.cli import setup  # noqa: PLC0415 - it needs no settings, it makes them

        return asyncio.run(setup.main(chosen))
    try:
        settings = load()
    except SettingsError as error:
        return _explain(error)
    logging.set_up(level=settings.log_level, secrets=secrets_of(settings))
    return _run(chosen, settings)


def _demo(chosen: argparse.Namespace) -> int:
    try:
        from bot.cli.demo import demo  # noqa: PLC0415 - the stand-ins are not installed in production
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"sandbox", "tdjson"}:
            raise
        text = "The demo is in the project's repository: there, make demo starts it."
        Console(stderr=True).print(text)
        return 1
    return int(demo(port_base=chosen.port_base, speed=chosen.speed))


def _run(chosen: argparse.Namespace, settings: Settings) -> int:
    from bot import app  # noqa: PLC0415 - 'check' and 'demo' start sooner without
    from bot.cli import check  # noqa: PLC0415 - the same

    if chosen.command == "run":
        for sentence in check.strangers():
            structlog.get_logger().warning("a setting is none", why=sentence)
        return app.main(settings)
    return asyncio.run(_report(chosen, settings))


async def _report(chosen: argparse.Namespace, settings: Settings) -> int:
    from bot.cli import commands  # noqa: PLC0415 - as above
    from bot.operations import preflight  # noqa: PLC0415 - the same

    if chosen.command in _READERS:
        finding = await preflight.database(settings.database_url.get_secret_value())
        if finding.level == "wrong":
            Console(stderr=True, soft_wrap=True).print(finding.text, markup=False)
            return 1
    return await commands.ALL[chosen.command](settings, chosen)


def _explain(error: SettingsError) -> int:
    console = Console(stderr=True, soft_wrap=True)
    for sentence in error.sentences:
        console.print(sentence, markup=False)
    console.print("docs/configuration.md lists every setting.", markup=False)
    return 2


def _parser(wanted: list[str]) -> argparse.ArgumentParser:
    """Return the parser; what has options of its own is asked for them only when ``wanted``."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="Storybell")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    parsers = {name: commands.add_parser(name, help=text) for name, text in _COMMANDS.items()}
    parsers["demo"].add_argument("--port-base", type=int, default=8080, help="first of four ports")
    parsers["demo"].add_argument("--speed", type=_speed, default=1.0, help="how fast time runs")
    for name in _OPTIONS_IN.keys() & set(wanted):
        importlib.import_module(f"bot.cli.{_OPTIONS_IN[name]}").add_arguments(parsers[name])
    return parser


def _speed(word: str) -> float:
    speed = float(word)
    if not 0 < speed < math.inf:
        raise argparse.ArgumentTypeError("time must run forward")
    return speed


if __name__ == "__main__":
    sys.exit(main())
