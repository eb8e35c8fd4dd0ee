"""Subscriptions that are muted for a while: their alerts begin again by themselves."""

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.chats.subscriptions import Subscriptions
from bot.runtime.workers import Worker

LONGEST = timedelta(minutes=15)


class Pauses:
    """Ends what is muted only until a time."""

    def __init__(self, subscriptions: Subscriptions, *, now: Callable[[], datetime]) -> None:
        """Ask ``subscriptions`` what is due."""
        self._subscriptions = subscriptions
        self.worker = Worker("pauses", self._step, now=now, longest=LONGEST)

    async def _step(self) -> datetime | None:
        return await self._subscriptions.resume_due()
