"""The access list (people, chats and profiles: allowed, owners, blocked), and invitations."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.domain.access import Entry, Mode, Subject, Via
from bot.domain.budget import NoOwnLimit
from bot.domain.records import EPOCH
from bot.store import acquaintances
from bot.store.engine import database
from bot.store.engine.columns import Timestamp, flag, primary_key, required
from bot.store.engine.database import (
    Tx,
    all_rows,
    column_values,
    delete_rows,
    dict_of_rows,
    has_row,
    row_or_none,
    update_rows,
)
from bot.store.engine.schema import columns_of, insert, metadata

access_list = sa.Table(
    "access_list",
    metadata,
    primary_key("kind", sa.String(8)),  # "person", "chat" or "profile"
    primary_key("subject", sa.String(64)),
    required("name", sa.Text, default=""),
    flag("is_allowed"),
    flag("is_owner"),
    required("via", sa.String(12), default=""),
    required("added_by", sa.String(64), default=""),
    required("since", Timestamp),
    sa.Column("blocked_since", Timestamp),
    sa.Column("blocked_until", Timestamp),
    required("reason", sa.Text, default=""),
    sa.Column("refused_at", Timestamp),  # when the first refusal message was sent
    # The language code that Telegram reports for a refused person. The bot greets the person in
    # this language when an owner allows the person.
    required("language_code", sa.String(16), default=""),
    # The credits that the person or chat may spend per day. None means that the limit in the
    # settings applies.
    sa.Column("allowance", sa.Integer),
)

invitations = sa.Table(
    "invitations",
    metadata,
    # The digest of the secret in the link, so that a reader of the table can't use the link.
    primary_key("digest", sa.String(64)),
    required("made_by", sa.String(64)),
    required("uses", sa.Integer),  # the number of remaining uses
    required("until", Timestamp),
)

COLUMNS = columns_of(access_list, Entry)
_KIND, _SUBJECT = access_list.c.kind, access_list.c.subject


def _subject_sql(subject: Subject) -> sa.ColumnElement[bool]:
    return sa.and_(access_list.c.kind == subject.kind, access_list.c.subject == subject.id)


async def get(tx: Tx, subject: Subject) -> Entry | None:
    """Return the entry of a subject, or None if the access list has no entry."""
    return await row_or_none(tx, Entry, sa.select(*COLUMNS).where(_subject_sql(subject)))


async def lock(tx: Tx, subject: Subject) -> Entry | None:
    """Lock and return the entry of a subject, or None if the access list has no entry."""
    query = sa.select(*COLUMNS).where(_subject_sql(subject))
    return await row_or_none(tx, Entry, query.with_for_update())


async def put(tx: Tx, subject: Subject, *, now: datetime, **values: Any) -> Entry:  # noqa: ANN401 - columns
    """Insert or update an entry with the given columns. Return the entry.

    If ``values`` does not contain ``since``, the time ``since`` of a new entry is ``now``.
    """
    row = {"kind": subject.kind, "subject": subject.id, "since": now, **values}
    statement = (
        insert(access_list)
        .values(**row)
        .on_conflict_do_update(
            index_elements=[_KIND, _SUBJECT], set_=values or {"kind": subject.kind}
        )
    )
    return Entry(*(await tx.execute(statement.returning(*COLUMNS))).one())


async def record_first_refusal(
    tx: Tx, subject: Subject, *, name: str, now: datetime, language_code: str = ""
) -> bool:
    """Record that a refusal was shown at ``now``. Store the name and the language code too.

    Return False, and change nothing, if the entry already has a refusal.
    """
    key = {"kind": subject.kind, "subject": subject.id}
    values = {"name": name, "language_code": language_code, "refused_at": now}
    has_no_refusal = access_list.c.refused_at.is_(None)
    return await database.put(
        tx, access_list, key, values, new={"since": now}, where=has_no_refusal
    )


async def entries_invited_or_refused(tx: Tx, *, after: datetime) -> list[Entry]:
    """Return the people and chats that used an invitation or were first refused after a time.

    The entries are sorted by the column ``since``. A person or chat with a permission or a block
    does not count as refused.
    """
    came = sa.and_(access_list.c.via == "invitation", access_list.c.since > after)
    asks = sa.and_(
        access_list.c.is_allowed.is_(False),
        access_list.c.blocked_since.is_(None),
        access_list.c.refused_at > after,
    )
    statement = sa.select(*COLUMNS).where(_KIND != "profile", sa.or_(came, asks))
    return await all_rows(tx, Entry, statement.order_by(access_list.c.since))


async def ids_of_owners_by_link(tx: Tx) -> set[int]:
    """Return the ids of the people who became owners by a link."""
    is_owner = access_list.c.is_owner.is_(True)
    return set(map(int, await column_values(tx, _SUBJECT, _KIND == "person", is_owner)))


async def has_own_access(tx: Tx, person: int, *, mode: Mode, owner_ids: Collection[int]) -> bool:
    """Return whether a person may use the bot in every chat, and not only in allowed chats.

    Blocks are ignored. ``owner_ids`` are the owners in the settings.
    """
    if mode == "open" or person in owner_ids:
        return True
    entry = await get(tx, Subject("person", str(person)))
    return entry is not None and (entry.is_allowed or entry.is_owner)


async def blocked_usernames_and_ids(tx: Tx, *, now: datetime) -> set[str]:
    """Return the usernames and the known ids of the profiles that are blocked now.

    The result contains the ids, because a blocked profile must stay blocked after a change of the
    username.
    """
    until = access_list.c.blocked_until
    statement = sa.select(_SUBJECT, access_list.c.name).where(
        _KIND == "profile",
        access_list.c.blocked_since.is_not(None),
        sa.or_(until.is_(None), until > now),
    )
    rows = await tx.execute(statement)
    words = {word for row in rows for word in row}
    return words - {""}


async def listed_profile_ids_by_username(tx: Tx, names: Collection[str]) -> dict[str, str]:
    """Return the profile ids that the access list contains for ``names``, by username."""
    is_known = sa.and_(access_list.c.name != "", _SUBJECT.in_(names))
    statement = sa.select(_SUBJECT, access_list.c.name).where(_KIND == "profile", is_known)
    return await dict_of_rows(tx, statement)


async def listed_usernames_of_profiles(tx: Tx, ids: Collection[str]) -> set[str]:
    """Return the usernames of those profiles in ``ids`` that are on the access list."""
    is_named = access_list.c.name.in_(ids)
    return set(await column_values(tx, _SUBJECT, _KIND == "profile", is_named))


def blocked_people_and_chats_sql(now: datetime) -> sa.Select[str]:
    """Return the query for the ids, as text, of people and chats that are blocked at ``now``."""
    until = access_list.c.blocked_until
    return sa.select(_SUBJECT).where(
        _KIND != "profile",
        access_list.c.blocked_since.is_not(None),
        sa.or_(until.is_(None), until > now),
    )


async def entries_with_ended_block(tx: Tx, *, now: datetime) -> list[Entry]:
    """Return the entries whose block has expired."""
    statement = sa.select(*COLUMNS).where(access_list.c.blocked_until <= now)
    return await all_rows(tx, Entry, statement.order_by(_KIND, _SUBJECT))


async def allow_all_and_count_new(tx: Tx, ids: Iterable[int], *, via: Via, now: datetime) -> int:
    """Allow people and chats to use the bot. Return how many of them were not allowed before.

    The credit limit, the block, and the record of the person who added the bot do not change.
    """
    rows = [
        {"kind": subject.kind, "subject": subject.id, "is_allowed": True, "via": via, "since": now}
        for subject in map(Subject.of_chat, sorted(ids))
    ]
    if not rows:
        return 0
    new = insert(access_list)
    was_added = access_list.c.via == "added"
    had_none = new.on_conflict_do_update(
        index_elements=[_KIND, _SUBJECT],
        set_={
            "is_allowed": sa.true(),
            "via": sa.case((was_added, access_list.c.via), else_=new.excluded.via),
        },
        where=access_list.c.is_allowed.is_(False),
    )
    return len((await tx.execute(had_none.returning(_SUBJECT), rows)).all())


async def move_chat(tx: Tx, old: int, new: int) -> None:
    """Move the access list entry of a group that became a supergroup to the new id.

    If both ids have an entry, the entries are merged. The longer block and the lower daily limit
    apply.
    """
    before = await get(tx, Subject.of_chat(old))
    if before is None:
        return
    after = await get(tx, Subject.of_chat(new))
    names = Entry.__dataclass_fields__.keys() - {"kind", "subject", "since"}
    values = {name: getattr(before, name) for name in names}
    if after and _block_length_sort_key(after) > _block_length_sort_key(before):
        values |= {name: getattr(after, name) for name in _OF_BLOCK}
    # A permission of the new id replaces a permission of the old id that depends on the person who
    # added the bot.
    if after and after.is_allowed and not before.is_allowed_without_adder:
        values |= {name: getattr(after, name) for name in _OF_PERMISSION}
    limits = [entry.allowance for entry in (before, after) if entry]
    values["allowance"] = min((limit for limit in limits if limit is not None), default=None)
    await put(tx, Subject.of_chat(new), now=before.since, **values)
    await delete_rows(tx, access_list, _subject_sql(Subject.of_chat(old)))


_OF_PERMISSION = ("is_allowed", "via", "added_by")
_OF_BLOCK = ("blocked_since", "blocked_until", "reason", "refused_at")


def _block_length_sort_key(entry: Entry) -> tuple[bool, bool, datetime]:
    """Return a sort key for the length of a block.

    Entries without a block come first. Blocks with an end follow, the earliest end first. Blocks
    without an end come last.
    """
    until = entry.blocked_until
    return entry.blocked_since is not None, until is None, until or EPOCH


async def erase_name_and_language(tx: Tx, chat_id: int) -> None:
    """Erase the name and the language of a person or chat. The permissions stay."""
    condition = _subject_sql(Subject.of_chat(chat_id))
    await update_rows(tx, access_list, condition, name="", language_code="")


async def erase_inviter_and_giver_of_access(tx: Tx, person: int) -> None:
    """Remove the id of a person from the invitations and permissions that the person has given.

    If the person added the bot to a chat, the id stays, because a block of the person closes the
    chat.
    """
    await update_rows(tx, invitations, invitations.c.made_by == str(person), made_by="")
    given = sa.and_(access_list.c.added_by == str(person), access_list.c.via != "added")
    await update_rows(tx, access_list, given, added_by="")


async def add_invitation(
    tx: Tx, digest: str, *, by: str, uses: int, until: datetime, now: datetime
) -> None:
    """Add an invitation, and delete expired invitations."""
    await delete_rows(tx, invitations, invitations.c.until <= now)
    await tx.execute(
        sa.insert(invitations).values(digest=digest, made_by=by, uses=uses, until=until)
    )


async def is_invitation_open(tx: Tx, digest: str, *, now: datetime) -> bool:
    """Return whether an invitation can still be used."""
    return await has_row(tx, _is_invitation_open_sql(digest, now))


async def use_invitation_and_return_creator(tx: Tx, digest: str, *, now: datetime) -> str | None:
    """Use an invitation once.

    Return the id of the invitation's creator as text. The text is empty if the data of the creator
    was erased. Return None if the invitation is unknown, expired or used up.
    """
    statement = (
        sa.update(invitations)
        .where(_is_invitation_open_sql(digest, now))
        .values(uses=invitations.c.uses - 1)
        .returning(invitations.c.made_by)
    )
    return await row_or_none(tx, str, statement)


def _is_invitation_open_sql(digest: str, now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        invitations.c.digest == digest, invitations.c.uses > 0, invitations.c.until > now
    )


def _allowance_sql(kind: sa.ColumnElement[str], subject_parameter: str) -> sa.ScalarSelect[Any]:
    condition = sa.and_(kind == _KIND, sa.bindparam(subject_parameter) == _SUBJECT)
    return sa.select(access_list.c.allowance).where(condition).scalar_subquery()


def is_not_newcomer_sql(person: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a person is known, which means no newcomer.

    A person is known after ``KNOWN_AFTER`` days of use, or if the access list allows the person.
    """
    allowed = access_list.alias()
    is_allowed = sa.exists().where(
        allowed.c.kind == "person",
        allowed.c.subject == sa.cast(person, sa.String),
        allowed.c.is_allowed.is_(True),
    )
    return sa.or_(acquaintances.is_seen_on_enough_days_sql(person), is_allowed)


async def is_not_newcomer(tx: Tx, person: int | None) -> bool:
    """Return whether a person is known, which means no newcomer. Return False for None."""
    if person is None:
        return False
    condition = is_not_newcomer_sql(sa.literal(person, sa.BigInteger))
    return bool(await tx.scalar(sa.select(condition)))


_ALLOWANCES = sa.select(
    _allowance_sql(sa.literal("person"), "person"),
    _allowance_sql(sa.bindparam("chat_kind", type_=sa.String), "chat"),
    is_not_newcomer_sql(sa.bindparam("who", type_=sa.BigInteger)),
)


async def person_and_chat_allowance_and_is_known(
    tx: Tx, person: int | None, chat_id: int | None
) -> tuple[int | NoOwnLimit, int | NoOwnLimit, bool]:
    """Return the daily limits of a person and of a chat, and whether the person is known.

    The limits are in credits per day. If the access list has no limit, the limit is None.
    """
    chat = Subject.of_chat(chat_id or 0)
    values = {"person": str(person), "chat_kind": chat.kind, "chat": chat.id}
    row = (await tx.execute(_ALLOWANCES, {**values, "who": person or 0})).one()
    return row[0], row[1], bool(row[2])


LISTED = sa.select(sa.cast(_SUBJECT, sa.BigInteger).label("id"), access_list.c.since).where(
    _KIND != "profile"
)
"""The query for the ids of people and chats on the access list, with the times of the entries."""


async def entries_of(tx: Tx, ids: Collection[int]) -> dict[int, Entry]:
    """Return the access list entries of people and chats, by id."""
    statement = sa.select(*COLUMNS).where(_KIND != "profile", _SUBJECT.in_([*map(str, ids)]))
    return {int(entry.subject): entry for entry in await all_rows(tx, Entry, statement)}
