"""A circuit breaker for all that the bot sends: while Telegram is down, nothing is tried in vain.

The first answer that is lost or refused asks ``getMe``, one call for all who wonder. When that
fails as well, or when sends fail in three chats with no success between, the bot pauses: replies
and alerts, and every replica, for the pause is a row. It ends by ``getMe``, then one row that
arrives, then the rest.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from telegram import Bot
from telegram.constants import ChatAction
from telegram.error import TelegramError

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.model import Outcome, Target, TryLater
from bot.runtime.metrics import UNSEEN, Metrics
from bot.store import key_values
from bot.store.engine.database import Database
from bot.telegram.outcomes import outcome_of
from bot.telegram.request import TooManyFilesError

log = structlog.get_logger()

_CHATS_OF_AN_OUTAGE = 3
_FIRST_TRY_S = 5.0
LAST_TRY_S = 60.0
_PROBE_TAKES_S = 5.0  # an answer to getMe that takes longer is none
_ASKS_EVERY = timedelta(seconds=1)  # between two chats that are asked whether they take anything
_LONGEST_ASKING = timedelta(seconds=5)  # the longest wait for a turn to ask that
_READ_AGAIN = timedelta(seconds=1)  # how late a replica may learn of another's pause
_KEPT = timedelta(days=7)


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
    """Knows whether Telegram is down, for everybody who sends."""

    def __init__(
        self,
        db: Database,
        bot: Bot,
        *,
        bot_id: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        metrics: Metrics = UNSEEN,
    ) -> None:
        """Probe with ``bot``; replicas share the pause of ``bot_id`` as a lease."""
        self._db = db
        self._bot = bot
        self._key = f"bot:{bot_id}:outage"
        self._now = now
        self._pause: Pause | None = None
        self._read_until: datetime | None = None
        self._failing: set[int] = set()
        self._asking = asyncio.Lock()
        self._asks_at = now()
        self._answered = True
        metrics.gauge_of(
            "telegram_outage",
            "1 while nothing is sent: Telegram is down.",
            lambda: float(self._pause is not None),
        )

    async def is_on(self) -> bool:
        """Return whether the bot pauses; replicas may hear of it a second late."""
        now = self._now()
        if self._read_until is None or (not self._db.is_sqlite and self._read_until <= now):
            async with self._db.read() as tx:
                self._pause = _pause_of(await key_values.get(tx, self._key))
            self._read_until = now + _READ_AGAIN
        return self._pause is not None

    @property
    def next_try_at(self) -> datetime | None:
        """Return when it is tried next whether Telegram is back, None while it is not away."""
        return datetime.fromtimestamp(self._pause.next_at, UTC) if self._pause else None

    async def record_outcome(self, chat_id: int, outcome: Outcome) -> bool:
        """Learn from what came of a send; return whether a failure belongs to a pause.

        Without a database nobody knows, and the failure is not held against the message.
        """
        if isinstance(outcome, TryLater) and outcome.down:
            try:
                return await self._record_failure(chat_id)
            except DatabaseUnavailableError as error:
                log.warning("a pause can't be shared", reason=str(error))
                return True
        if is_answer(outcome):
            self._failing.clear()
        return False

    async def claim_try(self) -> bool:
        """Claim the next try of one row; return whether it is time, and ``getMe`` is answered.

        Of all replicas one is told so at a time.
        """
        now = self._now()
        if self._pause and not self._pause.may_try(now):
            return False
        async with self._db.begin(durable=False) as tx:
            self._pause = _pause_of(await key_values.lock(tx, self._key))
            if self._pause is None or not self._pause.may_try(now):
                return False
            self._pause = self._pause.with_one_more_try(now)
            await key_values.put(tx, self._key, asdict(self._pause), until=now + _KEPT)
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

    async def end_pause(self) -> None:
        """Let everything go on."""
        async with self._db.begin(durable=False) as tx:
            await key_values.remove(tx, self._key)
        if self._pause:
            seconds = round(self._now().timestamp() - self._pause.since)
            log.warning("Telegram is back", after_s=seconds, tries=self._pause.tries)
        self._pause = None
        self._failing.clear()

    async def _record_failure(self, chat_id: int) -> bool:
        if await self.is_on():
            return True
        self._failing.add(chat_id)
        answers = await self._telegram_answers()
        if answers and len(self._failing) < _CHATS_OF_AN_OUTAGE:
            return await self.is_on()
        await self._begin_pause("sends fail" if answers else "it does not answer")
        return True

    async def _begin_pause(self, why: str) -> None:
        now = self._now()
        async with self._db.begin(durable=False) as tx:
            self._pause = _pause_of(await key_values.lock(tx, self._key))
            if self._pause is not None:
                return
            self._pause = Pause.starting(now)
            await key_values.put(tx, self._key, asdict(self._pause), until=now + _KEPT)
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
    return not isinstance(outcome, TryLater) or outcome.after is not None or bool(outcome.items)


def _pause_of(state: Any) -> Pause | None:  # noqa: ANN401 - JSON
    return Pause(**state) if state else None
