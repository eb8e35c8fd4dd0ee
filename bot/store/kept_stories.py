"""Kept stories: stories that a chat has received and may request again.

Stories are kept only for subscriptions with ``Options.keep``. Each row has the file_id of the
story for one bot.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.domain.model import ORIGINAL, FromNewest, Story
from bot.domain.records import Delivery, FileKind
from bot.domain.serialization import dump_stories, load_each_or_none
from bot.store.chats import chats
from bot.store.engine.columns import Timestamp, chat_key, primary_key, required
from bot.store.engine.database import Tx, column_values, has_row, row_or_none
from bot.store.engine.schema import insert, metadata
from bot.store.file_ids import files
from bot.store.profiles import profiles

kept = sa.Table(
    "kept_stories",
    metadata,
    chat_key(),
    primary_key("story_pk", sa.String(32)),
    primary_key("bot_id", sa.BigInteger),
    required("profile_id", sa.String(32)),
    required("username", sa.String(64)),
    required("taken_at", Timestamp, index=True),
    required("story", sa.JSON),
    required("kind", sa.String(16)),
    required("file_id", sa.Text),
    required("file_unique_id", sa.String(64), default=""),
    sa.Index("ix_kept_stories_chat", "chat_id", "taken_at"),  # a search reads the newest first
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A story that a chat has received, and the story's file at Telegram."""

    story: Story
    kind: FileKind
    file_id: str
    file_unique_id: str


def _file_key(row: Delivery) -> str:
    """Return the key of a delivery's file in the table of file_ids.

    The key is the pk of the story. The key has a suffix if the file is the unchanged original of
    the story.
    """
    return (row.story_pk or "") + (ORIGINAL if row.options.files else "")


async def add(tx: Tx, rows: Collection[Delivery]) -> None:
    """Store the stories of deliveries as kept stories of their chats.

    A story is stored once for each bot that has a file of the story at Telegram. Unreadable
    stories and unknown chats are skipped.
    """
    wanted = [row for row in rows if row.story is not None]
    if not wanted:
        return
    files_by_key = await _files_by_key(tx, {_file_key(row) for row in wanted})
    # A chat may have moved, or been erased, while the alert was sent.
    chat_ids = {row.target.chat_id for row in wanted}
    stored_ids = set(await column_values(tx, chats.c.id, chats.c.id.in_(chat_ids)))
    values = []
    for row in wanted:
        if row.target.chat_id in stored_ids:
            values += [
                _kept_story_columns(row, file) for file in files_by_key.get(_file_key(row), ())
            ]
    if values:
        await tx.execute(insert(kept).on_conflict_do_nothing(), values)


async def _files_by_key(tx: Tx, keys: Collection[str]) -> dict[str, list[sa.Row[Any]]]:
    """Return the stored files of stories, by the key of the file (``_file_key``).

    A key has one file for each bot that has sent the story.
    """
    rows = await tx.execute(sa.select(files).where(files.c.story_pk.in_(sorted(keys))))
    by_key: dict[str, list[sa.Row[Any]]] = {}
    for file in rows:
        by_key.setdefault(file.story_pk, []).append(file)
    return by_key


def _kept_story_columns(row: Delivery, file: sa.Row[Any]) -> dict[str, Any]:
    """Return the columns of a kept story."""
    assert row.story is not None  # noqa: S101 - ``add`` has filtered the deliveries
    return {
        "chat_id": row.target.chat_id,
        "story_pk": row.story.pk,
        "bot_id": file.bot_id,
        "profile_id": row.story.profile.profile_id,
        "username": row.username,
        "taken_at": row.story.taken_at,
        "story": dump_stories([row.story])[0],
        "kind": file.kind,
        "file_id": file.file_id,
        "file_unique_id": file.file_unique_id,
    }


async def profile_id_with_kept_stories(
    tx: Tx, chat_id: int, bot_id: int, owner_id: str | None, username: str
) -> str | None:
    """Return the id of the profile that a chat means by a username, or None.

    The result is the current owner ``owner_id``, if the chat has kept stories of the owner.
    Otherwise, the newest kept story under the username decides.
    """
    is_owner = sa.case((kept.c.profile_id == owner_id, 0), else_=1)
    statement = (
        sa.select(kept.c.profile_id)
        .where(
            kept.c.chat_id == chat_id,
            kept.c.bot_id == bot_id,
            (kept.c.username == username) | (kept.c.profile_id == owner_id),
        )
        .order_by(is_owner, kept.c.taken_at.desc())
        .limit(1)
    )
    return await row_or_none(tx, str, statement)


async def has_any(tx: Tx, chat_id: int, bot_id: int) -> bool:
    """Return whether a chat has kept stories with a file of the bot ``bot_id``."""
    return await has_row(tx, kept.c.chat_id == chat_id, kept.c.bot_id == bot_id)


async def profile_ids_among(
    tx: Tx, chat_id: int, bot_id: int, ids_or_names: Collection[str]
) -> frozenset[str]:
    """Return the ids of those profiles in ``ids_or_names`` that have kept stories in a chat.

    A name is a current username, or the username at the time of a kept story.
    """
    wanted = sorted(ids_or_names)
    statement = (
        sa.select(kept.c.profile_id)
        .distinct()
        .outerjoin(profiles, profiles.c.profile_id == kept.c.profile_id)
        .where(kept.c.chat_id == chat_id, kept.c.bot_id == bot_id)
        .where(
            kept.c.profile_id.in_(wanted)
            | kept.c.username.in_(wanted)
            | profiles.c.username.in_(wanted)
        )
    )
    return frozenset(await tx.scalars(statement))


async def latest_and_next_cursor(
    tx: Tx,
    chat_id: int,
    bot_id: int,
    profile_id: str | None,
    *,
    posted_since: datetime,
    before: str | FromNewest,
    limit: int,
) -> tuple[Sequence[Kept], str | None]:
    """Return a page of kept stories of a chat, newest first, and the cursor of the next page.

    The stories were posted at ``posted_since`` or later. ``before`` is the cursor of the page. The
    returned cursor is None if no page follows. A page may be empty.
    """
    statement = (
        sa.select(
            kept.c.story_pk, kept.c.story, kept.c.kind, kept.c.file_id, kept.c.file_unique_id
        )
        .where(kept.c.chat_id == chat_id, kept.c.bot_id == bot_id, kept.c.taken_at >= posted_since)
        .order_by(kept.c.taken_at.desc(), kept.c.story_pk.desc())
        .limit(limit)
    )
    if profile_id is not None:
        statement = statement.where(kept.c.profile_id == profile_id)
    if before is not None:
        statement = statement.where(_is_older_than_sql(chat_id, bot_id, before))
    rows = (await tx.execute(statement)).all()
    stories = load_each_or_none([row.story for row in rows])
    found = [
        Kept(story, row.kind, row.file_id, row.file_unique_id)
        for story, row in zip(stories, rows, strict=True)
        if story is not None
    ]
    return found, rows[-1].story_pk if len(rows) == limit else None


def _is_older_than_sql(chat_id: int, bot_id: int, story_pk: str) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a kept story is older than the kept story ``story_pk``.

    Stories with the same posting time are compared by their pks.
    """
    last = kept.alias()
    taken_at = (
        sa.select(last.c.taken_at)
        .where(last.c.chat_id == chat_id, last.c.bot_id == bot_id, last.c.story_pk == story_pk)
        .scalar_subquery()
    )
    return sa.tuple_(kept.c.taken_at, kept.c.story_pk) < sa.tuple_(taken_at, story_pk)
