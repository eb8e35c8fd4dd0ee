"""The command line: ``storybell run | check | setup | backup | …``."""

import argparse
import asyncio
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog
from rich.console import Console

from bot.config import Settings, load, secrets_of
from bot.domain.errors import SettingsError
from bot.runtime import logging
from bot.web.webhook import derive_webhook

_GROUPS = {
    "To begin": {
        "setup": "ask for token, key and budget, try them, write the settings file",
        "check": "try what the settings lead to, and say what is wrong",
        "run": "run the bot",
    },
    "While it runs": {
        "simulate": "what a budget buys: the schedule over the bot's own past",
        "erase": "delete what is stored about a chat, as its button of /privacy does",
    },
    "The database": {
        "backup": "copy the SQLite file while the bot runs",
        "restore": "put a copy in its place",
        "move": "move all of an SQLite file into PostgreSQL",
    },
    "In a clone": {"demo": "the whole bot against local stand-ins, with a chat page"},
}
_COMMANDS = {name: text for group in _GROUPS.values() for name, text in group.items()}
_WITH_OPTIONS = frozenset({"backup", "restore", "move", "check", "erase", "simulate"})
"""The commands with options; the module ``bot.cli.NAME`` adds the options."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if not words:
        Console().print(_command_list(), markup=False, highlight=False)
        return 0
    chosen = parser(words).parse_args(words)
    if chosen.command == "demo":
        return _run_demo(chosen)
    if chosen.command == "setup":
        from bot.cli import setup  # noqa: PLC0415 - creates the settings that other commands load

        starts = asyncio.run(setup.main(file=chosen.env_file))
        if not starts:
            return int(starts is None)
        chosen.command = "run"
    try:
        settings = load(chosen.env_file)
    except SettingsError as error:
        return _print_settings_error(error)
    hidden = [*secrets_of(settings), *derive_webhook(settings.telegram_token).secrets]
    logging.set_up(level=settings.log_level, secrets=hidden)
    return _run_command(chosen, settings)


def _run_demo(chosen: argparse.Namespace) -> int:
    try:
        from bot.cli.demo import run_demo  # noqa: PLC0415 - the sandbox is not installed in production
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"sandbox", "tdjson"}:
            raise
        text = "The demo is in the project's repository: there, make demo starts it."
        Console(stderr=True).print(text)
        return 1
    return int(run_demo(port_base=chosen.port_base))


def _run_command(chosen: argparse.Namespace, settings: Settings) -> int:
    from bot import app  # noqa: PLC0415 - 'setup' and 'demo' start faster without the import
    from bot.cli import check  # noqa: PLC0415 - 'setup' and 'demo' start faster

    if chosen.command == "run":
        for sentence in check.describe_unknown_settings(chosen.env_file):
            structlog.get_logger().warning("a setting is none", why=sentence)
        return app.main(settings)
    from bot.cli import commands  # noqa: PLC0415 - 'setup' and 'demo' start faster

    stderr = Console(stderr=True, soft_wrap=True, highlight=False)
    stderr.print(f"Database: {settings.database_place}", markup=False)
    return asyncio.run(commands.ALL[chosen.command](settings, chosen))


def _print_settings_error(error: SettingsError) -> int:
    console = Console(stderr=True, soft_wrap=True)
    for sentence in error.sentences:
        console.print(sentence, markup=False)
    console.print("docs/configuration.md lists every setting.", markup=False)
    return 2


def parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the argument parser; only commands in ``words`` get their options."""
    result = argparse.ArgumentParser(prog="storybell")
    result.add_argument(
        "--env-file",
        type=Path,
        metavar="FILE",
        help="the file of settings (default: .env in this folder)",
    )
    commands = result.add_subparsers(dest="command", required=True, metavar="command")
    parsers = {name: commands.add_parser(name, help=text) for name, text in _COMMANDS.items()}
    parsers["demo"].add_argument("--port-base", type=int, default=8080, help="first of five ports")
    for name in _WITH_OPTIONS & set(words):
        importlib.import_module(f"bot.cli.{name}").add_arguments(parsers[name])
    return result


def _command_list() -> str:
    """Return all commands, grouped by purpose."""
    lines = [
        "storybell [--env-file FILE] COMMAND; storybell COMMAND --help describes its options.",
        "FILE has the settings; without the option it is .env in this folder.",
    ]
    for title, group in _GROUPS.items():
        lines += ["", title, *(f"  {name:<9} {text}" for name, text in group.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
