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
) -> Any:  # noqa: ANN401 - what the method returns
    """Call ``method`` through the bot's limiter and transport.

    PTB's public way to do this, do_api_request, warns where PTB has a method of its own, and
    takes no items of an album but its own objects.

    Raises:
        TelegramError: As any call of the bot.
    """
    data = {name: value for name, value in arguments.items() if value is not None}
    if bot.rate_limiter is not None:
        bot._merge_api_rl_kwargs(data, limits)  # noqa: SLF001 - see above
    return await bot._do_post(method, data)  # noqa: SLF001 - the same
