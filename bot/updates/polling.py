"""Long polling. The bot stores updates before it confirms the updates to Telegram."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bot.domain.errors import BotError
from bot.runtime.clock import event_loop_time_s
from bot.runtime.metrics import UNSEEN, Metrics
from bot.telegram.outcomes import demanded_wait
from bot.updates.conflicts import PollConflicts

log = structlog.get_logger()

_POLL_S = 25  # seconds after which Telegram answers a poll if there are no updates
_LIMIT = 100  # maximum updates in a response (Bot API, getUpdates)
# The process ends if Telegram refuses the token this many times within ``_REFUSALS_WITHIN_S``.
_REFUSALS = 3
_REFUSALS_WITHIN_S = 300.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
# The pause before the next poll, in seconds. During the pause, the handlers can start.
_HEAD_START_S = 0.01
_STORE_PAUSE_S = 5.0  # maximum seconds of the pause after a failure to store updates
REFUSED_PAUSE_S = 5.0
# After this many conflicts in a row, the bot reports that a different program polls. The overlap
# of two processes during an installation causes fewer conflicts.
_LASTING = 3


class TokenRefusedError(BotError):
    """Telegram has refused the token several times."""


class Polling:
    """Polls for updates, stores the updates, and then confirms the updates to Telegram."""

    def __init__(
        self,
        bot: ExtBot[Any],
        add: Callable[[list[dict[str, Any]]], Awaitable[None]],
        *,
        allowed_updates: list[str],
        must_refuse_updates: Callable[[], bool] = lambda: False,
        on_conflict: Callable[[], Awaitable[object]] | None = None,
        conflicts: PollConflicts | None = None,
        has_standby: bool = False,
        poll_s: int = _POLL_S,
        first_pause_s: float = _FIRST_PAUSE_S,
        refused_pause_s: float = REFUSED_PAUSE_S,
        metrics: Metrics = UNSEEN,
        clock: Callable[[], float] = event_loop_time_s,
    ) -> None:
        """Prepare to poll. ``add`` stores updates, and ``clock`` returns seconds.

        While ``must_refuse_updates`` returns True, no poll is made. ``on_conflict`` is awaited
        once if a different program keeps taking the updates. If ``has_standby`` is True,
        ``poll_until_cancelled`` returns when Telegram can't be reached. After failures, the pause
        doubles from ``first_pause_s`` to at most 30 seconds.
        """
        self._bot = bot
        self._add = add
        self._allowed = allowed_updates
        self._on_conflict = on_conflict
        self._conflicts = conflicts
        self._conflicts_in_a_row = 0
        self._is_rival_reported = False
        self._must_refuse_updates = must_refuse_updates
        self._poll_s = poll_s
        self._first_pause_s, self._refused_pause_s = first_pause_s, refused_pause_s
        self._clock = clock
        self._answered_at = clock()
        self._polls = False
        self._has_standby, self._is_unreachable = has_standby, False
        self._offset: int | None = None
        self._pause = 0.0
        self._refused: deque[float] = deque(maxlen=_REFUSALS)
        metrics.add_computed_gauge(
            "poll_heartbeat_seconds",
            "Seconds since the last answer to a poll.",
            # The value is 0 if a different process polls, so that no alarm is raised.
            lambda: self.seconds_since_last_success if self._polls else 0.0,
        )

    @property
    def seconds_since_last_success(self) -> float:
        """Return the seconds since Telegram last answered a poll and the updates were stored.

        A pause in which the bot must refuse updates also counts, and usually a start of the polls.
        """
        return self._clock() - self._answered_at

    @property
    def is_alive(self) -> bool:
        """Return whether a poll has succeeded in the last ``2 * poll_s`` seconds."""
        return self.seconds_since_last_success <= 2 * self._poll_s

    @property
    def has_lasting_rival(self) -> bool:
        """Return whether a different program keeps taking the updates.

        The result is True after three 409 responses in a row, or while ``conflicts`` reports a
        lasting conflict.
        """
        lasts = self._conflicts is not None and self._conflicts.has_lasting_conflict()
        return lasts or self._conflicts_in_a_row >= _LASTING

    async def poll_until_cancelled(self) -> None:
        """Delete the webhook, then poll until cancelled.

        If Telegram can't be reached and other processes can poll, return. After any other failure,
        pause and poll again.

        Raises:
            TokenRefusedError: Telegram refused the token three times within five minutes.
        """
        if not self._is_unreachable:
            self._answered_at = self._clock()
        self._polls, self._is_unreachable = True, False
        try:
            await self._poll_repeatedly()
        finally:
            self._polls = False

    async def _poll_repeatedly(self) -> None:
        needs_webhook_gone = True
        while True:
            try:
                if needs_webhook_gone:
                    await self._bot.delete_webhook()
                    needs_webhook_gone = False
                await self._poll_and_store()
            except Conflict as error:
                needs_webhook_gone = "webhook" in str(error).lower()
                await self._record_conflict_and_report_rival(error, is_webhook=needs_webhook_gone)
                await asyncio.sleep(self._refused_pause_s)
            except InvalidToken as error:
                self._record_or_raise_refusal(error)
                await asyncio.sleep(self._refused_pause_s)
            except RetryAfter as error:
                await asyncio.sleep(demanded_wait(error).total_seconds())
            except Exception as error:  # noqa: BLE001 - without this loop, the bot would get no updates
                why = str(error) if isinstance(error, TelegramError) else type(error).__name__
                log.warning("poll failed", why=why)
                if self._has_standby and isinstance(error, TelegramError):
                    self._is_unreachable = True
                    return
                longest = _LONGEST_PAUSE_S if isinstance(error, TelegramError) else _STORE_PAUSE_S
                self._pause = min(max(self._pause * 2, self._first_pause_s), longest)
                await asyncio.sleep(self._pause)

    async def _poll_and_store(self) -> None:
        """Poll once, and store the received updates. The next poll confirms these updates.

        If the bot must refuse updates now, pause instead for ``first_pause_s`` seconds.
        """
        if self._must_refuse_updates():
            await asyncio.sleep(self._first_pause_s)
            self._answered_at = self._clock()
            return
        question: dict[str, Any] = {
            "timeout": self._poll_s,
            "limit": _LIMIT,
            "allowed_updates": self._allowed,
        }
        if self._offset is not None:
            question["offset"] = self._offset
        # The method ``get_updates`` returns parsed objects, but updates must be stored as Telegram
        # sent them.
        updates: Any = await self._bot._post(  # noqa: SLF001 - PTB warns of do_api_request here
            "getUpdates", question, read_timeout=self._poll_s + 10
        )
        if updates:
            await self._add(updates)
            numbers = [u.get("update_id") for u in updates if isinstance(u, dict)]
            known = [number for number in numbers if isinstance(number, int)]
            self._offset = max(known) + 1 if known else self._offset
            await asyncio.sleep(_HEAD_START_S)
        self._answered_at = self._clock()
        self._pause = 0.0
        self._conflicts_in_a_row = 0
        if self._conflicts:
            self._conflicts.add_answer_to_recent_polls()
        self._is_rival_reported = self._is_rival_reported and self.has_lasting_rival

    async def _record_conflict_and_report_rival(
        self, error: Conflict, *, is_webhook: bool
    ) -> None:
        """Record a 409 response. A different program polls, or has set a webhook (``is_webhook``).

        If the program keeps taking the updates (``has_lasting_rival``), call ``on_conflict`` once.
        """
        log.warning("another program takes the updates", why=str(error))
        self._conflicts_in_a_row += 1
        if self._conflicts and not is_webhook:
            self._conflicts.add_conflict_to_recent_polls()
        if self.has_lasting_rival and not self._is_rival_reported and self._on_conflict:
            self._is_rival_reported = True
            await self._on_conflict()

    def _record_or_raise_refusal(self, error: InvalidToken) -> None:
        now = self._clock()
        self._refused.append(now)
        log.error("Telegram refuses the token", why=str(error))
        if len(self._refused) == _REFUSALS and now - self._refused[0] < _REFUSALS_WITHIN_S:
            raise TokenRefusedError("Telegram refuses the token") from None
