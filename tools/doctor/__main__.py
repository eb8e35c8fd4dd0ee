"""``python -m tools.doctor --live``: test the sandbox's assumptions against the real services.

The doctor reads the bot's settings and spends credits. It first prints the number of credits and
asks for consent. The results are printed and written to a file without secrets. The file can be
attached to an issue, and the sandbox can use the file to behave like the real services.
"""

import argparse
import asyncio
import json
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table
from telegram.error import TelegramError

from bot.cli.check import connected_bot, read_owners
from bot.config import Settings, load, secret_text_or_empty, secrets_of
from bot.domain.errors import SettingsError
from bot.operations import preflight
from bot.runtime.logging import Redactor
from bot.runtime.proxies import connector
from bot.store import ledger
from bot.store.engine.database import Database
from bot.store.engine.readiness import Readiness, readiness
from sandbox.beliefs import STORIES, TELEGRAM
from tools.doctor.sights import Sight, Sights
from tools.doctor.stories import StoriesTrial, price_of_all
from tools.doctor.telegram import LATE_S, PRESS_WITHIN_S, TelegramTrial

_MARKS = {True: "[green]yes[/]", False: "[red]no[/]", None: "[yellow]not tried[/]"}
NOTHING_TO_DO, DISAGREES, UNTRIED = 2, 1, 3


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.doctor", description=__doc__)
    parser.add_argument("--live", action="store_true", help="ask the real services; costs credits")
    parser.add_argument("--yes", action="store_true", help="spend the credits without a question")
    parser.add_argument(
        "--profile", default="natgeo", help="a public profile that has stories now"
    )
    parser.add_argument("--private", default="", help="a private profile; tries more, costs more")
    parser.add_argument("--chat", type=int, help="where to send the trials; else the first owner")
    parser.add_argument(
        "--file", type=Path, default=Path("doctor.json"), help="where to write what was seen"
    )
    return parser.parse_args()


async def main(
    settings: Settings,
    arguments: argparse.Namespace,
    *,
    press_within_s: float = PRESS_WITHIN_S,
    late_s: float = LATE_S,
    lag_s: float = 5.0,
) -> int:
    """Test every assumption on the live services, after consent. Return the exit status.

    The calls cost credits, and an owner gets some messages. The results are printed and written to
    a file. The exit status has the following meanings:

    - 0: all assumptions were tested and are true.
    - 1: a result differs from the assumption.
    - 2: nothing was tested.
    - 3: all results agree with the assumptions, but an assumption could not be tested.
    """
    console = Console(soft_wrap=True, highlight=False)
    chat = arguments.chat or min(await read_owners(settings), default=None)
    credits = price_of_all(private=bool(arguments.private))  # noqa: A001 - the project's term
    console.print(
        f"The doctor asks the Stories API for {arguments.profile}"
        + (f" and {arguments.private}" if arguments.private else "")
        + f": {credits} credits, if prices are as we believe. "
        "It sends some messages to an owner and deletes them. The bot should not run meanwhile.",
        markup=False,
    )
    if not arguments.live:
        console.print("Add --live to try it.")
        return NOTHING_TO_DO
    if not (arguments.yes or _consents(credits)):
        console.print("Nothing was tried.")
        return NOTHING_TO_DO
    found = await preflight.check_database(settings.database_url.get_secret_value())
    if found.level == "wrong":  # The database is checked before credits are spent.
        console.print(found.text, markup=False)
        return NOTHING_TO_DO
    try:
        arguments.file.touch()
    except OSError as error:
        text = f"--file: {arguments.file} can't be written: {error.strerror}. Nothing was tried."
        console.print(text, markup=False)
        return NOTHING_TO_DO
    sights = Sights()
    shown = await _stories(settings, arguments, sights, lag_s=lag_s)
    if chat is None:
        sights.skip(TELEGRAM, "no chat is known: set ADMIN_IDS, or name one by --chat")
    else:
        try:
            async with connected_bot(settings) as bot:
                if (await bot.get_webhook_info()).url:
                    # Do not wait for the press of the button, because the webhook would get the
                    # press.
                    press_within_s = 0
                trial = TelegramTrial(bot, chat, sights, console.print, press_within_s, late_s)
                await trial.run(shown.photos, shown.silent)
        except TelegramError as error:
            sights.skip(TELEGRAM, f"Telegram: {error.message}")
    _print(console, sights.in_order())
    _write(arguments.file, sights, settings)
    console.print(f"Written to {arguments.file}; it holds no secret.", markup=False)
    return _status(sights.in_order())


def _consents(credits: int) -> bool:  # noqa: A002 - the project's term
    """Ask for consent at the terminal. Without a terminal, return False."""
    if not sys.stdin.isatty():
        return False
    return input(f"Spend {credits} credits? [y/N] ").strip().lower() in {"y", "yes"}


async def _stories(
    settings: Settings, arguments: argparse.Namespace, sights: Sights, *, lag_s: float
) -> StoriesTrial:
    """Test the assumptions about the Stories API.

    Return the trial, which contains URLs of the profile's media.
    """
    by = connector(secret_text_or_empty(settings.stories_api_proxy))
    async with aiohttp.ClientSession(connector=by, cookie_jar=aiohttp.DummyCookieJar()) as session:
        trial = StoriesTrial(
            session, str(settings.stories_api_url), settings.stories_api_key, sights, lag_s
        )
        try:
            await trial.run(arguments.profile.lower(), arguments.private.lower())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            sights.skip(STORIES, f"the Stories API: {type(error).__name__}")
        finally:
            await _record(settings, trial.spent)
    return trial


async def _record(settings: Settings, spent: list[tuple[str, int]]) -> None:
    """Record the spent credits in the bot's ledger, if the database is of this version."""
    async with Database(settings.database_url.get_secret_value()) as db:
        if await readiness(db) is not Readiness.CURRENT:
            return
        now = datetime.now(UTC)
        async with db.begin() as tx:
            for _, credits in spent:  # noqa: A001 - the project's term
                entry = await ledger.add(
                    tx, kind="doctor", chat_id=None, user_id=None, operation="doctor",
                    nominal=credits, now=now,
                )  # fmt: skip
                await ledger.close(tx, entry, credits, now=now)


def _print(console: Console, sights: list[Sight]) -> None:
    table = Table("Belief", "We believe", "Seen", "Agrees")
    for one in sights:
        seen = one.why if one.seen is None else one.seen
        table.add_row(one.name, one.believed, seen, _MARKS[one.agrees])
    console.print(table)
    wrong = [one for one in sights if one.agrees is False]
    for one in wrong:
        console.print(
            f"{one.name}: we believe {one.believed}, seen was {one.seen}"
            + (f" ({one.why})" if one.why else ""),
            markup=False,
        )
    untried = sum(one.agrees is None for one in sights)
    agree = len(sights) - len(wrong) - untried
    console.print(f"{agree} agree, {len(wrong)} do not, {untried} could not be tried.")


def _write(file: Path, sights: Sights, settings: Settings) -> None:
    clean = Redactor(secrets_of(settings))
    report: dict[str, Any] = {
        "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}",
        "python": platform.python_version(),
        "beliefs": sights.to_json(),
    }
    file.write_text(clean(json.dumps(report, indent=1)) + "\n", encoding="utf-8")


def _status(sights: list[Sight]) -> int:
    if any(one.agrees is False for one in sights):
        return DISAGREES
    return UNTRIED if any(one.agrees is None for one in sights) else 0


def _main() -> int:
    arguments = _arguments()
    try:
        return asyncio.run(main(load(), arguments))
    except SettingsError as error:
        sys.stderr.write("\n".join(error.sentences) + "\n")
        return NOTHING_TO_DO


if __name__ == "__main__":
    sys.exit(_main())
