"""Bot API calls that return plain JSON.

PTB's objects for ten messages take most of an album's time, and updates are stored unchanged.
"""

from datetime import timedelta
from typing import Any

from telegram.error import RetryAfter
from telegram.ext import ExtBot


class TooSoonError(RetryAfter):
    """The bot itself kept a message from being sent; Telegram was not asked.

    ``why`` is for the log. The message may be tried again after the wait.
    """

    def __init__(self, wait: timedelta, why: str = "too many requests") -> None:
        """Keep the wait and the reason."""
        super().__init__(wait)
        self.why = why


async def call(
    bot: ExtBot[Any],
    method: str,
    arguments: dict[str, Any],
    *,
    limits: dict[str, Any] | None = None,
) -> Any:  # noqa: ANN401 - the result of the method
    """Call ``method`` through the bot's rate limiter and transport.

    ``limits`` are the ``rate_limit_args`` of ``bot.telegram.rate_limiter``.

    PTB's public method for this purpose, do_api_request, warns if PTB has a method of its own for
    the call, and accepts only PTB's objects as items of an album.

    Raises:
        TelegramError: The call failed.
    """
    data = {name: value for name, value in arguments.items() if value is not None}
    if bot.rate_limiter is not None:
        bot._merge_api_rl_kwargs(data, limits)  # noqa: SLF001 - see the docstring
    return await bot._do_post(method, data)  # noqa: SLF001 - see the docstring
