"""As fast as Telegram allows, and no faster: PTB's rate limiter, with two lanes.

Replies go before alerts. A 429 stops its chat, or the whole bot when it is the bot's, as long as
told, whoever else is on the way. Telegram doesn't say whose it is: when several chats are stopped
alike, one message to another chat goes ahead and tells, while all others wait for it.
"""

import asyncio
import heapq
import itertools
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog
from telegram._utils.types import JSONDict
from telegram.error import ChatMigrated, RetryAfter, TelegramError
from telegram.ext import BaseRateLimiter

from bot.domain.model import TryLater
from bot.runtime import holding
from bot.runtime.clock import steady
from bot.runtime.metrics import Metrics
from bot.runtime.places import waiting
from bot.telegram.api import Leaving, TooSoonError
from bot.telegram.flood_limits import BotRate, BotWindow, Lane, Ticket
from bot.telegram.limit_state import LimitState, LocalLimitState
from bot.telegram.outcomes import outcome_of

log = structlog.get_logger()


_COUNTED = ("send", "copy", "forward")  # methods that put a message into a chat
_NOT_COUNTED = frozenset({"sendChatAction", "sendMessageDraft"})
PATIENCE_S = 30.0  # that a reply waits after a 429; an alert has the outbox for that
_ALERT_PATIENCE_S = 5.0  # that an alert waits for its chat; else it would keep others from going
_STAYS_OPEN_S = 1.0  # a chat that another replica closes meanwhile answers 429 once more
_TRIES = 3
_SAME_END_S = 1.5  # 429 that end together, of so many chats, are the bot's own
_CHATS_OF_ONE_FLOOD = 3
_PROBE_S = 10.0  # how long the others wait for the message that tells whose flood it is
# TDLib holds a message of a bot that sends too much, and refuses it only when it would have to
# hold it for long (NetQueryDelayer.cpp): texts that take so long in several chats are a flood.
_SLOW_S = 4.0
_SLOW_CHATS = 3
_SLOW_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Order:
    """One call as the limits see it; ``patience`` in seconds is how long it wants to wait.

    ``tries`` is how often a reply is made that meets a 429.
    """

    chat: int | str | None
    weight: int
    lane: Lane
    patience: float | None
    tries: int = _TRIES

    @property
    def patience_with_chat(self) -> float | None:
        """Return how long it wants to wait for its chat: an alert can wait in the outbox."""
        if self.patience is None and self.lane == "alert":
            return _ALERT_PATIENCE_S
        return self.patience


class Pacing(BaseRateLimiter[dict[str, Any]]):
    """Spaces messages; ``rate_limit_args`` may name the last four of an ``Order``.

    ``leaving`` there is called right before each request, when its time has come.
    """

    def __init__(
        self,
        per_second: float = 28.0,
        *,
        limit_state: LimitState | None = None,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = steady,
    ) -> None:
        """Let ``per_second`` messages out, in all replicas that share ``limit_state``."""
        self._rate = BotRate(per_second)
        self._limit_state = limit_state or LocalLimitState(clock)
        self._clock = clock
        self._window = BotWindow()
        self._turns = Turns()
        self._reserved = 0
        self._stopped_until = 0.0
        self._floods: deque[tuple[float, float, int | str]] = deque(maxlen=16)
        self._slow: deque[tuple[float, int | str]] = deque(maxlen=16)
        self._doubt_until = 0.0
        self._probe: Ticket | None = None
        self._probed = asyncio.Event()
        metrics = metrics or Metrics()
        self._waited = metrics.counter("pacing_wait_seconds_total", "Time spent waiting.", "lane")
        self._retry_after = metrics.counter("retry_after_seconds_total", "Waits told by Telegram.")
        metrics.gauge("telegram_rate", "Messages a second that are let out.").follow(
            lambda: self.per_second
        )

    @property
    def per_second(self) -> float:
        """Return how many messages a second are let out now."""
        return self._rate.now(self._clock())

    async def initialize(self) -> None:
        """Nothing is needed."""

    async def shutdown(self) -> None:
        """Nothing is left."""

    async def process_request(  # noqa: PLR0917 - PTB's signature
        self,
        callback: Callable[..., Coroutine[Any, Any, bool | JSONDict | list[JSONDict]]],
        args: Any,  # noqa: ANN401 - PTB's signature
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: dict[str, Any] | None,
    ) -> bool | JSONDict | list[JSONDict]:
        """Make the call when its time has come; a reply that met a 429 is made again.

        Raises:
            RetryAfter: An alert met a 429.
            TooSoonError: The chat, or the bot, is full for longer than it waits.
        """
        holding.check(f"Telegram's {endpoint}")
        order = order_of(endpoint, data, rate_limit_args or {})
        leaving: Leaving | None = (rate_limit_args or {}).get("leaving")
        for last in range(order.tries - 1, -1, -1):
            ticket = await self._pass(order)
            try:
                if leaving:
                    await leaving()
                began = self._clock()
                result = await callback(*args, **kwargs)
                self._taken(order, ticket, began, endpoint)
                return result  # noqa: TRY300 - what follows is of failures
            except ChatMigrated as error:
                if order.lane == "alert" or not last or "chat_id" not in data:
                    raise  # alerts move with all that belongs to the chat
                data["chat_id"] = error.new_chat_id  # the same dictionary as in ``args``
                data.pop("reply_parameters", None)  # messages have other numbers there
                order = replace(order, chat=error.new_chat_id)
            except TelegramError as error:
                wait = await self._after(error, order, ticket)
                hopeless = wait is None or not isinstance(error, RetryAfter)
                if hopeless or not last or not _is_worth_waiting(order, wait or 0.0):
                    raise
                if order.chat is None:  # a limit of this method alone
                    await self._wait(wait or 0.0, None)
            finally:
                if ticket:
                    ticket.free_at = self._clock() + 1.0
                    self._end_probe(ticket)
        raise AssertionError("unreachable")

    async def _pass(self, order: Order) -> Ticket | None:
        """Return when the call may be made, counted."""
        began = self._clock()
        entered_at: float | None = None
        ticket = None
        while True:
            if order.chat is not None and not self._has_just(entered_at):
                wait = (
                    await self._limit_state.closed_for(order.chat)
                    if entered_at is not None or not order.weight
                    else await self._limit_state.enter(order.chat, order.weight, order.lane)
                )
                if wait:
                    await self._wait(wait, order.patience_with_chat)
                    continue
                entered_at = self._clock()
            if ticket or (not order.weight and self._stopped_until <= self._clock()):
                break
            async with self._turns.turn(order.lane):
                ticket = await self._take_slot(order)
            if not order.weight:
                break
        self._waited.inc(self._clock() - began, lane=order.lane)
        return ticket

    def _has_just(self, entered_at: float | None) -> bool:
        """Return whether a chat was open so lately that the database need not be asked again."""
        is_known = entered_at is not None and self._limit_state.are_shared
        return is_known and self._clock() - (entered_at or 0.0) < _STAYS_OPEN_S

    async def _take_slot(self, order: Order) -> Ticket | None:
        """Wait for the bot's own limit; only one call at a time is here."""
        while (wait := self._stopped_until - self._clock()) > 0:
            await self._wait(wait, order.patience)
        if not order.weight:
            return None
        await self._let_the_probe_tell()
        if self._reserved < order.weight:
            rate = self._rate.now(self._clock())
            wanted = order.weight + self._turns.waiting
            wait, count = await self._limit_state.slots(order.weight, wanted, rate)
            await self._wait(wait, order.patience)
            self._reserved = count
            if self._limit_state.are_shared:
                self._window.begin(self._clock())
        self._reserved -= order.weight
        while True:
            now = self._clock()
            rate = self._rate.now(now)
            if not (wait := self._window.wait(now, order.weight, rate)):
                ticket = self._window.take(now, order.weight, rate)
                if self._doubt_until > now:
                    self._probe = ticket
                    self._probed.clear()
                return ticket
            await self._wait(wait, order.patience)

    async def _let_the_probe_tell(self) -> None:
        """Wait while one message is on its way to tell whether the bot is stopped."""
        if self._probe is None:
            return
        with waiting():
            try:
                async with asyncio.timeout(_PROBE_S):
                    await self._probed.wait()
            except TimeoutError:
                self._probe = None  # the next one tells

    def _taken(self, order: Order, ticket: Ticket | None, began: float, endpoint: str) -> None:
        """Learn from a call that Telegram took."""
        now = self._clock()
        if ticket is not None and ticket is self._probe:
            self._doubt_until = 0.0
            self._floods.clear()
        if endpoint != "sendMessage" or order.chat is None or now - began < _SLOW_S:
            return
        self._slow.append((now, order.chat))
        if len({chat for at, chat in self._slow if at > now - _SLOW_WITHIN_S}) >= _SLOW_CHATS:
            log.warning("Telegram is slow; less is sent", seconds=round(now - began, 1))
            self._rate.lower(now)
            self._slow.clear()

    def _end_probe(self, ticket: Ticket) -> None:
        if ticket is self._probe:
            self._probe = None
            self._probed.set()

    async def _wait(self, seconds: float, patience: float | None) -> None:
        if patience is not None and seconds > patience:
            raise TooSoonError(timedelta(seconds=math.ceil(seconds)))
        if seconds > 0:
            with waiting():
                await asyncio.sleep(seconds)

    async def _after(
        self, error: TelegramError, order: Order, ticket: Ticket | None
    ) -> float | None:
        """Stop what Telegram wants stopped; return for how long, None if it was no flood."""
        outcome = outcome_of(error)
        if not isinstance(outcome, TryLater) or outcome.after is None:
            return None
        seconds = outcome.after.total_seconds()
        self._retry_after.inc(seconds)
        if order.chat is None:
            return seconds
        await self._limit_state.close(order.chat, seconds)
        if self._seems_bot_wide(order.chat, seconds):
            now = self._clock()
            if ticket is None or ticket is not self._probe:
                self._doubt_until = max(self._doubt_until, now + seconds)
                return seconds
            self._doubt_until = 0.0
            log.warning("Telegram stops the whole bot", seconds=seconds)
            self._stopped_until = max(self._stopped_until, now + seconds)
            self._rate.lower(now)
            await self._limit_state.stop(seconds)
        return seconds

    def _seems_bot_wide(self, chat: int | str, seconds: float) -> bool:
        """Return whether it may be the bot's own flood, which Telegram doesn't say.

        Several chats that open at one moment, a private one among them: groups have slow modes
        of their own, private chats have not.
        """
        now = self._clock()
        self._floods.append((now, now + seconds, chat))
        alike = {
            other
            for seen_at, ends_at, other in self._floods
            if abs(ends_at - now - seconds) <= _SAME_END_S
            and (seen_at > now - _SAME_END_S or self._doubt_until > now)
        }
        some_private = any(isinstance(other, int) and other > 0 for other in alike)
        return len(alike) >= _CHATS_OF_ONE_FLOOD and some_private


class Turns:
    """One at a time; who waits in the lane of replies comes before all alerts."""

    def __init__(self) -> None:
        """Begin with nobody in the queue."""
        self._busy = False
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    @property
    def waiting(self) -> int:
        """Return how many wait."""
        return len(self._queue)

    @asynccontextmanager
    async def turn(self, lane: Lane) -> AsyncIterator[None]:
        """Wait for one's turn; it lasts as long as the block."""
        if self._busy:
            future = asyncio.get_running_loop().create_future()
            heapq.heappush(self._queue, (lane == "alert", next(self._numbers), future))
            try:
                with waiting():
                    await future
            except asyncio.CancelledError:
                if not future.cancelled():
                    self._pass_on()
                raise
        self._busy = True
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._queue:
            future = heapq.heappop(self._queue)[2]
            if not future.done():
                future.set_result(None)
                return
        self._busy = False


def order_of(endpoint: str, data: dict[str, Any], limits: dict[str, Any]) -> Order:
    """Return what the limits need to know of a call."""
    counted = endpoint.startswith(_COUNTED) and endpoint not in _NOT_COUNTED
    weight = limits.get("weight") or _weight_of(data) if counted else 0
    lane: Lane = "alert" if limits.get("lane") == "alert" else "reply"
    tries = limits.get("tries") or _TRIES
    return Order(data.get("chat_id"), weight, lane, limits.get("patience"), tries)


def _weight_of(data: dict[str, Any]) -> int:
    for name in ("media", "message_ids"):
        if isinstance(data.get(name), list | tuple):
            return len(data[name])
    return 1


def _is_worth_waiting(order: Order, seconds: float) -> bool:
    patience = PATIENCE_S if order.patience is None else order.patience
    return order.lane == "reply" and seconds <= patience
