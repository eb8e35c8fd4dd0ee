"""Files of stories at Telegram: the file_id of each file, and the time until which it is used.

A file_id is valid only for the bot that got the file_id from Telegram.
"""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from bot.domain.records import KnownFile
from bot.store.engine.columns import Timestamp, primary_key, required
from bot.store.engine.database import Tx, delete_rows
from bot.store.engine.prepared import Prepared
from bot.store.engine.schema import insert, metadata

ANIMATION = "animation"

files = sa.Table(
    "files",
    metadata,
    primary_key("bot_id", sa.BigInteger),
    primary_key("story_pk", sa.String(64)),
    # The kind under which Telegram stored the file, such as "photo". The file_id can be sent in a
    # message of the same kind.
    required("kind", sa.String(16)),
    required("file_id", sa.Text),
    required("file_unique_id", sa.String(64), default=""),
    required("until", Timestamp, index=True),
)


_KNOWN = sa.select(
    files.c.story_pk, files.c.kind, files.c.file_id, files.c.file_unique_id, files.c.until
).where(
    files.c.bot_id == sa.bindparam("bot_id"),
    files.c.story_pk.in_(sa.bindparam("pks", expanding=True)),
    files.c.until > sa.bindparam("now"),
)


async def known_files(
    tx: Tx, bot_id: int, pks: Collection[str], *, now: datetime
) -> dict[str, KnownFile]:
    """Return the unexpired files of stories that a bot has at Telegram, by the pk of the story.

    If a file is the unchanged original of a story, the pk has the suffix ``ORIGINAL``.
    """
    rows = await tx.execute(_KNOWN, {"bot_id": bot_id, "pks": sorted(pks), "now": now})
    return {row[0]: KnownFile(*row[1:]) for row in rows}


_NEW = insert(files)
_REMEMBER = Prepared(
    _NEW.on_conflict_do_update(
        index_elements=[files.c.bot_id, files.c.story_pk],
        set_={
            name: _NEW.excluded[name] for name in ("kind", "file_id", "file_unique_id", "until")
        },
        # An animation does not replace a video, because only the video can be in an album.
        where=sa.or_(_NEW.excluded.kind != ANIMATION, files.c.kind != "video"),
    )
)


async def store_files(tx: Tx, bot_id: int, files: dict[str, KnownFile]) -> None:
    """Store the files of stories, by the pk of the story. An animation does not replace a video.

    The pk of an unchanged original has the suffix ``ORIGINAL``.
    """
    if not files:
        return
    rows = [
        {
            "bot_id": bot_id,
            "story_pk": pk,
            "kind": file.kind,
            "file_id": file.file_id,
            "file_unique_id": file.file_unique_id,
            "until": file.until,
        }
        for pk, file in sorted(files.items())
    ]
    await _REMEMBER.execute(tx, rows)


async def remove(tx: Tx, bot_id: int, pk: str) -> None:
    """Remove a file_id that Telegram no longer accepts."""
    await delete_rows(tx, files, files.c.bot_id == bot_id, files.c.story_pk == pk)
