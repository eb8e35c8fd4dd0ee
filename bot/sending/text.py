"""A sentence out, with what Telegram's answer means to us."""

from typing import Any

from telegram import LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.domain.model import Outcome, Sent, SentItem, Target
from bot.telegram.outcomes import outcome_of

NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Texts:
    """Sends what is owed to chats besides media."""

    def __init__(self, bot: ExtBot[Any]) -> None:
        """Send with ``bot``, whose limiter knows the lane of alerts."""
        self._bot = bot

    async def send(self, target: Target, html: str, *, silent: bool = False) -> Outcome:
        """Send one text in the lane of alerts; its item has no story."""
        limits: Any = {"lane": "alert", "weight": 1, "patience": None}
        limited = limits if self._bot.rate_limiter is not None else None
        try:
            message = await self._bot.send_message(
                target.chat_id,
                html,
                parse_mode=ParseMode.HTML,
                message_thread_id=target.thread_id,
                disable_notification=silent or None,
                link_preview_options=NO_PREVIEW,
                rate_limit_args=limited,
            )
        except TelegramError as error:
            return outcome_of(error)
        return Sent((SentItem("", message.message_id),))
