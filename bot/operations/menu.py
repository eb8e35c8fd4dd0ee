"""The publication of the bot's menu and descriptions to Telegram, in the background.

Only changed texts are published, because Telegram strictly limits these calls: a call must wait
for 460 to 1,127 seconds after a few restarts (openclaw#32017, node-red-contrib-telegrambot#395).
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from telegram.error import BadRequest, RetryAfter, TelegramError

from bot.runtime.workers import NextStepAt, UntilWoken
from bot.store import key_values
from bot.store.engine.database import Database
from bot.telegram.outcomes import demanded_wait

log = structlog.get_logger()

_KEY = "menu"
_SOURCES = "sources"  # the key of the digest of the sources of all texts
_PAUSE = timedelta(seconds=2)
_AGAIN = timedelta(minutes=5)  # the pause after a failed call to Telegram
LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BotText:
    """A text that Telegram shows for the bot, for example a description.

    ``content`` is the text, or a list of commands. ``publish`` sends the text to Telegram.
    """

    content: object
    publish: Callable[[], Awaitable[object]]

    @property
    def digest(self) -> str:
        """Return a digest of the content. A changed digest means that the text has changed."""
        return hashlib.sha256(json.dumps(self.content).encode()).hexdigest()[:16]


class Menu:
    """Publishes the menu and the descriptions one after the other."""

    def __init__(
        self,
        db: Database,
        load_texts: Callable[[], Mapping[str, BotText]],
        digest_of_sources: Callable[[], str],
        *,
        now: Callable[[], datetime],
    ) -> None:
        """Prepare to publish the texts that ``load_texts`` returns, each under a key.

        ``digest_of_sources`` returns a digest of all data that determines the texts.
        ``load_texts`` is slow and is called only after a change of this digest.
        """
        self._db = db
        self._load_texts = load_texts
        self._digest_of_sources = digest_of_sources
        self._sources = ""  # the digest of the sources, which stay the same until a restart
        self._now = now

    async def publish_next_changed_text(self) -> NextStepAt | UntilWoken:
        """Publish the next text that has changed since the last publication of the text.

        Return the time at which to continue, or None if all texts are published. A text that
        Telegram rejects counts as published.
        """
        kept = await self._db.fetch(lambda tx: key_values.get(tx, _KEY))
        published: dict[str, str] = kept if isinstance(kept, dict) else {}
        self._sources = self._sources or self._digest_of_sources()
        if published.get(_SOURCES) == self._sources:
            return None
        for name, text in self._load_texts().items():
            if published.get(name) == text.digest:
                continue
            try:
                await text.publish()
            except RetryAfter as error:
                log.info("the menu waits", seconds=demanded_wait(error).total_seconds())
                return self._now() + demanded_wait(error)
            # Telegram may reject a text, for example for an unknown language code. A rejected text
            # is not retried.
            except BadRequest as error:
                log.warning("Telegram does not take it", what=name, why=str(error))
            except TelegramError as error:
                log.warning("Telegram has not taken it", what=name, why=str(error))
                return self._now() + _AGAIN
            value = {**published, name: text.digest}
            await self._db.run(lambda tx: key_values.put(tx, _KEY, value))  # noqa: B023 - awaited in this iteration
            return self._now() + _PAUSE
        all_published = {**published, _SOURCES: self._sources}
        await self._db.run(lambda tx: key_values.put(tx, _KEY, all_published))
        return None
