"""Calls whose answers stay JSON.

PTB's objects of ten messages cost most of an album's time, and an update is stored as it came.
"""

from typing import Any

from telegram.ext import ExtBot


async def call(
    bot: ExtBot[Any],
    method: str,
    arguments: dict[str, Any],
    *,
    limits: dict[str, Any] | None = None,
    read_timeout: float | None = None,
) -> Any:  # noqa: ANN401 - what the method returns
    """Call ``method`` through the bot's limiter and transport; ``read_timeout`` in seconds.

    PTB's public way to do this, do_api_request, warns where PTB has a method of its own.

    Raises:
        TelegramError: As any call of the bot.
    """
    limited = limits if bot.rate_limiter is not None else None
    timeouts = {} if read_timeout is None else {"read_timeout": read_timeout}
    return await bot._post(  # noqa: SLF001 - see above
        method,
        arguments,
        api_kwargs=bot._merge_api_rl_kwargs(None, limited),  # noqa: SLF001 - the same
        **timeouts,
    )
