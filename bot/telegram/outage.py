"""A circuit breaker that stops the sends of a process while Telegram is down.

A pause starts if ``getMe`` fails after a failed send, or if sends fail in three chats. A pause
usually ends after Telegram has answered a trial send. Each process has its own pause
(docs/decisions/0001-an-outage-of-one-process.md).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import structlog
from telegram import Bot
from telegram.constants import ChatAction
from telegram.error import TelegramError

from bot.domain.model import Outcome, Target, TooLong, TryLater
from bot.runtime.metrics import UNSEEN, Metrics
from bot.telegram.outcomes import outcome_of
from bot.telegram.request import TooManyFilesError

NotPaused: TypeAlias = None
"""In the type of a time, the sends are not paused."""

log = structlog.get_logger()

_CHATS_OF_AN_OUTAGE = 3
_FIRST_TRIAL_S = 5.0
LAST_TRIAL_S = 60.0
_PROBE_TAKES_S = 5.0  # seconds; a slower answer to getMe is a failure
# The time between two tests whether Telegram accepts calls for a chat.
_ASKS_EVERY = timedelta(seconds=1)
# The maximum wait before a test whether Telegram accepts calls for a chat.
_LONGEST_ASKING = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause of all sends: its start, the number of trial sends, and the time of the next trial.

    Times are in seconds of Unix time.
    """

    since: float
    trials: int
    next_at: float

    @classmethod
    def starting(cls, now: datetime) -> "Pause":
        """Return a pause that starts now."""
        return cls(now.timestamp(), 0, now.timestamp() + _FIRST_TRIAL_S)

    def allows_trial(self, now: datetime) -> bool:
        """Return whether the next trial send is due.

        A trial send that would be due in more than a minute is due now, because the clock must
        have been set back.
        """
        return not now.timestamp() < self.next_at <= now.timestamp() + LAST_TRIAL_S

    def with_one_more_trial(self, now: datetime) -> "Pause":
        """Return the pause with one more trial send.

        The wait for the next trial send doubles after each trial send, up to a minute.
        """
        wait = min(_FIRST_TRIAL_S * 2 ** min(self.trials + 1, 8), LAST_TRIAL_S)
        return replace(self, trials=self.trials + 1, next_at=now.timestamp() + wait)


class Outage:
    """Detects that this process can't reach Telegram, and pauses the sends of the outbox."""

    def __init__(
        self,
        bot: Bot,
        *,
        now: Callable[[], datetime],
        metrics: Metrics = UNSEEN,
    ) -> None:
        """Use ``bot`` to test whether Telegram answers."""
        self._bot = bot
        self._now = now
        self._pause: Pause | None = None
        self._failing: set[int] = set()
        self._asking = asyncio.Lock()
        self._asks_at = now()
        self._answered = True
        metrics.add_computed_gauge(
            "telegram_outage",
            "1 while nothing is sent: Telegram is down.",
            lambda: float(self._pause is not None),
        )

    def is_on(self) -> bool:
        """Return whether this process pauses its sends."""
        return self._pause is not None

    @property
    def next_trial_at(self) -> datetime | NotPaused:
        """Return the time of the next trial send. If sends are not paused, return None."""
        return datetime.fromtimestamp(self._pause.next_at, UTC) if self._pause else None

    async def record_outcome_and_detect_outage(self, chat_id: int, outcome: Outcome) -> bool:
        """Record the outcome of a send. If Telegram is down, start a pause of all sends.

        Return True if the outcome suggests that Telegram is down (``TryLater.down``), and all
        sends are paused now.
        """
        if isinstance(outcome, TryLater) and outcome.down:
            return await self._record_failure_and_detect_outage(chat_id)
        if shows_telegram_is_up(outcome):
            self._failing.clear()
        return False

    async def reserve_next_trial_and_ask_telegram(self) -> bool:
        """If a trial send is due, reserve the trial send and call ``getMe``.

        Return True if one message may be sent now. Each trial send doubles the wait for the next
        trial send, up to a minute.
        """
        now = self._now()
        if self._pause is None or not self._pause.allows_trial(now):
            return False
        self._pause = self._pause.with_one_more_trial(now)
        return await self._share_get_me_and_see_if_answered()

    def reserve_turn_and_return_wait(self) -> timedelta | TooLong:
        """Reserve a time to test whether Telegram accepts calls for a chat. Return the wait.

        At most one test is made per second. If the wait would be longer than 5 seconds, reserve
        nothing and return None.
        """
        now = self._now()
        wait = max(self._asks_at - now, timedelta(0))
        if wait > _LONGEST_ASKING:
            return None
        self._asks_at = now + wait + _ASKS_EVERY
        return wait

    async def send_typing_and_see_if_accepted(self, target: Target) -> bool:
        """Test whether Telegram processes calls for a chat, by showing "typing…" in the chat.

        Return True if Telegram accepts or refuses the call. After False, the caller must send no
        message, because Telegram's answer could be lost.
        """
        try:
            await self._bot.send_chat_action(
                target.chat_id, ChatAction.TYPING, message_thread_id=target.thread_id
            )
        except TelegramError as error:
            return not isinstance(outcome_of(error), TryLater)
        return True

    def end_pause(self) -> None:
        """End the pause of all sends."""
        if self._pause:
            seconds = round(self._now().timestamp() - self._pause.since)
            log.warning("Telegram is back", after_s=seconds, trials=self._pause.trials)
        self._pause = None
        self._failing.clear()

    async def _record_failure_and_detect_outage(self, chat_id: int) -> bool:
        if self._pause is None:
            self._failing.add(chat_id)
            answers = await self._share_get_me_and_see_if_answered()
            is_down = not answers or len(self._failing) >= _CHATS_OF_AN_OUTAGE
            if is_down and self._pause is None:
                self._pause = Pause.starting(self._now())
                why = "sends fail" if answers else "it does not answer"
                log.warning("Telegram is down; nothing is sent", why=why)
        return self._pause is not None

    async def _share_get_me_and_see_if_answered(self) -> bool:
        """Call ``getMe``, and return whether Telegram answers within 5 seconds.

        Concurrent callers share one call. If this process has too many open files, the result is
        True.
        """
        joins = self._asking.locked()
        async with self._asking:
            if not joins:
                self._answered = await self._call_get_me_and_see_if_answered()
            return self._answered

    async def _call_get_me_and_see_if_answered(self) -> bool:
        try:
            async with asyncio.timeout(_PROBE_TAKES_S):
                await self._bot.get_me()
        except TooManyFilesError as error:
            log.error("Telegram can't be asked", reason=str(error))  # noqa: TRY400 - a traceback is not needed
            return True
        except (TelegramError, TimeoutError) as error:
            log.info("Telegram does not answer getMe", reason=str(error))
            return False
        return True


def shows_telegram_is_up(outcome: Outcome) -> bool:
    """Return whether the outcome of a send shows that Telegram processes sends.

    For ``TryLater``, the result is True only if an item has arrived, or if Telegram demands a wait
    and the outcome is not ``unknown``.
    """
    if not isinstance(outcome, TryLater):
        return True
    if outcome.items:
        return True
    # A 429 response usually shows that Telegram processes sends. If the message may have arrived,
    # a failure at Telegram may be the cause of the response.
    return outcome.after is not None and not outcome.unknown and not outcome.unasked
