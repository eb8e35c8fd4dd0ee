"""How far the sending of many stories, or of a large video, is: one line after 3 s, then deleted.

The line is no answer, so it is kept nowhere: what goes wrong with it spoils nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import structlog
from telegram import Message
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.domain.errors import N_, DatabaseUnavailableError
from bot.domain.model import Muted, Outcome, Sent, Target, TryLater
from bot.presentation.translation import translator_for
from bot.runtime.background import beside
from bot.runtime.workers import is_set_within

log = structlog.get_logger()

PATIENCE_S = 3.0
_STEP_S = 1.0
_LARGE = 10 * 2**20  # bytes of a video that is worth a word
_LINE = N_("Sending stories: {done} of {total}")
_LARGE_LINE = N_("Sending a large video: {megabytes} MB")

_current: ContextVar["Progress | None"] = ContextVar("_current", default=None)


def uploading(size: int) -> None:
    """Note that a video of so many bytes is about to be uploaded, where somebody waits for it."""
    if progress := _current.get():
        progress.large = max(progress.large, size)


class Progress:
    """One line in one chat."""

    def __init__(self, bot: ExtBot[Any], target: Target, total: int, language: str | None) -> None:
        """Count up to ``total`` stories."""
        self._bot = bot
        self._target = target
        self._total = total
        self._t = translator_for(language)
        self._done = 0
        self.large = 0
        """Bytes of the largest video that is uploaded."""
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
        """Return what is said now; of one story nothing, but for a large video."""
        t = self._t
        if self._total > 1:
            return t.plain(_LINE, done=self._done, total=self._total)
        if self.large >= _LARGE:
            return t.plain(_LARGE_LINE, megabytes=round(self.large / 1e6))
        return ""

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
    if not total:
        yield progress
        return
    token = _current.set(progress)
    try:
        async with beside(progress.run(), end=progress.stop):
            yield progress
    except Exception:
        await progress.close()
        raise
    finally:
        _current.reset(token)
    await progress.close()
