"""Leases: what replicas must agree on, one row each.

A lease is held by its ``owner`` until a time, renewed before, and free then: what a process that
was killed held is another's. A process shows by one that it is at work (``bot.store.upgrades``);
one is the lead: Telegram gives updates to one poller only, so one of several replicas polls.

Limits that replicas share are rows here too: their state is JSON that its owner understands. Who
changes it locks the row first.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.records import EPOCH
from bot.runtime.workers import Worker
from bot.store.database import Database, Tx, add_new, insert_for
from bot.store.schema import Timestamp, metadata

log = structlog.get_logger()

leases = sa.Table(
    "gates",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("state", sa.JSON),
    sa.Column("owner", sa.String(64)),  # who holds it, where one does
    sa.Column("until", Timestamp, nullable=False, index=True),
)

_Decide = Callable[[Any | None], tuple[Any | None, datetime] | None]
LEASE = timedelta(seconds=5)
EVERY = timedelta(seconds=1.5)  # it is renewed, or asked for: after a kill another has it in 6.5 s
PATIENCE_S = 3.0  # with the database: a lead that can't be renewed must end in time
_SILENT = "it has not answered in time"


async def change(tx: Tx, key: str, decide: _Decide) -> None:
    """Replace a row's state by what ``decide`` makes of it, and keep that until then.

    Where ``decide`` returns None it stays.
    """
    after = decide(await lock(tx, key))
    if after is not None:
        state, until = after
        await write(tx, key, state, until=until)


async def lock(tx: Tx, key: str) -> Any | None:  # noqa: ANN401 - any JSON value
    """Return a row's state; nobody else may change it before the transaction ends."""
    await add_new(tx, leases, key=key, state=None, until=EPOCH)
    statement = sa.select(leases.c.state).where(leases.c.key == key).with_for_update()
    return (await tx.execute(statement)).scalar()


async def peek(tx: Tx, key: str) -> Any | None:  # noqa: ANN401 - any JSON value
    """Return a row's state without locking it."""
    return (await tx.execute(sa.select(leases.c.state).where(leases.c.key == key))).scalar()


async def put(tx: Tx, key: str, state: Any, *, until: datetime) -> None:  # noqa: ANN401 - any JSON value
    """Set the state of a row that nobody has locked; it may be cleaned away after ``until``."""
    values = {"state": state, "until": until}
    insert = insert_for(tx)(leases).values(key=key, **values)
    await tx.execute(insert.on_conflict_do_update(index_elements=[leases.c.key], set_=values))


async def first(tx: Tx, key: str, *, until: datetime) -> bool:
    """Return whether nobody came here before, or so long ago that it was cleaned away."""
    return await add_new(tx, leases, key=key, state=None, until=until)


async def write(tx: Tx, key: str, state: Any, *, until: datetime) -> None:  # noqa: ANN401 - any JSON value
    """Set the state of a locked row; it may be cleaned away after ``until``."""
    values = {"state": state, "until": until}
    await tx.execute(sa.update(leases).where(leases.c.key == key).values(values))


async def take(tx: Tx, key: str, owner: str, *, now: datetime, lease: timedelta = LEASE) -> bool:
    """Take a lease that is free, or renew one's own; false while another holds it."""
    values = {"owner": owner, "until": now + lease}
    insert = insert_for(tx)(leases).values(key=key, **values)
    is_ours = sa.or_(leases.c.until <= now, leases.c.owner == owner)
    taken = insert.on_conflict_do_update(index_elements=[leases.c.key], set_=values, where=is_ours)
    return (await tx.execute(taken)).rowcount > 0


async def release(tx: Tx, key: str, owner: str) -> None:
    """Let a lease go, if it is the owner's still."""
    await tx.execute(sa.delete(leases).where(leases.c.key == key, leases.c.owner == owner))


async def held(tx: Tx, key: str, *, now: datetime) -> Any | None:  # noqa: ANN401 - any JSON value
    """Return the state of a lease that has not ended."""
    statement = sa.select(leases.c.state).where(leases.c.key == key, leases.c.until > now)
    return (await tx.execute(statement)).scalar()


async def count_held(tx: Tx, prefix: str, *, now: datetime) -> int:
    """Return how many leases whose keys begin so have not ended."""
    ours = sa.and_(leases.c.key.startswith(prefix), leases.c.until > now)
    return (await tx.execute(sa.select(sa.func.count()).where(ours))).scalar_one()


async def clean(tx: Tx, *, now: datetime) -> int:
    """Remove leases that have ended; return how many."""
    return (await tx.execute(sa.delete(leases).where(leases.c.until < now))).rowcount


@asynccontextmanager
async def patient(db: Database, patience_s: float = PATIENCE_S) -> AsyncIterator[Tx]:
    """Yield a transaction that a silent database keeps nobody waiting for."""
    try:
        async with asyncio.timeout(patience_s), db.begin(durable=False) as tx:
            yield tx
    except TimeoutError as error:
        raise DatabaseUnavailableError(_SILENT) from error


async def let_go(db: Database, key: str, owner: str, *, patience_s: float = PATIENCE_S) -> None:
    """Let a lease go that ends by itself where the database is silent."""
    try:
        async with patient(db, patience_s) as tx:
            await release(tx, key, owner)
    except DatabaseUnavailableError as error:
        log.warning("a lease is not released", key=key, why=str(error))


class Leader:
    """Runs ``work`` while this process leads; another takes over within the lease.

    ``work`` ends only when it is cancelled, or by raising, which ends the leader as well.
    """

    def __init__(
        self,
        db: Database,
        key: str,
        work: Callable[[], Coroutine[Any, Any, None]],
        *,
        now: Callable[[], datetime],
        lease: timedelta = LEASE,
        every: timedelta = EVERY,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Be one of those who may lead in ``key``."""
        self._db = db
        self._key = key
        self._work = work
        self._now = now
        self._lease = lease
        self._every = every
        self._patience_s = patience_s
        self._owner = uuid.uuid4().hex
        self._working: asyncio.Task[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._group: asyncio.TaskGroup | None = None
        self.worker = Worker("leader", self._step, now=now, longest=every)

    @property
    def is_leading(self) -> bool:
        """Return whether this process does the work."""
        return self._working is not None

    async def run(self) -> None:
        """Lead, or wait to, until cancelled; then let another lead at once."""
        try:
            async with asyncio.TaskGroup() as self._group:
                await self.worker.run()
        finally:
            self._working = None
            if self._expiry is not None:
                self._expiry.cancel()
            await let_go(self._db, self._key, self._owner, patience_s=self._patience_s)

    async def _step(self) -> datetime:
        """Take or renew the lead; without the database it lasts as long as the lease."""
        asked_at = self._now()
        async with patient(self._db, self._patience_s) as tx:
            leads = await take(tx, self._key, self._owner, now=asked_at, lease=self._lease)
        if not leads:
            self._rest()
            return asked_at + self._every
        self._end_at(asked_at + self._lease)
        if self._working is None and self._group is not None:
            log.info("leading", what=self._key)
            self._working = self._group.create_task(self._work())
        return asked_at + self._every

    def _end_at(self, until: datetime) -> None:
        """Rest when the lease is over, whatever the next step waits for by then."""
        if self._expiry is not None:
            self._expiry.cancel()
        left = (until - self._now()).total_seconds()
        self._expiry = asyncio.get_running_loop().call_later(left, self._rest)

    def _rest(self) -> None:
        """Do the work no more: another leads, or may."""
        if self._working is not None:
            log.warning("no longer leading", what=self._key)
            self._working.cancel()
            self._working = None
