"""Audiences: what is counted of who waits is what the facts say, or is mended within one walk."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Literal, get_args

import pytest
import sqlalchemy as sa
from hypothesis import strategies as st

from bot.domain.model import Options, Target
from bot.store import chats, erasure, moves, profiles, retention, subscriptions, usage
from bot.store.audiences import audiences, waiting_chats
from bot.store.database import Tx
from tests.bot.store.test_shares import run, shares
from tests.support.followed import NATGEO, NOON, PRADA, follow

GROUPS = (-1, -2)
SUPER = -100  # to whose id a group of ours moves
STARS = (NATGEO, PRADA)
EVERYBODY = (*GROUPS, *(SUPER + chat for chat in GROUPS))
Act = Literal[
    "join", "topic", "leave", "pause", "resume", "close", "open", "lose", "move", "erase"
]
Drift = Literal["leave", "join", "forget", "drop", "row", "sums", "check"]


async def facts(tx: Tx) -> dict[str, dict[int, float]]:
    """What each chat should count, by profile."""
    table = subscriptions.subscriptions
    joined = table.join(chats.chats, chats.chats.c.id == table.c.chat_id)
    columns = (table.c.profile_id, table.c.chat_id, table.c.options)
    rows = await tx.execute(sa.select(*columns).select_from(joined).where(subscriptions.WAITS))
    found: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for profile_id, chat_id, options in rows:
        found[profile_id][chat_id] += 4 if Options.of(options).fast else 1
    return found


async def consistent(tx: Tx) -> None:
    """The counts are those of the facts, and who is waited for is checked; nobody else is."""
    due = await facts(tx)
    counted: dict[str, dict[int, float]] = defaultdict(dict)
    for row in await tx.execute(sa.select(waiting_chats)):
        counted[row.profile_id][row.chat_id] = row.weight
    assert counted == due
    for row in await tx.execute(sa.select(audiences)):
        mine = due.get(row.profile_id, {})
        assert (row.chats, row.weight, row.known_weight) == (len(mine), sum(mine.values()), 0)
    for row in await tx.execute(sa.select(profiles.profiles)):
        mine = due.get(row.profile_id, {})
        assert (row.weight, row.next_look_at is not None) == (sum(mine.values()), bool(mine))


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
    await subscriptions.reweigh(tx, chat_id=chat, profile_id=of.profile_id, now=NOON)


async def whole(tx: Tx, what: Act, chat: int) -> None:
    """Do what befalls a whole chat, or its topic."""
    match what:
        case "close":
            await moves.close_chat(tx, chat, now=NOON)
        case "open":
            await moves.open_chat(tx, chat, now=NOON)
        case "lose":
            await moves.close_topic(tx, chat, 9, now=NOON)
        case "move":
            await moves.move_chat(tx, chat, SUPER + chat, now=NOON)
        case "erase":
            await erasure.erase_chat(tx, chat, now=NOON)


ACTS = st.tuples(st.sampled_from(get_args(Act)), st.sampled_from(GROUPS), st.integers(0, 1))


def test_whatever_chats_do_who_waits_is_counted(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "FEW", 1)

    async def play(tx: Tx, acts: list[tuple[Act, int, int]]) -> None:
        for chat in GROUPS:
            await act(tx, "join", chat, 0)
            await act(tx, "topic", chat, 0)
        for one in acts:
            await act(tx, *one)
            await consistent(tx)

    run(database_url, play, st.lists(ACTS, min_size=2, max_size=7), part=0.5)


async def drift(tx: Tx, what: Drift, chat: int, star: int) -> None:
    """Do as another version does, which knows no counts, or as nobody should."""
    of = STARS[star]
    match what:
        case "join":
            await chats.ensure(tx, chat, kind="supergroup", title="", now=NOON)
            await profiles.ensure(tx, of, now=NOON)
            await subscriptions.add(
                tx,
                Target(chat),
                of.profile_id,
                options=Options(),
                since=NOON,
                created_by=None,
                now=NOON,
            )
            await profiles.change(tx, of.profile_id, next_look_at=NOON)
        case "leave":
            await subscriptions.remove_of_chat(tx, chat)
        case "forget":
            await subscriptions.remove_of_chat(tx, chat)
            mine = waiting_chats.c.chat_id == chat
            await tx.execute(sa.delete(waiting_chats).where(mine))
        case "drop":
            table = subscriptions.subscriptions
            followed = sa.exists().where(table.c.profile_id == profiles.profiles.c.profile_id)
            await tx.execute(sa.delete(profiles.profiles).where(~followed))
        case "row":
            mine = audiences.c.profile_id == of.profile_id
            await tx.execute(sa.delete(audiences).where(mine))
        case "sums":
            mine = audiences.c.profile_id == of.profile_id
            sums = {"chats": 40, "weight": 0, "known_weight": 7}
            await tx.execute(sa.update(audiences).where(mine).values(sums))
        case "check":
            await profiles.change(tx, of.profile_id, next_look_at=None)


DRIFTS = st.tuples(st.sampled_from(get_args(Drift)), st.sampled_from(GROUPS), st.integers(0, 1))


async def walk(tx: Tx) -> None:
    """Mend as the schedule does, a step a minute, through all that there is."""
    chat: int | None = None
    profile = idle = ""
    is_first = True
    while is_first or chat is not None:
        wrong, chat = await subscriptions.miscounted(tx, after=chat, limit=2)
        for chat_id, ids in wrong.items():
            await subscriptions.reweigh(tx, chat_id=chat_id, profile_ids=ids, now=NOON)
        is_first = False
    while not is_first or profile:
        unlike, profile = await subscriptions.missummed(tx, after=profile, limit=1)
        for one in unlike:
            await subscriptions.reweigh(tx, profile_id=one, now=NOON)
        is_first = True
    while is_first or idle:
        idle = await retention.stop_polling(tx, after=idle, limit=1)
        is_first = False


def test_whatever_was_counted_wrongly_is_right_after_a_walk(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then a check is shared among all who wait, and none of it is lost."""
    monkeypatch.setattr(subscriptions, "FEW", 1)

    async def play(tx: Tx, steps: list[Callable[[Tx], Awaitable[None]]]) -> None:
        for chat in GROUPS:
            await act(tx, "join", chat, 0)
        for step in steps:
            await step(tx)
        await walk(tx)
        await consistent(tx)
        due = await facts(tx)
        before = await shares(tx, EVERYBODY)
        for one in STARS:
            await usage.split(tx, one.profile_id, 6, now=NOON)
        borne = {chat: now - before[chat] for chat, now in (await shares(tx, EVERYBODY)).items()}
        assert sum(borne.values()) == 6000 * len(due)
        parts = [6000 / len(mine) for mine in due.values()]
        assert set(borne.values()) - {0} <= {*parts, sum(parts)}

    steps = st.one_of(ACTS.map(partial(_step, act)), DRIFTS.map(partial(_step, drift)))
    run(database_url, play, st.lists(steps, min_size=1, max_size=6), part=0.5)


def _step(do: Any, how: tuple[str, int, int]) -> Callable[[Tx], Awaitable[None]]:
    what, chat, star = how
    return partial(do, what=what, chat=chat, star=star)
