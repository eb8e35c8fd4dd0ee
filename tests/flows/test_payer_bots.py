"""Bots of other people: nobody gets more by bots, which each person makes in any number."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.engine.database import Database
from tests.flows.test_payer import ANONYMOUS, LIMIT, Town
from tests.support.sandbox import Box
from tests.support.storybell import NO_CHECKS, running_bell, unhurried

pytestmark = pytest.mark.jumps

BOTS = 4


@pytest.fixture
async def town(tmp_path: Path, sqlite_db: Database, box: Box) -> AsyncIterator[Town]:
    boss = await box.control.person("Boss")
    values = {
        "database_url": sqlite_db.url.render_as_string(hide_password=False),
        "admin_ids": str(boss),
        "daily_budget": 1_000_000,
        "person_daily_allowance": LIMIT,
        **NO_CHECKS,
    }
    async with running_bell(tmp_path, box, timing=unhurried(), **values) as bell:
        yield Town(bell, sqlite_db, boss)


async def test_bots_of_a_person_get_no_stories_subscriptions_or_answers(town: Town) -> None:
    control = town.control
    eve = await town.known("Eve")
    bots = [
        (await control.call("POST", "/users", {"first_name": f"B{n}", "is_bot": True}))["id"]
        for n in range(BOTS)
    ]
    group, unpaid = await town.group(*bots, eve, by=eve), await town.group(*bots, by=ANONYMOUS)
    (greeting,) = await control.replies(group)
    me = (await control.call("GET", "/bots"))[0]["username"]
    for bot in bots:
        for chat in (group, unpaid):
            await control.say(chat, f"/stories@{me} {await town.star()}", user=bot)
            await control.say(chat, f"/subscribe@{me} {await town.star()}", user=bot)
        await control.say(group, "natgeo?", user=bot, reply_to=greeting["message_id"])
    await town.bell.settled()
    assert await control.billed() == 0
    assert await town.followed(group, unpaid) == 0
    assert await town.payer(unpaid) is None
    assert [len(await control.replies(chat)) for chat in (group, unpaid)] == [1, 1]
    await town.bell.noticed(group, f"/stories@{me} {await town.star()}", user=eve)
    assert 0 < await control.billed() <= LIMIT
    await town.is_billed_as_booked()
