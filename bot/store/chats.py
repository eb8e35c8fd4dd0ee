"""Chats: language, time zone, quiet hours, payer, and whether the bot may write in the chat."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from bot.domain.access import Entry, Judged, Subject, judge_access
from bot.domain.errors import CHAT_SILENCED, BlockedError
from bot.domain.model import NoMaximum
from bot.domain.records import Chat, Cleared, Question
from bot.store import access, key_values, mutes
from bot.store.engine.columns import Timestamp, flag, primary_key, required
from bot.store.engine.database import (
    Tx,
    add_new,
    all_rows,
    column_values,
    has_row,
    lock_rows,
    row_or_none,
    update_rows,
)
from bot.store.engine.prepared import Prepared
from bot.store.engine.schema import columns_of, insert, metadata

chats = sa.Table(
    "chats",
    metadata,
    primary_key("id", sa.BigInteger),
    required("kind", sa.String(16)),
    required("title", sa.Text, default=""),
    # The language chosen by /language. None means that the language that Telegram reports is used.
    sa.Column("language", sa.String(16)),
    # The digest of the chat's own command menu that was last sent to Telegram.
    sa.Column("menu", sa.String(16)),
    # The language that Telegram reports for the person of a private chat, or for the person who
    # added the bot to a group or channel.
    sa.Column("language_code", sa.String(16)),
    sa.Column("zone", sa.String(64)),  # None means that no zone is set and that UTC applies.
    sa.Column("quiet_from", sa.Integer),  # minutes after midnight in the chat's zone
    sa.Column("quiet_to", sa.Integer),
    required("digest_at", sa.Integer, default="540"),
    required("defaults", sa.JSON, default="{}"),
    flag("shows_parts"),
    # The rules that apply to the subscriptions of the chat without rules of their own.
    required("rules", sa.JSON, default="{}"),
    # The person whose limits the chat uses. In a private chat, this is the chat's own person.
    # None means that the chat has no payer and gets no alerts.
    sa.Column("payer", sa.BigInteger, index=True),
    required("state", sa.String(8), default="active"),
    required("state_since", Timestamp),
    # True if the bot has left the chat. Such a chat stays closed when a block of the chat ends.
    flag("is_away"),
    required("created_at", Timestamp),
)


moved_chats = sa.Table(
    "moved_chats",
    metadata,
    primary_key("old_id", sa.BigInteger),
    required("new_id", sa.BigInteger, index=True),
    required("at", Timestamp),
)
"""Groups that became supergroups. Updates and rows of the old id belong to the new id."""

# The condition is "not closed" instead of "active". Without statistics, PostgreSQL assumes that
# few rows are equal to a value, and would read all chats to find the subscribers of a profile.
IS_ACTIVE = chats.c.state != "closed"
HAS_PAYER = chats.c.payer.is_not(None)

COLUMNS = columns_of(chats, Chat)


_OF_ID = sa.select(*COLUMNS).where(chats.c.id == sa.bindparam("id"))


async def get(tx: Tx, chat_id: int) -> Chat | None:
    """Return the chat, or None if the database has no such chat."""
    return await row_or_none(tx, Chat, _OF_ID, {"id": chat_id})


_KIND, _SUBJECT = access.access_list.c.kind, access.access_list.c.subject
_ADDED = access.access_list.alias()
_IS_OWN_ENTRY = sa.and_(_ADDED.c.kind == "chat", _ADDED.c.via == "added")


_CHAT_TEXT = sa.bindparam("chat", type_=sa.String)
_PAYER = sa.select(chats.c.payer).where(chats.c.id == sa.bindparam("id", type_=sa.BigInteger))
_ADDER = sa.select(_ADDED.c.added_by).where(_IS_OWN_ENTRY, _ADDED.c.subject == _CHAT_TEXT)
_RESPONSIBLE = sa.func.coalesce(
    sa.cast(_PAYER.scalar_subquery(), sa.String), _ADDER.scalar_subquery(), ""
)
"""The id, as text, of the person who is responsible for a chat.

A block of the responsible person silences the chat. The payer is responsible. If the chat has no
payer, the person who added the bot is responsible. Without this second rule, a person could avoid
a block by giving up the chat.
"""
_DECIDES = sa.or_(
    sa.and_(_KIND == "person", sa.bindparam("person", type_=sa.String) == _SUBJECT),
    sa.and_(_KIND == "person", _RESPONSIBLE == _SUBJECT),
    sa.and_(_KIND == "chat", _CHAT_TEXT == _SUBJECT),
)
_IS_MUTED = sa.exists().where(mutes.mutes.c.chat_id == sa.bindparam("id", type_=sa.BigInteger))
_QUESTION = sa.select(key_values.key_values.c.value).where(
    key_values.key_values.c.key == sa.bindparam("question"),
    key_values.key_values.c.until > sa.bindparam("now", type_=Timestamp),
)
_WITH_ACCESS = Prepared(
    sa.select(
        *COLUMNS, _RESPONSIBLE, _IS_MUTED, _QUESTION.scalar_subquery(), *access.COLUMNS
    ).select_from(
        sa.select(sa.literal(1))  # returns a row even for a chat that is not in the database
        .subquery()
        .outerjoin(chats, chats.c.id == sa.bindparam("id", type_=sa.BigInteger))
        .outerjoin(access.access_list, _DECIDES)
    )
)


@dataclass(frozen=True, slots=True)
class WithAccess:
    """A chat, and the data that decide whether a person may use the bot in the chat.

    ``responsible`` is the id, as text, of the person responsible for the chat, or an empty text.
    ``entries`` are from the access list.
    """

    chat: Chat | None
    responsible: str
    is_muted: bool
    question: Question | None
    entries: list[Entry]


async def get_with_access(
    tx: Tx, person: int | None, chat_id: int | None, *, now: datetime
) -> WithAccess:
    """Return a chat, its open question, and the data that decide about access.

    The access is the permission of ``person`` to use the bot in the chat.
    """
    values: dict[str, object] = {
        "id": chat_id,
        "person": str(person),
        "chat": str(chat_id),
        "question": _question_key(chat_id),
        "now": now,
    }
    rows = await _WITH_ACCESS.rows(tx, values)
    first, width = rows[0], len(COLUMNS)
    listed = [row[width + 3 :] for row in rows]
    return WithAccess(
        chat=Chat(*first[:width]) if first.id else None,
        responsible=first[width],
        is_muted=bool(first[width + 1]),
        question=first[width + 2],
        entries=[Entry(*row) for row in listed if row[0]],
    )


async def set_question(
    tx: Tx, chat_id: int, question: Question | Cleared, *, until: datetime | None = None
) -> None:
    """Set the open question of a chat. If ``question`` is None, remove the open question.

    The question is valid until the time ``until``. A question without this time is never read.
    """
    if question is None:
        await key_values.remove(tx, _question_key(chat_id))
    else:
        await key_values.put(tx, _question_key(chat_id), question, until=until)


def _question_key(chat_id: int | None) -> str:
    return f"question:{chat_id}"


async def is_blocked(tx: Tx, chat_id: int, *, now: datetime) -> bool:
    """Return whether the access list blocks a chat, or the person responsible for the chat.

    A caller that changes the chat because of the result locks the chat first.
    """
    return (await judge_chat(tx, chat_id, now=now)).verdict == "blocked"


async def raise_if_blocked(tx: Tx, chat_id: int, *, now: datetime) -> None:
    """Raise an error if a locked chat is blocked.

    Raises:
        BlockedError: The chat, the person in the private chat, or the person responsible for the
            group or channel is blocked.
    """
    judged = await judge_chat(tx, chat_id, now=now)
    if judged.is_silent:  # the responsible person of a group or channel is blocked
        raise BlockedError(text=CHAT_SILENCED)
    if judged.verdict == "blocked":
        raise BlockedError


async def judge_chat(tx: Tx, chat_id: int, *, now: datetime) -> Judged:
    """Return whether the access list blocks a chat, and why.

    Permissions are not needed for the chat, because the mode "open" is assumed. A private chat is
    judged by the entry of the person in the chat.
    """
    found = await get_with_access(tx, chat_id, chat_id, now=now)
    return judge_access(
        "open",
        chat_id,
        rows=found.entries,
        person_id=chat_id,
        responsible=found.responsible,
        now=now,
    )


async def chats_of_blocked_people_among(
    tx: Tx, chat_ids: Collection[int], *, now: datetime
) -> set[int]:
    """Return those chats in ``chat_ids`` whose responsible person is blocked.

    The person in a private chat is responsible for the chat.
    """
    id_ = _chats_of_blocked_people_sql(now).subquery().c.id
    return set(await column_values(tx, id_, id_.in_(sorted(chat_ids))))


async def ids_blocked_by_access_list(tx: Tx, *, now: datetime) -> list[int]:
    """Return the ids of the stored chats that the access list blocks or silences.

    A chat is silenced if the person who is responsible for the chat is blocked.
    """
    return sorted(await column_values(tx, chats.c.id, is_blocked_sql(now)))


def is_blocked_sql(now: datetime) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a chat, or the person responsible for the chat, is blocked.

    The person in a private chat is responsible for the chat.
    """
    numbers = sa.cast(_SUBJECT, sa.BigInteger)
    blocked = access.blocked_people_and_chats_sql(now).with_only_columns(numbers)
    return sa.or_(chats.c.id.in_(blocked), chats.c.id.in_(_chats_of_blocked_people_sql(now)))


def _chats_of_blocked_people_sql(now: datetime) -> sa.CompoundSelect[int]:
    """Return the query for the ids of the chats with a blocked responsible person."""
    blocked = access.blocked_people_and_chats_sql(now)
    numbers = blocked.with_only_columns(sa.cast(_SUBJECT, sa.BigInteger))
    return _chats_of_people_sql(blocked, numbers)


def _chats_of_people_sql(ids_as_text: Any, ids_as_number: Any) -> sa.CompoundSelect[int]:  # noqa: ANN401 - lists or queries
    """Return the query for the ids of the chats for which people are responsible.

    The ids of the people are given as text and as number. ``_RESPONSIBLE`` must have the same rule
    for a single chat.
    """
    paid = chats.alias()
    of_payer = sa.select(paid.c.id).where(paid.c.payer.in_(ids_as_number))
    chat_id = sa.cast(_ADDED.c.subject, sa.BigInteger)
    has_payer = sa.exists().where(paid.c.id == chat_id, paid.c.payer.is_not(None))
    of_adder = sa.select(chat_id).where(
        _IS_OWN_ENTRY, _ADDED.c.added_by.in_(ids_as_text), ~has_payer
    )
    return sa.union(of_payer, of_adder)


async def chat_ids_person_is_responsible_for(tx: Tx, person: int) -> list[int]:
    """Return the ids of the chats for which a person is responsible.

    The person's private chat is always included.
    """
    rows = await tx.scalars(_chats_of_people_sql([str(person)], [person]))
    return sorted({person, *rows})


async def chat_ids_that_block_would_close(tx: Tx, subject: Subject) -> list[int]:
    """Return the ids of the chats that a block of ``subject`` closes.

    The block of a profile closes no chat.
    """
    if subject.kind == "profile":
        return []
    if subject.kind == "person":
        return await chat_ids_person_is_responsible_for(tx, int(subject.id))
    return [int(subject.id)]


_OF_IDS = sa.select(*COLUMNS).where(chats.c.id.in_(sa.bindparam("ids", expanding=True)))


async def get_all(tx: Tx, chat_ids: Sequence[int]) -> list[Chat]:
    """Return the stored chats with the given ids."""
    return await all_rows(tx, Chat, _OF_IDS, {"ids": chat_ids})


async def new_id_if_moved(tx: Tx, old_chat_id: int) -> int | None:
    """Return the new id of a group that became a supergroup, or None for any other chat."""
    statement = sa.select(moved_chats.c.new_id).where(moved_chats.c.old_id == old_chat_id)
    return await row_or_none(tx, int, statement)


async def record_move(tx: Tx, old: int, new: int, *, now: datetime) -> bool:
    """Record that the group ``old`` became the supergroup ``new``.

    Return False, and change nothing, if the group already has a recorded new id.
    """
    return await add_new(tx, moved_chats, old_id=old, new_id=new, at=now)


async def add_or_update(
    tx: Tx,
    chat_id: int,
    *,
    kind: str,
    title: str,
    now: datetime,
    language_code: str | None = None,
) -> Chat:
    """Add a chat with the default settings, or update a stored chat. Return the chat.

    The update changes the kind, the title and, if given, the language code. A new chat that the
    access list blocks is closed.
    """
    columns = {"kind": kind, "title": title}
    if language_code:
        columns["language_code"] = language_code
    state = "closed" if await is_blocked(tx, chat_id, now=now) else "active"
    new: dict[str, Any] = {
        "id": chat_id,
        "payer": chat_id if chat_id > 0 else None,
        "state": state,
        "state_since": now,
        "created_at": now,
    }
    statement = insert(chats).values(**new, **columns)
    statement = statement.on_conflict_do_update(index_elements=[chats.c.id], set_=columns)
    return Chat(*(await tx.execute(statement.returning(*COLUMNS))).one())


async def titles_by_chat(tx: Tx, chat_ids: Collection[int]) -> dict[int, str]:
    """Return the titles of chats by id. The title of a private chat is the person's name.

    Unknown chats and chats without a title are left out.
    """
    statement = sa.select(chats.c.id, chats.c.title).where(chats.c.id.in_(sorted(chat_ids)))
    return {row[0]: row[1] for row in await tx.execute(statement) if row[1]}


async def active_ids(tx: Tx) -> list[int]:
    """Return the ids of all chats that are not closed."""
    return await column_values(tx, chats.c.id, IS_ACTIVE)


async def active_among(tx: Tx, chat_ids: Collection[int]) -> list[int]:
    """Return those chats in ``chat_ids`` that are stored and not closed, ordered by id."""
    is_one = chats.c.id.in_(chat_ids)
    return sorted(await column_values(tx, chats.c.id, is_one, IS_ACTIVE))


async def add_private_chat_if_missing(
    tx: Tx, person_id: int, *, now: datetime, language_code: str | None = None
) -> None:
    """Insert the private chat of a person if the database does not have the chat."""
    await add_new(
        tx,
        chats,
        id=person_id,
        kind="private",
        payer=person_id,
        language_code=language_code,
        state_since=now,
        created_at=now,
    )


async def payer_of(tx: Tx, chat_id: int) -> int | None:
    """Return the id of the person whose limits a chat uses, or None if the chat has no payer."""
    if chat_id > 0:
        return chat_id
    statement = sa.select(chats.c.payer).where(chats.c.id == chat_id)
    return await tx.scalar(statement)


async def set_payer(tx: Tx, chat_id: int, payer: int | Cleared) -> None:
    """Set the payer of a chat. The value None removes the payer."""
    await change(tx, chat_id, payer=payer)


async def groups_of_payer(tx: Tx, payer: int, *, most: int | NoMaximum = None) -> list[Chat]:
    """Return the groups and channels of a payer, sorted by title.

    ``most`` is the maximum number of chats. Without ``most``, all chats are returned.
    """
    statement = sa.select(*COLUMNS).where(chats.c.payer == payer, chats.c.id < 0)
    return await all_rows(tx, Chat, statement.order_by(chats.c.title, chats.c.id).limit(most))


async def was_group_before(tx: Tx, chat_id: int) -> bool:
    """Return whether a chat is a supergroup that was a group before."""
    return await has_row(tx, moved_chats.c.new_id == chat_id)


async def change(tx: Tx, chat_id: int, **values: object) -> None:
    """Set columns of a chat."""
    await update_rows(tx, chats, chats.c.id == chat_id, **values)


async def lock(tx: Tx, chat_ids: Collection[int]) -> None:
    """Lock chats against changes by other transactions until this transaction ends.

    Other transactions may still insert rows that refer to the chats. A chat that is not stored is
    not locked.
    """
    if not chat_ids:
        return
    ids = set(chat_ids)
    found = await lock_rows(tx, chats.c.id, chats.c.id.in_(ids))
    if found < len(ids):
        # While the first statement waited for the lock, another transaction may have replaced the
        # row of the supergroup. Only a second statement finds the new row.
        await lock_rows(tx, chats.c.id, chats.c.id.in_(ids))


async def lock_and_return_current_id(tx: Tx, chat_id: int) -> int:
    """Lock a chat against changes until this transaction ends. Return the chat's current id.

    ``chat_id`` may be the id that a supergroup had as a group, for example in an old button.
    """
    while True:
        current = await new_id_if_moved(tx, chat_id) or chat_id
        await lock(tx, [current])
        # While this transaction waited for the lock, the chat may have got a new id.
        if (await new_id_if_moved(tx, chat_id) or chat_id) == current:
            return current


async def set_state(
    tx: Tx, chat_id: int, state: Literal["active", "closed"], *, now: datetime
) -> bool:
    """Set the state of a chat. Return whether the state has changed.

    Return False for a chat that is not stored. A change to "active" also records that the bot has
    not left the chat.
    """
    values: dict[str, object] = {"state": state, "state_since": now}
    if state == "active":
        values["is_away"] = False
    changed = await update_rows(tx, chats, chats.c.id == chat_id, chats.c.state != state, **values)
    return changed > 0


async def left_by_bot_among(tx: Tx, chat_ids: Collection[int]) -> set[int]:
    """Return those chats in ``chat_ids`` that the bot has left.

    If a person has blocked the bot, the bot counts as having left the private chat.
    """
    is_one = chats.c.id.in_(chat_ids)
    return set(await column_values(tx, chats.c.id, is_one, chats.c.is_away))
