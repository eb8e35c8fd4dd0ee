"""As fast as Telegram allows, and no faster: PTB's rate limiter, with two lanes.

Replies go before alerts. A 429 closes its chat for as long as Telegram says. Telegram never says
that a 429 means the whole bot: where three chats are closed until the same moment, a private one
among them, the whole bot stops for the shortest of their times.
"""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from telegram.error import TelegramError
from telegram.ext import BaseRateLimiter

from bot.domain.model import TryLater
from bot.runtime import transaction_guard
from bot.runtime.clock import steady
from bot.telegram.api import TooSoonError
from bot.telegram.flood_limits import BotWindow, Lane, Ticket
from bot.telegram.limit_state import ChatFloods
from bot.telegram.outcomes import outcome_of

log = structlog.get_logger()


_COUNTED = ("send", "copy", "forward")  # methods that put a message into a chat
_NOT_COUNTED = frozenset({"sendChatAction", "sendMessageDraft"})
_ALERT_PATIENCE_S = 5.0  # how long an alert waits here for its chat, holding a place in the outbox
HAS_SLOT: dict[str, Any] = {"has_slot": True}  # the rate_limit_args of a call inside a slot
_CHATS_OF_ONE_FLOOD = 3  # whose 429s end together: they are meant for the whole bot
_SAME_END_S = 1.5  # how far apart such ends may be


@dataclass(frozen=True, slots=True)
class Order:
    """One call as the limits see it; ``patience`` is the longest wait in seconds."""

    chat: int | str | None
    weight: int
    lane: Lane
    patience: float | None

    @property
    def patience_with_chat(self) -> float | None:
        """Return how long it wants to wait for its chat: an alert can wait in the outbox."""
        if self.patience is None and self.lane == "alert":
            return _ALERT_PATIENCE_S
        return self.patience


class Pacing(BaseRateLimiter[dict[str, Any]]):
    """Spaces messages.

    ``rate_limit_args`` may have the ``lane`` and the ``patience`` of an ``Order``, or are
    ``HAS_SLOT``.
    """

    def __init__(
        self,
        per_second: float = 28.0,
        *,
        floods: ChatFloods | None = None,
        replicas: Callable[[], Awaitable[int]] | None = None,
        clock: Callable[[], float] = steady,
    ) -> None:
        """Let ``per_second`` messages out, all ``replicas`` together: each lets out its part."""
        self._rate = per_second
        self._floods = floods or ChatFloods(clock)
        self._count_replicas = replicas
        self._replicas = 1
        self._clock = clock
        self._window = BotWindow()
        self._turn, self._alerts_turn = asyncio.Lock(), asyncio.Lock()
        self._stopped_until = 0.0
        self._stops: deque[tuple[float, int | str]] = deque(maxlen=16)

    @property
    def per_second(self) -> float:
        """Return how many messages a second are let out now."""
        return self._rate / self._replicas

    async def initialize(self) -> None:
        """Nothing is needed."""

    async def shutdown(self) -> None:
        """Nothing is left."""

    async def process_request(  # noqa: PLR0917 - PTB's signature
        self,
        callback: Callable[..., Coroutine[Any, Any, bool | dict[str, Any] | list[dict[str, Any]]]],
        args: Any,  # noqa: ANN401 - PTB's signature
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: dict[str, Any] | None,
    ) -> bool | dict[str, Any] | list[dict[str, Any]]:
        """Wait for a slot, unless the caller holds a slot, and make the call once.

        Raises:
            TooSoonError: The chat, or the bot, is full for longer than the call waits.
            TelegramError: As any call of the bot. No failure is repeated here.
        """
        transaction_guard.refuse_if_held(f"Telegram's {endpoint}")
        limits = rate_limit_args or {}
        if limits is HAS_SLOT:
            return await callback(*args, **kwargs)
        async with self.slot(order_of(endpoint, data, limits)):
            return await callback(*args, **kwargs)

    @asynccontextmanager
    async def slot(self, order: Order) -> AsyncIterator[None]:
        """Wait until a call may be made, and count the call; the call is made inside the block.

        A 429 inside the block closes the chat.

        Raises:
            TooSoonError: The chat, or the bot, is full for longer than the call waits.
        """
        ticket = await self._wait_and_count(order)
        try:
            yield
        except TooSoonError:  # Telegram was not asked
            raise
        except TelegramError as error:
            self._close_flooded(error, order)
            raise
        finally:
            if ticket:
                ticket.free_at = self._clock() + 1.0

    async def _wait_and_count(self, order: Order) -> Ticket | None:
        """Return when the call may be made, counted."""
        is_counted = False
        ticket = None
        while True:
            if order.chat is not None:
                if is_counted or not order.weight:
                    wait = self._floods.closed_for(order.chat)
                else:
                    wait = self._floods.count_or_wait(order.chat, order.weight, order.lane)
                if wait:
                    await self._wait_or_refuse(wait, order.patience_with_chat)
                    continue
                is_counted = True
            if ticket or (not order.weight and self._stopped_until <= self._clock()):
                break
            # Of all alerts only one at a time stands in line with the replies.
            first = self._alerts_turn if order.lane == "alert" else nullcontext()
            async with first, self._turn:
                ticket = await self._wait_for_slot(order)
            if not order.weight:
                break
        return ticket

    async def _wait_for_slot(self, order: Order) -> Ticket | None:
        """Wait for the bot's own limit; only one call at a time is here."""
        await self._update_replicas()
        while True:
            now, rate = self._clock(), self.per_second
            wait = self._stopped_until - now
            if order.weight:
                wait = max(wait, self._window.seconds_to_wait(now, order.weight, rate))
            if wait <= 0:
                return self._window.count_sent(now, order.weight, rate) if order.weight else None
            await self._wait_or_refuse(wait, order.patience)

    async def _update_replicas(self) -> None:
        """Learn with how many others the rate is shared."""
        if self._count_replicas is not None:
            self._replicas = await self._count_replicas()

    async def _wait_or_refuse(self, seconds: float, patience: float | None) -> None:
        if patience is not None and seconds > patience:
            raise TooSoonError(timedelta(seconds=math.ceil(seconds)))
        if seconds > 0:
            await asyncio.sleep(seconds)

    def _close_flooded(self, error: TelegramError, order: Order) -> None:
        """Close the chat of a call, or the whole bot, for the time that Telegram demands."""
        outcome = outcome_of(error)
        if order.chat is None or not isinstance(outcome, TryLater) or outcome.after is None:
            return
        seconds = outcome.after.total_seconds()
        self._floods.close(order.chat, seconds)
        self._stop_if_bot_wide(order.chat, self._clock() + seconds)

    def _stop_if_bot_wide(self, chat: int | str, until: float) -> None:
        """Stop the bot where several chats open at one moment, a private one among them.

        Groups have slow modes of their own, private chats have not.
        """
        self._stops.append((until, chat))
        alike = {other: end for end, other in self._stops if abs(end - until) <= _SAME_END_S}
        some_private = any(isinstance(other, int) and other > 0 for other in alike)
        if len(alike) >= _CHATS_OF_ONE_FLOOD and some_private:
            shortest = min(alike.values())
            log.warning("Telegram stops the whole bot", s=round(shortest - self._clock(), 1))
            self._stopped_until = max(self._stopped_until, shortest)


def order_of(endpoint: str, data: dict[str, Any], limits: dict[str, Any]) -> Order:
    """Return what the limits need to know of a call."""
    counted = endpoint.startswith(_COUNTED) and endpoint not in _NOT_COUNTED
    weight = _weight_of(data) if counted else 0
    lane: Lane = "alert" if limits.get("lane") == "alert" else "reply"
    return Order(data.get("chat_id"), weight, lane, limits.get("patience"))


def _weight_of(data: dict[str, Any]) -> int:
    for name in ("media", "message_ids"):
        if isinstance(data.get(name), list | tuple):
            return len(data[name])
    return 1
