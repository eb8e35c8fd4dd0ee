"""Files: what Telegram calls a story's media (file_id), kept while the story lives.

A row that is leased without a file_id that will do: some replica is uploading, and the others
wait. file_ids are each bot's own. An animation, which no album takes, gives way to a video.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.domain.records import EPOCH, KnownFile
from bot.store.engine.database import Tx
from bot.store.engine.schema import Timestamp, insert, metadata

ANIMATION = "animation"

files = sa.Table(
    "files",
    metadata,
    sa.Column("bot_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("story_pk", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(16)),  # as what it went out; a file_id serves as this only
    sa.Column("file_id", sa.Text),
    sa.Column("file_unique_id", sa.String(64), nullable=False, server_default=""),
    sa.Column("leased_until", Timestamp, nullable=False),
    sa.Column("until", Timestamp, nullable=False, index=True),
)


_KNOWN = sa.select(
    files.c.story_pk, files.c.kind, files.c.file_id, files.c.file_unique_id, files.c.until
).where(
    files.c.bot_id == sa.bindparam("bot_id"),
    files.c.story_pk.in_(sa.bindparam("pks", expanding=True)),
    files.c.file_id.is_not(None),
    files.c.until > sa.bindparam("now"),
)


async def known(
    tx: Tx, bot_id: int, pks: Collection[str], *, now: datetime
) -> dict[str, KnownFile]:
    """Return the file of each story that has one."""
    rows = await tx.execute(_KNOWN, {"bot_id": bot_id, "pks": sorted(pks), "now": now})
    return {row[0]: KnownFile(*row[1:]) for row in rows}


_NEW = insert(files)
_NOW = sa.bindparam("now", type_=Timestamp)
_IS_KNOWN = sa.and_(files.c.file_id.is_not(None), files.c.until > _NOW)
_CLAIM = _NEW.on_conflict_do_update(
    index_elements=[files.c.bot_id, files.c.story_pk],
    set_={
        "leased_until": _NEW.excluded.leased_until,
        "until": sa.case((_IS_KNOWN, files.c.until), else_=_NEW.excluded.until),
        "file_id": sa.case((_IS_KNOWN, files.c.file_id), else_=sa.null()),
    },
    where=sa.and_(files.c.leased_until <= _NOW, ~_IS_KNOWN | (files.c.kind == ANIMATION)),
).returning(files.c.story_pk)
_REMEMBER = _NEW.on_conflict_do_update(
    index_elements=[files.c.bot_id, files.c.story_pk],
    set_={
        name: _NEW.excluded[name]
        for name in ("kind", "file_id", "file_unique_id", "leased_until", "until")
    },
    where=sa.or_(  # a video serves alone and in albums: it stays
        _NEW.excluded.kind != ANIMATION, files.c.file_id.is_(None), files.c.kind != "video"
    ),
)


async def claim(
    tx: Tx, bot_id: int, pks: Collection[str], *, now: datetime, lease: timedelta
) -> bool:
    """Take the right to upload all of these stories, or none; False while another has any.

    A story that is known as an animation only may be taken: for an album.
    """
    until = now + lease
    rows = [
        {"bot_id": bot_id, "story_pk": pk, "leased_until": until, "until": until, "now": now}
        for pk in sorted(pks)  # in one order everywhere, so that two claims can't block each other
    ]
    taken = [row[0] for row in await tx.execute(_CLAIM, rows)]
    if len(taken) == len(rows):
        return True
    await release(tx, bot_id, taken)
    return False


async def renew(tx: Tx, bot_id: int, pks: Collection[str], *, until: datetime) -> None:
    """Keep the right to upload these stories, as far as they are not uploaded."""
    mine = sa.and_(files.c.bot_id == bot_id, files.c.story_pk.in_(sorted(pks)))
    statement = sa.update(files).where(mine, files.c.leased_until > EPOCH)
    await tx.execute(statement.values(leased_until=until))


async def release(tx: Tx, bot_id: int, pks: Collection[str]) -> None:
    """Let others upload these stories."""
    statement = sa.update(files).where(files.c.bot_id == bot_id, files.c.story_pk.in_(sorted(pks)))
    await tx.execute(statement.values(leased_until=EPOCH))


async def remember(tx: Tx, bot_id: int, files: dict[str, KnownFile]) -> None:
    """Keep the files of stories, by pk; a newer file_id takes the place of an older."""
    if not files:
        return
    rows = [
        {
            "bot_id": bot_id,
            "story_pk": pk,
            "kind": file.kind,
            "file_id": file.file_id,
            "file_unique_id": file.file_unique_id,
            "leased_until": EPOCH,
            "until": file.until,
        }
        for pk, file in sorted(files.items())
    ]
    await tx.execute(_REMEMBER, rows)


async def forget(tx: Tx, bot_id: int, pk: str) -> None:
    """Drop a file_id that Telegram no longer takes."""
    await tx.execute(sa.delete(files).where(files.c.bot_id == bot_id, files.c.story_pk == pk))
