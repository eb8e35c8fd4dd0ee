"""Replicas that send into a chat one after the other send as one would."""

from datetime import timedelta

import pytest

from bot.store import chat_queues, chats
from bot.store.engine.database import Database
from bot.telegram.limit_state import ChatFloods
from tests.support.claims import lease_at
from tests.support.followed import Clock

LEASE = timedelta(minutes=1)
EACH = 24


def floods_by(clock: Clock) -> ChatFloods:
    return ChatFloods(lambda: clock().timestamp())


async def sent(db: Database, chat: int, floods: ChatFloods, clock: Clock) -> float:
    """Claim the chat's queue, send one message, and free it as the outbox does."""
    async with db.begin() as tx:
        await chat_queues.make_due(tx, chat, due_at=clock(), now=clock())
        (queue,) = await chat_queues.claim_and_lock_due_deliveries(
            tx, lease_at(clock(), LEASE), limit=1
        )
    floods.load_stored_state(chat, queue.stored_flood_state)
    wait = floods.count_messages_or_get_wait_s(chat, 1, "reply")
    async with db.begin() as tx:
        await chat_queues.reschedule(tx, chat, unclaimed_until=clock())
        await chat_queues.store_flood_limit_states(tx, {chat: floods.state_of(chat)})
    return wait


@pytest.mark.parametrize("chat", [7, -7])
async def test_replicas_let_through_what_one_process_would(db: Database, chat: int) -> None:
    clock = Clock()
    alone = floods_by(clock)
    waits = [alone.count_messages_or_get_wait_s(chat, 1, "reply") for _ in range(2 * EACH)]
    async with db.begin() as tx:
        await chats.add_or_update(tx, chat, kind="private", title="", now=clock())
    replicas = [floods_by(clock) for _ in range(3)]
    together = [await sent(db, chat, replicas[n % 3], clock) for n in range(2 * EACH)]
    assert together == waits
    assert 10 < together.count(0) < 2 * EACH
    clock.on(timedelta(hours=1))
    assert await sent(db, chat, replicas[-1], clock) == 0


async def test_what_telegram_closes_for_one_is_closed_for_who_claims_it_next(
    db: Database,
) -> None:
    clock = Clock()
    first, second = floods_by(clock), floods_by(clock)
    async with db.begin() as tx:
        await chats.add_or_update(tx, 7, kind="private", title="", now=clock())
    first.forbid_messages(7, 30)
    await sent(db, 7, first, clock)
    assert await sent(db, 7, second, clock) == 30
    assert second.seconds_until_messages_allowed(7) == 30
