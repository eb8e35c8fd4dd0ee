"""The rate limiter for PTB, which sends as fast as Telegram allows, and replies before alerts.

If the demanded waits of three chats end at almost the same time, and one of the chats is private,
this process assumes a limit of the whole bot, and makes no calls until the first of these waits
ends.
"""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import structlog
from telegram.error import TelegramError
from telegram.ext import BaseRateLimiter

from bot.domain.model import NoMaximum, TryLater
from bot.runtime import transaction_guard
from bot.runtime.clock import event_loop_time_s
from bot.telegram.api import TooSoonError
from bot.telegram.flood_limits import BotWindow, Lane, Ticket
from bot.telegram.limit_state import ChatFloods
from bot.telegram.outcomes import outcome_of

log = structlog.get_logger()

T = TypeVar("T")


# The methods with these prefixes, except ``_NOT_COUNTED``, send messages to a chat, so the flood
# limits apply.
_COUNTED = ("send", "copy", "forward")
_NOT_COUNTED = frozenset({"sendChatAction", "sendMessageDraft"})
# Without ``longest_wait_s``, an alert waits at most this many seconds for the limit of its chat.
_ALERT_CHAT_WAIT_S = 5.0
# If the demanded waits of this many chats end at almost the same time, and one of the chats is
# private, this process assumes a limit for the whole bot, and stops all its calls.
_CHATS_OF_ONE_FLOOD = 3
# Two waits end at almost the same time if their ends differ by at most this many seconds.
_SAME_END_S = 1.5


@dataclass(frozen=True, slots=True)
class LimitedCall:
    """The data that the rate limiter needs about a call of the Bot API."""

    chat: int | str | None
    weight: int
    """The number of messages that the call sends."""
    lane: Lane
    longest_wait_s: float | None
    """The longest single wait in seconds, or None for no maximum (see ``longest_chat_wait_s``)."""

    @property
    def longest_chat_wait_s(self) -> float | NoMaximum:
        """Return the longest wait for the limit of the chat, in seconds. None means no maximum.

        Without ``longest_wait_s``, the maximum of an alert is 5 seconds.
        """
        if self.longest_wait_s is None and self.lane == "alert":
            return _ALERT_CHAT_WAIT_S
        return self.longest_wait_s


class Pacing(BaseRateLimiter[dict[str, Any]]):
    """Limits the rate of messages.

    The ``rate_limit_args`` of a call are None or a dict with the optional keys ``lane`` and
    ``longest_wait_s``, which are explained in ``LimitedCall``.
    """

    def __init__(
        self,
        per_second: float = 28.0,
        *,
        floods: ChatFloods | None = None,
        replicas: Callable[[], Awaitable[int]] | None = None,
    ) -> None:
        """Allow ``per_second`` messages per second for all processes together.

        ``replicas`` returns the number of processes, which share the rate equally. Without
        ``replicas``, this process gets the whole rate.
        """
        self._rate = per_second
        self._floods = floods or ChatFloods(event_loop_time_s)
        self._count_replicas = replicas
        self._replicas = 1
        self._window = BotWindow()
        self._turn, self._alerts_turn = asyncio.Lock(), asyncio.Lock()
        self._stopped_until = 0.0
        self._stops: deque[tuple[float, int | str]] = deque(maxlen=16)

    @property
    def per_second(self) -> float:
        """Return the number of messages per second that this process may send."""
        return self._rate / self._replicas

    async def initialize(self) -> None:
        """Do nothing, because no resources are needed."""

    async def shutdown(self) -> None:
        """Do nothing, because no resources are in use."""

    async def process_request(  # noqa: PLR0917 - PTB's signature
        self,
        callback: Callable[..., Coroutine[Any, Any, bool | dict[str, Any] | list[dict[str, Any]]]],
        args: Any,  # noqa: ANN401 - PTB's signature
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: dict[str, Any] | None,
    ) -> bool | dict[str, Any] | list[dict[str, Any]]:
        """Wait until the limits allow the call, and make the call. A failure is not retried here.

        Raises:
            TooSoonError: The limits require a longer wait than the call allows (``LimitedCall``).
            TelegramError: The call failed.
        """
        transaction_guard.raise_or_log_if_transaction_held(f"Telegram's {endpoint}")
        call = limited_call(endpoint, data, **(rate_limit_args or {}))
        return await self.wait_and_call(call, partial(callback, *args, **kwargs))

    async def wait_and_call(self, call: LimitedCall, request: Callable[[], Awaitable[T]]) -> T:
        """Wait until the limits allow a call, count its messages, and return ``await request()``.

        A wait that Telegram demands also delays further messages to the chat.

        Raises:
            TooSoonError: The limits require a longer wait than the call allows.
            TelegramError: The call failed.
        """
        ticket = await self._wait_and_count(call)
        try:
            return await request()
        except TooSoonError:  # Telegram was not called
            raise
        except TelegramError as error:
            self._stop_chat_if_flooded(error, call)
            raise
        finally:
            if ticket:
                ticket.free_at = event_loop_time_s() + 1.0

    async def _wait_and_count(self, call: LimitedCall) -> Ticket | None:
        """Wait until the limits of the chat and of the bot allow a call. Count its messages.

        Return the ticket of the counted messages, or None if the call sends no message.

        Raises:
            TooSoonError: The limits require a longer wait than the call allows.
        """
        is_counted = False
        ticket = None
        while True:
            if call.chat is not None:
                if is_counted or not call.weight:
                    wait = self._floods.seconds_until_messages_allowed(call.chat)
                else:
                    wait = self._floods.count_messages_or_get_wait_s(
                        call.chat, call.weight, call.lane
                    )
                if wait:
                    await self._wait_or_raise_too_soon(wait, call.longest_chat_wait_s)
                    continue
                is_counted = True
            if ticket or (not call.weight and self._stopped_until <= event_loop_time_s()):
                break
            # Alerts first wait in their own queue. In the queue that alerts and replies share, a
            # reply therefore waits for at most one alert.
            first = self._alerts_turn if call.lane == "alert" else nullcontext()
            async with first, self._turn:
                ticket = await self._wait_and_take_bot_ticket(call)
            if not call.weight:
                break
        return ticket

    async def _wait_and_take_bot_ticket(self, call: LimitedCall) -> Ticket | None:
        """Wait until the limit of this process allows a call. Count its messages.

        Return the ticket, or None if the call sends no message. Only one call at a time may wait
        here.

        Raises:
            TooSoonError: A wait is longer than ``longest_wait_s`` of the call.
        """
        if self._count_replicas is not None:
            self._replicas = await self._count_replicas()
        while True:
            now, rate = event_loop_time_s(), self.per_second
            wait = self._stopped_until - now
            if call.weight:
                wait = max(
                    wait, self._window.drop_old_tickets_and_get_wait_s(now, call.weight, rate)
                )
            if wait <= 0:
                return self._window.count_sent(now, call.weight, rate) if call.weight else None
            await self._wait_or_raise_too_soon(wait, call.longest_wait_s)

    async def _wait_or_raise_too_soon(
        self, seconds: float, longest_wait_s: float | NoMaximum
    ) -> None:
        if longest_wait_s is not None and seconds > longest_wait_s:
            raise TooSoonError(timedelta(seconds=math.ceil(seconds)))
        if seconds > 0:
            await asyncio.sleep(seconds)

    def _stop_chat_if_flooded(self, error: TelegramError, call: LimitedCall) -> None:
        """Stop sending to the chat of a call if Telegram demands a wait in ``error``.

        If several chats show that Telegram limits the whole bot, stop all calls of this process.
        """
        outcome = outcome_of(error)
        if call.chat is None or not isinstance(outcome, TryLater) or outcome.after is None:
            return
        seconds = outcome.after.total_seconds()
        self._floods.forbid_messages(call.chat, seconds)
        self._stop_if_bot_wide(call.chat, event_loop_time_s() + seconds)

    def _stop_if_bot_wide(self, chat: int | str, until: float) -> None:
        """Stop all calls of this process if flood limits in three chats end at the same time.

        At least one of the chats must be private, because slow mode exists only in groups.
        """
        self._stops.append((until, chat))
        alike = {other: end for end, other in self._stops if abs(end - until) <= _SAME_END_S}
        some_private = any(isinstance(other, int) and other > 0 for other in alike)
        if len(alike) >= _CHATS_OF_ONE_FLOOD and some_private:
            shortest = min(alike.values())
            log.warning("Telegram stops the whole bot", s=round(shortest - event_loop_time_s(), 1))
            self._stopped_until = max(self._stopped_until, shortest)


def limited_call(
    endpoint: str,
    data: dict[str, Any],
    lane: Lane = "reply",
    longest_wait_s: float | NoMaximum = None,
) -> LimitedCall:
    """Return the data that the rate limiter needs about a call of the method ``endpoint``."""
    weight = 0
    if endpoint.startswith(_COUNTED) and endpoint not in _NOT_COUNTED:
        parts = data.get("media", data.get("message_ids"))
        weight = len(parts) if isinstance(parts, list | tuple) else 1
    return LimitedCall(data.get("chat_id"), weight, lane, longest_wait_s)
