"""The three jobs of the outbox: an alert, a reply, and a query of the bot's rights."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.model import Target
from bot.domain.records import ChatQueue, Mute, PendingMessage
from bot.domain.selection import Batch
from bot.outbox.leases import SendLease


@dataclass(slots=True, eq=False)
class AlertJob:
    """An album or notices, with the lease that must be valid during the send."""

    lease: SendLease
    queue: ChatQueue
    batch: Batch
    is_trial: bool = False
    """Whether the job tests if Telegram works again."""
    asks_in: timedelta | None = None
    """The wait before a test whether the chat accepts calls, or None for no test."""

    @property
    def chat_id(self) -> int:
        """Return the id of the chat of the queue."""
        return self.queue.chat_id

    @property
    def target(self) -> Target:
        """Return the chat or topic that gets the alert."""
        return self.batch.target

    @property
    def rows(self) -> Sequence[PendingMessage]:
        """Return the rows of the outbox that the job sends in one send."""
        return self.batch.rows

    @property
    def is_repeat(self) -> bool:
        """Return whether a copy may already have arrived."""
        return self.batch.is_repeat

    @property
    def trace(self) -> str:
        """Return the trace id of the job for the log, made from the first row."""
        first = self.batch.rows[0]
        if first.story_pk:
            return f"s{first.story_pk}"
        return str(first.fields.get("trace") or f"d{first.id}")


@dataclass(slots=True, eq=False)
class ReplyJob:
    """A reply, with the lease that must be valid during the send."""

    lease: SendLease
    reply: PendingMessage
    is_silent: bool = False
    """Whether the message makes no sound."""
    behind: Sequence[PendingMessage] = ()
    """The replies that are sent next with the same lease."""
    is_trial: bool = False
    """Whether the job tests if Telegram works again."""
    asks_in: timedelta | None = None
    """The wait before a test whether the chat accepts calls, or None for no test."""

    @property
    def chat_id(self) -> int:
        """Return the id of the chat of the queue."""
        return self.lease.queue.chat_id

    @property
    def target(self) -> Target:
        """Return the chat or topic that gets the reply."""
        return self.reply.target

    @property
    def rows(self) -> Sequence[PendingMessage]:
        """Return a list with the single row of the outbox that the job sends."""
        return [self.reply]

    @property
    def is_repeat(self) -> bool:
        """Return whether a copy may already have arrived."""
        return self.reply.copies > 0

    @property
    def trace(self) -> str:
        """Return the trace id of the update that the reply answers.

        If no trace id is stored with the reply, the result is made from the id of the row.
        """
        return str(self.reply.fields.get("trace") or f"d{self.reply.id}")


@dataclass(frozen=True, slots=True)
class RightsQueryJob:
    """A query to Telegram whether the bot has regained a missing right in a chat."""

    queue: ChatQueue
    mute: Mute

    @property
    def chat_id(self) -> int:
        """Return the id of the chat of the queue."""
        return self.queue.chat_id

    @property
    def rows(self) -> tuple[()]:
        """Return an empty tuple, because the job sends nothing."""
        return ()


SendJob = AlertJob | ReplyJob
Job = SendJob | RightsQueryJob
