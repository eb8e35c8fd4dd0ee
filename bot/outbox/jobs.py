"""The three jobs of the outbox: an alert, a reply, and a probe."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.model import Target
from bot.domain.records import ChatQueue, Mute, PendingMessage
from bot.domain.selection import Batch
from bot.outbox.leases import SendLease


@dataclass(slots=True, eq=False)
class AlertJob:
    """An album or notices to send under a lease.

    ``is_trial`` is True if Telegram is down, and the job tests whether Telegram works again. If
    ``asks_in`` is not None, the bot waits for this time, and then asks Telegram whether the chat
    accepts calls. The bot sends only if the chat accepts calls. If ``asks_in`` is None, the bot
    sends without this question.
    """

    lease: SendLease
    queue: ChatQueue
    batch: Batch
    is_trial: bool = False
    asks_in: timedelta | None = None

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
        """Return the rows of the outbox that the job sends."""
        return self.batch.rows

    @property
    def is_repeat(self) -> bool:
        """Return whether a copy may already have arrived."""
        return self.batch.is_repeat

    @property
    def trace(self) -> str:
        """Return the trace id of the job for the log.

        The trace id is made from the id of the first row's story. If the first row has no story,
        return the trace id in the fields of the row. If the fields have none, the trace id is made
        from the id of the row.
        """
        first = self.batch.rows[0]
        if first.story_pk:
            return f"s{first.story_pk}"
        return str(first.fields.get("trace") or f"d{first.id}")


@dataclass(slots=True, eq=False)
class ReplyJob:
    """A reply to send under a lease.

    ``is_trial`` and ``asks_in`` are the same as in ``AlertJob``. If ``is_silent`` is True, the
    message makes no sound. ``behind`` are the replies that are sent next under the same lease.
    """

    lease: SendLease
    reply: PendingMessage
    is_silent: bool = False
    behind: Sequence[PendingMessage] = ()
    is_trial: bool = False
    asks_in: timedelta | None = None

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
        """Return the row of the outbox that the job sends, as a list of one row."""
        return [self.reply]

    @property
    def is_repeat(self) -> bool:
        """Return whether a copy may already have arrived."""
        return self.reply.copies > 0

    @property
    def trace(self) -> str:
        """Return the trace id of the update that the reply answers.

        If the reply has no trace id, the id is made from the id of the row.
        """
        return str(self.reply.fields.get("trace") or f"d{self.reply.id}")


@dataclass(frozen=True, slots=True)
class ProbeJob:
    """A query to Telegram whether the bot has regained a missing right in a chat."""

    queue: ChatQueue
    mute: Mute

    @property
    def chat_id(self) -> int:
        """Return the id of the chat of the queue."""
        return self.queue.chat_id

    @property
    def rows(self) -> Sequence[PendingMessage]:
        """Return no rows, because a probe sends nothing."""
        return ()


SendJob = AlertJob | ReplyJob
Job = SendJob | ProbeJob
