"""The calls that send messages to a chat. Each call waits for the flood limits."""

from typing import Any

from telegram.ext import ExtBot

from bot.domain.model import NoMaximum
from bot.runtime import transaction_guard
from bot.telegram import api
from bot.telegram.flood_limits import Lane
from bot.telegram.rate_limiter import Pacing, limited_call


class Calls:
    """Makes the calls of a send. ``lane`` selects the flood limits: for replies or for alerts.

    The outbox has a subclass that records a send before its first request.
    """

    def __init__(self, bot: ExtBot[Any], lane: Lane = "reply") -> None:
        """Use ``bot`` to make the calls."""
        self._bot = bot
        self.lane = lane

    async def call_once(
        self, method: str, arguments: dict[str, Any], *, longest_wait_s: float | NoMaximum
    ) -> Any:  # noqa: ANN401 - the JSON result of the method
        """Wait until the flood limits allow the call, make the call, and return the JSON result.

        ``longest_wait_s`` is the longest single wait in seconds. If ``longest_wait_s`` is None,
        only an alert has a maximum, which is 5 seconds for the limit of its chat. A failed call is
        retried only if nothing was sent.

        Raises:
            TooSoonError: A wait would be longer than allowed, or ``before_request`` refused the
                request.
            TelegramError: The call failed.
            DatabaseUnavailableError: A subclass can't record the send in the database.
        """
        transaction_guard.raise_or_log_if_transaction_held(f"Telegram's {method}")

        async def check_and_call() -> Any:  # noqa: ANN401 - the JSON result of the method
            await self.before_request()
            return await api.call_without_rate_limit(self._bot, method, arguments)

        limiter = self._bot.rate_limiter
        if not isinstance(limiter, Pacing):
            return await check_and_call()
        limited = limited_call(method, arguments, self.lane, longest_wait_s)
        return await limiter.wait_and_call(limited, check_and_call)

    async def before_request(self) -> None:
        """Check, immediately before a request, that the request may still be made.

        A subclass may check and record the request.

        Raises:
            TooSoonError: The request must not be made now.
        """
