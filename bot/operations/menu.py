"""The menu of commands is given to Telegram in the background, and only where it has changed.

Telegram limits that hard: 460 to 1,127 seconds after a few restarts (reports in openclaw#32017 and
node-red-contrib-telegrambot#395). No update may wait for it.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from telegram import BotCommand
from telegram.error import RetryAfter, TelegramError

from bot.runtime.workers import Worker
from bot.store import key_values
from bot.store.database import Database
from bot.telegram.outcomes import wait_of

log = structlog.get_logger()

KEY = "menu"
PACE = timedelta(seconds=2)
AGAIN = timedelta(minutes=5)  # after Telegram failed
LONGEST = timedelta(days=1)

Publish = Callable[[str, list[BotCommand]], Awaitable[None]]


class Menu:
    """Gives one language at a time; ``publish`` sends one, and may raise TelegramErrors."""

    def __init__(
        self,
        db: Database,
        menus: Mapping[str, list[BotCommand]],
        publish: Publish,
        *,
        now: Callable[[], datetime],
    ) -> None:
        """Prepare to publish ``menus``, by language."""
        self._db = db
        self._menus = menus
        self._publish = publish
        self._now = now
        self.worker = Worker("menu", self._step, now=now, longest=LONGEST)

    async def _step(self) -> datetime | None:
        """Publish the next menu that Telegram has not; return when to go on."""
        async with self._db.read() as tx:
            kept = await key_values.get(tx, KEY)
        told: dict[str, str] = kept if isinstance(kept, dict) else {}
        for code, menu in self._menus.items():
            digest = digest_of(menu)
            if told.get(code) == digest:
                continue
            try:
                await self._publish(code, menu)
            except RetryAfter as error:
                log.info("the menu waits", seconds=wait_of(error).total_seconds())
                return self._now() + wait_of(error)
            except TelegramError as error:
                log.warning("the menu was not taken", language=code, why=str(error))
                return self._now() + AGAIN
            value = {**told, code: digest}
            await self._db.run(lambda tx: key_values.put(tx, KEY, value, now=self._now()))  # noqa: B023 - awaited here
            return self._now() + PACE
        return None


def digest_of(menu: Sequence[BotCommand]) -> str:
    """Return what differs when a menu does."""
    words = json.dumps([[command.command, command.description] for command in menu])
    return hashlib.sha256(words.encode()).hexdigest()[:16]
