"""The command line: ``storybell run | check | setup | backup | …``."""

import argparse
import importlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

_GROUPS = {
    "To begin": {
        "setup": "ask for the token, key and budget, test them, and write the settings file",
        "check": "test the settings against both services, and list the problems",
        "run": "run the bot",
    },
    "While it runs": {
        "simulate": "show the delays of alerts for other budgets, from the bot's own history",
        "erase": "delete the stored data of a chat or person, as /privacy does",
    },
    "The database": {
        "backup": "write a copy of the SQLite database; the bot may run",
        "restore": "replace the database by a copy; stop the bot first",
        "move": "copy the SQLite database to PostgreSQL, and use PostgreSQL from then on",
    },
    "In a clone": {"demo": "run the bot against local stand-ins, with a chat page"},
}
_COMMANDS = {name: text for group in _GROUPS.values() for name, text in group.items()}
_WITH_OPTIONS = frozenset({"backup", "restore", "move", "check", "erase", "simulate"})
"""The commands whose options are added by the module ``bot.cli.NAME``."""
_LAST_PORT_BASE = 65531
_INTERRUPTED = 128 + signal.SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status. Without arguments, print the list of commands.

    ``arguments`` are the words after ``storybell``, by default from ``sys.argv``. If Ctrl-C
    interrupts a command other than ``run`` and ``demo``, the status is 130.

    Raises:
        SystemExit: The arguments are wrong (status 2), or ask for help (status 0).
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    if not _has_current_folder():
        sys.stderr.write("The current folder was deleted: change to another folder first.\n")
        return 1
    if not words:
        sys.stdout.write(_command_list_text() + "\n")
        return 0
    chosen = parser(words).parse_args(words)
    try:
        from bot.cli.execution import execute  # noqa: PLC0415 - --help needs no settings and no libraries

        return execute(chosen)
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted.\n")
        return _INTERRUPTED


def _has_current_folder() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True


def parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the argument parser with all commands.

    Except for ``demo``, the options of a command are added only if ``words`` contains the command,
    because only then its module is imported.
    """
    result = argparse.ArgumentParser(prog="storybell")
    result.add_argument(
        "--env-file",
        type=Path,
        metavar="FILE",
        help="settings file (default: .env in this folder)",
    )
    commands = result.add_subparsers(dest="command", required=True, metavar="command")
    parsers = {name: commands.add_parser(name, help=text) for name, text in _COMMANDS.items()}
    parsers["demo"].add_argument(
        "--port-base", type=_parse_port_base, default=8080, help="first of five consecutive ports"
    )
    for name in _WITH_OPTIONS & set(words):
        importlib.import_module(f"bot.cli.{name}").add_arguments(parsers[name])
    return result


def _parse_port_base(text: str) -> int:
    """Return the first of five consecutive ports, or 0 for free ports.

    Raises:
        ArgumentTypeError: The text is not a number, or the last of the five ports would be too
            great.
    """
    if not text.isdecimal() or int(text) > _LAST_PORT_BASE:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to {_LAST_PORT_BASE}")
    return int(text)


def _command_list_text() -> str:
    """Return the list of commands as text, grouped by purpose."""
    lines = [
        "storybell [--env-file FILE] COMMAND; storybell COMMAND --help describes its options.",
        "FILE has the settings; without the option it is .env in this folder.",
    ]
    for title, group in _GROUPS.items():
        lines += ["", title, *(f"  {name:<9} {text}" for name, text in group.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
