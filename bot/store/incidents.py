"""Incidents about which the owners are notified. Each kind has at most a single open incident."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.domain.incidents import Fields, Incident, fields_from_json, fields_to_json
from bot.store import key_values, leases
from bot.store.engine.columns import Timestamp, automatic_id, required
from bot.store.engine.database import Tx, row_or_none, update_rows
from bot.store.engine.schema import columns_of, insert, metadata, partial_index

incidents = sa.Table(
    "incidents",
    metadata,
    automatic_id(),
    required("kind", sa.String(24)),
    required("text", sa.Text),  # the English sentence with placeholders, which is translated later
    required("fields", sa.JSON),
    required("opened_at", Timestamp),
    sa.Column("closed_at", Timestamp),
    sqlite_autoincrement=True,
)
_OPEN = incidents.c.closed_at.is_(None)
sa.Index("ix_incidents_open", incidents.c.kind, unique=True, **partial_index(_OPEN))

_OUTAGE_END = "outage_end"
"""The key of the time at which the end of the last outage of the database was reported."""

COLUMNS = columns_of(incidents, Incident)


def _incident(row: Any) -> Incident:  # noqa: ANN401 - SQLAlchemy's row
    made = Incident(*row)
    return replace(made, fields=fields_from_json(made.fields))


async def add(
    tx: Tx,
    kind: str,
    text: str,
    fields: Fields,
    *,
    opened_at: datetime,
    closed_at: datetime | None = None,
) -> int | None:
    """Insert an incident. Return the number of the incident.

    If ``closed_at`` is given, the incident is already over. Return None, and insert nothing, if an
    incident of the kind is open and ``closed_at`` is None.
    """
    new = insert(incidents).values(
        kind=kind,
        text=text,
        fields=fields_to_json(fields),
        opened_at=opened_at,
        closed_at=closed_at,
    )
    return await row_or_none(tx, int, new.on_conflict_do_nothing().returning(incidents.c.id))


async def close(tx: Tx, kind: str, *, now: datetime) -> Incident | None:
    """Close the open incident of a kind. Return the incident, or None if no incident was open."""
    statement = (
        sa.update(incidents)
        .where(incidents.c.kind == kind, _OPEN)
        .values(closed_at=now)
        .returning(*COLUMNS)
    )
    row = (await tx.execute(statement)).one_or_none()
    return _incident(row) if row else None


async def change_text_of_open(tx: Tx, kind: str, text: str, fields: Fields) -> None:
    """Change the text of the open incident of a kind. Do nothing if no incident is open."""
    values = {"text": text, "fields": fields_to_json(fields)}
    await update_rows(tx, incidents, incidents.c.kind == kind, _OPEN, **values)


async def all_open(tx: Tx) -> list[Incident]:
    """Return the open incidents, oldest first."""
    statement = sa.select(*COLUMNS).where(_OPEN).order_by(incidents.c.id)
    return [_incident(row) for row in await tx.execute(statement)]


async def latest(tx: Tx, *, limit: int) -> list[Incident]:
    """Return at most ``limit`` of the latest incidents, newest first."""
    statement = sa.select(*COLUMNS).order_by(incidents.c.id.desc()).limit(limit)
    return [_incident(row) for row in await tx.execute(statement)]


async def store_mark_that_condition_is_met(
    tx: Tx, kind: str, *, process: str, until: datetime
) -> None:
    """Record that ``process`` has found an incident of a kind. The record expires at ``until``.

    The table of incidents is not changed. While the record exists, the other processes do not
    close the incident.
    """
    await key_values.put(tx, f"{_met_prefix(kind)}{process}", process, until=until)


async def is_condition_met_elsewhere(tx: Tx, kind: str, *, process: str, now: datetime) -> bool:
    """Return whether a process other than ``process`` still finds an incident of a kind."""
    processes = await leases.active_values(tx, _met_prefix(kind), now=now)
    return any(other != process for other in processes)


def _met_prefix(kind: str) -> str:
    return f"met:{kind}:"


async def record_outage_end_if_unreported(
    tx: Tx, *, outage_since: datetime, now: datetime
) -> bool:
    """Record that the end of an outage of the database is reported to the owners at ``now``.

    Return False, and record nothing, if the end of the outage that began at ``outage_since`` was
    already reported.
    """
    reported = await key_values.lock_or_add(tx, _OUTAGE_END)
    if reported is not None and datetime.fromisoformat(str(reported)) >= outage_since:
        return False
    await key_values.put(tx, _OUTAGE_END, now.isoformat())
    return True
