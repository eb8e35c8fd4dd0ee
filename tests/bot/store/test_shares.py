"""Usage: a look's credits are split among the chats, and none of it is lost."""

from datetime import date

from bot.store import subscriptions, usage
from bot.store.database import Database
from tests.support.followed import NATGEO, NOON, follow


async def test_each_chat_bears_its_part_once(db: Database) -> None:
    async with db.begin() as tx:
        await usage.split(tx, NATGEO.profile_id, 2, now=NOON)  # nobody follows it
        for chat in (1, 2, 3):
            await follow(tx, chat)
        await follow(tx, 3, thread_id=9)
        paused = await follow(tx, 4)
        await subscriptions.change(tx, paused, paused=True)
        for _ in range(2):
            await usage.split(tx, NATGEO.profile_id, 2, now=NOON)
        parts = {}
        for chat in (1, 2, 3, 4):
            sums = await usage.of_chat(tx, chat, since=date(2026, 1, 1))
            parts[chat] = sums["alert"].millicredits if sums else 0
    assert parts == {1: 1334, 2: 1334, 3: 1332, 4: 0}
