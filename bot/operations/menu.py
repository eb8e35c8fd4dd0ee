"""Publication of the bot's menu and texts to Telegram, in the background, after changes only.

Telegram limits the calls severely: 460 to 1,127 seconds after a few restarts (reports in
openclaw#32017 and node-red-contrib-telegrambot#395). No update may wait for the publication.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from telegram.error import BadRequest, RetryAfter, TelegramError

from bot.store import key_values
from bot.store.engine.database import Database
from bot.telegram.outcomes import wait_of

log = structlog.get_logger()

_KEY = "menu"
_PAUSE = timedelta(seconds=2)
_AGAIN = timedelta(minutes=5)  # the pause after a failure of Telegram
LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shown:
    """A text that Telegram shows for the bot: its ``words``, and the call that publishes them."""

    words: object
    publish: Callable[[], Awaitable[object]]

    @property
    def digest(self) -> str:
        """Return a digest of the words, to detect a change."""
        return hashlib.sha256(json.dumps(self.words).encode()).hexdigest()[:16]


class Menu:
    """Publishes the texts step by step; a call may raise TelegramErrors."""

    def __init__(
        self,
        db: Database,
        shown: Mapping[str, Shown],
        *,
        now: Callable[[], datetime],
    ) -> None:
        """Prepare to publish ``shown``; the keys identify the stored digests."""
        self._db = db
        self._shown = shown
        self._now = now

    async def publish_next(self) -> datetime | None:
        """Publish the next outdated text; return when to continue, or None if all are current."""
        kept = await self._db.fetch(lambda tx: key_values.get(tx, _KEY))
        published: dict[str, str] = kept if isinstance(kept, dict) else {}
        for name, one in self._shown.items():
            if published.get(name) == one.digest:
                continue
            try:
                await one.publish()
            except RetryAfter as error:
                log.info("the menu waits", seconds=wait_of(error).total_seconds())
                return self._now() + wait_of(error)
            # Telegram may reject, for example, a language code.
            except BadRequest as error:
                log.warning("Telegram does not take it", what=name, why=str(error))
            except TelegramError as error:
                log.warning("Telegram has not taken it", what=name, why=str(error))
                return self._now() + _AGAIN
            value = {**published, name: one.digest}
            await self._db.run(lambda tx: key_values.put(tx, _KEY, value))  # noqa: B023 - awaited in this iteration
            return self._now() + _PAUSE
        return None
