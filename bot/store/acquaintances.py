"""Acquaintances: the number of days on which the bot has seen a person, and the person's name.

A newcomer is a person whom the bot has seen on few days, and whom the access list does not allow.
"""

from collections.abc import Collection, Iterable
from datetime import date

import sqlalchemy as sa

from bot.store.engine.columns import primary_key, required
from bot.store.engine.database import Tx, delete_rows, dict_of_rows, has_row, put, update_rows
from bot.store.engine.schema import insert, metadata

KNOWN_AFTER = 3  # the number of days with messages after which a person is not a newcomer

acquaintances = sa.Table(
    "acquaintances",
    metadata,
    primary_key("person", sa.BigInteger),
    required("days", sa.Integer),
    required("last_day", sa.Date, index=True),
    # If a person uses the bot only in groups, no other table contains the person's name.
    required("name", sa.Text, default=""),
)


_NEW = insert(acquaintances)
_SEE = _NEW.on_conflict_do_update(
    index_elements=[acquaintances.c.person],
    set_={"days": acquaintances.c.days + 1, "last_day": _NEW.excluded.last_day},
    where=acquaintances.c.last_day < _NEW.excluded.last_day,
)


async def count_day_seen(tx: Tx, people: Collection[int], day: date) -> None:
    """Record that people were seen on a day.

    A day is not counted twice. A day before the last counted day of a person is not counted.
    """
    rows = [
        {"person": person, "days": 1, "last_day": day}
        # The order is fixed, so that concurrent transactions cause no deadlock.
        for person in sorted(people)
    ]
    if rows:
        await tx.execute(_SEE, rows)


async def make_known(tx: Tx, people: Iterable[int], day: date) -> None:
    """Record people as seen on enough days, so that they are not newcomers."""
    for person in sorted(people):
        await put(
            tx,
            acquaintances,
            {"person": person},
            {"days": KNOWN_AFTER},
            new={"last_day": day},
            where=acquaintances.c.days < KNOWN_AFTER,
        )


async def update_name(tx: Tx, person: int, name: str) -> None:
    """Update the stored name of a person. Do nothing if the bot has never seen the person."""
    condition = sa.and_(acquaintances.c.person == person, acquaintances.c.name != name)
    await update_rows(tx, acquaintances, condition, name=name)


async def names_by_person(tx: Tx, people: Collection[int]) -> dict[int, str]:
    """Return the stored names of people, by the id of the person."""
    condition = sa.and_(acquaintances.c.person.in_(sorted(people)), acquaintances.c.name != "")
    statement = sa.select(acquaintances.c.person, acquaintances.c.name).where(condition)
    return await dict_of_rows(tx, statement)


def is_seen_on_enough_days_sql(person: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a person was seen on enough days."""
    condition = acquaintances.c.person == person
    return sa.exists().where(condition, acquaintances.c.days >= KNOWN_AFTER)


async def has_known_person(tx: Tx) -> bool:
    """Return whether any person was seen on enough days."""
    return await has_row(tx, acquaintances.c.days >= KNOWN_AFTER)


async def remove(tx: Tx, people: Iterable[int]) -> None:
    """Delete the rows of people whose data must be erased on request."""
    await delete_rows(tx, acquaintances, acquaintances.c.person.in_(people))
