"""``storybell setup``: asks for the token, the key and the budget, and writes the settings file.

The token and the key are checked first, if possible. Other lines of an existing file are kept.
"""

import getpass
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from dotenv import dotenv_values
from rich.console import Console

from bot.cli import check
from bot.config import ENV_FILE, MOST_CREDITS, Settings, load
from bot.domain.errors import BotError, SettingsError
from bot.domain.packs import (
    DEFAULT_BUDGET,
    PACKS,
    BudgetPlan,
    Pack,
    credit_price_of_balance,
    pack_of_credit_price,
    propose_daily_budget,
)
from bot.domain.paid_calls import Balance
from bot.store.engine.sqlite_copies import reason_of_file_error
from bot.stories_api.endpoints import CHECK_COST

NotWritten: TypeAlias = None
"""In the type of a result, no settings file was written."""

_VALUES = {
    "TELEGRAM_TOKEN": (
        "The bot's token (send /newbot to https://t.me/BotFather)",
        check.check_telegram,
    ),
    "STORIES_API_KEY": (
        "The key of the Stories API (sign up at https://hikerapi.com)",
        check.check_stories_api,
    ),
}
"""The values to ask for: the name of the setting, the prompt, and the check of the answer."""
_UNTRIED = {
    "TELEGRAM_TOKEN": f"1:{'x' * 35}",
    "STORIES_API_KEY": "x",
    "CREDIT_PRICE": "0",
    "DAILY_BUDGET": str(DEFAULT_BUDGET),
}
"""Placeholders with a valid format for the values that were not entered yet."""
_PLAN = f"Which pack of credits do you buy: {', '.join(PACKS)}? [standard] "
_TRIES = 3
_ENCODING = "utf-8-sig"  # some editors of Windows begin a UTF-8 file with a byte order mark
_NOTHING = "Nothing was written."

StartsBot = bool
"""Whether the person has agreed to start the bot now."""


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one credit in US dollars, the matching pack, and the balance in credits.

    ``pack`` is the pack of credits that costs about ``dollars`` per credit. If no pack has this
    price, ``pack`` is None. If the balance is unknown, ``balance`` is None.
    """

    dollars: float
    pack: Pack | None
    balance: int | None

    @property
    def proposed_daily_budget(self) -> int:
        """Return a daily budget in credits with which the pack lasts for a month.

        If the pack is unknown, the balance counts. The result is within the limits of
        ``propose_daily_budget``.
        """
        return propose_daily_budget(self.pack.credits if self.pack else self.balance or 0)


@dataclass(frozen=True, slots=True)
class Setup:
    """The setup dialogue in the terminal. The dialogue writes the settings file ``file``.

    ``ask`` and ``ask_secret`` show a prompt and return the answer.
    """

    ask: Callable[[str], str]
    ask_secret: Callable[[str], str]
    file: Path
    console: Console

    async def ask_check_and_write_settings(self) -> StartsBot | NotWritten:
        """Ask for the values, check the values and write the settings file.

        Return whether to start the bot. Return None if no file was written.
        """
        trouble = _access_problem(self.file)
        if not trouble and self._load_or_print_errors({}) is None:
            trouble = f"Correct these settings in {self.file} or in the environment first"
        if trouble:
            self.console.print(f"{trouble}. {_NOTHING}", markup=False)
            return None
        values: dict[str, str] = {}
        for name in _VALUES:
            value = await self._ask_up_to_three_times(name)
            if value is None:
                self.console.print(_NOTHING)
                return None
            values[name] = value
        price = await self._fetch_or_ask_price(values["STORIES_API_KEY"])
        budget = self._ask_for_daily_budget(price)
        values |= {"CREDIT_PRICE": f"{price.dollars:.6g}", "DAILY_BUDGET": str(budget)}
        try:
            write_settings(self.file, values)
        except OSError as error:
            self.console.print(f"{reason_of_file_error(error)}. {_NOTHING}", markup=False)
            return None
        self.console.print(f"Written to {self.file}, readable by its owner alone.", markup=False)
        if self._has_nondefault_settings_file():
            self.console.print("Now start the bot's service.")
            return False
        if self._read_answer("Start the bot now? [y/N] ").startswith("y"):
            return True
        self.console.print("To start the bot: storybell run (in a clone: make run).")
        return False

    def _ask_for_secret_or_keep_value(self, setting_name: str) -> str:
        """Ask for a token or key. If the answer is empty, return the present value in ``file``.

        If ``file`` has no value, the result is an empty string.

        Raises:
            EOFError: The input has ended.
        """
        text, present = _VALUES[setting_name][0], _value_in_file_or_empty(self.file, setting_name)
        hint = " [Enter: keep the current value]" if present else ""
        return self.ask_secret(f"{text}{hint}: ").strip() or present

    def _has_nondefault_settings_file(self) -> bool:
        """Return whether the settings file is different from ``.env`` in the current folder.

        A different file usually belongs to an installed service, which has a Unix user of its own.
        """
        return self.file != Path(ENV_FILE).absolute()

    async def _ask_up_to_three_times(self, setting_name: str) -> str | None:
        """Ask for a value until a value is accepted.

        Return None after three refused values, or at the end of the input.
        """
        for _ in range(_TRIES):
            try:
                value = self._ask_for_secret_or_keep_value(setting_name)
            except EOFError:
                self.console.print("The input has ended.")
                return None
            if await self._check_and_confirm(setting_name, value):
                return value
            self.console.print("Please try again.")
        return None

    async def _check_and_confirm(self, setting_name: str, value: str) -> bool:
        """Check a value, at a cost of 0 credits. Print the results.

        Return whether the value is accepted. If the service is unreachable, ask whether to keep
        the value.
        """
        settings = self._load_or_print_errors({setting_name: value})
        if settings is None:
            return False
        results = await check.run_check(_VALUES[setting_name][1], settings)
        for result in results:
            check.print_result(self.console, result)
        wrong = [result for result in results if result.level == "wrong"]
        if not wrong:
            return True
        if not all(result.is_temporary for result in wrong):
            return False
        self.console.print(f"{setting_name} could not be tried, and nothing is written yet.")
        return self._read_answer("Keep this value without trying it? [y/N] ").startswith("y")

    def _load_or_print_errors(self, values: dict[str, str]) -> Settings | None:
        """Return the settings of ``_settings_with``, or print the errors and return None."""
        try:
            return _settings_with(values, self.file)
        except SettingsError as error:
            for sentence in error.sentences:
                self.console.print(sentence, markup=False)
            return None

    async def _fetch_or_ask_price(self, key: str) -> Price:
        """Fetch the balance, at a cost of 0 credits. Return the price of a credit.

        If the balance does not show the price, ask for the pack. The default pack is "standard".
        """
        balance = await _fetch_balance(_settings_with({"STORIES_API_KEY": key}, self.file))
        left = balance.credits if balance else None
        dollars = credit_price_of_balance(balance.amount, balance.credits) if balance else None
        if dollars is not None:
            return Price(dollars, pack_of_credit_price(dollars), left)
        while (name := self._read_answer(_PLAN) or "standard") not in PACKS:
            self.console.print("Please try again.")
        pack = PACKS[name]
        return Price(pack.credit_price, pack, left)

    def _ask_for_daily_budget(self, price: Price) -> int:
        """Ask for the daily budget until an answer is valid. Return the budget in credits.

        The default is the present budget in the file, or a proposal if the file has no valid
        budget.
        """
        if price.pack:
            name, size, dollars = price.pack.name, price.pack.credits, price.pack.dollars
            self.console.print(
                f"Pack: {name}, {size:,} credits for ${dollars}.", markup=False, highlight=False
            )
        present = _valid_daily_budget_in_file(self.file)
        proposed = present or price.proposed_daily_budget
        self._print_plan(proposed, price)
        why = "current" if present else "proposed"
        question = f"How many credits may the bot spend a day? [{proposed}, {why}] "
        while True:
            answer = self._read_answer(question)
            if not answer:
                return proposed
            if _is_valid_daily_budget(answer):
                break
            text = f"Please write a number from {CHECK_COST} to {MOST_CREDITS:,}."
            self.console.print(text)
        if int(answer) != proposed:
            self._print_plan(int(answer), price)
        return int(answer)

    def _print_plan(self, daily_budget: int, price: Price) -> None:
        """Print the cost of a daily budget and the number of profiles that the budget can check.

        ``daily_budget`` is in credits. If the balance is unknown but the pack is known, a full
        pack is assumed.
        """
        size = price.pack.credits if price.pack else None
        balance = price.balance if price.balance is not None else size
        result = check.budget_result(BudgetPlan(daily_budget, price.dollars, balance))
        check.print_result(self.console, result)

    def _read_answer(self, question: str) -> str:
        """Ask a question. Return the answer in lower case, or "" at the end of the input."""
        try:
            return self.ask(question).strip().lower()
        except EOFError:
            return ""


async def main(
    *,
    ask: Callable[[str], str] = input,
    ask_secret: Callable[[str], str] = getpass.getpass,
    file: Path | None = None,
) -> StartsBot | NotWritten:
    """Ask for the values, check the values and write ``file``. Return whether to start the bot.

    Return None if no file was written.
    """
    path = (file or Path(ENV_FILE)).absolute()
    return await Setup(
        ask, ask_secret, path, Console(soft_wrap=True, highlight=False)
    ).ask_check_and_write_settings()


def _settings_with(values: dict[str, str], file: Path) -> Settings:
    """Return the settings in ``file`` and the environment, overridden by ``values``.

    A setting in ``_UNTRIED`` is a placeholder unless ``values`` contains the setting.

    Raises:
        SettingsError: A setting is invalid, or ``file`` can't be read.
    """
    fields = {name.lower(): value for name, value in (_UNTRIED | values).items()}
    return load(_env_file=file, **fields)


async def _fetch_balance(settings: Settings) -> Balance | None:
    """Fetch the balance, at a cost of 0 credits. Return None if the call fails."""
    try:
        async with check.stories_api_without_ledger(settings) as api:
            return await api.fetch_balance_and_resume()
    except BotError:
        return None


def _valid_daily_budget_in_file(file: Path) -> int | None:
    """Return the daily budget in ``file``, or None if ``file`` has no valid budget."""
    value = _value_in_file_or_empty(file, "DAILY_BUDGET")
    return int(value) if _is_valid_daily_budget(value) else None


def _value_in_file_or_empty(file: Path, setting_name: str) -> str:
    """Return the value of a setting in ``file``, or an empty string if ``file`` has no value."""
    return (dotenv_values(file).get(setting_name) or "") if file.exists() else ""


def _access_problem(file: Path) -> str:
    """Return the reason why a settings file can't be read or written, or an empty string.

    The test creates a temporary file in the folder of the settings file.
    """
    real = _path_without_symbolic_links(file)
    try:
        if os.path.lexists(real) and not real.is_file():
            return f"{file}: not a file"
        if real.exists():
            real.read_text(encoding=_ENCODING)
    except UnicodeDecodeError:
        return f"{file}: not UTF-8 text"
    except OSError as error:
        return reason_of_file_error(error)
    try:
        with tempfile.TemporaryFile(dir=real.parent):
            return ""
    except OSError as error:
        # Name the folder in the error, because the original error names the temporary file.
        return reason_of_file_error(OSError(error.errno, error.strerror, str(real.parent)))


def _path_without_symbolic_links(file: Path) -> Path:
    """Return the absolute path of a file, with all symbolic links resolved."""
    return Path(os.path.realpath(file))


def _is_valid_daily_budget(text: str) -> bool:
    return text.isascii() and text.isdecimal() and CHECK_COST <= int(text[:10]) <= MOST_CREDITS


def write_settings(file: Path, values: dict[str, str]) -> None:
    """Write ``values`` into a settings file that only the file's owner can read.

    Other lines of an existing file are kept, and usually also the file's owner. The target of a
    symbolic link is written.

    Raises:
        OSError: The file can't be written.
    """
    file = _path_without_symbolic_links(file)
    before = file.read_text(encoding=_ENCODING).splitlines() if file.exists() else []
    kept = [
        line
        for line in before
        if line.strip().removeprefix("export ").partition("=")[0].strip().upper() not in values
    ]
    lines = [*(f"{name}={value}" for name, value in values.items()), *kept]
    # ``mkstemp`` creates a file that only its owner can read.
    handle, name = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            if file.exists():
                with suppress(PermissionError):  # only root may change the owner of a file
                    os.fchown(handle, file.stat().st_uid, file.stat().st_gid)
            out.write("\n".join(lines) + "\n")
        Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)
