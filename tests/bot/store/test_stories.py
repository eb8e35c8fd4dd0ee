"""Stories: each once, whoever saw it first."""

import asyncio
from typing import Any

import pytest

from bot.store import profiles, stories
from bot.store.engine.database import Database
from tests.support.followed import DAY, HOUR, NATGEO, NOON, PRADA, story
from tests.support.rows import kept_stories


async def test_only_new_ones_come_back_oldest_first(db: Database) -> None:
    async with db.begin() as tx:
        await profiles.add_or_update_returning_previous(tx, NATGEO, now=NOON)
        assert await stories.add_or_update_and_return_new_pks(tx, [], now=NOON) == []
        found = [story("2", NOON), story("1", NOON - HOUR), story("2", NOON)]
        assert await stories.add_or_update_and_return_new_pks(tx, found, now=NOON) == ["1", "2"]
        assert await stories.add_or_update_and_return_new_pks(
            tx, [story("3", NOON), story("1")], now=NOON
        ) == ["3"]


async def test_what_is_kept_is_the_whole_story_with_its_newest_address(db: Database) -> None:
    old = story("1", mentions=("prada",), links=("https://a.b",), duration=1.5)
    new = story("1", media_url="https://scontent.cdninstagram.com/new.jpg")
    async with db.begin() as tx:
        await profiles.add_or_update_returning_previous(tx, NATGEO, now=NOON)
        await stories.add_or_update_and_return_new_pks(tx, [old], now=NOON)
        assert await kept_stories(tx, ["1", "9"]) == {"1": old}
        await stories.add_or_update_and_return_new_pks(tx, [story("1", media_url=None)], now=NOON)
        assert await kept_stories(tx, ["1"]) == {"1": old}
        await stories.add_or_update_and_return_new_pks(tx, [new], now=NOON)
        assert await kept_stories(tx, ["1"]) == {"1": new}


async def test_live_are_those_of_the_profile_that_have_not_expired(db: Database) -> None:
    async with db.begin() as tx:
        for profile in (NATGEO, PRADA):
            await profiles.add_or_update_returning_previous(tx, profile, now=NOON)
        found = [story("1", NOON), story("2", NOON - HOUR), story("3", NOON - DAY)]
        await stories.add_or_update_and_return_new_pks(
            tx, [*found, story("4", of=PRADA)], now=NOON
        )
        live = await stories.live_stories(tx, NATGEO.profile_id, now=NOON)
    assert [one.pk for one in live] == ["2", "1"]


@pytest.mark.parametrize(
    ("shown", "hours", "checked", "is_live"),
    [
        ({}, 0, 0, True),
        ({}, 1, 1, False),  # a later answer with the privacy check lacked the story
        ({}, 1, -1, True),  # only an answer without the privacy check lacked the story
        ({"media_url": None}, 1, 1, True),
        ({"media_url": None}, 24, 24, False),
    ],
)
async def test_a_live_story_that_the_last_checked_answer_lacked_was_deleted(
    db: Database, shown: dict[str, Any], hours: int, checked: int, is_live: bool
) -> None:
    later, checked_at = NOON + hours * HOUR, NOON + checked * HOUR
    async with db.begin() as tx:
        await profiles.add_or_update_returning_previous(tx, NATGEO, now=NOON)
        await stories.add_or_update_and_return_new_pks(tx, [story("1", **shown)], now=NOON)
        await profiles.change(tx, NATGEO.profile_id, snapshot_at=later, checked_at=checked_at)
        had_live = await stories.has_live_stories_not_known_as_deleted(
            tx, NATGEO.profile_id, now=later
        )
    assert had_live == is_live


async def test_rivals_that_see_the_same_find_each_story_new_once(db: Database) -> None:
    async with db.begin() as tx:
        await profiles.add_or_update_returning_previous(tx, NATGEO, now=NOON)
    new: list[str] = []

    async def see(first: int) -> None:
        for number in range(first, first + 20):
            async with db.begin() as tx:
                found = [story(str(pk)) for pk in range(number, number + 5)]
                new.extend(await stories.add_or_update_and_return_new_pks(tx, found, now=NOON))

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(see(100))
    assert sorted(new) == [str(pk) for pk in range(100, 124)]
