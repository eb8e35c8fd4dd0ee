"""How far the sending of several stories is: one line after 3 s, deleted at the end.

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

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.model import Muted, Outcome, Sent, Target, TryLater
from bot.domain.sentences import N_
from bot.presentation.translation import translator_for
from bot.runtime.background import beside
from bot.runtime.workers import is_set_within

log = structlog.get_logger()

PATIENCE_S = 3.0
_STEP_S = 1.0
_LINE = N_("Sending stories: {done} of {total}")


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
        if isinstance(outcome, Sent | TryLater | Muted):
            self._done += len(outcome.items)

    async def run(self) -> None:
        """Say how far it is, until ``stop``; a line that is on its way is waited for."""
        said, pause = "", PATIENCE_S
        while not await is_set_within(self._stopped, pause):
            pause = _STEP_S
            if (text := self._text()) != said:
                said = text
                await self._say(text)

    def stop(self) -> None:
        """Let ``run`` end."""
        self._stopped.set()

    async def close(self) -> None:
        """Take the line away."""
        if self._line:
            try:
                await self._line.delete()
            except (TelegramError, DatabaseUnavailableError) as error:
                log.info("a line stays", reason=str(error))

    def _text(self) -> str:
        t = self._t
        return t.plain(_LINE, done=self._done, total=self._total)

    async def _say(self, text: str) -> None:
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
        except (TelegramError, DatabaseUnavailableError) as error:
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
