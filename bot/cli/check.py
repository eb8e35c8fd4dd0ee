"""``storybell check``: tests the settings, and prints each result as a sentence.

The command calls only free methods, and writes temporary test files. An SQLite file is switched to
a write-ahead log. The exit status is 1 if a problem prevents the bot from working, 2 for an
unreadable setting, or else 0.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import aiohttp
from rich.console import Console
from telegram import Bot
from telegram.error import BadRequest, Forbidden, InvalidToken, TelegramError

from bot.config import Settings, secret_text_or_empty, unknown_variables_and_suggestions
from bot.domain.budget import (
    Limits,
    daily_credits_for_replies,
    propose_lower_person_daily_allowance,
)
from bot.domain.errors import BotError, OutOfServiceError
from bot.domain.packs import BudgetPlan
from bot.operations import preflight
from bot.operations.preflight import CheckResult
from bot.presentation.budget_line import budget_lines, wrong_price_note
from bot.presentation.translation import translator_for
from bot.runtime.proxies import connector
from bot.stories_api.client import StoriesApi
from bot.telegram.request import AiohttpRequest

PATIENCE_S = 20.0  # the timeout in seconds of each check, except for the integrity check
# The timeout in seconds of the integrity check. The timeout is long, because reading a large
# database takes long.
READING_S = 600.0
_FEW_CREDITS = 100
_VENDOR = "https://hikerapi.com"
_MARKS = {"ok": "[green]ok[/]  ", "note": "[yellow]note[/]", "wrong": "[red]wrong[/]"}
_PRIVACY_MODE = (
    "Privacy mode is on: in groups the bot sees only commands, replies to it and messages "
    "that mention it, so a pasted link alone is not seen. /setprivacy at @BotFather changes "
    "that; so does making the bot an administrator of the group."
)
_INLINE = "Inline mode is on: @{name} and a profile's name show stories in any chat."
_NO_INLINE = (
    "Inline mode is off, so stories can't be shared into other chats; /setinline at @BotFather "
    "turns it on."
)
_NO_TOPICS = (
    "Threaded Mode is off, so private chats have no topics; the bot's settings at @BotFather turn "
    "it on."
)
_NETWORK = "Check the network of this machine, or set {} (docs/networks.md)."
_NO_GROUPS = "The bot can't be added to groups; /setjoingroups at @BotFather changes that."
_NO_OWNER = (
    "The bot has no owner yet. Each start prints a link, also into the log; the person who opens "
    "the link in Telegram becomes the owner."
)
_MUCH_FOR_ONE = (
    "PERSON_DAILY_ALLOWANCE is {own:,}, so one person may spend more than half of the {replies:,} "
    "credits that a day has for replies, and ACCESS=open serves everybody. Set "
    "PERSON_DAILY_ALLOWANCE={proposal}, or a larger DAILY_BUDGET."
)


Check = Callable[[Settings], Awaitable[Sequence[CheckResult]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--offline", action="store_true", help="check this machine only; call no service"
    )


async def main(settings: Settings, arguments: argparse.Namespace) -> int:
    """Run the checks, at a cost of 0 credits, and print the results.

    Return 1 if the level of a result is "wrong", or else 0.
    """
    console = Console(soft_wrap=True, highlight=False)
    for sentence in describe_unknown_settings(arguments.env_file):
        print_result(console, CheckResult("note", sentence))
    checks: list[Check] = [
        check_database,
        check_integrity,
        check_folders,
        check_bot_has_owner,
        check_allowance,
    ]
    if not arguments.offline:
        checks += [check_telegram, check_stories_api, check_budget]
    is_wrong = False
    for check in checks:
        for result in await run_check(check, settings):
            print_result(console, result)
            is_wrong |= result.level == "wrong"
    last = "The settings are fine."
    if is_wrong:
        last = "Correct what is marked wrong, then run the check again."
    console.print(last)
    return int(is_wrong)


def print_result(console: Console, result: CheckResult) -> None:
    """Print one result."""
    console.print(_MARKS[result.level], end=" ")
    console.print(result.text, markup=False)


async def run_check(check: Check, settings: Settings) -> Sequence[CheckResult]:
    """Run one check with a timeout, and return the results.

    The timeout is ``READING_S`` seconds for the integrity check, and otherwise ``PATIENCE_S``
    seconds. After the timeout, the result is a temporary error.
    """
    patience_s = READING_S if check is check_integrity else PATIENCE_S
    try:
        async with asyncio.timeout(patience_s):
            return await check(settings)
    except TimeoutError:
        text = f"No answer within {patience_s:.0f} seconds: {check.__name__}."
        return [CheckResult("wrong", text, is_temporary=True)]


def describe_unknown_settings(env_file: Path | None) -> list[str]:
    """Return a sentence about each unknown variable in ``env_file`` (default: ``.env``).

    Unknown variables of the environment are included if their names are similar to a setting.

    Raises:
        SettingsError: ``env_file`` exists, but can't be read.
    """
    sentences = []
    for name, near in unknown_variables_and_suggestions(env_file):
        hint = f"; did you mean {near}?" if near else "."
        sentences.append(f"{name} is no setting of the bot{hint}")
    return sentences


async def check_database(settings: Settings) -> list[CheckResult]:
    """Open the database and compare the revision of the tables with this version of the bot.

    Add a note if the mount of the file is unsafe, or if the id of a profile in
    ``BLOCKED_PROFILES`` is unknown.
    """
    url = settings.database_url.get_secret_value()
    found = [await preflight.check_database(url, settings.spool_dir)]
    if note := preflight.check_file_system_of_sqlite(url):
        found.append(note)
    if unknown := await preflight.check_ids_of_blocked_names(url, settings.blocked_profiles):
        found.append(unknown)
    return found


async def check_integrity(settings: Settings) -> list[CheckResult]:
    """If the database is an SQLite file, read the whole file to find damage."""
    if not settings.is_sqlite:
        return []
    result = await preflight.check_integrity(settings.database_url.get_secret_value())
    return [result] if result else []


async def check_folders(settings: Settings) -> list[CheckResult]:
    """Raise the limit of open files, and write test files into the spool and backup folders.

    The test file for a missing folder is written into the nearest existing parent. Without
    scheduled backups, no file is written into the backup folder.
    """
    return [
        preflight.increase_open_files_limit(),
        preflight.check_spool_folder(settings.spool_dir),
        preflight.check_backup_folder(
            settings.backup_folder,
            hours=settings.backup_hours,
            is_sqlite=settings.is_sqlite,
        ),
    ]


async def check_telegram(settings: Settings) -> list[CheckResult]:
    """Check the token, the webhook and the @BotFather settings, and try to reach the owners.

    The bot sends the chat action "typing" to each owner.
    """
    try:
        async with connected_bot(settings) as bot:
            return [
                CheckResult("ok", f"Telegram knows the bot as @{bot.username}."),
                *_check_botfather(bot),
                *await _check_webhook(bot, settings),
                *[
                    await _send_typing_to_owner(bot, owner)
                    for owner in sorted(await read_owners(settings))
                ],
            ]
    except InvalidToken:
        return [
            CheckResult(
                "wrong", "TELEGRAM_TOKEN: Telegram refuses it; @BotFather has the right one."
            )
        ]
    except TelegramError as error:
        text = f"Telegram can't be reached: {error.message}. {_NETWORK.format('TELEGRAM_PROXY')}"
        return [CheckResult("wrong", text, is_temporary=True)]


@asynccontextmanager
async def connected_bot(settings: Settings) -> AsyncIterator[Bot]:
    """Yield an initialized bot without a rate limiter.

    Raises:
        InvalidToken: Telegram refuses the token.
        TelegramError: Telegram can't be reached.
    """
    base = str(settings.telegram_api_url).rstrip("/")
    proxy = secret_text_or_empty(settings.telegram_proxy)
    request = AiohttpRequest(connections=2, proxy=proxy)
    updates = AiohttpRequest(connections=1, proxy=proxy)
    async with Bot(
        settings.telegram_token.get_secret_value(),
        base_url=f"{base}/bot",
        request=request,
        get_updates_request=updates,
    ) as bot:
        yield bot


def _check_botfather(bot: Bot) -> list[CheckResult]:
    """Return notes about settings at @BotFather that restrict the bot.

    If inline mode is on, also return a result "ok" about inline mode.
    """
    hints = (
        (not bot.can_read_all_group_messages, _PRIVACY_MODE),
        (not bot.supports_inline_queries, _NO_INLINE),
        (not bot.bot.has_topics_enabled, _NO_TOPICS),
        (not bot.can_join_groups, _NO_GROUPS),
    )
    results = [CheckResult("note", text) for is_so, text in hints if is_so]
    if bot.supports_inline_queries:
        results.append(CheckResult("ok", _INLINE.format(name=bot.username)))
    return results


async def _check_webhook(bot: Bot, settings: Settings) -> list[CheckResult]:
    info = await bot.get_webhook_info()
    if settings.webhook_url is None:
        text = "Another webhook is set for this bot; a start with polling removes it."
        return [CheckResult("note", text)] if info.url else []
    if info.last_error_message:
        text = f"WEBHOOK_URL: Telegram's last error: {info.last_error_message}."
        return [CheckResult("note", text)]
    waiting = f"; {info.pending_update_count} updates wait" if info.url else ""
    return [CheckResult("ok", f"Updates come by webhook{waiting}.")]


async def read_owners(settings: Settings) -> set[int]:
    """Return the ids of the owners in ``ADMIN_IDS`` and of the owners who used an owner link.

    If the database can't be used or is from another version, return only the owners in
    ``ADMIN_IDS``.
    """
    by_link = await preflight.read_owners_by_link(settings.database_url.get_secret_value())
    return set(settings.admin_ids) | (by_link or set())


async def check_bot_has_owner(settings: Settings) -> list[CheckResult]:
    """Return a note if the bot has no owner.

    If the database can't be used or is from another version, no note is returned.
    """
    if settings.admin_ids:
        return []
    by_link = await preflight.read_owners_by_link(settings.database_url.get_secret_value())
    has_none = by_link is not None and not by_link
    return [CheckResult("note", _NO_OWNER)] if has_none else []


async def check_allowance(settings: Settings) -> list[CheckResult]:
    """Return a note if everybody may use the bot, and the limit of one person is large.

    A limit is large above half of a day's credits for replies, and above 3 credits.
    """
    limits = Limits(
        daily_budget=settings.daily_budget,
        reply_share=settings.reply_share,
        person_daily_allowance=settings.person_daily_allowance,
    )
    proposal = propose_lower_person_daily_allowance(limits)
    if settings.access != "open" or proposal is None:
        return []
    text = _MUCH_FOR_ONE.format(
        own=limits.person_daily_allowance,
        replies=daily_credits_for_replies(limits),
        proposal=proposal,
    )
    return [CheckResult("note", text)]


async def _send_typing_to_owner(bot: Bot, owner: int) -> CheckResult:
    try:
        await bot.send_chat_action(owner, "typing")
    except Forbidden:
        return CheckResult("note", f"The owner {owner} has blocked the bot, and can't be told.")
    except BadRequest:  # Telegram does not find the chat
        return CheckResult(
            "note", f"The owner {owner} has not started the bot, and can't be told."
        )
    except TelegramError as error:
        return CheckResult(
            "note", f"The check could not test whether the owner {owner} can be told: {error}."
        )
    return CheckResult("ok", f"{owner} can be told when something needs them.")


@asynccontextmanager
async def stories_api_without_ledger(settings: Settings) -> AsyncIterator[StoriesApi]:
    """Yield a client of the Stories API that does not write to the ledger."""
    by = connector(secret_text_or_empty(settings.stories_api_proxy))
    async with aiohttp.ClientSession(connector=by) as session:
        yield StoriesApi(
            session,
            url=str(settings.stories_api_url).rstrip("/"),
            key=settings.stories_api_key,
        )


async def check_stories_api(settings: Settings) -> list[CheckResult]:
    """Fetch the balance. Return a note if fewer than 100 credits are left.

    The call costs 0 credits. Return an error if the API refuses the key or the account, or can't
    be reached.
    """
    async with stories_api_without_ledger(settings) as api:
        try:
            balance = await api.fetch_balance_and_resume()
        except OutOfServiceError as error:
            text = (
                f"STORIES_API_KEY: the Stories API says no: {error}. Check the key, or buy "
                f"credits: {_VENDOR}."
            )
            return [CheckResult("wrong", text)]
        except BotError as error:
            proxy = _NETWORK.format("STORIES_API_PROXY")
            text = f"The Stories API can't be reached: {error}. {proxy}"
            return [CheckResult("wrong", text, is_temporary=True)]
    text = f"The Stories API takes the key; {balance.credits:,} credits are left."
    if balance.credits >= _FEW_CREDITS:
        return [CheckResult("ok", text)]
    return [CheckResult("note", f"{text} Buy credits: {_VENDOR}.")]


async def check_budget(settings: Settings) -> list[CheckResult]:
    """Fetch the balance, and return the cost and the capacity of the daily budget.

    Add a note if the balance shows a different price of a credit than the setting
    ``CREDIT_PRICE``. The call costs 0 credits.
    """
    try:
        async with stories_api_without_ledger(settings) as api:
            balance = await api.fetch_balance_and_resume()
    except BotError:
        balance = None  # ``check_stories_api`` reports the reason
    credits_left = balance.credits if balance else None
    plan = BudgetPlan(settings.daily_budget, settings.credit_price, credits_left)
    note = wrong_price_note(settings.credit_price, balance) if balance else ""
    return [budget_result(plan), *([CheckResult("note", note)] if note else [])]


def budget_result(plan: BudgetPlan) -> CheckResult:
    """Return the budget plan as a result with the level "note" or "ok".

    The level is "note" if the balance lasts for fewer than 14 days, or if the budget can check
    fewer than 3 profiles.
    """
    level: Literal["ok", "note"] = (
        "note" if plan.lasts_less_than_two_weeks or plan.is_budget_for_few_profiles else "ok"
    )
    lines = [line.rstrip(".") for line in budget_lines(translator_for("en"), plan)]
    return CheckResult(level, ". ".join(lines) + ".")
