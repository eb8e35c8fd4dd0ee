"""A circuit breaker for all that a process sends: nothing is tried in vain in an outage.

The first answer that is lost or refused asks ``getMe``, one call for all who wonder. When that
fails as well, or when sends fail in three chats with no success between, the process pauses its
replies and alerts. It ends by ``getMe``, then one row that arrives, then the rest. The Bot API
server answers ``getMe`` from memory: an answer shows that the server runs, not that messages
arrive, so it alone neither prevents nor ends a pause. Each process has a pause of its own: another
replica may reach Telegram (docs/decisions/0001-an-outage-of-one-process.md).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog
from telegram import Bot
from telegram.constants import ChatAction
from telegram.error import TelegramError

from bot.domain.model import Outcome, Target, TryLater
from bot.runtime.metrics import UNSEEN, Metrics
from bot.telegram.outcomes import outcome_of
from bot.telegram.request import TooManyFilesError

log = structlog.get_logger()

_CHATS_OF_AN_OUTAGE = 3
_FIRST_TRY_S = 5.0
LAST_TRY_S = 60.0
_PROBE_TAKES_S = 5.0  # an answer to getMe that takes longer is none
_ASKS_EVERY = timedelta(seconds=1)  # between two chats that are asked whether they take anything
_LONGEST_ASKING = timedelta(seconds=5)  # the longest wait for a turn to ask that


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause: since when, how many tries there were, when the next is due; Unix seconds."""

    since: float
    tries: int
    next_at: float

    @classmethod
    def starting(cls, now: datetime) -> "Pause":
        """Return a pause that begins now."""
        return cls(now.timestamp(), 0, now.timestamp() + _FIRST_TRY_S)

    def may_try(self, now: datetime) -> bool:
        """Return whether it is time to try; after a wait at the latest."""
        return not now.timestamp() < self.next_at <= now.timestamp() + LAST_TRY_S

    def with_one_more_try(self, now: datetime) -> "Pause":
        """Return it with one more try taken: each next one is twice as late, a minute at most."""
        wait = min(_FIRST_TRY_S * 2 ** min(self.tries + 1, 8), LAST_TRY_S)
        return replace(self, tries=self.tries + 1, next_at=now.timestamp() + wait)


class Outage:
    """Knows whether this process reaches Telegram, for everybody who sends."""

    def __init__(
        self,
        bot: Bot,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        metrics: Metrics = UNSEEN,
    ) -> None:
        """Probe with ``bot``."""
        self._bot = bot
        self._now = now
        self._pause: Pause | None = None
        self._failing: set[int] = set()
        self._asking = asyncio.Lock()
        self._asks_at = now()
        self._answered = True
        metrics.gauge_of(
            "telegram_outage",
            "1 while nothing is sent: Telegram is down.",
            lambda: float(self._pause is not None),
        )

    def is_on(self) -> bool:
        """Return whether this process pauses."""
        return self._pause is not None

    @property
    def next_try_at(self) -> datetime | None:
        """Return when it is tried next whether Telegram is back, None while it is not away."""
        return datetime.fromtimestamp(self._pause.next_at, UTC) if self._pause else None

    async def record_outcome(self, chat_id: int, outcome: Outcome) -> bool:
        """Learn from what came of a send; return whether a failure belongs to a pause."""
        if isinstance(outcome, TryLater) and outcome.down:
            return await self._record_failure(chat_id)
        if is_answer(outcome):
            self._failing.clear()
        return False

    async def claim_try(self) -> bool:
        """Claim the next try of one row; return whether it is time, and ``getMe`` is answered."""
        now = self._now()
        if self._pause is None or not self._pause.may_try(now):
            return False
        self._pause = self._pause.with_one_more_try(now)
        return await self._telegram_answers()

    def reserve_turn_to_ask(self) -> timedelta | None:
        """Reserve a turn to ask a chat whether it takes anything; return how long to wait for it.

        One chat a second is asked. None: too many wait for their turn.
        """
        now = self._now()
        wait = max(self._asks_at - now, timedelta(0))
        if wait > _LONGEST_ASKING:
            return None
        self._asks_at = now + wait + _ASKS_EVERY
        return wait

    async def chat_accepts_calls(self, target: Target) -> bool:
        """Return whether Telegram takes a call there that leaves nothing in the chat.

        Where it does not, a message could arrive without an answer, and be sent again.
        """
        try:
            await self._bot.send_chat_action(
                target.chat_id, ChatAction.TYPING, message_thread_id=target.thread_id
            )
        except TelegramError as error:
            return not isinstance(outcome_of(error), TryLater)
        return True

    def end_pause(self) -> None:
        """Let everything go on."""
        if self._pause:
            seconds = round(self._now().timestamp() - self._pause.since)
            log.warning("Telegram is back", after_s=seconds, tries=self._pause.tries)
        self._pause = None
        self._failing.clear()

    async def _record_failure(self, chat_id: int) -> bool:
        if self._pause is None:
            self._failing.add(chat_id)
            answers = await self._telegram_answers()
            if not answers or len(self._failing) >= _CHATS_OF_AN_OUTAGE:
                self._begin_pause("sends fail" if answers else "it does not answer")
        return self._pause is not None

    def _begin_pause(self, why: str) -> None:
        if self._pause is None:
            self._pause = Pause.starting(self._now())
            log.warning("Telegram is down; nothing is sent", why=why)

    async def _telegram_answers(self) -> bool:
        """Ask ``getMe``; who comes while it is asked gets the same answer."""
        joins = self._asking.locked()
        async with self._asking:
            if not joins:
                self._answered = await self._get_me()
            return self._answered

    async def _get_me(self) -> bool:
        try:
            async with asyncio.timeout(_PROBE_TAKES_S):
                await self._bot.get_me()
        except TooManyFilesError as error:
            log.error("Telegram can't be asked", reason=str(error))  # noqa: TRY400 - no trace needed
            return True
        except (TelegramError, TimeoutError) as error:
            log.info("Telegram does not answer getMe", reason=str(error))
            return False
        return True


def is_answer(outcome: Outcome) -> bool:
    """Return whether Telegram answered, be it with a refusal."""
    if not isinstance(outcome, TryLater):
        return True
    # A 429 of unknown outcome may be how a data centre fails.
    return bool(outcome.items) or (outcome.after is not None and not outcome.unknown)
