"""The execution of a parsed command."""

import argparse
import asyncio
import os
import signal
from pathlib import Path
from types import FrameType

import structlog
from rich.console import Console

from bot.config import ENV_FILE, Settings, load, secrets_of
from bot.domain.errors import SettingsError
from bot.runtime import logging
from bot.store.engine.private import other_owner_note
from bot.web.webhook import derive_webhook


def execute(chosen: argparse.Namespace) -> int:
    """Execute the command of ``chosen``. Return the exit status of the command.

    The status is 2 if the settings can't be used. After ``setup``, the bot starts if the person
    agrees.
    """
    if chosen.command == "demo":
        return _run_demo(chosen)
    if chosen.command == "setup":
        from bot.cli import setup  # noqa: PLC0415 - creates the settings that other commands load

        # This handler ends ``setup`` at the first Ctrl-C. The handler of asyncio would ignore the
        # first Ctrl-C while ``setup`` waits for an answer. asyncio does not replace a handler that
        # is not Python's default.
        signal.signal(signal.SIGINT, _interrupt)
        starts = asyncio.run(setup.main(file=chosen.env_file))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if not starts:
            return int(starts is None)
        chosen.command = "run"
    try:
        settings = load(chosen.env_file)
    except SettingsError as error:
        return _print_error_and_return_status(error, chosen.env_file)
    hidden = [*secrets_of(settings), *derive_webhook(settings.telegram_token).secrets_to_redact]
    logging.set_up_logging(level=settings.log_level, secrets=hidden)
    return _run_command(chosen, settings)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


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


def _is_missing(file: Path) -> bool:
    try:
        file.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _print_error_and_return_status(error: SettingsError, env_file: Path | None) -> int:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    for sentence in error.sentences:
        console.print(sentence, markup=False)
    file = (env_file or Path(ENV_FILE)).absolute()
    state = ""
    if _is_missing(file):
        state = ", which does not exist"
    elif not os.access(file, os.R_OK):  # the printed errors already report this
        state = other_owner_note(file)
    console.print(f"The settings come from the environment and from {file}{state}.", markup=False)
    console.print("docs/configuration.md lists every setting.", markup=False)
    return 2
