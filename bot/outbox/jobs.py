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

    ``is_trial``: Telegram is down, and this send shows whether Telegram is back. ``asks_in``: the
    delay before the chat is asked for its acceptance of calls; None: the chat is not asked.
    """

    lease: SendLease
    queue: ChatQueue
    batch: Batch
    is_trial: bool = False
    asks_in: timedelta | None = None


@dataclass(slots=True, eq=False)
class ReplyJob:
    """A reply to send under a lease; ``is_trial`` and ``asks_in`` as in ``AlertJob``.

    ``is_silent``: the message makes no sound. ``behind`` are replies that are sent next under the
    same lease.
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
