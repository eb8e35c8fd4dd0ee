"""Who asks, where, with which access, for what: nobody exceeds what one person may."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain.access import Subject
from bot.store import access
from bot.store.engine.database import Database
from bot.store.subscriptions import subscriptions
from tests.flows.test_payer import ANONYMOUS, COST, NOW, Town, is_told
from tests.support.sandbox import Box
from tests.support.storybell import NO_CHECKS, running_bell, unhurried

pytestmark = pytest.mark.jumps

PLACES = 4  # of each kind, where one person tries
CREDITS, SUBSCRIPTIONS, FAST = 4, 9, 9  # of one person
NAMES = 3  # of one message, as many as one chat may follow here
MEMBERS, TOGETHER = 500, 40  # of one group; members who ask at the same time
WHO = ("named", "anonymous", "post", "as channel")
WHERE = ("private", "own group", "other's group", "own channel", "no payer")
PUBLIC = {"anonymous", "as channel"}


def cells() -> list[tuple[str, str]]:
    """Return who can ask where: a channel has posts only, and only people write in private."""
    return [
        (who, where)
        for who, where in itertools.product(WHO, WHERE)
        if (who == "post") == (where == "own channel")
        and not (who in PUBLIC and where == "private")
    ]


async def places_of(town: Town, where: str, thief: int, other: int) -> list[int]:
    """Return the chats of a kind in which the thief tries."""
    if where == "private":
        return [thief]
    kind = "channel" if where == "own channel" else "supergroup"
    by = {"other's group": other, "no payer": ANONYMOUS}.get(where, thief)
    chats = []
    for _ in range(PLACES):
        members = dict.fromkeys((thief, other), "administrator")
        chat = await town.control.chat(kind, members=members, bot_status="left")
        await town.add(chat, by)
        chats.append(chat)
        if by != ANONYMOUS:
            await town.is_payer(chat, by)
    await town.bell.settled()
    return chats


async def ask(town: Town, who: str, chat: int, thief: int, text: str) -> None:
    more: dict[str, Any] = {}
    if who == "anonymous":
        more["sender_chat_id"] = chat
    elif who == "as channel":
        more["sender_chat_id"] = await town.control.chat("channel", members={thief: "creator"})
    await town.bell.noticed(chat, text, user=thief, **more)


@pytest.fixture
async def town(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_db: Database, box: Box
) -> AsyncIterator[Town]:
    mode, credits_ = request.param
    boss = await box.control.person("Boss")
    url = sqlite_db.url.render_as_string(hide_password=False)
    values = {"database_url": url, "admin_ids": str(boss), "daily_budget": 1_000_000}
    values |= {"access": mode, "person_daily_allowance": credits_}
    values |= {"chat_daily_allowance": COST * MEMBERS + CREDITS}
    values |= NO_CHECKS
    values |= {"max_subscriptions": NAMES, "max_new_subscriptions_a_day": NAMES}
    async with running_bell(tmp_path, box, timing=unhurried(), **values) as bell:
        await box.control.privacy_mode(on=False)
        yield Town(bell, sqlite_db, boss)


async def somebody(town: Town, name: str) -> int:
    """Return a person with access, whom the bot knows."""
    person = await town.known(name)
    async with town.db.begin() as tx:
        await access.put(tx, Subject("person", str(person)), now=NOW, is_allowed=True)
    return person


@pytest.mark.parametrize(
    "town",
    [("open", CREDITS), pytest.param(("invited", CREDITS), marks=pytest.mark.slow)],
    indirect=True,
)
async def test_nobody_spends_more_than_one_person_may(town: Town) -> None:
    for who, where in cells():
        thief, other = await somebody(town, "Thief"), await somebody(town, "Other")
        before = await town.control.billed()
        for chat in await places_of(town, where, thief, other):
            await ask(town, who, chat, thief, f"/stories {await town.star()}")
        await town.bell.settled()
        spent = await town.control.billed() - before
        may_spend = not (where == "no payer" and who in PUBLIC)
        assert 0 < spent <= CREDITS if may_spend else spent == 0, (who, where, spent)
    await town.is_billed_as_booked()


@pytest.mark.slow
@pytest.mark.parametrize("town", [("open", CREDITS)], indirect=True)
async def test_500_members_are_not_limited_by_the_payer_who_is_used_up(town: Town) -> None:
    ann = await town.known("Ann")
    members = [await town.known(f"M{n}") for n in range(MEMBERS)]
    group = await town.group(ann, *members, by=ann)
    for _ in range(2):
        text = f"/stories {await town.star()}"
        await town.bell.noticed(group, text, user=ann, sender_chat_id=group)
    await is_told(town, group, "count toward the limit of the person responsible")
    before = await town.control.billed()
    for first in range(0, MEMBERS, TOGETHER):
        for member in members[first : first + TOGETHER]:
            await town.control.say(group, f"/stories {await town.star()}", user=member)
        await town.bell.settled()
    assert await town.control.billed() == before + COST * MEMBERS
    await town.is_billed_as_booked()


@pytest.mark.slow
@pytest.mark.parametrize(
    "town",
    [("open", 1000), pytest.param(("invited", 1000), marks=pytest.mark.slow)],
    indirect=True,
)
async def test_nobody_follows_more_than_one_person_may(town: Town) -> None:
    for who, where in cells():
        thief, other = await somebody(town, "Thief"), await somebody(town, "Other")
        places = await places_of(town, where, thief, other)
        for chat in places:
            names = [await town.star() for _ in range(NAMES)]
            await ask(town, who, chat, thief, f"/subscribe {' '.join(names)} fast")
        await town.bell.settled()
        async with town.db.read() as tx:
            options = sa.select(subscriptions.c.options).where(subscriptions.c.chat_id.in_(places))
            rows = list((await tx.execute(options)).scalars())
        fast = sum(one.get("fast", False) for one in rows)
        may_follow = who != "as channel" and not (where == "no payer" and who in PUBLIC)
        assert len(rows) <= SUBSCRIPTIONS, (who, where)
        assert fast <= FAST, (who, where)
        assert bool(rows) == may_follow, (who, where)
    await town.is_billed_as_booked()
