"""The calls that send messages into a chat: wait for a slot, confirm, call once."""

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from telegram.ext import ExtBot

from bot.runtime import transaction_guard
from bot.telegram import api
from bot.telegram.flood_limits import Lane
from bot.telegram.rate_limiter import HAS_SLOT, Order, Pacing, order_of


class Calls:
    """Makes the calls of a send, in a lane of the flood limits.

    The outbox derives a class that counts a copy before each call.
    """

    def __init__(self, bot: ExtBot[Any], lane: Lane = "reply") -> None:
        """Make calls with ``bot``."""
        self._bot = bot
        self.lane = lane

    async def make(
        self, method: str, arguments: dict[str, Any], *, patience: float | None = None
    ) -> Any:  # noqa: ANN401 - the JSON result of the method
        """Wait for a slot of the flood limits and make the call once. Return the JSON result.

        ``patience`` is the longest wait in seconds. Failed calls are not retried here.

        Raises:
            TooSoonError: The wait is longer than ``patience``, or the call is not confirmed.
            TelegramError: As any call of the bot.
        """
        transaction_guard.refuse_if_held(f"Telegram's {method}")
        limits = {"lane": self.lane, "patience": patience}
        async with self._slot(order_of(method, arguments, limits)):
            await self.confirm()
            return await api.call(self._bot, method, arguments, limits=HAS_SLOT)

    async def confirm(self) -> None:
        """Confirm, right before a request, that the request may be made.

        Raises:
            TooSoonError: The request may not be made.
        """

    def _slot(self, order: Order) -> AbstractAsyncContextManager[None]:
        limiter = self._bot.rate_limiter
        return limiter.slot(order) if isinstance(limiter, Pacing) else nullcontext()
