"""Inline queries, which are answered within 10 seconds or dropped.

Inline queries are not stored, because Telegram sends a new query for each letter that a person
types.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog
from telegram import Bot, Update
from telegram.error import TelegramError

from bot.domain.errors import DatabaseUnavailableError
from bot.runtime.clock import event_loop_time_s
from bot.store import inbox

log = structlog.get_logger()

_AT_ONCE = 4  # maximum number of answers at the same time; each uses a database connection
_PEOPLE = 1_000  # maximum number of persons with a query that waits or is being answered
_PATIENCE_S = 10.0  # seconds; Telegram refuses a later answer (pyTelegramBotAPI#270)
# A query that waits: the time until which Telegram accepts the answer, and the update as JSON.
_Waiting = tuple[float, dict[str, Any]]


class InlineQueries:
    """Takes the inline queries out of the received updates, and answers the queries."""

    def __init__(self, bot: Bot, answer: Callable[[Update], Awaitable[None]]) -> None:
        """Create a queue for ``answer``, which ``answer_until_cancelled`` calls for each query."""
        self._bot = bot
        self._answer = answer
        # The waiting query of each person. None means that a query of the person is being answered
        # and no newer query waits.
        self._newest: dict[int, _Waiting | None] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._group: asyncio.TaskGroup | None = None

    async def answer_until_cancelled(self) -> None:
        """Answer queries until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                await asyncio.Event().wait()
            finally:
                self._group = None

    def enqueue_queries_return_others(self, updates: Iterable[object]) -> list[object]:
        """Queue the inline queries in ``updates`` for an answer. Return all other updates.

        A query is dropped if its sender is invalid, if ``answer_until_cancelled`` is not running,
        or if the queries of 1,000 other persons wait or are being answered.
        """
        others = []
        for update in updates:
            if isinstance(update, dict) and "inline_query" in update:
                self._start_or_replace_query(update)
            else:
                others.append(update)
        return others

    def _start_or_replace_query(self, update: dict[str, Any]) -> None:
        try:
            person = update["inline_query"]["from"]["id"]
        except (KeyError, TypeError):
            return
        if not inbox.is_update_id(person):
            return  # the query has no valid sender
        is_new = person not in self._newest
        if self._group is None or (is_new and len(self._newest) >= _PEOPLE):
            return
        self._newest[person] = event_loop_time_s() + _PATIENCE_S, update
        if is_new:
            self._group.create_task(self._answer_newest_queries(person))

    async def _answer_newest_queries(self, person: int) -> None:
        """Answer the newest query of a person. Repeat this until no query of the person waits."""
        try:
            while self._newest[person]:
                async with self._places:
                    waiting, self._newest[person] = self._newest[person], None
                    if waiting and (left := waiting[0] - event_loop_time_s()) > 0:
                        await self._answer_or_log(left, waiting[1])
        finally:
            del self._newest[person]

    async def _answer_or_log(self, seconds: float, update: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._answer(Update.de_json(update, self._bot))
        except (TelegramError, DatabaseUnavailableError, TimeoutError) as error:
            log.info("an inline query can't be answered", why=str(error) or "it took too long")
        except Exception:
            log.exception("an inline query failed", update=update.get("update_id"))
