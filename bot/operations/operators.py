"""What the bot's owner is told: owed like every answer, so that an outage loses none of it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import structlog
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.model import Target
from bot.presentation.translation import Translator, translator_for
from bot.sending.replies import text_of
from bot.store import chat_queues, chats, enqueue
from bot.store.database import Database, Tx

log = structlog.get_logger()


class Operators:
    """The people who run the bot: told when something needs them."""

    def __init__(
        self,
        db: Database,
        bot: ExtBot[Any],
        ids: Iterable[int],
        *,
        wake: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        """Write to ``ids``; each must have started the bot once, else Telegram refuses.

        ``wake`` tells the outbox, which sends. ``bot`` is for what can't be stored.
        """
        self._db = db
        self._bot = bot
        self._ids = sorted(ids)
        self._wake = wake
        self._now = now

    async def tell(self, sentence: str, /, **fields: object) -> None:
        """Owe a sentence, a message id, to each in their language.

        It is said at once where the database can't work.
        """
        log.warning("operators told", sentence=translator_for("en").plain(sentence, **fields))
        if not self._ids:
            return
        try:
            await self._db.run(lambda tx: self._owe(tx, sentence, fields))
        except DatabaseUnavailableError:
            await self._say(sentence, fields)
        else:
            self._wake()

    async def _owe(self, tx: Tx, sentence: str, fields: Mapping[str, object]) -> None:
        now = self._now()
        for chat_id in self._ids:
            # Who has written to another copy of the bot only is unknown to this database.
            await chats.meet(tx, chat_id, now=now)
        spoken = await self._languages(tx)
        for chat_id in self._ids:
            t = spoken[chat_id]
            payload = {**text_of(t(sentence, **fields)), "language": t.language}
            await enqueue.add_reply(tx, Target(chat_id), payload, now=now, due_at=now)
            await chat_queues.wake(tx, chat_id, due_at=now, now=now)

    async def _languages(self, tx: Tx) -> dict[int, Translator]:
        known = {chat.id: chat.spoken for chat in await chats.get_all(tx, self._ids)}
        return {chat_id: translator_for(known.get(chat_id)) for chat_id in self._ids}

    async def _say(self, sentence: str, fields: Mapping[str, object]) -> None:
        try:  # a database that takes nothing may still be read
            async with self._db.read() as tx:
                spoken = await self._languages(tx)
        except DatabaseUnavailableError:
            spoken = dict.fromkeys(self._ids, translator_for("en"))
        for chat_id, t in spoken.items():
            try:
                await self._bot.send_message(chat_id, t.plain(sentence, **fields))
            except TelegramError as error:
                log.warning("can't tell an operator", reason=str(error))
