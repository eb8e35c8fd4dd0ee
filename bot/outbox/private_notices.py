"""Private notices about a group or channel in which the bot can't or should not post a notice.

The people who added the subscriptions of the chat usually get the notices in their private chats.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.domain.model import Now, Target
from bot.domain.records import Held, Mute
from bot.presentation.notices import CANNOT_POST, REMOVED
from bot.store import chats, enqueue, subscriptions
from bot.store.engine.database import Tx


async def notify_adders_that_bot_posts_are_removed(tx: Tx, chat_id: int, *, now: datetime) -> None:
    """Enqueue private notices about another bot that removes this bot's posts in a chat.

    The notices are for the reachable people who added subscriptions in the chat.
    """
    chat, people = (
        await chats.get(tx, chat_id),
        await subscriptions.reachable_creators(tx, chat_id),
    )
    if chat is not None:
        await _enqueue_private_notices(tx, people, REMOVED, {"title": chat.title}, now)


async def enqueue_private_notices_of_missing_right(
    tx: Tx, mute: Mute, owners: Iterable[int], *, now: datetime
) -> None:
    """Enqueue private notices about a group or channel in which the bot has no right to write.

    The notices are for the reachable people who added subscriptions in the chat, or else for
    ``owners``, and are enqueued once, at the first probe of ``mute``.
    """
    chat = await chats.get(tx, mute.chat_id)
    is_first = mute.probes == 0 and mute.missing in {"text", "posts"}
    if chat is None or chat.kind == "private" or not is_first:
        return
    people = await subscriptions.reachable_creators(tx, chat.id)
    people = people or await _read_people_with_open_private_chat(tx, owners)
    await _enqueue_private_notices(tx, people, CANNOT_POST, {"title": chat.title}, now)


async def enqueue_public_or_private_failure_notice(
    tx: Tx,
    target: Target,
    fields: Mapping[str, object],
    *,
    now: datetime,
    due_at: datetime | Now = None,
    held: Held = Held.NOTHING,
) -> None:
    """Enqueue the notice about stories that could not be sent.

    The notice is for ``target``, and is due at ``due_at`` (None means now). In a channel, the
    people who added the subscriptions get private notices now instead, unless none of these people
    can be reached.
    """
    chat = await chats.get(tx, target.chat_id)
    people = await subscriptions.reachable_creators(tx, target.chat_id)
    if chat is None or chat.kind != "channel" or not people:
        await enqueue.add_notice(tx, target, "failed", fields, now=now, due_at=due_at, held=held)
        return
    await _enqueue_private_notices(tx, people, "failed", {**fields, "title": chat.title}, now)


async def _read_people_with_open_private_chat(tx: Tx, people: Iterable[int]) -> list[int]:
    """Return those of ``people`` who have an open private chat with the bot."""
    found = await chats.get_all(tx, sorted(people))
    return [chat.id for chat in found if chat.state == "active"]


async def _enqueue_private_notices(
    tx: Tx, people: Iterable[int], notice: str, fields: Mapping[str, object], now: datetime
) -> None:
    for person in sorted(people):
        await enqueue.add_notice(tx, Target(person), notice, fields, now=now)
