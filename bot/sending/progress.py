"""How far the sending of many stories is: one line after 3 s, edited, then deleted.

The line is no answer, so it is kept nowhere: what goes wrong with it spoils nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from telegram import Message
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.domain.errors import N_
from bot.domain.model import Outcome, Sent, Target, TryLater
from bot.presentation.translation import translator_for
from bot.runtime.beside import beside

log = structlog.get_logger()

PATIENCE_S = 3.0
STEP_S = 1.0
LINE = N_("Sending stories: {done} of {total}")


class Progress:
    """One line in one chat."""

    def __init__(self, bot: ExtBot[Any], target: Target, total: int, language: str | None) -> None:
        """Count up to ``total`` stories."""
        self._bot = bot
        self._target = target
        self._total = total
        self._t = translator_for(language)
        self._done = 0
        self._line: Message | None = None
        self._stopped = asyncio.Event()

    def add(self, outcome: Outcome) -> None:
        """Count what has arrived."""
        if isinstance(outcome, Sent | TryLater):
            self._done += len(outcome.items)

    async def run(self) -> None:
        """Say how far it is, until ``stop``; a line that is on its way is waited for."""
        said, pause = -1, PATIENCE_S
        while not await self._is_stopped(within=pause):
            pause = STEP_S
            if self._done != said:
                said = self._done
                await self._say()

    def stop(self) -> None:
        """Let ``run`` end."""
        self._stopped.set()

    async def _is_stopped(self, *, within: float) -> bool:
        try:
            async with asyncio.timeout(within):
                return await self._stopped.wait()
        except TimeoutError:
            return False

    async def close(self) -> None:
        """Take the line away."""
        if self._line:
            try:
                await self._line.delete()
            except TelegramError as error:
                log.info("a line stays", reason=str(error))

    async def _say(self) -> None:
        text = self._t.plain(
            LINE, done=self._t.number(self._done), total=self._t.number(self._total)
        )
        try:
            if self._line:
                await self._line.edit_text(text)
            else:
                self._line = await self._bot.send_message(
                    self._target.chat_id,
                    text,
                    message_thread_id=self._target.thread_id,
                    disable_notification=True,
                )
        except TelegramError as error:
            log.info("how far it is can't be said", reason=str(error))


@asynccontextmanager
async def progress_of(
    bot: ExtBot[Any], target: Target, payloads: Sequence[dict[str, Any]]
) -> AsyncIterator[Progress]:
    """Tell how far the albums among ``payloads`` are while the block sends them."""
    total = sum(len(one["stories"]) for one in payloads if one["kind"] == "album")
    language = next((one.get("language") for one in payloads), None)
    progress = Progress(bot, target, total, language)
    if total <= 1:
        yield progress
        return
    try:
        async with beside(progress.run(), end=progress.stop):
            yield progress
    except Exception:
        await progress.close()
        raise
    await progress.close()
