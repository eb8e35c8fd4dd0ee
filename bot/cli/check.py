"""``storybell check``: tries what the settings lead to, and says in sentences what is wrong.

It calls Telegram and the Stories API, but only what is free: getMe, getWebhookInfo, getChat and
the balance. It changes nothing, and no sentence shows a secret.
"""

import argparse
import asyncio
import difflib
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import aiohttp
from rich.console import Console
from telegram import Bot
from telegram.error import InvalidToken, TelegramError

from bot.config import Settings
from bot.domain.errors import BotError, OutOfServiceError
from bot.store.database import Database
from bot.store.readiness import Readiness, readiness
from bot.stories_api import StoriesApi
from bot.telegram.request import AiohttpRequest

PATIENCE_S = 20.0  # for each of the parts
FEW_CREDITS = 100
MARKS = {"ok": "[green]ok[/]  ", "note": "[yellow]note[/]", "wrong": "[red]wrong[/]"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing; ``wrong`` keeps the bot from its work, ``note`` does not."""

    level: Literal["ok", "note", "wrong"]
    text: str


Check = Callable[[Settings], Awaitable[Sequence[Finding]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--offline", action="store_true", help="look at this machine only, call nobody"
    )


async def main(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print what was found; return 1 where something is wrong."""
    console = Console(soft_wrap=True, highlight=False)
    checks: list[Check] = [unknown_settings, database, folders, port]
    if not arguments.offline:
        checks += [telegram, stories_api]
    is_wrong = False
    for check in checks:
        for finding in await _within(check, settings):
            console.print(MARKS[finding.level], end=" ")
            console.print(finding.text, markup=False)
            is_wrong |= finding.level == "wrong"
    if not is_wrong:
        console.print("The settings are fine.")
    return int(is_wrong)


async def _within(check: Check, settings: Settings) -> Sequence[Finding]:
    """Run one check, for as long as one waits for a sentence."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await check(settings)
    except TimeoutError:
        return [Finding("wrong", f"No answer within {PATIENCE_S:.0f} seconds: {check.__name__}.")]


async def unknown_settings(_: Settings) -> list[Finding]:
    """Name what stands in ``.env`` and is no setting, with the nearest that is one."""
    names = [name.upper() for name in Settings.model_fields]
    return [
        Finding("note", f"{name} in .env is no setting of the bot{_nearest(name, names)}.")
        for name in _names_in(Path(".env"))
        if name.upper() not in names
    ]


def _names_in(file: Path) -> Iterable[str]:
    if not file.is_file():
        return []
    lines = (line.strip().removeprefix("export ") for line in file.read_text().splitlines())
    return [line.partition("=")[0].strip() for line in lines if "=" in line and line[0] != "#"]


def _nearest(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name.upper(), names, n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""


async def database(settings: Settings) -> list[Finding]:
    """Open the database, and compare its tables with those of the code."""
    url = settings.database_url.get_secret_value()
    try:
        async with Database(url) as db:
            state = await readiness(db)
    except ModuleNotFoundError:
        extra = "pip install 'storybell[postgres]'"
        return [Finding("wrong", f"DATABASE_URL: PostgreSQL needs an extra: {extra}.")]
    except OSError as error:
        return [Finding("wrong", f"DATABASE_URL: the database can't be used: {error}.")]
    match state:
        case Readiness.CURRENT:
            return [Finding("ok", "The database can be written and is up to date.")]
        case Readiness.OLD:
            return [Finding("ok", "The database is from an older version; a start migrates it.")]
        case Readiness.EMPTY:
            return [Finding("ok", "The database is new; a start makes its tables.")]
        case Readiness.NEWER:
            text = "The database is from a newer version than this code: update the bot."
            return [Finding("wrong", text)]


async def folders(settings: Settings) -> list[Finding]:
    """Write a file where downloads wait."""
    folder = settings.spool_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return [Finding("wrong", f"SPOOL_DIR: {folder} can't be written: {reason}.")]
    return [Finding("ok", f"Downloads wait in {folder}.")]


async def port(settings: Settings) -> list[Finding]:
    """Bind the port for a moment."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((settings.host, settings.port))
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            where = f"{settings.host}:{settings.port}"
            text = f"PORT: {where} can't be bound: {reason}. Does the bot run already?"
            return [Finding("note", text)]
    return [Finding("ok", f"Port {settings.port} is free.")]


async def telegram(settings: Settings) -> list[Finding]:
    """Ask Telegram who the bot is, and whether it reaches its admins."""
    try:
        async with _bot(settings) as bot:
            return [
                Finding("ok", f"Telegram knows the bot as @{bot.username}."),
                *_privacy_mode(bot),
                *await _webhook(bot, settings),
                *[await _admin(bot, admin) for admin in sorted(settings.admin_ids)],
            ]
    except InvalidToken:
        return [
            Finding("wrong", "TELEGRAM_TOKEN: Telegram refuses it; @BotFather has the right one.")
        ]
    except TelegramError as error:
        return [Finding("wrong", f"Telegram can't be reached: {error.message}.")]


@asynccontextmanager
async def _bot(settings: Settings) -> AsyncIterator[Bot]:
    base = str(settings.telegram_api_url).rstrip("/")
    request, updates = AiohttpRequest(connections=2), AiohttpRequest(connections=1)
    async with Bot(
        settings.telegram_token.get_secret_value(),
        base_url=f"{base}/bot",
        request=request,
        get_updates_request=updates,
    ) as bot:
        yield bot


def _privacy_mode(bot: Bot) -> list[Finding]:
    """Say what privacy mode hides in groups; it is on unless @BotFather was told otherwise."""
    if bot.can_read_all_group_messages:
        return []
    text = (
        "Privacy mode is on: in groups the bot sees only commands, replies to it and messages "
        "that mention it, so a pasted link alone is not seen. /setprivacy at @BotFather changes "
        "that; so does making the bot an administrator of the group."
    )
    return [Finding("note", text)]


async def _webhook(bot: Bot, settings: Settings) -> list[Finding]:
    info = await bot.get_webhook_info()
    if settings.webhook_url and info.last_error_message:
        return [Finding("note", f"WEBHOOK_URL: Telegram's last error: {info.last_error_message}.")]
    if info.url and not settings.webhook_url:
        return [
            Finding(
                "note", "Another webhook is set for this bot; a start with polling removes it."
            )
        ]
    return []


async def _admin(bot: Bot, admin: int) -> Finding:
    try:
        await bot.get_chat(admin)
    except TelegramError:
        return Finding("note", f"ADMIN_IDS: {admin} has not started the bot, and can't be told.")
    return Finding("ok", f"{admin} can be told when something needs them.")


async def stories_api(settings: Settings) -> list[Finding]:
    """Ask for the balance, which is free."""
    async with aiohttp.ClientSession() as session:
        api = StoriesApi(
            session,
            url=str(settings.stories_api_url).rstrip("/"),
            key=settings.stories_api_key,
        )
        try:
            balance = await api.balance()
        except OutOfServiceError as error:
            return [Finding("wrong", f"STORIES_API_KEY: the Stories API says no: {error}.")]
        except BotError as error:
            return [Finding("wrong", f"The Stories API can't be reached: {error}.")]
    level: Literal["ok", "note"] = "note" if balance.credits < FEW_CREDITS else "ok"
    return [Finding(level, f"The Stories API takes the key; {balance.credits} credits are left.")]
