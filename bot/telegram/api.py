"""Bot API calls that return plain JSON instead of PTB's objects.

For an album, PTB's objects would take most of the time of the send. Updates must be stored
unchanged.
"""

from datetime import timedelta
from typing import Any

from telegram.error import RetryAfter
from telegram.ext import ExtBot


class TooSoonError(RetryAfter):
    """Raised if the bot itself must not make a call now. Telegram was not called.

    After the wait in the error, the call may be tried again. ``why`` is the reason for the log.
    """

    def __init__(self, wait: timedelta, why: str = "too many requests") -> None:
        """Store the wait after which the call may be tried again, and the reason ``why``."""
        super().__init__(wait)
        self.why = why


async def call_without_rate_limit(bot: ExtBot[Any], method: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - the result of the method
    """Call ``method`` of the Bot API through the bot's transport. Return the result as JSON.

    Arguments that are None are left out. PTB's method ``do_api_request`` is not used, because an
    album then needs PTB's objects.

    Raises:
        TelegramError: The call failed.
    """
    data = {name: value for name, value in arguments.items() if value is not None}
    return await super(ExtBot, bot)._do_post(method, data)
