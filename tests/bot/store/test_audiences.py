"""Audiences: what somebody waits for is checked, nothing else, and who waits is counted."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, Literal, get_args

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.options import Options
from bot.store import chats, erasure, moves, profiles, subscriptions
from bot.store.engine.database import Database, Tx
from tests.support.database import empty
from tests.support.followed import NATGEO, NOON, PRADA, follow

GROUPS = (-1, -2)
SUPER = -100  # to whose id a group of ours moves
STARS = (NATGEO, PRADA)
Act = Literal[
    "join", "topic", "leave", "pause", "resume", "close", "open", "lose", "move", "erase"
]


async def facts(tx: Tx) -> dict[str, dict[int, float]]:
    """What each chat should count, by profile."""
    table = subscriptions.subscriptions
    joined = table.join(chats.chats, chats.chats.c.id == table.c.chat_id)
    columns = (table.c.profile_id, table.c.chat_id, table.c.options)
    rows = await tx.execute(sa.select(*columns).select_from(joined).where(subscriptions.WAITS))
    found: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for profile_id, chat_id, options in rows:
        found[profile_id][chat_id] += 4 if Options.from_json(options).fast else 1
    return found


async def consistent(tx: Tx) -> None:
    """Who is waited for is checked, nobody else is; and a count finds who they are."""
    due = await facts(tx)
    for row in await tx.execute(sa.select(profiles.profiles)):
        mine = due.get(row.profile_id, {})
        assert (row.due_at is not None) == (bool(mine) and row.state != "blocked")
        for at_once in (1, 2, 5_000):
            count = await subscriptions.count_subscribers(tx, row.profile_id, at_once=at_once)
            assert (count.chats, count.weight) == (len(mine), sum(mine.values()))
        assert await subscriptions.waiting_chat_ids(
            tx, row.profile_id, after=None, limit=99
        ) == sorted(mine)


async def act(tx: Tx, what: Act, chat: int, star: int) -> None:
    """Do as the handlers do."""
    of = STARS[star]
    own = [one for one in await subscriptions.of_chat(tx, chat) if one.profile_id == of.profile_id]
    threads = {one.target.thread_id for one in own}
    match what:
        case "join" if None not in threads:
            await follow(tx, chat, of)
        case "topic" if 9 not in threads:
            await follow(tx, chat, of, thread_id=9, options=Options(fast=True))
        case "leave":
            await subscriptions.remove(tx, [one.id for one in own])
        case "pause" | "resume" if own:
            await subscriptions.change(tx, own[0].id, paused=what == "pause")
        case _:
            await whole(tx, what, chat)
            return
    await subscriptions.start_or_stop_checks(
        tx, chat_id=chat, profile_ids=[of.profile_id], now=NOON
    )


async def whole(tx: Tx, what: Act, chat: int) -> None:
    """Do what befalls a whole chat, or its topic."""
    match what:
        case "close":
            await moves.close_left_chat(tx, chat, now=NOON)
        case "open":
            await moves.open_chat(tx, chat, now=NOON)
        case "lose":
            await moves.move_topic_to_main_chat_and_notify(tx, chat, 9, now=NOON)
        case "move":
            await moves.move_chat(tx, chat, SUPER + chat, now=NOON)
        case "erase":
            await erasure.erase_chat(tx, chat, now=NOON)


ACTS = st.tuples(st.sampled_from(get_args(Act)), st.sampled_from(GROUPS), st.integers(0, 1))


def test_whatever_chats_do_what_they_wait_for_is_checked(database_url: str) -> None:
    async def play(tx: Tx, acts: list[tuple[Act, int, int]]) -> None:
        for chat in GROUPS:
            await act(tx, "join", chat, 0)
            await act(tx, "topic", chat, 0)
        for one in acts:
            await act(tx, *one)
            await consistent(tx)

    run(database_url, play, st.lists(ACTS, min_size=2, max_size=7))


def run(
    url: str,
    play: Callable[[Tx, Any], Awaitable[None]],
    examples: st.SearchStrategy[Any],
) -> None:
    """Play each example in a transaction that is undone."""

    async def undone(db: Database, example: Any) -> None:
        async with db.begin() as tx:
            await play(tx, example)
            await tx.rollback()

    async def ready(db: Database) -> None:
        await db.migrate()
        if not db.is_sqlite:
            await empty(db)

    with asyncio.Runner() as runner:
        db = Database(url)
        runner.run(ready(db))

        @given(examples)
        @settings(deadline=None, max_examples=settings().max_examples // 2)
        def each(example: Any) -> None:
            runner.run(undone(db, example))

        try:
            each()
        finally:
            runner.run(db.__aexit__(None, None, None))
