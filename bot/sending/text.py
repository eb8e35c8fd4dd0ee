"""A sentence out, with what Telegram's answer means to us."""

from typing import Any

from telegram import LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.domain.model import Outcome, Sent, SentItem, Target
from bot.telegram.api import Leaving, NotWantedError
from bot.telegram.outcomes import NOT_WANTED, outcome_of

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Texts:
    """Sends what is owed to chats besides media."""

    def __init__(self, bot: ExtBot[Any]) -> None:
        """Send with ``bot``, whose limiter knows the lane of alerts."""
        self._bot = bot

    @property
    def bot_name(self) -> str:
        """Return the bot's username, which links into its private chat name."""
        return self._bot.username

    async def send(
        self, target: Target, html: str, *, silent: bool = False, leaving: Leaving | None = None
    ) -> Outcome:
        """Send one text in the lane of alerts; its item has no story.

        ``leaving`` is told right before the message leaves.
        """
        limits: Any = {"lane": "alert", "weight": 1, "patience": None, "leaving": leaving}
        limited = limits if self._bot.rate_limiter is not None else None
        try:
            if leaving and limited is None:
                await leaving()
            message = await self._bot.send_message(
                target.chat_id,
                html,
                parse_mode=ParseMode.HTML,
                message_thread_id=target.thread_id,
                disable_notification=silent or None,
                link_preview_options=_NO_PREVIEW,
                rate_limit_args=limited,
            )
        except TelegramError as error:
            return outcome_of(error)
        except NotWantedError:
            return NOT_WANTED
        return Sent((SentItem("", message.message_id),))
