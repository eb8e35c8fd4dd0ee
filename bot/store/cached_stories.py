"""Cached stories: live stories of public profiles that the bot can show without a paid call.

A story that the profile has probably deleted does not count as cached.
"""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from bot.domain.model import ORIGINAL, Story
from bot.domain.records import KnownFile
from bot.domain.serialization import load_each_or_none
from bot.store.answers import VERDICT, cached_answers
from bot.store.engine.database import Tx
from bot.store.file_ids import files
from bot.store.profiles import profiles
from bot.store.stories import stories
from bot.store.subscriptions import subscriptions

_KINDS = ("photo", "video", "animation")  # originals are excluded, because they are documents
_FILE = (files.c.kind, files.c.file_id, files.c.file_unique_id, files.c.until)


async def read_username_of_file(tx: Tx, bot_id: int, unique_ids: Collection[str]) -> str | None:
    """Return the stored username of the profile whose story is in a file at Telegram, or None.

    The file has a ``file_unique_id`` that is one of ``unique_ids``. Only the stored files of the
    bot ``bot_id`` are searched.
    """
    pk = sa.func.replace(files.c.story_pk, ORIGINAL, "")
    statement = (
        sa.select(profiles.c.username)
        .join(stories, stories.c.profile_id == profiles.c.profile_id)
        .join(files, (pk == stories.c.pk) & (files.c.bot_id == bot_id))
        .where(files.c.file_unique_id.in_(unique_ids))
        .limit(1)
    )
    return await tx.scalar(statement) if unique_ids else None


async def followed_ids_by_username_prefix(tx: Tx, chat_id: int, *, begins_with: str) -> set[str]:
    """Return the ids of the profiles that a chat follows and whose usernames have a prefix."""
    statement = (
        sa.select(subscriptions.c.profile_id)
        .join(profiles, profiles.c.profile_id == subscriptions.c.profile_id)
        .where(
            subscriptions.c.chat_id == chat_id,
            profiles.c.username.startswith(begins_with, autoescape=True),
        )
    )
    return set(await tx.scalars(statement))


async def of_profile(tx: Tx, profile_id: str, *, now: datetime) -> list[Story]:
    """Return the cached stories of a profile with or without a file at Telegram, oldest first.

    Stories that this version of the code can't read are left out.
    """
    statement = (
        sa.select(stories.c.value)
        .join(profiles, profiles.c.profile_id == stories.c.profile_id)
        .where(stories.c.profile_id == profile_id, *_conditions_of_cached(now))
        .order_by(stories.c.taken_at, stories.c.pk)
    )
    readable = load_each_or_none(list(await tx.scalars(statement)))
    return [story for story in readable if story]


def _conditions_of_cached(now: datetime) -> list[sa.ColumnElement[bool]]:
    """Return the SQL conditions of a cached story.

    The story is live. If a complete snapshot is stored, the last snapshot or a later answer of the
    API contained the story. The profile is public, and no refusal of its username is cached.
    """
    verdict = sa.literal(VERDICT) + profiles.c.username
    is_refused = sa.exists().where(cached_answers.c.key == verdict, cached_answers.c.until > now)
    return [
        stories.c.expires_at > now,
        profiles.c.state == "active",
        ~is_refused,
        sa.or_(profiles.c.snapshot_at.is_(None), stories.c.shown_at >= profiles.c.snapshot_at),
    ]


async def newest_with_file(
    tx: Tx,
    bot_id: int,
    ids: Collection[str],
    *,
    pk: str | None,
    blocked: Collection[str],
    now: datetime,
    most: int,
) -> list[tuple[Story, KnownFile]]:
    """Return the cached stories of the profiles ``ids`` with their files, newest first.

    At most ``most`` stories are read, or only the story ``pk``. Only unexpired photos, videos and
    animations of the bot ``bot_id`` count. Profiles in ``blocked`` (ids or usernames) are skipped.
    """
    if not ids:
        return []
    statement = (
        sa.select(stories.c.value, *_FILE)
        .join(profiles, profiles.c.profile_id == stories.c.profile_id)
        .join(files, (files.c.story_pk == stories.c.pk) & (files.c.bot_id == bot_id))
        .where(
            stories.c.profile_id.in_(ids),
            *_conditions_of_cached(now),
            profiles.c.profile_id.not_in(blocked),
            profiles.c.username.not_in(blocked),
            files.c.kind.in_(_KINDS),
            files.c.until > now,
            sa.true() if pk is None else stories.c.pk == pk,
        )
        .order_by(stories.c.taken_at.desc(), stories.c.pk.desc())
        .limit(most)
    )
    rows = (await tx.execute(statement)).all()
    readable = load_each_or_none([row[0] for row in rows])
    return [(one, KnownFile(*row[1:])) for one, row in zip(readable, rows, strict=True) if one]
