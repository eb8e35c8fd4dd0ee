"""Usage: a check's credits are split among the chats, and none of it is lost."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Literal, get_args

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.model import Options, Target
from bot.store import chats, moves, profiles, spending, subscriptions, usage
from bot.store.audiences import audiences
from bot.store.database import Database, Tx
from tests.support.database import empty
from tests.support.followed import DAY, HOUR, MINUTE, NATGEO, NOON, PRADA, follow

BEGIN = date(2026, 1, 1)
CHATS = range(1, 4)
Act = Literal["join", "leave", "pause", "resume", "close", "open", "topic"]


async def shares(tx: Tx, chat_ids: Iterable[int] = CHATS) -> dict[int, int]:
    """What each chat has borne, settled or not, in thousandths of a credit."""
    found = {}
    for chat in chat_ids:
        sums = await usage.of_chat(tx, chat, since=BEGIN)
        found[chat] = sums["alert"].millicredits if "alert" in sums else 0
    return found


async def rest(tx: Tx) -> int:
    return int((await tx.execute(sa.select(sa.func.sum(audiences.c.rest)))).scalar() or 0)


async def test_each_chat_bears_its_part_once(db: Database) -> None:
    async with db.begin() as tx:
        await usage.split(tx, NATGEO.profile_id, 2, now=NOON)  # nobody follows it
        for chat in (1, 2, 3):
            await follow(tx, chat)
        await follow(tx, 3, thread_id=9)
        paused = await follow(tx, 4)
        await subscriptions.change(tx, paused, paused=True)
        await subscriptions.reweigh(tx, chat_id=4, now=NOON)
        for _ in range(2):
            await usage.split(tx, NATGEO.profile_id, 2, now=NOON)
        assert await shares(tx) == {1: 1333, 2: 1333, 3: 1333}
        assert await rest(tx) == 1
        await usage.split(tx, NATGEO.profile_id, 2, now=NOON + DAY)
        assert await shares(tx) == {1: 2000, 2: 2000, 3: 2000}
        assert await rest(tx) == 0
        days = await usage.millicredits_by_day(tx, 1, since=BEGIN)
        assert days == {NOON.date(): 1333, (NOON + DAY).date(): 667}
        costs = {one.chat_id: one.millicredits for one in await spending.costs(tx, since=BEGIN)}
        assert costs == {1: 2000, 2: 2000, 3: 2000}


async def test_who_leaves_is_booked_and_who_comes_begins_at_nothing(db: Database) -> None:
    async with db.begin() as tx:
        mine = await follow(tx, 1)
        await usage.split(tx, NATGEO.profile_id, 3, now=NOON)
        await follow(tx, 2)
        await usage.split(tx, NATGEO.profile_id, 3, now=NOON + DAY)
        await subscriptions.remove(tx, [mine])
        await subscriptions.reweigh(tx, chat_id=1, now=NOON + DAY)
        await usage.split(tx, NATGEO.profile_id, 3, now=NOON + DAY)
        assert await shares(tx) == {1: 4500, 2: 4500, 3: 0}
        days = await usage.millicredits_by_day(tx, 1, since=BEGIN)
        assert days == {NOON.date(): 3000, (NOON + DAY).date(): 1500}
        assert await usage.borne(tx, since=BEGIN) == {2: {(NOON + DAY).date(): 4500}}


async def test_around_midnight_each_replica_has_a_day_of_its_own_and_nothing_is_borne_twice(
    db: Database,
) -> None:
    """Who took the time before midnight may come after who took it later."""
    before = NOON.replace(hour=23, minute=59)
    after = before + 2 * MINUTE
    async with db.begin() as tx:
        await follow(tx, 1, now=before)
        await usage.split(tx, NATGEO.profile_id, 3, now=after)
        await follow(tx, 2, now=before)
        await usage.split(tx, NATGEO.profile_id, 2, now=before)
        assert await shares(tx) == {1: 4000, 2: 1000, 3: 0}
        await follow(tx, 3, now=after + DAY)
        await usage.split(tx, NATGEO.profile_id, 3, now=after)
        assert await shares(tx) == {1: 5000, 2: 2000, 3: 1000}
        assert await rest(tx) == 0


async def test_a_group_that_moves_goes_on_bearing_what_it_bore(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, -5)
        await follow(tx, -5, PRADA)
        await follow(tx, -1005)
        await usage.split(tx, NATGEO.profile_id, 2, now=NOON)
        await usage.split(tx, PRADA.profile_id, 2, now=NOON)
        await moves.move_chat(tx, -5, -1005, now=NOON)
        assert (await usage.of_chat(tx, -1005, since=BEGIN))["alert"].millicredits == 4000
        assert not await usage.of_chat(tx, -5, since=BEGIN)
        await usage.split(tx, NATGEO.profile_id, 2, now=NOON)
        assert (await usage.of_chat(tx, -1005, since=BEGIN))["alert"].millicredits == 6000
        known = await profiles.get(tx, NATGEO.profile_id)
    assert known is not None
    assert known.weight == 1


async def test_what_another_version_counted_otherwise_is_counted_anew(db: Database) -> None:
    async with db.begin() as tx:
        gone, paused = await follow(tx, 1), await follow(tx, 2, options=Options(fast=True))
        await follow(tx, 3)
        await usage.split(tx, NATGEO.profile_id, 3, now=NOON)
        # As a version does that doesn't know who is counted:
        await subscriptions.remove(tx, [gone])
        await subscriptions.change(tx, paused, options={})
        await chats.ensure(tx, 4, kind="private", title="", now=NOON)
        await subscriptions.add(
            tx,
            Target(4),
            NATGEO.profile_id,
            options=Options(fast=True),
            since=NOON,
            created_by=4,
            now=NOON,
        )
        wrong, last = await subscriptions.miscounted(tx, after=None, limit=2)
        assert (wrong, last) == ({1: [NATGEO.profile_id], 2: [NATGEO.profile_id]}, 3)
        more, last = await subscriptions.miscounted(tx, after=last, limit=2)
        assert (more, last) == ({4: [NATGEO.profile_id]}, None)
        for chat_id, ids in (wrong | more).items():
            await subscriptions.reweigh(tx, chat_id=chat_id, profile_ids=ids, now=NOON)
        assert await subscriptions.miscounted(tx, after=None, limit=9) == ({}, None)
        known = await profiles.get(tx, NATGEO.profile_id)
        assert known is not None
        assert known.weight == 1 + 1 + 4
        await usage.split(tx, NATGEO.profile_id, 3, now=NOON)
        assert await shares(tx, range(1, 5)) == {1: 1000, 2: 2000, 3: 2000, 4: 1000}


async def act(tx: Tx, what: Act, chat: int, now: datetime) -> None:
    """Do as the handlers do to a chat's subscriptions; what is done already changes nothing."""
    own = await subscriptions.of_chat(tx, chat)
    match what:
        case "join" if None not in {one.target.thread_id for one in own}:
            await follow(tx, chat, now=now)
        case "topic" if 9 not in {one.target.thread_id for one in own}:
            await follow(tx, chat, thread_id=9, options=Options(fast=True), now=now)
        case "leave":
            await subscriptions.remove(tx, [one.id for one in own])
        case "pause" | "resume":
            for one in own[:1]:
                await subscriptions.change(tx, one.id, paused=what == "pause")
        case "close" | "open":
            state: Literal["closed", "active"] = "closed" if what == "close" else "active"
            await chats.set_state(tx, chat, state, now=now)
    await subscriptions.reweigh(tx, chat_id=chat, now=now)


async def waits(tx: Tx) -> set[int]:
    """Who waits by the facts, not by the counts."""
    table = subscriptions.subscriptions
    joined = table.join(chats.chats, chats.chats.c.id == table.c.chat_id)
    facts = sa.select(table.c.chat_id).select_from(joined).where(subscriptions.WAITS)
    return set((await tx.execute(facts)).scalars())


ACTS = st.tuples(st.sampled_from(get_args(Act)), st.sampled_from(CHATS))
STEPS = st.lists(
    st.one_of(ACTS, st.tuples(st.just("check"), st.integers(0, 3))), min_size=4, max_size=14
)


@pytest.mark.parametrize("few", [0, 2])
def test_what_is_settled_and_open_and_left_is_what_was_spent(
    database_url: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also per chat: within a thousandth for each time that one left, of the exact part."""
    monkeypatch.setattr(subscriptions, "FEW", few)

    async def play(tx: Tx, steps: list[tuple[Act | Literal["check"], int]]) -> None:
        spent, now = 0, NOON
        exact, left = dict.fromkeys(CHATS, Fraction()), Counter[int]()
        for what, number in steps:
            now += 5 * HOUR
            before = await waits(tx)
            if what == "check":
                await usage.split(tx, NATGEO.profile_id, number, now=now)
                spent += 1000 * number if before else 0
                for chat in before:
                    exact[chat] += Fraction(1000 * number, len(before))
            else:
                await act(tx, what, number, now)
            left.update(before - await waits(tx))
            found = await shares(tx)
            assert sum(found.values()) + await rest(tx) == spent
            assert await rest(tx) < max(1, len(await waits(tx)))
            known = await profiles.get(tx, NATGEO.profile_id)
            assert known is not None
            assert (known.next_look_at is not None) == bool(await waits(tx))
            for chat in CHATS:
                assert abs(found[chat] - exact[chat]) <= 1 + sum(left.values())
        assert await subscriptions.miscounted(tx, after=None, limit=9) == ({}, None)

    run(database_url, play, STEPS)


def test_in_which_order_chats_come_and_go_between_two_checks_does_not_matter(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "FEW", 0)

    @st.composite
    def orders(draw: st.DrawFn) -> tuple[list[tuple[Act, int]], list[tuple[Act, int]]]:
        """Acts of one chat each, in two orders."""
        acts = [(draw(st.sampled_from(get_args(Act))), chat) for chat in CHATS]
        return acts, draw(st.permutations(acts))

    async def play(tx: Tx, given: tuple[list[tuple[Act, int]], list[tuple[Act, int]]]) -> None:
        found = []
        for acts in given:
            point = await tx.begin_nested()
            for chat in CHATS:
                await act(tx, "join", chat, NOON)
            await usage.split(tx, NATGEO.profile_id, 5, now=NOON)
            for what, chat in acts:
                await act(tx, what, chat, NOON)
            await usage.split(tx, NATGEO.profile_id, 5, now=NOON)
            found.append((await shares(tx), await rest(tx), await waits(tx)))
            await point.rollback()
        (one, its_rest, here), (other, other_rest, there) = found
        assert (sum(one.values()) + its_rest, here) == (sum(other.values()) + other_rest, there)
        assert all(abs(one[chat] - other[chat]) <= 1 for chat in CHATS)

    run(database_url, play, orders())


def run(
    url: str,
    play: Callable[[Tx, Any], Awaitable[None]],
    examples: st.SearchStrategy[Any],
    *,
    part: float = 1,
) -> None:
    """Play each example in a transaction that is undone; ``part`` of as many as others have."""

    async def undone(db: Database, example: Any) -> None:
        async with db.begin() as tx:
            await act(tx, "join", CHATS[0], NOON)
            await act(tx, "leave", CHATS[0], NOON)
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
        @settings(deadline=None, max_examples=int(part * settings().max_examples))
        def each(example: Any) -> None:
            runner.run(undone(db, example))

        try:
            each()
        finally:
            runner.run(db.__aexit__(None, None, None))
