"""Answers presses of buttons whose handlers can't begin yet, so that the button stops spinning.

Telegram takes the answer to a press for some 15 to 30 seconds only (Telethon#4073, nutgram#725),
and a chat's updates are handled one after the other. So a press that still waits after 2 seconds
is answered without words; what its handler has to say then comes as a message.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from telegram import Bot
from telegram.error import TelegramError

log = structlog.get_logger()

PATIENCE_S = 2.0


class Presses:
    """Watches presses from when they are stored until their handlers begin."""

    def __init__(
        self,
        bot: Bot,
        is_waiting: Callable[[int], Awaitable[bool]],
        patience_s: float = PATIENCE_S,
    ) -> None:
        """``is_waiting`` tells of an update's number whether no process has begun it."""
        self._bot = bot
        self._is_waiting = is_waiting
        self._patience_s = patience_s
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def watch(self, group: asyncio.TaskGroup, update: object) -> None:
        """Answer the press in ``update`` when it has waited too long; other updates are let be."""
        query = update.get("callback_query") if isinstance(update, dict) else None
        if not isinstance(update, dict) or not isinstance(query, dict):
            return
        number, query_id = update.get("update_id"), query.get("id")
        if isinstance(number, int) and isinstance(query_id, str) and number not in self._tasks:
            self._tasks[number] = group.create_task(self._answer(number, query_id))

    def begun(self, number: int) -> None:
        """Leave the answer to the handler: it has begun."""
        if task := self._tasks.pop(number, None):
            task.cancel()

    def close(self) -> None:
        """Watch no more."""
        for number in list(self._tasks):
            self.begun(number)

    async def _answer(self, number: int, query_id: str) -> None:
        await asyncio.sleep(self._patience_s)
        try:
            if await self._is_waiting(number):
                await self._bot.answer_callback_query(query_id)
        except (TelegramError, OSError) as error:
            log.info("a waiting button can't be answered", reason=str(error))
        finally:
            self._tasks.pop(number, None)
