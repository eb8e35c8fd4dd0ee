"""A database that has the size of a database after years of use.

A few statements fill the database on SQLite or PostgreSQL. All values of a row are functions of
the row's number, so two databases of the same size are equal.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.domain.model import Profile, Story
from bot.domain.records import EPOCH
from bot.domain.serialization import dump_stories
from bot.scheduling.forecast import ProfileState
from bot.store.engine.database import Database, Tx

STAR = "0"  # the id of the profile that every chat follows
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Size:
    """The numbers of rows. ``due`` chats have one pending story each.

    ``calls`` is the number of paid calls of the last 30 days. A tenth of these calls are for
    persons.
    """

    profiles: int
    subscriptions: int
    chats: int
    done: int
    due: int
    calls: int

    @classmethod
    def of(cls, subscriptions: int) -> "Size":
        """Return the usual numbers of rows of a database with ``subscriptions`` subscriptions."""
        chats = subscriptions // 10
        return cls(
            subscriptions // 5, subscriptions, chats, subscriptions * 3, chats, subscriptions
        )


def _numbers(tx: Tx, last: int) -> str:
    """Return SQL for a table ``g`` with the numbers ``i`` from 1 to ``last``."""
    if tx.dialect.name == "postgresql":
        return f"generate_series(1, {last}) AS g(i)"
    counted = f"SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < {last}"  # noqa: S608 - fixed values
    return f"(WITH RECURSIVE n AS ({counted}) SELECT i FROM n) AS g"  # noqa: S608 - fixed values


async def fill(db: Database, size: Size, *, now: datetime) -> None:
    """Fill an empty database that has the current tables."""
    ms = int(now.timestamp() * 1000)
    story = Story("s1", now - timedelta(hours=1), "photo", Profile("1", "u1"))
    value = dump_stories([story])[0]
    stories = max(size.profiles // 10, 1)
    chats, profiles, subscriptions = size.chats, size.profiles, size.subscriptions
    chat = f"(i - 1) % {chats} + 1"
    round_ = f"(i - 1) / {chats}"
    number = "CAST(i AS BIGINT)"
    profile = f"CAST(({number} * 7919 + {round_} * 31) % {profiles} + 1 AS VARCHAR(32))"
    due = f"CASE WHEN i <= {size.due} THEN {ms - 200_000} + i END"
    state = ProfileState(seen_at=now.timestamp(), stories=3.0, days=2.0, age=2.0)
    learned = {"forecast": state.to_json()}
    today = (now - EPOCH).days
    sqlite, postgres = "date(({}) * 86400, 'unixepoch')", "date '1970-01-01' + CAST({} AS INTEGER)"
    day = (sqlite if db.is_sqlite else postgres).format
    tables: list[tuple[str, int, dict[str, str | int]]] = [
        (
            "chats",
            chats,
            {
                "id": "i",
                "kind": "'private'",
                "state_since": 0,
                "created_at": 0,
                "payer": "i",
            },
        ),
        (
            "profiles",
            profiles,
            {
                "profile_id": "CAST(i AS VARCHAR(32))",
                "username": "'u' || i",
                "named_at": ms,
                "state_since": 0,
                "snapshot_at": f"{ms} - {number} * 997 % {DAY_MS}",
                "due_at": f"{ms - 60_000} + {number} * 7919 % {DAY_MS}",
                "weight": 5,
                "chats": 5,
                "unsplit": 400,
                "sample_key": f"({number} * 7919 % 100003) / 100003.0",
                **{name: f":{name}" for name in learned},
            },
        ),
        (
            "subscriptions",
            subscriptions,
            {
                "chat_id": chat,
                "profile_id": profile,
                "options": "'{}'",
                "since": 0,
                "created_at": 0,
            },
        ),
        (
            "stories",
            stories,
            {
                "pk": "'s' || i",
                "profile_id": "CAST(i AS VARCHAR(32))",
                "taken_at": ms - 3_600_000,
                "expires_at": ms + DAY_MS,
                "seen_at": ms,
                "shown_at": ms,
                "value": ":value",
            },
        ),
        (
            "deliveries",
            size.done,
            {
                "chat_id": chat,
                "subscription_id": f"(i - 1) % {subscriptions} + 1",
                "story_pk": "'d' || i",
                "state": "'sent'",
                "due_at": ms - DAY_MS,
                "created_at": ms - DAY_MS,
                "done_at": f"{ms} - {number} * 83 % {3 * DAY_MS}",
                "message_id": "i",
            },
        ),
        (
            "deliveries",
            size.due,
            {
                "chat_id": "i",
                "subscription_id": "i",
                "story_pk": f"'s' || (i % {stories} + 1)",
                "due_at": ms - 1000,
                "created_at": ms - 1000,
            },
        ),
        (
            "acquaintances",
            chats,
            {
                "person": "i",
                "days": "i % 100 + 3",
                "last_day": day(f"{today} - i / 100 % 20"),
            },
        ),
        (
            "ledger_entries",
            size.calls,
            {
                "kind": "CASE WHEN i % 10 = 0 THEN 'stories' ELSE 'schedule' END",
                "chat_id": f"CASE WHEN i % 10 = 0 THEN (i / 10) % {chats} + 1 ELSE 0 END",
                "operation": "'stories'",
                "scopes": "CASE WHEN i % 10 = 0 THEN 'chat person' ELSE '' END",
                "is_on_behalf": "false",
                "nominal": 2,
                "credits": 2,
                "state": "'settled'",
                "at": f"{ms} - {number} * {30 * DAY_MS // size.calls}",
                "closed_at": ms,
            },
        ),
        (
            "usage_days",
            10 * chats,
            {
                "chat_id": chat,
                "day": day(f"{today} - {round_}"),
                "items": 3,
                "millicredits": 100,
            },
        ),
        ("chat_queues", chats, {"chat_id": "i", "due_at": due}),
        (
            "profiles",
            1,
            {
                "profile_id": f"'{STAR}'",
                "username": "'star'",
                "named_at": ms,
                "state_since": 0,
                "snapshot_at": ms,
                "due_at": ms + DAY_MS,
                "weight": chats,
                "chats": chats,
                "unsplit": 400,
                "sample_key": "0.5",
            },
        ),
        (
            "subscriptions",
            chats,
            {
                "chat_id": "i",
                "profile_id": f"'{STAR}'",
                "options": "'{}'",
                "since": 0,
                "created_at": 0,
            },
        ),
    ]
    for table, count, columns in tables:
        async with db.begin(durable=False) as tx:
            if not db.is_sqlite:
                await tx.exec_driver_sql("SET LOCAL statement_timeout = 0")
            values = ", ".join(map(str, columns.values()))
            statement = sa.text(
                f"INSERT INTO {table} ({', '.join(columns)})"  # noqa: S608 - fixed values
                f" SELECT {values} FROM {_numbers(tx, count)}"
            )
            for name, given in ({"value": value} | learned).items():
                if columns.get(name) == f":{name}":
                    statement = statement.bindparams(sa.bindparam(name, given, type_=sa.JSON))
            await tx.execute(statement)
