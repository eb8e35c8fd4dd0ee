"""Messages to the bot's owners, through the outbox.

If the database is unavailable, the messages are sent directly, and the caller decides about a
repetition.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import structlog
from telegram.error import BadRequest, NetworkError, TelegramError
from telegram.ext import ExtBot

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.model import Target
from bot.domain.records import REPLY
from bot.domain.zones import zone_or_utc
from bot.presentation.actions import Buttons
from bot.presentation.translation import Translator, translator_for
from bot.sending.replies import text_payload
from bot.store import chat_queues, chats, enqueue
from bot.store.engine.database import Database, Tx

log = structlog.get_logger()


class Owners:
    """Sends reports about the bot to its owners."""

    def __init__(
        self,
        db: Database,
        bot: ExtBot[Any],
        ids: Callable[[], Iterable[int]],
        *,
        wake: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        """Prepare to send messages to the owners whose ids ``ids`` returns.

        ``wake`` wakes the outbox. ``bot`` directly sends messages that cannot be stored.
        """
        self._db = db
        self._bot = bot
        self._ids = ids
        self.wake = wake
        self._now = now

    @property
    def ids(self) -> list[int]:
        """Return the ids of the owners."""
        return sorted(self._ids())

    async def enqueue(
        self,
        tx: Tx,
        text: Callable[[Translator], str],
        *,
        buttons: Callable[[Translator], Buttons] | None = None,
        silent: bool = False,
    ) -> None:
        """For each owner, add an HTML message in the owner's language to the outbox.

        If the database has no chat of an owner, the chat is added. The caller must call ``wake``
        after the commit.
        """
        now, ids = self._now(), self.ids
        for chat_id in ids:
            # The database possibly lacks the owner's chat, because the owner has written only to a
            # different installation.
            await chats.add_private_chat_if_missing(tx, chat_id, now=now)
        await chat_queues.lock_all(tx, ids)
        translators = await _translators(tx, ids)
        for chat_id in ids:
            t = translators[chat_id]
            shown = buttons(t) if buttons else None
            payload = {**text_payload(text(t), shown, silent=silent), "language": t.language}
            await enqueue.add_notice(tx, Target(chat_id), REPLY, payload, now=now)

    async def send_at_once(self, render: Callable[[Translator], str]) -> bool:
        """Send a plain text to each owner directly, because the database is unavailable.

        A failed send is logged and not retried. Return False if a later send may succeed, because
        Telegram could not be reached.
        """
        is_told = True
        ids = self.ids
        try:  # a database that refuses writes can still allow reads
            translators = await self._db.fetch(lambda tx: _translators(tx, ids))
        except DatabaseUnavailableError:
            translators = dict.fromkeys(ids, translator_for("en"))
        for chat_id, t in translators.items():
            try:
                await self._bot.send_message(chat_id, render(t))
            except TelegramError as error:
                log.warning("can't tell an owner", reason=str(error))
                # ``BadRequest`` is a subclass of ``NetworkError``.
                is_told &= isinstance(error, BadRequest) or not isinstance(error, NetworkError)
        return is_told


async def _translators(tx: Tx, ids: list[int]) -> dict[int, Translator]:
    known = {chat.id: chat for chat in await chats.get_all(tx, ids)}
    translators = {}
    for chat_id in ids:
        chat = known.get(chat_id)
        zone = zone_or_utc(chat.zone if chat else "UTC")
        language = chat.effective_language if chat else None
        translators[chat_id] = translator_for(language).in_zone(zone)
    return translators
