"""A unit of work: what one update changes and what it is answered are one transaction.

The transaction begins with the first effect and ends when the handler has returned: nobody may
wait for the network in between (``call_after_replies``), for on SQLite it keeps all other writers
waiting. A failure undoes all of it, so that the update can be handled anew.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.domain.errors import BotError, DatabaseUnavailableError
from bot.domain.model import Target
from bot.runtime import transaction_guard
from bot.store.engine.database import Database, Tx
from bot.store.engine.failures import as_outages

Call = Callable[[], Awaitable[Any]]
Work = Callable[[Tx], Awaitable[None]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it is stored; the payload is ``bot.sending.replies``'s."""

    target: Target
    payload: dict[str, Any]


class Unit:
    """The work of one update, as far as it is not committed."""

    def __init__(self, db: Database) -> None:
        """Begin nothing yet."""
        self._db = db
        self._stack: AsyncExitStack | None = None
        self._tx: Tx | None = None
        self.replies: list[Reply] = []
        self.calls_after_replies: list[Call] = []
        self.calls_after_commit: list[Call] = []
        self.work: list[Work] = []
        self.is_in_vain = False
        """Whether what it shows was shown already, so that nobody sees an answer."""

    @property
    def is_open(self) -> bool:
        """Return whether it has a transaction, which others may be waiting for."""
        return self._tx is not None

    async def ensure_transaction(self, *, durable: bool = True) -> Tx:
        """Return the one transaction, begun now if it was not, ``durable`` as ``begin`` has it."""
        if self._tx is None:
            stack = AsyncExitStack()
            self._tx = await stack.enter_async_context(self._db.begin(durable=durable))
            self._stack = stack
        return self._tx

    async def commit(self) -> None:
        """Let all that was done hold."""
        stack, self._stack, self._tx = self._stack, None, None
        if stack:
            await stack.aclose()

    async def undo(self) -> None:
        """Let nothing of it have happened: no effect, no answer."""
        for part in (self.replies, self.calls_after_replies, self.calls_after_commit, self.work):
            part.clear()
        stack, self._stack, self._tx = self._stack, None, None
        if stack:
            error = BotError("undone")  # ends the transaction without a commit
            await stack.__aexit__(type(error), error, None)


_current: ContextVar[Unit | None] = ContextVar("unit", default=None)


def current() -> Unit | None:
    """Return the unit of the update that is being handled, None outside of one."""
    return _current.get()


@contextmanager
def as_current(unit: Unit | None) -> Iterator[None]:
    """Let ``unit`` be the current one; None lets effects be transactions of their own."""
    token = _current.set(unit)
    try:
        with transaction_guard.refusing_while(None if unit is None else lambda: unit.is_open):
            yield
    finally:
        _current.reset(token)


@asynccontextmanager
async def writing(db: Database) -> AsyncIterator[Tx]:
    """Yield the transaction of the current unit, or one of its own where there is none.

    What raises in it undoes the whole unit.
    """
    unit = _current.get()
    if unit is None:
        async with db.begin() as tx:
            yield tx
        return
    with as_outages():
        try:
            yield await unit.ensure_transaction()
        except BaseException:
            await unit.undo()
            raise


@asynccontextmanager
async def reading(db: Database) -> AsyncIterator[Tx]:
    """Yield a transaction that is only read from, and sees what the current unit has changed.

    A refusal that is raised in it (``BotError``) undoes nothing; a failure of the database, or a
    mistake, undoes the whole unit.
    """
    unit = _current.get()
    if unit is None or not unit.is_open:
        async with db.read() as tx:
            yield tx
        return
    with as_outages():
        try:
            yield await unit.ensure_transaction()
        except BaseException as error:
            is_refusal = isinstance(error, BotError)
            if not is_refusal or isinstance(error, DatabaseUnavailableError):
                await unit.undo()
            raise


async def fetch(db: Database, query: Callable[[Tx], Awaitable[T]]) -> T:
    """Return what one query reads; it sees what the current unit has changed."""
    async with reading(db) as tx:
        return await query(tx)


async def run_before_commit(db: Database, work: Work) -> None:
    """Do ``work`` before the unit's commit, in its transaction, when the handler has returned."""
    unit = _current.get()
    if unit is not None:
        unit.work.append(work)
        return
    async with db.begin() as tx:
        await work(tx)


def add_reply(target: Target, payload: dict[str, Any]) -> bool:
    """Answer when the current unit holds; false where there is none."""
    unit = _current.get()
    if unit is None:
        return False
    unit.replies.append(Reply(target, payload))
    return True


async def call_after_replies(call: Call) -> None:
    """Make a call over the network: at once, or after the unit's commit and its replies."""
    unit = _current.get()
    if unit is not None and (unit.is_open or unit.replies):
        unit.calls_after_replies.append(call)
    else:
        await call()


async def call_after_commit(call: Call) -> None:
    """Make a call over the network: at once, or after the unit's commit."""
    unit = _current.get()
    if unit is not None and (unit.is_open or unit.replies):
        unit.calls_after_commit.append(call)
    else:
        await call()
