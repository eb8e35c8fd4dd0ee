"""Who spent most: found by the sums of days, and the same as if all entries had been read."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from hypothesis import strategies as st

from bot.store import chats, erasure, ledger, moves, spending
from bot.store.engine.database import Tx
from tests.bot.store.test_audiences import run

NOON = datetime(2026, 4, 20, 12, tzinfo=UTC)
FIRST = NOON.date() - timedelta(days=29)
CHATS = range(1, 7)


async def spend(tx: Tx, chat: int, days: int, amount: int) -> None:
    kind = "link" if chat else "schedule"
    at = NOON - timedelta(days=days)
    chat_id = chat or None
    entry = await ledger.add(
        tx, kind=kind, chat_id=chat_id, user_id=None, operation="x", nominal=2, now=at
    )
    if amount != 1:  # what costs 1 is still under way
        await ledger.close(tx, entry, amount, now=at)


async def slow(tx: Tx, limit: int) -> dict[int, int]:
    """Read all entries."""
    rows = (await tx.execute(sa.select(ledger.ledger_entries))).all()
    spent: Counter[int] = Counter()
    for row in rows:
        if row.at.date() >= FIRST:
            spent[row.chat_id] += row.credits
    by_size = sorted((chat for chat in spent if chat), key=lambda chat: (-spent[chat], chat))
    largest = [(chat, spent[chat]) for chat in by_size[:limit]]
    forgotten = sum(
        row.credits
        for row in rows
        if row.at.date() >= FIRST and not row.chat_id and row.kind != "schedule"
    )
    return {chat: amount for chat, amount in [*largest, (0, forgotten)] if amount}


CALLS = st.tuples(
    st.just("spend"), st.sampled_from([0, *CHATS]), st.integers(0, 34), st.integers(0, 6)
)
ENDS = st.tuples(
    st.sampled_from(["move", "erase"]),
    st.sampled_from(CHATS),
    st.sampled_from(CHATS),
    st.just(0),
)
STEPS = st.lists(st.one_of(CALLS, CALLS, CALLS, ENDS), min_size=4, max_size=30)


async def act(tx: Tx, what: str, one: int, two: int, amount: int) -> None:
    match what:
        case "spend":
            await spend(tx, one, two, amount)
        case "move":
            await chats.ensure(tx, one, kind="group", title="", now=NOON)
            await moves.move_chat(tx, one, two, now=NOON)
        case "erase":
            await erasure.erase_chat(tx, one, now=NOON)


def test_who_spent_most_is_as_the_entries_say(database_url: str) -> None:
    async def play(tx: Tx, example: tuple[int, list[tuple[str, int, int, int]]]) -> None:
        limit, steps = example
        for step in steps:
            await act(tx, *step)
            found = await spending.dearest_chats(tx, since=FIRST, limit=limit)
            assert list(found.items()) == list((await slow(tx, limit)).items())

    run(database_url, play, st.tuples(st.sampled_from([1, 3]), STEPS))
