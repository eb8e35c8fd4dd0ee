"""Seen stories with all data for a later send, and the posting times of profiles."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from bot.domain.model import Story
from bot.domain.serialization import dump_stories, load_each_or_none
from bot.store.engine.columns import Timestamp, primary_key, required
from bot.store.engine.database import Tx, row_or_none
from bot.store.engine.prepared import Prepared
from bot.store.engine.schema import insert, metadata
from bot.store.profiles import profiles

stories = sa.Table(
    "stories",
    metadata,
    primary_key("pk", sa.String(32)),
    required(
        "profile_id", sa.String(32), sa.ForeignKey("profiles.profile_id", ondelete="CASCADE")
    ),
    required("taken_at", Timestamp),
    required("expires_at", Timestamp, index=True),
    required("seen_at", Timestamp),
    # The time of the last API answer with the story. After the first answer, only answers with a
    # media URL count.
    required("shown_at", Timestamp),
    required("value", sa.JSON),
    sa.Index("ix_stories_profile", "profile_id", "taken_at"),
)


# Posting times of profiles, kept longer than the stories, as training data.
moments = sa.Table(
    "moments",
    metadata,
    primary_key(
        "profile_id", sa.String(32), sa.ForeignKey("profiles.profile_id", ondelete="CASCADE")
    ),
    sa.Column("at", Timestamp, primary_key=True, index=True),
)


_ADD = Prepared(
    insert(stories).on_conflict_do_nothing(index_elements=["pk"]).returning(stories.c.pk)
)
_ADD_POSTING_TIMES = insert(moments).on_conflict_do_nothing(index_elements=["profile_id", "at"])


async def add_or_update_and_return_new_pks(
    tx: Tx, found: Iterable[Story], *, now: datetime
) -> list[str]:
    """Store stories. Return the pks of stories that were not stored before, oldest first.

    A stored story is updated if the new data have a media URL. The profiles of the stories must
    already be stored.
    """
    ordered = sorted(
        {story.pk: story for story in found}.values(), key=lambda s: (s.taken_at, s.pk)
    )
    if not ordered:
        return []
    values = [
        {
            "pk": story.pk,
            "profile_id": story.profile.profile_id,
            "taken_at": story.taken_at,
            "expires_at": story.expires_at,
            "seen_at": now,
            "shown_at": now,
            "value": value,
        }
        for story, value in zip(ordered, dump_stories(ordered), strict=True)
    ]
    new = {row.pk for row in await _ADD.rows(tx, values)}
    await _refresh_urls(tx, [story for story in ordered if story.pk not in new], now)
    return [story.pk for story in ordered if story.pk in new]


async def _refresh_urls(tx: Tx, seen: list[Story], now: datetime) -> None:
    """Update the stored data of those stories in ``seen`` that have a media URL.

    The update is necessary, because the media URLs in the old data expire.
    """
    fresh = [story for story in seen if story.media_url]
    if fresh:
        await tx.execute(
            sa.update(stories)
            .where(stories.c.pk == sa.bindparam("_pk"))
            .values(value=sa.bindparam("_value", type_=sa.JSON), shown_at=now),
            [
                {"_pk": story.pk, "_value": value}
                for story, value in zip(fresh, dump_stories(fresh), strict=True)
            ],
        )


async def live_stories(tx: Tx, profile_id: str, *, now: datetime) -> list[Story]:
    """Return the stored live stories of a profile, oldest first.

    Stories that this version of the code can't read are left out.
    """
    statement = (
        sa.select(stories.c.value)
        .where(stories.c.profile_id == profile_id, stories.c.expires_at > now)
        .order_by(stories.c.taken_at, stories.c.pk)
    )
    readable = load_each_or_none(list(await tx.scalars(statement)))
    return [story for story in readable if story]


async def has_live_stories_not_known_as_deleted(tx: Tx, profile_id: str, *, now: datetime) -> bool:
    """Return whether a profile has a stored live story that is not known to be deleted.

    A story counts if an answer showed the story at or after the last complete snapshot, or at or
    after ``checked_at``, when the account was last found to be public. A story without a media URL
    always counts.
    """
    is_shown = sa.or_(
        stories.c.shown_at >= profiles.c.snapshot_at, stories.c.shown_at >= profiles.c.checked_at
    )
    has_no_url = stories.c.value["media_url"].as_string().is_(None)
    statement = (
        sa.select(stories.c.pk)
        .join(profiles, profiles.c.profile_id == stories.c.profile_id)
        .where(stories.c.profile_id == profile_id, stories.c.expires_at > now)
        .where(sa.or_(is_shown, has_no_url))
        .limit(1)
    )
    return await row_or_none(tx, str, statement) is not None


async def add_posting_times(tx: Tx, seen: Iterable[Story]) -> None:
    """Store the posting times of stories.

    Two stories of a profile with the same posting time count once. The profiles of the stories
    must be stored.
    """
    rows = [{"profile_id": s.profile.profile_id, "at": s.taken_at} for s in seen]
    if rows:
        await tx.execute(_ADD_POSTING_TIMES, rows)


async def weights_and_posting_times_by_username(tx: Tx) -> dict[str, tuple[int, list[datetime]]]:
    """Return the subscriber weight and the posting times of each checked profile, by username.

    Profiles without stored posting times are left out.
    """
    statement = (
        sa.select(profiles.c.username, profiles.c.weight, moments.c.at)
        .join(moments, moments.c.profile_id == profiles.c.profile_id)
        .where(profiles.c.due_at.is_not(None))
        .order_by(moments.c.at)
    )
    traces: dict[str, tuple[int, list[datetime]]] = {}
    for name, weight, at in await tx.execute(statement):
        traces.setdefault(name, (weight, []))[1].append(at)
    return traces
