"""One flight for all who ask the same, and what came of it kept behind who is served."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from bot.billing.ledger import Charge, Ledger
from bot.domain.budget import Limits
from bot.domain.errors import CHAT_LIMIT_REACHED, SpendingError, StoryGoneError
from bot.domain.model import Asker, Story
from bot.domain.paid_calls import Answer, Operation, PaidCall
from bot.domain.serialization import STORIES
from bot.fetching.answer_cache import (
    AnswerCache,
    Fetched,
    first_story_cacheable_until,
    live_stories_key,
    story_key,
)
from bot.store import answers as kept
from bot.store import fan_outs
from bot.store.engine.database import Database
from tests.support import rows
from tests.support.followed import NATGEO, follow, look, story

NOW = datetime.now(UTC)
STORY = story("31", NOW - timedelta(hours=1))


class Desk:
    """A process that answers questions, and how often it had to fetch."""

    def __init__(self, db: Database, answers: AnswerCache, ledger: Ledger) -> None:
        self.db = db
        self.answers = answers
        self.ledger = ledger
        self.fetched = 0
        self.stack = AsyncExitStack()  # of the process, to end it early

    async def fetch(self, *, partial: bool = True) -> Fetched[Story]:
        self.fetched += 1

        async def call() -> Answer[Story]:
            return Answer(STORY, 1)

        payer = Charge("link", Asker(1, 1))
        found, bill = await self.ledger.reserve_and_call_unsettled(
            payer, PaidCall(Operation.STORY, 1, call)
        )
        return Fetched(NATGEO, [found], partial=partial, bill=bill)

    async def ask(self) -> list[Story]:
        return await self.answers.get_or_fetch(
            story_key("31"), self.fetch, first_story_cacheable_until, STORIES
        )


@pytest.fixture
async def desk(db: Database) -> AsyncIterator[Desk]:
    ledger = Ledger(db, Limits(), now=lambda: NOW)
    async with AsyncExitStack() as stack:
        answers = await stack.enter_async_context(AnswerCache(db, ledger, now=lambda: NOW))
        desk = Desk(db, answers, ledger)
        desk.stack = stack
        yield desk


async def test_many_who_ask_at_once_fetch_once(desk: Desk) -> None:
    found = await asyncio.gather(*(desk.ask() for _ in range(20)))
    assert all(stories == [STORY] for stories in found)
    assert desk.fetched == 1


async def test_request_before_the_answer_is_stored_makes_no_second_call(desk: Desk) -> None:
    whole = partial(desk.fetch, partial=False)
    await desk.answers.get_or_fetch(
        live_stories_key("natgeo"), whole, first_story_cacheable_until, STORIES
    )
    assert await desk.ask() == [STORY]
    assert desk.fetched == 1


async def test_at_the_end_all_that_was_answered_is_kept_and_settled(db: Database) -> None:
    ledger = Ledger(db, Limits(), now=lambda: NOW)
    answers = AnswerCache(db, ledger, now=lambda: NOW)
    async with answers:
        await Desk(db, answers, ledger).ask()
        async with db.read() as tx:
            assert not await kept.get_fresh(tx, story_key("31"), now=NOW)
    async with db.read() as tx:
        assert await kept.get_fresh(tx, story_key("31"), now=NOW)
        assert [entry.state for entry in await rows.entries(tx, since=NOW)] == ["settled"]


async def test_what_is_learned_for_others_wakes_who_brings_it_to_them(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 5)
        await look(tx)
    woken, ledger = asyncio.Event(), Ledger(db, Limits(), now=lambda: NOW)
    many = AnswerCache(db, ledger, now=lambda: NOW, wake=woken.set)
    async with many:
        await Desk(db, many, ledger).ask()
        assert not woken.is_set()
        await asyncio.wait_for(woken.wait(), 30)
        async with db.read() as tx:
            assert await fan_outs.next_due_at(tx)


async def test_what_can_not_be_kept_is_shown_all_the_same(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    async with desk.db.begin() as tx:
        await tx.execute(sa.text("ALTER TABLE stories RENAME TO mislaid"))
    try:
        assert await desk.ask() == [STORY]
        await desk.stack.aclose()
        assert "could not be kept" in capsys.readouterr().out
    finally:
        async with desk.db.begin() as tx:
            await tx.execute(sa.text("ALTER TABLE mislaid RENAME TO stories"))


async def test_a_negative_answer_is_kept_for_a_while(desk: Desk) -> None:
    async def gone() -> Fetched[Story]:
        desk.fetched += 1
        raise StoryGoneError(credits=1, username="natgeo")

    for _ in range(3):
        with pytest.raises(StoryGoneError) as caught:
            await desk.answers.get_or_fetch("story:9", gone, first_story_cacheable_until, STORIES)
        assert caught.value.fields == {"username": "natgeo"}
    assert desk.fetched == 1


async def test_refused_asker_leaves_the_call_to_the_next_asker(desk: Desk) -> None:
    asked = asyncio.Event()

    async def poor() -> Fetched[Story]:
        await asked.wait()
        raise SpendingError(text=CHAT_LIMIT_REACHED, until=NOW)

    async def ask_as_well() -> list[Story]:
        asked.set()
        return await desk.ask()

    key = story_key("31")
    refusal, found = await asyncio.gather(
        desk.answers.get_or_fetch(key, poor, first_story_cacheable_until, STORIES),
        ask_as_well(),
        return_exceptions=True,
    )
    assert isinstance(refusal, SpendingError)
    assert found == [STORY]
