"""``storybell setup``: asks for two values, tries each, writes ``.env`` and what starts the bot.

Only its owner can read ``.env``. All other lines of it stay.
"""

import argparse
import getpass
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from importlib import resources
from pathlib import Path

from rich.console import Console

from bot.cli import check
from bot.config import ENV_FILE, load
from bot.domain.errors import SettingsError

_VALUES = {
    "TELEGRAM_TOKEN": ("The bot's token, from @BotFather", check.telegram),
    "STORIES_API_KEY": ("The key of the Stories API", check.stories_api),
}
"""The two values: what each is, and which check tries it."""
_UNTRIED = {"TELEGRAM_TOKEN": f"1:{'x' * 35}", "STORIES_API_KEY": "x"}
"""Stands for the value that is not asked for yet."""
PLANS = {"start": "0.02", "standard": "0.001", "business": "0.00069", "ultra": "0.0006"}
"""Dollars that a credit costs, in each plan of the Stories API."""
_PLAN = f"Which plan of the Stories API is it: {', '.join(PLANS)}? [standard] "
UNIT, PROCFILE = "storybell.service", "Procfile"
_CHOICES = ("systemd", "compose", "procfile", "none")
_TRIES = 3
_USER_OF_ITS_OWN = (
    "The service runs as a user of its own: install the bot where that user can read it, such as "
    "by pipx install --global storybell."
)
_FORGETFUL = (
    "Where its disk forgets at each restart, set DATABASE_URL to a PostgreSQL database: else all "
    "subscriptions are lost then."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--start-by", choices=_CHOICES, help="what shall start the bot; asked for when not named"
    )


async def main(
    arguments: argparse.Namespace,
    *,
    ask: Callable[[str], str] = input,
    ask_secret: Callable[[str], str] = getpass.getpass,
) -> int:
    """Ask, try, write; return 1 where the values are refused to the end."""
    arguments.starts_now = False
    console = Console(soft_wrap=True, highlight=False)
    values: dict[str, str] = {}
    for name, (text, _) in _VALUES.items():
        value = await _good(name, partial(ask_secret, f"{text}: "), console)
        if value is None:
            return 1
        values[name] = value
    plan = _answered(ask, _PLAN)
    values["CREDIT_PRICE"] = PLANS.get(plan, PLANS["standard"])
    file = Path(ENV_FILE)
    write(file, values)
    folder = Path.cwd()
    console.print(f"Written to {folder / file}, readable by you alone.", markup=False)
    starter = arguments.start_by or _chosen(ask)
    for line in start_by(starter, folder):
        console.print(line, markup=False)
    if starter == "none" and arguments.start_by is None:
        arguments.starts_now = _answered(ask, "Start it now? [y/N] ").startswith("y")
    return 0


async def _good(name: str, ask: Callable[[], str], console: Console) -> str | None:
    """Ask for one value until it is a good one; None where nobody has it."""
    for _ in range(_TRIES):
        try:
            value = ask().strip()
        except EOFError:
            console.print("Nobody answers; nothing was written.")
            return None
        if await _is_good(name, value, console):
            return value
        console.print("Please try again.")
    return None


async def _is_good(name: str, value: str, console: Console) -> bool:
    """Try a value where it is used."""
    try:
        settings = load(
            **{one.lower(): given for one, given in (_UNTRIED | {name: value}).items()}
        )
    except SettingsError as error:
        for sentence in error.sentences:
            console.print(sentence, markup=False)
        return False
    findings = await check.within(_VALUES[name][1], settings)
    for finding in findings:
        check.show(console, finding)
    return all(finding.level != "wrong" for finding in findings)


def _answered(ask: Callable[[str], str], question: str) -> str:
    """Return what is typed; empty where nothing can be read."""
    try:
        return ask(question).strip().lower()
    except EOFError:
        return ""


def write(file: Path, values: dict[str, str]) -> None:
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


def _chosen(ask: Callable[[str], str]) -> str:
    word = _answered(ask, "What shall start the bot: systemd, compose, procfile, none? [none] ")
    return word if word in _CHOICES else "none"


def start_by(starter: str, folder: Path) -> list[str]:
    """Write what starts the bot into ``folder``; return what to do next, in sentences."""
    if starter == "systemd":
        text = (resources.files("bot.cli") / "deploy" / UNIT).read_text(encoding="utf-8")
        unit = folder / UNIT
        unit.write_text(
            text.replace("@COMMAND@", _command()).replace("@FOLDER@", str(folder)),
            encoding="utf-8",
        )
        return [
            f"Written: {unit}. Start the bot by:",
            f"  sudo cp {unit} /etc/systemd/system/ && sudo systemctl enable --now storybell",
            _USER_OF_ITS_OWN,
        ]
    if starter == "compose":
        if (folder / "compose.yaml").is_file():
            return ["Start the bot by:", "  docker compose up -d"]
        return ["compose.yaml is in the project's repository: say setup there."]
    if starter == "procfile":
        text = (resources.files("bot.cli") / "deploy" / PROCFILE).read_text(encoding="utf-8")
        (folder / PROCFILE).write_text(text, encoding="utf-8")
        return [
            f"Written: {folder / PROCFILE}. Set both values as variables of the platform.",
            _FORGETFUL,
        ]
    return ["Start the bot by:", f"  {_command()} run"]


def _command() -> str:
    """Return the words that start this very program."""
    script = shutil.which("storybell", path=str(Path(sys.executable).parent))
    return script or f"{sys.executable} -m bot"
