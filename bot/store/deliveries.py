"""Deliveries: what is owed to chats, as rows that outlive the process: the outbox.

A delivery is a story owed to a subscription, or a notice owed to a chat. Each chat has one lane,
with the time when something is due next; who claims the lane sends alone into that chat, until
the lease ends. Whoever changes what is due in a chat takes its lane first (``hold_lane``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from bot.codec import load_stories
from bot.domain import Options, Story, Target
from bot.store import chats
from bot.store.chats import Chat
from bot.store.database import Tx
from bot.store.profiles import profiles
from bot.store.schema import BigId, Timestamp, metadata
from bot.store.stories import stories
from bot.store.subscriptions import subscriptions

ROWS_A_LANE = 60

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column(
        "chat_id", sa.BigInteger, sa.ForeignKey("chats.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("thread_id", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("subscription_id", BigId, sa.ForeignKey("subscriptions.id", ondelete="CASCADE")),
    sa.Column("story_pk", sa.String(32)),
    sa.Column("notice", sa.String(16)),  # which sentence; None for a story
    sa.Column("fields", sa.JSON),
    sa.Column("state", sa.String(8), nullable=False, server_default="open"),
    sa.Column("due_at", Timestamp, nullable=False),
    sa.Column("held", sa.String(8), nullable=False, server_default=""),  # quiet, digest
    sa.Column("copies", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unknowns", sa.Integer, nullable=False, server_default="0"),
    sa.Column("message_id", sa.BigInteger),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("done_at", Timestamp),
    sa.UniqueConstraint("subscription_id", "story_pk"),
    sa.Index(
        "ix_deliveries_open",
        "chat_id",
        "id",
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    ),
    sa.Index(
        "ix_deliveries_done",
        "done_at",
        postgresql_where=sa.text("state <> 'open'"),
        sqlite_where=sa.text("state <> 'open'"),
    ),
)

lanes = sa.Table(
    "lanes",
    metadata,
    sa.Column(
        "chat_id",
        sa.BigInteger,
        sa.ForeignKey("chats.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("due_at", Timestamp),  # None: nothing is owed
    sa.Column("free_at", Timestamp, nullable=False),  # until then leased, or told to wait
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),  # who claimed last
    sa.Column("leased", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index(
        "ix_lanes_due",
        "due_at",
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    ),
)

# A literal, not a parameter: only so does PostgreSQL's generic plan use the partial index.
is_open = deliveries.c.state == sa.literal_column("'open'")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A story or a notice that is owed; ``copies`` counts sends that may have arrived."""

    id: int
    target: Target
    subscription_id: int | None
    story_pk: str | None
    story: Story | None
    username: str
    options: Options
    notice: str | None
    fields: dict[str, Any]
    copies: int
    unknowns: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Lane:
    """A chat with what is due in it, in the order of sending; ``token`` proves the claim."""

    chat: Chat
    token: int
    rows: list[Delivery] = field(default_factory=list)


async def claim(tx: Tx, *, now: datetime, limit: int, lease: timedelta) -> list[Lane]:
    """Take the lanes where something is due, longest overdue first, for ``lease``."""
    due = (
        sa.select(lanes.c.chat_id)
        .where(lanes.c.due_at <= now, lanes.c.free_at <= now)
        .order_by(lanes.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        sa.update(lanes)
        .where(lanes.c.chat_id.in_(due.scalar_subquery()))
        .values(free_at=now + lease, token=lanes.c.token + 1, leased=True)
        .returning(lanes.c.chat_id, lanes.c.token)
    )
    tokens = {row.chat_id: row.token for row in await tx.execute(statement)}
    if not tokens:
        return []
    rows = await _due_rows(tx, list(tokens), now)
    found = await tx.execute(sa.select(*chats.COLUMNS).where(chats.chats.c.id.in_(list(tokens))))
    return [
        Lane(
            chat=Chat(**row._mapping),  # noqa: SLF001 - SQLAlchemy's public name for it
            token=tokens[row.id],
            rows=[delivery for delivery in rows if delivery.target.chat_id == row.id],
        )
        for row in found
    ]


async def _due_rows(tx: Tx, chat_ids: list[int], now: datetime) -> list[Delivery]:
    """Return the first due rows of each chat, in the order in which they were found."""
    place = (
        sa.func.row_number()
        .over(partition_by=deliveries.c.chat_id, order_by=deliveries.c.id)
        .label("place")
    )
    ranked = (
        sa.select(deliveries.c.id, place)
        .where(deliveries.c.chat_id.in_(chat_ids), is_open, deliveries.c.due_at <= now)
        .subquery()
    )
    statement = (
        sa.select(
            deliveries,
            stories.c.value.label("story"),
            subscriptions.c.options,
            profiles.c.username,
        )
        .join(ranked, ranked.c.id == deliveries.c.id)
        .outerjoin(stories, stories.c.pk == deliveries.c.story_pk)
        .outerjoin(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
        .outerjoin(profiles, profiles.c.profile_id == subscriptions.c.profile_id)
        .where(ranked.c.place <= ROWS_A_LANE)
        .order_by(deliveries.c.id)
    )
    return [_delivery(row) for row in await tx.execute(statement)]


def _delivery(row: sa.Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        target=Target(row.chat_id, row.thread_id or None),
        subscription_id=row.subscription_id,
        story_pk=row.story_pk,
        story=load_stories([row.story])[0] if row.story else None,
        username=row.username or "",
        options=Options.of(row.options or {}),
        notice=row.notice,
        fields=row.fields or {},
        copies=row.copies,
        unknowns=row.unknowns,
        created_at=row.created_at,
    )


async def hold_lane(tx: Tx, chat_id: int) -> int | None:
    """Keep a chat's lane from all others until this transaction ends; return its token."""
    statement = sa.select(lanes.c.token).where(lanes.c.chat_id == chat_id).with_for_update()
    return (await tx.execute(statement)).scalar_one_or_none()


async def settle_lane(tx: Tx, chat_id: int, *, free_at: datetime | None = None) -> None:
    """Write down when something is due next in a chat whose lane is held.

    ``free_at`` ends the lease, then or later; a chat where the bot may not write is due never.
    """
    due = (
        sa.select(sa.func.min(deliveries.c.due_at))
        .join(chats.chats, chats.chats.c.id == deliveries.c.chat_id)
        .where(deliveries.c.chat_id == chat_id, is_open, chats.chats.c.state == "active")
        .scalar_subquery()
    )
    values: dict[str, Any] = {"due_at": due}
    if free_at is not None:
        values |= {"free_at": free_at, "leased": False}
    await tx.execute(sa.update(lanes).where(lanes.c.chat_id == chat_id).values(**values))


async def keep_lane(tx: Tx, chat_id: int, token: int, *, until: datetime) -> bool:
    """Make a lease longer; false when it is lost."""
    statement = (
        sa.update(lanes)
        .where(lanes.c.chat_id == chat_id, lanes.c.token == token)
        .values(free_at=until)
    )
    return (await tx.execute(statement)).rowcount > 0


async def due_next(tx: Tx) -> datetime | None:
    """Return when the next lane is due."""
    due: datetime | None = (await tx.execute(sa.select(sa.func.min(lanes.c.due_at)))).scalar()
    return due


async def start(tx: Tx, ids: Iterable[int]) -> None:
    """Count a copy of each: from here on a crash may leave one in the chat."""
    await _update(tx, ids, copies=deliveries.c.copies + 1, held="")


async def put_back(tx: Tx, ids: Iterable[int], *, unknown: bool) -> None:
    """Keep for later what was not sent, or (``unknown``) may have been."""
    if unknown:
        await _update(tx, ids, unknowns=deliveries.c.unknowns + 1)
    else:
        await _update(tx, ids, copies=deliveries.c.copies - 1)


async def hold(
    tx: Tx, ids: Iterable[int], *, due_at: datetime, held: Literal["quiet", "digest"]
) -> None:
    """Put off what may not come now."""
    await _update(tx, ids, due_at=due_at, held=held)


async def sent(tx: Tx, message_ids: dict[int, int], *, now: datetime) -> None:
    """Note which message brought each delivery (by its id)."""
    for delivery_id, message_id in message_ids.items():
        await _update(tx, [delivery_id], state="sent", message_id=message_id, done_at=now)


async def drop(tx: Tx, ids: Iterable[int], *, reason: str, now: datetime) -> None:
    """End deliveries that will not be sent, with the reason."""
    await _update(tx, ids, state="dropped", reason=reason, done_at=now)


async def park(tx: Tx, ids: Iterable[int], *, reason: str, now: datetime) -> None:
    """Stop trying: several copies may have arrived; the operator may look."""
    await _update(tx, ids, state="parked", reason=reason, done_at=now)


async def drop_of(tx: Tx, subscription_id: int, *, reason: str, now: datetime) -> None:
    """End all that a subscription is still owed."""
    statement = sa.update(deliveries).where(
        deliveries.c.subscription_id == subscription_id, is_open
    )
    await tx.execute(statement.values(state="dropped", reason=reason, done_at=now))


async def unhold(tx: Tx, chat_id: int, *, now: datetime) -> None:
    """Let what is held in a chat be judged anew, by rules that have changed."""
    statement = sa.update(deliveries).where(
        deliveries.c.chat_id == chat_id, is_open, deliveries.c.held != ""
    )
    await tx.execute(statement.values(due_at=now, held=""))


async def _update(tx: Tx, ids: Iterable[int], **values: Any) -> None:  # noqa: ANN401 - columns
    wanted: Sequence[int] = list(ids)
    if wanted:
        statement = sa.update(deliveries).where(deliveries.c.id.in_(wanted), is_open)
        await tx.execute(statement.values(**values))
