"""Calls whose answers stay JSON.

PTB's objects of ten messages cost most of an album's time, and an update is stored as it came.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from telegram.error import RetryAfter
from telegram.ext import ExtBot

Leaving = Callable[[], Awaitable[None]]
"""What is told right before a message leaves for its chat: from then on it may be there.

Before it there may be downloads, uploads and flood limits: a crash in that time leaves nothing
behind. It raises ``NotWantedError`` to keep the message from leaving.
"""


class NotWantedError(Exception):
    """What was about to leave may not: it was ended, is another's to send, or the bot stops."""


class TooSoonError(RetryAfter):
    """Our own limits kept a message from leaving; Telegram was not asked."""


async def call(
    bot: ExtBot[Any],
    method: str,
    arguments: dict[str, Any],
    *,
    limits: dict[str, Any] | None = None,
) -> Any:  # noqa: ANN401 - what the method returns
    """Call ``method`` through the bot's limiter and transport.

    ``limits`` may name ``lane``, ``weight``, ``patience`` and ``leaving``, as
    ``bot.telegram.rate_limiter`` knows them.

    PTB's public way to do this, do_api_request, warns where PTB has a method of its own, and
    takes no items of an album but its own objects.

    Raises:
        TelegramError: As any call of the bot.
        NotWantedError: ``leaving`` kept it from being made.
    """
    data = {name: value for name, value in arguments.items() if value is not None}
    if bot.rate_limiter is not None:
        bot._merge_api_rl_kwargs(data, limits)  # noqa: SLF001 - see above
    elif limits and limits.get("leaving"):
        await limits["leaving"]()
    return await bot._do_post(method, data)  # noqa: SLF001 - the same
