"""The claim protocol: a set of columns and statements that all claimed tables share.

Each claim has a lease and a new ``token``. A worker can change a row only while the token of the
worker is the newest. A paused worker can therefore not change a row that was claimed again.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

import sqlalchemy as sa

from bot.domain.records import EPOCH
from bot.runtime.claims import Lease
from bot.store.engine.columns import Timestamp, counter, required
from bot.store.engine.database import Tx, has_row
from bot.store.engine.prepared import Prepared

AllOwners: TypeAlias = None
"""In the type of an owner, the call applies to the claims of all owners."""

NoClaim: TypeAlias = None
"""In the type of the token of a claim, no claim exists."""

WasValid = bool
"""True if a claim was valid until now. False if the claim was lost."""

Claim = tuple[Any, int]
"""The primary key of a row, and the token of its claim."""

NOW: sa.BindParameter[datetime] = sa.bindparam("now", type_=Timestamp)
UNTIL: sa.BindParameter[datetime] = sa.bindparam("until", type_=Timestamp)
_MOST: sa.BindParameter[int] = sa.bindparam("most", type_=sa.Integer)
OWNER: sa.BindParameter[str] = sa.bindparam("by", type_=sa.String)
_CLAIMS: sa.BindParameter[Any] = sa.bindparam("claims", expanding=True)
_FREE = {"owner": None, "leased_until": EPOCH}
RELEASED = _FREE | {"attempts": 0}
"""The columns of a row whose claim has ended with an outcome."""


def claim_columns() -> Iterator[sa.Column[Any]]:
    """Yield the columns that a table with a ``due_at`` needs for claims."""
    yield required("leased_until", Timestamp, default="0")
    # The process that has the claim, or None if the row is not claimed.
    yield sa.Column("owner", sa.String(64))
    # The number of the newest claim.
    yield required("token", sa.BigInteger, default="0")
    # The number of claims without an outcome, including the current claim.
    yield counter("attempts")


def claim_values_of_new_row(lease: Lease | None) -> dict[str, Any]:
    """Return the claim columns of a new row. With ``lease`` the row is claimed at once."""
    if lease is None:
        return _FREE | {"token": 0, "attempts": 0}
    return {"leased_until": lease.until, "owner": lease.owner, "token": 1, "attempts": 1}


class Claims:
    """The claims on the rows of a table."""

    def __init__(
        self,
        table: sa.Table,
        *,
        is_open: sa.ColumnElement[bool] | None = None,
        serial_by: str | None = None,
    ) -> None:
        """Create the claims. Only rows that satisfy ``is_open`` are claimed, by default all rows.

        Open rows with the same value in the column ``serial_by`` are claimed one at a time, in the
        order of the keys.
        """
        self.table = table
        (self._key,) = table.primary_key.columns
        self._is_open = sa.true() if is_open is None else is_open
        columns = table.c
        self.claimable_at = _later_sql(columns.leased_until, columns.due_at)
        """The time at which a row is free: the later of its due time and the end of its lease.
        """
        self._is_unleased: sa.ColumnElement[bool] = columns.leased_until <= NOW
        rows, free_at = sa.select(), self.claimable_at
        if serial_by is not None:
            heads = sa.select(
                sa.func.min(self._key).label("key"),
                sa.func.max(columns.leased_until).label("leased_until"),
            )
            head = heads.where(self._is_open).group_by(columns[serial_by]).subquery()
            free = sa.select(head.c.key).where(head.c.leased_until <= NOW)
            # The condition on the row's own lease seems to follow from the subquery, but is
            # necessary. If a concurrent transaction changes a row, PostgreSQL evaluates only the
            # conditions on the columns of the row again, and not the subquery.
            self._is_unleased = sa.and_(self._is_unleased, self._key.in_(free))
            free_at = _later_sql(head.c.leased_until, columns.due_at)
            rows = rows.join_from(table, head, head.c.key == self._key)
        self.next_sql = (
            rows.add_columns(free_at)
            .where(self._is_open, columns.due_at.is_not(None))
            .order_by(free_at)
            .limit(1)
        )
        """The query for the time at which the first open row can be claimed."""
        self._next = Prepared(self.next_sql)
        are_claims = sa.tuple_(self._key, columns.token).in_(_CLAIMS)
        self._renew_sql = (
            sa.update(table).where(are_claims, columns.owner == OWNER).values(leased_until=UNTIL)
        )
        # The statements are cached, because building a statement takes longer than running it.
        self._change_sql = cache(self._build_change)

    def claim_batch_sql(
        self,
        *returned: sa.ColumnElement[Any],
        order: Sequence[sa.ColumnElement[Any]] = (),
        extra_filter: sa.ColumnElement[bool] | None = None,
        due_condition: sa.ColumnElement[bool] | None = None,
    ) -> sa.UpdateBase:
        """Return the statement that claims free rows. ``claim_values`` returns its parameters.

        - ``order``: the order of the claims, by default the order of the due times.
        - ``due_condition``: the condition that a row is due, by default a past ``due_at``.
        - ``extra_filter``: a further condition for the claimed rows.
        """
        columns = self.table.c
        free = (
            sa.select(self._key)
            .where(self._is_open, self._is_unleased)
            .where(columns.due_at <= NOW if due_condition is None else due_condition)
            .order_by(*(order or [columns.due_at]))
            .limit(_MOST)
            .with_for_update(skip_locked=True)
        )
        if extra_filter is not None:
            free = free.where(extra_filter)
        # A CTE runs once. PostgreSQL may run a subquery repeatedly, and would then claim more rows
        # than the limit.
        claimed = free.cte("free")
        return (
            sa.update(self.table)
            .where(self._key.in_(sa.select(claimed.c[self._key.name])))
            .values(
                owner=OWNER,
                leased_until=UNTIL,
                token=columns.token + 1,
                attempts=columns.attempts + 1,
            )
            .returning(*returned)
        )

    async def next_claimable_at(self, tx: Tx) -> datetime | None:
        """Return the time at which the first open row can be claimed.

        Return None if no open row has a due time.
        """
        rows = await self._next.rows(tx, {})
        return rows[0][0] if rows else None

    async def renew(self, tx: Tx, claims: Collection[Claim], lease: Lease) -> int:
        """Extend the leases of claims that are still valid. Return the number of valid claims.

        A claim whose lease has expired stays valid until the row is claimed again or released.
        """
        values = {"claims": list(claims), "by": lease.owner, "until": lease.until}
        return (await tx.execute(self._renew_sql, values)).rowcount

    async def finish(self, tx: Tx, claim: Claim, **values: object) -> WasValid:
        """End a claim, reset the number of attempts, and set columns.

        Return False, and change nothing, if the row is closed, deleted or claimed again.
        """
        return await self._change(tx, claim, RELEASED | values)

    async def retry(self, tx: Tx, claim: Claim, *, due_at: datetime, **values: object) -> WasValid:
        """End a claim, make the row due again at ``due_at``, and set columns.

        By default, the number of attempts stays. Return False, and change nothing, if the row is
        closed, deleted or claimed again.
        """
        return await self._change(tx, claim, _FREE | {"due_at": due_at, **values})

    async def release_claims_of_owner(self, tx: Tx, owner: str | AllOwners = None) -> int:
        """Release the claims of an owner, or all claims if ``owner`` is None.

        Return the number of released claims. The numbers of attempts stay. Rows that other
        transactions have locked are skipped.
        """
        columns = self.table.c
        of_owner = columns.owner.is_not(None) if owner is None else columns.owner == owner
        rows = sa.select(self._key).where(of_owner).with_for_update(skip_locked=True).cte("theirs")
        release = sa.update(self.table).where(self._key.in_(sa.select(rows.c[self._key.name])))
        released = await tx.execute(release.values(_FREE).returning(self._key))
        return len(released.all())

    async def has_claim_of_owner(self, tx: Tx, owner: str) -> bool:
        """Return whether an owner has a claim."""
        return await has_row(tx, self.table.c.owner == owner)

    async def _change(self, tx: Tx, claim: Claim, values: Mapping[str, object]) -> WasValid:
        """Set columns of a claimed row.

        Return False, and change nothing, if the row is closed or deleted, or if ``claim`` is not
        the newest claim of the row.
        """
        given = {f"new_{name}": value for name, value in values.items()}
        given["claimed"], given["claimed_by"] = claim
        return await self._change_sql(*sorted(values)).execute(tx, given) > 0

    def _build_change(self, *names: str) -> Prepared:
        """Return the statement that sets the columns ``names``."""
        types = {name: self.table.c[name].type for name in names}
        new = {name: sa.bindparam(f"new_{name}", type_=kind) for name, kind in types.items()}
        is_row = self._key == sa.bindparam("claimed")
        is_claim = self.table.c.token == sa.bindparam("claimed_by")
        change = sa.update(self.table).where(is_row, is_claim, self._is_open).values(**new)
        return Prepared(change)


def _later_sql(
    first: sa.ColumnElement[datetime], second: sa.ColumnElement[datetime]
) -> sa.ColumnElement[datetime]:
    """Return the SQL of the later of two times."""
    return sa.case((first > second, first), else_=second)


def claim_values(lease: Lease, *, limit: int) -> dict[str, Any]:
    """Return the parameters of ``claim_batch_sql``: the lease, and the maximum number of rows."""
    return {"by": lease.owner, "now": lease.at, "until": lease.until, "most": limit}
