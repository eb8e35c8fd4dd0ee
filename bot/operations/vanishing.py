"""Lines that vanish: what concerns one person only, and could not be told by a pop-up.

Kept in memory: a line that a crash leaves behind harms nobody.
"""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta

from telegram import Bot
from telegram.error import TelegramError

from bot.runtime.workers import Worker

LIFE = timedelta(seconds=8)
_LONGEST = timedelta(hours=1)


class Vanishing:
    """Deletes messages of the bot some seconds after they were sent."""

    def __init__(self, bot: Bot, *, now: Callable[[], datetime]) -> None:
        """Delete with ``bot``."""
        self._bot = bot
        self._now = now
        self._due: list[tuple[datetime, int, int]] = []
        self.worker = Worker("vanishing lines", self._step, now=now, longest=_LONGEST)

    def put(self, chat_id: int, message_id: int) -> None:
        """Let a message vanish soon."""
        heapq.heappush(self._due, (self._now() + LIFE, chat_id, message_id))
        self.worker.wake()

    async def _step(self) -> datetime | None:
        while self._due and self._due[0][0] <= self._now():
            _, chat_id, message_id = heapq.heappop(self._due)
            try:
                await self._bot.delete_message(chat_id, message_id)
            except TelegramError:  # it is gone, or it stays; there is no second try
                continue
        return self._due[0][0] if self._due else None
