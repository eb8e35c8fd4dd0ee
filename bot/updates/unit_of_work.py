"""The unit of work: the database writes and replies for one update are one transaction.

If the handler fails, the transaction is rolled back. After the first write, the handler must not
wait for the network (``call_after_replies``), because the transaction can block other writers.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from bot.domain.errors import BotError, DatabaseUnavailableError
from bot.domain.model import Target
from bot.runtime import transaction_guard
from bot.store.engine.database import Database, Tx
from bot.store.engine.failures import converting_outage_errors

Call = Callable[[], Awaitable[Any]]
Work = Callable[[Tx], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that will be stored. A function of ``bot.sending.replies`` makes the payload."""

    target: Target
    payload: dict[str, Any]


class Unit:
    """The uncommitted writes and replies of one update."""

    def __init__(self, db: Database) -> None:
        """Create an empty unit without a transaction."""
        self._db = db
        self._transaction: AbstractAsyncContextManager[Tx] | None = None
        self._tx: Tx | None = None
        self.replies: list[Reply] = []
        self.calls_after_replies: list[Call] = []
        self.calls_after_commit: list[Call] = []
        self.work: list[Work] = []
        self.is_edit_unchanged = False
        """Whether the edit of a message changed nothing, because the new content was the same."""

    @property
    def is_open(self) -> bool:
        """Return whether the unit has an open transaction, which may block other writers."""
        return self._tx is not None

    async def ensure_transaction(self, *, durable: bool = True) -> Tx:
        """Return the transaction of the unit. Begin a transaction if the unit has none.

        ``durable`` has the same meaning as in ``Database.begin``.
        """
        if self._tx is None:
            transaction = self._db.begin(durable=durable)
            self._tx = await transaction.__aenter__()
            self._transaction = transaction
        return self._tx

    async def commit(self) -> None:
        """Commit the transaction. If no transaction is open, do nothing."""
        await self._end(None)

    async def roll_back_and_discard_replies(self) -> None:
        """Roll back the transaction, and discard the replies and the planned network calls.

        The functions that were passed to ``run_before_commit`` are kept.
        """
        for part in (self.replies, self.calls_after_replies, self.calls_after_commit):
            part.clear()
        # Any exception would roll back the transaction. A CancelledError is chosen because it is
        # never mistaken for an outage of the database.
        await self._end(asyncio.CancelledError())

    async def _end(self, error: BaseException | None) -> None:
        transaction, self._transaction, self._tx = self._transaction, None, None
        if transaction:
            await transaction.__aexit__(type(error) if error else None, error, None)


_current: ContextVar[Unit | None] = ContextVar("unit", default=None)


def current_unit() -> Unit | None:
    """Return the unit of the update that is being handled, or None outside of an update."""
    return _current.get()


@contextmanager
def with_current_unit(unit: Unit | None) -> Iterator[None]:
    """Make ``unit`` the current unit in the ``with`` block.

    While the unit has an open transaction, slow operations are forbidden (``transaction_guard``).
    If ``unit`` is None, each write in the block is a separate transaction.
    """
    token = _current.set(unit)
    try:
        with transaction_guard.refusing_slow_operations_while(
            None if unit is None else lambda: unit.is_open
        ):
            yield
    finally:
        _current.reset(token)


def join_or_begin_transaction(db: Database) -> AbstractAsyncContextManager[Tx]:
    """Return the transaction of the current unit. Without a unit, return a new transaction.

    An exception in the ``with`` block rolls back the whole unit.
    """
    unit = _current.get()
    return db.begin() if unit is None else _yield_transaction_of(unit, rolls_back_on_refusal=True)


def join_or_begin_read(db: Database) -> AbstractAsyncContextManager[Tx]:
    """Return a connection for reads. The reads see the uncommitted writes of the current unit.

    If the unit has a transaction, an exception in the ``with`` block rolls back the unit, except a
    ``BotError`` that is no failure of the database.
    """
    unit = _current.get()
    if unit is None or not unit.is_open:
        return db.read()
    return _yield_transaction_of(unit, rolls_back_on_refusal=False)


@asynccontextmanager
async def _yield_transaction_of(unit: Unit, *, rolls_back_on_refusal: bool) -> AsyncIterator[Tx]:
    """Yield the transaction of ``unit``. If the ``with`` block fails, roll back the whole unit.

    If ``rolls_back_on_refusal`` is False, a ``BotError`` that is not a failure of the database
    rolls back nothing.
    """
    with converting_outage_errors():
        try:
            yield await unit.ensure_transaction()
        except BaseException as error:
            is_outage = isinstance(error, DatabaseUnavailableError)
            is_refusal = isinstance(error, BotError) and not is_outage
            if rolls_back_on_refusal or not is_refusal:
                await unit.roll_back_and_discard_replies()
            raise


async def run_before_commit(db: Database, work: Work) -> None:
    """Run ``work`` at the end of the current unit's transaction. Without a unit, run ``work`` now.

    In a unit, ``work`` also runs if the handler refuses the request of the person.
    """
    unit = _current.get()
    if unit is not None:
        unit.work.append(work)
        return
    async with db.begin() as tx:
        await work(tx)


def add_reply_if_in_unit(target: Target, payload: dict[str, Any]) -> bool:
    """Add a reply to the current unit, and return True. Without a current unit, return False."""
    unit = _current.get()
    if unit is None:
        return False
    unit.replies.append(Reply(target, payload))
    return True


async def call_after_replies(call: Call, *, only_commit: bool = False) -> None:
    """Make a network call after the current unit is committed and its replies are sent.

    If ``only_commit`` is True, make the call before the replies are sent. Errors of the later call
    are only logged. Without a transaction or a reply, make the call now, and raise its errors.
    """
    unit = _current.get()
    if unit is None or not (unit.is_open or unit.replies):
        await call()
    elif only_commit:
        unit.calls_after_commit.append(call)
    else:
        unit.calls_after_replies.append(call)
