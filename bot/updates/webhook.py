"""Telling Telegram where updates go; polling takes the webhook away by itself."""

from pydantic import SecretStr
from telegram.ext import ExtBot

_MOST_CONNECTIONS = 40  # Bot API, setWebhook: its default; a queue never has two at once


async def set_webhook(
    bot: ExtBot[None], url: str, *, secret: SecretStr, allowed_updates: list[str]
) -> None:
    """Have updates posted to ``url``; harmless when it is so already.

    Raises:
        TelegramError: Telegram doesn't take the address, or can't be reached.
    """
    await bot.set_webhook(
        url,
        secret_token=secret.get_secret_value(),
        allowed_updates=allowed_updates,
        max_connections=_MOST_CONNECTIONS,
    )
