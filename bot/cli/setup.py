"""``storybell setup``: asks for two values, tries each, and writes ``.env``.

Only its owner can read ``.env``. All other lines of it stay.
"""

import getpass
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console

from bot.cli import check
from bot.config import ENV_FILE, load
from bot.domain.errors import SettingsError

_VALUES = {
    "TELEGRAM_TOKEN": ("The bot's token, from @BotFather", check.check_telegram),
    "STORIES_API_KEY": ("The key of the Stories API", check.check_stories_api),
}
"""The two values: what each is, and which check tries it."""
_UNTRIED = {"TELEGRAM_TOKEN": f"1:{'x' * 35}", "STORIES_API_KEY": "x"}
"""Stands for the value that is not asked for yet."""
PLANS = {"start": "0.02", "standard": "0.001", "business": "0.00069", "ultra": "0.0006"}
"""Dollars that a credit costs, in each plan of the Stories API."""
_PLAN = f"Which plan of the Stories API is it: {', '.join(PLANS)}? [standard] "
_TRIES = 3


async def main(
    *,
    ask: Callable[[str], str] = input,
    ask_secret: Callable[[str], str] = getpass.getpass,
) -> bool | None:
    """Ask, try, write; return whether the bot shall start now, None where nothing is written."""
    console = Console(soft_wrap=True, highlight=False)
    values: dict[str, str] = {}
    for name, (text, _) in _VALUES.items():
        value = await _ask_until_good(name, partial(ask_secret, f"{text}: "), console)
        if value is None:
            return None
        values[name] = value
    while (plan := _read_answer(ask, _PLAN) or "standard") not in PLANS:
        console.print("Please try again.")
    values["CREDIT_PRICE"] = PLANS[plan]
    file = Path.cwd() / ENV_FILE
    write_settings(file, values)
    console.print(f"Written to {file}, readable by you alone.", markup=False)
    return _read_answer(ask, "Start it now? [y/N] ").startswith("y")


async def _ask_until_good(name: str, ask: Callable[[], str], console: Console) -> str | None:
    """Ask for one value until it is a good one; None where nobody has it."""
    for _ in range(_TRIES):
        try:
            value = ask().strip()
        except EOFError:
            console.print("Nobody answers; nothing was written.")
            return None
        if await _try_value(name, value, console):
            return value
        console.print("Please try again.")
    return None


async def _try_value(name: str, value: str, console: Console) -> bool:
    """Try a value where it is used."""
    try:
        settings = load(
            **{one.lower(): given for one, given in (_UNTRIED | {name: value}).items()}
        )
    except SettingsError as error:
        for sentence in error.sentences:
            console.print(sentence, markup=False)
        return False
    findings = await check.run_check(_VALUES[name][1], settings)
    for finding in findings:
        check.print_finding(console, finding)
    return all(finding.level != "wrong" for finding in findings)


def _read_answer(ask: Callable[[str], str], question: str) -> str:
    """Return what is typed; empty where nothing can be read."""
    try:
        return ask(question).strip().lower()
    except EOFError:
        return ""


def write_settings(file: Path, values: dict[str, str]) -> None:
    """Put ``values`` into a file of settings that only its owner may read."""
    before = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    kept = [
        line
        for line in before
        if line.strip().removeprefix("export ").partition("=")[0].strip().upper() not in values
    ]
    lines = [*(f"{name}={value}" for name, value in values.items()), *kept]
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")
    fresh.replace(file)
