"""Messages to the bot's owners, enqueued like every reply, so that an outage loses no message."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import structlog
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.model import Target
from bot.domain.zones import zone_of
from bot.presentation.actions import Buttons
from bot.presentation.translation import Translator, translator_for
from bot.sending.replies import text_payload
from bot.store import chat_queues, chats, enqueue
from bot.store.engine.database import Database, Tx

log = structlog.get_logger()


class Owners:
    """The owners of the bot; problems are reported to the owners."""

    def __init__(
        self,
        db: Database,
        bot: ExtBot[Any],
        ids: Callable[[], Iterable[int]],
        *,
        wake: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        """Write to ``ids``; an owner must have started the bot once, else Telegram refuses.

        ``wake`` wakes the outbox, which sends. ``bot`` sends messages that cannot be stored.
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
        """Enqueue an HTML message for each owner; call ``wake`` after the commit."""
        now, ids = self._now(), self.ids
        for chat_id in ids:
            # The database may have no chat of an owner who wrote only to a different installation.
            await chats.ensure_private(tx, chat_id, now=now)
        translators = await _translators(tx, ids)
        for chat_id in ids:
            t = translators[chat_id]
            shown = buttons(t) if buttons else None
            payload = {**text_payload(text(t), shown, silent=silent), "language": t.language}
            await enqueue.add_reply(tx, Target(chat_id), payload, now=now, due_at=now)
            await chat_queues.make_due(tx, chat_id, due_at=now, now=now)

    async def send_at_once(self, render: Callable[[Translator], str]) -> None:
        """Send each owner a plain text without the outbox, while the database can't work."""
        ids = self.ids
        try:  # if the database refuses writes, reads may still succeed
            translators = await self._db.fetch(lambda tx: _translators(tx, ids))
        except DatabaseUnavailableError:
            translators = dict.fromkeys(ids, translator_for("en"))
        for chat_id, t in translators.items():
            try:
                await self._bot.send_message(chat_id, render(t))
            except TelegramError as error:
                log.warning("can't tell an owner", reason=str(error))


async def _translators(tx: Tx, ids: list[int]) -> dict[int, Translator]:
    known = {chat.id: chat for chat in await chats.get_all(tx, ids)}
    translators = {}
    for chat_id in ids:
        chat = known.get(chat_id)
        zone = zone_of(chat.zone if chat else "UTC")
        language = chat.effective_language if chat else None
        translators[chat_id] = translator_for(language).in_zone(zone)
    return translators
