"""Deliveries: what is owed to chats, as rows that outlive the process: the outbox.

A delivery is a story owed to a subscription, or a notice owed to a chat. Who changes when one is
due locks the chat's queue (``bot.store.chat_queues``).
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from bot.domain.alert_rules import LONGEST_WAIT
from bot.domain.model import Options, Story, Target
from bot.domain.records import MAIN, REPLY, ROWS_A_QUEUE, SUMMARY, Delivery, Subscription
from bot.domain.serialization import load_readable
from bot.store.database import Insert, Tx, built_once, value_of_json
from bot.store.json_rows import json_rows
from bot.store.profiles import profiles
from bot.store.schema import BigId, Timestamp, metadata, only
from bot.store.stories import stories
from bot.store.subscriptions import subscriptions

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
    sa.Column("held", sa.String(8), nullable=False, server_default=""),  # quiet, digest, muted
    sa.Column("copies", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unknowns", sa.Integer, nullable=False, server_default="0"),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),  # that sent nothing
    sa.Column("claims", sa.Integer, nullable=False, server_default="0"),  # since the last outcome
    sa.Column("message_id", sa.BigInteger),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("done_at", Timestamp),
    sa.UniqueConstraint("subscription_id", "story_pk"),
    sa.Index(
        "ix_deliveries_open",
        "chat_id",
        "id",
        **only("state = 'open'"),
    ),
    sa.Index("ix_deliveries_chat", "chat_id"),  # a chat that goes takes its own with it
    sa.Index(
        "ix_deliveries_story",
        "story_pk",
        **only("state = 'open'"),
    ),
    sa.Index(
        "ix_deliveries_due",
        "due_at",
        **only("state = 'open'"),
    ),
    sa.Index(
        "ix_deliveries_parked",
        "done_at",
        **only("state = 'parked'"),
    ),
    sa.Index(
        "ix_deliveries_done",
        "done_at",
        **only("state <> 'open'"),
    ),
)

# A literal, not a parameter: only so does PostgreSQL's generic plan use the partial index.
is_open = deliveries.c.state == sa.literal_column("'open'")
is_dead = deliveries.c.state == sa.literal_column("'parked'")


_LONGEST_WAIT_MS = LONGEST_WAIT // timedelta(milliseconds=1)


def overdue_at() -> sa.ColumnElement[datetime]:
    """Return when a row goes without the earlier ones: order is kept, but not for ever."""
    later = sa.type_coerce(deliveries.c.due_at, sa.BigInteger) + _LONGEST_WAIT_MS
    return sa.type_coerce(later, Timestamp)


def waits_for_earlier(than: Any) -> sa.ColumnElement[bool]:  # noqa: ANN401 - time or column
    """Return whether an earlier row of its subscription is due later than that.

    Answers wait for the earlier ones of their chat in the same way. What a missing right holds
    back is not waited for: its kind may not come for days, and others may.
    """
    earlier = deliveries.alias()
    is_alike = sa.or_(
        earlier.c.subscription_id == deliveries.c.subscription_id,
        sa.and_(earlier.c.notice == REPLY, deliveries.c.notice == REPLY),
    )
    return sa.exists().where(
        earlier.c.chat_id == deliveries.c.chat_id,  # of course, but only so it is found by index
        is_alike,
        earlier.c.id < deliveries.c.id,
        earlier.c.state == sa.literal_column("'open'"),
        earlier.c.due_at > than,
        earlier.c.held != sa.literal_column("'muted'"),
    )


_WHOLE = (
    sa.select(
        deliveries,
        sa.cast(stories.c.value, sa.Text).label("story"),  # read once for all who get it
        sa.cast(subscriptions.c.options, sa.Text).label("options"),
        profiles.c.username,
    )
    .outerjoin(stories, stories.c.pk == deliveries.c.story_pk)
    .outerjoin(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
    .outerjoin(profiles, profiles.c.profile_id == subscriptions.c.profile_id)
)
"""Rows with what belongs to them."""

IN_TURN = [
    sa.case((deliveries.c.notice == REPLY, 0), (deliveries.c.notice == SUMMARY, 1), else_=2),
    deliveries.c.id,
]
"""Answers go first, and the header of a daily summary before what it is over."""


def _due() -> sa.Select[Any]:
    now = sa.bindparam("now", type_=Timestamp)
    place = (
        sa.func.row_number()
        .over(partition_by=deliveries.c.chat_id, order_by=IN_TURN)
        .label("place")
    )
    ranked = (
        sa.select(deliveries.c.id, place)
        .where(deliveries.c.chat_id.in_(sa.bindparam("chat_ids", expanding=True)))
        .where(is_open, deliveries.c.due_at <= now)
        .where(sa.or_(overdue_at() <= now, ~waits_for_earlier(now)))
        .subquery()
    )
    return (
        _WHOLE.join(ranked, ranked.c.id == deliveries.c.id)
        .where(ranked.c.place <= ROWS_A_QUEUE)
        .order_by(*IN_TURN)
    )


DUE = _due()


async def due(tx: Tx, chat_ids: list[int], *, now: datetime) -> list[Delivery]:
    """Return the first due rows of each chat, in the order in which they were found."""
    return _read((await tx.execute(DUE, {"chat_ids": chat_ids, "now": now})).all())


def _read(rows: Sequence[sa.Row[Any]]) -> list[Delivery]:
    payloads = {row.story_pk: row.story for row in rows if row.story}
    known = dict(zip(payloads, load_readable(list(map(_json, payloads.values()))), strict=True))
    return [_delivery(row, known.get(row.story_pk)) for row in rows]


@lru_cache(maxsize=1000)
def _options(text: str) -> Options:
    """Return the options of a subscription, as most others have them, too."""
    return Options.of(value_of_json(text) or {})


def _json(text: str) -> Any:  # noqa: ANN401 - any value
    try:
        return value_of_json(text)
    except ValueError:  # of one story; it is told apart from the others
        return None


def _delivery(row: sa.Row[Any], story: Story | None) -> Delivery:
    return Delivery(
        id=row.id,
        target=Target(row.chat_id, row.thread_id or None),
        subscription_id=row.subscription_id,
        story_pk=row.story_pk,
        story=story,
        username=row.username or "",
        options=_options(row.options or "{}"),
        notice=row.notice,
        fields=row.fields or {},
        copies=row.copies,
        unknowns=row.unknowns,
        tries=row.tries,
        claims=row.claims,
        created_at=row.created_at,
        is_unreadable=story is None and row.story is not None,
        held=row.held,
    )


# Built once: each alert needs them.
_THESE = sa.update(deliveries).where(
    deliveries.c.id.in_(sa.bindparam("ids", expanding=True)), is_open
)
OWES_REPLY = sa.select(
    sa.exists().where(
        deliveries.c.chat_id == sa.bindparam("chat_id"), is_open, deliveries.c.notice == REPLY
    )
)
STILL_OPEN = sa.select(deliveries.c.id).where(
    deliveries.c.id.in_(sa.bindparam("ids", expanding=True)), is_open
)
STARTED = _THESE.values(claims=deliveries.c.claims + 1, held="")
ATTEMPTED = _THESE.values(copies=deliveries.c.copies + 1).returning(deliveries.c.id)


@built_once
def _sent(insert: Insert) -> sa.Executable:
    arrived = json_rows(insert, "arrived", delivery=sa.BigInteger, message=sa.BigInteger)
    return (
        sa.update(deliveries)
        .where(deliveries.c.id == arrived.c.delivery, is_open)
        .values(state="sent", message_id=arrived.c.message, done_at=sa.bindparam("now"))
    )


async def start(tx: Tx, ids: Sequence[int]) -> None:
    """Note that a claimer means to send these."""
    if ids:
        await tx.execute(STARTED, {"ids": ids})


async def count_attempt(tx: Tx, ids: Sequence[int]) -> set[int]:
    """Count a copy of each that is still owed: from here on a crash may leave one in the chat.

    Returns which these are.
    """
    return set((await tx.execute(ATTEMPTED, {"ids": ids})).scalars()) if ids else set()


async def take_back_attempt(tx: Tx, ids: Iterable[int]) -> None:
    """Take back copies that were counted in this transaction, and will not leave."""
    await _update(tx, ids, copies=deliveries.c.copies - 1)


async def mark_unknown(tx: Tx, ids: Iterable[int]) -> None:
    """Keep what may have arrived: the answer was lost."""
    await _update(tx, ids, unknowns=deliveries.c.unknowns + 1, claims=0)


async def requeue(tx: Tx, ids: Iterable[int], *, left: bool, due_at: datetime) -> None:
    """Keep what was surely not sent until ``due_at``; ``left``: a copy was counted."""
    await _update(
        tx,
        ids,
        copies=deliveries.c.copies - int(left),
        tries=deliveries.c.tries + 1,
        claims=0,
        due_at=due_at,
    )


async def remove(tx: Tx, ids: Iterable[int]) -> int:
    """Forget answers that have arrived, or never will: what they said is nobody else's.

    Returns how many of them were still kept.
    """
    return (await tx.execute(sa.delete(deliveries).where(deliveries.c.id.in_(list(ids))))).rowcount


async def change(tx: Tx, delivery_id: int, **values: Any) -> None:  # noqa: ANN401 - columns
    """Change an answer that has arrived in part."""
    await _update(tx, [delivery_id], **values)


def _held(ids: Collection[int], until: datetime) -> sa.ColumnElement[bool]:
    """Return whether a row is an answer that its sender, who claimed it until then, still has."""
    return sa.and_(
        deliveries.c.id.in_(list(ids)),
        is_open,
        deliveries.c.due_at == sa.literal(until, Timestamp),
        deliveries.c.claims == 0,  # else somebody took it for lost, and is at it
    )


async def are_held(tx: Tx, ids: Collection[int], *, until: datetime) -> bool:
    """Return whether nobody has taken for lost what is being sent; its queues are locked."""
    count = sa.select(sa.func.count()).where(_held(ids, until))
    return (await tx.execute(count)).scalar_one() == len(ids)


async def put_off(tx: Tx, ids: Collection[int], *, until: datetime, due_at: datetime) -> bool:
    """Keep answers that are being sent from being taken for lost before ``due_at``.

    False where one was, after ``until``; the queues are locked.
    """
    statement = sa.update(deliveries).where(_held(ids, until)).values(due_at=due_at)
    return (await tx.execute(statement)).rowcount == len(ids)


async def owes_reply(tx: Tx, chat_id: int) -> bool:
    """Return whether an answer waits in a chat, before which no other may go."""
    return bool((await tx.execute(OWES_REPLY, {"chat_id": chat_id})).scalar())


async def replies_enqueued(tx: Tx, chat_id: int) -> list[dict[str, Any]]:
    """Return the answers that wait in a chat, or are on their way."""
    statement = sa.select(deliveries.c.fields).where(
        deliveries.c.chat_id == chat_id, is_open, deliveries.c.notice == REPLY
    )
    return list((await tx.execute(statement)).scalars())


async def give_back(tx: Tx, ids: Iterable[int], *, left: bool = False) -> None:
    """Keep what could not be sent while Telegram was down, as it was.

    ``left``: a copy was counted for what surely was not sent.
    """
    await _update(tx, ids, copies=deliveries.c.copies - int(left), claims=0)


async def forgive(tx: Tx, ids: Iterable[int]) -> None:
    """Take back a lost answer that turned out to be Telegram's failure; the copy stays."""
    await _update(
        tx, ids, unknowns=sa.case((deliveries.c.unknowns > 0, deliveries.c.unknowns - 1), else_=0)
    )


async def still_open(tx: Tx, ids: Collection[int]) -> set[int]:
    """Return which of these are still owed."""
    return set((await tx.execute(STILL_OPEN, {"ids": list(ids)})).scalars()) if ids else set()


async def defer(tx: Tx, ids: Iterable[int], *, due_at: datetime, held: str) -> None:
    """Put off what may not come now; ``held`` is ``quiet``, ``digest`` or ``muted``."""
    await _update(tx, ids, due_at=due_at, held=held)


async def sent(tx: Tx, message_ids: dict[int, int], *, now: datetime) -> None:
    """Note which message brought each delivery (by its id)."""
    if message_ids:
        arrived = [
            {"delivery": delivery_id, "message": message_id}
            for delivery_id, message_id in message_ids.items()
        ]
        await tx.execute(_sent(tx), {"arrived": arrived, "now": now})


async def is_message(tx: Tx, chat_id: int, message_id: int) -> bool:
    """Return whether a message brought an alert; known for 3 days."""
    known = sa.exists().where(
        deliveries.c.chat_id == chat_id, deliveries.c.message_id == message_id
    )
    return bool((await tx.execute(sa.select(known))).scalar_one())


async def drop(tx: Tx, ids: Iterable[int], *, reason: str, now: datetime) -> None:
    """End deliveries that will not be sent, with the reason."""
    await _update(tx, ids, state="dropped", reason=reason, done_at=now)


async def dead_letter(tx: Tx, ids: Iterable[int], *, reason: str, now: datetime) -> None:
    """Stop trying: several copies may have arrived; the operator may check."""
    await _update(tx, ids, state="parked", reason=reason, done_at=now)


async def drop_of(tx: Tx, subscription_id: int, *, reason: str, now: datetime) -> None:
    """End all that a subscription is still owed."""
    statement = sa.update(deliveries).where(
        deliveries.c.subscription_id == subscription_id, is_open
    )
    await tx.execute(statement.values(state="dropped", reason=reason, done_at=now))


async def hand_on(tx: Tx, subscription_id: int, *, to: Subscription) -> None:
    """Owe what a subscription is owed, which is about to end, to another of the same profile."""
    theirs = deliveries.alias()
    has_it = sa.exists().where(
        theirs.c.subscription_id == to.id, theirs.c.story_pk == deliveries.c.story_pk
    )
    statement = sa.update(deliveries).where(
        deliveries.c.subscription_id == subscription_id, is_open, ~has_it
    )
    await tx.execute(
        statement.values(subscription_id=to.id, thread_id=to.target.thread_id or MAIN)
    )


async def drop_had(tx: Tx, subscription_id: int, *, by: int, now: datetime) -> None:
    """End what a subscription is owed that another has had, whose chat is the same by now.

    The other's sent rows become its own, so that a fan-out that reaches it later owes none again.
    """
    theirs = deliveries.alias()
    is_there = sa.exists().where(
        theirs.c.subscription_id == by,
        theirs.c.story_pk == deliveries.c.story_pk,
        theirs.c.state == "sent",
    )
    statement = sa.update(deliveries).where(
        deliveries.c.subscription_id == subscription_id, is_open, is_there
    )
    await tx.execute(statement.values(state="dropped", reason="had", done_at=now))
    its_own = deliveries.alias()
    has_it = sa.exists().where(
        its_own.c.subscription_id == subscription_id,
        its_own.c.story_pk == deliveries.c.story_pk,
    )
    had = sa.update(deliveries).where(
        deliveries.c.subscription_id == by, deliveries.c.state == "sent", ~has_it
    )
    await tx.execute(had.values(subscription_id=subscription_id))


async def unhold(tx: Tx, chat_id: int, *, now: datetime) -> None:
    """Let what is held in a chat be judged anew, by rules that have changed."""
    statement = sa.update(deliveries).where(
        deliveries.c.chat_id == chat_id, is_open, deliveries.c.held != ""
    )
    await tx.execute(statement.values(due_at=now, held=""))


async def release(tx: Tx, chat_id: int, *, held: str, now: datetime) -> None:
    """Let what is held in a chat for a reason be due; the reason is kept until it is sent."""
    statement = sa.update(deliveries).where(
        deliveries.c.chat_id == chat_id, is_open, deliveries.c.held == held
    )
    await tx.execute(statement.values(due_at=now))


async def under_header(tx: Tx, target: Target, *, now: datetime) -> list[Delivery]:
    """Note that the header of a daily summary goes before what is due of it in a place.

    Returns all of that, in the order in which it was found.
    """
    here = sa.and_(
        deliveries.c.chat_id == target.chat_id,
        deliveries.c.thread_id == (target.thread_id or MAIN),
        is_open,
        deliveries.c.held.in_(["digest", "quiet"]),
        deliveries.c.due_at <= now,
    )
    rows = (await tx.execute(_WHOLE.where(here).order_by(deliveries.c.id))).all()
    await tx.execute(sa.update(deliveries).where(here).values(held=""))
    return _read(rows)


async def drop_notices(tx: Tx, chat_id: int, notice: str, *, now: datetime) -> None:
    """End the notices of one name that a chat is still owed."""
    statement = sa.update(deliveries).where(
        deliveries.c.chat_id == chat_id, is_open, deliveries.c.notice == notice
    )
    await tx.execute(statement.values(state="dropped", reason="over", done_at=now))


async def drop_of_chat(tx: Tx, chat_id: int, *, reason: str, now: datetime) -> None:
    """End all that a chat is still owed."""
    statement = sa.update(deliveries).where(deliveries.c.chat_id == chat_id, is_open)
    await tx.execute(statement.values(state="dropped", reason=reason, done_at=now))


async def _update(tx: Tx, ids: Iterable[int], **values: Any) -> None:  # noqa: ANN401 - columns
    wanted: Sequence[int] = list(ids)
    if wanted:
        statement = sa.update(deliveries).where(deliveries.c.id.in_(wanted), is_open)
        await tx.execute(statement.values(**values))
