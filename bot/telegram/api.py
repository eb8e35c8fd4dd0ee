"""Bot API calls that return plain JSON.

PTB's objects for ten messages take most of an album's time, and updates are stored unchanged.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from telegram.error import RetryAfter
from telegram.ext import ExtBot

Leaving = Callable[[], Awaitable[None]]
"""A callback right before a message is sent, after which the message may be in the chat.

Downloads, uploads and waits for flood limits may come before the callback. A crash in that time
has no effect in the chat. The callback raises ``NotWantedError`` to prevent the send.
"""


class NotWantedError(Exception):
    """The message must not be sent.

    The message was cancelled, a different process must send the message, or the bot is stopping.
    """


class TooSoonError(RetryAfter):
    """The bot's own rate limits prevented a send. Telegram was not called."""


async def call(
    bot: ExtBot[Any],
    method: str,
    arguments: dict[str, Any],
    *,
    limits: dict[str, Any] | None = None,
) -> Any:  # noqa: ANN401 - the result of the method
    """Call ``method`` through the bot's rate limiter and transport.

    ``limits`` may contain ``lane``, ``weight``, ``patience`` and ``leaving``, as documented in
    ``bot.telegram.rate_limiter``.

    PTB's public method for this purpose, do_api_request, warns if PTB has a method of its own for
    the call, and accepts only PTB's objects as items of an album.

    Raises:
        TelegramError: The call failed.
        NotWantedError: ``leaving`` prevented the call.
    """
    data = {name: value for name, value in arguments.items() if value is not None}
    if bot.rate_limiter is not None:
        bot._merge_api_rl_kwargs(data, limits)  # noqa: SLF001 - see the docstring
    elif limits and limits.get("leaving"):
        await limits["leaving"]()
    return await bot._do_post(method, data)  # noqa: SLF001 - see the docstring
