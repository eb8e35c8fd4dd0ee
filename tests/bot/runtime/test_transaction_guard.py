"""The guard: who holds a transaction begins nothing that takes long."""

import asyncio

import pytest

from bot.domain.errors import NotFollowedError
from bot.runtime import transaction_guard
from bot.store.engine.database import Database, Tx
from bot.updates import unit_of_work
from bot.updates.unit_of_work import Unit
from tests.support.sandbox import sandbox_box
from tests.support.telegram import bot_at


async def nothing(_: Tx) -> None:
    """Read nothing."""


async def test_a_second_transaction_is_refused(db: Database) -> None:
    unit = Unit(db)

    async def begin() -> None:
        async with db.begin():
            pass

    with unit_of_work.with_current_unit(unit):
        await begin()
        async with unit_of_work.join_or_begin_transaction(db):
            pass
        async with unit_of_work.join_or_begin_read(db):
            pass
        with pytest.raises(RuntimeError, match="read"):
            await db.fetch(nothing)
        with pytest.raises(RuntimeError, match="another transaction"):
            await begin()
        with pytest.raises(ExceptionGroup, match="unhandled"):  # its task waits, too
            async with asyncio.TaskGroup() as group:
                group.create_task(begin())
        await unit.roll_back_and_discard_replies()
        await begin()
        await db.fetch(nothing)


async def test_second_transaction_during_a_read_is_refused(db: Database) -> None:
    async with db.read():
        with pytest.raises(RuntimeError, match="read"):
            await db.fetch(nothing)
    await db.fetch(nothing)


async def test_a_refusal_while_reading_undoes_nothing_and_a_mistake_all(db: Database) -> None:
    unit = Unit(db)

    with unit_of_work.with_current_unit(unit):
        async with unit_of_work.join_or_begin_transaction(db):
            pass
        with pytest.raises(NotFollowedError):
            async with unit_of_work.join_or_begin_read(db):
                raise NotFollowedError(username="natgeo")
        assert unit.is_open
        with pytest.raises(ValueError, match="a mistake"):
            async with unit_of_work.join_or_begin_read(db):
                raise ValueError("a mistake")
        assert not unit.is_open


async def test_a_call_is_refused_until_the_unit_has_ended(sqlite_db: Database) -> None:
    unit = Unit(sqlite_db)
    async with sandbox_box() as box, bot_at(box.urls.telegram) as bot:
        with unit_of_work.with_current_unit(unit):
            async with unit_of_work.join_or_begin_transaction(sqlite_db):
                pass
            with pytest.raises(RuntimeError, match="getMe"):
                await bot.get_me()
            await unit.commit()
            await bot.get_me()


async def test_people_get_their_answer_all_the_same(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction_guard, "is_strict", False)
    unit = Unit(sqlite_db)
    async with sandbox_box() as box, bot_at(box.urls.telegram) as bot:
        with unit_of_work.with_current_unit(unit):
            async with unit_of_work.join_or_begin_transaction(sqlite_db):
                pass
            await bot.get_me()
            await unit.roll_back_and_discard_replies()
