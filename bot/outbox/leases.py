"""The leases under which messages are sent.

Right before each request of a send, the lease of the send is checked.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from telegram.ext import ExtBot

from bot.domain.records import QueueClaim
from bot.runtime.background import renewing
from bot.runtime.batching import BatchingQueue
from bot.runtime.claims import Lease, Owner
from bot.store import chat_queues, deliveries
from bot.store.claims import WasValid
from bot.store.engine.database import Database, Tx
from bot.telegram.api import TooSoonError
from bot.telegram.calls import Calls
from bot.telegram.flood_limits import Lane


@dataclass(slots=True, eq=False)
class SendLease:
    """The lease of a chat queue for a send."""

    queue: QueueClaim
    ids: Sequence[int]
    """The ids of the rows that are sent."""
    claimed_at: datetime
    """The time of the claim of the queue."""
    until: datetime
    """The end of the lease."""
    is_counted: bool = False
    """Whether the number of copies of each row already includes this send."""
    is_valid: bool = False
    """Whether the last check found that this process has the lease and may send all rows.

    For the replies to an update, True without a check. A renewal that finds a lost lease sets
    False.
    """


class SendLeases:
    """Checks and renews the leases of sends, and counts the copies of each row that is sent.

    A copy is a send of a row that may have arrived.
    """

    def __init__(
        self,
        db: Database,
        lease: timedelta,
        owner: Owner,
        *,
        is_stopping: Callable[[], bool],
        now: Callable[[], datetime],
    ) -> None:
        """Manage the leases of ``owner``. Each lease lasts for the time ``lease``.

        While ``is_stopping`` returns True, ``check_and_count_copies`` refuses each request.
        """
        self._db = db
        self._lease = lease
        self._owner = owner
        self._is_stopping = is_stopping
        self._now = now
        self._checks = BatchingQueue(self._count_and_mark_valid)

    def new_lease(self) -> Lease:
        """Return a lease of a chat queue that begins now. The caller must store the lease."""
        return self._owner.new_lease(self._now(), self._lease)

    async def check_and_count_copies(self, send_lease: SendLease) -> None:
        """Check the lease of a send, and add 1 to the number of copies of each row of the send.

        Call this method right before each request of the send. The first successful call commits
        the count, so that a crash cannot cause endless repeats. Later calls count nothing.

        Raises:
            TooSoonError: The lease is lost, a row has ended, the chat changed before the first
                request, or this process is stopping. The message must not be sent now.
            DatabaseUnavailableError: PostgreSQL ended several attempts as too slow. After any
                other failure of the database, the call waits.
        """
        send_lease.is_valid = False
        # A stopping process starts no request, because the stop could interrupt a wait for a flood
        # limit after the copy was counted.
        if not self._is_stopping():
            await self._checks([send_lease])
        self.raise_if_lease_lost(send_lease)

    def raise_if_lease_lost(self, send_lease: SendLease) -> None:
        """Check by the clock that a lease has not ended, without a query of the database.

        Raises:
            TooSoonError: The lease, or the lease on the identity of this process, has ended or is
                lost.
        """
        now = self._now()
        is_lost = now >= send_lease.until or not self._owner.still_owns_claim(
            send_lease.claimed_at, now=now
        )
        if is_lost or not send_lease.is_valid:
            raise TooSoonError(timedelta(0), "not to be sent now")

    def renewing(self, send_lease: SendLease) -> AbstractAsyncContextManager[None]:
        """Renew a lease during the ``with`` block, until the lease is lost.

        The interval between two renewals is a third of the lease's length.
        """
        third = self._lease.total_seconds() / 3
        return renewing(
            partial(self._renew, send_lease), every_s=third, chat=send_lease.queue.chat_id
        )

    async def _renew(self, send_lease: SendLease) -> WasValid:
        """Renew a lease in the database and in memory. Return False if the lease is lost."""
        lease = self.new_lease()
        async with self._db.begin() as tx:
            is_held = await chat_queues.renew(tx, send_lease.queue, lease)
        if is_held:
            send_lease.until = lease.until
        else:
            send_lease.is_valid = False
        return is_held

    async def _count_and_mark_valid(self, send_leases: list[SendLease]) -> None:
        for send_lease in await self._db.run_until_recorded(
            partial(_count_copies_and_return_valid, send_leases)
        ):
            send_lease.is_counted = send_lease.is_valid = True


async def _count_copies_and_return_valid(send_leases: list[SendLease], tx: Tx) -> list[SendLease]:
    """Return the valid leases of ``send_leases``, and count the copies of leases not yet counted.

    If this process has lost the queue, or a row can't be sent, the lease is not valid. The queues
    stay locked until the transaction ends.
    """
    tokens = await chat_queues.lock_all(
        tx, [send_lease.queue.chat_id for send_lease in send_leases]
    )
    held = [
        send_lease
        for send_lease in send_leases
        if tokens.get(send_lease.queue.chat_id) == send_lease.queue.token
    ]
    new = await deliveries.count_copies_and_return_counted_ids(
        tx, _row_ids_of(held, is_counted=False)
    )
    open_ids = new | await deliveries.ids_still_open_among(tx, _row_ids_of(held, is_counted=True))
    valid = [send_lease for send_lease in held if open_ids.issuperset(send_lease.ids)]
    taken_back = new.difference(_row_ids_of(valid, is_counted=False))
    await deliveries.change_columns_of_open(tx, taken_back, added_copies=-1)
    return valid


def _row_ids_of(send_leases: list[SendLease], *, is_counted: bool) -> list[int]:
    """Return the row ids of the leases whose ``is_counted`` has the given value."""
    chosen = [send_lease for send_lease in send_leases if send_lease.is_counted == is_counted]
    return [number for send_lease in chosen for number in send_lease.ids]


class LeasedCalls(Calls):
    """Calls of the Bot API that send a message only while a lease is valid.

    The lease is checked before each request. Before the first request, the send is counted
    (``SendLeases.check_and_count_copies``).
    """

    def __init__(
        self, bot: ExtBot[Any], lane: Lane, leases: SendLeases, send_lease: SendLease
    ) -> None:
        """Make calls with ``bot`` while the lease ``send_lease`` is valid."""
        super().__init__(bot, lane)
        self._leases = leases
        self._lease = send_lease

    async def before_request(self) -> None:
        """Check the lease and count the copies (``SendLeases.check_and_count_copies``)."""
        await self._leases.check_and_count_copies(self._lease)


class AlreadyCountedCalls(LeasedCalls):
    """Calls of the Bot API for the replies to an update.

    Only the lease is checked, because the transaction of the update has counted the copies.
    """

    async def before_request(self) -> None:
        """Check that the lease is still valid (``SendLeases.raise_if_lease_lost``)."""
        self._leases.raise_if_lease_lost(self._lease)
