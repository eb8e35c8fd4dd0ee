"""Topics that the bot made. Each topic belongs to a profile in a chat.

A process claims the row of a topic before the call that makes the topic. During the claim, no
other process makes the same topic.
"""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from bot.domain.records import MAIN, Topic
from bot.store.engine.columns import Timestamp, chat_key, primary_key, required
from bot.store.engine.database import Tx, delete_rows, dict_of_rows, put, row_or_none, update_rows
from bot.store.engine.schema import columns_of, metadata
from bot.store.profiles import profiles

topics = sa.Table(
    "topics",
    metadata,
    chat_key(),
    primary_key("profile_id", sa.String(32)),
    required("name", sa.String(128)),
    # 0 means that the id of the thread is not known yet.
    required("thread_id", sa.BigInteger, default="0"),
    sa.Column("claimed_until", Timestamp),  # the end of the lease of the creating process
)

_FIELDS = columns_of(topics, Topic)


async def get(tx: Tx, chat_id: int, profile_id: str) -> Topic | None:
    """Return the topic of a profile in a chat. If the profile has no topic, return None.

    If a process is still making the topic, the topic has no thread yet.
    """
    statement = sa.select(*_FIELDS).where(*_conditions_of_topic(chat_id, profile_id))
    return await row_or_none(tx, Topic, statement)


async def thread_by_username(tx: Tx, chat_id: int, names: Collection[str]) -> dict[str, int]:
    """Return the thread ids of the topics that the profiles ``names`` have in a chat, by name."""
    statement = (
        sa.select(profiles.c.username, topics.c.thread_id)
        .join(profiles, profiles.c.profile_id == topics.c.profile_id)
        .where(
            topics.c.chat_id == chat_id, profiles.c.username.in_(names), topics.c.thread_id != MAIN
        )
    )
    return await dict_of_rows(tx, statement)


async def set_creation_claim(
    tx: Tx, chat_id: int, profile_id: str, topic_name: str, *, until: datetime
) -> None:
    """Record that a process makes a topic for a profile in a chat. The claim ends at ``until``.

    An earlier topic of the profile in the chat is forgotten. The caller has locked the chat.
    """
    values = {"name": topic_name, "thread_id": MAIN, "claimed_until": until}
    await put(tx, topics, {"chat_id": chat_id, "profile_id": profile_id}, values)


async def change(tx: Tx, chat_id: int, profile_id: str, **values: object) -> None:
    """Set columns of a topic (name, thread_id, claimed_until)."""
    await update_rows(tx, topics, *_conditions_of_topic(chat_id, profile_id), **values)


async def record_thread_of_new_topic(
    tx: Tx, chat_id: int, topic_name: str, thread_id: int
) -> None:
    """Store the thread id of a new topic, and end the claim of the process that made the topic.

    The topic is found by its name. If no topic of this name waits for its thread id, do nothing.
    """
    where = sa.and_(
        topics.c.chat_id == chat_id, topics.c.name == topic_name, topics.c.thread_id == MAIN
    )
    await update_rows(tx, topics, where, thread_id=thread_id, claimed_until=None)


async def remove_of_thread(tx: Tx, chat_id: int, thread_id: int) -> None:
    """Delete the stored topic of a thread that was deleted in Telegram."""
    await delete_rows(tx, topics, topics.c.chat_id == chat_id, topics.c.thread_id == thread_id)


async def remove_unmade(tx: Tx, chat_id: int, profile_id: str) -> None:
    """Delete the claimed topic of a profile if the topic has no thread.

    Call this function after Telegram has refused to make the topic.
    """
    await delete_rows(
        tx, topics, *_conditions_of_topic(chat_id, profile_id), topics.c.thread_id == MAIN
    )


def _conditions_of_topic(chat_id: int, profile_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the SQL conditions that select the row of a profile's topic in a chat."""
    return topics.c.chat_id == chat_id, topics.c.profile_id == profile_id
