"""The three jobs of the outbox: an alert, a reply, a probe."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.records import ChatQueue, Mute, PendingMessage
from bot.domain.selection import Batch
from bot.outbox.leases import SendLease


@dataclass(slots=True, eq=False)
class AlertJob:
    """An album or notices to send under a lease.

    ``is_trial`` is True if Telegram is down, and the job tests whether Telegram works again.
    Before the send, after a delay of ``asks_in``, the bot asks Telegram whether the chat accepts
    calls. If ``asks_in`` is None, the bot does not ask.
    """

    lease: SendLease
    queue: ChatQueue
    batch: Batch
    is_trial: bool = False
    asks_in: timedelta | None = None


@dataclass(slots=True, eq=False)
class ReplyJob:
    """A reply to send under a lease. ``is_trial`` and ``asks_in`` are the same as in ``AlertJob``.

    If ``is_silent`` is True, the message makes no sound. ``behind`` are the replies that are sent
    next under the same lease.
    """

    lease: SendLease
    reply: PendingMessage
    is_silent: bool = False
    behind: Sequence[PendingMessage] = ()
    is_trial: bool = False
    asks_in: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ProbeJob:
    """A query to Telegram whether the bot has regained a missing right in a chat."""

    queue: ChatQueue
    mute: Mute


SendJob = AlertJob | ReplyJob
Job = SendJob | ProbeJob
